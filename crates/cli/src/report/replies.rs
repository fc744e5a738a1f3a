//! What companions say.

use std::fmt::Write as _;

use ergon_server::api::{Evidence, Finding, Reply, TeamAnswer};

use crate::style;
use crate::table::{pad, wrap};
use crate::words;

/// What members of a team say begins here, where their names are short enough.
const TEAM_COLUMN: usize = 18;

/// One companion's answer, with what it rests on.
pub fn reply(reply: &Reply, width: Option<usize>) -> String {
    let mut page = String::new();
    let content = words::harmless(&reply.content);
    for line in content.lines() {
        for line in width.map_or_else(|| vec![line.to_owned()], |width| wrap(line, width)) {
            let _ = writeln!(page, "{line}");
        }
    }
    page.push_str(&after_content(reply, width));
    page
}

/// What comes after the words of an answer: why they end there, what can be done, what it rests on.
pub fn after_content(reply: &Reply, width: Option<usize>) -> String {
    let mut page = String::new();
    if let Some(cut) = cut(reply) {
        let _ = writeln!(page, "{cut}");
    }
    for remedy in remedies(reply, &words::harmless(&reply.content)) {
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

/// Why an answer ends before its end.
fn cut(reply: &Reply) -> Option<String> {
    let cut = reply.cut.as_deref()?;
    Some(style::warning(&format!("({})", words::harmless(cut))))
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

/// What one of a team says, or why they do not.
pub fn team_answer(answer: &TeamAnswer, width: Option<usize>) -> String {
    let name = words::harmless(&answer.from);
    let column = (name.chars().count() + 2).max(TEAM_COLUMN);
    let text = match (&answer.reply, &answer.error) {
        (Some(reply), _) => {
            let cut = cut(reply).map_or_else(String::new, |cut| format!("\n{cut}"));
            format!("{}{cut}", words::harmless(&reply.content))
        }
        (None, Some(why)) if answer.outcome == "forwarded" => style::faint(&words::harmless(why)),
        (None, why) => style::bad(&words::harmless(why.as_deref().unwrap_or("did not answer"))),
    };
    let room = width.map_or(usize::MAX, |width| width.saturating_sub(column).max(20));
    let mut label = pad(&style::strong(&name), column);
    let mut page = String::new();
    for line in wrap(&text, room) {
        let _ = writeln!(page, "{label}{line}");
        label = " ".repeat(column);
    }
    page
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::style::plain;

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
    fn a_team_answers_one_by_one() {
        let said = TeamAnswer {
            from: "fastapi-ci".to_owned(),
            outcome: "answered".to_owned(),
            milliseconds: 3,
            reply: Some(example()),
            error: None,
        };
        let away = TeamAnswer {
            from: "database-of-the-shop-ci".to_owned(),
            outcome: "away".to_owned(),
            milliseconds: 3,
            reply: None,
            error: Some("nobody is there".to_owned()),
        };
        let both = [said, away].map(|answer| team_answer(&answer, Some(50)));
        assert_snapshot!(plain(&both.concat()), @r"
        fastapi-ci        I'm well.
                          One thing to look at:
                          DATABASE_URL is not set.
        database-of-the-shop-ci  nobody is there
        ");
    }

    #[test]
    fn an_answer_that_was_cut_says_so() {
        let cut = Reply {
            content: "and then".to_owned(),
            cut: Some("it broke off there".to_owned()),
            ..Reply::default()
        };
        assert_snapshot!(plain(&reply(&cut, None)), @r"
        and then
        (it broke off there)
        ");
    }
}
