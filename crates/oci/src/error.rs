//! What can go wrong with images, and what a person can do about it.

use std::io;
use std::path::{Path, PathBuf};

use ergon_manifest::{CanonicalError, Digest};

use crate::reference::ParseReferenceError;

/// Why something about an image could not be done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error("cannot {action} {}: {error}", path.display())]
    Io {
        action: &'static str,
        path: PathBuf,
        error: io::Error,
    },
    #[error("no space left on {}", path.display())]
    NoSpace { path: PathBuf },
    /// A stream that has no path: an archive from a pipe, a layer.
    #[error("cannot {action} {what}: {error}")]
    Stream {
        action: &'static str,
        what: String,
        error: io::Error,
    },
    #[error("the blob {digest} is not in {}", root.display())]
    MissingBlob { digest: Digest, root: PathBuf },
    #[error("the blob {} is damaged: its content has the digest {actual}", path.display())]
    DamagedBlob { path: PathBuf, actual: Digest },
    #[error("a layer cannot hold `{path}`: {reason}")]
    Entry { path: String, reason: String },
    #[error("{} changed while it was read: it had {expected} bytes", path.display())]
    Changed { path: PathBuf, expected: u64 },
    #[error("{} no longer holds what it did", path.display())]
    Rewritten { path: PathBuf },
    /// Content from outside that is not what it should be.
    #[error("{what} is not valid: {reason}")]
    Malformed { what: String, reason: String },
    #[error("{what} holds no image {wanted}; it holds {}", listed(held))]
    NoSuchImage {
        what: String,
        wanted: String,
        held: Vec<String>,
    },
    #[error("{what} is not made for {wanted}; it is for {}", listed(offered))]
    NoSuchPlatform {
        what: String,
        wanted: String,
        offered: Vec<String>,
    },
    #[error("{what} holds several images: {}", listed(held))]
    WhichImage { what: String, held: Vec<String> },
    #[error("{} is neither empty nor an OCI image layout", path.display())]
    NotALayout { path: PathBuf },
    #[error(transparent)]
    Reference(#[from] ParseReferenceError),
    #[error("{registry} did not let us {action} {reference}: {reason}")]
    Denied {
        registry: String,
        action: &'static str,
        reference: String,
        reason: String,
    },
    #[error("cannot reach {registry}: {reason}")]
    Unreachable { registry: String, reason: String },
    #[error("cannot {action} {reference}: {reason}")]
    Registry {
        action: &'static str,
        reference: String,
        reason: String,
    },
    #[error("cannot use the credentials for {registry}: {reason}")]
    Credentials { registry: String, reason: String },
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
}

impl Error {
    /// What a person can do, where there is something.
    pub fn remedy(&self) -> Option<String> {
        match self {
            Self::NoSpace { path } => Some(format!(
                "free some space on the disk of {}, or point XDG_CACHE_HOME elsewhere",
                path.display()
            )),
            Self::MissingBlob { .. } => Some("build or import the image again".to_owned()),
            Self::DamagedBlob { path, .. } => Some(format!(
                "remove {} and build or import the image again",
                path.display()
            )),
            Self::Changed { .. } | Self::Rewritten { .. } => {
                Some("build again when nothing writes into the folder".to_owned())
            }
            Self::WhichImage { .. } => Some("say which by its name".to_owned()),
            Self::NotALayout { .. } => Some("name a folder that does not exist yet".to_owned()),
            Self::Denied { registry, .. } => Some(format!("log in: docker login {registry}")),
            Self::Unreachable { .. } => Some("check the network and the proxy settings".to_owned()),
            Self::Credentials { .. } => {
                Some("look at ~/.docker/config.json and the credential helper it names".to_owned())
            }
            _ => None,
        }
    }

    /// For `map_err`: `cannot <action> <path>: …`.
    pub(crate) fn io(
        action: &'static str,
        path: impl AsRef<Path>,
    ) -> impl FnOnce(io::Error) -> Self {
        move |error| {
            let path = path.as_ref().to_owned();
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

    /// For `map_err`: `cannot <action> <what>: …`.
    pub fn stream(action: &'static str, what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::Stream {
            action,
            what: what.into(),
            error,
        }
    }

    pub(crate) fn malformed(what: impl Into<String>, reason: impl ToString) -> Self {
        Self::Malformed {
            what: quoted(&what.into()),
            reason: quoted(&reason.to_string()),
        }
    }

    pub(crate) fn entry(path: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Entry {
            path: quoted(&path.into()),
            reason: quoted(&reason.into()),
        }
    }
}

/// A text that may hold what somebody else named so: one line, and not without end.
pub(crate) fn quoted(text: &str) -> String {
    const LONGEST: usize = 1024;
    let mut line = String::new();
    for character in text.chars() {
        if line.len() >= LONGEST {
            line.push('…');
            break;
        }
        let is_plain = !character.is_control()
            && !matches!(character, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if is_plain {
            line.push(character);
        } else {
            line.extend(character.escape_default());
        }
    }
    line
}

fn listed(names: &[String]) -> String {
    const MOST: usize = 20;
    if names.is_empty() {
        return "none with a name".to_owned();
    }
    let mut listed: Vec<String> = names.iter().take(MOST).map(|name| quoted(name)).collect();
    if names.len() > MOST {
        listed.push(format!("and {} more", names.len() - MOST));
    }
    listed.join(", ")
}
