//! What may be done without asking a person.

use sqlx::Row;
use sqlx::any::AnyRow;

use crate::change::Change;
use crate::error::StoreError;
use crate::store::Store;

/// This action on this container, so often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuardRailRow {
    pub name: String,
    pub action: String,
    /// The container's name.
    pub container: String,
    pub times: i64,
    pub within_seconds: i64,
    pub created_by: String,
    /// Milliseconds since 1970.
    pub created_at: i64,
}

impl Change {
    /// Keeps a guard-rail under a name that no other has.
    pub async fn add_guard_rail(&mut self, row: &GuardRailRow) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO guard_rails (name, action, container, times, within_seconds, created_by, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(&row.name)
        .bind(&row.action)
        .bind(&row.container)
        .bind(row.times)
        .bind(row.within_seconds)
        .bind(&row.created_by)
        .bind(row.created_at)
        .execute(&mut *self.transaction)
        .await
        .map_err(StoreError::taken("guard-rail", &row.name))?;
        Ok(())
    }

    /// Removes a guard-rail. Says whether there was one.
    pub async fn remove_guard_rail(&mut self, name: &str) -> Result<bool, StoreError> {
        let gone = sqlx::query("DELETE FROM guard_rails WHERE name = $1")
            .bind(name)
            .execute(&mut *self.transaction)
            .await?;
        Ok(gone.rows_affected() == 1)
    }
}

impl Store {
    /// Every guard-rail, in the order of their names.
    pub async fn guard_rails(&self) -> Result<Vec<GuardRailRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT name, action, container, times, within_seconds, created_by, created_at
             FROM guard_rails ORDER BY name",
        )
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(guard_rail).collect()
    }

    /// How many proposals were decided over in this name after that time, and how many of them did not end well.
    pub async fn decided_by(&self, by: &str, after: i64) -> Result<(i64, i64), StoreError> {
        let counts: (i64, i64) = sqlx::query_as(
            "SELECT COUNT(*), CAST(COALESCE(SUM(CASE WHEN state = 'done' THEN 0 ELSE 1 END), 0) AS BIGINT)
             FROM proposals WHERE decided_by = $1 AND decided_at > $2",
        )
        .bind(by)
        .bind(after)
        .fetch_one(&self.pool)
        .await?;
        Ok(counts)
    }
}

fn guard_rail(row: &AnyRow) -> Result<GuardRailRow, StoreError> {
    Ok(GuardRailRow {
        name: row.try_get("name")?,
        action: row.try_get("action")?,
        container: row.try_get("container")?,
        times: row.try_get("times")?,
        within_seconds: row.try_get("within_seconds")?,
        created_by: row.try_get("created_by")?,
        created_at: row.try_get("created_at")?,
    })
}
