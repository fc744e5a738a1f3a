//! A blob on its way from an upstream: written to a file, and read from it by whoever asks meanwhile.

use std::fs::File;
use std::io;
use std::sync::Arc;

use futures_util::stream;
use tokio::sync::watch;

use super::super::contents::{PIECE, Stream, read_at};
use super::super::error::DistributionError;
use ergon_oci::registry::Refusal;

/// How far it is.
#[derive(Clone, Debug)]
pub enum Progress {
    /// So many bytes are written.
    Written(u64),
    /// It is whole, has its digest, and is held.
    Held(u64),
    Failed(Refusal),
}

/// A blob that is being fetched.
#[derive(Debug)]
pub struct Coming {
    file: Arc<File>,
    /// Bytes, where it is known before it is here.
    pub size: Option<u64>,
    progress: watch::Receiver<Progress>,
}

impl Coming {
    pub fn new(file: File, size: Option<u64>, progress: watch::Receiver<Progress>) -> Self {
        Self {
            file: Arc::new(file),
            size,
            progress,
        }
    }

    /// Waits until it is held; how long it is then.
    pub async fn held(&self) -> Result<u64, DistributionError> {
        let mut progress = self.progress.clone();
        let ended = progress.wait_for(|progress| !matches!(progress, Progress::Written(_)));
        match ended.await.as_deref() {
            Ok(Progress::Held(size)) => Ok(*size),
            Ok(Progress::Failed(refusal)) => Err(refusal.clone().into()),
            Ok(Progress::Written(_)) | Err(_) => Err(cut_off().into()),
        }
    }

    /// All of it, as it comes. Its last byte is given once it is known that it is what was asked for: of anything
    /// else nobody ever gets the whole.
    pub fn stream(&self, size: u64) -> Stream {
        let reading = (Arc::clone(&self.file), self.progress.clone(), 0_u64);
        Box::pin(stream::try_unfold(
            reading,
            move |(file, mut progress, at)| async move {
                if at == size {
                    return Ok(None);
                }
                let enough = |progress: &Progress| match progress {
                    Progress::Written(written) => at < *written && at + 1 < size,
                    Progress::Held(_) | Progress::Failed(_) => true,
                };
                let there = match progress.wait_for(enough).await.as_deref() {
                    Ok(Progress::Written(written)) => (*written).min(size - 1),
                    Ok(Progress::Held(_)) => size,
                    Ok(Progress::Failed(refusal)) => return Err(io::Error::other(refusal.clone())),
                    Err(_) => return Err(io::Error::other(cut_off())),
                };
                let piece = at..there.min(at + PIECE);
                let end = piece.end;
                let source = Arc::clone(&file);
                let read = tokio::task::spawn_blocking(move || read_at(&source, piece));
                let bytes = read.await.map_err(io::Error::other)??;
                Ok(Some((bytes, (file, progress, end))))
            },
        ))
    }
}

fn cut_off() -> Refusal {
    use ergon_oci::registry::Code;
    Refusal::new(
        502,
        Code::Unknown,
        "the stack ended before the blob was here",
    )
}
