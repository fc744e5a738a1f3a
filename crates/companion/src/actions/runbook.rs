//! Runbooks: what to do about which finding, written down. They make proposals like everybody else, and
//! what they propose passes the same gate.

use ergon_engine::Status;
use serde::Deserialize;

use super::propose::Maker;
use super::{Action, Proposal};
use crate::{Observation, findings};

/// A longer text is no runbook.
const LONGEST: usize = 64 << 10;

const BUILT_IN: [&str; 7] = [
    include_str!("../../runbooks/certificate-expiry.yaml"),
    include_str!("../../runbooks/dependency-down.yaml"),
    include_str!("../../runbooks/disk-full.yaml"),
    include_str!("../../runbooks/out-of-memory.yaml"),
    include_str!("../../runbooks/port-conflict.yaml"),
    include_str!("../../runbooks/restart-loop.yaml"),
    include_str!("../../runbooks/stuck-worker.yaml"),
];

/// What to do about which finding.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Runbook {
    pub name: String,
    pub about: String,
    /// Ids of findings, any of which begins it.
    pub trigger: Vec<String>,
    #[serde(default)]
    pub conditions: Conditions,
    /// Empty: a person is told, and nothing is done.
    pub steps: Vec<Step>,
    #[serde(default)]
    pub verify: Verify,
    /// What did not help is undone, as far as it can be; `false` leaves it.
    #[serde(default = "yes")]
    pub undo: bool,
    pub at_most: AtMost,
    /// What a person does where this does not help.
    pub advice: String,
}

/// What must be so beside the finding. What is not said may be either way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conditions {
    pub runs: Option<bool>,
    pub memory_limit: Option<bool>,
    /// Process 1 reads its configuration again when it is told to.
    pub reloads: Option<bool>,
}

/// A step by its word. There is none that deletes anything, and none that runs a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// Left out where it runs already.
    Start,
    Stop,
    Restart,
    Unpause,
    Reload,
    /// Twice as much.
    RaiseMemory,
}

/// When it must have helped.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verify {
    pub within_seconds: u64,
}

impl Default for Verify {
    fn default() -> Self {
        Self { within_seconds: 30 }
    }
}

/// So often on one container: a runbook that does not help does not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AtMost {
    pub times: u32,
    pub within_seconds: u64,
}

/// What a runbook makes of what is seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Considered {
    /// Nothing of what begins it was found.
    Idle,
    /// It would begin, but for this.
    Unmet(String),
    Proposal(Box<Proposal>),
    /// A person has to do it, and what.
    Advice(String),
}

/// Why a text is no runbook.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no runbook: {reason}")]
pub struct RunbookError {
    pub reason: String,
}

const fn yes() -> bool {
    true
}

impl Runbook {
    /// Those that every stack has.
    pub fn built_in() -> Vec<Self> {
        BUILT_IN
            .iter()
            .filter_map(|text| Self::parse(text).ok())
            .collect()
    }

    pub fn parse(text: &str) -> Result<Self, RunbookError> {
        let wrong = |reason: String| Err(RunbookError { reason });
        if text.len() > LONGEST {
            return wrong("it is longer than 64 KiB".to_owned());
        }
        let runbook: Self = match serde_saphyr::from_str(text) {
            Ok(runbook) => runbook,
            Err(error) => return wrong(error.to_string()),
        };
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if runbook.name.is_empty() || runbook.name.len() > 40 || !runbook.name.bytes().all(plain) {
            return wrong("`name` is small letters, digits and hyphens, at most 40".to_owned());
        }
        if runbook.trigger.is_empty() {
            return wrong("`trigger` names no finding".to_owned());
        }
        if runbook.at_most.times == 0 || runbook.at_most.within_seconds < 60 {
            return wrong("`at_most` is once or more within 60 s or more".to_owned());
        }
        if !(1..=600).contains(&runbook.verify.within_seconds) {
            return wrong("`verify.within_seconds` is 1 to 600".to_owned());
        }
        Ok(runbook)
    }

    /// Who proposes what it proposes.
    pub fn origin(&self) -> String {
        format!("runbook:{}", self.name)
    }

    /// What it would do about what is seen. Nothing is done: that is what a dry run shows.
    pub fn consider(&self, observation: &Observation) -> Considered {
        let Some(state) = observation.state() else {
            return Considered::Unmet("the container cannot be seen".to_owned());
        };
        let drafts = findings::drafts(observation);
        let about: Vec<&str> = self.trigger.iter().map(String::as_str).collect();
        if !drafts.iter().any(|draft| about.contains(&draft.id)) {
            return Considered::Idle;
        }
        let signal = super::request::reload(observation);
        let runs = matches!(state.status, Status::Running | Status::Restarting);
        let conditions = [
            ("it runs", self.conditions.runs, runs),
            (
                "a memory limit is set",
                self.conditions.memory_limit,
                state.memory_limit.is_some(),
            ),
            (
                "process 1 is a service that reads its configuration again",
                self.conditions.reloads,
                signal.is_some(),
            ),
        ];
        for (what, wanted, is) in conditions {
            if wanted.is_some_and(|wanted| wanted != is) {
                let not = if is { "" } else { "not " };
                return Considered::Unmet(format!("it is {not}so that {what}"));
            }
        }
        let maker = Maker {
            observation,
            state,
            drafts: &drafts,
        };
        let mut steps = Vec::new();
        for step in &self.steps {
            steps.push(match step {
                Step::Start if runs => continue,
                Step::Start => Action::Start,
                Step::Stop => Action::Stop,
                Step::Restart => Action::Restart,
                Step::Unpause => Action::Unpause,
                Step::Reload => match signal {
                    Some(signal) => Action::Reload { signal },
                    None => return Considered::Advice(self.advice.clone()),
                },
                Step::RaiseMemory => match maker.raise_memory() {
                    Some(raise) => raise,
                    None => return Considered::Advice(self.advice.clone()),
                },
            });
        }
        if steps.is_empty() {
            return Considered::Advice(self.advice.clone());
        }
        let mut proposal = maker.make(steps, &about);
        proposal.origin = self.origin();
        proposal.check.within_seconds = self.verify.within_seconds;
        if !self.undo {
            proposal.undo.clear();
        }
        Considered::Proposal(Box::new(proposal))
    }
}
