//! What is wrong with a container, computed from an observation. Nothing here looks at anything else.

mod end;
mod meant;
mod network;
mod resources;

pub(crate) use end::reads_like_error;

use ergon_engine::Status;

use crate::evidence::{Book, Fact};
use crate::facts::Facts;
use crate::observation::{Probe, Sight, Wellness};
use crate::{Evidence, Finding, Observation};

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Severity {
    Info,
    Warning,
    Critical,
}

/// A finding whose evidence has no numbers yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Draft {
    pub id: &'static str,
    pub severity: Severity,
    /// A clause or sentences in the first person, without the last full stop.
    pub text: String,
    /// The same without times that pass, where it has some.
    pub brief: Option<String>,
    pub facts: Vec<Fact>,
    pub remedy: Option<String>,
}

/// What a companion makes of what it sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnosis {
    pub wellness: Wellness,
    /// Its state in one sentence, which stays true until something happens.
    pub sentence: String,
    /// The weightiest first; empty when all is well.
    pub findings: Vec<Finding>,
    pub evidence: Vec<Evidence>,
}

/// What a companion makes of what it sees.
pub fn diagnose(observation: &Observation) -> Diagnosis {
    let mut book = Book::default();
    let drafts = drafts(observation);
    Diagnosis {
        wellness: wellness(observation, &drafts),
        sentence: crate::dialogue::sentence(observation, &drafts),
        findings: drafts
            .iter()
            .map(|draft| draft.finding(&mut book))
            .collect(),
        evidence: book.into_evidence(),
    }
}

/// How the container is in one word, given what was found.
pub(crate) fn wellness(observation: &Observation, drafts: &[Draft]) -> Wellness {
    let critical = drafts
        .iter()
        .any(|draft| draft.severity == Severity::Critical);
    match &observation.sight {
        Sight::Blind(_) => Wellness::Unknown,
        Sight::Seen(state) if state.is_running() && critical => Wellness::Unwell,
        Sight::Seen(state) if state.is_running() => {
            let answers = observation.probe.as_ref().is_none_or(Probe::is_good);
            if observation.is_starting() && !answers {
                Wellness::Unknown
            } else {
                Wellness::Well
            }
        }
        Sight::Seen(state) if state.status == Status::Restarting => Wellness::Unwell,
        Sight::Seen(_) | Sight::Gone => Wellness::Stopped,
    }
}

/// Everything that is worth a look, the weightiest first.
pub(crate) fn drafts(observation: &Observation) -> Vec<Draft> {
    let look = Look {
        observation,
        facts: Facts::of(observation),
    };
    let mut drafts = look.sight();
    // A loop says more than the last of its deaths.
    drafts.extend(look.restart_loop());
    drafts.extend(look.ending());
    drafts.extend(look.paused());
    drafts.extend(look.out_of_memory());
    drafts.extend(look.unhealthy());
    drafts.extend(look.probe());
    drafts.extend(look.ports());
    drafts.extend(look.variables());
    drafts.extend(look.memory_limit());
    drafts.extend(look.zombies());
    drafts.extend(look.image());
    drafts.sort_by_key(|draft| std::cmp::Reverse(draft.severity));
    drafts
}

/// Looks at one observation; each file below adds what it looks for.
struct Look<'a> {
    observation: &'a Observation,
    facts: Facts<'a>,
}

impl Look<'_> {
    /// Whether there is anything to look at.
    fn sight(&self) -> Vec<Draft> {
        match &self.observation.sight {
            Sight::Seen(_) => Vec::new(),
            Sight::Gone => vec![
                Draft::new(
                    "gone",
                    Severity::Warning,
                    "The engine does not know my container any more",
                )
                .because([self.facts.gone()]),
            ],
            Sight::Blind(reason) => vec![
                Draft::new(
                    "unseen",
                    Severity::Critical,
                    format!("I cannot see my container: {reason}"),
                )
                .because([self.facts.blind(reason)]),
            ],
        }
    }
}

impl Draft {
    fn new(id: &'static str, severity: Severity, text: impl Into<String>) -> Self {
        let text = text.into().trim_end_matches('.').to_owned();
        Self {
            id,
            severity,
            text,
            brief: None,
            facts: Vec::new(),
            remedy: None,
        }
    }

    fn because(mut self, facts: impl IntoIterator<Item = Fact>) -> Self {
        self.facts.extend(facts);
        self
    }

    fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// The finding as a sentence with its evidence.
    pub(crate) fn sentence(&self, book: &mut Book) -> String {
        format!("{}{}.", self.text, book.cite(&self.facts))
    }

    pub(crate) fn finding(&self, book: &mut Book) -> Finding {
        let severity = match self.severity {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Critical => "critical",
        };
        Finding {
            id: self.id.to_owned(),
            severity: severity.to_owned(),
            text: format!("{}.", self.text),
            evidence: self.facts.iter().map(|fact| book.number(fact)).collect(),
            remedy: self.remedy.clone(),
        }
    }
}
