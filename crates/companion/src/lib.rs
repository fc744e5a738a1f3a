//! The companion: one mind per container.
//!
//! [`observe()`] looks at a container with everything there is to look with: the engine, cgroup files,
//! `/proc`, the network, the log. What it saw is an [`Observation`], which is data. From that alone
//! [`diagnose`] computes findings, each with its evidence, and [`dialogue::answer`] answers questions in
//! plain words; neither looks at anything else, and no model is asked. A [`Watcher`] follows all
//! containers at once and remembers what happened to each; a [`CompanionSocket`] lets others talk to a
//! companion. Projects and stacks have companions too: [`project`] and [`stack`].
//!
//! Nothing here changes anything: a companion looks, and what it would do is a proposal ([`actions`]).

// Answers are put together from short pieces; `write!` into a String would only hide its sentences.
#![allow(clippy::format_push_string)]

pub mod actions;
mod cgroup;
pub mod dialogue;
mod drift;
mod ending;
mod evidence;
mod facts;
mod findings;
mod history;
mod intent;
mod introduction;
mod local;
mod logs;
pub mod look;
pub mod model;
pub mod observation;
mod observe;
mod probe;
mod proc;
pub mod project;
pub mod redact;
mod reply;
mod series;
mod service;
mod signals;
mod socket;
pub mod stack;
mod subject;
mod symptom;
mod watch;
mod words;

pub use ending::{Ending, Sender};
pub use findings::{Diagnosis, diagnose};
pub use history::{Happening, History, Moment, Reading, Sample};
pub use observation::{Observation, Wellness};
pub use observe::observe;
pub use probe::probe;
pub use reply::{Evidence, Explanation, Finding, FoundService, Offer, Reply};
pub use series::{Grain, Mark, MarkKind, Past, Point, Trend};
pub use service::services;
pub use socket::{CompanionSocket, Message, Peer, SocketError, SocketLimits};
pub use subject::{COMPANION_LABEL, DeclaredHealth, Meant, Subject};
pub use watch::{Change, ChangeKind, WatchOptions, Watcher};
