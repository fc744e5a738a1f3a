//! What base names mean here: which image each stands for, and where it came from.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use ergon_manifest::Digest;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::archive;
use crate::assemble::{ConfigChange, assemble};
use crate::blobs::{Blobs, touch, write_file};
use crate::error::Error;
use crate::files::read_whole;
use crate::image::Image;
use crate::layer::{EntryKind, Room, Spool, read_layer, write_layer};
use crate::layout;
use crate::model::Platform;
use crate::reference::Reference;

/// No record is larger, in bytes.
const LARGEST: u64 = 1 << 20;

/// The base images that are held.
#[derive(Clone, Debug)]
pub struct Bases {
    folder: PathBuf,
    blobs: Blobs,
}

/// One base image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Base {
    pub reference: Reference,
    /// Of the manifest.
    pub digest: Digest,
    /// What it runs on: `linux/arm64`. Older records do not say, and their image does.
    #[serde(default)]
    pub platform: String,
    pub source: Source,
    /// The mirror that it was pulled through, where it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<String>,
    pub held_since: Timestamp,
}

/// Where a base came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// `docker save`, from a file or the local engine.
    Docker,
    /// The tar of a root file system.
    Rootfs,
    /// An OCI image layout.
    Layout,
    /// Pulled.
    Registry,
}

impl Source {
    /// The word in data and on screen.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Rootfs => "rootfs",
            Self::Layout => "layout",
            Self::Registry => "registry",
        }
    }
}

impl Bases {
    /// The bases that `folder` names, over the images in `blobs`. Nothing is read or made yet.
    pub fn new(folder: impl Into<PathBuf>, blobs: Blobs) -> Self {
        Self {
            folder: folder.into(),
            blobs,
        }
    }

    /// What a name means for a platform, where its image is held whole.
    ///
    /// A record that cannot be read and an image that lacks a blob are as good as none.
    pub fn resolve(&self, reference: &Reference, platform: &str) -> Result<Option<Base>, Error> {
        let platform = Platform::parse(platform)?;
        if let Some(digest) = reference.digest() {
            let held = self.find(reference, digest)?;
            return Ok(held.filter(|base| fits(base, &platform)));
        }
        let held = match self.named(reference, &platform) {
            Some(base) => Some(base),
            // One whose image does not say for which variant it is.
            None => (self.named_for_any(reference)?.into_iter()).find(|base| fits(base, &platform)),
        };
        Ok(held.inspect(|base| self.used(base)))
    }

    /// What a name means, for each platform it is held for.
    pub fn named_for_any(&self, reference: &Reference) -> Result<Vec<Base>, Error> {
        let mut held = self.list()?;
        held.retain(|base| base.reference == *reference);
        Ok(held)
    }

    /// The base with this very digest, under whatever name it is held.
    pub fn find(&self, reference: &Reference, digest: &Digest) -> Result<Option<Base>, Error> {
        let held = self.list()?;
        let of_digest = || held.iter().filter(|base| base.digest == *digest);
        let held = of_digest()
            .find(|base| base.reference == *reference)
            .or_else(|| of_digest().next())
            .cloned();
        if let Some(base) = &held {
            self.used(base);
        }
        Ok(held.map(|base| Base {
            reference: reference.clone(),
            ..base
        }))
    }

    /// Every base that is held whole, in the order of their names and platforms.
    pub fn list(&self) -> Result<Vec<Base>, Error> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(Error::io("read", &self.folder)(error)),
        };
        let mut bases = Vec::new();
        for entry in entries {
            let path = entry.map_err(Error::io("read", &self.folder))?.path();
            bases.extend(self.held(&path));
        }
        let key = |base: &Base| (base.reference.clone(), base.platform.clone());
        bases.sort_by_key(|base| key(base));
        // One that an older cache held, and its newer record.
        bases.dedup_by_key(|base| key(base));
        Ok(bases)
    }

    /// Forgets what a name means for every platform. The blobs stay, since others may share them. False where it was
    /// not known.
    pub fn remove(&self, reference: &Reference) -> Result<bool, Error> {
        let held = self.named_for_any(reference)?;
        for base in &held {
            let platform = Platform::parse(&base.platform)?;
            for path in [self.path(reference, &platform), self.older_path(reference)] {
                remove(&path)?;
            }
        }
        Ok(!held.is_empty())
    }

    /// Lets a name mean an image whose blobs are here already.
    pub fn hold(
        &self,
        reference: &Reference,
        image: &Image,
        source: Source,
        now: Timestamp,
    ) -> Result<Base, Error> {
        self.hold_via(reference, image, source, None, now)
    }

    /// The same, for one that may have been pulled through a mirror.
    pub fn hold_via(
        &self,
        reference: &Reference,
        image: &Image,
        source: Source,
        via: Option<&str>,
        now: Timestamp,
    ) -> Result<Base, Error> {
        if let Some(missing) = image.blobs().find(|digest| !self.blobs.contains(digest)) {
            return Err(Error::MissingBlob {
                digest: missing,
                root: self.blobs.root().to_owned(),
            });
        }
        if !image.is_whole(&self.blobs) {
            return Err(Error::malformed(
                format!("the image {}", image.digest),
                "what its manifest says of the length of its blobs is not so",
            ));
        }
        let base = Base {
            reference: reference.clone(),
            digest: image.digest,
            platform: image.platform().normal().to_string(),
            source,
            via: via.map(str::to_owned),
            held_since: now,
        };
        fs::create_dir_all(&self.folder).map_err(Error::io("make the folder", &self.folder))?;
        let path = self.path(reference, &image.platform());
        let content = serde_json::to_vec_pretty(&base)
            .map_err(|error| Error::malformed("the base", error))?;
        write_file(&path, &content)?;
        let older = self.older_path(reference);
        if (self.held(&older)).is_none_or(|older| older.platform == base.platform) {
            remove(&older)?;
        }
        Ok(base)
    }

    /// Takes an image out of what `docker save` wrote. The digest depends on its content only,
    /// and the image id is the one it had in the engine.
    pub fn import_docker_save(
        &self,
        reader: impl Read,
        reference: &Reference,
        now: Timestamp,
    ) -> Result<Base, Error> {
        let image = archive::read(reader, Some(reference), &self.blobs)?;
        self.hold(reference, &image, Source::Docker, now)
    }

    /// Makes an image of one layer of the tar (plain or gzipped) of a root file system.
    ///
    /// Entries are normalised: the digest depends on what is in the tar, not on how it was made.
    /// Device nodes are left out; engines make their own.
    pub fn import_rootfs(
        &self,
        reader: impl Read,
        reference: &Reference,
        change: &ConfigChange,
        epoch: u64,
        platform: &str,
        now: Timestamp,
    ) -> Result<Base, Error> {
        let mut spool = Spool::new(&self.blobs)?;
        let mut room = Room::default();
        let mut entries = std::collections::BTreeMap::new();
        read_layer(reader, |entry, content| {
            // In a tar the last of several entries with one path wins; whiteouts have nothing to hide.
            if !matches!(entry.kind, EntryKind::Whiteout | EntryKind::OpaqueDirectory) {
                room.take(&entry)?;
                entries.insert(entry.path.clone(), spool.keep_entry(entry, content)?);
            }
            Ok::<_, Error>(())
        })?;
        if entries.is_empty() {
            return Err(Error::malformed("the root file system", "the tar is empty"));
        }
        let layer = write_layer(entries.into_values().collect(), epoch, &self.blobs)?;
        let made = [(layer, format!("root file system of {reference}"))];
        let image = assemble(None, &made, change, epoch, platform, &self.blobs)?;
        self.hold(reference, &image, Source::Rootfs, now)
    }

    /// Takes an image out of an OCI image layout, bit for bit.
    pub fn import_layout(
        &self,
        path: &Path,
        name: Option<&str>,
        reference: &Reference,
        platform: &str,
        now: Timestamp,
    ) -> Result<Base, Error> {
        let image = layout::read(path, name, platform, &self.blobs)?;
        self.hold(reference, &image, Source::Layout, now)
    }

    fn path(&self, reference: &Reference, platform: &Platform) -> PathBuf {
        let key = format!("{} {}", reference.canonical(), platform.normal());
        self.folder
            .join(format!("{}.json", Digest::of(key.as_bytes()).hex()))
    }

    /// Where a name stood when it could mean one image only.
    fn older_path(&self, reference: &Reference) -> PathBuf {
        let key = Digest::of(reference.canonical().as_bytes());
        self.folder.join(format!("{}.json", key.hex()))
    }

    fn named(&self, reference: &Reference, platform: &Platform) -> Option<Base> {
        let paths = [self.path(reference, platform), self.older_path(reference)];
        let mut held = paths.iter().filter_map(|path| self.held(path));
        let wanted = platform.normal().to_string();
        held.find(|base| base.reference == *reference && base.platform == wanted)
    }

    /// Remembers in the record's time when the base was last asked for.
    fn used(&self, base: &Base) {
        if let Ok(platform) = Platform::parse(&base.platform) {
            let path = self.path(&base.reference, &platform);
            let older = self.older_path(&base.reference);
            touch(if path.exists() { &path } else { &older });
        }
    }

    /// What a record says, if it can be read and its image is whole.
    fn held(&self, path: &Path) -> Option<Base> {
        let base: Base = serde_json::from_slice(&read_whole(path, LARGEST).ok()?).ok()?;
        let image = Image::load(&self.blobs, &base.digest).ok()?;
        let platform = image.platform().normal().to_string();
        let base = Base { platform, ..base };
        image.is_whole(&self.blobs).then_some(base)
    }
}

/// Whether a base runs where an image for `platform` would.
fn fits(base: &Base, platform: &Platform) -> bool {
    Platform::parse(&base.platform).is_ok_and(|offered| platform.accepts(&offered))
}

fn remove(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::io("remove", path)(error))
        }
        _ => Ok(()),
    }
}
