//! A change of state and the event that tells of it, as one transaction.

use sqlx::{Any, Transaction};
use tokio::sync::OwnedMutexGuard;

use crate::error::StoreError;
use crate::events::NewEvent;
use crate::store::{Store, now};

/// A transaction that ends with its event, or never was.
///
/// Dropped without [`Change::commit`], it is rolled back.
pub struct Change {
    pub(crate) transaction: Transaction<'static, Any>,
    event: Option<NewEvent>,
    store: Store,
    _writer: OwnedMutexGuard<()>,
}

impl Change {
    pub(crate) async fn begin(store: &Store, event: Option<NewEvent>) -> Result<Self, StoreError> {
        let writer = store.writer.clone().lock_owned().await;
        let transaction = store.pool.begin().await?;
        Ok(Self {
            transaction,
            event,
            store: store.clone(),
            _writer: writer,
        })
    }

    /// Makes the change durable, and then lets watchers know.
    pub async fn commit(mut self) -> Result<(), StoreError> {
        let mut cursor = None;
        if let Some(event) = self.event.take() {
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
        Ok(())
    }
}
