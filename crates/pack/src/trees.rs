//! Layers unpacked, the way overlayfs wants them below it: made once, shared by all builds.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use ergon_manifest::Digest;
use ergon_oci::layer::{OpaqueMark, unpack_layer};
use ergon_oci::{Blobs, Error};
use sha2::{Digest as _, Sha256};

use crate::cache::Cache;
use crate::error::PackError;

/// An unpacked layer; as long as this lives, nobody removes it.
#[derive(Debug)]
pub struct Tree {
    pub path: PathBuf,
    _used: File,
}

/// The tree of a layer, unpacked now where it is not yet.
///
/// Trees are named by the digest of the layer's blob, which is checked on the way: what a base's
/// configuration claims about its layers cannot give another base's tree a wrong content. Whoever
/// uses one holds its lock together with others; whoever makes one, alone.
pub fn tree(cache: &Cache, layer: &Digest) -> Result<Tree, PackError> {
    let trees = cache.root().join("trees");
    let place = trees.join(layer.hex());
    let failed = |error: io::Error| PackError::Unpack {
        layer: *layer,
        path: trees.clone(),
        error,
    };
    fs::create_dir_all(&trees).map_err(failed)?;
    let lock = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(place.with_extension("lock"))
        .map_err(failed)?;
    loop {
        lock.lock_shared().map_err(failed)?;
        if is_whole(&place) {
            // When it was last of use, for whoever prunes.
            ergon_oci::touch(&place);
            return Ok(Tree {
                path: place.join(TREE),
                _used: lock,
            });
        }
        lock.unlock().map_err(failed)?;
        lock.lock().map_err(failed)?;
        if !is_whole(&place) {
            make(cache.blobs(), layer, &place, failed)?;
        }
        lock.unlock().map_err(failed)?;
    }
}

/// The tree, in the folder that has the layer's name.
const TREE: &str = "tree";
/// Beside it when it is whole: which start of the machine it was made after.
const BOOT: &str = "boot";

/// Whether a tree is there that this start of the machine has made.
///
/// Nothing of a tree is forced to the disk, which would take longer than making it: after the power
/// failed it may look whole and not be.
fn is_whole(place: &Path) -> bool {
    let made = ergon_oci::read_whole(&place.join(BOOT), 4096).unwrap_or_default();
    !made.is_empty() && made == boot().as_bytes()
}

fn boot() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default()
}

fn make(
    blobs: &Blobs,
    layer: &Digest,
    place: &Path,
    failed: impl Fn(io::Error) -> PackError,
) -> Result<(), PackError> {
    // What one that was killed left, or an earlier start of the machine.
    match fs::remove_dir_all(place) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let root = place.join(TREE);
    fs::create_dir_all(&root).map_err(&failed)?;
    fs::set_permissions(&root, fs::Permissions::from_mode(0o755)).map_err(&failed)?;
    let made = unpack(blobs, layer, &root)
        .and_then(|()| fs::write(place.join(BOOT), boot()).map_err(&failed));
    if made.is_err() {
        let _ = fs::remove_dir_all(place);
    }
    made
}

fn unpack(blobs: &Blobs, layer: &Digest, to: &Path) -> Result<(), PackError> {
    let mut blob = Hashed {
        file: blobs.open_read(layer)?,
        hasher: Sha256::new(),
    };
    unpack_layer(&mut blob, to, OpaqueMark::Trusted)?;
    io::copy(&mut blob, &mut io::sink()).map_err(|error| PackError::Unpack {
        layer: *layer,
        path: blobs.path(layer),
        error,
    })?;
    let actual = Digest::from_bytes(blob.hasher.finalize().into());
    if actual == *layer {
        Ok(())
    } else {
        Err(PackError::Oci(Error::DamagedBlob {
            path: blobs.path(layer),
            actual,
        }))
    }
}

/// A blob that is hashed while it is read.
struct Hashed {
    file: File,
    hasher: Sha256,
}

impl Read for Hashed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.hasher.update(&buffer[..read]);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use ergon_oci::layer::{Content, EntryKind, LayerEntry, write_layer};

    use super::*;

    fn world() -> (tempfile::TempDir, Cache, Digest) {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path()).unwrap();
        let file = LayerEntry {
            path: "app/file".to_owned(),
            mode: 0o644,
            uid: rustix::process::getuid().as_raw(),
            gid: rustix::process::getgid().as_raw(),
            kind: EntryKind::File {
                size: 5,
                content: Content::Bytes(b"hello".to_vec()),
            },
            xattrs: std::collections::BTreeMap::new(),
        };
        let parent = LayerEntry {
            path: "app".to_owned(),
            mode: 0o755,
            kind: EntryKind::Directory,
            ..file.clone()
        };
        let layer = write_layer(vec![parent, file], 1_000_000_000, cache.blobs()).unwrap();
        (folder, cache, layer.digest)
    }

    #[test]
    fn a_layer_is_unpacked_once_with_its_times() {
        let (_folder, cache, layer) = world();
        let first = tree(&cache, &layer).unwrap();
        let file = first.path.join("app/file");
        assert_eq!(fs::read_to_string(&file).unwrap(), "hello");
        let modified = |path: &Path| fs::metadata(path).unwrap().modified().unwrap();
        let epoch = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
        assert_eq!(modified(&file), epoch);
        assert_eq!(modified(&first.path.join("app")), epoch);
        // What lies beside the tree's files tells that nothing was unpacked again.
        fs::write(first.path.join("mark"), "").unwrap();
        let second = tree(&cache, &layer).unwrap();
        assert!(second.path.join("mark").exists());
    }

    #[test]
    fn what_was_left_half_or_before_the_machine_started_is_made_anew() {
        let (_folder, cache, layer) = world();
        let place = cache.root().join("trees").join(layer.hex());
        for boot in [None, Some("an earlier one")] {
            let _ = fs::remove_dir_all(&place);
            fs::create_dir_all(place.join(TREE)).unwrap();
            fs::write(place.join(TREE).join("half"), "").unwrap();
            if let Some(boot) = boot {
                fs::write(place.join(BOOT), boot).unwrap();
            }
            let tree = tree(&cache, &layer).unwrap();
            assert!(!tree.path.join("half").exists());
            assert!(tree.path.join("app/file").exists());
        }
    }

    #[test]
    fn a_damaged_blob_gives_no_tree() {
        let (_folder, cache, layer) = world();
        let path = cache.blobs().path(&layer);
        let other = write_layer(Vec::new(), 0, cache.blobs()).unwrap();
        fs::copy(cache.blobs().path(&other.digest), &path).unwrap();
        let error = tree(&cache, &layer).unwrap_err();
        assert!(error.to_string().contains("is damaged"), "{error}");
        assert!(!cache.root().join("trees").join(layer.hex()).exists());
    }
}
