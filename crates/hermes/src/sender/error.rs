//! Why a letter got no answer, or not a whole one.

use std::fmt;
use std::time::Duration;

use super::answer::LONGEST_ANSWER;

/// Why a letter got no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    #[error("nobody is there: {reason}")]
    Away {
        reason: String,
        /// Whether it may be over in a moment.
        may_be_passing: bool,
    },
    #[error("no answer came within {}", seconds(*.0))]
    TooSlow(Duration),
    #[error("the answer broke off: {0}")]
    Broken(String),
    /// In the words of whoever refuses.
    #[error("{0}")]
    Refused(String),
    #[error("the answer was status {status}{}", because(reason.as_deref()))]
    Status { status: u16, reason: Option<String> },
    #[error("the answer was to ask elsewhere ({0}), which is not done")]
    Redirected(String),
    #[error("the answer is {0}, which is no message")]
    WrongKind(String),
    #[error("the answer is longer than {} KiB", LONGEST_ANSWER >> 10)]
    TooLong,
    #[error("{reason}")]
    NotAllowed {
        reason: String,
        remedy: Option<String>,
    },
    #[error("the message has been at this stack before")]
    Circle,
    #[error("the message came through {0} stacks, which is as far as one goes")]
    TooFar(usize),
    #[error("the program `{program}` cannot be started: {reason}")]
    NoProgram { program: String, reason: String },
    #[error("the program `{program}` failed{}", because(reason.as_deref()))]
    ProgramFailed {
        program: String,
        reason: Option<String>,
    },
    #[error("no message can be sent there")]
    NoWay,
    #[error("whoever asked does not listen any more")]
    Unheard,
}

/// Why an answer ends before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    TooLong,
    TooSlow(Duration),
    Broken,
}

impl SendError {
    /// Whether whoever it is for may be there another time.
    pub fn is_away(&self) -> bool {
        match self {
            Self::Away { .. } => true,
            Self::Status { status, .. } => matches!(status, 502..=504),
            _ => false,
        }
    }

    /// Whether whoever it is for may have had it, though they did not answer.
    pub fn may_have_arrived(&self) -> bool {
        match self {
            Self::TooSlow(_)
            | Self::Broken(_)
            | Self::Refused(_)
            | Self::Redirected(_)
            | Self::WrongKind(_)
            | Self::TooLong
            | Self::ProgramFailed { .. }
            | Self::Unheard => true,
            Self::Status { .. } => !self.is_away(),
            Self::Away { .. }
            | Self::NotAllowed { .. }
            | Self::Circle
            | Self::TooFar(_)
            | Self::NoProgram { .. }
            | Self::NoWay => false,
        }
    }

    /// One word for records: what came of it.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Away { .. } => "away",
            Self::TooSlow(_) => "too-slow",
            Self::Refused(_) | Self::Circle | Self::TooFar(_) | Self::NotAllowed { .. } => {
                "refused"
            }
            Self::Unheard => "unheard",
            _ => "failed",
        }
    }

    /// What a person can do about it.
    pub fn remedy(&self) -> Option<String> {
        let text = match self {
            Self::NotAllowed { remedy, .. } => return remedy.clone(),
            Self::Away { .. } => "send it with --later, and it is brought once somebody is there",
            Self::TooSlow(_) => "wait longer with --timeout, or ask for less",
            Self::Redirected(_) => "register it with the address that answers itself",
            Self::NoProgram { .. } => "register the tool with a program that is there",
            _ => return None,
        };
        Some(text.to_owned())
    }

    /// What it is to an answer that has begun.
    pub(super) fn cut(&self) -> Option<Cut> {
        match self {
            Self::TooLong => Some(Cut::TooLong),
            Self::Broken(_) => Some(Cut::Broken),
            Self::TooSlow(patience) => Some(Cut::TooSlow(*patience)),
            _ => None,
        }
    }
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(
                f,
                "it was cut off: an answer has {} KiB at most",
                LONGEST_ANSWER >> 10
            ),
            Self::TooSlow(patience) => {
                write!(
                    f,
                    "it was cut off: it did not end within {}",
                    seconds(*patience)
                )
            }
            Self::Broken => write!(f, "it broke off there"),
        }
    }
}

fn because(reason: Option<&str>) -> String {
    reason.map_or_else(String::new, |reason| format!(": {reason}"))
}

fn seconds(patience: Duration) -> String {
    if patience.subsec_millis() == 0 {
        format!("{} s", patience.as_secs())
    } else {
        format!("{} ms", patience.as_millis())
    }
}
