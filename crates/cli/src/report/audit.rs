//! The audit log, as people read it.

use ergon_server::api::{AuditPage, AuditReport, AuditRequest};
use jiff::Timestamp;

use crate::table::Table;
use crate::{style, words};

pub fn page(page: &AuditPage, now: Timestamp, width: Option<usize>) -> String {
    let mut table = Table::new(["ENTRY", "WHEN", "WHO", "WHAT", "OF", "ANSWER"]);
    for request in &page.items {
        table.row([
            request.sequence.to_string(),
            words::ago(&request.time, now),
            words::harmless(&request.principal),
            words::harmless(&what(request)),
            words::on_one_line(&of(request)),
            answer(request),
        ]);
    }
    if table.is_empty() {
        return "Nothing of the kind is written down.\n".to_owned();
    }
    let mut text = table.render(width);
    if let Some(next) = page.next {
        text.push_str(&style::faint(&format!("older ones: --before {next}\n")));
    }
    text
}

pub fn report(report: &AuditReport) -> String {
    let kept = match report.first {
        0 => String::new(),
        first => format!(", the first {first} removed by the log itself"),
    };
    let signed = match report.signed {
        Some(signed) => format!("; the signed checkpoint counts {signed}"),
        None => String::new(),
    };
    let entries = report.entries;
    if report.good {
        let good = style::good("✓ good");
        return format!(
            "{good}   {entries} entries{kept}: none was changed, dropped or moved{signed}\n"
        );
    }
    let mut text = format!(
        "{}   {entries} entries{kept}{signed}\n",
        style::bad("✗ not what it was")
    );
    for problem in &report.problems {
        text.push_str("  ");
        text.push_str(&words::on_one_line(problem));
        text.push('\n');
    }
    text
}

fn what(request: &AuditRequest) -> String {
    let what = match request.entry.as_str() {
        "damage" => "the log was damaged",
        "pruned" => "old entries were removed",
        _ => &request.action,
    };
    match request.count {
        Some(count) => format!("{what} ×{count}"),
        None => what.to_owned(),
    }
}

fn of(request: &AuditRequest) -> String {
    let kind = request.kind.to_lowercase();
    match &request.name {
        Some(name) => format!("{kind} {name}"),
        None => kind,
    }
}

fn answer(request: &AuditRequest) -> String {
    match (request.decision.as_deref(), request.status) {
        (Some("deny"), _) => style::bad("denied"),
        (Some("identify"), _) => style::bad("not signed in"),
        (_, Some(status)) if status >= 400 => style::bad(&format!("failed ({status})")),
        (_, Some(status)) => format!("done ({status})"),
        (Some("allow"), None) => "begun".to_owned(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn page_of(items: serde_json::Value) -> AuditPage {
        serde_json::from_value(json!({ "items": items, "next": 12, "size": 90 })).unwrap()
    }

    #[test]
    fn who_did_what_is_a_line_each() {
        let entry = |sequence: u64, change: serde_json::Value| {
            let mut entry = json!({
                "sequence": sequence, "time": "2026-11-22T03:00:00Z", "entry": "decision", "channel": "http",
                "principal": "owner", "action": "AddProject", "kind": "Project", "decision": "allow",
            });
            for (key, value) in change.as_object().unwrap() {
                entry[key] = value.clone();
            }
            entry
        };
        let page = page_of(json!([
            entry(89, json!({ "status": 201, "name": "web\u{1b}[2J" })),
            entry(87, json!({ "status": 409 })),
            entry(
                80,
                json!({ "principal": "robot:ci", "decision": "deny", "action": "PushImage", "kind": "Repository", "name": "a/b" })
            ),
            entry(
                70,
                json!({ "principal": "nobody", "decision": "identify", "count": 400 })
            ),
            entry(60, json!({})),
        ]));
        let now = "2026-11-22T03:05:00Z".parse().unwrap();
        let text = super::page(&page, now, None);
        let text = style::plain(&text);
        let lines: Vec<Vec<&str>> = text
            .lines()
            .map(|line| line.split_whitespace().collect())
            .collect();
        assert_eq!(lines[0], ["ENTRY", "WHEN", "WHO", "WHAT", "OF", "ANSWER"]);
        for (line, end) in [
            (1, &["project", "web\\u{1b}[2J", "done", "(201)"][..]),
            (2, &["project", "failed", "(409)"]),
            (3, &["robot:ci", "PushImage", "repository", "a/b", "denied"]),
            (4, &["AddProject", "×400", "project", "not", "signed", "in"]),
            (5, &["AddProject", "project", "begun"]),
            (6, &["older", "ones:", "--before", "12"]),
        ] {
            assert!(lines[line].ends_with(end), "{text}");
        }
    }

    #[test]
    fn a_check_says_what_is_wrong() {
        let report = |good: bool| AuditReport {
            good,
            entries: 900,
            first: 256,
            signed: Some(890),
            problems: if good {
                vec![]
            } else {
                vec!["entry 300 was changed".to_owned()]
            },
        };
        let text = super::report(&report(true)) + &super::report(&report(false));
        let text = style::plain(&text);
        assert_eq!(
            text,
            "✓ good   900 entries, the first 256 removed by the log itself: none was changed, dropped or moved; the signed checkpoint counts 890\n\
             ✗ not what it was   900 entries, the first 256 removed by the log itself; the signed checkpoint counts 890\n  \
             entry 300 was changed\n"
        );
    }
}
