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

    /// Whether anything has to be installed for it at all.
    pub fn depends_on_any(&self) -> bool {
        let fields = ["dependencies", "devDependencies", "optionalDependencies"];
        fields
            .iter()
            .any(|field| self.document.table(&[field]).next().is_some())
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
            ["pnpm", "yarn", "bun", "npm"].into_iter().find(|name| {
                let range = wanted_version(sources, package, name);
                range.is_some_and(|range| range.contains(|one: char| one.is_ascii_digit()))
            })
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
                    .or_else(|| Some(least("yarn", &wanted_version(sources, package, "yarn")?)))
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
    /// As exact as it is said; empty where none is said, or none that a shell line can hold as it is.
    pub version: String,
    /// As it stands there, without a checksum.
    pub said: String,
    pub from: String,
}

/// The manager that a package names, else the one that the root of its workspace does.
pub(super) fn named(sources: &Sources<'_>, package: &Package) -> Option<Named> {
    let of_root = || of_document(&outer(sources)?.1);
    of_document(&package.document).or_else(of_root)
}

fn of_document(document: &Document) -> Option<Named> {
    if let Some(said) = document.text(&["packageManager"]) {
        let (name, version) = said.split_once('@').unwrap_or((said, ""));
        return Named::of(name, version, document.from(&["packageManager"]));
    }
    development_engines(document, "packageManager").find_map(|keys| {
        let text = |key| document.text(&[keys.as_slice(), &[key]].concat());
        let from = document.from(&[keys.as_slice(), &["name"]].concat());
        Named::of(text("name")?, text("version").unwrap_or(""), from)
    })
}

impl Named {
    fn of(name: &str, version: &str, from: String) -> Option<Self> {
        let name = ["npm", "pnpm", "yarn", "bun"]
            .into_iter()
            .find(|known| *known == name.trim())?;
        // A checksum may follow.
        let said = version.split('+').next().unwrap_or("").trim();
        Some(Self {
            name,
            version: least(name, said),
            said: said.to_owned(),
            from,
        })
    }
}

/// Where `devEngines` says something of one kind: it is one of them, or a list.
pub(super) fn development_engines<'k>(
    document: &Document,
    kind: &'k str,
) -> impl Iterator<Item = Vec<&'k str>> {
    const PLACES: [&str; 4] = ["0", "1", "2", "3"];
    let value = document.get(&["devEngines", kind]);
    let listed = value.and_then(|value| value.as_array()).map(Vec::len);
    let count = listed.unwrap_or_default().min(PLACES.len());
    let alone = value.filter(|value| value.is_object());
    let places = PLACES[..count]
        .iter()
        .map(move |at| vec!["devEngines", kind, at]);
    alone
        .map(|_| vec!["devEngines", kind])
        .into_iter()
        .chain(places)
}

/// The version of a manager that a package, or else its workspace's root, asks for without naming it as its own.
pub(super) fn wanted_version(
    sources: &Sources<'_>,
    package: &Package,
    manager: &str,
) -> Option<String> {
    let of = |document: &Document| {
        let pinned = document.text(&["volta", manager]);
        let said = pinned.or_else(|| document.text(&["engines", manager]))?;
        Some(said.to_owned())
    };
    of(&package.document).or_else(|| of(&outer(sources)?.1))
}

/// The least version that a range allows, as exact as it says that: `9` of `^9.1.0`, `9.1` of `~9.1.2`.
pub(super) fn least(name: &str, range: &str) -> String {
    match range {
        "berry" | "stable" | "canary" if name == "yarn" => return "4".to_owned(),
        "classic" if name == "yarn" => return "1".to_owned(),
        _ => {}
    }
    let first = range.split("||").next().unwrap_or("").trim();
    let version = first.trim_start_matches(['^', '~', '>', '=', 'v', ' ']);
    let operator = &first[..first.len() - version.len()];
    let version = version.split([' ', ',']).next().unwrap_or("");
    let numbers: Vec<_> = version
        .split('.')
        .take_while(|part| !part.is_empty() && part.bytes().all(|digit| digit.is_ascii_digit()))
        .collect();
    let open = version
        .split('.')
        .any(|part| matches!(part, "x" | "X" | "*"));
    let said = match operator.trim().trim_matches(['v', '=']) {
        _ if open => numbers.len(),
        "" if !operator.contains('>') => usize::MAX,
        "~" => 2,
        _ => 1,
    };
    if said == usize::MAX {
        let plain = version.starts_with(|first: char| first.is_ascii_digit())
            && version
                .chars()
                .all(|one| one.is_ascii_alphanumeric() || ".-".contains(one));
        return if plain {
            version.to_owned()
        } else {
            String::new()
        };
    }
    numbers[..numbers.len().min(said)].join(".")
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
