//! What a lock file says of `package.json`.

mod text;
mod whole;

use std::fmt;
use std::io::BufReader;

use serde::Deserialize;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use super::package::{Manager, Package};
use crate::sources::{Sources, is_blank};

/// What the lock file says of `package.json`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lock {
    Locked(&'static str),
    /// It was written for other dependencies; `npm ci` refuses it.
    Stale(&'static str),
    /// Nobody can read it, its own manager neither.
    Broken(&'static str),
    Missing,
}

impl Lock {
    pub fn read(sources: &Sources<'_>, manager: Manager, package: &Package) -> Self {
        let Some(file) = sources.first_of(manager.lock_files()) else {
            // A workspace's packages are all in its root's.
            let usual = manager.lock_files()[0];
            return match sources.nearest(manager.lock_files()) {
                Some(file) if is_broken(sources, manager, &file) => Self::Broken(usual),
                Some(_) => Self::Locked(usual),
                None => Self::Missing,
            };
        };
        // Where nothing is depended on, Yarn has nothing to write there.
        let needs_nothing = matches!(manager, Manager::Yarn | Manager::Berry)
            && !package.depends_on_any()
            && sources.text(file).is_some_and(|text| is_blank(&text));
        if !needs_nothing && is_broken(sources, manager, file) {
            return Self::Broken(file);
        }
        let agrees = match manager {
            Manager::Npm => match npm_agrees(sources, file, package) {
                Some(agrees) => agrees,
                None => return Self::Broken(file),
            },
            Manager::Pnpm => text::pnpm_agrees(sources, file, package),
            Manager::Yarn | Manager::Berry => text::yarn_agrees(sources, file, package),
            Manager::Bun => text::bun_agrees(sources, file, package),
        };
        if agrees {
            Self::Locked(file)
        } else {
            Self::Stale(file)
        }
    }
}

/// Whether a lock file cannot be read, which is told.
fn is_broken(sources: &Sources<'_>, manager: Manager, file: &str) -> bool {
    let why = match manager {
        // It is read whole, and told where that fails.
        Manager::Npm => None,
        _ => whole::unreadable(sources, file),
    };
    let Some(why) = why else {
        return false;
    };
    let name = manager.name();
    let shown = sources.full(file).unwrap_or_else(|| file.to_owned());
    sources.problem(
        format!("{shown} cannot be read: {why}."),
        format!(
            "take {shown} from an older commit, or delete it, run {name} install and commit it"
        ),
    );
    true
}

/// `package-lock.json`; none where it cannot be read, which is told.
fn npm_agrees(sources: &Sources<'_>, file: &str, package: &Package) -> Option<bool> {
    let read = sources
        .stream(file)
        .map(|stream| serde_json::from_reader(BufReader::new(stream)));
    match read {
        Some(Ok(LockFile {
            root: Some(root), ..
        })) => Some(root.agrees_with(package)),
        Some(Ok(LockFile { is_empty: true, .. })) => {
            sources.problem(
                format!("{file} cannot be read: nothing stands in it."),
                format!("npm install writes {file} anew"),
            );
            None
        }
        // Version 1 has no copy of the root; a file that cannot be read is told by npm itself.
        Some(Ok(LockFile { root: None, .. })) | None => Some(true),
        Some(Err(error)) => {
            sources.problem(
                format!("{file} cannot be read: {error}."),
                format!("npm install writes {file} anew"),
            );
            None
        }
    }
}

/// The part of `package-lock.json` that repeats `package.json`; the rest may be of any size.
struct LockFile {
    root: Option<Root>,
    is_empty: bool,
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
        let mut is_empty = true;
        while let Some(key) = map.next_key::<String>()? {
            is_empty = false;
            if key == "packages" {
                root = map.next_value::<Packages>()?.0;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(LockFile { root, is_empty })
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
