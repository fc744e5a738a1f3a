//! What files held when they were last hashed, so that one that was not touched since is not read again.

use std::collections::HashMap;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use ergon_manifest::Digest;
use serde::{Deserialize, Serialize};

use crate::cache::write_atomically;

/// What the file system says of a file, which changes when its content does: nobody can set the time of its
/// last change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    mode: u32,
    /// Nanoseconds since 1970.
    modified: i128,
    changed: i128,
}

impl Stamp {
    pub fn of(metadata: &Metadata) -> Self {
        let nanoseconds =
            |seconds: i64, rest: i64| i128::from(seconds) * 1_000_000_000 + i128::from(rest);
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.len(),
            mode: metadata.mode(),
            modified: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
            changed: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// Whether a change after `read_at` must have left another stamp. File systems keep times in steps, of up to two
    /// seconds: what was changed just before it was read may change again and keep its stamp.
    pub fn is_settled(&self, read_at: jiff::Timestamp) -> bool {
        const STEP: i128 = 2_000_000_000;
        self.changed.max(self.modified) + STEP < read_at.as_nanosecond()
    }
}

/// Files of one folder, by path below it.
#[derive(Debug, Default)]
pub struct KnownFiles {
    place: Option<PathBuf>,
    files: HashMap<String, (Stamp, Digest)>,
}

impl KnownFiles {
    /// What is remembered of `root`. Anything that cannot be read is not known.
    pub fn read(cache: &Path, root: &Path) -> Self {
        let name = Digest::of(root.as_os_str().as_encoded_bytes()).hex();
        let place = cache.join("files").join(format!("{name}.json"));
        let files = std::fs::read(&place)
            .ok()
            .and_then(|text| serde_json::from_slice(&text).ok())
            .unwrap_or_default();
        Self {
            place: Some(place),
            files,
        }
    }

    /// What a file held, if it has not changed since.
    pub fn blob(&self, path: &str, stamp: &Stamp) -> Option<Digest> {
        let (known, blob) = self.files.get(path)?;
        (known == stamp).then_some(*blob)
    }

    /// Remembers files instead of what was known. That it cannot be written costs time only.
    pub fn remember(&mut self, files: HashMap<String, (Stamp, Digest)>) {
        if files == self.files {
            return;
        }
        self.files = files;
        let Some(place) = &self.place else { return };
        let written = place
            .parent()
            .map_or(Ok(()), std::fs::create_dir_all)
            .and_then(|()| {
                write_atomically(
                    place,
                    &serde_json::to_vec(&self.files).map_err(std::io::Error::other)?,
                )
            });
        if let Err(error) = written {
            tracing::debug!(path = %place.display(), %error, "what files hold is not remembered");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_changed_as_it_was_read_is_not_trusted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "now").unwrap();
        let stamp = Stamp::of(&std::fs::metadata(&path).unwrap());
        let now = jiff::Timestamp::now();
        assert!(!stamp.is_settled(now));
        assert!(stamp.is_settled(now + jiff::SignedDuration::from_secs(3)));
    }

    #[test]
    fn a_file_is_known_until_it_is_touched() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "now").unwrap();
        let stamp = Stamp::of(&std::fs::metadata(&path).unwrap());
        let mut known = KnownFiles::read(folder.path(), folder.path());
        let blob = Digest::of(b"now");
        known.remember(HashMap::from([("file".to_owned(), (stamp, blob))]));
        let known = KnownFiles::read(folder.path(), folder.path());
        assert_eq!(known.blob("file", &stamp), Some(blob));
        assert_eq!(known.blob("other", &stamp), None);
        let size = stamp.size + 1;
        assert_eq!(known.blob("file", &Stamp { size, ..stamp }), None);
    }
}
