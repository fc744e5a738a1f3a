//! What a container's log says, as the few shapes its lines have. Data only; `logs` reads it.
//!
//! Nothing here holds a secret: lines are cleaned before they are looked at.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a container's log says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LogDigest {
    /// The time of the first line that is counted here; absent: no line yet.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub since: Option<Timestamp>,
    /// The time of the last line.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub until: Option<Timestamp>,
    /// What is new and what has changed is told against the time before this: the last deployment, or, where the
    /// container is the first of its name, the end of its first minutes. Absent: too early to tell.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub compared_with: Option<Timestamp>,
    /// Lines that were counted.
    pub lines: u64,
    /// Those of them at level error or worse, each stack trace counted as one.
    pub errors: u64,
    pub warnings: u64,
    /// Lines in a minute over the last minutes, in hundredths.
    pub per_minute: u64,
    /// The same before `compared_with`.
    pub per_minute_before: Option<u64>,
    /// The weightiest first: new errors, errors, warnings, the rest by how often.
    pub templates: Vec<LogTemplate>,
    /// Stack traces, the last first.
    pub traces: Vec<StackTrace>,
    /// Lines of shapes that were forgotten, because there were too many.
    pub forgotten: u64,
}

/// Lines of one shape.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LogTemplate {
    /// Its number, which stays.
    pub id: u64,
    /// What the lines have in common; `<*>`, `<num>`, `<ip>`, … stand for what differs.
    pub pattern: String,
    pub level: LogLevel,
    /// How many there were.
    pub count: u64,
    #[schema(value_type = String, format = DateTime)]
    pub first: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub last: Timestamp,
    /// The last of them as it was written, without secrets.
    pub sample: String,
    pub stderr: bool,
    /// In a minute over the last minutes, in hundredths.
    pub per_minute: u64,
    /// The same before `compared_with`; absent where that is too early to tell.
    pub per_minute_before: Option<u64>,
    /// There was none before `compared_with`.
    pub is_new: bool,
}

/// How much a line weighs, as the program says.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// The line does not say.
    #[default]
    Unknown,
    Trace,
    Debug,
    Info,
    Warning,
    Error,
    /// The program cannot go on.
    Fatal,
}

/// A stack trace, kept together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StackTrace {
    /// `python`, `java`, `node`, `go`, `rust`, `ruby`, `php`.
    pub language: String,
    /// `ValueError`, `java.lang.NullPointerException`, `panic`.
    pub error: String,
    /// What it said, without secrets.
    pub message: String,
    /// Where it was thrown, in the program's own code if it can be told: `main.py:9 in load`.
    pub place: Option<String>,
    /// The whole trace without secrets, cut where it is very long.
    pub text: String,
    pub count: u64,
    #[schema(value_type = String, format = DateTime)]
    pub first: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub last: Timestamp,
    /// There was none like it before the digest's `compared_with`.
    pub is_new: bool,
}

impl LogLevel {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Fatal => "fatal",
        }
    }

    /// Error or worse.
    pub fn is_error(self) -> bool {
        self >= Self::Error
    }
}

impl LogDigest {
    /// Shapes at level error or worse, the weightiest first.
    pub fn error_templates(&self) -> impl Iterator<Item = &LogTemplate> {
        self.templates
            .iter()
            .filter(|template| template.level.is_error())
    }

    /// Shapes that were not there before.
    pub fn new_templates(&self) -> impl Iterator<Item = &LogTemplate> {
        self.templates.iter().filter(|template| template.is_new)
    }
}

impl LogTemplate {
    /// How many times as often as before, in hundredths; absent where there is nothing to compare.
    pub fn times_as_often(&self) -> Option<u64> {
        let before = self.per_minute_before.filter(|before| *before > 0)?;
        Some(self.per_minute.saturating_mul(100) / before)
    }
}
