//! Who this stack is.

use crate::error::StoreError;
use crate::ids::StackId;
use crate::store::{Store, now};

impl Store {
    /// The stack's identifier; `proposed` becomes it where the store is new.
    pub async fn stack_id(&self, proposed: &StackId) -> Result<StackId, StoreError> {
        let mut change = self.unobserved().await?;
        sqlx::query("INSERT INTO stack (id, created_at) SELECT $1, $2 WHERE NOT EXISTS (SELECT 1 FROM stack)")
            .bind(proposed.as_str())
            .bind(now())
            .execute(&mut *change.transaction)
            .await?;
        let (id,): (String,) = sqlx::query_as("SELECT id FROM stack")
            .fetch_one(&mut *change.transaction)
            .await?;
        change.commit().await?;
        Ok(StackId::named(id))
    }
}
