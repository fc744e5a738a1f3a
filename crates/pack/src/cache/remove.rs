//! Takes out of the cache what was selected. Killed at any point, what is left is a cache.

use std::fs;
use std::io;
use std::path::Path;

use super::inventory::{Inventory, Kind};
use super::lock::Alone;
use super::prune::Selection;
use super::{Cache, CacheError};

impl Cache {
    /// Removes what was selected from the inventory, and all leftovers.
    ///
    /// Records go before the blobs they name, so that none is left which promises what is gone.
    pub fn remove(
        &self,
        inventory: &Inventory,
        selection: &Selection,
        _alone: &Alone,
    ) -> Result<(), CacheError> {
        let entries = || {
            selection
                .entries
                .iter()
                .map(|index| &inventory.entries[*index])
        };
        for entry in entries().filter(|entry| entry.kind == Kind::Fetched) {
            remove_named(&entry.path)?;
        }
        let is_folder = |kind| matches!(kind, Kind::Tree | Kind::Fetched);
        for entry in entries().filter(|entry| !is_folder(entry.kind)) {
            remove_file(&entry.path)?;
            if entry.kind == Kind::Referrer
                && let Some(folder) = entry.path.parent()
            {
                // The last one leaves an empty folder, which says nothing.
                let _ = fs::remove_dir(folder);
            }
        }
        for entry in entries().filter(|entry| entry.kind == Kind::Tree) {
            remove_named(&entry.path)?;
            remove_file(&entry.path.with_extension("lock"))?;
        }
        for digest in &selection.blobs {
            remove_file(&self.blobs.path(digest))?;
        }
        for leftover in &inventory.leftovers {
            remove_all(&leftover.path)?;
        }
        Ok(())
    }
}

/// A folder that has its name is taken for whole: it loses the name first.
fn remove_named(path: &Path) -> Result<(), CacheError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let nameless = path.with_file_name(format!(".unfinished-{name}"));
    match fs::rename(path, &nameless) {
        Ok(()) => remove_all(&nameless),
        Err(error) => gone(path, Err(error)),
    }
}

fn remove_file(path: &Path) -> Result<(), CacheError> {
    gone(path, fs::remove_file(path))
}

fn remove_all(path: &Path) -> Result<(), CacheError> {
    let is_folder = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir());
    if is_folder {
        gone(path, fs::remove_dir_all(path))
    } else {
        remove_file(path)
    }
}

/// What is gone already need not be removed.
fn gone(path: &Path, removed: io::Result<()>) -> Result<(), CacheError> {
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(CacheError {
            path: path.to_owned(),
            error,
        }),
        _ => Ok(()),
    }
}
