//! Layers unpacked, the way overlayfs wants them below it: made once, shared by all builds.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use ergon_manifest::Digest;
use ergon_oci::layer::{OpaqueMark, unpack_layer};
use ergon_oci::{Blobs, Error};
use sha2::{Digest as _, Sha256};

use crate::cache::Cache;
use crate::error::PackError;

/// The folder with what the layer holds, unpacked now where it is not yet.
///
/// Trees are named by the digest of the layer's blob, which is checked on the way: what a base's
/// configuration claims about its layers cannot give another base's tree a wrong content. A tree
/// has its name only once it is whole and on the disk.
pub fn tree(cache: &Cache, layer: &Digest) -> Result<PathBuf, PackError> {
    let trees = cache.root().join("trees");
    let tree = trees.join(layer.hex());
    if tree.is_dir() {
        return Ok(tree);
    }
    let failed = |error: io::Error| PackError::Unpack {
        layer: *layer,
        path: trees.clone(),
        error,
    };
    fs::create_dir_all(&trees).map_err(failed)?;
    let unfinished = tempfile::Builder::new()
        .prefix(".unfinished-")
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .tempdir_in(&trees)
        .map_err(failed)?;
    unpack(cache.blobs(), layer, unfinished.path())?;
    // Before the rename: a tree with a name is never looked at again.
    let folder = File::open(&trees).map_err(failed)?;
    rustix::fs::syncfs(&folder).map_err(|errno| failed(errno.into()))?;
    match fs::rename(unfinished.path(), &tree) {
        Ok(()) => {
            // It has another name now: there is nothing to clean up.
            let _ = unfinished.keep();
            Ok(tree)
        }
        // Another build was faster, and has the same.
        Err(_) if tree.is_dir() => Ok(tree),
        Err(error) => Err(failed(error)),
    }
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
