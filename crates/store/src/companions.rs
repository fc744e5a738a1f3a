//! Records of the directory.

use serde_json::Value;
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row};

use crate::change::Change;
use crate::error::StoreError;
use crate::rows::{pieces, places};
use crate::store::Store;

/// Who is in the directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CompanionRow {
    /// As it was registered; names differ by more than their case.
    pub name: String,
    /// `project`, `container`, `tekton`, …
    pub kind: String,
    /// Everything else it said of itself.
    pub record: Value,
    /// Milliseconds since 1970.
    pub registered_at: i64,
    /// Who brought it; absent: it is this stack's own.
    pub registered_by: Option<String>,
    /// What whoever was registered shows to be the same again.
    pub lease: Option<String>,
    /// What is sent along with messages to it, sealed.
    pub headers: Option<String>,
}

const COLUMNS: &str = "display_name, kind, record, registered_at, registered_by, lease, headers";

impl Change {
    /// Registers a companion, or renews its record.
    pub async fn put_companion(&mut self, companion: &CompanionRow) -> Result<(), StoreError> {
        self.put_companions(std::slice::from_ref(companion)).await
    }

    /// Registers companions, or renews their records; no two of them have one name.
    pub async fn put_companions(&mut self, companions: &[CompanionRow]) -> Result<(), StoreError> {
        for piece in pieces(companions) {
            let sql = format!(
                "INSERT INTO companions (name, {COLUMNS}) VALUES {}
                 ON CONFLICT (name) DO UPDATE SET display_name = excluded.display_name, kind = excluded.kind,
                 record = excluded.record, registered_at = excluded.registered_at, registered_by = excluded.registered_by,
                 lease = excluded.lease, headers = excluded.headers",
                places(piece.len(), 8)
            );
            // Only numbers of places differ.
            let mut query = sqlx::query(AssertSqlSafe(sql));
            for companion in piece {
                query = query
                    .bind(companion.name.to_lowercase())
                    .bind(&companion.name)
                    .bind(&companion.kind)
                    .bind(companion.record.to_string())
                    .bind(companion.registered_at)
                    .bind(companion.registered_by.as_ref())
                    .bind(companion.lease.as_ref())
                    .bind(companion.headers.as_ref());
            }
            query.execute(&mut *self.transaction).await?;
        }
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

impl Store {
    /// Everybody, in the order of their names.
    pub async fn companions(&self) -> Result<Vec<CompanionRow>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM companions ORDER BY name");
        let rows = sqlx::query(AssertSqlSafe(sql))
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
        registered_by: row.try_get("registered_by")?,
        lease: row.try_get("lease")?,
        headers: row.try_get("headers")?,
    })
}
