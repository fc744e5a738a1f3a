//! Why something is not done in the directory.

use ergon_store::StoreError;

use super::claim::Holder;
use crate::registration::RegistrationError;

/// Why something is not done in the directory.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    #[error(transparent)]
    Registration(#[from] RegistrationError),
    #[error("the name {name} is held by {holder}")]
    NameTaken { name: String, holder: Box<Holder> },
    #[error("there is nobody called `{name}`")]
    NotFound { name: String },
    #[error("`{name}` is this stack's own, and comes and goes with what it stands for")]
    Own { name: String },
    #[error("the lease of `{name}` is another one: somebody else has come since")]
    OtherLease { name: String },
    #[error("{by} has registered {most} records, and no more are taken")]
    TooMany { by: String, most: usize },
    #[error("the directory is full: {0}")]
    Full(&'static str),
    #[error("the record takes more than {} KiB with its headers", most >> 10)]
    TooLarge { most: usize },
    #[error("the store could not be written")]
    NotWritten,
    #[error("what is sent along with messages to `{name}` cannot be opened")]
    Sealed { name: String },
    #[error("the directory is closed: the stack ends")]
    Closed,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl DirectoryError {
    /// What a person can do about it.
    pub fn remedy(&self) -> Option<String> {
        let text = match self {
            Self::NameTaken { holder, .. } if holder.is_same => {
                "show the `lease` that its registration was answered with, or end the program that still answers there"
            }
            Self::NameTaken { .. } => "choose another name",
            Self::NotFound { .. } | Self::OtherLease { .. } => {
                "register again: POST /api/registry/register"
            }
            Self::Own { .. } => "remove the container or the project that it stands for",
            Self::TooMany { .. } | Self::Full(_) => {
                "deregister those who left, or wait until their leases end"
            }
            Self::Sealed { .. } => "register it again with its headers",
            Self::Registration(_) => "docs/directory.md says what a record is",
            Self::TooLarge { .. } => "say less in `capabilities`, `federation` or `headers`",
            Self::NotWritten => "what `ergon up` printed says why; try again once it is put right",
            Self::Closed => "try again once it is up",
            Self::Store(error) => return error.remedy(),
        };
        Some(text.to_owned())
    }
}
