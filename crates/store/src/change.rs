//! A change of state and the events that tell of it, as one transaction.

use sqlx::{Any, AssertSqlSafe, Transaction};
use tokio::sync::OwnedMutexGuard;

use crate::error::StoreError;
use crate::events::NewEvent;
use crate::rows::{pieces, places};
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

    /// Writes down what is told of this change; returns the cursor of the last event.
    async fn add_events(&mut self) -> Result<Option<i64>, StoreError> {
        let count = i64::try_from(self.events.len()).unwrap_or(i64::MAX);
        if count == 0 {
            return Ok(None);
        }
        // The row stays locked until the commit, so that cursors grow in the order of commits.
        let (last,): (i64,) =
            sqlx::query_as("UPDATE event_cursor SET last = last + $1 RETURNING last")
                .bind(count)
                .fetch_one(&mut *self.transaction)
                .await?;
        let time = now();
        let mut ids = last - count + 1..;
        for piece in pieces(&self.events) {
            let places = places(piece.len(), 5);
            let sql = format!("INSERT INTO events (id, type, subject, time, data) VALUES {places}");
            // Only numbers of places differ.
            let mut query = sqlx::query(AssertSqlSafe(sql));
            for (event, id) in piece.iter().zip(&mut ids) {
                query = query
                    .bind(id)
                    .bind(event.kind)
                    .bind(&event.subject)
                    .bind(time)
                    .bind(event.data.to_string());
            }
            query.execute(&mut *self.transaction).await?;
        }
        Ok(Some(last))
    }

    /// Makes the change durable, and then lets watchers know.
    pub async fn commit(mut self) -> Result<(), StoreError> {
        let cursor = self.add_events().await?;
        self.transaction.commit().await?;
        if let Some(id) = cursor {
            self.store.last_event.send_replace(id);
        }
        self.store.commits.send_modify(|count| *count += 1);
        Ok(())
    }
}
