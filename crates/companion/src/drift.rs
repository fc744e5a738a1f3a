//! Reads what a container changed of its image: the files in its own layer.

use std::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, ResolveFlags, open, openat2, statat};
use rustix::io;

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

/// How folders are opened. The container writes into them meanwhile, and could put a link that leads out of
/// them where a folder was just now: none is followed, and each is opened below the one it was found in.
const FOLDER: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);
const STAYS_BELOW: ResolveFlags = ResolveFlags::BENEATH
    .union(ResolveFlags::NO_SYMLINKS)
    .union(ResolveFlags::NO_XDEV);

/// What was changed, from the upper directory of a container with overlay storage; nothing where it cannot be read.
pub(crate) fn read(upper: &Path) -> Option<Drift> {
    let mut reader = Reader {
        left: MOST_ENTRIES,
        drift: Drift {
            folder: upper.display().to_string(),
            ..Drift::default()
        },
    };
    // Down to here the path is the engine's.
    let folder = open(upper, FOLDER, Mode::empty()).ok()?;
    reader.walk(folder, "", DEPTH).ok()?;
    reader.drift.files.sort();
    Some(reader.drift)
}

struct Reader {
    left: usize,
    drift: Drift,
}

impl Reader {
    /// `inside` is the folder's path as the container sees it: empty, or `etc/nginx/`.
    fn walk(&mut self, folder: OwnedFd, inside: &str, depth: usize) -> io::Result<()> {
        let mut entries = Dir::read_from(&folder)?;
        while let Some(entry) = entries.read() {
            // Containers go on writing while they are looked at: what is gone by now is nothing.
            let Ok(entry) = entry else { break };
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            let Some(left) = self.left.checked_sub(1) else {
                self.drift.is_cut = true;
                return Ok(());
            };
            self.left = left;
            let path = format!("{inside}{}", name.to_string_lossy());
            if is_work(&path) {
                continue;
            }
            // Not all file systems say it at once.
            let kind = match entry.file_type() {
                FileType::Unknown => match kind(folder.as_fd(), name) {
                    Some(kind) => kind,
                    None => continue,
                },
                kind => kind,
            };
            if kind == FileType::Directory {
                let opened = openat2(&folder, name, FOLDER, Mode::empty(), STAYS_BELOW);
                if depth > 0
                    && let Ok(below) = opened
                {
                    let _ = self.walk(below, &format!("{path}/"), depth - 1);
                }
            } else if let Some(removed) = removed(kind, folder.as_fd(), name) {
                if self.drift.files.len() == MOST_FILES {
                    self.drift.is_cut = true;
                    return Ok(());
                }
                self.drift.files.push(ChangedFile {
                    path: format!("/{path}"),
                    removed,
                });
            }
        }
        Ok(())
    }
}

fn kind(folder: BorrowedFd<'_>, name: &CStr) -> Option<FileType> {
    let found = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
    Some(FileType::from_raw_mode(found.st_mode))
}

/// Whether it stands for a file that was removed; nothing for sockets, pipes and the like.
fn removed(kind: FileType, folder: BorrowedFd<'_>, name: &CStr) -> Option<bool> {
    if matches!(kind, FileType::RegularFile | FileType::Symlink) {
        return Some(false);
    }
    // Overlay storage marks what was removed by a character device 0:0.
    let is_mark = kind == FileType::CharacterDevice
        && statat(folder, name, AtFlags::SYMLINK_NOFOLLOW).is_ok_and(|found| found.st_rdev == 0);
    is_mark.then_some(true)
}

/// What programs change by working, not by being changed.
fn is_work(text: &str) -> bool {
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
    fn no_link_leads_out_of_the_layer() {
        let [layer, other] = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
        std::fs::write(other.path().join("secret.py"), b"x").expect("written");
        std::os::unix::fs::symlink(other.path(), layer.path().join("app")).expect("a link");
        let drift = read(layer.path()).expect("read");
        let paths: Vec<&str> = drift.files.iter().map(|file| file.path.as_str()).collect();
        // The link itself is something that was changed.
        assert_eq!(paths, ["/app"]);
        // What was a folder when its entry was read, and is a link when it is opened.
        let folder = open(layer.path(), FOLDER, Mode::empty()).expect("opened");
        assert!(openat2(&folder, "app", FOLDER, Mode::empty(), STAYS_BELOW).is_err());
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
