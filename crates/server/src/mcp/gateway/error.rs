//! Why a server of tools does not do what was asked.

use ergon_hermes::ReachError;
use ergon_hermes::gateway::{AddressError, ServerNameError};
use ergon_store::StoreError;

#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    #[error("no server of tools is called `{name}`")]
    NotFound { name: String },
    #[error("a server of tools is called `{name}` already")]
    Taken { name: String },
    #[error("there are {most} servers of tools, which is as many as there may be")]
    TooMany { most: usize },
    #[error("the server `{name}` offers no tool `{tool}`")]
    NoTool { name: String, tool: String },
    #[error("the tool `{tool}` is not what was looked at")]
    Changed { tool: String },
    #[error("the tool `{tool}` cannot be used: {reason}")]
    Refused { tool: String, reason: &'static str },
    #[error(
        "the tool `{tool}` of the server `{name}` is not what it was when it was approved, and is held"
    )]
    Held { name: String, tool: String },
    #[error("the server `{name}` has as many calls under way as it may have")]
    Busy { name: String },
    #[error("the server `{name}` cannot be asked: {reason}")]
    Away { name: String, reason: String },
    #[error("the server `{name}` answered what it may not: {reason}")]
    Answer { name: String, reason: String },
    #[error(transparent)]
    Name(#[from] ServerNameError),
    #[error(transparent)]
    Address(#[from] AddressError),
    #[error(transparent)]
    Reach(#[from] ReachError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl GatewayError {
    /// What a person can do about it.
    pub fn remedy(&self) -> Option<String> {
        match self {
            Self::NotFound { .. } | Self::NoTool { .. } => {
                Some("ergon mcp list says which there are".to_owned())
            }
            Self::Taken { .. } => Some("choose another name, or remove that one".to_owned()),
            Self::TooMany { .. } => Some("remove one with ergon mcp remove".to_owned()),
            Self::Changed { .. } => {
                Some("look at it again with ergon mcp list, and approve what you see".to_owned())
            }
            Self::Held { name, .. } => Some(format!(
                "a person looks at what changed with ergon mcp list, and says yes with ergon mcp approve {name}"
            )),
            Self::Busy { .. } => Some("call it again once others have ended".to_owned()),
            Self::Away { .. } => {
                Some("see whether it runs; ergon mcp list says how it was seen last".to_owned())
            }
            Self::Reach(error) => error.remedy(),
            Self::Refused { .. }
            | Self::Answer { .. }
            | Self::Name(_)
            | Self::Address(_)
            | Self::Store(_) => None,
        }
    }
}
