//! Policies and what they decide, as people read it.

use std::fmt::Write as _;

use ergon_server::api::{PolicyAnswer, PolicyFault, PolicyText, PolicyTrialResult};

use crate::table::Table;
use crate::{style, words};

pub fn list(texts: &[PolicyText], width: Option<usize>) -> String {
    let mut table = Table::new(["POLICIES", "FROM", "IS", "CHANGED", "BY"]);
    for text in texts {
        table.row([
            text.name.clone(),
            if text.shipped { "Ergon" } else { "this stack" }.to_owned(),
            match text.faults.len() {
                0 => "in force".to_owned(),
                _ => style::bad("broken: only owners may do anything"),
            },
            text.changed_at.clone().unwrap_or_default(),
            words::on_one_line(text.changed_by.as_deref().unwrap_or_default()),
        ]);
    }
    table.render(width)
}

/// What is wrong with a file, as compilers say it.
pub fn checked(file: &str, faults: &[PolicyFault]) -> String {
    let file = words::on_one_line(file);
    if faults.is_empty() {
        return format!("{file}: {}\n", style::good("good"));
    }
    let mut text = String::new();
    for fault in faults {
        let place = match fault.line {
            0 => file.clone(),
            line => format!("{file}:{line}:{}", fault.column),
        };
        let message = words::on_one_line(&fault.message);
        let _ = writeln!(text, "{}: {message}", style::strong(&place));
        if let Some(help) = &fault.help {
            let _ = writeln!(text, "    {}", style::faint(&words::on_one_line(help)));
        }
    }
    text
}

/// Whether somebody may, and why.
pub fn answer(answer: &PolicyAnswer) -> String {
    let word = verdict(answer.allowed);
    let mut text = format!("{word}  {}\n", words::harmless(&answer.sentence));
    if !answer.roles.is_empty() {
        let _ = writeln!(text, "       roles: {}", answer.roles.join(", "));
    }
    let _ = writeln!(
        text,
        "       the action is one of: {}; it is done to: {}",
        answer.groups.join(", "),
        answer.kind
    );
    for (policy, written) in answer.policies.iter().zip(&answer.texts) {
        let _ = writeln!(text, "\n{}", style::strong(&words::harmless(policy)));
        for line in written.lines() {
            let _ = writeln!(text, "  {}", words::harmless(line));
        }
    }
    text
}

/// What came of cases.
pub fn trial(result: &PolicyTrialResult) -> String {
    let mut text = String::new();
    for place in &result.unexpected {
        if let Some(answer) = result.answers.get(*place) {
            let _ = writeln!(
                text,
                "{}  case {}: {}",
                style::bad("unexpected"),
                place + 1,
                words::harmless(&answer.sentence)
            );
        }
    }
    let (all, wrong) = (result.answers.len(), result.unexpected.len());
    let _ = writeln!(
        text,
        "{} of {} decided as expected",
        all - wrong.min(all),
        words::count(all, "case")
    );
    text
}

fn verdict(allowed: bool) -> String {
    if allowed {
        style::good("may  ")
    } else {
        style::bad("may not")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::style::plain;
    use ergon_server::api::PolicyQuestion;
    use insta::assert_snapshot;

    #[test]
    fn a_fault_is_said_where_it_is() {
        let fault = PolicyFault {
            line: 3,
            column: 9,
            message: "unknown\u{1b}[2J action".to_owned(),
            help: Some("did you mean `ListJobs`?".to_owned()),
        };
        assert_snapshot!(plain(&checked("nights.cedar", &[fault])), @r#"
        nights.cedar:3:9: unknown\u{1b}[2J action
            did you mean `ListJobs`?
        "#);
        assert_snapshot!(plain(&checked("nights.cedar", &[])), @"nights.cedar: good");
    }

    #[test]
    fn an_answer_says_who_may_what_and_why() {
        let given = PolicyAnswer {
            question: PolicyQuestion::default(),
            allowed: false,
            policies: vec!["ours/hands-off".to_owned()],
            texts: vec!["forbid (principal, action, resource);".to_owned()],
            roles: vec!["developer".to_owned()],
            groups: vec!["destroys".to_owned()],
            kind: "Container".to_owned(),
            sentence: "ada may not do RemoveContainer of `database`: ours/hands-off forbids it."
                .to_owned(),
        };
        assert_snapshot!(plain(&answer(&given)), @r"
        may not  ada may not do RemoveContainer of `database`: ours/hands-off forbids it.
               roles: developer
               the action is one of: destroys; it is done to: Container

        ours/hands-off
          forbid (principal, action, resource);
        ");
    }
}
