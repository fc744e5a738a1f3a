//! What content there is: listed, removed, set aside.

use std::fs::{self, File, Metadata};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use ergon_oci::{Algorithm, ContentDigest, Hasher};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use super::contents::Contents;
use super::error::DistributionError;

/// So many are listed at a time.
const BATCH: usize = 64;
/// So many bytes are read at a time, and hashed.
const PIECE: u64 = 4 << 20;
/// How files are called that are being written, until they have the name of their content.
const UNFINISHED: &str = ".unfinished-";

/// Content that is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldContent {
    pub digest: ContentDigest,
    /// Bytes.
    pub size: u64,
    /// When it came, was used or was changed last.
    pub used: SystemTime,
    /// Somebody else has the same file: removing it here frees nothing.
    pub is_shared: bool,
}

/// What a listing comes upon, a batch at a time.
pub type Listing = mpsc::Receiver<Result<Vec<HeldContent>, DistributionError>>;

impl Contents {
    /// Everything that is held, in no order. What comes or goes meanwhile may be in it or not.
    pub fn list(&self) -> Listing {
        let (sender, listing) = mpsc::channel(2);
        let contents = self.clone();
        spawn_blocking(move || {
            for algorithm in Algorithm::ALL {
                let folder = contents.root().join(algorithm.name());
                if let Err(error) = list(&folder, algorithm, &sender) {
                    let _ =
                        sender.blocking_send(Err(DistributionError::io("list", &folder)(error)));
                }
            }
        });
        listing
    }

    /// Content as it is now; `None` where there is none of that digest.
    pub async fn held(
        &self,
        digest: &ContentDigest,
    ) -> Result<Option<HeldContent>, DistributionError> {
        let path = self.path(digest);
        match tokio::fs::symlink_metadata(&path).await {
            Ok(file) => Ok(held(*digest, &file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(DistributionError::io("read", &path)(error)),
        }
    }

    /// Reads all of some content and says what its digest is; `None` where there is none of that name.
    /// `told` is how many bytes were read since it was called last.
    ///
    /// It reads what is on the disk, whatever is known of it. Whoever lets go of this ends it with its next piece.
    pub async fn hash(
        &self,
        digest: &ContentDigest,
        mut told: impl FnMut(u64),
    ) -> io::Result<Option<ContentDigest>> {
        let path = self.path(digest);
        let opened = spawn_blocking(move || File::open(path)).await?;
        let mut file = match opened {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut hasher = Hasher::new(digest.algorithm());
        loop {
            let read;
            (file, hasher, read) = spawn_blocking(move || {
                let read = io::copy(&mut (&file).take(PIECE), &mut hasher)?;
                Ok::<_, io::Error>((file, hasher, read))
            })
            .await??;
            if read == 0 {
                return Ok(Some(hasher.finish()));
            }
            told(read);
        }
    }

    /// Removes content. What a crash brings back is removed the next time.
    pub async fn remove(&self, digests: Vec<ContentDigest>) -> Result<(), DistributionError> {
        let contents = self.clone();
        spawn_blocking(move || {
            for digest in digests {
                let path = contents.path(&digest);
                remove(&path).map_err(DistributionError::io("remove", &path))?;
            }
            Ok(())
        })
        .await?
    }

    /// Moves content to `quarantine`, from where nothing is served. Returns where it is now.
    pub async fn set_aside(
        &self,
        digest: &ContentDigest,
        quarantine: &Path,
    ) -> Result<PathBuf, DistributionError> {
        let path = self.path(digest);
        let folder = quarantine.join(digest.algorithm().name());
        let target = folder.join(digest.hex());
        spawn_blocking(move || {
            fs::create_dir_all(&folder)
                .and_then(|()| fs::rename(&path, &target))
                .map_err(DistributionError::io("set aside", &path))?;
            Ok(target)
        })
        .await?
    }

    /// Files that were being written when a process was killed, and are as old as that.
    pub async fn unfinished(&self, age: Duration) -> Result<Vec<PathBuf>, DistributionError> {
        let contents = self.clone();
        spawn_blocking(move || {
            let mut found = Vec::new();
            for algorithm in Algorithm::ALL {
                let folder = contents.root().join(algorithm.name());
                unfinished(&folder, age, &mut found)
                    .map_err(DistributionError::io("list", &folder))?;
            }
            Ok(found)
        })
        .await?
    }
}

fn list(
    folder: &Path,
    algorithm: Algorithm,
    sender: &mpsc::Sender<Result<Vec<HeldContent>, DistributionError>>,
) -> io::Result<()> {
    let mut batch = Vec::with_capacity(BATCH);
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let Some(digest) = name
            .to_str()
            .and_then(|hex| format!("{}:{hex}", algorithm.name()).parse().ok())
        else {
            continue;
        };
        // One that went meanwhile is not there, whoever removed it.
        let Ok(file) = entry.metadata() else { continue };
        batch.extend(held(digest, &file));
        if batch.len() == BATCH
            && sender
                .blocking_send(Ok(std::mem::take(&mut batch)))
                .is_err()
        {
            return Ok(());
        }
    }
    if !batch.is_empty() {
        let _ = sender.blocking_send(Ok(batch));
    }
    Ok(())
}

fn held(digest: ContentDigest, file: &Metadata) -> Option<HeldContent> {
    // Content that is linked from the cache is as old as its build there; that it was linked changes the other time.
    let modified = file.modified().unwrap_or(SystemTime::UNIX_EPOCH);
    let seconds = u64::try_from(file.ctime()).unwrap_or_default();
    let nanoseconds = u64::try_from(file.ctime_nsec()).unwrap_or_default();
    let since = Duration::from_secs(seconds) + Duration::from_nanos(nanoseconds);
    file.is_file().then(|| HeldContent {
        digest,
        size: file.len(),
        used: modified.max(SystemTime::UNIX_EPOCH + since),
        is_shared: file.nlink() > 1,
    })
}

fn unfinished(folder: &Path, age: Duration, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let is_unfinished = entry
            .file_name()
            .to_str()
            .is_some_and(|name| name.starts_with(UNFINISHED));
        let touched = entry.metadata().and_then(|file| file.modified());
        let is_old = touched.is_ok_and(|touched| touched.elapsed().is_ok_and(|old| old >= age));
        if is_unfinished && is_old {
            found.push(entry.path());
        }
    }
    Ok(())
}

/// Removes a file that may be gone already.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
