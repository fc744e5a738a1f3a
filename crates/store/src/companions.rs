//! Records of the directory.

use serde_json::Value;
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::change::Change;
use crate::error::StoreError;
use crate::store::Store;

/// Who is in the directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompanionRow {
    /// As it was registered; names differ by more than their case.
    pub name: String,
    /// `project`, `container`, `tekton`, …
    pub kind: String,
    /// Everything else it said of itself.
    pub record: Value,
    /// Milliseconds since 1970.
    pub registered_at: i64,
}

const BY_NAME: &str =
    "SELECT display_name, kind, record, registered_at FROM companions WHERE name = $1";

impl Change {
    /// Registers a companion, or renews its record.
    pub async fn put_companion(&mut self, companion: &CompanionRow) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO companions (name, display_name, kind, record, registered_at) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (name) DO UPDATE SET display_name = excluded.display_name, kind = excluded.kind, record = excluded.record",
        )
        .bind(companion.name.to_lowercase())
        .bind(&companion.name)
        .bind(&companion.kind)
        .bind(companion.record.to_string())
        .bind(companion.registered_at)
        .execute(&mut *self.transaction)
        .await?;
        Ok(())
    }

    pub async fn remove_companion(&mut self, name: &str) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM companions WHERE name = $1")
            .bind(name.to_lowercase())
            .execute(&mut *self.transaction)
            .await?;
        Ok(())
    }
}

impl Change {
    /// Who has this name, regardless of case, as this change sees it.
    pub async fn companion(&mut self, name: &str) -> Result<Option<CompanionRow>, StoreError> {
        let row = sqlx::query(BY_NAME)
            .bind(name.to_lowercase())
            .fetch_optional(&mut *self.transaction)
            .await?;
        row.as_ref().map(companion).transpose()
    }
}

impl Store {
    /// Who has this name, regardless of case.
    pub async fn companion(&self, name: &str) -> Result<Option<CompanionRow>, StoreError> {
        let row = sqlx::query(BY_NAME)
            .bind(name.to_lowercase())
            .fetch_optional(&self.pool)
            .await?;
        row.as_ref().map(companion).transpose()
    }

    /// Everybody, in the order of their names.
    pub async fn companions(&self) -> Result<Vec<CompanionRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT display_name, kind, record, registered_at FROM companions ORDER BY name",
        )
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(companion).collect()
    }
}

fn companion(row: &AnyRow) -> Result<CompanionRow, StoreError> {
    let record: String = row.try_get("record")?;
    Ok(CompanionRow {
        name: row.try_get("display_name")?,
        kind: row.try_get("kind")?,
        record: serde_json::from_str(&record).map_err(StoreError::malformed("companion"))?,
        registered_at: row.try_get("registered_at")?,
    })
}
