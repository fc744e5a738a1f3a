//! What can be done to a container, and what has to be known of it before anybody may say yes. Pure: it
//! is carried out elsewhere, and only there.

mod improve;
mod proposal;
mod propose;
mod request;
mod runbook;
#[cfg(test)]
mod tests;

use ergon_engine::{ContainerState, Status};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use improve::{found, improve};
pub use proposal::{Check, Precondition, Proposal, Reason, Target};
pub use propose::propose;
pub use request::{Asked, asked};
pub use runbook::{Considered, Runbook, RunbookError};

use crate::findings::in_processors;
use crate::words;

/// What an action may cost those who use the container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// It changes nothing.
    Read,
    /// Nobody who uses the container loses anything.
    Safe,
    /// Whoever uses it is interrupted.
    Disruptive,
    /// Something is lost that nothing brings back.
    Destructive,
}

/// Something that can be done to a container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Action {
    Start,
    Stop,
    Restart,
    Pause,
    Unpause,
    /// Has process 1 read its configuration again.
    Reload {
        signal: ReloadSignal,
    },
    /// Bytes; with swap, as it was before beside the memory. An engine gives a container a limit and never takes it
    /// back: where there was none, `from` is all that the machine has.
    LimitMemory {
        from: u64,
        to: u64,
        with_swap: u64,
    },
    /// Billionths of a processor.
    LimitProcessors {
        from: u64,
        to: u64,
    },
}

/// The signals by which services read their configuration again. There are no others here, so that no
/// proposal can be for `SIGKILL`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum ReloadSignal {
    #[serde(rename = "SIGHUP")]
    Hangup,
    #[serde(rename = "SIGUSR1")]
    User1,
    #[serde(rename = "SIGUSR2")]
    User2,
}

impl Class {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Safe => "safe",
            Self::Disruptive => "disruptive",
            Self::Destructive => "destructive",
        }
    }
}

impl ReloadSignal {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hangup => "SIGHUP",
            Self::User1 => "SIGUSR1",
            Self::User2 => "SIGUSR2",
        }
    }

    /// By which signal a service reads its configuration again, where it is process 1.
    fn of(service: &str) -> Option<Self> {
        match service {
            "nginx" | "gunicorn" | "postgres" | "postgresql" | "uwsgi" | "mosquitto" | "squid" => {
                Some(Self::Hangup)
            }
            "apache" | "apache2" | "httpd" => Some(Self::User1),
            "haproxy" | "php-fpm" => Some(Self::User2),
            _ => None,
        }
    }
}

impl Action {
    /// The word that policies and records know it by.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Restart => "restart",
            Self::Pause => "pause",
            Self::Unpause => "unpause",
            Self::Reload { .. } => "reload",
            Self::LimitMemory { .. } => "limit-memory",
            Self::LimitProcessors { .. } => "limit-processors",
        }
    }

    pub const fn class(&self) -> Class {
        match self {
            Self::Start | Self::Unpause | Self::Reload { .. } => Class::Safe,
            // Less than is in use would have processes killed.
            Self::LimitMemory { from, to, .. } if *to >= *from => Class::Safe,
            Self::LimitProcessors { from, to } if *to >= *from => Class::Safe,
            Self::Stop
            | Self::Restart
            | Self::Pause
            | Self::LimitMemory { .. }
            | Self::LimitProcessors { .. } => Class::Disruptive,
        }
    }

    /// The command that does the same, to the container of this id.
    pub fn command(&self, id: &str) -> Vec<String> {
        let words: Vec<String> = match self {
            Self::Start => vec!["start".to_owned()],
            Self::Stop => vec!["stop".to_owned()],
            Self::Restart => vec!["restart".to_owned()],
            Self::Pause => vec!["pause".to_owned()],
            Self::Unpause => vec!["unpause".to_owned()],
            Self::Reload { signal } => {
                vec!["kill".to_owned(), format!("--signal={}", signal.as_str())]
            }
            Self::LimitMemory { to, with_swap, .. } => vec![
                "update".to_owned(),
                format!("--memory={to}"),
                format!("--memory-swap={with_swap}"),
            ],
            Self::LimitProcessors { to, .. } => {
                vec![
                    "update".to_owned(),
                    format!("--cpus={}", in_processors(*to)),
                ]
            }
        };
        std::iter::once("docker".to_owned())
            .chain(words)
            .chain([id.to_owned()])
            .collect()
    }

    /// What it takes back, as far as anything does.
    pub(crate) fn undone_by(&self) -> Option<Self> {
        match self {
            Self::Start => Some(Self::Stop),
            Self::Stop => Some(Self::Start),
            Self::Unpause => Some(Self::Pause),
            Self::Pause => Some(Self::Unpause),
            Self::Restart | Self::Reload { .. } => None,
            Self::LimitMemory {
                from,
                to,
                with_swap,
            } => Some(Self::LimitMemory {
                from: *to,
                to: *from,
                with_swap: from.saturating_add(with_swap.saturating_sub(*to)),
            }),
            Self::LimitProcessors { from, to } => Some(Self::LimitProcessors {
                from: *to,
                to: *from,
            }),
        }
    }

    /// `start again`, after "I can".
    fn offer(&self) -> String {
        match self {
            Self::Start => "start again".to_owned(),
            Self::Stop => "stop".to_owned(),
            Self::Restart => "restart".to_owned(),
            Self::Pause => "stand still".to_owned(),
            Self::Unpause => "go on".to_owned(),
            Self::Reload { .. } => "read my configuration again".to_owned(),
            Self::LimitMemory { from, to, .. } => format!(
                "take {} of memory instead of {}",
                words::bytes(*to),
                words::bytes(*from)
            ),
            Self::LimitProcessors { from, to } => format!(
                "take {} processors instead of {}",
                in_processors(*to),
                in_processors(*from)
            ),
        }
    }

    /// What comes of it, as a sentence without its full stop.
    fn effect(&self) -> String {
        match self {
            Self::Start => {
                "Its command runs again, in the same container with the same files".to_owned()
            }
            Self::Stop => {
                "Its processes are asked to end, and killed after 10 s; it answers nothing until it is started"
                    .to_owned()
            }
            Self::Restart => {
                "Its processes are asked to end, and killed after 10 s; then its command runs again. What it has in \
                 memory and whoever is connected is lost"
                    .to_owned()
            }
            Self::Pause => "Its processes stand still and answer nothing".to_owned(),
            Self::Unpause => "Its processes go on where they stood still".to_owned(),
            Self::Reload { signal } => format!(
                "Process 1 gets {} and reads its configuration again, without dropping connections",
                signal.as_str()
            ),
            Self::LimitMemory { from, to, .. } => {
                let less = if *to >= *from {
                    ""
                } else {
                    "; if it ever needs more, the kernel kills a process of it"
                };
                format!(
                    "The kernel lets it use {} of memory; it goes on as it is{less}",
                    words::bytes(*to)
                )
            }
            Self::LimitProcessors { to, .. } => format!(
                "The kernel lets it use {} processors; it goes on as it is",
                in_processors(*to)
            ),
        }
    }

    /// Whether the engine shows that it was done.
    pub fn is_so(&self, state: &ContainerState) -> bool {
        match self {
            Self::Start | Self::Restart | Self::Unpause => state.status == Status::Running,
            Self::Stop => matches!(state.status, Status::Exited | Status::Dead),
            Self::Pause => state.status == Status::Paused,
            Self::Reload { .. } => state.is_running(),
            Self::LimitMemory { to, .. } => state.memory_limit == Some(*to),
            Self::LimitProcessors { to, .. } => state.processor_limit == Some(*to),
        }
    }

    /// What the engine shows then: `it runs`.
    fn shown(&self) -> String {
        match self {
            Self::Start | Self::Restart | Self::Unpause | Self::Reload { .. } => {
                "it runs".to_owned()
            }
            Self::Stop => "it has ended".to_owned(),
            Self::Pause => "it stands still".to_owned(),
            Self::LimitMemory { to, .. } => {
                format!("its memory limit is {}", words::bytes(*to))
            }
            Self::LimitProcessors { to, .. } => {
                format!("its limit is {} processors", in_processors(*to))
            }
        }
    }

    /// What must be as it was when the action was proposed: one fact of the state after another.
    fn rests_on(&self, state: &ContainerState) -> Vec<(&'static str, String)> {
        let time = |time: Option<jiff::Timestamp>| {
            time.map_or_else(|| "never".to_owned(), |time| time.to_string())
        };
        let limit = || {
            let limit = state.memory_limit;
            (
                "memory limit",
                limit.map_or_else(|| "none".to_owned(), |limit| limit.to_string()),
            )
        };
        let mut facts = vec![
            ("container", state.id.clone()),
            ("image", state.image_id.clone()),
        ];
        match self {
            Self::Start => facts.extend([
                ("state", state.status.to_string()),
                ("ended", time(state.finished_at)),
            ]),
            Self::Stop => facts.push(("restart policy", state.restart_policy.to_string())),
            Self::Pause | Self::Unpause | Self::Restart | Self::Reload { .. } => facts.extend([
                ("state", state.status.to_string()),
                ("started", time(state.started_at)),
            ]),
            Self::LimitMemory { .. } => facts.push(limit()),
            Self::LimitProcessors { .. } => {
                let limit = state.processor_limit;
                let limit = limit.map_or_else(|| "none".to_owned(), |limit| limit.to_string());
                facts.push(("processor limit", limit));
            }
        }
        facts
    }
}
