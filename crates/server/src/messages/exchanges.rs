//! The record of what was said to whom, and what came of it.
//!
//! An answer does not wait for it: exchanges are gathered in memory and written together, in one transaction with
//! their events. A stack that ends writes what is gathered; one that is killed may lose the last moment of this record,
//! never a message that waits or lies in an inbox.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ergon_store::{ExchangeFilter, ExchangeRow, MessageId, NewEvent, StoreError, now};
use serde_json::json;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::error::MessageError;
use crate::api;
use crate::stack::Stack;
use crate::words::rfc3339;

/// So many are kept.
const MOST: i64 = 10_000;
/// So long are they kept, in milliseconds.
const LONGEST: i64 = 30 * 24 * 60 * 60 * 1000;
/// So many wait for being written; more are not noted.
const GATHERED: usize = 10_000;
/// What is too old goes once in so many that are written.
const TRIM_EVERY: usize = 200;
/// So many are on a page.
const PAGE: u32 = 50;
const LARGEST_PAGE: u32 = 200;
/// A store that cannot be written to is tried again after so long.
const PAUSE: Duration = Duration::from_secs(5);

/// The record of exchanges.
#[derive(Debug)]
pub struct Exchanges {
    keeps_words: bool,
    gathered: Mutex<Vec<ExchangeRow>>,
    news: Notify,
}

/// An exchange that has begun.
pub struct Begun {
    pub row: ExchangeRow,
    since: Instant,
}

impl Exchanges {
    /// A record that keeps the words themselves, or does not.
    pub fn new(keeps_words: bool) -> Self {
        Self {
            keeps_words,
            gathered: Mutex::default(),
            news: Notify::new(),
        }
    }

    /// Whether the words themselves are kept.
    pub fn keeps_words(&self) -> bool {
        self.keeps_words
    }

    /// Begins the record of one message.
    pub fn begin(&self, id: &str, content: &str) -> Begun {
        let row = ExchangeRow {
            id: id.to_owned(),
            began_at: now(),
            bytes_sent: length(content.len()),
            message: self.keeps_words.then(|| content.to_owned()),
            ..ExchangeRow::default()
        };
        Begun {
            row,
            since: Instant::now(),
        }
    }

    /// Notes what came of it.
    pub fn end(&self, begun: Begun, answer: Option<&str>) {
        let mut row = begun.row;
        row.milliseconds = i64::try_from(begun.since.elapsed().as_millis()).unwrap_or(i64::MAX);
        row.answer = answer.filter(|_| self.keeps_words).map(str::to_owned);
        let mut gathered = self.gathered.lock().unwrap_or_else(PoisonError::into_inner);
        if gathered.len() < GATHERED {
            gathered.push(row);
        } else {
            tracing::warn!("an exchange is not recorded: the store is behind");
        }
        drop(gathered);
        self.news.notify_one();
    }

    fn take(&self) -> Vec<ExchangeRow> {
        let mut gathered = self.gathered.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *gathered)
    }
}

impl Begun {
    /// Notes what came over the line.
    pub fn received(&mut self, bytes: usize) {
        self.row.bytes_received = length(bytes);
    }
}

fn length(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// Writes exchanges until the stack ends, and then the last ones.
pub async fn run(stack: Stack) {
    let record = stack.exchanges();
    // What an earlier process left is looked through first.
    let mut since_trimmed = TRIM_EVERY;
    loop {
        let is_over = tokio::select! {
            () = record.news.notified() => false,
            () = stack.shutdown().cancelled() => true,
        };
        let rows = record.take();
        since_trimmed += rows.len();
        let trim = since_trimmed >= TRIM_EVERY;
        if !rows.is_empty() {
            match write(&stack, &rows, trim).await {
                Ok(()) if trim => since_trimmed = 0,
                Ok(()) => {}
                Err(error) => {
                    tracing::error!(%error, count = rows.len(), "exchanges could not be recorded");
                    if !is_over {
                        // Those that end meanwhile are gathered, and a full disk is not asked all the time.
                        let _ = tokio::time::timeout(PAUSE, stack.shutdown().cancelled()).await;
                    }
                }
            }
        }
        if is_over {
            return;
        }
    }
}

async fn write(stack: &Stack, rows: &[ExchangeRow], trim: bool) -> Result<(), StoreError> {
    let Some((first, rest)) = rows.split_first() else {
        return Ok(());
    };
    let mut change = stack.store().change(event(first)).await?;
    change.add_exchange(first).await?;
    for row in rest {
        change.add_exchange(row).await?;
        change.tell(event(row));
    }
    if trim {
        change.trim_exchanges(MOST, now() - LONGEST).await?;
    }
    change.commit().await
}

/// What is told of an exchange: everything but what was said.
fn event(row: &ExchangeRow) -> NewEvent {
    let data = json!({
        "id": row.id, "from": row.sender, "to": row.recipient, "way": row.way, "outcome": row.outcome,
        "milliseconds": row.milliseconds,
    });
    NewEvent::new(
        "dev.ergon.exchange.ended",
        format!("exchange/{}", row.id),
        data,
    )
}

/// Which exchanges are wanted, as they were asked for.
#[derive(Debug, Default)]
pub struct Wanted {
    pub to: Option<String>,
    pub from: Option<String>,
    pub outcome: Option<String>,
    pub before: Option<i64>,
    pub limit: Option<u32>,
}

/// A page of them, newest first.
pub async fn list(stack: &Stack, wanted: Wanted) -> Result<api::ExchangePage, MessageError> {
    let limit = i64::from(wanted.limit.unwrap_or(PAGE).clamp(1, LARGEST_PAGE));
    let filter = ExchangeFilter {
        recipient: wanted.to,
        sender: wanted.from,
        outcome: wanted.outcome,
        before: wanted.before,
    };
    // One more than asked for says whether there is another page.
    let mut rows = stack.store().exchanges(&filter, limit + 1).await?;
    let has_more = rows.len() > usize::try_from(limit).unwrap_or(usize::MAX);
    if has_more {
        rows.pop();
    }
    let next = rows.last().filter(|_| has_more);
    Ok(api::ExchangePage {
        next: next.map(|row| row.number.to_string()),
        items: rows.into_iter().map(view).collect(),
        keeps_messages: stack.exchanges().keeps_words(),
    })
}

pub async fn read(stack: &Stack, id: &str) -> Result<api::Exchange, MessageError> {
    let row = stack.store().exchange(id).await?;
    row.map(view)
        .ok_or_else(|| MessageError::NoExchange { id: id.to_owned() })
}

fn view(row: ExchangeRow) -> api::Exchange {
    api::Exchange {
        id: row.id,
        from: row.sender,
        principal: row.principal,
        to: row.recipient,
        way: row.way,
        outcome: row.outcome,
        reason: row.reason,
        began_at: rfc3339(row.began_at),
        milliseconds: row.milliseconds.unsigned_abs(),
        bytes_sent: row.bytes_sent.unsigned_abs(),
        bytes_received: row.bytes_received.unsigned_abs(),
        team: row.team,
        message: row.message,
        answer: row.answer,
    }
}

/// An id for a message: new, and easy to say.
pub fn new_id(stack: &Stack) -> String {
    MessageId::from_random(stack.entropy().bytes()).to_string()
}
