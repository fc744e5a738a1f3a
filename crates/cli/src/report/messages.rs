//! Messages: what was said, what waits, who sits in for whom.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use ergon_server::api::{Exchange, Forward, Inbox, WaitingMessage};
use jiff::Timestamp;

use crate::style;
use crate::table::{Table, wrap};
use crate::words;

/// What is in an inbox, oldest first, with a mark at what is new.
pub fn inbox(inbox: &Inbox, now: Timestamp, width: Option<usize>) -> String {
    if inbox.items.is_empty() {
        return format!(
            "Nothing in the inbox of {}.\n",
            words::harmless(&inbox.terminal)
        );
    }
    let mut page = String::new();
    for message in &inbox.items {
        let mark = if message.is_read { " " } else { "●" };
        let meant_for = message
            .meant_for
            .as_deref()
            .map_or_else(String::new, |meant_for| {
                format!(" to {}", words::on_one_line(meant_for))
            });
        let _ = writeln!(
            page,
            "{mark} {}{meant_for}  {}",
            style::strong(&words::on_one_line(&message.from)),
            style::faint(&words::ago(&message.created_at, now))
        );
        let room = width.map_or(usize::MAX, |width| width.saturating_sub(2).max(20));
        for line in words::harmless(&message.content).lines() {
            for line in wrap(line, room) {
                let _ = writeln!(page, "  {line}");
            }
        }
    }
    page
}

pub fn forwards(forwards: &[Forward], width: Option<usize>) -> String {
    let mut table = Table::new(["COMPANION", "GOES TO", "SINCE"]);
    for forward in forwards {
        table.row([
            words::on_one_line(&forward.companion),
            words::on_one_line(&forward.terminal),
            forward.created_at.clone(),
        ]);
    }
    if table.is_empty() {
        return "Everybody answers themselves.\n".to_owned();
    }
    table.render(width)
}

pub fn aliases(aliases: &BTreeMap<String, Vec<String>>, width: Option<usize>) -> String {
    let mut table = Table::new(["ALIAS", "STANDS FOR"]);
    for (name, stands_for) in aliases {
        table.row([
            words::on_one_line(name),
            words::on_one_line(&stands_for.join(" ")),
        ]);
    }
    if table.is_empty() {
        return "No aliases yet:  aish alias add NAME WORDS...\n".to_owned();
    }
    table.render(width)
}

/// Messages that wait, and those that were given up.
pub fn waiting(messages: &[WaitingMessage], now: Timestamp, width: Option<usize>) -> String {
    let mut table = Table::new(["ID", "IS", "FROM", "TO", "SAID", "TRIES", "BECAUSE"]);
    for message in messages {
        table.row([
            message.id.clone(),
            style::state(&message.state),
            words::on_one_line(&message.from),
            words::on_one_line(&message.to),
            words::ago(&message.created_at, now),
            message.tries.to_string(),
            words::on_one_line(message.reason.as_deref().unwrap_or_default()),
        ]);
    }
    if table.is_empty() {
        return "Nothing waits.\n".to_owned();
    }
    table.render(width)
}

/// What was said to whom, newest first.
pub fn exchanges(exchanges: &[Exchange], now: Timestamp, width: Option<usize>) -> String {
    let mut table = Table::new(["WHEN", "FROM", "TO", "OUTCOME", "TOOK", "BYTES", "BECAUSE"]);
    for exchange in exchanges {
        table.row([
            words::ago(&exchange.began_at, now),
            words::on_one_line(&exchange.from),
            words::on_one_line(&exchange.to),
            style::state(&exchange.outcome),
            words::duration(exchange.milliseconds),
            format!("{} → {}", exchange.bytes_sent, exchange.bytes_received),
            words::on_one_line(exchange.reason.as_deref().unwrap_or_default()),
        ]);
    }
    if table.is_empty() {
        return "Nothing was said yet.\n".to_owned();
    }
    table.render(width)
}

#[cfg(test)]
mod tests {
    use ergon_server::api::InboxMessage;
    use insta::assert_snapshot;

    use super::*;
    use crate::report::examples::now;
    use crate::style::plain;

    #[test]
    fn an_inbox_shows_what_is_new_and_steers_no_terminal() {
        let message = |from: &str, content: &str, is_read| InboxMessage {
            id: "x".to_owned(),
            from: from.to_owned(),
            meant_for: None,
            content: content.to_owned(),
            created_at: now().to_string(),
            is_read,
        };
        let sat_in_for = InboxMessage {
            meant_for: Some("web-ci".to_owned()),
            ..message("alice", "help\nplease", false)
        };
        let full = Inbox {
            terminal: "desk".to_owned(),
            unread: 1,
            messages: 2,
            items: vec![message("db-ci\u{1b}[2J", "well\u{7}", true), sat_in_for],
        };
        assert_snapshot!(plain(&inbox(&full, now(), Some(40))), @r"
          db-ci\u{1b}[2J  just now
          well
        ● alice to web-ci  just now
          help
          please
        ");
        let empty = Inbox {
            unread: 0,
            messages: 0,
            items: Vec::new(),
            ..full
        };
        assert_snapshot!(plain(&inbox(&empty, now(), None)), @"Nothing in the inbox of desk.");
    }

    #[test]
    fn what_waits_is_listed_with_the_reason() {
        let message = WaitingMessage {
            id: "4f1c".to_owned(),
            from: "owner".to_owned(),
            to: "west-ci".to_owned(),
            state: "dead".to_owned(),
            content: "x".to_owned(),
            created_at: now().to_string(),
            expires_at: now().to_string(),
            tries: 3,
            reason: Some("not\ntoday".to_owned()),
            died_at: None,
        };
        assert_snapshot!(plain(&waiting(&[message], now(), None)), @r"
        ID    IS    FROM   TO       SAID      TRIES  BECAUSE
        4f1c  dead  owner  west-ci  just now  3      not\ntoday
        ");
        assert_snapshot!(plain(&waiting(&[], now(), None)), @"Nothing waits.");
    }
}
