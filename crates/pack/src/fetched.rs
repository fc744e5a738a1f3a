//! What was fetched for a step: which packages, who vouches for them, and where they are kept.

mod named;
mod sort;

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use ergon_detect::plan::Manager;
use ergon_manifest::Digest;
use serde::{Deserialize, Serialize};

use crate::cache::{Cache, write_atomically};
use crate::scratch_folder::ScratchFolder;

pub use named::Named;
pub use sort::sort;

/// How a step got what it needs from elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "lowercase")]
pub enum Supply {
    /// It was fetched before, and the step had no network.
    Fetched(Fetched),
    /// The step itself had the network.
    Network {
        command: String,
        /// Why; absent: how its package manager fetches is not known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        because: Option<String>,
    },
}

/// What was fetched for a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fetched {
    /// The step's command.
    pub command: String,
    /// The package managers that fetched.
    pub managers: Vec<String>,
    /// The lock files that name digests of packages; empty: there are none, or they name no digests.
    pub locks: Vec<String>,
    /// The packages, by path; none where a manager unpacks what it fetches and checks it itself.
    pub packages: Vec<FetchedPackage>,
    /// Packages that were fetched and left out: the locks name digests, and not theirs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
    /// Bytes of everything that was fetched.
    pub bytes: u64,
}

/// One package, as it was fetched.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FetchedPackage {
    /// `pip/fastapi-0.115.0-py3-none-any.whl`.
    pub path: String,
    /// SHA-256.
    pub digest: Digest,
    /// A lock file of the project names it.
    pub named: bool,
}

impl Supply {
    /// Why a build that needed this is not pinned, with what to do.
    pub fn floats(&self) -> Option<String> {
        match self {
            Self::Network {
                command,
                because: Some(because),
            } => Some(format!(
                "`{command}` was carried out with the network, and what it got there is not pinned: {because}"
            )),
            Self::Network { .. } => None,
            Self::Fetched(fetched) => {
                let tools: Vec<_> = fetched
                    .packages
                    .iter()
                    .filter_map(|package| package.path.strip_prefix(sort::BUILD_TOOLS))
                    .collect();
                let command = &fetched.command;
                (!tools.is_empty()).then(|| format!(
                    "`{command}` builds a package with {}, which nothing pins; take a version that has a wheel",
                    tools.join(", ")
                ))
            }
        }
    }
}

impl Fetched {
    /// A line for people: how much, and who vouches for it.
    pub fn summary(&self) -> String {
        let size = format!("{:.1} MB", self.bytes as f64 / 1e6);
        let (all, named) = (
            self.packages.len(),
            self.packages.iter().filter(|package| package.named).count(),
        );
        let packages = |count: usize| {
            if count == 1 {
                "1 package".to_owned()
            } else {
                format!("{count} packages")
            }
        };
        let managers = self.managers.join(" and ");
        match (all, self.bytes, self.locks.as_slice()) {
            (0, 0, _) => return "nothing to fetch".to_owned(),
            (0, _, []) => return format!("{size}, unpacked by {managers}"),
            (0, _, locks) => {
                return format!(
                    "{size}, checked by {managers} against {}",
                    locks.join(" and ")
                );
            }
            _ => {}
        }
        let checked = match (named, self.locks.as_slice()) {
            (0, _) => "no lock names their digests".to_owned(),
            (named, locks) if named == all => format!("each as {} names it", locks.join(" and ")),
            (named, locks) => format!("{named} as {} names them", locks.join(" and ")),
        };
        format!("{}, {size}; {checked}", packages(all))
    }
}

/// Something that was fetched, in the cache.
#[derive(Clone, Debug)]
pub struct Held {
    /// The folder that a step sees.
    pub files: PathBuf,
    pub fetched: Fetched,
}

/// Where the cache keeps what was fetched.
const FOLDER: &str = "fetched";
/// Below a key: what was fetched, and what is said of it.
const FILES: &str = "files";
const RECORD: &str = "record.json";

/// What was fetched under this key, if it is there.
pub fn held(cache: &Cache, key: &Digest) -> Option<Held> {
    let place = cache.root().join(FOLDER).join(key.hex());
    let record = fs::read(place.join(RECORD)).ok()?;
    ergon_oci::touch(&place);
    Some(Held {
        files: place.join(FILES),
        fetched: serde_json::from_slice(&record).ok()?,
    })
}

/// Where something is fetched to before it is looked through and kept.
pub struct Fetching {
    folder: ScratchFolder,
}

impl Fetching {
    /// An empty folder on the cache's disk.
    pub fn begin(cache: &Cache) -> Result<Self, (PathBuf, io::Error)> {
        let folder = ScratchFolder::new(&cache.root().join("running"))?;
        let fetching = Self { folder };
        let path = &fetching.folder.path;
        // What runs as root in a sandbox writes there, and nobody else of this machine is to start it.
        fs::set_permissions(path, fs::Permissions::from_mode(0o700))
            .map_err(|error| (path.clone(), error))?;
        let files = fetching.files();
        fs::create_dir(&files).map_err(|error| (files, error))?;
        Ok(fetching)
    }

    pub fn files(&self) -> PathBuf {
        self.folder.path.join(FILES)
    }

    /// Keeps it under this key. Whoever was faster has the same.
    pub fn keep(self, cache: &Cache, key: &Digest, fetched: Fetched) -> io::Result<Held> {
        let record = serde_json::to_vec(&fetched)?;
        write_atomically(&self.folder.path.join(RECORD), &record)?;
        let parent = cache.root().join(FOLDER);
        fs::create_dir_all(&parent)?;
        let place = parent.join(key.hex());
        // A name promises all that is below it, also after the power failed.
        rustix::fs::syncfs(fs::File::open(&self.folder.path)?)?;
        match fs::rename(&self.folder.path, &place) {
            Err(error) if !place.join(RECORD).is_file() => return Err(error),
            _ => {}
        }
        Ok(Held {
            files: place.join(FILES),
            fetched,
        })
    }
}

/// The managers' names.
pub fn names(managers: &[Manager]) -> Vec<String> {
    managers
        .iter()
        .map(|manager| manager.name().to_owned())
        .collect()
}

/// So much of a line that a step wrote is repeated.
pub const MOST_QUOTED: usize = 120;

/// Whether the last lines of a step that had no network say that it wanted one.
pub fn wanted_network(tail: &[String]) -> Option<String> {
    const SIGNS: [&str; 19] = [
        "enotfound",
        "eai_again",
        "trying to fetch",
        "enotcached",
        "econnrefused",
        "getaddrinfo",
        "temporary failure",
        "name resolution",
        "could not resolve",
        "couldn't resolve",
        "unable to resolve",
        "network is unreachable",
        "no matching distribution",
        "could not find a version",
        "connection refused",
        "no such host",
        "offline",
        "unknownhost",
        "failed to fetch",
    ];
    let line = tail.iter().rev().find(|line| {
        let line = line.to_lowercase();
        SIGNS.iter().any(|sign| line.contains(sign))
    })?;
    Some(line.trim().chars().take(MOST_QUOTED).collect())
}

/// Copies what was fetched for an earlier state of a project, so that only what is new is fetched again; without
/// what no lock vouches for.
pub fn seed(from: &Path, to: &Path) -> io::Result<()> {
    for manager in ["pip", "npm", "go", "cargo"] {
        if from.join(manager).is_dir() {
            fs::create_dir(to.join(manager))?;
            copy_files(&from.join(manager), &to.join(manager))?;
        }
    }
    Ok(())
}

fn copy_files(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        let kind = entry.file_type()?;
        if kind.is_dir() {
            fs::create_dir(&target)?;
            copy_files(&entry.path(), &target)?;
        } else if kind.is_file() {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fetched(packages: &[(&str, bool)]) -> Fetched {
        Fetched {
            command: "pip install -r requirements.txt".to_owned(),
            managers: vec!["pip".to_owned()],
            locks: vec!["requirements.txt".to_owned()],
            packages: packages
                .iter()
                .map(|(path, named)| FetchedPackage {
                    path: (*path).to_owned(),
                    digest: Digest::of(path.as_bytes()),
                    named: *named,
                })
                .collect(),
            left_out: Vec::new(),
            bytes: 1_500_000,
        }
    }

    #[test]
    fn a_summary_says_who_vouches() {
        let all = fetched(&[("pip/a.whl", true), ("pip/b.whl", true)]);
        assert_eq!(
            all.summary(),
            "2 packages, 1.5 MB; each as requirements.txt names it"
        );
        let some = fetched(&[("pip/a.whl", true), ("pip-build/b.whl", false)]);
        assert_eq!(
            some.summary(),
            "2 packages, 1.5 MB; 1 as requirements.txt names them"
        );
        let none = fetched(&[("pip/a.whl", false)]);
        assert_eq!(
            none.summary(),
            "1 package, 1.5 MB; no lock names their digests"
        );
        assert_eq!(
            fetched(&[]).summary(),
            "1.5 MB, checked by pip against requirements.txt"
        );
    }

    #[test]
    fn what_nothing_pins_is_said() {
        let tools = fetched(&[
            ("pip/a.tar.gz", true),
            ("pip-build/setuptools-80.whl", false),
        ]);
        let reason = Supply::Fetched(tools).floats().unwrap();
        assert!(
            reason.contains("with setuptools-80.whl, which nothing pins"),
            "{reason}"
        );
        assert_eq!(
            Supply::Fetched(fetched(&[("pip/a.whl", false)])).floats(),
            None
        );
    }

    #[test]
    fn a_step_that_wanted_a_network_is_told_from_one_that_failed() {
        let lines = |lines: &[&str]| {
            lines
                .iter()
                .map(|&line| line.to_owned())
                .collect::<Vec<_>>()
        };
        let told = wanted_network(&lines(&["npm ERR! code EAI_AGAIN", "npm ERR! see the log"]));
        assert_eq!(told.as_deref(), Some("npm ERR! code EAI_AGAIN"));
        assert_eq!(wanted_network(&lines(&["error: expected `;`"])), None);
    }
}
