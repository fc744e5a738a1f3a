//! Who is using the cache: any number of builds, or the one that removes things from it.
//!
//! A lock of the kernel's on `<cache>/lock`: it ends with its process, however that ends.

use std::fs::File;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::io::Errno;

use super::{Cache, CacheError};

/// Nobody else uses the cache while this lives; what is about to begin waits.
#[derive(Debug)]
pub struct Alone(#[expect(dead_code, reason = "holds the lock")] File);

impl Cache {
    /// The same cache, from which nothing is removed as long as this value or a clone of it lives.
    ///
    /// Waits for whoever removes something just now, which blocks the thread.
    pub fn in_use(&self) -> Result<Self, CacheError> {
        let file = self.lock_file()?;
        match flock(&file, FlockOperation::NonBlockingLockShared) {
            Err(Errno::WOULDBLOCK) => {
                tracing::info!(cache = %self.root.display(), "waiting until the cache is pruned");
                self.lock(&file, FlockOperation::LockShared)?;
            }
            // A file system without locks: builds are as safe as they are, nothing can be pruned.
            Err(error) => tracing::warn!(%error, "the cache cannot be locked"),
            Ok(()) => {}
        }
        Ok(Self {
            _in_use: Some(Arc::new(file)),
            ..self.clone()
        })
    }

    /// The cache to oneself; none where somebody uses it.
    pub fn alone(&self) -> Result<Option<Alone>, CacheError> {
        let file = self.lock_file()?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(Alone(file))),
            Err(Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(self.lock_error(error)),
        }
    }

    /// The cache to oneself, as soon as nobody else uses it; blocks the thread until then.
    pub fn wait_until_alone(&self) -> Result<Alone, CacheError> {
        let file = self.lock_file()?;
        self.lock(&file, FlockOperation::LockExclusive)?;
        Ok(Alone(file))
    }

    /// The processes that use the cache, as far as the system tells.
    pub fn users(&self) -> Vec<u32> {
        let inode = std::fs::metadata(self.lock_path()).map(|file| file.ino());
        let locks = std::fs::read_to_string("/proc/locks").unwrap_or_default();
        inode.map_or_else(|_| Vec::new(), |inode| holders(&locks, inode))
    }

    fn lock_path(&self) -> PathBuf {
        self.root.join("lock")
    }

    fn lock_file(&self) -> Result<File, CacheError> {
        let path = self.lock_path();
        File::options()
            .create(true)
            .truncate(false)
            .write(true)
            // A pipe in its place would be waited for.
            .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
            .open(&path)
            .map_err(|error| CacheError { path, error })
    }

    fn lock(&self, file: &File, operation: FlockOperation) -> Result<(), CacheError> {
        loop {
            match flock(file, operation) {
                Err(Errno::INTR) => {}
                locked => return locked.map_err(|error| self.lock_error(error)),
            }
        }
    }

    fn lock_error(&self, error: Errno) -> CacheError {
        CacheError {
            path: self.lock_path(),
            error: error.into(),
        }
    }
}

/// The processes that hold a lock on a file, from `/proc/locks`.
///
/// A line is `1: FLOCK  ADVISORY  READ 4242 00:2f:131 0 EOF`; `->` in the second place marks one that
/// waits. The device is not compared: what it says of an overlay is not what `stat` says.
fn holders(locks: &str, inode: u64) -> Vec<u32> {
    let holder = |line: &str| {
        let mut words = line.split_ascii_whitespace().skip(1);
        let is_lock = words.next()? == "FLOCK";
        let process = words.nth(2)?.parse().ok()?;
        let file = words.next()?.rsplit(':').next()?.parse::<u64>().ok()?;
        (is_lock && file == inode && process != 0).then_some(process)
    };
    let mut found: Vec<u32> = locks.lines().filter_map(holder).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// What a process is called, where it can be seen: its name alone, for its arguments may hold anything.
pub fn process_name(process: u32) -> Option<String> {
    let name = std::fs::read_to_string(Path::new("/proc").join(process.to_string()).join("comm"));
    Some(name.ok()?.trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waits_and_who_locks_something_else_holds_nothing() {
        let locks = "1: FLOCK  ADVISORY  READ  4242 00:2f:131 0 EOF\n\
                     1: -> FLOCK  ADVISORY  WRITE 77 00:2f:131 0 EOF\n\
                     2: FLOCK  ADVISORY  READ  4243 00:2f:131 0 EOF\n\
                     3: FLOCK  ADVISORY  WRITE 12 00:2f:132 0 EOF\n\
                     4: POSIX  ADVISORY  WRITE 13 00:2f:131 0 EOF\n\
                     5: FLOCK  ADVISORY  READ  0 00:2f:131 0 EOF\n";
        assert_eq!(holders(locks, 131), [4242, 4243]);
        assert_eq!(holders("nonsense\n\n1:\n", 131), Vec::<u32>::new());
    }

    #[test]
    fn builds_share_and_only_one_has_it_alone() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path()).unwrap();
        let (one, other) = (cache.in_use().unwrap(), cache.in_use().unwrap());
        assert!(cache.alone().unwrap().is_none());
        assert_eq!(cache.users(), [std::process::id()]);
        drop(one);
        let clone = other.clone();
        drop(other);
        assert!(cache.alone().unwrap().is_none(), "a clone still uses it");
        drop(clone);
        let alone = cache.alone().unwrap();
        assert!(alone.is_some() && cache.alone().unwrap().is_none());
        let waiting = std::thread::spawn({
            let cache = cache.clone();
            move || cache.in_use().unwrap()
        });
        drop(alone);
        waiting.join().unwrap();
        drop(cache.wait_until_alone().unwrap());
    }
}
