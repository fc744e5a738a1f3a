//! Proposals, as people read them.

use std::fmt::Write as _;

use ergon_server::api::{ApprovalRule, GuardRail, Override, Proposal, RunbookTrial};
use jiff::Timestamp;

use crate::report::replies;
use crate::style;
use crate::table::{Table, labelled};
use crate::words;

pub fn list(proposals: &[Proposal], now: Timestamp, width: Option<usize>) -> String {
    let mut table = Table::new([
        "CODE",
        "CONTAINER",
        "WOULD",
        "CLASS",
        "STATE",
        "MADE",
        "WHY",
    ]);
    for proposal in proposals {
        let why = proposal.outcome.clone().or_else(|| {
            let first = proposal.why.first()?;
            Some(first.text.clone())
        });
        table.row([
            style::strong(&words::harmless(&proposal.code)),
            words::harmless(&proposal.container),
            words::harmless(&proposal.action),
            class(&proposal.class),
            state(&proposal.state),
            words::ago(&proposal.created_at, now),
            words::on_one_line(&why.unwrap_or_default()),
        ]);
    }
    if table.is_empty() {
        return "Nothing waits for an approval.\n".to_owned();
    }
    table.render(width)
}

/// Everything there is to know before one says yes.
pub fn show(proposal: &Proposal, now: Timestamp) -> String {
    let mut page = format!(
        "{}   {}   {}, {}\n",
        style::strong(&words::harmless(&proposal.code)),
        words::harmless(&proposal.container),
        class(&proposal.class),
        state(&proposal.state)
    );
    page.push_str(&what(proposal));
    for reason in &proposal.why {
        let _ = writeln!(page, "\n{}", words::harmless(&reason.text));
        page.push_str(&replies::evidence(&reason.evidence));
    }
    let holds: Vec<String> = proposal
        .precondition
        .iter()
        .map(|(what, is)| format!("{what} {}", short(is)))
        .collect();
    let holds = words::on_one_line(&holds.join(", "));
    let (undo, until) = (undo(proposal), until(proposal, now));
    let mut rows = vec![
        ("effect", proposal.effect.as_str()),
        ("verified", proposal.verified.as_str()),
        ("undone", undo.as_str()),
        ("only while", holds.as_str()),
    ];
    if proposal.state == "open" {
        rows.push(("approve", until.as_str()));
    }
    let votes = format!(
        "{} of {} people: {}",
        proposal.approved_by.len(),
        proposal.approvals_needed,
        proposal.approved_by.join(", ")
    );
    if proposal.state == "open" && proposal.approvals_needed > 1 {
        rows.push(("approved by", votes.as_str()));
    }
    if let Some(by) = &proposal.decided_by {
        rows.push(("decided by", by.as_str()));
    }
    if let Some(outcome) = &proposal.outcome {
        rows.push(("outcome", outcome.as_str()));
    }
    let rows: Vec<(&str, String)> = rows
        .into_iter()
        .map(|(label, text)| (label, words::harmless(text)))
        .collect();
    let rows: Vec<(&str, &str)> = rows
        .iter()
        .map(|(label, text)| (*label, text.as_str()))
        .collect();
    let _ = write!(page, "\n{}", labelled(&rows));
    page
}

/// What may be done without asking.
pub fn guard_rails(rails: &[GuardRail], now: Timestamp, width: Option<usize>) -> String {
    let mut table = Table::new(["GUARD-RAIL", "CONTAINER", "MAY", "SO OFTEN", "BY", "SINCE"]);
    for rail in rails {
        let within = u64::from(rail.within_seconds) * 1000;
        table.row([
            words::harmless(&rail.name),
            words::harmless(&rail.container),
            words::harmless(&rail.action),
            format!(
                "{} in {}",
                words::count(rail.times as usize, "time"),
                words::duration(within)
            ),
            words::harmless(&rail.created_by),
            words::ago(&rail.created_at, now),
        ]);
    }
    if table.is_empty() {
        return "A person is asked before anything is done.\n".to_owned();
    }
    table.render(width)
}

/// How many have to approve what.
pub fn rules(rules: &[ApprovalRule], width: Option<usize>) -> String {
    let mut table = Table::new(["PEOPLE", "CLASS", "CONTAINER", "BY", "SINCE"]);
    let all = |text: &str| match text {
        "*" => "all".to_owned(),
        name => words::harmless(name),
    };
    for rule in rules {
        table.row([
            rule.approvals.to_string(),
            all(&rule.class),
            all(&rule.container),
            words::harmless(&rule.created_by),
            rule.created_at.clone(),
        ]);
    }
    if table.is_empty() {
        return "One approval is enough.  Have it be two: ergon approvals rule set 2 --class destructive\n"
            .to_owned();
    }
    table.render(width)
}

/// What was done without waiting.
pub fn overrides(overrides: &[Override], now: Timestamp, width: Option<usize>) -> String {
    let mut table = Table::new(["CODE", "BY", "WHEN", "WHY", "LOOKED AT"]);
    for done in overrides {
        let review = match (&done.reviewed_by, &done.review) {
            (Some(by), Some(review)) => words::on_one_line(&format!("{by}: {review}")),
            _ => style::warning("by nobody yet"),
        };
        table.row([
            style::strong(&words::harmless(&done.code)),
            words::harmless(&done.by),
            words::ago(&done.at, now),
            words::on_one_line(&done.reason),
            review,
        ]);
    }
    if table.is_empty() {
        return "Nothing was done without waiting.\n".to_owned();
    }
    table.render(width)
}

/// What runbooks would do, those that would do something with their commands.
pub fn runbooks(trials: &[RunbookTrial]) -> String {
    let mut page = String::new();
    for trial in trials {
        let would = match trial.would.as_str() {
            "propose" => style::good("would propose"),
            "advise" => style::warning("would advise"),
            "escalate" => style::bad("would escalate"),
            "unreadable" => style::bad("is no runbook"),
            _ => style::faint("would do nothing"),
        };
        let name = style::strong(&words::harmless(&trial.name));
        let reason = words::on_one_line(&trial.reason);
        let _ = writeln!(page, "{name}   {would}: {reason}");
        for command in &trial.commands {
            let _ = writeln!(page, "  {}", style::link(&line(command)));
        }
        if let Some(verified) = &trial.verified {
            let _ = writeln!(page, "  {}", words::harmless(verified));
        }
    }
    page
}

/// What is about to be done.
pub fn about_to(proposal: &Proposal) -> String {
    format!(
        "{} ({}, {}):\n{}",
        words::harmless(&proposal.container),
        style::faint(&short(&proposal.container_id)),
        class(&proposal.class),
        what(proposal)
    )
}

/// What became of it, in a line.
pub fn ended(proposal: &Proposal) -> String {
    let container = style::strong(&words::harmless(&proposal.container));
    let outcome = words::harmless(proposal.outcome.as_deref().unwrap_or_default());
    if proposal.state == "open" {
        let (has, needed) = (
            proposal.approved_by.len(),
            proposal.approvals_needed as usize,
        );
        let who = words::on_one_line(&proposal.approved_by.join(", "));
        let code = words::harmless(&proposal.code);
        return format!(
            "{} {container}   approved by {has} of {needed} ({who}); it waits for others: ergon approvals approve {code}\n",
            style::warning("…")
        );
    }
    let mark = match proposal.state.as_str() {
        "done" => style::good("✓"),
        "denied" => style::faint("–"),
        _ => style::bad("✗"),
    };
    format!(
        "{mark} {container}   {}   {outcome}",
        state(&proposal.state)
    )
    .trim_end()
    .to_owned()
        + "\n"
}

fn what(proposal: &Proposal) -> String {
    let mut page = String::new();
    for command in &proposal.commands {
        let _ = writeln!(page, "  {}", style::link(&line(command)));
    }
    page
}

fn undo(proposal: &Proposal) -> String {
    if proposal.undo.is_empty() {
        return "by nothing".to_owned();
    }
    let commands: Vec<String> = proposal.undo.iter().map(|command| line(command)).collect();
    format!("by {}", commands.join(", then "))
}

fn until(proposal: &Proposal, now: Timestamp) -> String {
    let code = words::harmless(&proposal.code);
    let left = proposal
        .expires_at
        .parse::<Timestamp>()
        .ok()
        .map(|end| end.duration_since(now).as_mins().max(0));
    let left = left.map(|minutes| format!("   (expires in {minutes} min)"));
    format!("ergon approvals approve {code}{}", left.unwrap_or_default())
}

/// A command on one line; ids as people write them.
fn line(command: &[String]) -> String {
    let parts: Vec<String> = command.iter().map(|part| short(part)).collect();
    words::on_one_line(&parts.join(" "))
}

fn short(text: &str) -> String {
    let hex = text.strip_prefix("sha256:").unwrap_or(text);
    if hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        hex[..12].to_owned()
    } else {
        text.to_owned()
    }
}

fn class(class: &str) -> String {
    match class {
        "safe" | "read" => style::good(class),
        "destructive" => style::bad(class),
        _ => style::warning(class),
    }
}

fn state(state: &str) -> String {
    match state {
        "done" => style::good(state),
        "open" | "approved" | "running" => style::warning(state),
        "failed" | "undone" | "escalated" | "interrupted" => style::bad(state),
        _ => style::faint(state),
    }
}
