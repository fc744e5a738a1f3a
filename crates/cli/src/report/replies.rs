//! What companions say.

use std::fmt::Write as _;

use ergon_server::api::{Evidence, Finding, Reply};

use crate::style;
use crate::table::{pad, wrap};
use crate::words;

/// One companion's answer, with what it rests on.
pub fn reply(reply: &Reply, width: Option<usize>) -> String {
    let mut page = String::new();
    let content = words::harmless(&reply.content);
    for line in content.lines() {
        for line in width.map_or_else(|| vec![line.to_owned()], |width| wrap(line, width)) {
            let _ = writeln!(page, "{line}");
        }
    }
    for remedy in remedies(reply, &content) {
        let _ = writeln!(
            page,
            "  {} {}",
            style::faint("try:"),
            style::strong(&remedy)
        );
    }
    page.push_str(&explanation(reply, width));
    page.push_str(&evidence(&reply.evidence));
    page
}

/// What a model makes of it, marked as the model's.
pub fn explanation(reply: &Reply, width: Option<usize>) -> String {
    let Some(explanation) = &reply.explanation else {
        return String::new();
    };
    let text = format!(
        "{} explains: {}",
        words::harmless(&explanation.model),
        words::harmless(&explanation.content)
    );
    let lines = width.map_or_else(|| vec![text.clone()], |width| wrap(&text, width));
    let mut page = String::new();
    for line in lines {
        let _ = writeln!(page, "{line}");
    }
    page
}

/// What can be done, where the answer does not say it already.
fn remedies(reply: &Reply, content: &str) -> Vec<String> {
    let offered = |finding: &&Finding| {
        let offers = &reply.offers;
        !offers
            .iter()
            .any(|offer| offer.findings.contains(&finding.id))
    };
    reply
        .findings
        .iter()
        .filter(offered)
        .filter_map(|finding| finding.remedy.as_deref())
        .map(words::harmless)
        .filter(|remedy| !content.contains(remedy.as_str()))
        .collect()
}

/// Findings as a list, the worst word first on each line.
pub fn findings(findings: &[Finding]) -> String {
    let mut page = String::new();
    for finding in findings {
        let severity = match finding.severity.as_str() {
            "critical" => style::bad("critical"),
            "warning" => style::warning("warning"),
            other => other.to_owned(),
        };
        let numbers: Vec<String> = finding
            .evidence
            .iter()
            .map(|number| format!("[{number}]"))
            .collect();
        let _ = writeln!(
            page,
            "\n{severity}: {} {}",
            words::harmless(&finding.text),
            style::faint(&numbers.join(""))
        );
        if let Some(remedy) = &finding.remedy {
            let _ = writeln!(
                page,
                "  {} {}",
                style::faint("try:"),
                style::strong(&words::harmless(remedy))
            );
        }
    }
    page
}

/// The evidence, numbered as it is cited.
pub fn evidence(evidence: &[Evidence]) -> String {
    let mut page = String::new();
    for piece in evidence {
        let time = piece.time.get(11..19).unwrap_or(&piece.time);
        let line = format!(
            "  [{}] {}, {time}",
            piece.number,
            words::harmless(&piece.text)
        );
        let _ = writeln!(page, "{}", style::faint(&line));
    }
    page
}

/// Everybody's answer in one list. A companion that could not be asked says why.
pub fn team(answers: &[(String, Result<Reply, String>)], width: Option<usize>) -> String {
    let names = answers
        .iter()
        .map(|(name, _)| name.chars().count())
        .max()
        .unwrap_or_default()
        + 2;
    let mut page = String::new();
    for (name, answer) in answers {
        let text = match answer {
            Ok(reply) => words::harmless(&reply.content),
            Err(why) => style::bad(&words::harmless(why)),
        };
        let room = width.map_or(usize::MAX, |width| width.saturating_sub(names).max(20));
        let mut label = pad(&style::strong(&words::harmless(name)), names);
        for line in wrap(&text, room) {
            let _ = writeln!(page, "{label}{line}");
            label = " ".repeat(names);
        }
    }
    page
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    fn example() -> Reply {
        Reply {
            from: "fastapi-ci".into(),
            content: "I'm well.\nOne thing to look at: DATABASE_URL is not set.".into(),
            findings: vec![Finding {
                id: "env.missing".into(),
                severity: "warning".into(),
                text: "DATABASE_URL is not set".into(),
                evidence: vec![1],
                remedy: Some("ergon run . --env DATABASE_URL=…".into()),
            }],
            evidence: vec![Evidence {
                number: 1,
                text: "container env has no DATABASE_URL".into(),
                source: "engine".into(),
                time: "2026-01-02T14:02:11Z".into(),
                command: None,
            }],
            ..Reply::default()
        }
    }

    fn plain(text: &str) -> String {
        anstream::adapter::strip_str(text).to_string()
    }

    #[test]
    fn an_answer_shows_what_it_rests_on() {
        assert_snapshot!(plain(&reply(&example(), Some(40))), @r"
        I'm well.
        One thing to look at: DATABASE_URL is
        not set.
          try: ergon run . --env DATABASE_URL=…
          [1] container env has no DATABASE_URL, 14:02:11
        ");
    }

    #[test]
    fn a_team_answers_in_one_list() {
        let answers = [
            ("fastapi-ci".to_owned(), Ok(example())),
            ("db-ci".to_owned(), Err("did not answer".to_owned())),
        ];
        assert_snapshot!(plain(&team(&answers, Some(50))), @r"
        fastapi-ci  I'm well.
                    One thing to look at: DATABASE_URL is
                    not set.
        db-ci       did not answer
        ");
    }
}
