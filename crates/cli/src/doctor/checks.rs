//! One function for each question. Pure.

mod people;
mod system;

use super::facts::Facts;
use super::{Answer, Finding, Level};

type Check = (&'static str, fn(&Facts) -> Answer);

/// Every question, by the name it has in answers.
pub const ALL: [Check; 16] = [
    ("files", system::files),
    ("listening", system::listening),
    ("token", people::token),
    ("robots", people::robots),
    ("guard-rails", people::guard_rails),
    ("repositories", people::repositories),
    ("engine-socket", system::engine_socket),
    ("engine-version", system::engine_version),
    ("user", system::user),
    ("limits", system::limits),
    ("disk", system::disk),
    ("clock", system::clock),
    ("audit", people::audit),
    ("parts", people::parts),
    ("environment", system::environment),
    ("authority", people::authority),
];

fn finding(
    level: Level,
    what: impl Into<String>,
    why: &'static str,
    mend: impl Into<String>,
) -> Finding {
    Finding {
        check: "",
        level,
        what: what.into(),
        why,
        mend: mend.into(),
    }
}

#[cfg(test)]
mod tests;
