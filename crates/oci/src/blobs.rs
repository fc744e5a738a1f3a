//! A folder of content, named by its digest.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use ergon_manifest::Digest;
use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;

use crate::error::Error;
use crate::files::{open_beneath, open_own, read_up_to};
use crate::model::{Descriptor, LARGEST_DOCUMENT};

/// A content-addressed folder: `<root>/sha256/<hex>`.
///
/// Writers stream into a temporary file beside the blobs, which is synced and renamed when its
/// digest is known: a crash leaves a blob whole or not there, and two writers of one blob agree.
#[derive(Clone, Debug)]
pub struct Blobs {
    root: PathBuf,
    /// Where it is somebody else's: the folder that no link may lead out of.
    within: Option<PathBuf>,
}

impl Blobs {
    /// Opens the folder, and makes it where there is none.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self, Error> {
        let blobs = Self {
            root: root.into(),
            within: None,
        };
        let folder = blobs.folder();
        fs::create_dir_all(&folder).map_err(Error::io("make the folder", &folder))?;
        Ok(blobs)
    }

    /// The blobs of a layout, which may be somebody else's.
    pub(crate) fn of_layout(layout: &Path) -> Self {
        Self {
            root: layout.join("blobs"),
            within: Some(layout.to_owned()),
        }
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where a blob is or would be.
    pub fn path(&self, digest: &Digest) -> PathBuf {
        self.folder().join(digest.hex())
    }

    pub fn contains(&self, digest: &Digest) -> bool {
        fs::symlink_metadata(self.path(digest)).is_ok_and(|file| file.is_file())
    }

    /// Whether a blob is there in its whole length: one that was cut short is as good as none.
    pub fn holds(&self, digest: &Digest, size: u64) -> bool {
        let file = fs::symlink_metadata(self.path(digest));
        file.is_ok_and(|file| file.is_file() && file.len() == size)
    }

    /// The size of a blob in bytes.
    pub fn size(&self, digest: &Digest) -> Result<u64, Error> {
        let opened = self.open_read(digest)?.metadata();
        let size = opened.map(|metadata| metadata.len());
        size.map_err(Error::io("read", self.path(digest)))
    }

    /// A document's content, checked against its digest. What is larger than documents are is an error.
    pub fn read(&self, digest: &Digest) -> Result<Vec<u8>, Error> {
        self.read_up_to(digest, LARGEST_DOCUMENT)
    }

    /// [`Blobs::read`] of what may have as many as `most` bytes.
    pub(crate) fn read_up_to(&self, digest: &Digest, most: u64) -> Result<Vec<u8>, Error> {
        let path = self.path(digest);
        let content =
            read_up_to(self.open_read(digest)?, most).map_err(Error::io("read", &path))?;
        let actual = Digest::of(&content);
        if actual == *digest {
            Ok(content)
        } else {
            Err(Error::DamagedBlob { path, actual })
        }
    }

    /// Opens a blob for streaming. Its digest is not checked; [`Blobs::verify`] does that.
    ///
    /// What is no regular file is an error: a pipe would be waited for, a device has no end.
    pub fn open_read(&self, digest: &Digest) -> Result<File, Error> {
        let path = self.path(digest);
        let opened = match &self.within {
            Some(folder) => {
                let below = path.strip_prefix(folder).unwrap_or(&path);
                open_beneath(folder, below)
            }
            None => open_own(&path),
        };
        opened.map_err(|error| self.unreadable(digest, path, error))
    }

    /// Reads a whole blob to see that it is what its name says.
    pub fn verify(&self, digest: &Digest) -> Result<(), Error> {
        let path = self.path(digest);
        let mut hashing = Hashing(Sha256::new());
        io::copy(&mut self.open_read(digest)?, &mut hashing).map_err(Error::io("read", &path))?;
        let actual = Digest::from_bytes(hashing.0.finalize().into());
        if actual == *digest {
            Ok(())
        } else {
            Err(Error::DamagedBlob { path, actual })
        }
    }

    /// Stores a small blob.
    pub fn put(&self, content: &[u8]) -> Result<Digest, Error> {
        let digest = Digest::of(content);
        // A file that holds anything else is damage, which writing again repairs.
        let size = content.len() as u64;
        if self.holds(&digest, size) && self.read_up_to(&digest, size).is_ok() {
            return Ok(digest);
        }
        let mut writer = self.writer()?;
        writer
            .write_all(content)
            .map_err(Error::io("write into", self.folder()))?;
        Ok(writer.finish()?.0)
    }

    /// Starts a blob whose digest is known when it is finished.
    pub fn writer(&self) -> Result<BlobWriter, Error> {
        let folder = self.folder();
        let file = tempfile::Builder::new()
            .prefix(".unfinished-")
            .permissions(fs::Permissions::from_mode(0o644))
            .tempfile_in(&folder)
            .map_err(Error::io("write into", &folder))?;
        Ok(BlobWriter {
            file,
            hasher: Sha256::new(),
            size: 0,
            blobs: self.clone(),
        })
    }

    /// Takes a blob over from another folder: a hard link, or a copy where that cannot be.
    pub fn link_from(&self, other: &Self, digest: &Digest) -> Result<(), Error> {
        if self.holds(digest, other.size(digest)?) {
            return Ok(());
        }
        match fs::hard_link(other.path(digest), self.path(digest)) {
            Ok(()) => Ok(()),
            // Linked by somebody else meanwhile, or another disk, or what is here was cut short.
            Err(_) => self.copy_from(other, digest),
        }
    }

    /// Copies a blob, checking it on the way.
    ///
    /// For folders that leave our hands: writing to a hard link would damage the original.
    pub fn copy_from(&self, other: &Self, digest: &Digest) -> Result<(), Error> {
        let size = other.size(digest)?;
        self.copy_sized(other, digest, size)
    }

    /// Copies what a manifest or an index names, if it is as long as they say.
    pub(crate) fn copy_part(&self, other: &Self, part: &Descriptor) -> Result<(), Error> {
        let size = other.size(&part.digest)?;
        if size != part.size {
            return Err(Error::malformed(
                other.root.display().to_string(),
                format!(
                    "it is said that {} has {} bytes, and it has {size}",
                    part.digest, part.size
                ),
            ));
        }
        self.copy_sized(other, &part.digest, size)
    }

    fn copy_sized(&self, other: &Self, digest: &Digest, size: u64) -> Result<(), Error> {
        if self.holds(digest, size) {
            return Ok(());
        }
        let folder = self.folder();
        // Said before the disk is full, not when it is.
        let disk = rustix::fs::statvfs(&folder);
        if disk.is_ok_and(|disk| disk.f_bavail.saturating_mul(disk.f_frsize) < size) {
            return Err(Error::NoSpace { path: folder });
        }
        let mut from = other.open_read(digest)?.take(size);
        let mut writer = self.writer()?;
        copy(&mut from, &mut writer, other.path(digest), folder)?;
        writer.finish_as(digest).map(drop)
    }

    /// An anonymous file on the disk of the blobs, gone when it is closed.
    pub(crate) fn scratch_file(&self) -> Result<File, Error> {
        tempfile::tempfile_in(self.folder())
            .map_err(Error::io("make a temporary file in", self.folder()))
    }

    fn folder(&self) -> PathBuf {
        self.root.join("sha256")
    }

    fn unreadable(&self, digest: &Digest, path: PathBuf, error: io::Error) -> Error {
        match error.kind() {
            io::ErrorKind::NotFound => Error::MissingBlob {
                digest: *digest,
                root: self.root.clone(),
            },
            _ => Error::io("read", path)(error),
        }
    }
}

/// A blob that is being written; dropped unfinished, it leaves nothing.
#[derive(Debug)]
pub struct BlobWriter {
    file: NamedTempFile,
    hasher: Sha256,
    size: u64,
    blobs: Blobs,
}

impl BlobWriter {
    /// Makes the blob durable under its digest. Returns digest and size.
    pub fn finish(self) -> Result<(Digest, u64), Error> {
        let digest = Digest::from_bytes(self.hasher.finalize().into());
        let (target, folder) = (self.blobs.path(&digest), self.blobs.folder());
        self.file
            .as_file()
            .sync_all()
            .map_err(Error::io("write", &target))?;
        self.file
            .persist(&target)
            .map_err(|failed| Error::io("write", &target)(failed.error))?;
        // The rename itself is durable only once the folder is.
        File::open(&folder)
            .and_then(|folder| folder.sync_all())
            .map_err(Error::io("write", &folder))?;
        Ok((digest, self.size))
    }

    /// Makes the blob durable if its content has the digest that was promised. Returns its size.
    pub fn finish_as(self, expected: &Digest) -> Result<u64, Error> {
        let actual = Digest::from_bytes(self.hasher.clone().finalize().into());
        if actual != *expected {
            return Err(Error::DamagedBlob {
                path: self.blobs.path(expected),
                actual,
            });
        }
        Ok(self.finish()?.1)
    }

    /// How much was written so far.
    pub fn size(&self) -> u64 {
        self.size
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.blobs.folder()
    }
}

impl Write for BlobWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

struct Hashing(Sha256);

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes a small file so that readers see the old content or the new, also after a crash.
pub(crate) fn write_file(path: &Path, content: &[u8]) -> Result<(), Error> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let write = || -> io::Result<()> {
        let mut file = tempfile::Builder::new()
            .prefix(".unfinished-")
            .permissions(fs::Permissions::from_mode(0o644))
            .tempfile_in(folder)?;
        file.write_all(content)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        File::open(folder)?.sync_all()
    };
    write().map_err(Error::io("write", path))
}

/// Sets a file's time to now, for whoever asks when it was last of use. Where that cannot be, it stays.
pub fn touch(path: &Path) {
    let now = fs::FileTimes::new().set_modified(std::time::SystemTime::now());
    if let Err(error) = open_own(path).and_then(|file| file.set_times(now)) {
        tracing::debug!(path = %path.display(), %error, "when it was used cannot be kept");
    }
}

/// Copies a stream, saying on which side it failed.
pub(crate) fn copy(
    from: &mut impl Read,
    to: &mut impl Write,
    from_path: impl AsRef<Path>,
    to_path: impl AsRef<Path>,
) -> Result<u64, Error> {
    let mut buffer = vec![0; 128 * 1024];
    let mut total = 0;
    loop {
        let read = match from.read(&mut buffer) {
            Ok(0) => return Ok(total),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Error::io("read", from_path)(error)),
        };
        to.write_all(&buffer[..read])
            .map_err(Error::io("write into", &to_path))?;
        total += read as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blobs() -> (tempfile::TempDir, Blobs) {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(folder.path().join("blobs")).unwrap();
        (folder, blobs)
    }

    fn names(blobs: &Blobs) -> Vec<String> {
        fs::read_dir(blobs.folder())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    #[test]
    fn what_is_put_is_found_under_its_digest() {
        let (_folder, blobs) = blobs();
        let digest = blobs.put(b"hello").unwrap();
        assert_eq!(digest, Digest::of(b"hello"));
        assert!(blobs.contains(&digest));
        assert_eq!(blobs.size(&digest).unwrap(), 5);
        assert_eq!(blobs.read(&digest).unwrap(), b"hello");
        assert_eq!(names(&blobs), [digest.hex()]);
    }

    #[test]
    fn a_writer_that_is_dropped_leaves_nothing() {
        let (_folder, blobs) = blobs();
        let mut writer = blobs.writer().unwrap();
        writer.write_all(b"half").unwrap();
        drop(writer);
        assert!(names(&blobs).is_empty());
    }

    #[test]
    fn a_writer_that_was_promised_another_digest_leaves_nothing() {
        let (_folder, blobs) = blobs();
        let mut writer = blobs.writer().unwrap();
        writer.write_all(b"lie").unwrap();
        assert!(matches!(
            writer.finish_as(&Digest::of(b"truth")),
            Err(Error::DamagedBlob { .. })
        ));
        assert!(names(&blobs).is_empty());
    }

    #[test]
    fn damage_is_noticed_and_an_absent_blob_is_missing() {
        let (_folder, blobs) = blobs();
        let digest = blobs.put(b"hello").unwrap();
        fs::write(blobs.path(&digest), "hellO").unwrap();
        assert!(matches!(
            blobs.read(&digest),
            Err(Error::DamagedBlob { .. })
        ));
        assert!(matches!(
            blobs.verify(&digest),
            Err(Error::DamagedBlob { .. })
        ));
        assert!(matches!(
            blobs.read(&Digest::of(b"")),
            Err(Error::MissingBlob { .. })
        ));
    }

    #[test]
    fn what_was_cut_short_or_changed_is_written_again() {
        let (_first, from) = blobs();
        let (_second, to) = blobs();
        let digest = from.put(b"hello").unwrap();
        for damage in ["hell", "hellO", ""] {
            fs::write(to.path(&digest), damage).unwrap();
            to.put(b"hello").unwrap();
            assert_eq!(to.read(&digest).unwrap(), b"hello", "put over {damage:?}");
        }
        fs::write(to.path(&digest), "hell").unwrap();
        assert!(to.contains(&digest) && !to.holds(&digest, 5));
        to.link_from(&from, &digest).unwrap();
        assert_eq!(to.read(&digest).unwrap(), b"hello");
        fs::write(to.path(&digest), "hell").unwrap();
        to.copy_from(&from, &digest).unwrap();
        assert_eq!(to.read(&digest).unwrap(), b"hello");
    }

    #[test]
    fn linking_takes_a_blob_over_and_copying_makes_its_own_file() {
        use std::os::unix::fs::MetadataExt;
        let (_first, from) = blobs();
        let (_second, to) = blobs();
        let digest = from.put(b"hello").unwrap();
        to.link_from(&from, &digest).unwrap();
        to.link_from(&from, &digest).unwrap();
        assert_eq!(to.read(&digest).unwrap(), b"hello");
        let (_third, copied) = blobs();
        copied.copy_from(&from, &digest).unwrap();
        let inode = |blobs: &Blobs| fs::metadata(blobs.path(&digest)).unwrap().ino();
        assert_ne!(inode(&copied), inode(&from));
    }

    #[test]
    fn a_full_disk_says_so_and_what_to_do() {
        let full = io::Error::from(io::ErrorKind::StorageFull);
        let error = Error::io("write into", "/cache")(full);
        insta::assert_snapshot!(error, @"no space left on /cache");
        insta::assert_snapshot!(error.remedy().unwrap(), @"free some space on the disk of /cache, or point XDG_CACHE_HOME elsewhere");
    }
}
