//! Content by its digest: `<root>/<algorithm>/<hex>`, as OCI layouts have it under `blobs`.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::ops::Range;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;

use axum::body::Bytes;
use ergon_oci::{Algorithm, ContentDigest};
use futures_util::stream;

use super::error::DistributionError;

/// So much is read at a time.
const PIECE: u64 = 512 << 10;

/// Content on its way out.
pub type Stream = Pin<Box<dyn futures_util::Stream<Item = io::Result<Bytes>> + Send>>;

/// Where content lies.
#[derive(Clone, Debug)]
pub struct Contents {
    root: PathBuf,
}

impl Contents {
    /// In a folder on this machine.
    pub fn folder(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
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

    /// A part of some content, as a stream. Content that is shorter than that breaks the stream off.
    pub async fn stream(
        &self,
        digest: &ContentDigest,
        range: Range<u64>,
    ) -> Result<Option<Stream>, DistributionError> {
        let path = self.path(digest);
        let first = range.start..range.end.min(range.start.saturating_add(PIECE));
        let opened = tokio::task::spawn_blocking(move || {
            let file = File::open(&path)?;
            let piece = read_at(&file, first)?;
            Ok::<_, io::Error>((file, piece))
        });
        let (file, piece) = match opened.await? {
            Ok(opened) => opened,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(DistributionError::io("read", &self.path(digest))(error)),
        };
        let next = range.start + piece.len() as u64;
        let rest = Reading::new(Arc::new(file), next..range.end);
        let rest = stream::try_unfold(rest, Reading::next);
        let whole = futures_util::StreamExt::chain(stream::once(async { Ok(piece) }), rest);
        Ok(Some(Box::pin(whole)))
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
        if self.size(&digest).await? == Some(content.len() as u64) {
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

/// What is still to be read of a file, and the piece that is read while the last one is sent.
struct Reading {
    file: Arc<File>,
    left: Range<u64>,
    ahead: Option<tokio::task::JoinHandle<io::Result<Bytes>>>,
}

impl Reading {
    fn new(file: Arc<File>, left: Range<u64>) -> Self {
        let mut reading = Self {
            file,
            left,
            ahead: None,
        };
        reading.read_ahead();
        reading
    }

    fn read_ahead(&mut self) {
        let piece = self.left.start..self.left.end.min(self.left.start.saturating_add(PIECE));
        if piece.is_empty() {
            return;
        }
        self.left.start = piece.end;
        let file = Arc::clone(&self.file);
        self.ahead = Some(tokio::task::spawn_blocking(move || read_at(&file, piece)));
    }

    async fn next(mut self) -> io::Result<Option<(Bytes, Self)>> {
        let Some(ahead) = self.ahead.take() else {
            return Ok(None);
        };
        let piece = ahead.await.map_err(io::Error::other)??;
        self.read_ahead();
        Ok(Some((piece, self)))
    }
}

fn read_at(file: &File, range: Range<u64>) -> io::Result<Bytes> {
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
