//! The one feed of what changed.

use serde_json::Value;
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::change::Change;
use crate::error::StoreError;
use crate::store::Store;

/// An event that is about to be.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// `dev.ergon.project.added`, …
    pub kind: &'static str,
    /// The resource that changed: `project/<id>`, `container/<name>`, …
    pub subject: String,
    pub data: Value,
}

/// An event that was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventRow {
    /// The cursor: each event has a greater one than those before.
    pub id: i64,
    pub kind: String,
    pub subject: String,
    /// Milliseconds since 1970.
    pub time: i64,
    pub data: Value,
}

impl NewEvent {
    pub fn new(kind: &'static str, subject: impl Into<String>, data: Value) -> Self {
        Self {
            kind,
            subject: subject.into(),
            data,
        }
    }
}

/// So many events go in one transaction: others want to write, too.
const BATCH: i64 = 2_000;

/// What is kept of the feed, whatever its age and number: nobody who has just come begins with nothing.
pub const LEAST_EVENTS: i64 = 1_000;

impl Change {
    /// Forgets a batch of the oldest events: those before the first that is not older than `before`, and all but the
    /// latest `most`. What is left has no gaps. Says how many went.
    pub async fn trim_events(&mut self, most: i64, before: i64) -> Result<u64, StoreError> {
        let (last,): (i64,) = sqlx::query_as("SELECT last FROM event_cursor")
            .fetch_one(&mut *self.transaction)
            .await?;
        let oldest = sqlx::query("SELECT id FROM events ORDER BY id LIMIT 1")
            .fetch_optional(&mut *self.transaction)
            .await?;
        let young = sqlx::query("SELECT id FROM events WHERE time >= $1 ORDER BY id LIMIT 1")
            .bind(before)
            .fetch_optional(&mut *self.transaction)
            .await?;
        let id = |row: Option<AnyRow>| row.map(|row| row.try_get::<i64, _>("id")).transpose();
        let Some(oldest) = id(oldest)? else {
            return Ok(0);
        };
        let too_old = id(young)?.map_or(last, |young| young - 1);
        let gone = too_old
            .max(last - most)
            .min(last - most.min(LEAST_EVENTS))
            .min(oldest + BATCH - 1);
        let done = sqlx::query("DELETE FROM events WHERE id <= $1")
            .bind(gone)
            .execute(&mut *self.transaction)
            .await?;
        Ok(done.rows_affected())
    }
}

impl Store {
    /// The cursor of the newest event that is not kept any more: whoever is behind it has missed something.
    pub async fn forgotten_events(&self) -> Result<i64, StoreError> {
        let row = sqlx::query(
            "SELECT COALESCE((SELECT MIN(id) - 1 FROM events), (SELECT last FROM event_cursor)) AS cursor",
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(row.try_get("cursor")?)
    }

    /// Events after a cursor, oldest first.
    pub async fn events_after(&self, cursor: i64, limit: i64) -> Result<Vec<EventRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, type, subject, time, data FROM events WHERE id > $1 ORDER BY id LIMIT $2",
        )
        .bind(cursor)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(event).collect()
    }

    /// Whether something was told of a resource at or after a time.
    pub async fn was_told(
        &self,
        kind: &str,
        subject: &str,
        since: i64,
    ) -> Result<bool, StoreError> {
        let row = sqlx::query(
            "SELECT id FROM events WHERE type = $1 AND subject = $2 AND time >= $3 LIMIT 1",
        )
        .bind(kind)
        .bind(subject)
        .bind(since)
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.is_some())
    }

    /// The latest events, newest first.
    pub async fn latest_events(&self, limit: i64) -> Result<Vec<EventRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, type, subject, time, data FROM events ORDER BY id DESC LIMIT $1",
        )
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(event).collect()
    }
}

fn event(row: &AnyRow) -> Result<EventRow, StoreError> {
    let data: String = row.try_get("data")?;
    Ok(EventRow {
        id: row.try_get("id")?,
        kind: row.try_get("type")?,
        subject: row.try_get("subject")?,
        time: row.try_get("time")?,
        data: serde_json::from_str(&data).map_err(StoreError::malformed("event"))?,
    })
}
