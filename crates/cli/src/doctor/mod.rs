//! What is unsafe in an installation, and how to mend it.
//!
//! `gather` looks at files, processes and the stack; `checks` decide about what was found, one function for each question,
//! without looking at anything themselves.

mod checks;
pub mod facts;
mod gather;
mod process;

use serde::Serialize;

pub use gather::{gather, said};

use facts::{Facts, Unknown};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Somebody who should not can do something.
    Unsafe,
    /// Nobody can by this alone; but it is one thing less in their way, or one more that is missed when it matters.
    Unwise,
}

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Which question it answers.
    pub check: &'static str,
    pub level: Level,
    pub what: String,
    pub why: &'static str,
    /// What to do about it.
    pub mend: String,
}

/// A question that could not be answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unanswered {
    pub check: &'static str,
    pub because: String,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Diagnosis {
    /// The worst first.
    pub findings: Vec<Finding>,
    pub unanswered: Vec<Unanswered>,
    /// The questions to which the answer is good.
    pub good: Vec<&'static str>,
}

/// What one question is answered with: nothing is good.
type Answer = Result<Vec<Finding>, Unknown>;

/// Asks every question.
pub fn diagnose(facts: &Facts) -> Diagnosis {
    let mut diagnosis = Diagnosis::default();
    for (check, ask) in checks::ALL {
        match ask(facts) {
            Ok(found) if found.is_empty() => diagnosis.good.push(check),
            Ok(found) => diagnosis
                .findings
                .extend(found.into_iter().map(|found| Finding { check, ..found })),
            Err(because) => diagnosis.unanswered.push(Unanswered {
                check,
                because: because.0,
            }),
        }
    }
    diagnosis.findings.sort_by_key(|finding| finding.level);
    diagnosis
}
