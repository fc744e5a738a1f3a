//! What the cache holds: how much, since when, last used when, and what needs what.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use ergon_manifest::Digest;
use ergon_oci::bases::Base;
use ergon_oci::model::ImageManifest;
use ergon_oci::{Image, Layer};
use jiff::Timestamp;

use super::{Cache, CacheError, read};
use crate::record::BuildRecord;

/// All that a cache holds.
#[derive(Clone, Debug, Default)]
pub struct Inventory {
    pub entries: Vec<Entry>,
    pub blobs: BTreeMap<Digest, HeldBlob>,
    /// What is of no use to anybody: half-written files, records of what is gone, second builds whose
    /// process is, blobs that were set aside.
    pub leftovers: Vec<Leftover>,
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// What a base name means.
    Base,
    /// The layer a step left.
    Step,
    /// A finished build.
    Build,
    /// Which packages are in an image's lower layers.
    Inventory,
    /// Something attached to an image.
    Referrer,
    /// A layer, unpacked.
    Tree,
    /// What was fetched for a step.
    Fetched,
    /// What a step was made of the last time.
    Latest,
}

/// One thing that is remembered.
#[derive(Clone, Debug)]
pub struct Entry {
    pub kind: Kind,
    pub path: PathBuf,
    /// On the disk, without the blobs it needs.
    pub bytes: u64,
    pub since: Timestamp,
    pub last_used: Timestamp,
    /// The blobs it is worth nothing without.
    pub needs: Vec<Digest>,
    /// The blob without which it is worth nothing to others.
    pub belongs_to: Option<Digest>,
}

/// One blob.
#[derive(Clone, Copy, Debug)]
pub struct HeldBlob {
    pub bytes: u64,
    pub since: Timestamp,
    /// A stack's registry holds it too: removing it here frees nothing.
    pub shared: bool,
}

/// Something of no use.
#[derive(Clone, Debug)]
pub struct Leftover {
    pub path: PathBuf,
    pub bytes: u64,
}

impl Cache {
    /// Looks at everything the cache holds; changes nothing.
    pub fn contents(&self) -> Result<Inventory, CacheError> {
        let mut inventory = Inventory::default();
        self.list_blobs(&mut inventory)?;
        self.list_records(Kind::Base, "bases", &mut inventory)?;
        self.list_records(Kind::Step, "steps", &mut inventory)?;
        self.list_records(Kind::Build, "builds", &mut inventory)?;
        self.list_records(Kind::Inventory, "inventories", &mut inventory)?;
        self.list_records(Kind::Latest, "latest", &mut inventory)?;
        for folder in children(&self.root.join("referrers"))? {
            let subject = digest_of(&folder);
            for path in children(&folder)? {
                match subject {
                    Some(subject) => self.list_referrer(subject, path, &mut inventory),
                    None => inventory.leftover(path),
                }
            }
        }
        for path in children(&self.root.join("trees"))? {
            // Who uses a tree says so in a file beside it, which goes with the tree.
            let place = path.with_extension("");
            if place != path && place.is_dir() {
                continue;
            }
            match (digest_of(&path), fs::symlink_metadata(&path)) {
                (Some(layer), Ok(metadata)) if metadata.is_dir() => inventory.entries.push(Entry {
                    bytes: size_of(&path),
                    belongs_to: Some(layer),
                    ..entry(Kind::Tree, path, &metadata)
                }),
                _ => inventory.leftover(path),
            }
        }
        for path in children(&self.root.join("fetched"))? {
            match (digest_of(&path), fs::symlink_metadata(&path)) {
                (Some(_), Ok(metadata)) => inventory.entries.push(Entry {
                    bytes: size_of(&path),
                    ..entry(Kind::Fetched, path, &metadata)
                }),
                _ => inventory.leftover(path),
            }
        }
        for folder in ["verifications", "quarantine"] {
            for path in children(&self.root.join(folder))? {
                inventory.leftover(path);
            }
        }
        Ok(inventory)
    }

    fn list_blobs(&self, inventory: &mut Inventory) -> Result<(), CacheError> {
        for path in children(&self.root.join("blobs/sha256"))? {
            let Ok(metadata) = fs::symlink_metadata(&path) else {
                continue;
            };
            match digest_of(&path) {
                Some(digest) if metadata.is_file() => {
                    let blob = HeldBlob {
                        bytes: metadata.len(),
                        since: modified(&metadata),
                        shared: metadata.nlink() > 1,
                    };
                    inventory.blobs.insert(digest, blob);
                }
                _ => inventory.leftover(path),
            }
        }
        Ok(())
    }

    fn list_records(
        &self,
        kind: Kind,
        folder: &str,
        inventory: &mut Inventory,
    ) -> Result<(), CacheError> {
        for path in children(&self.root.join(folder))? {
            let Ok(metadata) = fs::symlink_metadata(&path) else {
                continue;
            };
            let needs = match kind {
                Kind::Base => self.base_needs(&path),
                Kind::Step => read::<Layer>(&path)
                    .filter(|layer| self.blobs.holds(&layer.digest, layer.size))
                    .map(|layer| vec![layer.digest]),
                Kind::Build => self.build_needs(&path),
                _ => digest_of(&path).map(|_| Vec::new()),
            };
            match needs {
                Some(needs) => inventory.entries.push(Entry {
                    needs,
                    ..entry(kind, path, &metadata)
                }),
                None => inventory.leftover(path),
            }
        }
        Ok(())
    }

    /// What of a base is there, also where it is not all.
    fn base_needs(&self, path: &Path) -> Option<Vec<Digest>> {
        let base: Base = read(path)?;
        let image = Image::load(&self.blobs, &base.digest);
        Some(image.map_or_else(|_| vec![base.digest], |image| image.blobs().collect()))
    }

    /// None where a build cannot be taken from the cache any more.
    fn build_needs(&self, path: &Path) -> Option<Vec<Digest>> {
        let record: BuildRecord = read(path)?;
        let mut needs = Vec::new();
        for image in &record.images {
            let image = Image::load(&self.blobs, &image.digest).ok()?;
            if !image.is_whole(&self.blobs) {
                return None;
            }
            needs.extend(image.blobs());
        }
        let indexes = record.indexes.iter().map(|index| index.digest);
        needs.extend(indexes.filter(|digest| self.blobs.contains(digest)));
        Some(needs)
    }

    fn list_referrer(&self, subject: Digest, path: PathBuf, inventory: &mut Inventory) {
        let manifest = digest_of(&path).and_then(|digest| {
            let content = self.blobs.read(&digest).ok()?;
            let manifest: ImageManifest = serde_json::from_slice(&content).ok()?;
            let parts = std::iter::once(&manifest.config).chain(&manifest.layers);
            let parts = parts.map(|part| part.digest);
            Some(std::iter::once(digest).chain(parts).collect())
        });
        match (manifest, fs::symlink_metadata(&path)) {
            (Some(needs), Ok(metadata)) => inventory.entries.push(Entry {
                needs,
                belongs_to: Some(subject),
                ..entry(Kind::Referrer, path, &metadata)
            }),
            _ => inventory.leftover(path),
        }
    }
}

impl Inventory {
    /// Bytes of everything, each file once.
    pub fn bytes(&self) -> u64 {
        let entries = self.entries.iter().map(|entry| entry.bytes);
        let blobs = self.blobs.values().map(|blob| blob.bytes);
        let leftovers = self.leftovers.iter().map(|leftover| leftover.bytes);
        entries.chain(blobs).chain(leftovers).sum()
    }

    fn leftover(&mut self, path: PathBuf) {
        let bytes = size_of(&path);
        self.leftovers.push(Leftover { path, bytes });
    }
}

fn entry(kind: Kind, path: PathBuf, metadata: &Metadata) -> Entry {
    // A record's time is when it was last used; when it was made is known where the file system says.
    let last_used = modified(metadata);
    let made = metadata.created().ok().and_then(timestamp);
    Entry {
        kind,
        path,
        bytes: metadata.len(),
        since: made.map_or(last_used, |made| made.min(last_used)),
        last_used,
        needs: Vec::new(),
        belongs_to: None,
    }
}

/// The digest in the name of `<hex>` or `<hex>.json`.
fn digest_of(path: &Path) -> Option<Digest> {
    let name = path.file_name()?.to_str()?;
    let hex = name.strip_suffix(".json").unwrap_or(name);
    format!("sha256:{hex}").parse().ok()
}

/// What is in a folder, in the order of the names; nothing where there is none.
fn children(folder: &Path) -> Result<Vec<PathBuf>, CacheError> {
    let failed = |error| CacheError {
        path: folder.to_owned(),
        error,
    };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut paths = Vec::new();
    for entry in entries {
        paths.push(entry.map_err(failed)?.path());
    }
    paths.sort();
    Ok(paths)
}

/// Bytes of a file or of all files below a folder; links are not followed.
fn size_of(path: &Path) -> u64 {
    let Ok(metadata) = fs::symlink_metadata(path) else {
        return 0;
    };
    if !metadata.is_dir() {
        return metadata.len();
    }
    let children = children(path).unwrap_or_default();
    children.iter().map(|child| size_of(child)).sum()
}

fn modified(metadata: &Metadata) -> Timestamp {
    let modified = metadata.modified().ok().and_then(timestamp);
    modified.unwrap_or(Timestamp::UNIX_EPOCH)
}

fn timestamp(time: SystemTime) -> Option<Timestamp> {
    Timestamp::try_from(time).ok()
}
