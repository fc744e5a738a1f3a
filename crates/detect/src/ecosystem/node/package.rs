//! `package.json`, and who installs what it lists.

use super::scripts;
use crate::document::Document;
use crate::sources::Sources;

/// A `package.json`.
pub(super) struct Package {
    /// As the program's folder sees it.
    pub file: String,
    pub document: Document,
}

impl Package {
    pub fn read(sources: &Sources<'_>) -> Option<Self> {
        let file = "package.json".to_owned();
        let document = sources.document(&file)?;
        Some(Self { file, document })
    }

    /// That of another folder.
    pub fn at(sources: &Sources<'_>, folder: &str) -> Option<Self> {
        let file = format!("{folder}/package.json");
        let document = sources.has(&file).then(|| sources.document(&file))??;
        Some(Self { file, document })
    }

    pub fn name(&self) -> Option<&str> {
        self.document.text(&["name"])
    }

    pub fn script(&self, name: &str) -> Option<&str> {
        self.document.text(&["scripts", name])
    }

    pub fn production(&self, package: &str) -> bool {
        self.document.get(&["dependencies", package]).is_some()
    }

    pub fn depends_on(&self, package: &str) -> bool {
        self.production(package) || self.document.get(&["devDependencies", package]).is_some()
    }

    pub fn place_of(&self, package: &str) -> String {
        self.document.from(&["dependencies", package])
    }

    /// `4.18` of `^4.18.2`.
    pub fn version(&self, package: &str) -> Option<String> {
        let range = self.document.text(&["dependencies", package])?;
        let version = range.trim_start_matches(['^', '~', '=', 'v']);
        let numbers: Vec<_> = version.splitn(3, '.').take(2).collect();
        numbers
            .iter()
            .all(|number| number.parse::<u32>().is_ok())
            .then(|| numbers.join("."))
    }

    /// Dependencies of the running program, and where each is listed.
    pub fn places(&self) -> impl Iterator<Item = (&str, String)> {
        self.document
            .table(&["dependencies"])
            .map(|(name, _)| (name, self.place_of(name)))
    }

    /// Whether a program of the development dependencies has a part in starting.
    pub fn starts_with_development_tools(&self) -> bool {
        self.has_development_tools(&scripts::all(self, &["prestart", "start"]).join(" "))
    }

    /// Whether a command has words for programs of the development dependencies.
    pub fn has_development_tools(&self, command: &str) -> bool {
        let tools = [
            ("typescript", "tsc"),
            ("@nestjs/cli", "nest"),
            ("ts-node-dev", "tsnd"),
            ("@babel/node", "babel-node"),
            ("@sveltejs/kit", "svelte-kit"),
            ("@react-router/serve", "react-router-serve"),
            ("@remix-run/serve", "remix-serve"),
            ("vite", "vike"),
        ];
        command
            .split(|character: char| {
                !(character.is_ascii_alphanumeric() || "-_@/.".contains(character))
            })
            .any(|word| {
                let package = tools
                    .iter()
                    .find(|(_, program)| *program == word)
                    .map_or(word, |(package, _)| package);
                !word.is_empty() && self.document.get(&["devDependencies", package]).is_some()
            })
    }
}

/// Every manager's lock file.
const LOCK_FILES: [&str; 6] = [
    "pnpm-lock.yaml",
    "bun.lock",
    "bun.lockb",
    "yarn.lock",
    "package-lock.json",
    "npm-shrinkwrap.json",
];

/// Who installs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manager {
    Npm,
    Pnpm,
    Yarn,
    /// Yarn from its second version on.
    Berry,
    Bun,
}

impl Manager {
    /// As `packageManager` says, else as the nearest lock file does: a workspace has one for all its packages.
    pub fn of(sources: &Sources<'_>, package: &Package) -> Self {
        let named = named(sources, package);
        let lock = sources.nearest(&LOCK_FILES).unwrap_or_default();
        let lock_name = lock.rsplit('/').next().unwrap_or("");
        let engine = || {
            let engines = ["pnpm", "yarn", "bun"].into_iter();
            let mut named = engines.filter(|name| {
                let range = package.document.text(&["engines", name]);
                range.is_some_and(|range| range.contains(|one: char| one.is_ascii_digit()))
            });
            named.next()
        };
        let of_files = || match lock_name {
            "pnpm-lock.yaml" => "pnpm",
            "yarn.lock" => "yarn",
            "bun.lock" | "bun.lockb" => "bun",
            "" if sources.nearest(&["pnpm-workspace.yaml"]).is_some() => "pnpm",
            "" if sources.nearest(&[".yarnrc.yml"]).is_some() => "yarn",
            "" if sources.has("bunfig.toml") => "bun",
            "" if is_for_bun(package) => "bun",
            "" => engine().unwrap_or("npm"),
            _ => "npm",
        };
        let name = named.as_ref().map_or_else(of_files, |named| named.name);
        match name {
            "pnpm" => Self::Pnpm,
            "bun" => Self::Bun,
            "yarn" => {
                let newer = named
                    .map(|named| named.version)
                    .filter(|version| !version.is_empty())
                    .map(|version| !matches!(version.split('.').next(), Some("0" | "1")));
                let berry = newer.unwrap_or_else(|| {
                    sources.nearest(&[".yarnrc.yml"]).is_some()
                        || sources
                            .text(&lock)
                            .is_some_and(|text| text.contains("__metadata:"))
                });
                if berry { Self::Berry } else { Self::Yarn }
            }
            _ => Self::Npm,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Npm => "npm",
            Self::Pnpm => "pnpm",
            Self::Yarn | Self::Berry => "yarn",
            Self::Bun => "bun",
        }
    }

    pub fn lock_files(self) -> &'static [&'static str] {
        match self {
            Self::Npm => &["package-lock.json", "npm-shrinkwrap.json"],
            Self::Pnpm => &["pnpm-lock.yaml"],
            Self::Yarn | Self::Berry => &["yarn.lock"],
            Self::Bun => &["bun.lock", "bun.lockb"],
        }
    }
}

/// Whether a package without a lock file is written for Bun: it is started by it, or has its types.
fn is_for_bun(package: &Package) -> bool {
    let start = package.script("start").unwrap_or("");
    let last = scripts::commands(scripts::last(package, start)).last();
    let program = last.and_then(|command| {
        let mut words = command.split_whitespace();
        words.find(|word| !word.contains('='))
    });
    match program {
        Some(program) => program == "bun",
        None => ["@types/bun", "bun-types"]
            .iter()
            .any(|types| package.depends_on(types)),
    }
}

/// What `packageManager` says.
pub(super) struct Named {
    pub name: &'static str,
    /// Empty where none is said, or none that a shell line can hold as it is.
    pub version: String,
    pub from: String,
}

/// The manager that a package names, else the one that the root of its workspace does.
pub(super) fn named(sources: &Sources<'_>, package: &Package) -> Option<Named> {
    let of_root = || of_document(&outer(sources)?.1);
    of_document(&package.document).or_else(of_root)
}

fn of_document(document: &Document) -> Option<Named> {
    let tool: &[&str] = &["devEngines", "packageManager", "name"];
    let (name, version, keys) = if let Some(said) = document.text(&["packageManager"]) {
        let (name, version) = said.split_once('@').unwrap_or((said, ""));
        (name, version, ["packageManager"].as_slice())
    } else {
        let version = document.text(&["devEngines", "packageManager", "version"]);
        (document.text(tool)?, version.unwrap_or(""), tool)
    };
    let name = ["npm", "pnpm", "yarn", "bun"]
        .into_iter()
        .find(|known| *known == name.trim())?;
    // A checksum may follow.
    let version = version.split('+').next().unwrap_or("").trim();
    let plain = version.starts_with(|first: char| first.is_ascii_digit())
        && version
            .chars()
            .all(|one| one.is_ascii_alphanumeric() || ".-".contains(one));
    Some(Named {
        name,
        version: if plain {
            version.to_owned()
        } else {
            String::new()
        },
        from: document.from(keys),
    })
}

/// The outer package of a workspace: its folder, as the package sees it, and its `package.json`.
pub(super) fn outer(sources: &Sources<'_>) -> Option<(String, Document)> {
    let mut up = "..".to_owned();
    while sources.full(&up).is_some() {
        let file = format!("{up}/package.json");
        if sources.has(&file)
            && let Some(document) = sources.document(&file)
        {
            return Some((up, document));
        }
        up.push_str("/..");
    }
    None
}

/// Whether the package in a folder is the root of a workspace.
pub(super) fn is_workspace(sources: &Sources<'_>, folder: &str, document: &Document) -> bool {
    let of_pnpm = format!("{folder}pnpm-workspace.yaml");
    document.get(&["workspaces"]).is_some()
        || (sources.has(&of_pnpm)
            // It may as well hold nothing but settings.
            && sources
                .document(&of_pnpm)
                .is_none_or(|settings| settings.get(&["packages"]).is_some()))
}

/// The folder that a package has in a workspace: `apps/api` in `../..`.
pub(super) fn folder_in(sources: &Sources<'_>, workspace: &str) -> String {
    let levels = workspace.split('/').count();
    let mut folders: Vec<_> = sources.folder().rsplit('/').take(levels).collect();
    folders.reverse();
    folders.join("/")
}

/// The folder of the workspace that a package belongs to, as the package sees it: `../..`.
pub(super) fn workspace(sources: &Sources<'_>, manager: Manager) -> Option<String> {
    if sources.first_of(manager.lock_files()).is_some() {
        return None;
    }
    let locked = sources.nearest(manager.lock_files()).and_then(|lock| {
        let (folder, _) = lock.rsplit_once('/')?;
        let has_package = sources.has(&format!("{folder}/package.json"));
        has_package.then(|| folder.to_owned())
    });
    locked.or_else(|| {
        let (folder, root) = outer(sources)?;
        is_workspace(sources, &format!("{folder}/"), &root).then_some(folder)
    })
}
