//! What earlier builds left behind: blobs, captured layers, finished builds.
//!
//! Everything is keyed by content and written by rename, so two builds at once share it and a
//! crash leaves either the old or the new. An entry that cannot be read is a miss.

mod check;
mod inventory;
mod lock;
mod prune;
mod remove;

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ergon_manifest::Digest;
use ergon_oci::bases::Bases;
use ergon_oci::distribution::Mirror;
use ergon_oci::{Blobs, Layer, Referrers, read_whole, touch};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::fetched::Supply;
use crate::hash::BuildHash;
use crate::record::BuildRecord;

pub use check::Damaged;
pub use inventory::{Entry, HeldBlob, Inventory, Kind, Leftover};
pub use lock::{Alone, process_name};
pub use prune::{Rule, Selection, select};

/// Nothing that is remembered is larger, in bytes: what is in all packages of an image.
const LARGEST: u64 = 128 << 20;

/// The folder that all builds of this user share.
#[derive(Clone, Debug)]
pub struct Cache {
    root: PathBuf,
    blobs: Blobs,
    /// Nothing is removed while this is open.
    _in_use: Option<Arc<File>>,
    /// Through which what is missing is pulled.
    mirrors: Arc<[Mirror]>,
}

/// The cache cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot use the cache at {}: {error}", path.display())]
pub struct CacheError {
    path: PathBuf,
    error: std::io::Error,
}

impl CacheError {
    /// What a person can do.
    pub fn remedy(&self) -> String {
        match self.error.kind() {
            std::io::ErrorKind::StorageFull => {
                format!(
                    "free some space on the disk of {}, or point XDG_CACHE_HOME elsewhere",
                    self.path.display()
                )
            }
            _ => "make it writable, or point XDG_CACHE_HOME elsewhere".to_owned(),
        }
    }
}

impl Cache {
    /// `$XDG_CACHE_HOME/ergon`, else `~/.cache/ergon`.
    pub fn default_root() -> PathBuf {
        let home =
            || std::env::var_os("HOME").map_or_else(|| PathBuf::from("/root"), PathBuf::from);
        std::env::var_os("XDG_CACHE_HOME")
            .filter(|value| !value.is_empty())
            .map_or_else(|| home().join(".cache"), PathBuf::from)
            .join("ergon")
    }

    /// Opens the cache at `root`, and makes it where there is none.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self, CacheError> {
        let root = root.into();
        for folder in [
            "blobs",
            "bases",
            "steps",
            "builds",
            "inventories",
            "latest",
            "fetched",
            "referrers",
        ] {
            let path = root.join(folder);
            std::fs::create_dir_all(&path).map_err(|error| CacheError { path, error })?;
        }
        let path = root.join("blobs");
        let blobs = Blobs::open(&path).map_err(|error| CacheError {
            path,
            error: std::io::Error::other(error),
        })?;
        Ok(Self {
            root,
            blobs,
            _in_use: None,
            mirrors: Arc::default(),
        })
    }

    /// The same cache, for which what is missing is pulled through mirrors, where there are some of its registry.
    #[must_use]
    pub fn through(self, mirrors: Vec<Mirror>) -> Self {
        Self {
            mirrors: mirrors.into(),
            ..self
        }
    }

    /// The mirror of a registry.
    pub(crate) fn mirror_of(&self, registry: &str) -> Option<&Mirror> {
        let mut mirrors = self.mirrors.iter();
        mirrors.find(|mirror| mirror.registry == registry)
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    pub fn blobs(&self) -> &Blobs {
        &self.blobs
    }

    /// The base images that are held.
    pub fn bases(&self) -> Bases {
        Bases::new(self.root.join("bases"), self.blobs.clone())
    }

    /// What is attached to the images that are held.
    pub fn referrers(&self) -> Referrers {
        Referrers::new(self.root.join("referrers"), self.blobs.clone())
    }

    /// Something small that is kept under a key.
    pub(crate) fn kept<T: DeserializeOwned>(&self, folder: &str, key: &Digest) -> Option<T> {
        let path = self.kept_path(folder, key);
        read(&path).inspect(|_| touch(&path))
    }

    pub(crate) fn keep(
        &self,
        folder: &str,
        key: &Digest,
        value: &impl Serialize,
    ) -> Result<(), CacheError> {
        write(&self.kept_path(folder, key), value)
    }

    fn kept_path(&self, folder: &str, key: &Digest) -> PathBuf {
        self.root.join(folder).join(format!("{}.json", key.hex()))
    }

    /// The layer that a step with this key left, if its blob is still there, and not cut short.
    pub fn step(&self, key: &Digest) -> Option<Layer> {
        let path = self.step_path(key);
        let layer: Layer = read(&path)?;
        self.blobs
            .holds(&layer.digest, layer.size)
            .then_some(layer)
            .inspect(|_| touch(&path))
    }

    /// Remembers what a step left, and how it got what it needed from elsewhere: in one record, so that nobody finds
    /// the one without the other.
    pub fn remember_step(
        &self,
        key: &Digest,
        layer: &Layer,
        supply: Option<&Supply>,
    ) -> Result<(), CacheError> {
        write(&self.step_path(key), &StepRecord { layer, supply })
    }

    /// How the step with this key got what it needs from elsewhere.
    pub fn supply(&self, key: &Digest) -> Option<Supply> {
        read::<Supplied>(&self.step_path(key))?.supply
    }

    /// The finished build with this hash, if all its images are still there.
    pub fn build(&self, build_hash: &BuildHash) -> Option<BuildRecord> {
        let path = self.build_path(build_hash);
        let record: BuildRecord = read(&path)?;
        let whole = record.images.iter().all(|image| {
            ergon_oci::Image::load(&self.blobs, &image.digest)
                .is_ok_and(|loaded| loaded.is_whole(&self.blobs))
        });
        whole.then_some(record).inspect(|_| touch(&path))
    }

    /// Every finished build that is remembered and can be read.
    pub fn builds(&self) -> Vec<BuildRecord> {
        let entries = std::fs::read_dir(self.root.join("builds"));
        let paths = entries.into_iter().flatten().flatten();
        paths.filter_map(|entry| read(&entry.path())).collect()
    }

    pub fn remember_build(&self, record: &BuildRecord) -> Result<(), CacheError> {
        write(&self.build_path(&record.build_hash), record)
    }

    fn step_path(&self, key: &Digest) -> PathBuf {
        self.root.join("steps").join(format!("{}.json", key.hex()))
    }

    fn build_path(&self, build_hash: &BuildHash) -> PathBuf {
        self.root.join("builds").join(format!("{build_hash}.json"))
    }
}

/// What is kept of a step.
#[derive(Serialize)]
struct StepRecord<'a> {
    #[serde(flatten)]
    layer: &'a Layer,
    #[serde(skip_serializing_if = "Option::is_none")]
    supply: Option<&'a Supply>,
}

/// What of it is not the layer.
#[derive(Deserialize)]
struct Supplied {
    supply: Option<Supply>,
}

fn read<T: DeserializeOwned>(path: &Path) -> Option<T> {
    serde_json::from_slice(&read_whole(path, LARGEST).ok()?).ok()
}

fn write(path: &Path, value: &impl Serialize) -> Result<(), CacheError> {
    write_atomically(path, &serde_json::to_vec(value).unwrap_or_default()).map_err(|error| {
        CacheError {
            path: path.to_owned(),
            error,
        }
    })
}

/// Writes a file so that a reader sees the old content or the new, also after a crash.
pub fn write_atomically(path: &Path, content: &[u8]) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;

    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new()
        .prefix(".ergon-")
        .permissions(std::fs::Permissions::from_mode(0o644))
        .tempfile_in(folder)?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|failed| failed.error)?;
    Ok(())
}
