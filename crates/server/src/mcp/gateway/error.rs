//! Why a server of tools does not do what was asked.

use std::time::Duration;

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
    #[error("you have {most} calls or streams under way, which is as many as one may have")]
    TooManyCalls { most: usize },
    #[error("you call faster than one may; the next call counts in {} s", after.as_secs() + 1)]
    TooFast { after: Duration },
    #[error("the server `{name}` is called faster than it is let be; the next call counts in {} s", after.as_secs() + 1)]
    Overrun { name: String, after: Duration },
    #[error("the server `{name}` has no session of that name that is yours")]
    NoSession { name: String },
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
    /// After how long it is worth another try, where that is known.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::TooFast { after } | Self::Overrun { after, .. } => Some(*after),
            // Calls end when they end; most do within a second.
            Self::Busy { .. } | Self::TooManyCalls { .. } => Some(Duration::ZERO),
            _ => None,
        }
    }

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
            Self::TooManyCalls { .. } => Some("wait for one of them to end".to_owned()),
            Self::TooFast { .. } | Self::Overrun { .. } => {
                Some("wait that long, and call less often".to_owned())
            }
            Self::NoSession { .. } => {
                Some("begin a session of your own with initialize".to_owned())
            }
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
