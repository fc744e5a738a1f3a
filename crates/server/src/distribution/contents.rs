//! Content by its digest: `<root>/<algorithm>/<hex>`, as OCI layouts have it under `blobs`.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::ops::Range;
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;

use axum::body::Bytes;
use ergon_oci::{Algorithm, ContentDigest, Hasher};
use futures_util::stream;
use tokio::sync::Semaphore;

use super::error::DistributionError;
use crate::http::file_frames;

/// So much is read at a time.
pub(super) const PIECE: u64 = 512 << 10;

/// Less than this is read; more is sent by the kernel.
const SMALL: u64 = 64 << 10;

/// Of so much content it is remembered that it was checked.
const CHECKED: u64 = 4 * 1024;

/// Content on its way out.
pub type Stream = Pin<Box<dyn futures_util::Stream<Item = io::Result<Bytes>> + Send>>;

/// Where content lies.
#[derive(Clone, Debug)]
pub struct Contents {
    root: PathBuf,
    /// What was seen to be what its digest says.
    checked: moka::sync::Cache<ContentDigest, Identity>,
    /// So many are checked at a time before a part of them is given.
    checking: Arc<Semaphore>,
}

impl Contents {
    /// In a folder on this machine.
    pub fn folder(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            checked: moka::sync::Cache::new(CHECKED),
            checking: Arc::new(Semaphore::new(1)),
        }
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where content of a digest is or would be.
    pub fn path(&self, digest: &ContentDigest) -> PathBuf {
        self.root.join(digest.algorithm().name()).join(digest.hex())
    }

    /// Makes the folders where there are none.
    pub fn prepare(&self) -> io::Result<()> {
        Algorithm::ALL
            .iter()
            .try_for_each(|algorithm| fs::create_dir_all(self.root.join(algorithm.name())))
    }

    /// How long content is, in bytes; `None` where there is none of that digest.
    pub async fn size(&self, digest: &ContentDigest) -> Result<Option<u64>, DistributionError> {
        let path = self.path(digest);
        match tokio::fs::symlink_metadata(&path).await {
            Ok(file) if file.is_file() => Ok(Some(file.len())),
            Ok(_) => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(DistributionError::io("read", &path)(error)),
        }
    }

    /// A whole small document; `None` where there is none of that digest, or one larger than that.
    pub async fn read(
        &self,
        digest: &ContentDigest,
        most: u64,
    ) -> Result<Option<Bytes>, DistributionError> {
        let path = self.path(digest);
        let read = move || -> io::Result<Option<Bytes>> {
            let file = match File::open(&path) {
                Ok(file) => file,
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(error),
            };
            let size = file.metadata()?.len();
            if size > most {
                return Ok(None);
            }
            read_at(&file, 0..size).map(Some)
        };
        let read = tokio::task::spawn_blocking(read).await?;
        read.map_err(DistributionError::io("read", &self.path(digest)))
    }

    /// A part of some content, as a stream; `None` where there is none of that digest.
    ///
    /// Nothing is given that is not what its digest says: content that was not checked since this process
    /// began, or was changed since, is checked on its way out, and broken off before its last piece where it is
    /// damaged. A part of it is given once the whole is checked.
    pub async fn stream(
        &self,
        digest: &ContentDigest,
        range: Range<u64>,
    ) -> Result<Option<Stream>, DistributionError> {
        let (contents, digest) = (self.clone(), *digest);
        // Whoever asks for a part of what is being checked waits for that, instead of checking it once more.
        let _turn = if !self.is_checked(&digest)
            && (range.start > 0 || self.size(&digest).await? != Some(range.end))
        {
            self.checking.acquire().await.ok()
        } else {
            None
        };
        let opened = tokio::task::spawn_blocking(move || contents.open(&digest, range)).await?;
        let (piece, rest) = match opened {
            Ok(Opened::Frame(frame)) => {
                return Ok(Some(Box::pin(stream::once(async { Ok(frame) }))));
            }
            Ok(Opened::Pieces(piece, rest)) => (piece, *rest),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(DistributionError::io("read", &self.path(&digest))(error)),
        };
        let rest = stream::try_unfold(rest, Reading::next);
        let whole = futures_util::StreamExt::chain(stream::once(async { Ok(piece) }), rest);
        Ok(Some(Box::pin(whole)))
    }

    /// Opens content, and checks it where that has to be before any of it is given.
    fn open(&self, digest: &ContentDigest, range: Range<u64>) -> io::Result<Opened> {
        let file = Arc::new(File::open(self.path(digest))?);
        let identity = Identity::of(&file)?;
        if self.checked.get(digest) != Some(identity) {
            let check = Check {
                contents: self.clone(),
                digest: *digest,
                identity,
                hasher: Hasher::new(digest.algorithm()),
            };
            let mut reading = Reading {
                file: Arc::clone(&file),
                left: 0..identity.size,
                ahead: None,
                check: Some(check),
            };
            if range == reading.left {
                let piece = reading.read_piece()?;
                return Ok(Opened::Pieces(piece, Box::new(reading)));
            }
            while reading.check.is_some() {
                reading.read_piece()?;
            }
        }
        if range.end > identity.size {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if range.end - range.start < SMALL {
            return read_at(&file, range).map(Opened::Frame);
        }
        file_frames::frame(&file, range).map(Opened::Frame)
    }

    /// Whether there is content of this digest that was seen to be what it says.
    pub(super) fn is_checked(&self, digest: &ContentDigest) -> bool {
        let Some(checked) = self.checked.get(digest) else {
            return false;
        };
        let identity = File::open(self.path(digest)).and_then(|file| Identity::of(&file));
        identity.is_ok_and(|identity| identity == checked)
    }

    /// Notes that a file under its digest is what it says.
    pub(super) fn note_checked(&self, digest: &ContentDigest, file: &File) {
        if let Ok(identity) = Identity::of(file) {
            self.checked.insert(*digest, identity);
        }
    }

    /// Takes a file over under its digest, which was checked, durably. The file has to be on the same disk.
    pub(super) fn adopt(&self, file: &Path, digest: &ContentDigest) -> io::Result<()> {
        let target = self.path(digest);
        fs::rename(file, &target)?;
        // The rename is durable only once the folder is.
        File::open(target.parent().unwrap_or(&self.root))?.sync_all()
    }

    /// Keeps a small document under its digest, durably.
    pub async fn put(
        &self,
        digest: ContentDigest,
        content: Bytes,
    ) -> Result<(), DistributionError> {
        if self.read(&digest, content.len() as u64).await?.as_ref() == Some(&content) {
            return Ok(());
        }
        let path = self.path(&digest);
        let put = move || -> io::Result<()> {
            let folder = path.parent().unwrap_or(Path::new("."));
            let mut file = tempfile::Builder::new()
                .prefix(".unfinished-")
                .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))
                .tempfile_in(folder)?;
            file.write_all(&content)?;
            file.as_file().sync_all()?;
            file.persist(&path)?;
            File::open(folder)?.sync_all()
        };
        let put = tokio::task::spawn_blocking(put).await?;
        put.map_err(DistributionError::io("write", &self.path(&digest)))
    }
}

/// Content that can be given.
enum Opened {
    /// All of what is wanted.
    Frame(Bytes),
    /// The first piece, and what is still to be read and checked.
    Pieces(Bytes, Box<Reading>),
}

/// Which state of which file was checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Identity {
    inode: u64,
    /// Bytes.
    size: u64,
    /// Seconds and nanoseconds.
    changed: (i64, i64),
}

impl Identity {
    fn of(file: &File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        Ok(Self {
            inode: metadata.ino(),
            size: metadata.len(),
            changed: (metadata.mtime(), metadata.mtime_nsec()),
        })
    }
}

/// What is still to be read of a file, and the piece that is read while the last one is sent.
struct Reading {
    file: Arc<File>,
    left: Range<u64>,
    ahead: Option<tokio::task::JoinHandle<io::Result<(Bytes, Self)>>>,
    check: Option<Check>,
}

/// Content that is checked as it is read.
struct Check {
    contents: Contents,
    digest: ContentDigest,
    identity: Identity,
    hasher: Hasher,
}

impl Reading {
    /// The next piece. The last one is given only if all of them are what they should be.
    fn read_piece(&mut self) -> io::Result<Bytes> {
        let end = self.left.end.min(self.left.start.saturating_add(PIECE));
        let piece = read_at(&self.file, self.left.start..end)?;
        self.left.start = end;
        if let Some(check) = &mut self.check {
            check.hasher.update(&piece);
        }
        if self.left.is_empty()
            && let Some(check) = self.check.take()
        {
            check.finish()?;
        }
        Ok(piece)
    }

    async fn next(mut self) -> io::Result<Option<(Bytes, Self)>> {
        let (piece, mut rest) = match self.ahead.take() {
            Some(ahead) => ahead.await.map_err(io::Error::other)??,
            None if self.left.is_empty() => return Ok(None),
            None => {
                let read = tokio::task::spawn_blocking(move || {
                    let piece = self.read_piece()?;
                    Ok::<_, io::Error>((piece, self))
                });
                read.await.map_err(io::Error::other)??
            }
        };
        if !rest.left.is_empty() {
            let file = Arc::clone(&rest.file);
            let left = rest.left.clone();
            let ahead = tokio::task::spawn_blocking(move || {
                let piece = rest.read_piece()?;
                Ok((piece, rest))
            });
            rest = Self {
                file,
                left,
                ahead: Some(ahead),
                check: None,
            };
        }
        Ok(Some((piece, rest)))
    }
}

impl Check {
    fn finish(self) -> io::Result<()> {
        let actual = self.hasher.finish();
        if actual == self.digest {
            self.contents.checked.insert(self.digest, self.identity);
            return Ok(());
        }
        tracing::error!(digest = %self.digest, %actual, "content is damaged on the disk and is not served; `ergon registry fsck` says more");
        Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("{} is damaged: it is {actual}", self.digest),
        ))
    }
}

pub(super) fn read_at(file: &File, range: Range<u64>) -> io::Result<Bytes> {
    let length = usize::try_from(range.end - range.start).map_err(io::Error::other)?;
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, range.start)?;
    Ok(bytes.into())
}

/// Opens a file of ours for writing at its end, and makes it where `new` says that there is none yet.
pub(super) fn open_own(path: &Path, new: bool) -> io::Result<File> {
    let mut options = fs::OpenOptions::new();
    options.read(true).write(true).create_new(new).mode(0o644);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt as _;

    use super::*;

    /// Content of several pieces, in a folder of its own.
    async fn held(length: usize) -> (tempfile::TempDir, Contents, ContentDigest) {
        let folder = tempfile::tempdir().unwrap();
        let contents = Contents::folder(folder.path());
        contents.prepare().unwrap();
        let content: Bytes = (0..length).map(|index| (index % 251) as u8).collect();
        let digest = ContentDigest::of(Algorithm::Sha512, &content);
        contents.put(digest, content).await.unwrap();
        (folder, contents, digest)
    }

    /// What comes of a stream: the bytes, and whether it ended well.
    async fn came(
        contents: &Contents,
        digest: &ContentDigest,
        range: Range<u64>,
    ) -> (Vec<u8>, bool) {
        let Ok(Some(mut stream)) = contents.stream(digest, range).await else {
            return (Vec::new(), false);
        };
        let mut bytes = Vec::new();
        while let Some(piece) = stream.next().await {
            match piece {
                Ok(piece) => bytes.extend(piece),
                Err(_) => return (bytes, false),
            }
        }
        (bytes, true)
    }

    #[tokio::test]
    async fn content_comes_whole_and_in_parts() {
        let length = 3 * PIECE + 7;
        let (_folder, contents, digest) = held(length as usize).await;
        let part = 5..PIECE + 9;
        let (whole, ended) = came(&contents, &digest, 0..length).await;
        assert!(ended && whole.len() as u64 == length);
        let (bytes, ended) = came(&contents, &digest, part.clone()).await;
        assert!(ended);
        assert_eq!(bytes, whole[part.start as usize..part.end as usize]);
        let (_folder, contents, digest) = held(0).await;
        assert_eq!(came(&contents, &digest, 0..0).await, (Vec::new(), true));
    }

    #[tokio::test]
    async fn damaged_content_is_never_given_whole_and_no_part_of_it_at_all() {
        let length = 2 * PIECE + 7;
        let (_folder, contents, digest) = held(length as usize).await;
        assert!(came(&contents, &digest, 0..length).await.1);
        let file = File::options()
            .write(true)
            .open(contents.path(&digest))
            .unwrap();
        file.write_all_at(b"x", 0).unwrap();
        // As after some time, and as another process sees it: with a clock's tick between.
        file.set_modified(std::time::SystemTime::UNIX_EPOCH)
            .unwrap();
        for range in [0..length, 3..9] {
            let (bytes, ended) = came(&contents, &digest, range).await;
            assert!(!ended && (bytes.len() as u64) < length);
        }
        assert!(came(&contents, &digest, 3..9).await.0.is_empty());
        file.write_all_at(&[0], 0).unwrap();
        assert!(
            came(&contents, &digest, 3..9).await.1,
            "mended, it is given again"
        );
    }

    #[tokio::test]
    async fn content_that_was_cut_short_ends_in_an_error() {
        let (_folder, contents, digest) = held(100).await;
        File::options()
            .write(true)
            .open(contents.path(&digest))
            .unwrap()
            .set_len(50)
            .unwrap();
        assert!(!came(&contents, &digest, 0..100).await.1);
    }
}
