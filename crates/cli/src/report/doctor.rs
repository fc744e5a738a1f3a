//! What a look at an installation found, as people read it.

use std::fmt::Write as _;

use crate::doctor::{Diagnosis, Level};
use crate::{style, words};

pub fn show(diagnosis: &Diagnosis) -> String {
    let mut text = String::new();
    for finding in &diagnosis.findings {
        let level = match finding.level {
            Level::Unsafe => style::bad("unsafe"),
            Level::Unwise => style::warning("unwise"),
        };
        // Names may come from elsewhere.
        let (what, mend) = (
            words::harmless(&finding.what),
            words::harmless(&finding.mend),
        );
        let _ = writeln!(text, "{level}  {what}  ({})", finding.check);
        let _ = writeln!(text, "        {}", finding.why);
        let _ = writeln!(text, "        {} {mend}", style::strong("mend:"));
    }
    if diagnosis.findings.is_empty() {
        text.push_str("Nothing unsafe was found.\n");
    }
    let good = diagnosis.good.len();
    let _ = writeln!(
        text,
        "{good} questions are answered well, {} found something, {} could not be answered",
        found(diagnosis),
        diagnosis.unanswered.len()
    );
    for unanswered in &diagnosis.unanswered {
        let because = words::harmless(&unanswered.because);
        let _ = writeln!(text, "  {}: {because}", unanswered.check);
    }
    text
}

/// How many questions found something.
fn found(diagnosis: &Diagnosis) -> usize {
    let mut checks: Vec<_> = diagnosis
        .findings
        .iter()
        .map(|finding| finding.check)
        .collect();
    checks.sort_unstable();
    checks.dedup();
    checks.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::{Finding, Unanswered};

    #[test]
    fn what_was_found_is_said_with_why_and_what_to_do() {
        let diagnosis = Diagnosis {
            findings: vec![Finding {
                check: "user",
                level: Level::Unwise,
                what: "the stack runs as root\u{1b}[31m".to_owned(),
                why: "a hole in it is a hole in the machine",
                mend: "run it as a user of its own".to_owned(),
            }],
            unanswered: vec![Unanswered {
                check: "robots",
                because: "no stack runs for this data folder".to_owned(),
            }],
            good: vec!["files", "disk"],
        };
        let text = show(&diagnosis);
        assert!(!text.contains("\u{1b}[31m"), "{text}");
        let plain = style::plain(&text);
        insta::assert_snapshot!(plain, @r"
        unwise  the stack runs as root  (user)
                a hole in it is a hole in the machine
                mend: run it as a user of its own
        2 questions are answered well, 1 found something, 1 could not be answered
          robots: no stack runs for this data folder
        ");
        let nothing = show(&Diagnosis::default());
        assert!(
            nothing.starts_with("Nothing unsafe was found."),
            "{nothing}"
        );
    }
}
