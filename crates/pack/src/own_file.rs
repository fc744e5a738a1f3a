//! The files at a project's root that say how it is built: read, never followed anywhere.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

/// None of these files has a reason to be larger.
const LARGEST: u64 = 8 << 20;

/// The content of the regular file `name` in `folder`; none where there is no such file.
///
/// What is there and cannot be such a file (a link, a pipe, a folder, something huge) is
/// [`io::ErrorKind::InvalidInput`]: a project may come from anywhere, and what lies at the other end
/// of its links is not its own.
pub fn read_own_file(folder: &Path, name: &str) -> io::Result<Option<Vec<u8>>> {
    let refused = |reason: &str| Err(io::Error::new(io::ErrorKind::InvalidInput, reason));
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = match rustix::fs::open(folder.join(name), flags, Mode::empty()) {
        Ok(file) => File::from(file),
        Err(Errno::NOENT) => return Ok(None),
        Err(Errno::LOOP) => return refused("it is a link, and links are not followed"),
        // A socket, or a device without a driver.
        Err(Errno::NXIO) => return refused("it is not a regular file"),
        Err(errno) => return Err(errno.into()),
    };
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return refused("it is not a regular file");
    }
    let mut content = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut content)?;
    if content.len() as u64 > LARGEST {
        return refused("it is larger than 8 MiB");
    }
    Ok(Some(content))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn only_a_regular_file_of_sane_size_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let refused = |name: &str| {
            let error = read_own_file(folder.path(), name).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
            error.to_string()
        };
        std::fs::write(path("plain"), "{}").unwrap();
        assert_eq!(
            read_own_file(folder.path(), "plain").unwrap().as_deref(),
            Some(&b"{}"[..])
        );
        assert_eq!(read_own_file(folder.path(), "absent").unwrap(), None);
        symlink("/dev/zero", path("link")).unwrap();
        assert_eq!(refused("link"), "it is a link, and links are not followed");
        std::fs::create_dir(path("folder")).unwrap();
        assert_eq!(refused("folder"), "it is not a regular file");
        let _socket = std::os::unix::net::UnixListener::bind(path("socket")).unwrap();
        assert_eq!(refused("socket"), "it is not a regular file");
        let fifo = std::process::Command::new("mkfifo")
            .arg(path("pipe"))
            .status();
        assert!(fifo.unwrap().success());
        assert_eq!(refused("pipe"), "it is not a regular file");
        File::create(path("huge"))
            .unwrap()
            .set_len(1 << 40)
            .unwrap();
        assert_eq!(refused("huge"), "it is larger than 8 MiB");
    }
}
