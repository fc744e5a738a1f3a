//! What a build tells while it works.

use std::time::Duration;

/// Somebody who watches a build. Called from the build's own tasks; must not block.
pub trait Progress: Send + Sync {
    fn report(&self, event: ProgressEvent);
}

/// One thing that happened in a build.
#[derive(Clone, Debug)]
pub enum ProgressEvent {
    /// A step begins. Steps are numbered from 0 and do not overlap.
    Started {
        step: u32,
        kind: StepKind,
        detail: String,
    },
    /// A line a step wrote, without its line break.
    Log { step: u32, line: String },
    Ended {
        step: u32,
        outcome: StepOutcome,
        summary: Option<String>,
        elapsed: Duration,
    },
}

/// What a step is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepKind {
    Source,
    Base,
    /// Getting what a step needs from elsewhere.
    Fetch,
    Install,
    Build,
    Image,
    /// Comparing what was built twice.
    Verify,
}

impl StepKind {
    /// The word people see.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Base => "base",
            Self::Fetch => "fetch",
            Self::Install => "install",
            Self::Build => "build",
            Self::Image => "image",
            Self::Verify => "verify",
        }
    }
}

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepOutcome {
    Done,
    /// Nothing was done: what it would make was there.
    Cached,
    Failed,
}

impl StepOutcome {
    /// The word people see.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Cached => "cached",
            Self::Failed => "failed",
        }
    }
}

/// Watches nothing.
pub struct Silent;

impl Progress for Silent {
    fn report(&self, _: ProgressEvent) {}
}
