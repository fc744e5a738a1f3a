//! Files that others made, opened so that only regular files are read and no pipe is waited for.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use rustix::fs::{Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

/// Without `NONBLOCK` the opening of a pipe waits until somebody writes into it.
const FLAGS: OFlags = OFlags::RDONLY
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY)
    .union(OFlags::CLOEXEC);

/// Opens a regular file; a pipe, a device or a folder in its place is an error.
pub fn open_regular(path: &Path) -> io::Result<File> {
    regular(rustix::fs::open(path, FLAGS, Mode::empty())?.into())
}

/// [`open_regular`], where the path's last part is no link.
pub(crate) fn open_own(path: &Path) -> io::Result<File> {
    match rustix::fs::open(path, FLAGS | OFlags::NOFOLLOW, Mode::empty()) {
        Ok(file) => regular(file.into()),
        Err(Errno::LOOP) => Err(io::Error::other("it is a link, not a file")),
        Err(error) => Err(error.into()),
    }
}

/// [`open_regular`] of `path` below `root`, through no link that leads out of it.
pub(crate) fn open_beneath(root: &Path, path: &Path) -> io::Result<File> {
    let folder = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = rustix::fs::open(root, folder, Mode::empty())?;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    match rustix::fs::openat2(&root, path, FLAGS, Mode::empty(), resolve) {
        Ok(file) => regular(file.into()),
        Err(Errno::XDEV | Errno::LOOP) => Err(io::Error::other("a link leads out of the folder")),
        Err(error) => Err(error.into()),
    }
}

/// The content of a regular file that has no reason to be larger than `most` bytes.
pub fn read_whole(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    read_up_to(open_regular(path)?, most)
}

/// The content of a file, unless that is more than `most` bytes.
pub(crate) fn read_up_to(file: File, most: u64) -> io::Result<Vec<u8>> {
    let size = file.metadata()?.len();
    let mut content = Vec::new();
    if size <= most {
        content.reserve(usize::try_from(size).unwrap_or(0));
        // It may grow while it is read.
        file.take(most + 1).read_to_end(&mut content)?;
    }
    if size > most || content.len() as u64 > most {
        let size = size.max(content.len() as u64);
        return Err(io::Error::other(format!(
            "it has {size} bytes, and at most {most} are read"
        )));
    }
    Ok(content)
}

fn regular(file: File) -> io::Result<File> {
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::other("it is no regular file"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::{CWD, FileType};
    use std::fs;

    #[test]
    fn only_regular_files_are_opened_and_no_pipe_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("file"), "content").unwrap();
        let pipe = FileType::Fifo;
        rustix::fs::mknodat(CWD, path("pipe"), pipe, Mode::RUSR | Mode::WUSR, 0).unwrap();
        std::os::unix::fs::symlink("file", path("inside")).unwrap();
        std::os::unix::fs::symlink("/dev/zero", path("outside")).unwrap();
        let opened = |opening: io::Result<File>| opening.is_ok();
        for (name, anywhere, own, beneath) in [
            ("file", true, true, true),
            ("inside", true, false, true),
            ("outside", false, false, false),
            ("pipe", false, false, false),
            (".", false, false, false),
            ("../file", false, false, false),
        ] {
            assert_eq!(opened(open_regular(&path(name))), anywhere, "{name}");
            assert_eq!(opened(open_own(&path(name))), own, "{name}");
            let below = open_beneath(folder.path(), Path::new(name));
            assert_eq!(opened(below), beneath, "{name}");
        }
    }

    #[test]
    fn what_is_larger_than_it_may_be_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "12345").unwrap();
        assert_eq!(read_whole(&path, 5).unwrap(), b"12345");
        let refused = read_whole(&path, 4).unwrap_err().to_string();
        assert_eq!(refused, "it has 5 bytes, and at most 4 are read");
    }
}
