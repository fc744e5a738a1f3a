//! What somebody asks a companion to do. It makes a proposal of it, and nothing more: whoever may speak to
//! a companion may not therefore change its container.

use ergon_engine::Status;

use super::propose::Maker;
use super::{Action, Proposal, Reason, ReloadSignal};
use crate::{Observation, findings};

/// A longer text is no request: it is a log that somebody sends.
const LONGEST: usize = 200;

/// What came of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Nothing was asked for.
    Nothing,
    Proposal(Box<Proposal>),
    /// It cannot be done, and why.
    Impossible(String),
}

/// The proposal that somebody asks for in so many words: "restart", "please start again".
pub fn asked(question: &str, observation: &Observation) -> Asked {
    let Some(wish) = wish(question) else {
        return Asked::Nothing;
    };
    let Some(state) = observation.state() else {
        return Asked::Impossible("I cannot see my container".to_owned());
    };
    let drafts = findings::drafts(observation);
    let maker = Maker {
        observation,
        state,
        drafts: &drafts,
    };
    let impossible = |why: &str| Asked::Impossible(why.to_owned());
    let step = match (wish, state.status) {
        (Wish::Start, Status::Running | Status::Restarting) => {
            return impossible("I run already");
        }
        (Wish::Start | Wish::Unpause, Status::Paused) => Action::Unpause,
        (Wish::Unpause, _) => return impossible("I am not paused"),
        (Wish::Start, _) | (Wish::Restart, Status::Created | Status::Exited | Status::Dead) => {
            Action::Start
        }
        (Wish::Stop, Status::Created | Status::Exited | Status::Dead) => {
            return impossible("I do not run");
        }
        (Wish::Stop, _) => Action::Stop,
        (Wish::Restart, _) => Action::Restart,
        (Wish::Pause, Status::Running) => Action::Pause,
        (Wish::Pause, _) => return impossible("I do not run"),
        (Wish::Reload, _) => match reload(observation) {
            Some(signal) => Action::Reload { signal },
            None => {
                return impossible(
                    "my process 1 is none of which I know how it reads its configuration again",
                );
            }
        },
        (Wish::MoreMemory, _) => match maker.raise_memory() {
            Some(raise) => raise,
            None => return impossible("no memory limit is set"),
        },
    };
    let why = Reason {
        finding: "asked".to_owned(),
        severity: "info".to_owned(),
        text: "Somebody asked for it.".to_owned(),
        evidence: Vec::new(),
    };
    Asked::Proposal(Box::new(maker.make_because(vec![step], vec![why])))
}

/// What can be wished for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    Start,
    Stop,
    Restart,
    Pause,
    Unpause,
    Reload,
    MoreMemory,
}

/// A request begins with what is to be done; politeness aside.
fn wish(question: &str) -> Option<Wish> {
    if question.len() > LONGEST || question.trim().contains('\n') {
        return None;
    }
    let lower = question.to_lowercase();
    let mut words = lower
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .skip_while(|word| {
            matches!(
                *word,
                "please" | "can" | "could" | "would" | "will" | "you" | "just" | "now" | "and"
            )
        });
    let verb = words.next()?;
    let rest: Vec<&str> = words.collect();
    let about_memory = rest
        .iter()
        .any(|word| matches!(*word, "memory" | "ram" | "limit"));
    match verb {
        "start" => Some(Wish::Start),
        "stop" => Some(Wish::Stop),
        "restart" | "reboot" => Some(Wish::Restart),
        "pause" => Some(Wish::Pause),
        "unpause" | "resume" => Some(Wish::Unpause),
        "reload" => Some(Wish::Reload),
        "raise" | "increase" | "double" if about_memory => Some(Wish::MoreMemory),
        _ => None,
    }
}

/// By which signal process 1 reads its configuration again, where it is a service that does.
pub(super) fn reload(observation: &Observation) -> Option<ReloadSignal> {
    let first = observation.state()?.pid?;
    let service = observation
        .services
        .iter()
        .find(|service| service.pid == first)?;
    ReloadSignal::of(&service.name)
}
