//! What can go wrong with the store, and what a person can do about it.

use std::path::PathBuf;

/// Why something could not be stored or found.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("cannot open the store {}: {reason}", path.display())]
    Open { path: PathBuf, reason: String },
    #[error("the store {} was written by a newer Ergon", path.display())]
    Newer { path: PathBuf },
    #[error("no space left for the store")]
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
        match self {
            Self::Open { .. } => {
                Some("make the folder writable, or choose another with --data".to_owned())
            }
            Self::Newer { .. } => {
                Some("start it with that Ergon, or choose another folder with --data".to_owned())
            }
            Self::NoSpace => {
                Some("free some space on its disk; nothing that was confirmed is lost".to_owned())
            }
            _ => None,
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
        // SQLITE_FULL; PostgreSQL's class 53, insufficient resources.
        let full = matches!(&error, sqlx::Error::Database(inner)
            if inner.code().is_some_and(|code| code == "13" || code == "53100"));
        if full {
            Self::NoSpace
        } else {
            Self::Database(error)
        }
    }
}
