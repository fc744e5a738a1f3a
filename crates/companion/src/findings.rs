//! What is wrong with a container, computed from an observation. Nothing here looks at anything else.

mod causes;
mod complaints;
mod dependencies;
mod end;
mod meant;
mod network;
mod resources;
mod waste;

pub(crate) use dependencies::named_places;
pub(crate) use end::reads_like_error;
pub(crate) use waste::{Cure, Waste, in_processors, wastes};

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
    /// What explains others says so in a part of a sentence: `DATABASE_URL is not set`.
    pub clause: Option<String>,
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
    let mut look = Look {
        observation,
        facts: Facts::of(observation),
        is_looping: false,
    };
    let restart_loop = look.restart_loop();
    look.is_looping = restart_loop.is_some();
    let mut drafts = look.sight();
    // A loop says more than the last of its deaths.
    drafts.extend(restart_loop);
    drafts.extend(look.ending());
    drafts.extend(look.paused());
    drafts.extend(look.out_of_memory());
    drafts.extend(look.unhealthy());
    drafts.extend(look.probe());
    drafts.extend(look.ports());
    let mut causes = look.causes();
    let mut variables = look.variables();
    // What the manifest and the log both miss is told once, with the evidence of both.
    causes.retain(|cause| {
        let known = variables
            .iter_mut()
            .find(|known| cause.id == "env.missing" && known.clause == cause.clause);
        match known {
            Some(known) => {
                known.add(&cause.facts);
                false
            }
            None => true,
        }
    });
    // Whoever waits for somebody else does not hang by itself.
    let waits = causes
        .iter()
        .any(|cause| cause.id.starts_with("dependency."));
    let processor = look
        .processor()
        .filter(|draft| draft.id != "stuck" || !waits);
    for effect in &mut drafts {
        effect.explain(causes.iter().chain(&variables).chain(&processor));
    }
    drafts.extend(causes);
    drafts.extend(variables);
    drafts.extend(processor);
    drafts.extend(look.certificates());
    drafts.extend(look.unanswered());
    drafts.extend(look.disks());
    drafts.extend(look.descriptors_limit());
    drafts.extend(look.tasks_limit());
    drafts.extend(look.memory_limit());
    drafts.extend(look.leak());
    drafts.extend(look.zombies());
    drafts.extend(look.image());
    drafts.extend(look.user());
    drafts.extend(look.files());
    drafts.extend(look.other_ports());
    let mut told: Vec<&'static str> = Vec::new();
    // What the program complains about and what is measured can be one and the same.
    drafts.retain(|draft| {
        let is_measured = matches!(
            draft.id,
            "disk.full"
                | "shm.full"
                | "descriptors.exhausted"
                | "tasks.exhausted"
                | "dependency.slow"
        );
        let is_new = !is_measured || !told.contains(&draft.id);
        told.push(draft.id);
        is_new
    });
    drafts.sort_by_key(|draft| std::cmp::Reverse(draft.severity));
    drafts
}

/// Findings that say what is wrong, and can have a cause that another finding names.
const EFFECTS: [&str; 4] = ["exited", "restart.loop", "health.unhealthy", "probe.failed"];

/// Looks at one observation; each file below adds what it looks for.
struct Look<'a> {
    observation: &'a Observation,
    facts: Facts<'a>,
    /// It starts and ends again and again.
    is_looping: bool,
}

impl Look<'_> {
    /// Whether it stands still, if only between two starts.
    fn is_down(&self) -> bool {
        !self.observation.is_running() || self.is_looping
    }

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
            clause: None,
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

    fn add(&mut self, facts: &[Fact]) {
        for fact in facts {
            if !self.facts.contains(fact) {
                self.facts.push(fact.clone());
            }
        }
    }

    /// Says why, where a finding is known that explains it.
    fn explain<'d>(&mut self, causes: impl Iterator<Item = &'d Self>) {
        if !EFFECTS.contains(&self.id) {
            return;
        }
        let mut causes = causes.filter(|cause| cause.severity == Severity::Critical);
        let Some((cause, clause)) =
            causes.find_map(|cause| Some((cause, cause.clause.as_deref()?)))
        else {
            return;
        };
        // The words that were taken for the reason until now are the evidence of this one.
        for text in std::iter::once(&mut self.text).chain(&mut self.brief) {
            if let Some((before, _)) = text.split_once(end::LAST_WORDS) {
                *text = before.to_owned();
            }
            text.push_str(", because ");
            text.push_str(clause);
        }
        self.add(&cause.facts);
        self.remedy.clone_from(&cause.remedy);
    }

    /// Whether another finding has said all of this already, as its reason.
    pub(crate) fn is_told_by(&self, other: &Self) -> bool {
        self.clause.as_ref().is_some_and(|clause| {
            self.text == causes::sentence(clause)
                && other.text != self.text
                && other.text.ends_with(clause.as_str())
        })
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
