//! Half-done uploads: files that grow until they are blobs.
//!
//! An upload is its file and nothing else, so that it outlives the server; how far it got is the file's length.
//! The file's name holds the upload's id and a digest of the repository's name: an id is good in its own
//! repository only. What was hashed so far is kept in memory, and computed again where it is not there.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use axum::body::Bytes;
use ergon_oci::registry::{Code, Refusal, RepositoryName};
use ergon_oci::{Algorithm, ContentDigest, Hasher};
use sha2::Digest as _;
use tokio::task::spawn_blocking;

use super::contents::{Contents, open_own};
use super::error::DistributionError;
use crate::entropy::Entropy;

/// Of so many uploads at most it is remembered what was hashed.
const REMEMBERED: u64 = 1024;
/// Uploads that nobody went on with for so long are removed.
const FORGOTTEN_AFTER: Duration = Duration::from_hours(24);
/// Sixteen random bytes in hex.
const ID_LENGTH: usize = 32;

/// The uploads that are under way.
#[derive(Debug)]
pub struct Uploads {
    folder: PathBuf,
    entropy: Entropy,
    hashed: moka::sync::Cache<String, Hashed>,
}

/// What is known of an upload's content.
#[derive(Clone, Debug)]
struct Hashed {
    hasher: Hasher,
    /// So many bytes went into it.
    length: u64,
}

/// An upload that one request holds. Nobody else can write to it meanwhile.
#[derive(Debug)]
pub struct Upload {
    id: String,
    path: PathBuf,
    file: File,
    hashed: Hashed,
    /// Its length when this request came.
    began: u64,
    /// What came and was not written yet: written with what follows, or as it is made durable.
    waiting: Vec<Bytes>,
}

impl Upload {
    pub fn id(&self) -> &str {
        &self.id
    }

    /// How many bytes there are.
    pub fn length(&self) -> u64 {
        self.hashed.length
            + self
                .waiting
                .iter()
                .map(|bytes| bytes.len() as u64)
                .sum::<u64>()
    }

    /// Its file, for those who read what is there while more comes.
    pub(super) fn open_to_read(&self) -> Result<File, DistributionError> {
        File::open(&self.path).map_err(DistributionError::io("read", &self.path))
    }

    /// How many bytes there were when this request came.
    pub(super) fn began(&self) -> u64 {
        self.began
    }

    /// Takes more; it is written later.
    pub(super) fn take(&mut self, bytes: Bytes) {
        self.waiting.push(bytes);
    }

    /// Writes what was taken.
    pub(super) async fn write(mut self) -> Result<Self, DistributionError> {
        if self.waiting.is_empty() {
            return Ok(self);
        }
        spawn_blocking(move || self.write_here().map(|()| self)).await?
    }

    fn write_here(&mut self) -> Result<(), DistributionError> {
        for bytes in std::mem::take(&mut self.waiting) {
            if let Err(error) = self.file.write_all_at(&bytes, self.hashed.length) {
                let failed = DistributionError::io("write", &self.path)(error);
                if matches!(failed, DistributionError::NoSpace { .. })
                    && let Err(error) = self.file.set_len(self.began)
                {
                    // What this request brought is given up, so that there is room for the rest of the stack.
                    tracing::warn!(path = %self.path.display(), %error, "an upload that filled the disk stays");
                }
                return Err(failed);
            }
            self.hashed.hasher.update(&bytes);
            self.hashed.length += bytes.len() as u64;
        }
        Ok(())
    }
}

impl Uploads {
    pub fn new(folder: &Path, entropy: Entropy) -> Self {
        Self {
            folder: folder.to_owned(),
            entropy,
            hashed: moka::sync::Cache::new(REMEMBERED),
        }
    }

    /// Makes the folder where there is none, and removes what was forgotten in it. Says how many were.
    pub fn prepare(&self) -> io::Result<usize> {
        fs::create_dir_all(&self.folder)?;
        let mut removed = 0;
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let touched = entry.metadata().and_then(|file| file.modified());
            let is_old = touched.is_ok_and(|touched| {
                SystemTime::now()
                    .duration_since(touched)
                    .is_ok_and(|age| age > FORGOTTEN_AFTER)
            });
            // One that somebody holds is not forgotten, however long that takes.
            let is_free =
                || open_own(&entry.path(), false).is_ok_and(|file| file.try_lock().is_ok());
            if is_old && is_free() && fs::remove_file(entry.path()).is_ok() {
                removed += 1;
            }
        }
        Ok(removed)
    }

    /// Begins an upload into a repository.
    pub async fn begin(
        &self,
        repository: &RepositoryName,
        algorithm: Algorithm,
    ) -> Result<Upload, DistributionError> {
        let id = hex::encode(self.entropy.bytes::<{ ID_LENGTH / 2 }>());
        let path = self.path(repository, &id);
        spawn_blocking(move || {
            let file = open_own(&path, true).map_err(DistributionError::io("write", &path))?;
            file.lock().map_err(DistributionError::io("lock", &path))?;
            Ok(Upload {
                id,
                path,
                file,
                hashed: Hashed {
                    hasher: Hasher::new(algorithm),
                    length: 0,
                },
                began: 0,
                waiting: Vec::new(),
            })
        })
        .await?
    }

    /// Goes on with an upload.
    pub async fn open(
        &self,
        repository: &RepositoryName,
        id: &str,
    ) -> Result<Upload, DistributionError> {
        if id.len() != ID_LENGTH
            || !id
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        {
            return Err(unknown(id));
        }
        let (id, path) = (id.to_owned(), self.path(repository, id));
        let known = self.hashed.remove(&id);
        spawn_blocking(move || {
            let file = match open_own(&path, false) {
                Ok(file) => file,
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(unknown(&id)),
                Err(error) => return Err(DistributionError::io("read", &path)(error)),
            };
            match file.try_lock() {
                Ok(()) => {}
                Err(fs::TryLockError::WouldBlock) => return Err(busy(&id)),
                Err(fs::TryLockError::Error(error)) => {
                    return Err(DistributionError::io("lock", &path)(error));
                }
            }
            // Finished or cancelled while we opened it: the file that we hold has no name any more.
            if !path.exists() {
                return Err(unknown(&id));
            }
            let hashed = rehashed(&file, known).map_err(DistributionError::io("read", &path))?;
            Ok(Upload {
                id,
                path,
                file,
                began: hashed.length,
                hashed,
                waiting: Vec::new(),
            })
        })
        .await?
    }

    /// Lets go of an upload, for the next request to go on with. Returns its length in bytes.
    pub async fn keep(&self, upload: Upload) -> Result<u64, DistributionError> {
        let upload = upload.write().await?;
        let length = upload.hashed.length;
        self.hashed.insert(upload.id, upload.hashed);
        Ok(length)
    }

    /// Lets go of an upload as it was when this request came, because what came since was wrong.
    pub async fn keep_as_it_was(&self, upload: Upload) -> Result<(), DistributionError> {
        spawn_blocking(move || {
            upload
                .file
                .set_len(upload.began)
                .map_err(DistributionError::io("write", &upload.path))
        })
        .await?
    }

    /// Ends an upload that is not wanted any more.
    pub async fn cancel(&self, upload: Upload) -> Result<(), DistributionError> {
        spawn_blocking(move || {
            fs::remove_file(&upload.path).map_err(DistributionError::io("remove", &upload.path))
        })
        .await?
    }

    /// Makes an upload content of this digest, durably. One whose content has another digest is removed. Returns the size.
    pub(super) async fn finish(
        &self,
        upload: Upload,
        digest: &ContentDigest,
        contents: &Contents,
    ) -> Result<u64, DistributionError> {
        let (digest, contents) = (*digest, contents.clone());
        spawn_blocking(move || finish(upload, &digest, &contents)).await?
    }

    fn path(&self, repository: &RepositoryName, id: &str) -> PathBuf {
        let owner = sha2::Sha256::digest(repository.as_str());
        self.folder
            .join(format!("{id}-{}", hex::encode(&owner[..8])))
    }
}

fn finish(
    mut upload: Upload,
    digest: &ContentDigest,
    contents: &Contents,
) -> Result<u64, DistributionError> {
    upload.write_here()?;
    let Hashed { mut hasher, length } = upload.hashed;
    if hasher.algorithm() != digest.algorithm() {
        let hashed = hash(&upload.file, Hasher::new(digest.algorithm()), 0);
        (hasher, _) = hashed.map_err(DistributionError::io("read", &upload.path))?;
    }
    let actual = hasher.finish();
    if actual != *digest {
        if let Err(error) = fs::remove_file(&upload.path) {
            tracing::warn!(path = %upload.path.display(), %error, "an upload that was wrong stays behind");
        }
        return Err(Refusal::new(
            400,
            Code::DigestInvalid,
            format!("{length} bytes came whose digest is {actual}, not {digest}"),
        )
        .about([digest.to_string()])
        .into());
    }
    // Content that was not checked may be damaged: what came just now is not, and takes its place.
    if contents.is_checked(digest) {
        // Marked as used now, so that it is not collected before it is linked.
        let held = contents.path(digest);
        ergon_oci::touch(&held);
        if let Ok(file) = File::open(&held) {
            contents.note_checked(digest, &file);
        }
        fs::remove_file(&upload.path).map_err(DistributionError::io("remove", &upload.path))?;
        return Ok(length);
    }
    upload
        .file
        .sync_all()
        .map_err(DistributionError::io("write", &upload.path))?;
    contents
        .adopt(&upload.path, digest)
        .map_err(DistributionError::io("write", &contents.path(digest)))?;
    contents.note_checked(digest, &upload.file);
    Ok(length)
}

/// What an upload's file holds, hashed: from what is known, if it is no more than that.
fn rehashed(file: &File, known: Option<Hashed>) -> io::Result<Hashed> {
    let length = file.metadata()?.len();
    match known {
        Some(known) if known.length == length => Ok(known),
        Some(known) if known.length < length => {
            let (hasher, length) = hash(file, known.hasher, known.length)?;
            Ok(Hashed { hasher, length })
        }
        _ => {
            let (hasher, length) = hash(file, Hasher::new(Algorithm::Sha256), 0)?;
            Ok(Hashed { hasher, length })
        }
    }
}

fn hash(mut file: &File, mut hasher: Hasher, from: u64) -> io::Result<(Hasher, u64)> {
    file.seek(io::SeekFrom::Start(from))?;
    let mut buffer = vec![0; 256 << 10];
    let mut length = from;
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok((hasher, length)),
            read => {
                hasher.update(&buffer[..read]);
                length += read as u64;
            }
        }
    }
}

fn unknown(id: &str) -> DistributionError {
    let shown: String = id.chars().take(64).collect();
    Refusal::new(
        404,
        Code::BlobUploadUnknown,
        format!("there is no upload `{shown}` in this repository: it was finished, cancelled, forgotten, or never was"),
    )
    .into()
}

fn busy(id: &str) -> DistributionError {
    Refusal::new(
        409,
        Code::BlobUploadInvalid,
        format!("another request is writing to the upload {id}"),
    )
    .into()
}
