//! Why a stack does not start, in one sentence, and what to do.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use ergon_pack::CacheError;
use ergon_pack::attest::KeyError;
use ergon_store::{AuditError, CheckpointError, StoreError};

use crate::identity::AuthorityError;
use crate::model::AskError;
use crate::secrets::SecretError;
use crate::tls::TlsError;

/// Why a stack does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("the data folder {} is in use by {}", folder.display(), pid.map_or("another stack".to_owned(), |pid| format!("process {pid}")))]
    InUse { folder: PathBuf, pid: Option<u32> },
    #[error("{} cannot be written: {}", path.display(), reason(error))]
    Folder { path: PathBuf, error: io::Error },
    #[error("the path of the data folder {} is too long for the companions' sockets in it", folder.display())]
    PathTooLong { folder: PathBuf },
    #[error("{address} is in use by another program")]
    PortBusy { address: SocketAddr },
    #[error("cannot listen on {address}: {}", reason(error))]
    Listen {
        address: SocketAddr,
        error: io::Error,
    },
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Cache(#[from] CacheError),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    Audit(#[from] AuditError),
    #[error("the audit log cannot be signed: {0}")]
    Checkpoint(#[from] CheckpointError),
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error("the model cannot be asked: {0}")]
    Model(#[from] AskError),
    #[error("secrets cannot be used: {0}")]
    Secrets(#[from] Box<SecretError>),
    #[error("the system gives no signals: {0}")]
    Signals(io::Error),
}

impl StartError {
    pub(crate) fn folder(path: &Path, error: io::Error) -> Self {
        Self::Folder {
            path: path.to_owned(),
            error,
        }
    }

    pub(crate) fn listen(address: SocketAddr, error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::AddrInUse {
            Self::PortBusy { address }
        } else {
            Self::Listen { address, error }
        }
    }

    /// What a person can do about it.
    pub fn remedy(&self) -> Option<String> {
        let text = match self {
            Self::InUse { pid: Some(pid), .. } => {
                return Some(format!(
                    "use that stack (`ergon status`), stop it (`kill {pid}`), or choose another folder with --data"
                ));
            }
            Self::InUse { .. } => {
                "use that stack (`ergon status`), stop it, or choose another folder with --data"
            }
            Self::Folder { error, .. } if is_full(error) => {
                "free some space on its disk, or choose another folder with --data"
            }
            Self::Folder { .. } => {
                "make it writable for this user, or choose another folder with --data"
            }
            Self::PathTooLong { .. } => "choose a folder with a shorter path with --data",
            Self::PortBusy { address } => {
                return Some(format!(
                    "choose another port with --listen {}:PORT (0 takes a free one), or see who listens: ss -ltnp sport = :{}",
                    address.ip(),
                    address.port()
                ));
            }
            Self::Listen { .. } => "choose an address of this machine with --listen",
            Self::Store(error) => return error.remedy(),
            Self::Cache(error) => return Some(error.remedy()),
            Self::Key(error) => return Some(error.remedy()),
            Self::Authority(error) => return Some(error.remedy()),
            Self::Tls(error) => return Some(error.remedy()),
            Self::Audit(_) => {
                "free some space on its disk, or make it writable for this user; nothing is changed that cannot be written down"
            }
            Self::Model(_) => {
                "see whether this machine has certificates to trust, or leave --model-url out"
            }
            Self::Secrets(error) => return error.remedy(),
            Self::Checkpoint(_) | Self::Signals(_) => return None,
        };
        Some(text.to_owned())
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}

/// What the system says, without its number.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::ReadOnlyFilesystem => "the file system is read-only".to_owned(),
        io::ErrorKind::NotADirectory => "it, or a folder above it, is a file".to_owned(),
        io::ErrorKind::AddrNotAvailable => "this machine has no such address".to_owned(),
        _ if is_full(error) => "the disk is full".to_owned(),
        _ => {
            let text = error.to_string();
            text.split(" (os error")
                .next()
                .unwrap_or(&text)
                .to_lowercase()
        }
    }
}
