//! What goes wrong with messages.

use ergon_hermes::{DirectoryError, NameError, SendError};
use ergon_store::StoreError;

/// Why a message, an inbox or somebody who sits in is not what was hoped.
#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    #[error("there is no companion `{name}`")]
    NotFound { name: String, there: Vec<String> },
    #[error("the message is empty")]
    Empty,
    #[error("the message is longer than 32 KiB")]
    TooLong,
    #[error("`timeout_seconds` is {least} to {most}")]
    Timeout { least: u32, most: u32 },
    #[error("`{name}` cannot be a terminal's name: {reason}")]
    Terminal { name: String, reason: NameError },
    #[error("`{name}` is no terminal but a {kind}")]
    NoTerminal { name: String, kind: &'static str },
    #[error("there is no terminal `{name}`")]
    UnknownTerminal { name: String },
    #[error("there are {0} terminals, and more are not kept")]
    TooManyTerminals(usize),
    #[error("`{name}` is a terminal: its messages are for whoever sits there")]
    Forwarded { name: String },
    #[error("nobody sits in for `{name}`")]
    NoForward { name: String },
    #[error("`{kind}` is no type")]
    Kind { kind: String },
    #[error("no message can wait for `{name}`: {reason}")]
    Full { name: String, reason: &'static str },
    #[error("no message `{id}` waits or was given up")]
    NoMessage { id: String },
    #[error("there is no message `{id}` in this inbox")]
    NotInInbox { id: String },
    #[error("message `{id}` was not given up: it waits")]
    NotDead { id: String },
    #[error("there is no exchange `{id}`, or not any more")]
    NoExchange { id: String },
    #[error("there are {0} purposes, and more are not kept")]
    TooManyPurposes(usize),
    #[error("a purpose is a text of 500 letters at most, without control characters")]
    Purpose,
    #[error("the message has been at this stack before")]
    Circle,
    #[error("the message came through {0} stacks, and 3 are as far as one goes")]
    TooFar(usize),
    #[error("`path` holds what can be no stack's id: 1 to 200 bytes without control characters")]
    Path,
    #[error("`from` is a name of 200 bytes at most, without control characters")]
    Sayer,
    #[error("`deadline_ms` is over")]
    Late,
    #[error(
        "what a message is known again by is 1 to 200 letters, digits and signs of ASCII, without spaces"
    )]
    Key,
    #[error("`Idempotency-Key` and `id` are not the same")]
    TwoKeys,
    #[error("another message was known by this id a moment ago")]
    KeyUsed,
    #[error("`{name}` did not answer: {error}")]
    Send { name: String, error: SendError },
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl MessageError {
    /// Whether whoever it is for may have had it, though they did not answer.
    pub fn may_have_arrived(&self) -> bool {
        matches!(self, Self::Send { error, .. } if error.may_have_arrived())
    }

    /// What a person can do about it.
    pub fn remedy(&self) -> Option<String> {
        let text = match self {
            Self::NotFound { there, .. } if there.is_empty() => {
                "nobody is there yet; ergon run makes a container that has one"
            }
            Self::NotFound { there, .. } => {
                return Some(format!("these are there: {}", there.join(", ")));
            }
            Self::Empty => "say something",
            Self::TooLong => "send the part that matters",
            Self::Terminal { .. } | Self::NoTerminal { .. } => {
                "choose another name with ERGON_TERMINAL"
            }
            Self::UnknownTerminal { .. } => {
                "whoever sits there makes it known: ERGON_TERMINAL=NAME aish inbox count"
            }
            Self::TooManyTerminals(_) => "remove one: ergon companion deregister NAME",
            Self::NoForward { .. } => "aish forward list says who sits in for whom",
            Self::Kind { .. } => "types are project, container, tekton (or stack), external",
            Self::Full { .. } => {
                "ergon message list says what waits; ergon message drop removes what nobody needs"
            }
            Self::NoMessage { .. } => "ergon message list --all says what is there",
            Self::Circle | Self::TooFar(_) => {
                "see which stacks are registered with each other: ergon companion list --type tekton"
            }
            Self::TooManyPurposes(_) => "take one back with an empty text: aish purpose NAME \"\"",
            Self::Late => "say how many milliseconds are left for the answer",
            Self::KeyUsed => "give each message an id of its own",
            Self::Send { error, .. } => return error.remedy(),
            Self::Store(error) => return error.remedy(),
            _ => return None,
        };
        Some(text.to_owned())
    }
}
