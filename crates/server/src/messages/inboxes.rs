//! Inboxes of terminals, people who sit in for companions, and what everybody is there for.

use ergon_hermes::{Details, Kind, Letter, Name, Record};
use ergon_store::{ForwardRow, InboxRow, NewEvent, PurposeRow, StoreError, now};
use serde_json::json;

use super::error::MessageError;
use super::{Messages, purposes};
use crate::api::{self, Delivery};
use crate::authorize::Principal;
use crate::words::rfc3339;

/// So many messages an inbox has; the oldest make room.
const MOST_IN_INBOX: i64 = 500;
/// So many terminals are known.
const MOST_TERMINALS: usize = 256;
/// The longest purpose, in letters.
const LONGEST_PURPOSE: usize = 500;

impl Messages<'_> {
    /// The terminal of a name. It becomes known with its first use.
    pub async fn terminal(&self, name: &str) -> Result<Record, MessageError> {
        let wrong = |reason| MessageError::Terminal {
            name: name.chars().take(80).collect(),
            reason,
        };
        let parsed: Name = name.parse().map_err(wrong)?;
        if parsed.is_reserved() {
            return Err(wrong(ergon_hermes::NameError::Reserved));
        }
        if let Some(record) = self.find(name) {
            return is_terminal(record);
        }
        let terminals = self.everybody();
        let known = terminals
            .iter()
            .filter(|record| record.kind == Kind::Terminal);
        let count = known.count();
        if count >= MOST_TERMINALS {
            return Err(MessageError::TooManyTerminals(count));
        }
        let record = Record::new(parsed.as_str(), Kind::Terminal, Details::default());
        self.stack.directory().welcome(record.clone()).await?;
        Ok(record)
    }

    fn known_terminal(&self, name: &str) -> Result<Record, MessageError> {
        match self.find(name) {
            Some(record) => is_terminal(record),
            None => Err(MessageError::UnknownTerminal {
                name: name.to_owned(),
            }),
        }
    }

    /// Makes a terminal known, and says how much waits for it.
    pub async fn open_terminal(&self, name: &str) -> Result<api::Terminal, MessageError> {
        let record = self.terminal(name).await?;
        let (unread, _) = self.stack.store().inbox_count(&record.name).await?;
        Ok(api::Terminal {
            name: record.name,
            unread: unread.unsigned_abs(),
        })
    }

    /// Forgets a terminal, with its inbox and what it sits in for.
    pub async fn close_terminal(&self, name: &str) -> Result<(), MessageError> {
        let record = self.known_terminal(name)?;
        let event = NewEvent::new(
            "dev.ergon.inbox.cleared",
            format!("terminal/{}", record.name),
            json!({ "name": record.name }),
        );
        let forwards = self.stack.store().forwards().await?;
        let mut change = self.stack.store().change(event).await?;
        change.clear_inbox(&record.name, true).await?;
        for forward in forwards {
            if forward.terminal.eq_ignore_ascii_case(&record.name) {
                change.remove_forward(&forward.companion).await?;
            }
        }
        change.commit().await?;
        self.stack.directory().dismiss(&record.name).await?;
        Ok(())
    }

    /// Puts a letter into a terminal's inbox; `to` says whom it was for.
    pub(super) async fn put_into_inbox(
        &self,
        letter: &Letter,
        to: &Record,
        terminal: &str,
    ) -> Result<Delivery, MessageError> {
        let sits_in = !to.name.eq_ignore_ascii_case(terminal);
        let row = InboxRow {
            id: letter.id.clone(),
            terminal: terminal.to_owned(),
            sender: letter.from.clone(),
            meant_for: sits_in.then(|| to.name.clone()),
            content: letter.content.clone(),
            created_at: now(),
            ..InboxRow::default()
        };
        self.receive(&row).await?;
        let (state, sentence) = if sits_in {
            (
                "forwarded",
                format!(
                    "{} does not answer itself now: your message is in the inbox of {terminal}, who sits in.",
                    to.name
                ),
            )
        } else {
            (
                "kept",
                format!("Your message is in the inbox of {terminal}."),
            )
        };
        Ok(Delivery {
            id: row.id,
            to: to.name.clone(),
            state: state.to_owned(),
            terminal: Some(terminal.to_owned()),
            until: None,
            sentence,
        })
    }

    /// Keeps a message in an inbox, and tells of it.
    pub(super) async fn receive(&self, row: &InboxRow) -> Result<(), MessageError> {
        let event = NewEvent::new(
            "dev.ergon.inbox.received",
            format!("terminal/{}", row.terminal),
            json!({ "name": row.terminal, "from": row.sender, "meant_for": row.meant_for }),
        );
        let mut change = self.stack.store().change(event).await?;
        match change.add_to_inbox(row, MOST_IN_INBOX).await {
            Ok(()) => Ok(change.commit().await?),
            // It was brought, and the stack was killed before that was written down.
            Err(StoreError::Exists { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    pub async fn inbox(&self, terminal: &str) -> Result<api::Inbox, MessageError> {
        let record = self.known_terminal(terminal)?;
        let rows = self.stack.store().inbox(&record.name).await?;
        let unread = rows.iter().filter(|row| row.read_at.is_none()).count();
        Ok(api::Inbox {
            terminal: record.name,
            unread: unread as u64,
            messages: rows.len() as u64,
            items: rows.into_iter().map(view).collect(),
        })
    }

    /// Notes that an inbox was read as far as a message.
    pub async fn read_inbox(
        &self,
        terminal: &str,
        up_to: &str,
    ) -> Result<api::Inbox, MessageError> {
        let record = self.known_terminal(terminal)?;
        let rows = self.stack.store().inbox(&record.name).await?;
        let last =
            rows.iter()
                .find(|row| row.id == up_to)
                .ok_or_else(|| MessageError::NotInInbox {
                    id: up_to.chars().take(80).collect(),
                })?;
        let event = NewEvent::new(
            "dev.ergon.inbox.read",
            format!("terminal/{}", record.name),
            json!({ "name": record.name }),
        );
        let mut change = self.stack.store().change(event).await?;
        change.read_inbox(&record.name, last.number, now()).await?;
        change.commit().await?;
        self.inbox(terminal).await
    }

    /// Empties an inbox of what was read, or of everything. Says how much went.
    pub async fn clear_inbox(
        &self,
        terminal: &str,
        also_unread: bool,
    ) -> Result<u64, MessageError> {
        let record = self.known_terminal(terminal)?;
        let event = NewEvent::new(
            "dev.ergon.inbox.cleared",
            format!("terminal/{}", record.name),
            json!({ "name": record.name }),
        );
        let mut change = self.stack.store().change(event).await?;
        let removed = change.clear_inbox(&record.name, also_unread).await?;
        change.commit().await?;
        Ok(removed)
    }

    pub async fn forwards(&self) -> Result<Vec<api::Forward>, MessageError> {
        let rows = self.stack.store().forwards().await?;
        Ok(rows.into_iter().map(forward_view).collect())
    }

    /// Has messages to a companion go to a terminal: whoever sits there answers for it.
    pub async fn forward(
        &self,
        principal: &Principal,
        companion: &str,
        terminal: &str,
    ) -> Result<api::Forward, MessageError> {
        let (record, _) = self.recipient(companion)?;
        // What goes on from a terminal could go in a circle.
        if record.kind == Kind::Terminal {
            return Err(MessageError::Forwarded { name: record.name });
        }
        let row = ForwardRow {
            companion: record.name,
            terminal: self.terminal(terminal).await?.name,
            created_by: principal.name(),
            created_at: now(),
        };
        let event = NewEvent::new(
            "dev.ergon.forward.added",
            format!("companion/{}", row.companion),
            json!({ "name": row.companion, "terminal": row.terminal }),
        );
        let mut change = self.stack.store().change(event).await?;
        change.put_forward(&row).await?;
        change.commit().await?;
        Ok(forward_view(row))
    }

    /// Has a companion answer itself again.
    pub async fn unforward(&self, companion: &str) -> Result<(), MessageError> {
        let event = NewEvent::new(
            "dev.ergon.forward.removed",
            format!("companion/{companion}"),
            json!({ "name": companion }),
        );
        let mut change = self.stack.store().change(event).await?;
        if !change.remove_forward(companion).await? {
            return Err(MessageError::NoForward {
                name: companion.to_owned(),
            });
        }
        change.commit().await?;
        Ok(())
    }

    /// What somebody is there for: what was said of them here, else what they say themselves.
    pub fn purpose(&self, name: &str) -> Result<api::Purpose, MessageError> {
        let (record, _) = self.recipient(name)?;
        let said = self.stack.purposes().of(&record.name);
        let (purpose, said_by) = match said {
            Some(said) => (Some(said.purpose), Some(said.said_by)),
            None => (record.details.purpose, None),
        };
        Ok(api::Purpose {
            name: record.name,
            purpose,
            said_by,
        })
    }

    /// Says what somebody is there for; an empty text takes it back.
    pub async fn put_purpose(
        &self,
        principal: &Principal,
        name: &str,
        purpose: &str,
    ) -> Result<api::Purpose, MessageError> {
        let purpose = purpose.trim();
        if purpose.chars().count() > LONGEST_PURPOSE || purpose.chars().any(char::is_control) {
            return Err(MessageError::Purpose);
        }
        let (record, _) = self.recipient(name)?;
        if !purpose.is_empty() && !self.stack.purposes().has_room_for(&record.name) {
            return Err(MessageError::TooManyPurposes(purposes::MOST));
        }
        let row = PurposeRow {
            purpose: purpose.to_owned(),
            said_by: principal.name(),
            said_at: now(),
        };
        let event = NewEvent::new(
            "dev.ergon.companion.purpose",
            format!("companion/{}", record.name),
            json!({ "name": record.name, "purpose": row.purpose }),
        );
        let mut change = self.stack.store().change(event).await?;
        change.put_purpose(&record.name, &row).await?;
        change.commit().await?;
        self.stack.purposes().put(&record.name, row);
        self.purpose(&record.name)
    }
}

fn is_terminal(record: Record) -> Result<Record, MessageError> {
    if record.kind == Kind::Terminal {
        return Ok(record);
    }
    Err(MessageError::NoTerminal {
        name: record.name,
        kind: record.kind.word(),
    })
}

fn view(row: InboxRow) -> api::InboxMessage {
    api::InboxMessage {
        id: row.id,
        from: row.sender,
        meant_for: row.meant_for,
        content: row.content,
        created_at: rfc3339(row.created_at),
        is_read: row.read_at.is_some(),
    }
}

fn forward_view(row: ForwardRow) -> api::Forward {
    api::Forward {
        companion: row.companion,
        terminal: row.terminal,
        created_by: row.created_by,
        created_at: rfc3339(row.created_at),
    }
}
