//! Why an identity provider is not taken, and why nobody is signed in with what it says.

use ergon_store::StoreError;

use super::outgoing::OutgoingError;
use crate::authorize::ParseRoleError;

/// Why an identity provider is not kept as it was said.
#[derive(Debug, thiserror::Error)]
pub enum ProviderConfigError {
    #[error("`{name}` cannot be the name of an identity provider: {why}")]
    Name { name: String, why: &'static str },
    #[error("there is no identity provider `{name}`")]
    NotFound { name: String },
    #[error("`{issuer}` cannot be an issuer: {why}")]
    Issuer { issuer: String, why: &'static str },
    #[error("another identity provider has the issuer `{issuer}` already")]
    Taken { issuer: String },
    #[error("{what} is not to be empty")]
    Empty { what: &'static str },
    #[error("{what} is too much: at most {most}")]
    TooMuch { what: &'static str, most: usize },
    #[error("{what} holds what cannot be shown on one line")]
    Unprintable { what: &'static str },
    #[error("nobody would be let in: no group is a role, and nobody is one without a group")]
    NobodyComesIn,
    #[error(transparent)]
    Role(#[from] ParseRoleError),
    #[error("`{issuer}` does not answer as an identity provider: {reason}")]
    Provider {
        issuer: String,
        reason: Box<ProviderError>,
    },
    #[error("the client secret could not be sealed")]
    Seal,
    #[error(transparent)]
    Store(StoreError),
}

impl ProviderConfigError {
    /// What a person can do about it.
    pub fn remedy(&self) -> Option<String> {
        let text = match self {
            Self::Name { .. } => "choose another name, as `corp`",
            Self::NotFound { .. } | Self::Taken { .. } => {
                "ergon person provider list says which there are"
            }
            Self::Issuer { .. } => {
                "give it as the provider's own documentation says, as https://login.example.com"
            }
            Self::NobodyComesIn => {
                "say which group is which role: --map developers=developer; or what everybody there is: --default-role viewer"
            }
            Self::Provider { reason, .. } => reason.remedy(),
            Self::Store(error) => return error.remedy(),
            Self::Empty { .. }
            | Self::TooMuch { .. }
            | Self::Unprintable { .. }
            | Self::Role(_)
            | Self::Seal => return None,
        };
        Some(text.to_owned())
    }
}

impl From<StoreError> for ProviderConfigError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Exists { name, .. } => Self::Taken { issuer: name },
            error => Self::Store(error),
        }
    }
}

/// Why nobody is signed in with what an identity provider says. Nothing of what it sent stands in these words.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    #[error("there is no identity provider of this name")]
    Unknown,
    #[error("this was not begun here, was used already, or took longer than ten minutes")]
    NotBegun,
    #[error("this was begun in another browser")]
    OtherBrowser,
    #[error("the identity provider cannot be asked: {0}")]
    Outgoing(#[from] OutgoingError),
    #[error("the identity provider says of itself what cannot be: {0}")]
    Metadata(&'static str),
    #[error("the answer comes from another identity provider than was asked")]
    OtherIssuer,
    #[error("the identity provider does not take the code{0}")]
    Code(&'static str),
    #[error("the identity provider's word cannot be believed: {0}")]
    Token(&'static str),
    #[error("the client secret does not open: it was sealed under another key")]
    Seal,
}

impl ProviderError {
    /// What a person can do about it.
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::Unknown => "ergon person provider list says which there are",
            Self::NotBegun | Self::OtherBrowser | Self::OtherIssuer => {
                "begin again on the page to sign in"
            }
            Self::Outgoing(OutgoingError::Plain) => {
                "an identity provider without TLS has to be on this machine"
            }
            Self::Outgoing(_) => "see whether its address is right and whether it runs",
            Self::Code(_) => {
                "an owner sees with `ergon person provider show` whether the client's id, secret and return address are those the provider knows"
            }
            Self::Token(_) => {
                "begin again; where that does not help, an owner finds the reason in the stack's log"
            }
            Self::Metadata(_) => "name the issuer as its discovery document does",
            Self::Seal => {
                "give the client secret anew: ergon person provider set … --client-secret-stdin"
            }
        }
    }
}
