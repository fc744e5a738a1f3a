//! The one feed of what changed.

use serde_json::Value;
use sqlx::Row;
use sqlx::any::AnyRow;

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

impl Store {
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
