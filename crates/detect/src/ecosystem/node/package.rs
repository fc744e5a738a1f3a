//! `package.json`, its lock file, and the commands that install and build.

use std::fmt;
use std::io::BufReader;

use serde::Deserialize;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use crate::analysis::Topic;
use crate::document::Document;
use crate::ecosystem::{LockState, Report, counted};
use crate::sources::Sources;

/// A `package.json`.
pub(super) struct Package {
    pub document: Document,
}

impl Package {
    pub fn read(sources: &Sources<'_>) -> Option<Self> {
        let document = sources.document("package.json")?;
        Some(Self { document })
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
    fn starts_with_development_tools(&self) -> bool {
        let start = ["prestart", "start"]
            .iter()
            .filter_map(|name| self.script(name))
            .collect::<Vec<_>>()
            .join(" ");
        let tools = [
            ("typescript", "tsc"),
            ("@nestjs/cli", "nest"),
            ("ts-node-dev", "tsnd"),
            ("@babel/node", "babel-node"),
        ];
        start
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
        let of_root = || {
            let marks = ["pnpm-workspace.yaml", "yarn.lock", "package-lock.json"];
            let mark = sources.nearest(&marks)?;
            let (folder, _) = mark.rsplit_once('/')?;
            let root = sources.document(&format!("{folder}/package.json"))?;
            root.text(&["packageManager"]).map(str::to_owned)
        };
        let own = package.document.text(&["packageManager"]);
        let named = own.map(str::to_owned).or_else(of_root).unwrap_or_default();
        let lock = sources.nearest(&LOCK_FILES).unwrap_or_default();
        let lock_name = lock.rsplit('/').next().unwrap_or("");
        let name = match named.split('@').next().unwrap_or("") {
            name @ ("npm" | "pnpm" | "yarn" | "bun") => name,
            _ => match lock_name {
                "pnpm-lock.yaml" => "pnpm",
                "yarn.lock" => "yarn",
                "bun.lock" | "bun.lockb" => "bun",
                _ => "npm",
            },
        };
        match name {
            "pnpm" => Self::Pnpm,
            "bun" => Self::Bun,
            "yarn" => {
                let newer = named
                    .strip_prefix("yarn@")
                    .map(|version| !version.starts_with("1.") && !version.starts_with("0."));
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

    fn lock_files(self) -> &'static [&'static str] {
        match self {
            Self::Npm => &["package-lock.json", "npm-shrinkwrap.json"],
            Self::Pnpm => &["pnpm-lock.yaml"],
            Self::Yarn | Self::Berry => &["yarn.lock"],
            Self::Bun => &["bun.lock", "bun.lockb"],
        }
    }
}

/// The folder of the workspace that a package belongs to, as the package sees it: `../..`.
pub(super) fn workspace(sources: &Sources<'_>, manager: Manager) -> Option<String> {
    if sources.first_of(manager.lock_files()).is_some() {
        return None;
    }
    let lock = sources.nearest(manager.lock_files())?;
    let (folder, _) = lock.rsplit_once('/')?;
    sources
        .has(&format!("{folder}/package.json"))
        .then(|| folder.to_owned())
}

/// What the lock file says of `package.json`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lock {
    Locked(&'static str),
    /// It was written for other dependencies; `npm ci` refuses it.
    Stale(&'static str),
    Missing,
}

impl Lock {
    pub fn read(sources: &Sources<'_>, manager: Manager, package: &Package) -> Self {
        let Some(file) = sources.first_of(manager.lock_files()) else {
            // A workspace's packages are all in its root's.
            return match sources.nearest(manager.lock_files()) {
                Some(_) => Self::Locked(manager.lock_files()[0]),
                None => Self::Missing,
            };
        };
        let agrees = manager != Manager::Npm
            || match sources
                .stream(file)
                .map(|stream| serde_json::from_reader(BufReader::new(stream)))
            {
                Some(Ok(LockFile { root: Some(root) })) => root.agrees_with(package),
                // Version 1 has no copy of the root; a file that cannot be read is told by npm itself.
                Some(Ok(LockFile { root: None })) | None => true,
                Some(Err(error)) => {
                    sources.problem(
                        format!("{file} cannot be read: {error}."),
                        format!("npm install writes {file} anew"),
                    );
                    false
                }
            };
        if agrees {
            Self::Locked(file)
        } else {
            Self::Stale(file)
        }
    }
}

/// The part of `package-lock.json` that repeats `package.json`; the rest may be of any size.
struct LockFile {
    root: Option<Root>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Root {
    dependencies: serde_json::Map<String, Value>,
    dev_dependencies: serde_json::Map<String, Value>,
    optional_dependencies: serde_json::Map<String, Value>,
}

impl Root {
    fn agrees_with(&self, package: &Package) -> bool {
        let fields = [
            ("dependencies", &self.dependencies),
            ("devDependencies", &self.dev_dependencies),
            ("optionalDependencies", &self.optional_dependencies),
        ];
        fields.iter().all(|(field, locked)| {
            let written: serde_json::Map<_, _> = package
                .document
                .table(&[field])
                .map(|(name, value)| (name.to_owned(), value.clone()))
                .collect();
            // npm moves what is optional out of `dependencies`.
            let optional = |name: &String| {
                *field == "dependencies" && self.optional_dependencies.contains_key(name)
            };
            written
                .iter()
                .all(|(name, range)| optional(name) || locked.get(name) == Some(range))
                && locked.keys().all(|name| written.contains_key(name))
        })
    }
}

impl<'de> Deserialize<'de> for LockFile {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(LockFileVisitor)
    }
}

struct LockFileVisitor;

impl<'de> Visitor<'de> for LockFileVisitor {
    type Value = LockFile;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a package-lock.json")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<LockFile, A::Error> {
        let mut root = None;
        while let Some(key) = map.next_key::<String>()? {
            if key == "packages" {
                root = map.next_value::<Packages>()?.0;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(LockFile { root })
    }
}

/// The entry named "" of the `packages` table.
struct Packages(Option<Root>);

impl<'de> Deserialize<'de> for Packages {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PackagesVisitor;
        impl<'de> Visitor<'de> for PackagesVisitor {
            type Value = Packages;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table of packages")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Packages, A::Error> {
                let mut root = None;
                while let Some(key) = map.next_key::<String>()? {
                    if key.is_empty() {
                        root = Some(map.next_value()?);
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(Packages(root))
            }
        }
        deserializer.deserialize_map(PackagesVisitor)
    }
}

/// Install and build, as a person would type them.
pub(super) fn build_commands(
    package: &Package,
    manager: Manager,
    lock: Lock,
    is_site: bool,
    workspace: Option<&str>,
) -> Vec<String> {
    let builds = package.script("build").is_some();
    let tools = package.starts_with_development_tools();
    let needs_all = builds || tools;
    // What was needed to build does not go on, where its manager can tell.
    let prunes = builds && !tools && !is_site && workspace.is_none() && manager == Manager::Npm;
    let locked = matches!(lock, Lock::Locked(_));
    let install = match (manager, locked) {
        (Manager::Npm, true) => "npm ci",
        (Manager::Npm, false) => "npm install",
        (Manager::Pnpm, true) => "pnpm install --frozen-lockfile",
        (Manager::Pnpm, false) => "pnpm install",
        (Manager::Yarn, true) => "yarn install --frozen-lockfile",
        (Manager::Yarn | Manager::Berry, false) => "yarn install",
        (Manager::Berry, true) => "yarn install --immutable",
        (Manager::Bun, true) => "bun install --frozen-lockfile",
        (Manager::Bun, false) => "bun install",
    };
    let only_production = match manager {
        _ if needs_all => "",
        Manager::Npm => " --omit=dev",
        Manager::Pnpm => " --prod",
        Manager::Yarn | Manager::Bun => " --production",
        // It has no such option.
        Manager::Berry => "",
    };
    // Bases bring npm alone, or Bun alone; a Yarn of the second version on is brought by the project or by Corepack.
    let brings_itself = matches!(manager, Manager::Npm | Manager::Bun);
    let manager_install = (!brings_itself).then(|| {
        if manager == Manager::Berry {
            return "corepack enable".to_owned();
        }
        let named = package
            .document
            .text(&["packageManager"])
            .filter(|named| {
                named
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || ".@+-".contains(c))
            })
            .unwrap_or(manager.name());
        format!(
            "npm install -g {}",
            named.split('+').next().unwrap_or(named)
        )
    });
    let build = builds.then(|| format!("{} run build", manager.name()));
    let prune = prunes.then(|| "npm prune --omit=dev".to_owned());
    manager_install
        .into_iter()
        .chain([match workspace {
            // A workspace's packages are installed together.
            Some(folder) => format!("cd {folder} && {install}"),
            None => format!("{install}{only_production}"),
        }])
        .chain(build)
        .chain(prune)
        .collect()
}

/// Says what installs what, and whether it will be the same next time.
pub(super) fn report(
    package: &Package,
    manager: Manager,
    lock: Lock,
    workspace: Option<&str>,
    commands: &[String],
    report: &mut Report,
) {
    let name = manager.name();
    let placed = |file: &str| match workspace {
        Some(folder) => format!("{folder}/{file}"),
        None => file.to_owned(),
    };
    let (locked, state) = match lock {
        Lock::Locked(file) => (Some(placed(file)), "locked"),
        Lock::Stale(file) => (Some(placed(file)), "stale"),
        Lock::Missing => (None, "missing"),
    };
    let locked = locked.as_deref();
    report.certain(
        Topic::PackageManager,
        name,
        locked.unwrap_or("package.json"),
    );
    let count = package.document.table(&["dependencies"]).count();
    let lock_file = locked.unwrap_or(manager.lock_files()[0]);
    report
        .certain(
            Topic::Dependencies,
            counted(count, "package"),
            package.document.from(&["dependencies"]),
        )
        .note(format!("{lock_file} is {state}"));
    for command in commands {
        let builds = command.ends_with("run build");
        let prunes = command.starts_with("npm prune");
        let from = if builds {
            package.document.from(&["scripts", "build"])
        } else {
            lock_file.to_owned()
        };
        let note = match package.script("build").filter(|_| builds) {
            Some(script) => format!("runs `{script}`"),
            None if prunes => "what was only needed to build does not go on".to_owned(),
            None => format!("{name} reads {}", locked.unwrap_or("package.json")),
        };
        let from = if !builds && locked.is_none() {
            "package.json".to_owned()
        } else {
            from
        };
        report
            .certain(Topic::BuildCommand, command, from)
            .note(note);
    }
    let (lock_state, lock_note) = match lock {
        Lock::Locked(file) => (LockState::Locked, format!("{file} pins every package")),
        Lock::Stale(file) => (
            LockState::Stale,
            format!("{file} was written for other dependencies"),
        ),
        Lock::Missing => (LockState::Missing, format!("there is no {lock_file}")),
    };
    report.lock(lock_state, lock_file, lock_note);
    let in_place = locked.unwrap_or("package.json");
    match lock {
        Lock::Locked(file) => {
            report
                .certain(Topic::Pinned, "yes", in_place)
                .note(format!("{file} pins every package"));
        }
        Lock::Stale(file) => {
            report
                .certain(Topic::Pinned, "no", file)
                .note(format!("{file} was written for other dependencies"));
            report.ask(
                format!("Which packages? package.json has changed since {file} was written."),
                format!("{name} install, and commit {file}"),
            );
        }
        Lock::Missing if count == 0 => {
            report
                .certain(Topic::Pinned, "yes", "package.json")
                .note("nothing is depended on");
        }
        Lock::Missing => {
            report
                .certain(Topic::Pinned, "no", "package.json")
                .note(format!("there is no {lock_file}"));
            report.ask(
                format!("Which versions? there is no {lock_file}."),
                format!("{name} install, and commit {lock_file}"),
            );
        }
    }
}
