//! A proposal: everything a person has to know before they say yes, and nothing that changes afterwards.

use std::collections::BTreeMap;
use std::time::Duration;

use ergon_engine::ContainerState;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use super::{Action, Class};
use crate::{Evidence, words};

/// What is proposed. Whoever approves it approves these bytes, and they are what is carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    pub target: Target,
    /// One after the other; what one cannot do ends it.
    pub steps: Vec<Action>,
    /// Who proposes it: the companion, a runbook.
    pub origin: String,
    pub why: Vec<Reason>,
    pub check: Check,
    /// Empty: nothing takes it back.
    pub undo: Vec<Action>,
    pub precondition: Precondition,
}

/// The container that something is done to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// The engine's id. A name may be another container's by the time somebody approves.
    pub id: String,
    pub name: String,
    pub companion: String,
}

/// Why something is proposed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Reason {
    /// The finding's id; `asked` where somebody asked for it.
    pub finding: String,
    /// `info`, `warning`, `critical`.
    pub severity: String,
    pub text: String,
    pub evidence: Vec<Evidence>,
}

/// How it is seen that it helped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// These findings must be gone,
    pub gone: Vec<String>,
    /// after so many seconds at the latest.
    pub within_seconds: u64,
}

/// What the container was when the proposal was made, as far as it matters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Precondition(pub BTreeMap<String, String>);

impl Precondition {
    pub(super) fn of(steps: &[Action], state: &ContainerState) -> Self {
        let facts = steps.iter().flat_map(|step| step.rests_on(state));
        Self(facts.map(|(what, is)| (what.to_owned(), is)).collect())
    }

    /// What is not as it was: `state was exited, is running`. Empty: it holds.
    pub fn broken_by(&self, steps: &[Action], state: &ContainerState) -> Vec<String> {
        let now = Self::of(steps, state);
        let changed = |(what, was): (&String, &String)| {
            let is = now.0.get(what).map_or("unknown", String::as_str);
            (is != was).then(|| format!("{what} was {was}, is {is}"))
        };
        self.0.iter().filter_map(changed).collect()
    }
}

impl Proposal {
    /// The weightiest of its steps.
    pub fn class(&self) -> Class {
        let classes = self.steps.iter().map(Action::class);
        classes.max().unwrap_or(Class::Read)
    }

    /// `start again`, after "I can".
    pub fn offer(&self) -> String {
        let offers: Vec<String> = self.steps.iter().map(Action::offer).collect();
        offers.join(", and then ")
    }

    /// The words of its steps: `limit-memory+start`. Policies name it by them.
    pub fn word(&self) -> String {
        let words: Vec<&str> = self.steps.iter().map(Action::word).collect();
        words.join("+")
    }

    /// The exact commands, in order.
    pub fn commands(&self) -> Vec<Vec<String>> {
        let command = |step: &Action| step.command(&self.target.id);
        self.steps.iter().map(command).collect()
    }

    /// What takes these of its steps back: what was done last first.
    pub fn undo_of(&self, steps: &[Action]) -> Vec<Action> {
        steps.iter().rev().filter_map(Action::undone_by).collect()
    }

    /// The commands that take it back, in order.
    pub fn undo_commands(&self) -> Vec<Vec<String>> {
        let command = |step: &Action| step.command(&self.target.id);
        self.undo.iter().map(command).collect()
    }

    pub fn effect(&self) -> String {
        let effects: Vec<String> = self.steps.iter().map(Action::effect).collect();
        format!("{}.", effects.join(". "))
    }

    /// Whether the engine shows that all was done.
    pub fn shows_in(&self, state: &ContainerState) -> bool {
        self.steps.iter().all(|step| step.is_so(state))
    }

    /// How it will be seen that it helped.
    pub fn verified(&self) -> String {
        let mut must: Vec<String> = self.steps.iter().map(Action::shown).collect();
        if !self.check.gone.is_empty() {
            must.push(format!(
                "nothing is found of {}",
                words::list(&self.check.gone)
            ));
        }
        let otherwise = if self.undo.is_empty() {
            "it is said that it did not help"
        } else {
            "it is undone, and said so"
        };
        let seconds = self.check.within_seconds;
        format!(
            "Within {seconds} s {}; else {otherwise}.",
            words::list(&must)
        )
    }

    pub fn patience(&self) -> Duration {
        Duration::from_secs(self.check.within_seconds)
    }

    /// Whether any of what it was made for is still found; what somebody asked for always is.
    pub fn is_called_for(&self, found: &[&str]) -> bool {
        let is_found =
            |reason: &Reason| reason.finding == "asked" || found.contains(&reason.finding.as_str());
        self.why.is_empty() || self.why.iter().any(is_found)
    }

    /// The digest of everything in it: what was approved is what is carried out, to the letter.
    pub fn digest(&self) -> String {
        digest(self)
    }

    /// The same for all proposals to do the same to the same container in the same state.
    pub fn key(&self) -> String {
        digest(&(
            &self.target.id,
            &self.steps,
            &self.precondition,
            &self.origin,
        ))
    }

    /// The heaviest of its reasons: `info`, `warning`, `critical`.
    pub fn is_urgent(&self) -> bool {
        self.why.iter().any(|reason| reason.severity != "info")
    }
}

/// SHA-256 of the JSON. Fields come in the order of their declaration and maps are sorted, so that the
/// same content has the same bytes.
fn digest(content: &impl Serialize) -> String {
    let bytes = serde_json::to_vec(content).unwrap_or_default();
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}
