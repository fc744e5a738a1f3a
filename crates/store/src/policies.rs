//! The texts of a stack's own policies.

use sqlx::Row;
use sqlx::any::AnyRow;

use crate::change::Change;
use crate::error::StoreError;
use crate::store::Store;

/// A text of policies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyRow {
    pub name: String,
    pub text: String,
    /// Milliseconds since 1970.
    pub changed_at: i64,
    /// Who changed it.
    pub changed_by: String,
}

impl Change {
    /// Keeps a text under its name, in place of what was there.
    pub async fn put_policy(&mut self, policy: &PolicyRow) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO policies (name, text, changed_at, changed_by) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (name) DO UPDATE SET text = excluded.text, changed_at = excluded.changed_at, changed_by = excluded.changed_by",
        )
        .bind(&policy.name)
        .bind(&policy.text)
        .bind(policy.changed_at)
        .bind(&policy.changed_by)
        .execute(&mut *self.transaction)
        .await?;
        Ok(())
    }

    /// Forgets a text. False where there is none of the name.
    pub async fn remove_policy(&mut self, name: &str) -> Result<bool, StoreError> {
        let removed = sqlx::query("DELETE FROM policies WHERE name = $1")
            .bind(name)
            .execute(&mut *self.transaction)
            .await?;
        Ok(removed.rows_affected() == 1)
    }
}

impl Store {
    /// Every text, in the order of their names.
    pub async fn policies(&self) -> Result<Vec<PolicyRow>, StoreError> {
        let rows =
            sqlx::query("SELECT name, text, changed_at, changed_by FROM policies ORDER BY name")
                .fetch_all(&self.pool)
                .await?;
        rows.iter().map(policy).collect()
    }
}

fn policy(row: &AnyRow) -> Result<PolicyRow, StoreError> {
    Ok(PolicyRow {
        name: row.try_get("name")?,
        text: row.try_get("text")?,
        changed_at: row.try_get("changed_at")?,
        changed_by: row.try_get("changed_by")?,
    })
}
