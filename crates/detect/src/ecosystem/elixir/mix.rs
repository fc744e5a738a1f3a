//! What `mix.exs` says.

use crate::scan::Scan;
use crate::sources::Sources;

pub(super) const FILE: &str = "mix.exs";
const COMMENTS: &[&str] = &["#"];

/// A dependency.
pub(super) struct Dependency {
    pub name: String,
    /// `file:line`
    pub from: String,
    /// It is a folder of the project, which no lock file holds.
    pub is_local: bool,
}

/// What `mix.exs` says, and those of an umbrella's applications.
pub(super) struct Mix {
    pub app: Option<String>,
    /// The range of Elixir's versions, and where it is said.
    pub elixir: Option<(String, String)>,
    pub dependencies: Vec<Dependency>,
    /// Folders of an umbrella's applications.
    pub members: Vec<String>,
    /// An application starts by itself.
    pub starts: Option<String>,
    /// It is packed into one file that is run, by this name.
    pub script: Option<(String, String)>,
    /// The first release that is described, and where.
    pub release: Option<(String, String)>,
}

impl Mix {
    pub fn read(sources: &Sources<'_>) -> Option<Self> {
        let text = sources.text(FILE)?;
        let mut mix = Self::parse(FILE, &text);
        let umbrella = Scan::behind(&text, "apps_path:", COMMENTS)
            .find_map(|mut scan| scan.string(&['"']).map(str::to_owned));
        let Some(apps) = umbrella else {
            return Some(mix);
        };
        for path in sources.files() {
            let member = path
                .strip_prefix(&apps)
                .and_then(|rest| rest.strip_prefix('/'))
                .and_then(|rest| rest.strip_suffix(FILE)?.strip_suffix('/'))
                .filter(|member| !member.contains('/'));
            let (Some(member), Some(text)) = (member, sources.text(path)) else {
                continue;
            };
            let other = Self::parse(path, &text);
            mix.starts = mix.starts.or(other.starts);
            mix.elixir = mix.elixir.or(other.elixir);
            for dependency in other.dependencies {
                if mix.dependency(&dependency.name).is_none() {
                    mix.dependencies.push(dependency);
                }
            }
            mix.members.push(format!("{apps}/{member}"));
        }
        Some(mix)
    }

    fn parse(file: &str, text: &str) -> Self {
        let app = Scan::behind(text, "app:", COMMENTS)
            .find_map(|mut scan| scan.eat(":").then(|| scan.word()).flatten());
        let elixir = Scan::behind(text, "elixir:", COMMENTS).find_map(|mut scan| {
            let from = format!("{file}:{}", scan.line());
            match scan.string(&['"']) {
                Some(version) => Some((version.to_owned(), from)),
                // An attribute of the module, which is written above.
                None => scan
                    .eat("@")
                    .then(|| scan.word())
                    .flatten()
                    .and_then(|name| {
                        Scan::behind(text, &format!("@{name} "), COMMENTS).find_map(|mut scan| {
                            let from = format!("{file}:{}", scan.line());
                            Some((scan.string(&['"'])?.to_owned(), from))
                        })
                    }),
            }
        });
        let dependencies = Scan::behind(text, "{:", COMMENTS).filter_map(|mut scan| {
            let from = format!("{file}:{}", scan.line());
            let name = scan.word()?.to_owned();
            let line = scan.rest().lines().next().unwrap_or("");
            let is_local = line.contains("path:") || line.contains("in_umbrella: true");
            scan.eat(",").then_some(Dependency {
                name,
                from,
                is_local,
            })
        });
        let starts = Scan::behind(text, "mod:", COMMENTS).find_map(|mut scan| {
            let from = format!("{file}:{}", scan.line());
            scan.eat("{").then_some(from)
        });
        let release = Scan::behind(text, "releases:", COMMENTS).find_map(|mut scan| {
            let from = format!("{file}:{}", scan.line());
            scan.eat("[");
            let name = scan.word()?.to_owned();
            (scan.eat(":") && !scan.rest().starts_with(':')).then_some((name, from))
        });
        let script = Scan::behind(text, "escript:", COMMENTS).find_map(|scan| {
            let name = scan.rest().split_once("name:").and_then(|(before, rest)| {
                // A module's name is another one.
                let own = !before.contains(']') && !before.ends_with('_');
                own.then(|| rest.trim_start().strip_prefix('"')?.split('"').next())?
            });
            let name = name.or(app)?.to_owned();
            Some((name, format!("{file}:{}", scan.line())))
        });
        Self {
            script,
            app: app.map(str::to_owned),
            elixir,
            dependencies: dependencies.collect(),
            members: Vec::new(),
            starts,
            release,
        }
    }

    pub fn dependency(&self, name: &str) -> Option<&Dependency> {
        self.dependencies.iter().find(|one| one.name == name)
    }

    /// The first folder, the project's own or a member's, in which something is there.
    pub fn folder_with(&self, sources: &Sources<'_>, path: &str) -> Option<String> {
        let members = self.members.iter().map(|member| format!("{member}/"));
        std::iter::once(String::new())
            .chain(members)
            .find(|folder| {
                let path = format!("{folder}{path}");
                sources.has(&path) || sources.has_folder(&path)
            })
    }
}
