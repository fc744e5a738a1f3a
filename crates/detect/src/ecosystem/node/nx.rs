//! Applications of an Nx workspace, which have no `package.json` of their own, or one that says nothing of how
//! they are built.

use super::package::{self, Package};
use super::runner::Runner;
use super::server::Start;
use super::site::{self, Site};
use crate::document::Document;
use crate::scan::Scan;
use crate::sources::Sources;
use crate::web_server::Fallback;

/// The file that tells of one project.
pub(super) const PROJECT: &str = "project.json";

/// An application, built and started in the folder of its workspace.
pub(super) struct Member {
    pub name: String,
    /// The workspace's `package.json`.
    pub package: Package,
    /// The workspace's folder, as the application sees it: `../..`.
    pub workspace: String,
    settings: Settings,
}

/// What tells of a project, and below which key.
struct Settings {
    document: Document,
    below: Option<&'static str>,
}

impl Settings {
    fn keys<'k>(&self, keys: &[&'k str]) -> Vec<&'k str> {
        self.below.into_iter().chain(keys.iter().copied()).collect()
    }

    fn has(&self, keys: &[&str]) -> bool {
        self.document.get(&self.keys(keys)).is_some()
    }

    fn text(&self, keys: &[&str]) -> Option<&str> {
        self.document.text(&self.keys(keys))
    }

    fn from(&self, keys: &[&str]) -> String {
        self.document.from(&self.keys(keys))
    }
}

impl Member {
    /// The application that a folder is whose `package.json`, if it has one, leaves the rest to Nx.
    pub fn read(sources: &Sources<'_>, own: Option<&Package>) -> Option<Self> {
        let scripts = own.is_some_and(|own| own.document.table(&["scripts"]).next().is_some());
        let has_project = sources.has(PROJECT);
        if scripts || !(has_project || own.is_some()) {
            return None;
        }
        let (workspace, document) = package::outer(sources)?;
        if !sources.has(&format!("{workspace}/nx.json")) {
            return None;
        }
        let project = if has_project {
            Settings {
                document: sources.document(PROJECT)?,
                below: None,
            }
        } else {
            Settings {
                document: sources.document("package.json")?,
                below: Some("nx"),
            }
        };
        let folder = sources.folder().rsplit('/').next().unwrap_or("");
        let named = project.text(&["name"]);
        let named = named.or_else(|| own.and_then(Package::name));
        let name = named.unwrap_or(folder).to_owned();
        let is_program = project.text(&["projectType"]) != Some("library")
            && !name.ends_with("-e2e")
            && is_plain(&name);
        is_program.then_some(Self {
            name,
            package: Package {
                file: format!("{workspace}/package.json"),
                document,
            },
            workspace,
            settings: project,
        })
    }

    /// Whether it is known what comes of it.
    pub fn is_built(&self, sources: &Sources<'_>) -> bool {
        let runner = Runner::of(sources, package::Manager::Npm);
        let (start, site) = self.started(sources, runner);
        start.is_some() || site.is_some()
    }

    /// How it is started, or the site that it is.
    pub fn started(&self, sources: &Sources<'_>, runner: Runner) -> (Option<Start>, Option<Site>) {
        let project = Project {
            settings: &self.settings,
            name: &self.name,
            folder: &package::folder_in(sources, &self.workspace),
            up: "",
        };
        project.started(sources, runner)
    }
}

/// What Nx builds of the project that it takes where none is named, or of the one that the workspace is.
pub(super) fn of_root(sources: &Sources<'_>, runner: Runner) -> (Option<Start>, Option<Site>) {
    let Some(nx) = sources.document("nx.json") else {
        return (None, None);
    };
    let named = nx.text(&["defaultProject"]).and_then(|name| {
        let folders = ["apps", "packages"].iter();
        let mut folders = folders.map(|folder| format!("{folder}/{name}"));
        let folder = folders.find(|folder| sources.has(&format!("{folder}/{PROJECT}")))?;
        Some((name.to_owned(), folder))
    });
    let (name, folder) = named.unwrap_or_default();
    let up = if folder.is_empty() {
        String::new()
    } else {
        format!("{folder}/")
    };
    let file = format!("{up}{PROJECT}");
    let Some(document) = sources
        .has(&file)
        .then(|| sources.document(&file))
        .flatten()
    else {
        return (None, None);
    };
    let settings = Settings {
        document,
        below: None,
    };
    let name = settings.text(&["name"]).unwrap_or(&name).to_owned();
    let project = Project {
        settings: &settings,
        name: &name,
        folder: &folder,
        up: &up,
    };
    if is_plain(&name) {
        project.started(sources, runner)
    } else {
        (None, None)
    }
}

/// Whether a workspace's applications lie in folders of it.
pub(super) fn is_root_of_several(sources: &Sources<'_>) -> bool {
    sources.has("nx.json")
        && !sources.has(PROJECT)
        && ["apps", "packages"]
            .iter()
            .any(|folder| sources.has_folder(folder))
}

/// Whether a name can stand in a command as it is.
fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && name
            .chars()
            .all(|one| one.is_ascii_alphanumeric() || "-_@/.".contains(one))
}

/// A project as its file tells of it.
struct Project<'p> {
    settings: &'p Settings,
    name: &'p str,
    /// In the workspace; empty for its root.
    folder: &'p str,
    /// The folder as who looks sees it.
    up: &'p str,
}

/// What a build leaves.
enum Kind {
    Program,
    Next,
    /// Pages, below this in the folder of what is built.
    Pages(&'static str),
}

impl Project<'_> {
    fn started(&self, sources: &Sources<'_>, runner: Runner) -> (Option<Start>, Option<Site>) {
        let executor = self.settings.text(&["targets", "build", "executor"]);
        let known = executor.and_then(|executor| self.kind(executor, sources));
        let Some(kind) = known.or_else(|| self.inferred(sources)) else {
            return (self.by_target(runner), None);
        };
        let (output, from) = self.output(executor.is_some(), sources);
        let note = format!("Nx builds {} there", self.name);
        let start = |command: String, entrypoint: Option<String>| Start {
            command,
            entrypoint,
            from: from.clone(),
            note: note.clone(),
            guessed: true,
            question: None,
            build: Some(vec![self.build(runner)]),
        };
        match kind {
            Kind::Program => {
                let main = self.settings.text(&["targets", "build", "options", "main"]);
                let stem = main
                    .and_then(|main| main.rsplit('/').next()?.rsplit_once('.'))
                    .map_or("main", |(stem, _)| stem);
                let below = match executor {
                    Some(executor) if executor.ends_with("js:tsc") => "src/",
                    _ => "",
                };
                let file = format!("{output}/{below}{stem}.js");
                (
                    Some(start(runner.file(&file), main.map(str::to_owned))),
                    None,
                )
            }
            Kind::Next => {
                // By itself it leaves it beside its sources.
                let output = if executor.is_some() {
                    output
                } else {
                    self.folder.to_owned()
                };
                let folder = crate::plan::shell_quoted(&output);
                (
                    Some(start(runner.tool(&format!("next start {folder}")), None)),
                    None,
                )
            }
            Kind::Pages(below) => (
                None,
                Some(Site {
                    kind: if below.is_empty() { "vite" } else { "angular" },
                    label: "Nx",
                    package: "nx",
                    output: format!("{output}{below}"),
                    fallback: Fallback::Page,
                    from: Some(from),
                    build: Some(self.build(runner)),
                }),
            ),
        }
    }

    fn build(&self, runner: Runner) -> String {
        let configuration = ["targets", "build", "configurations", "production"];
        let which = if self.settings.has(&configuration) {
            ":production"
        } else {
            ""
        };
        runner.tool(&format!("nx run {}:build{which}", self.name))
    }

    fn kind(&self, executor: &str, sources: &Sources<'_>) -> Option<Kind> {
        let option = |name: &str| {
            self.settings
                .text(&["targets", "build", "options", name])
                .map(str::to_owned)
        };
        let (package, _) = executor.split_once(':').unwrap_or((executor, ""));
        let tool = package.rsplit('/').next().unwrap_or(package);
        let page = || sources.has(&format!("{}index.html", self.up));
        Some(match tool {
            "next" => Kind::Next,
            "angular" | "build-angular" | "build" if executor.ends_with(":application") => {
                Kind::Pages("/browser")
            }
            "angular" | "build-angular" => Kind::Pages(""),
            "vite" | "web" if page() || option("index").is_some() => Kind::Pages(""),
            "webpack" | "rspack" if option("index").is_some() => Kind::Pages(""),
            "node" | "nest" | "express" | "webpack" | "rspack" | "esbuild" | "js" | "rollup" => {
                Kind::Program
            }
            _ => return None,
        })
    }

    /// What the tools' own files say where the project has no target for its build.
    fn inferred(&self, sources: &Sources<'_>) -> Option<Kind> {
        if self.settings.has(&["targets", "build"]) {
            return None;
        }
        let has = |name: &str| {
            let endings = ["js", "ts", "mjs", "mts"].iter();
            let mut files = endings.map(|ending| format!("{}{name}.{ending}", self.up));
            files.any(|file| sources.has(&file))
        };
        if has("next.config") {
            Some(Kind::Next)
        } else if has("vite.config") && sources.has(&format!("{}index.html", self.up)) {
            Some(Kind::Pages(""))
        } else {
            let webpack = format!("{}webpack.config.js", self.up);
            let text = sources
                .has(&webpack)
                .then(|| sources.text(&webpack))
                .flatten()?;
            text.contains("'node'").then_some(Kind::Program)
        }
    }

    /// The folder of what is built, and where that is said.
    fn output(&self, by_executor: bool, sources: &Sources<'_>) -> (String, String) {
        let keys = ["targets", "build", "options", "outputPath"];
        let said = self.settings.text(&keys).map(|said| {
            let said = said
                .replace("{workspaceRoot}/", "")
                .replace("{projectRoot}", self.folder)
                .replace("{projectName}", self.name);
            said.trim_start_matches("./")
                .trim_end_matches('/')
                .to_owned()
        });
        let stays = |output: &String| {
            !output.is_empty() && !output.starts_with('/') && !output.contains("..")
        };
        let below = |folder: &str| match self.folder {
            "" => folder.trim_end_matches('/').to_owned(),
            own => format!("{folder}{own}"),
        };
        let usual = || {
            if by_executor && self.folder.is_empty() {
                format!("dist/{}", self.name)
            } else {
                below("dist/")
            }
        };
        if said.is_none()
            && let Some(configured) = self.configured(sources)
        {
            return configured;
        }
        (
            said.filter(stays).unwrap_or_else(usual),
            self.settings.from(&keys),
        )
    }

    /// The folder that the settings of what Nx calls name, and where; they are seen from the project.
    fn configured(&self, sources: &Sources<'_>) -> Option<(String, String)> {
        let vite = format!("{}vite.config", self.up);
        let webpack = format!("{}webpack.config.js", self.up);
        let (folder, from) =
            site::configured(sources, &[vite.as_str()], "outDir").or_else(|| {
                let text = sources
                    .has(&webpack)
                    .then(|| sources.text(&webpack))
                    .flatten()?;
                let mut scan = Scan::behind(&text, "__dirname", &["//"]).next()?;
                let folder = scan.eat(",").then(|| scan.string(&['\'', '"'])).flatten()?;
                let folder = folder.trim_start_matches("./").trim_end_matches('/');
                let stays =
                    !folder.is_empty() && !folder.starts_with(['/', '.']) && !folder.contains("..");
                stays.then(|| (folder.to_owned(), format!("{webpack}:{}", scan.line())))
            })?;
        let inside = if self.folder.is_empty() {
            folder
        } else {
            format!("{}/{folder}", self.folder)
        };
        Some((inside, from))
    }

    /// A target that starts it, where what its build leaves is not known.
    fn by_target(&self, runner: Runner) -> Option<Start> {
        if !self.settings.has(&["targets", "start"]) {
            return None;
        }
        let builds = self.settings.has(&["targets", "build"]);
        Some(Start {
            command: runner.tool(&format!("nx run {}:start", self.name)),
            entrypoint: None,
            from: self.settings.from(&["targets", "start"]),
            note: format!("{} has a target that starts it", self.name),
            guessed: true,
            question: None,
            build: builds.then(|| vec![self.build(runner)]),
        })
    }
}
