//! What a companion proposes, given what it sees.

use ergon_engine::{ContainerState, Status};

use super::{Action, Check, Precondition, Proposal, Reason, Target};
use crate::ending::Ending;
use crate::evidence::Book;
use crate::findings::{self, Draft};
use crate::{Happening, Observation};

/// What a start may mend.
const STANDS_STILL: [&str; 6] = [
    "stopped",
    "start.failed",
    "exited",
    "exited.killed",
    "exited.out_of_memory",
    "restart.loop",
];
/// What a restart may mend: it runs and does not answer.
const DOES_NOT_ANSWER: [&str; 2] = ["probe.failed", "health.unhealthy"];
const WANTS_MEMORY: [&str; 3] = ["memory.out", "memory.near_limit", "exited.out_of_memory"];

/// Everything a companion would do about what it sees, the best first.
pub fn propose(observation: &Observation) -> Vec<Proposal> {
    let Some(state) = observation.state() else {
        return Vec::new();
    };
    let drafts = findings::drafts(observation);
    let maker = Maker {
        observation,
        state,
        drafts: &drafts,
    };
    maker.proposals()
}

/// Makes proposals out of one observation.
pub(super) struct Maker<'a> {
    pub observation: &'a Observation,
    pub state: &'a ContainerState,
    pub drafts: &'a [Draft],
}

impl Maker<'_> {
    fn proposals(&self) -> Vec<Proposal> {
        let found = |id: &str| self.drafts.iter().any(|draft| draft.id == id);
        let mut proposals = Vec::new();
        match self.state.status {
            Status::Paused => proposals.push(self.make(vec![Action::Unpause], &["paused"])),
            Status::Created | Status::Exited | Status::Dead => proposals.extend(self.start()),
            Status::Running | Status::Restarting if found("restart.loop") => {
                proposals.extend(self.memory(&["restart.loop", "memory.out"]));
                proposals.push(self.make(vec![Action::Stop], &["restart.loop"]));
            }
            Status::Running => {
                proposals.extend(self.memory(&WANTS_MEMORY));
                if DOES_NOT_ANSWER.iter().any(|id| found(id)) {
                    proposals.push(self.make(vec![Action::Restart], &DOES_NOT_ANSWER));
                }
            }
            Status::Restarting | Status::Removing => {}
        }
        proposals
    }

    fn start(&self) -> Option<Proposal> {
        let ending = Ending::of(self.state, &self.observation.history)?;
        let raise = || self.raise_memory().map(|raise| vec![raise, Action::Start]);
        let steps = match ending {
            // It cannot start however often one tries.
            Ending::CouldNotStart {
                exit_code: Some(126 | 127),
                ..
            }
            | Ending::Failed {
                exit_code: 126 | 127,
            } => return None,
            Ending::OutOfMemory { .. } => raise().unwrap_or_else(|| vec![Action::Start]),
            _ => vec![Action::Start],
        };
        Some(self.make(steps, &STANDS_STILL))
    }

    /// More memory, where the want of it was seen.
    fn memory(&self, about: &[&str]) -> Option<Proposal> {
        let wanted = self
            .drafts
            .iter()
            .any(|draft| WANTS_MEMORY.contains(&draft.id));
        let killed = self
            .observation
            .history
            .last_life()
            .any(|moment| moment.what == Happening::OutOfMemory);
        let raise = self.raise_memory().filter(|_| wanted || killed)?;
        Some(self.make(vec![raise], about))
    }

    /// Twice as much as now, and as much swap beside it as there was.
    pub(super) fn raise_memory(&self) -> Option<Action> {
        let from = self.state.memory_limit?;
        let to = from.checked_mul(2)?;
        let with_swap = self.state.memory_and_swap.unwrap_or(from);
        Some(Action::LimitMemory {
            from,
            to,
            with_swap: to.checked_add(with_swap.saturating_sub(from))?,
        })
    }

    /// A proposal that is about these findings, as far as they were found.
    pub(super) fn make(&self, steps: Vec<Action>, about: &[&str]) -> Proposal {
        let drafts = self.drafts.iter().filter(|draft| about.contains(&draft.id));
        let why = drafts.map(reason).collect();
        self.make_because(steps, why)
    }

    pub(super) fn make_because(&self, steps: Vec<Action>, why: Vec<Reason>) -> Proposal {
        let subject = &self.observation.subject;
        let mut gone: Vec<String> = why
            .iter()
            .map(|reason: &Reason| reason.finding.clone())
            .filter(|finding| goes_away(finding))
            .collect();
        gone.dedup();
        let patience = steps.iter().map(patience).max().unwrap_or(10);
        // What was begun last is taken back first; what cannot be taken back is left.
        let undo = steps.iter().rev().filter_map(Action::undone_by).collect();
        Proposal {
            target: Target {
                id: subject.container_id.clone(),
                name: subject.container.clone(),
                companion: subject.companion.clone(),
            },
            precondition: Precondition::of(&steps, self.state),
            check: Check {
                gone,
                within_seconds: patience,
            },
            origin: "companion".to_owned(),
            steps,
            why,
            undo,
        }
    }
}

/// A draft with its evidence. Times that pass are left out, so that the same reason stays the same.
fn reason(draft: &Draft) -> Reason {
    let mut book = Book::default();
    let finding = draft.finding(&mut book);
    Reason {
        finding: finding.id,
        severity: finding.severity,
        text: draft
            .brief
            .as_ref()
            .map_or(finding.text, |brief| format!("{brief}.")),
        evidence: book.into_evidence(),
    }
}

/// Some findings tell of the past, and stay true whatever is done.
fn goes_away(finding: &str) -> bool {
    !matches!(finding, "restart.loop" | "memory.out" | "asked")
}

/// How long each may take to show, in seconds.
fn patience(step: &Action) -> u64 {
    match step {
        Action::Start => 30,
        Action::Restart => 45,
        Action::Stop => 20,
        Action::Pause
        | Action::Unpause
        | Action::Reload { .. }
        | Action::LimitMemory { .. }
        | Action::LimitProcessors { .. } => 10,
    }
}
