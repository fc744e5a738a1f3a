//! Why the registry did not do something.

use std::io;
use std::path::{Path, PathBuf};

use ergon_oci::registry::{Code, Refusal};
use ergon_store::StoreError;

/// Why the registry did not do something.
#[derive(Debug, thiserror::Error)]
pub enum DistributionError {
    /// What was asked for is wrong, or not to be had.
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("the disk of {} is full", path.display())]
    NoSpace { path: PathBuf },
    #[error("cannot {action} {}: {error}", path.display())]
    Io {
        action: &'static str,
        path: PathBuf,
        error: io::Error,
    },
    #[error(transparent)]
    Oci(#[from] ergon_oci::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("a task ended without an answer: {0}")]
    Task(#[from] tokio::task::JoinError),
}

impl DistributionError {
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |error| {
            let path = path.to_owned();
            match error.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::NoSpace { path },
                _ => Self::Io {
                    action,
                    path,
                    error,
                },
            }
        }
    }

    /// What a person can do about it.
    pub fn remedy(&self) -> Option<String> {
        match self {
            Self::NoSpace { path } => {
                Some(format!("free some space on the disk of {}", path.display()))
            }
            Self::Io { path, .. } => Some(format!("look at {} and its disk", path.display())),
            Self::Oci(error) => error.remedy(),
            Self::Store(error) => error.remedy(),
            Self::Refused(_) | Self::Task(_) => None,
        }
    }

    /// As a client is told. What went wrong inside is for the log; outside it is only said that it did.
    pub fn into_refusal(self) -> Refusal {
        match self {
            Self::Refused(refusal) => refusal,
            error @ (Self::NoSpace { .. } | Self::Store(StoreError::NoSpace)) => {
                tracing::error!(%error, "the registry's disk is full");
                Refusal::new(
                    507,
                    Code::Unknown,
                    "the registry's disk is full; nothing of this request was kept",
                )
            }
            error => {
                tracing::error!(%error, "a request to the registry failed");
                Refusal::new(
                    500,
                    Code::Unknown,
                    "the registry failed to answer this request; what `ergon up` printed says why",
                )
            }
        }
    }
}
