//! Containers that have a companion, and what they were meant to be.

use serde_json::Value;
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::change::Change;
use crate::error::StoreError;
use crate::ids::ProjectId;
use crate::store::Store;

/// A container as it is stored; what it *is* right now only the engine knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerRow {
    /// The engine's id.
    pub id: String,
    pub name: String,
    /// Its companion's name.
    pub companion: String,
    pub project_id: Option<ProjectId>,
    /// What it was meant to be: manifest, container, digests, capabilities.
    pub meant: Value,
    /// Milliseconds since 1970.
    pub created_at: i64,
}

const COLUMNS: &str = "id, name, companion, project_id, meant, created_at";

impl Change {
    /// Remembers a container; the same id again replaces what is known of it.
    pub async fn put_container(&mut self, container: &ContainerRow) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO containers (id, name, companion, project_id, meant, created_at) VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (id) DO UPDATE SET name = excluded.name, companion = excluded.companion, meant = excluded.meant",
        )
        .bind(&container.id)
        .bind(&container.name)
        .bind(&container.companion)
        .bind(&container.project_id)
        .bind(container.meant.to_string())
        .bind(container.created_at)
        .execute(&mut *self.transaction)
        .await?;
        Ok(())
    }

    pub async fn remove_container(&mut self, id: &str) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM containers WHERE id = $1")
            .bind(id)
            .execute(&mut *self.transaction)
            .await?;
        Ok(())
    }
}

impl Store {
    /// Every container, in the order of their names.
    pub async fn containers(&self) -> Result<Vec<ContainerRow>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM containers ORDER BY name, created_at");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(container).collect()
    }
}

fn container(row: &AnyRow) -> Result<ContainerRow, StoreError> {
    let meant: String = row.try_get("meant")?;
    Ok(ContainerRow {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        companion: row.try_get("companion")?,
        project_id: row.try_get("project_id")?,
        meant: serde_json::from_str(&meant).map_err(StoreError::malformed("container"))?,
        created_at: row.try_get("created_at")?,
    })
}
