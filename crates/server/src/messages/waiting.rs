//! Messages for somebody who is away: kept, brought in order once they are back, and given up when it takes too long.
//!
//! A message is brought at least once: a stack that is killed after it arrived and before that is written down brings
//! it again, with the same id. One that may have arrived is not brought again by a stack that lives.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ergon_hermes::{Kind, Letter, Record};
use ergon_store::{InboxRow, NewEvent, StoreError, WaitingRow, now};
use serde_json::json;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::error::MessageError;
use super::exchanges::new_id;
use super::{Messages, PATIENCE, Prepared};
use crate::api::{self, Delivery, Sent};
use crate::stack::Stack;
use crate::words::rfc3339;

/// A message waits no longer, in milliseconds.
const AGE: i64 = 24 * 60 * 60 * 1000;
/// So much waits for one of them, and for all.
const FOR_ONE: (i64, i64) = (100, 1 << 20);
const FOR_ALL: (i64, i64) = (5_000, 32 << 20);
/// So many that were given up are kept, and so long, in milliseconds.
const DEAD: i64 = 500;
const DEAD_AGE: i64 = 30 * 24 * 60 * 60 * 1000;
/// It is looked so often whether somebody is back who tells nobody; each time longer, up to the second.
const PAUSE: Duration = Duration::from_secs(15);
const LONGEST_PAUSE: Duration = Duration::from_mins(5);
/// So many events are read at a time.
const PAGE: i64 = 200;

/// What is known of messages that wait, beside the store.
#[derive(Debug)]
pub struct Post {
    /// Whether anything may wait: where nothing does, nothing is looked for.
    may_wait: AtomicBool,
    kicked: Notify,
    /// Recipients that somebody is on the way to.
    busy: Mutex<HashSet<String>>,
    /// When to go again, for those who were away.
    pauses: Mutex<HashMap<String, (Instant, Duration)>>,
}

impl Default for Post {
    fn default() -> Self {
        Self {
            may_wait: AtomicBool::new(true),
            kicked: Notify::new(),
            busy: Mutex::default(),
            pauses: Mutex::default(),
        }
    }
}

impl Post {
    fn kick(&self) {
        self.may_wait.store(true, Ordering::SeqCst);
        self.kicked.notify_one();
    }

    fn pauses(&self) -> std::sync::MutexGuard<'_, HashMap<String, (Instant, Duration)>> {
        self.pauses.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn busy(&self) -> std::sync::MutexGuard<'_, HashSet<String>> {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it is time to go to somebody.
    fn is_due(&self, recipient: &str, now: Instant) -> bool {
        let pauses = self.pauses();
        pauses.get(recipient).is_none_or(|(at, _)| *at <= now)
    }

    /// Notes that somebody was away.
    fn was_away(&self, recipient: &str, now: Instant) {
        let mut pauses = self.pauses();
        let pause = pauses
            .get(recipient)
            .map_or(PAUSE, |(_, pause)| (*pause * 2).min(LONGEST_PAUSE));
        pauses.insert(recipient.to_owned(), (now + pause, pause));
    }

    /// Forgets that somebody was away.
    fn is_back(&self, recipient: &str) {
        self.pauses().remove(recipient);
    }
}

impl Messages<'_> {
    /// Keeps a message until whom it is for is back.
    pub(super) async fn wait(
        &self,
        prepared: &Prepared,
        reason: &str,
    ) -> Result<Sent, MessageError> {
        let (letter, name) = (&prepared.letter, &prepared.record.name);
        let recipient = match &letter.to {
            Some(to) => format!("{name}/{to}"),
            None => name.clone(),
        };
        let row = WaitingRow {
            id: letter.id.clone(),
            sender: letter.from.clone(),
            principal: prepared.principal.clone(),
            recipient: recipient.clone(),
            content: letter.content.clone(),
            created_at: now(),
            expires_at: now() + AGE,
            reason: Some(reason.to_owned()),
            ..WaitingRow::default()
        };
        let mut change = self.stack.store().change(told("waiting", &row)).await?;
        // Counted inside the change, so that two who come at once do not both get the last place.
        let (for_one, for_all) = change.waiting_amounts(&recipient).await?;
        for (amount, most, reason) in [
            (for_one, FOR_ONE, "too much waits for it already"),
            (for_all, FOR_ALL, "too much waits already"),
        ] {
            let bytes = amount.bytes + i64::try_from(row.content.len()).unwrap_or(i64::MAX);
            if amount.messages >= most.0 || bytes > most.1 {
                return Err(MessageError::Full {
                    name: name.clone(),
                    reason,
                });
            }
        }
        change.add_waiting(&row).await?;
        change.commit().await?;
        self.stack.post().kick();
        let until = rfc3339(row.expires_at);
        Ok(Sent::Delivered(Delivery {
            sentence: format!(
                "{recipient} is away; your message is brought once it is back, until {until}."
            ),
            id: row.id,
            to: recipient,
            state: "waiting".to_owned(),
            terminal: None,
            until: Some(until),
        }))
    }

    /// Messages that wait, those that were given up, or all of them.
    pub async fn waiting(
        &self,
        state: Option<&str>,
    ) -> Result<Vec<api::WaitingMessage>, MessageError> {
        let store = self.stack.store();
        let mut rows = Vec::new();
        for known in ["waiting", "dead"] {
            if state.is_none_or(|state| state == known) {
                rows.extend(store.waiting_messages(known).await?);
            }
        }
        Ok(rows.into_iter().map(view).collect())
    }

    /// Has a message that was given up wait again.
    pub async fn retry(&self, id: &str) -> Result<api::WaitingMessage, MessageError> {
        let row = self.found(id).await?;
        let mut change = self.stack.store().change(told("waiting", &row)).await?;
        if !change.revive_waiting(id, now() + AGE).await? {
            return Err(MessageError::NotDead { id: row.id });
        }
        change.commit().await?;
        self.stack.post().is_back(&key(&row.recipient));
        self.stack.post().kick();
        self.found(id).await.map(view)
    }

    /// Forgets a message, whether it waits or was given up.
    pub async fn drop_message(&self, id: &str) -> Result<(), MessageError> {
        let row = self.found(id).await?;
        let mut change = self.stack.store().change(told("dropped", &row)).await?;
        change.remove_waiting(id).await?;
        Ok(change.commit().await?)
    }

    async fn found(&self, id: &str) -> Result<WaitingRow, MessageError> {
        let row = self.stack.store().waiting_message(id).await?;
        row.ok_or_else(|| MessageError::NoMessage {
            id: id.chars().take(80).collect(),
        })
    }

    /// Brings what waits for somebody, one after the other, until nothing does or they are away.
    async fn deliver(&self, recipient: &str) -> Result<(), MessageError> {
        let store = self.stack.store();
        while let Some(row) = store.first_waiting(recipient).await? {
            if row.expires_at <= now() {
                let reason = row.reason.clone().unwrap_or_default();
                self.bury(&row, &format!("nobody came for it within a day: {reason}"))
                    .await?;
                continue;
            }
            let prepared = match self.recipient(&row.recipient) {
                Ok((record, to)) => self.prepared(&row, record, to).await?,
                Err(MessageError::NotFound { .. }) => {
                    self.tried(&row, "nobody of that name is there").await?;
                    break;
                }
                Err(error) => return Err(error),
            };
            match self.send(&prepared, None).await {
                Ok(sent) => self.delivered(&row, sent).await?,
                Err(MessageError::Send { error, .. }) if error.is_away() => {
                    self.tried(&row, &error.to_string()).await?;
                    break;
                }
                // It may have arrived, or will never be taken.
                Err(MessageError::Send { error, .. }) => {
                    self.bury(&row, &error.to_string()).await?;
                }
                Err(error) => return Err(error),
            }
            self.stack.post().is_back(recipient);
        }
        Ok(())
    }

    async fn prepared(
        &self,
        row: &WaitingRow,
        record: Record,
        to: Option<String>,
    ) -> Result<Prepared, MessageError> {
        Ok(Prepared {
            letter: Letter {
                id: row.id.clone(),
                from: row.sender.clone(),
                content: row.content.clone(),
                to,
                patience: Duration::from_secs(PATIENCE.into()),
                path: Vec::new(),
            },
            forward: self.stack.store().forward(&record.name).await?,
            record,
            principal: row.principal.clone(),
            later: false,
            waited: true,
            team: None,
        })
    }

    async fn tried(&self, row: &WaitingRow, reason: &str) -> Result<(), MessageError> {
        let mut change = self.stack.store().unobserved().await?;
        change.waiting_tried(&row.id, reason).await?;
        change.commit().await?;
        self.stack
            .post()
            .was_away(&key(&row.recipient), Instant::now());
        Ok(())
    }

    /// Notes that a message arrived, and puts the answer where whoever said it finds it.
    async fn delivered(&self, row: &WaitingRow, sent: Sent) -> Result<(), MessageError> {
        let mut change = self.stack.store().change(told("delivered", row)).await?;
        change.remove_waiting(&row.id).await?;
        change.commit().await?;
        match sent {
            Sent::Answered(reply) => self.tell_sender(row, &row.recipient, &reply.content).await,
            Sent::Delivered(delivery) => {
                self.tell_sender(row, &row.recipient, &delivery.sentence)
                    .await
            }
        }
    }

    async fn bury(&self, row: &WaitingRow, reason: &str) -> Result<(), MessageError> {
        let mut change = self.stack.store().change(told("dead", row)).await?;
        if change.bury_waiting(&row.id, reason, now()).await? {
            change.trim_dead(DEAD, now() - DEAD_AGE).await?;
            change.commit().await?;
            let said = format!("Your message to {} was given up: {reason}.", row.recipient);
            let stack = self.stack.name().to_owned();
            self.tell_sender(row, &stack, &said).await?;
        }
        Ok(())
    }

    /// Puts a word into the inbox of the terminal at which a message was said, if it was at one.
    async fn tell_sender(
        &self,
        row: &WaitingRow,
        from: &str,
        content: &str,
    ) -> Result<(), MessageError> {
        let terminal = self.find(&row.sender);
        let Some(terminal) = terminal.filter(|record| record.kind == Kind::Terminal) else {
            return Ok(());
        };
        self.receive(&InboxRow {
            id: new_id(self.stack),
            terminal: terminal.name,
            sender: from.to_owned(),
            content: content.to_owned(),
            created_at: now(),
            ..InboxRow::default()
        })
        .await
    }
}

/// Brings messages that wait until the stack ends.
pub async fn run(stack: Stack) {
    let mut newest = stack.store().watch();
    let mut cursor = *newest.borrow_and_update();
    let mut ways = JoinSet::new();
    loop {
        while ways.try_join_next().is_some() {}
        if let Err(error) = look(&stack, &mut ways).await {
            tracing::error!(%error, "messages that wait cannot be looked at");
        }
        let something_waits = stack.post().may_wait.load(Ordering::SeqCst);
        tokio::select! {
            () = stack.shutdown().cancelled() => return,
            () = stack.post().kicked.notified() => {}
            _ = newest.changed() => {}
            () = tokio::time::sleep(PAUSE), if something_waits => {}
        }
        if !something_waits {
            // Nobody is waited for, so nobody has to be seen coming.
            cursor = *newest.borrow_and_update();
            continue;
        }
        match who_came(&stack, cursor).await {
            Ok((last, came)) => {
                cursor = last;
                for name in came {
                    stack.post().is_back(&name);
                }
            }
            Err(error) => tracing::error!(%error, "who came back cannot be seen"),
        }
    }
}

/// Sets out to everybody for whom something waits and for whom it is time.
async fn look(stack: &Stack, ways: &mut JoinSet<()>) -> Result<(), StoreError> {
    let post = stack.post();
    if !post.may_wait.swap(false, Ordering::SeqCst) {
        return Ok(());
    }
    for recipient in stack.store().waited_for().await? {
        post.may_wait.store(true, Ordering::SeqCst);
        if !post.is_due(&recipient, Instant::now()) || !post.busy().insert(recipient.clone()) {
            continue;
        }
        let stack = stack.clone();
        ways.spawn(async move {
            if let Err(error) = stack.messages().deliver(&recipient).await {
                tracing::error!(%error, recipient, "a message that waits cannot be brought");
                stack.post().was_away(&recipient, Instant::now());
            }
            stack.post().busy().remove(&recipient);
            stack.post().kicked.notify_one();
        });
    }
    Ok(())
}

/// Of whom something was told since a cursor that may mean they are back.
async fn who_came(stack: &Stack, mut cursor: i64) -> Result<(i64, Vec<String>), StoreError> {
    let mut came = Vec::new();
    loop {
        let events = stack.store().events_after(cursor, PAGE).await?;
        let Some(last) = events.last() else {
            return Ok((cursor, came));
        };
        cursor = last.id;
        let names = events
            .iter()
            .filter(|event| event.kind.starts_with("dev.ergon.companion."))
            .filter_map(|event| event.subject.strip_prefix("companion/"));
        came.extend(names.map(key));
    }
}

/// What names are compared by.
fn key(name: &str) -> String {
    name.to_lowercase()
}

fn told(what: &'static str, row: &WaitingRow) -> NewEvent {
    let kind = match what {
        "waiting" => "dev.ergon.message.waiting",
        "delivered" => "dev.ergon.message.delivered",
        "dead" => "dev.ergon.message.dead",
        _ => "dev.ergon.message.dropped",
    };
    NewEvent::new(
        kind,
        format!("message/{}", row.id),
        json!({ "id": row.id, "from": row.sender, "to": row.recipient }),
    )
}

fn view(row: WaitingRow) -> api::WaitingMessage {
    api::WaitingMessage {
        id: row.id,
        from: row.sender,
        to: row.recipient,
        state: row.state,
        content: row.content,
        created_at: rfc3339(row.created_at),
        expires_at: rfc3339(row.expires_at),
        tries: row.tries.unsigned_abs(),
        reason: row.reason,
        died_at: row.died_at.map(rfc3339),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_away_is_gone_to_less_and_less_often_until_they_are_back() {
        let post = Post::default();
        let mut now = Instant::now();
        assert!(post.is_due("ci", now));
        for pause in [15, 30, 60, 120, 240, 300, 300].map(Duration::from_secs) {
            post.was_away("ci", now);
            assert!(!post.is_due("ci", now + pause - Duration::from_millis(1)));
            now += pause;
            assert!(post.is_due("ci", now), "{pause:?}");
        }
        post.was_away("ci", now);
        assert!(post.is_due("other", now));
        post.is_back("ci");
        assert!(post.is_due("ci", now));
        post.was_away("ci", now);
        assert!(
            post.is_due("ci", now + PAUSE),
            "who was back is gone to soon again"
        );
    }
}
