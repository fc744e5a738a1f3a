//! `ergon.lock.json`: what a build's moving parts were pinned to.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use ergon_detect::dockerfile::{self, Dockerfile};
use ergon_detect::plan::ContainerPlan;
use ergon_detect::tree::FileTree;
use ergon_manifest::{Application, Digest};
use serde::{Deserialize, Serialize};

use crate::cache::write_atomically;
use crate::error::PackError;
use crate::own_file::read_own_file;
use crate::source::Source;

/// The lock's name, at the project's root.
pub const LOCK_FILE: &str = "ergon.lock.json";

/// What is pinned.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    /// Always `1`.
    pub lock_version: String,
    /// Image manifest digests, by platform and base reference.
    pub bases: BTreeMap<String, BTreeMap<String, Digest>>,
    /// Bases that were imported here: no registry knows their digests.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub imported: BTreeSet<String>,
    /// Digests of lock files, by application; null where there is none.
    pub applications: BTreeMap<String, Option<Digest>>,
}

/// One thing that `ergon lock` moved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LockChange {
    pub what: String,
    pub before: Option<Digest>,
    pub after: Option<Digest>,
}

impl Lock {
    /// The folder's lock; none where the folder has no such file.
    pub fn read(folder: &Path) -> Result<Option<Self>, PackError> {
        let path = folder.join(LOCK_FILE);
        let failed = |reason: String| PackError::Lock {
            path: path.clone(),
            reason,
        };
        let text = match read_own_file(folder, LOCK_FILE) {
            Ok(Some(text)) => text,
            Ok(None) => return Ok(None),
            Err(error) => return Err(failed(error.to_string())),
        };
        let lock: Self =
            serde_json::from_slice(&text).map_err(|error| failed(error.to_string()))?;
        if lock.lock_version == "1" {
            Ok(Some(lock))
        } else {
            Err(failed(format!(
                "lock_version is {:?}; this Ergon knows \"1\"",
                lock.lock_version
            )))
        }
    }

    pub fn write(&self, folder: &Path) -> Result<(), PackError> {
        let path = folder.join(LOCK_FILE);
        let mut text = serde_json::to_vec_pretty(self).unwrap_or_default();
        text.push(b'\n');
        write_atomically(&path, &text).map_err(|error| PackError::Lock {
            path,
            reason: error.to_string(),
        })
    }

    /// The digest that `reference` is pinned to.
    pub fn base(&self, platform: &str, reference: &str) -> Option<Digest> {
        self.bases.get(platform)?.get(reference).copied()
    }

    /// The digest that a registry gives `reference` for; none where the lock holds it for several platforms,
    /// of which a Dockerfile can name but one.
    fn published(&self, reference: &str) -> Option<Digest> {
        let mut digests = self.bases.values().filter_map(|bases| bases.get(reference));
        let digest = digests.next().copied();
        digest.filter(|_| digests.next().is_none() && !self.imported.contains(reference))
    }

    /// What differs from `before`, in a stable order.
    pub fn changes_since(&self, before: &Self) -> Vec<LockChange> {
        let bases = |lock: &Self| -> BTreeMap<String, Digest> {
            lock.bases
                .iter()
                .flat_map(|(platform, bases)| {
                    bases
                        .iter()
                        .map(move |(name, digest)| (format!("{name} ({platform})"), *digest))
                })
                .collect()
        };
        let applications = |lock: &Self| -> BTreeMap<String, Digest> {
            lock.applications
                .iter()
                .filter_map(|(name, digest)| Some((format!("dependencies of {name}"), (*digest)?)))
                .collect()
        };
        [
            (bases(before), bases(self)),
            (applications(before), applications(self)),
        ]
        .into_iter()
        .flat_map(|(before, after)| {
            let names: BTreeSet<_> = before.keys().chain(after.keys()).cloned().collect();
            names.into_iter().filter_map(move |what| {
                let (before, after) = (before.get(&what).copied(), after.get(&what).copied());
                (before != after).then_some(LockChange {
                    what,
                    before,
                    after,
                })
            })
        })
        .collect()
    }
}

/// A plan's Dockerfile: a base is named by its tag, and by its digest once that is locked.
pub fn write_dockerfile(plan: &ContainerPlan, lock: Option<&Lock>) -> Dockerfile {
    let mut plan = plan.clone();
    for stage in &mut plan.stages {
        let digest = lock.and_then(|lock| lock.published(&stage.base));
        if let Some(digest) = digest.filter(|_| !stage.base.contains('@')) {
            stage.base = format!("{}@{digest}", stage.base);
        }
    }
    dockerfile::render(&plan)
}

/// How far an application's dependencies are decided by files in the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dependencies {
    /// This file decides every version.
    Locked { file: String },
    /// They may move; why, and how to stop them.
    Floating { reason: String },
    /// It fetches nothing.
    None,
}

/// Lock files by name, best first.
const LOCK_FILES: [&str; 13] = [
    "package-lock.json",
    "npm-shrinkwrap.json",
    "pnpm-lock.yaml",
    "yarn.lock",
    "bun.lock",
    "poetry.lock",
    "uv.lock",
    "pdm.lock",
    "Pipfile.lock",
    "Cargo.lock",
    "go.sum",
    "Gemfile.lock",
    "composer.lock",
];

/// Reads how an application's dependencies are locked.
pub fn dependencies(application: &Application, tree: &dyn FileTree) -> Dependencies {
    if application.build_commands.is_empty() {
        return Dependencies::None;
    }
    let root = application
        .path
        .as_deref()
        .unwrap_or("")
        .trim_start_matches("./")
        .trim_end_matches('/');
    let within = |name: &str| {
        if root.is_empty() || root == "." {
            name.to_owned()
        } else {
            format!("{root}/{name}")
        }
    };
    if let Some(file) = LOCK_FILES
        .iter()
        .map(|name| within(name))
        .find(|path| tree.entries().contains_key(path))
    {
        return Dependencies::Locked { file };
    }
    let Some(listed) = &application.dependencies else {
        return Dependencies::None;
    };
    let file = within(listed);
    let Ok(content) = tree.read(&file) else {
        return Dependencies::Floating {
            reason: format!("{file} is not there"),
        };
    };
    let text = String::from_utf8_lossy(&content);
    if file.ends_with(".txt") || file.ends_with(".in") {
        return match text.lines().enumerate().find(|(_, line)| floats(line)) {
            None => Dependencies::Locked { file },
            Some((index, line)) => Dependencies::Floating {
                reason: format!(
                    "{file}:{}: `{}` floats; write the version with ==",
                    index + 1,
                    line.trim()
                ),
            },
        };
    }
    if file.ends_with("go.mod") && !text.contains("require") {
        return Dependencies::None;
    }
    Dependencies::Floating {
        reason: format!(
            "{file} has no lock file beside it; let the package manager write one and commit it"
        ),
    }
}

/// Whether a requirements line leaves the version open.
fn floats(line: &str) -> bool {
    let line = line.split(" #").next().unwrap_or("").trim();
    let continues_hashes = line.starts_with("--hash");
    if line.is_empty() || line.starts_with('#') || continues_hashes {
        return false;
    }
    if let Some(option) = line.strip_prefix('-') {
        // Other files and folders decide versions that this file does not show.
        return ["r ", "c ", "e ", "-requirement", "-constraint", "-editable"]
            .iter()
            .any(|name| option.starts_with(name));
    }
    !line.contains("==") || line.contains("==*") || line.contains(".*")
}

/// The digests of lock files that enter the build hash, and why the build is not pinned.
pub fn lock_states(
    applications: &BTreeMap<String, Application>,
    tree: &dyn FileTree,
    source: &Source,
) -> (BTreeMap<String, Option<Digest>>, Vec<String>) {
    let mut locks = BTreeMap::new();
    let mut floating = Vec::new();
    for (name, application) in applications {
        let digest = match dependencies(application, tree) {
            Dependencies::Locked { file } if source.files().contains_key(&file) => {
                tree.read(&file).ok().map(|content| Digest::of(&content))
            }
            Dependencies::Locked { .. } | Dependencies::None => None,
            Dependencies::Floating { reason } => {
                floating.push(reason);
                None
            }
        };
        locks.insert(name.clone(), digest);
    }
    (locks, floating)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_requirement_floats_unless_its_version_is_written() {
        for line in [
            "fastapi==0.115.0",
            "# note",
            "",
            "uvicorn[standard]==0.30.1 # web",
            "--hash=sha256:00",
            "--no-binary :all:",
        ] {
            assert!(!floats(line), "{line}");
        }
        for line in [
            "fastapi",
            "fastapi>=0.1",
            "fastapi==0.*",
            "-r other.txt",
            "-e .",
            "./local",
        ] {
            assert!(floats(line), "{line}");
        }
    }

    #[test]
    fn a_lock_shows_what_moved() {
        let before = Lock {
            imported: BTreeSet::new(),
            lock_version: "1".to_owned(),
            bases: BTreeMap::from([(
                "linux/amd64".to_owned(),
                BTreeMap::from([("a:1".to_owned(), Digest::of(b"1"))]),
            )]),
            applications: BTreeMap::from([("web".to_owned(), None)]),
        };
        let mut after = before.clone();
        assert_eq!(after.changes_since(&before), []);
        after
            .applications
            .insert("web".to_owned(), Some(Digest::of(b"lock")));
        after.bases.clear();
        let changed: Vec<_> = after
            .changes_since(&before)
            .into_iter()
            .map(|change| change.what)
            .collect();
        assert_eq!(changed, ["a:1 (linux/amd64)", "dependencies of web"]);
    }
}
