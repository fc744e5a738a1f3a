//! A change of state and the events that tell of it, as one transaction.

use sqlx::{Any, Transaction};
use tokio::sync::OwnedMutexGuard;

use crate::error::StoreError;
use crate::events::NewEvent;
use crate::store::{Store, now};

/// A transaction that ends with its events, or never was.
///
/// All writes are methods of it, and [`Store::change`] gives none without an event. Dropped without
/// [`Change::commit`], it is rolled back.
pub struct Change {
    pub(crate) transaction: Transaction<'static, Any>,
    events: Vec<NewEvent>,
    store: Store,
    _writer: OwnedMutexGuard<()>,
}

impl Change {
    pub(crate) async fn begin(store: &Store, event: Option<NewEvent>) -> Result<Self, StoreError> {
        let writer = store.writer.clone().lock_owned().await;
        let transaction = store.pool.begin().await?;
        Ok(Self {
            transaction,
            events: event.into_iter().collect(),
            store: store.clone(),
            _writer: writer,
        })
    }

    /// Tells of one thing more that this change does.
    pub fn tell(&mut self, event: NewEvent) {
        self.events.push(event);
    }

    /// Makes the change durable, and then lets watchers know.
    pub async fn commit(mut self) -> Result<(), StoreError> {
        let mut cursor = None;
        for event in self.events.drain(..) {
            // The row stays locked until the commit, so that cursors grow in the order of commits.
            let (id,): (i64,) =
                sqlx::query_as("UPDATE event_cursor SET last = last + 1 RETURNING last")
                    .fetch_one(&mut *self.transaction)
                    .await?;
            sqlx::query(
                "INSERT INTO events (id, type, subject, time, data) VALUES ($1, $2, $3, $4, $5)",
            )
            .bind(id)
            .bind(event.kind)
            .bind(event.subject)
            .bind(now())
            .bind(event.data.to_string())
            .execute(&mut *self.transaction)
            .await?;
            cursor = Some(id);
        }
        self.transaction.commit().await?;
        if let Some(id) = cursor {
            self.store.last_event.send_replace(id);
        }
        self.store.commits.send_modify(|count| *count += 1);
        Ok(())
    }
}
