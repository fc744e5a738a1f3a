//! Reads what a container changed of its image: the files in its own layer.

use std::fs::FileType;
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use crate::observation::{ChangedFile, Drift};

/// So many entries are looked at.
const MOST_ENTRIES: usize = 5000;
/// So many files are kept.
const MOST_FILES: usize = 200;
/// No deeper.
const DEPTH: usize = 24;

/// Where programs put what they work with: to change there is what these places are for.
const WORKING_PLACES: [&str; 14] = [
    "tmp",
    "run",
    "dev",
    "proc",
    "sys",
    "mnt",
    "media",
    "var/tmp",
    "var/log",
    "var/cache",
    "var/lib",
    "var/run",
    "var/spool",
    "root/.cache",
];
/// What the engine and the system write by themselves.
const OF_THE_SYSTEM: [&str; 8] = [
    ".dockerenv",
    "etc/hosts",
    "etc/hostname",
    "etc/resolv.conf",
    "etc/mtab",
    "etc/ld.so.cache",
    "root/.bash_history",
    "root/.python_history",
];

/// What was changed, from the upper directory of a container with overlay storage; nothing where it cannot be read.
pub(crate) fn read(upper: &Path) -> Option<Drift> {
    let mut reader = Reader {
        root: upper,
        left: MOST_ENTRIES,
        drift: Drift {
            folder: upper.display().to_string(),
            ..Drift::default()
        },
    };
    reader.walk(upper.to_owned(), DEPTH).ok()?;
    reader.drift.files.sort();
    Some(reader.drift)
}

struct Reader<'r> {
    root: &'r Path,
    left: usize,
    drift: Drift,
}

impl Reader<'_> {
    fn walk(&mut self, folder: PathBuf, depth: usize) -> io::Result<()> {
        for entry in std::fs::read_dir(&folder)? {
            let Some(left) = self.left.checked_sub(1) else {
                self.drift.is_cut = true;
                return Ok(());
            };
            self.left = left;
            // Containers go on writing while they are looked at: what is gone by now is nothing.
            let Ok(entry) = entry else { continue };
            let path = entry.path();
            let Ok(inside) = path.strip_prefix(self.root) else {
                continue;
            };
            if is_work(inside) {
                continue;
            }
            let Ok(kind) = entry.file_type() else {
                continue;
            };
            if kind.is_dir() {
                if depth > 0 {
                    let _ = self.walk(path, depth - 1);
                }
            } else if let Some(removed) = removed(kind, &path) {
                if self.drift.files.len() == MOST_FILES {
                    self.drift.is_cut = true;
                    return Ok(());
                }
                self.drift.files.push(ChangedFile {
                    path: format!("/{}", inside.to_string_lossy()),
                    removed,
                });
            }
        }
        Ok(())
    }
}

/// Whether it stands for a file that was removed; nothing for sockets, pipes and the like.
fn removed(kind: FileType, path: &Path) -> Option<bool> {
    if kind.is_file() || kind.is_symlink() {
        return Some(false);
    }
    // Overlay storage marks what was removed by a character device 0:0.
    let is_mark = kind.is_char_device()
        && std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.rdev() == 0);
    is_mark.then_some(true)
}

/// What programs change by working, not by being changed.
fn is_work(path: &Path) -> bool {
    let Some(text) = path.to_str() else {
        return false;
    };
    let below = |place: &str| {
        text.strip_prefix(place)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    WORKING_PLACES.iter().any(|place| below(place))
        || OF_THE_SYSTEM.contains(&text)
        || text.ends_with(".pyc")
        || text.ends_with(".pid")
        || text.ends_with(".log")
        || text
            .split('/')
            .any(|part| matches!(part, "__pycache__" | ".cache" | ".npm"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_changed_is_told_and_what_is_written_to_by_working_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |path: &str| {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("made");
            std::fs::write(path, b"x").expect("written");
        };
        for path in [
            "etc/nginx/nginx.conf",
            "app/main.py",
            "app/visits.db",
            "tmp/x",
            "var/log/nginx/access.log",
            "var/lib/postgresql/15/main/base/1",
            "etc/hosts",
            "app/__pycache__/main.cpython-311.pyc",
            "run/nginx.pid",
            "tmpfiles/kept",
        ] {
            write(path);
        }
        let drift = read(folder.path()).expect("read");
        let paths: Vec<&str> = drift.files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(
            paths,
            [
                "/app/main.py",
                "/app/visits.db",
                "/etc/nginx/nginx.conf",
                "/tmpfiles/kept"
            ]
        );
        let code: Vec<bool> = drift.files.iter().map(ChangedFile::is_code).collect();
        assert_eq!(code, [true, false, true, false]);
        assert!(!drift.is_cut);
        assert_eq!(read(&folder.path().join("nowhere")), None);
    }

    #[test]
    fn a_container_that_writes_without_end_is_read_up_to_a_bound() {
        let folder = tempfile::tempdir().expect("a folder");
        for number in 0..MOST_FILES + 5 {
            std::fs::write(folder.path().join(format!("file{number}")), b"").expect("written");
        }
        let drift = read(folder.path()).expect("read");
        assert!(drift.is_cut && drift.files.len() == MOST_FILES);
    }
}
