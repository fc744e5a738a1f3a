//! Reads every blob to see whether it is what its name says.

use std::fs;
use std::path::PathBuf;

use ergon_manifest::Digest;

use super::inventory::Inventory;
use super::lock::Alone;
use super::{Cache, CacheError};

/// A blob whose content is not what its name says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damaged {
    pub digest: Digest,
    pub reason: String,
}

impl Cache {
    /// Reads the blobs of an inventory. `seen` is told the bytes of one after the other.
    pub fn check(&self, inventory: &Inventory, mut seen: impl FnMut(u64)) -> Vec<Damaged> {
        let mut damaged = Vec::new();
        for (digest, blob) in &inventory.blobs {
            match self.blobs.verify(digest) {
                // Whoever removed it did so rightly.
                Ok(()) | Err(ergon_oci::Error::MissingBlob { .. }) => {}
                Err(error) => damaged.push(Damaged {
                    digest: *digest,
                    reason: error.to_string(),
                }),
            }
            seen(blob.bytes);
        }
        damaged
    }

    /// Takes damaged blobs out of use: what needs one is made or brought anew. Returns those that were
    /// still damaged, with where they are now; a build may have written a good one meanwhile.
    pub fn set_aside(
        &self,
        damaged: &[Damaged],
        _alone: &Alone,
    ) -> Result<Vec<PathBuf>, CacheError> {
        let folder = self.root.join("quarantine");
        let mut moved = Vec::new();
        for blob in damaged {
            if self.blobs.verify(&blob.digest).is_ok() || !self.blobs.contains(&blob.digest) {
                continue;
            }
            let path = folder.join(blob.digest.hex());
            fs::create_dir_all(&folder)
                .and_then(|()| fs::rename(self.blobs.path(&blob.digest), &path))
                .map_err(|error| CacheError {
                    path: path.clone(),
                    error,
                })?;
            moved.push(path);
        }
        Ok(moved)
    }
}
