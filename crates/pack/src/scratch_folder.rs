//! Folders on the cache's disk that belong to one process, and go when it does.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// A folder of this process; removed when it is dropped.
///
/// A lock says that its process lives. What one that was killed left is removed by the next.
#[derive(Debug)]
pub struct ScratchFolder {
    pub path: PathBuf,
    lock_path: PathBuf,
    _lock: File,
}

impl ScratchFolder {
    /// Makes one below `parent`, and removes what killed processes left there.
    pub fn new(parent: &Path) -> Result<Self, (PathBuf, io::Error)> {
        let make = || -> io::Result<Self> {
            fs::create_dir_all(parent)?;
            remove_stale(parent)?;
            let (lock, lock_path) = loop {
                let lock = tempfile::Builder::new()
                    .prefix("step-")
                    .suffix(LOCK)
                    .tempfile_in(parent)?;
                let (lock, lock_path) = lock.keep().map_err(|error| error.error)?;
                lock.lock()?;
                // Before it was locked, another process may have taken it for a dead one's.
                if lock.metadata()?.nlink() > 0 {
                    break (lock, lock_path);
                }
            };
            let path = lock_path.with_extension("");
            fs::create_dir(&path)?;
            Ok(Self {
                path,
                lock_path,
                _lock: lock,
            })
        };
        make().map_err(|error| (parent.to_owned(), error))
    }
}

impl Drop for ScratchFolder {
    fn drop(&mut self) {
        // Its owner may have given it another place.
        if let Err(error) = fs::remove_dir_all(&self.path)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(path = %self.path.display(), %error, "could not remove a folder of this process");
        }
        let _ = fs::remove_file(&self.lock_path);
    }
}

/// The name of a lock is that of its folder with this behind it.
const LOCK: &str = ".lock";

/// Removes what killed processes left.
fn remove_stale(parent: &Path) -> io::Result<()> {
    for entry in fs::read_dir(parent)? {
        let lock_path = entry?.path();
        let is_lock = lock_path.extension().is_some_and(|name| name == "lock");
        let Ok(lock) = ergon_oci::open_regular(&lock_path) else {
            continue;
        };
        if is_lock && lock.try_lock().is_ok() {
            let _ = fs::remove_dir_all(lock_path.with_extension(""));
            let _ = fs::remove_file(&lock_path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_process_left_is_removed_and_what_a_living_one_has_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let parent = folder.path().join("running");
        let living = ScratchFolder::new(&parent).unwrap();
        let left = folder.path().join("running/step-left");
        fs::create_dir_all(left.join("upper/deep")).unwrap();
        fs::write(left.with_extension("lock"), "").unwrap();
        let next = ScratchFolder::new(&parent).unwrap();
        assert!(!left.exists());
        assert!(living.path.is_dir() && next.path.is_dir());
        drop((living, next));
        let rest = fs::read_dir(folder.path().join("running")).unwrap().count();
        assert_eq!(rest, 0);
    }
}
