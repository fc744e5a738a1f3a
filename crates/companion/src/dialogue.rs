//! Answers to questions, computed from an observation: no model, and no claim without evidence.

mod around;
mod logs;
mod measures;
mod state;
mod topics;
mod waste;

use ergon_engine::{ContainerState, Status};
use jiff::SignedDuration;

use crate::evidence::Book;
use crate::facts::Facts;
use crate::findings::{self, Draft, Severity};
use crate::intent::{Intent, intents};
use crate::observation::{Outcome, Probe, Wellness};
use crate::{Observation, Reply};

const TOPICS: &str = "status, health, services and processes, ports, memory, CPU, disks and network and how they were, uptime and restarts, \
                      what happened, logs and errors, the environment, what changed, whether I am what I was meant to be, whom I need and who needs me, what to do, what is wasteful, and what I am made from";

/// Answers a question from what was observed.
pub fn answer(question: &str, observation: &Observation) -> Reply {
    let mut speaker = Speaker::of(observation);
    if let Some(back) = measures::looks_back(question) {
        speaker.back = back;
    }
    let mut book = Book::default();
    let intents = intents(question);
    let mut parts: Vec<String> = match observation.state() {
        None => speaker
            .drafts
            .iter()
            .map(|draft| draft.sentence(&mut book))
            .collect(),
        Some(state) if intents.is_empty() => {
            let lost = format!("I did not understand that; I can tell you about {TOPICS}.");
            vec![lost, speaker.status(state, &mut book)]
        }
        Some(state) => intents
            .iter()
            .map(|intent| speaker.say(*intent, state, &mut book))
            .collect(),
    };
    let told_all = |intent: &Intent| {
        matches!(
            intent,
            Intent::Status | Intent::Health | Intent::WhatHappened | Intent::Advice | Intent::Drift
        )
    };
    if !intents.is_empty() && !intents.iter().any(told_all) {
        parts.extend(speaker.besides(&mut book));
    }
    let mut told: Vec<_> = speaker
        .drafts
        .iter()
        .map(|draft| draft.finding(&mut book))
        .collect();
    if intents.contains(&Intent::Waste) {
        let wastes = findings::wastes(observation).found;
        told.extend(wastes.iter().map(|waste| waste.draft.finding(&mut book)));
    }
    Reply {
        from: observation.subject.companion.clone(),
        content: parts.join("\n"),
        findings: told,
        evidence: book.into_evidence(),
        ..Reply::default()
    }
}

/// Whether a question is about how the container is as a whole, or what became of it: then the answer also
/// says what can be done about it.
pub fn is_about_all(question: &str) -> bool {
    let intents = intents(question);
    let whole = |intent: &Intent| {
        matches!(
            intent,
            Intent::Status
                | Intent::Health
                | Intent::WhatHappened
                | Intent::Uptime
                | Intent::Action
                | Intent::Advice
        )
    };
    intents.is_empty() || intents.iter().any(whole)
}

/// Whether a question asks what is wasteful: then the answer also says what can be done about that.
pub fn is_about_waste(question: &str) -> bool {
    intents(question).contains(&Intent::Waste)
}

/// A container's state in one sentence, without figures that change by themselves.
pub(crate) fn sentence(observation: &Observation, drafts: &[Draft]) -> String {
    let brief = |draft: &Draft| {
        let text = draft.brief.as_ref().unwrap_or(&draft.text);
        format!("{}.", text.split(". ").next().unwrap_or(text))
    };
    let running = observation.is_running();
    match drafts.first() {
        Some(worst) if !running || worst.severity == Severity::Critical => brief(worst),
        _ if !running => "I do not run.".to_owned(),
        _ if findings::wellness(observation, drafts) == Wellness::Unknown => {
            "I am starting.".to_owned()
        }
        Some(draft) => format!(
            "{}; {}.",
            sentence_start(&good_answer(observation)),
            draft.text
        ),
        None => format!("{}.", sentence_start(&good_answer(observation))),
    }
}

/// Speaks for one observation.
struct Speaker<'a> {
    observation: &'a Observation,
    facts: Facts<'a>,
    drafts: Vec<Draft>,
    /// How far back is looked for what changes all the time.
    back: SignedDuration,
}

impl<'a> Speaker<'a> {
    fn of(observation: &'a Observation) -> Self {
        Self {
            observation,
            facts: Facts::of(observation),
            drafts: findings::drafts(observation),
            back: SignedDuration::from_mins(15),
        }
    }

    fn say(&self, intent: Intent, state: &ContainerState, book: &mut Book) -> String {
        match intent {
            Intent::Status => self.status(state, book),
            Intent::Health => self.health(state, book),
            Intent::WhatHappened => self.what_happened(state, book),
            Intent::Services => self.services(state, book),
            Intent::Ports => self.ports(state, book),
            Intent::Memory => self.memory(state, book),
            Intent::Processor => self.processor(state, book),
            Intent::Uptime => self.uptime(state, book),
            Intent::Errors => self.errors(book),
            Intent::Logs => self.logs(book),
            Intent::LogNews => self.news(book),
            Intent::Environment => self.environment(state, book),
            Intent::Identity => self.identity(state, book),
            Intent::Changes => self.changes(state, book),
            Intent::Drift => self.drift(state, book),
            Intent::Dependencies => self.dependencies(state, book),
            Intent::Advice => self.advice(book),
            Intent::Help => {
                format!(
                    "I answer for container {}. Ask me about {TOPICS}.",
                    self.observation.subject.container
                )
            }
            Intent::Disk => self.disk(state, book),
            Intent::Network => self.network(state, book),
            Intent::Waste => self.waste(book),
            Intent::Action => {
                "I change nothing by myself: I say what I would do, and somebody approves it."
                    .to_owned()
            }
        }
    }

    /// What is badly wrong, for those who asked for something else.
    fn besides(&self, book: &mut Book) -> Option<String> {
        let worst = self
            .drafts
            .first()
            .filter(|draft| draft.severity == Severity::Critical)?;
        if !self.observation.is_running() {
            return None;
        }
        Some(format!(
            "Besides, I'm not well: {}",
            inside_sentence(&worst.sentence(book))
        ))
    }
}

/// `uvicorn answers GET / with 200`, for want of more `my program runs`.
fn good_answer(observation: &Observation) -> String {
    let Some(probe) = observation.probe.as_ref().filter(|probe| probe.is_good()) else {
        return match &observation.services[..] {
            [] => "I am running".to_owned(),
            [first, ..] => format!("{} runs", first.name),
        };
    };
    let who = answering(observation, probe);
    match (&probe.target.path, &probe.outcome) {
        (Some(path), Outcome::Status(status)) => {
            format!("{who} answers GET {path} with {status}")
        }
        _ => format!(
            "{who} takes connections on port {}",
            probe.target.container_port
        ),
    }
}

/// The service behind the port that was asked.
fn answering<'o>(observation: &'o Observation, probe: &Probe) -> &'o str {
    let services = &observation.services;
    let listens = services
        .iter()
        .find(|service| service.ports.contains(&probe.target.container_port));
    listens
        .or(services.first())
        .map_or("my program", |service| service.name.as_str())
}

/// How people call a state.
fn standing(state: &ContainerState) -> &'static str {
    match state.status {
        Status::Created => "not started",
        Status::Exited => "stopped",
        Status::Restarting => "between two starts",
        other => other.as_str(),
    }
}

/// Begins a sentence: program names keep their own spelling.
fn sentence_start(text: &str) -> String {
    let plain = [
        "up ",
        "my ",
        "the ",
        "port ",
        "never ",
        "restarted ",
        "started ",
    ];
    let mut letters = text.chars();
    match letters.next() {
        Some(first) if plain.iter().any(|start| text.starts_with(start)) => {
            first.to_uppercase().chain(letters).collect()
        }
        _ => text.to_owned(),
    }
}

/// Inside a sentence `Nothing` is `nothing`; `I` and names of variables stay as they are.
fn inside_sentence(text: &str) -> String {
    let plain = ["Nothing ", "The ", "My "];
    let mut letters = text.chars();
    match letters.next() {
        Some(first) if plain.iter().any(|start| text.starts_with(start)) => {
            first.to_lowercase().chain(letters).collect()
        }
        _ => text.to_owned(),
    }
}
