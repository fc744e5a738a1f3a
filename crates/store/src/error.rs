//! What can go wrong with the store, and what a person can do about it.

use std::path::{Path, PathBuf};

/// Why something could not be stored or found.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the store {} cannot be written", path.display())]
    NotWritable { path: PathBuf },
    #[error("{} is not a store of Ergon's, or it is damaged", path.display())]
    NotAStore { path: PathBuf },
    #[error("the store {} was written by a newer Ergon", path.display())]
    Newer { path: PathBuf },
    #[error("the store {} cannot be opened: {reason}", path.display())]
    Open { path: PathBuf, reason: String },
    #[error("no space is left for the store")]
    NoSpace,
    #[error("the {entity} {name} exists already")]
    Exists { entity: &'static str, name: String },
    #[error("the store holds a {entity} that cannot be read: {reason}")]
    Malformed {
        entity: &'static str,
        reason: String,
    },
    #[error("the store failed: {0}")]
    Database(sqlx::Error),
}

impl StoreError {
    /// What a person can do.
    pub fn remedy(&self) -> Option<String> {
        let text = match self {
            Self::NotWritable { .. } => {
                "make the folder and the file writable for this user, or choose another folder with --data"
            }
            Self::NotAStore { .. } => "move the file away, or choose another folder with --data",
            Self::Open { .. } => "choose another folder with --data",
            Self::Newer { .. } => "start it with that Ergon, or choose another folder with --data",
            Self::NoSpace => "free some space on its disk; nothing that was confirmed is lost",
            Self::Exists { .. } | Self::Malformed { .. } | Self::Database(_) => return None,
        };
        Some(text.to_owned())
    }

    /// Why the store at `path` does not open.
    pub(crate) fn opening(path: &Path, error: sqlx::Error) -> Self {
        let path = path.to_owned();
        match primary_code(&error) {
            Some(READONLY | CANTOPEN | PERM) => Self::NotWritable { path },
            Some(NOTADB | CORRUPT) => Self::NotAStore { path },
            _ => match Self::from(error) {
                Self::Database(error) => Self::Open {
                    path,
                    reason: error.to_string(),
                },
                error => error,
            },
        }
    }

    pub(crate) fn malformed(entity: &'static str) -> impl FnOnce(serde_json::Error) -> Self {
        move |error| Self::Malformed {
            entity,
            reason: error.to_string(),
        }
    }

    /// For writes that a unique name may refuse.
    pub(crate) fn taken(entity: &'static str, name: &str) -> impl FnOnce(sqlx::Error) -> Self {
        move |error| match &error {
            sqlx::Error::Database(inner) if inner.is_unique_violation() => Self::Exists {
                entity,
                name: name.to_owned(),
            },
            _ => error.into(),
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match primary_code(&error) {
            Some(FULL | POSTGRES_DISK_FULL) => Self::NoSpace,
            _ => Self::Database(error),
        }
    }
}

// SQLite's primary result codes.
const PERM: u32 = 3;
const READONLY: u32 = 8;
const CORRUPT: u32 = 11;
const FULL: u32 = 13;
const CANTOPEN: u32 = 14;
const NOTADB: u32 = 26;
/// PostgreSQL's `disk_full`.
const POSTGRES_DISK_FULL: u32 = 53100;

/// The database's own number for the error, without SQLite's extension in the upper bytes.
fn primary_code(error: &sqlx::Error) -> Option<u32> {
    let sqlx::Error::Database(inner) = error else {
        return None;
    };
    let code: u32 = inner.code()?.parse().ok()?;
    Some(if code == POSTGRES_DISK_FULL {
        code
    } else {
        code & 0xff
    })
}
