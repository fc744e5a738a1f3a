//! Projects: source trees a stack knows.

use serde_json::Value;
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::change::Change;
use crate::error::StoreError;
use crate::ids::ProjectId;
use crate::store::Store;

/// A project as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectRow {
    pub id: ProjectId,
    /// The display name; unique.
    pub name: String,
    /// A folder or a git URL; unique.
    pub location: String,
    pub folder: String,
    /// Its companion's name.
    pub companion: String,
    pub manifest_digest: Option<String>,
    pub docker_config: Option<Value>,
    /// Milliseconds since 1970.
    pub added_at: i64,
}

const COLUMNS: &str =
    "id, name, location, folder, companion, manifest_digest, docker_config, added_at";

impl Change {
    pub async fn add_project(&mut self, project: &ProjectRow) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO projects (id, name, location, folder, companion, manifest_digest, docker_config, added_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(&project.id)
        .bind(&project.name)
        .bind(&project.location)
        .bind(&project.folder)
        .bind(&project.companion)
        .bind(&project.manifest_digest)
        .bind(project.docker_config.as_ref().map(Value::to_string))
        .bind(project.added_at)
        .execute(&mut *self.transaction)
        .await
        .map_err(StoreError::taken("project", &project.name))?;
        Ok(())
    }

    /// Keeps what the last save or hand-off decided.
    pub async fn set_project_packaging(
        &mut self,
        id: &ProjectId,
        manifest_digest: Option<&str>,
        docker_config: Option<&Value>,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE projects SET manifest_digest = COALESCE($2, manifest_digest),
             docker_config = COALESCE($3, docker_config) WHERE id = $1",
        )
        .bind(id)
        .bind(manifest_digest)
        .bind(docker_config.map(Value::to_string))
        .execute(&mut *self.transaction)
        .await?;
        Ok(())
    }

    /// Forgets a project, and what it might use. Its builds stay: they are history.
    pub async fn remove_project(&mut self, id: &ProjectId) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM secret_grants WHERE project_id = $1")
            .bind(id)
            .execute(&mut *self.transaction)
            .await?;
        sqlx::query("DELETE FROM projects WHERE id = $1")
            .bind(id)
            .execute(&mut *self.transaction)
            .await?;
        Ok(())
    }
}

impl Store {
    /// Every project, in the order of their names.
    pub async fn projects(&self) -> Result<Vec<ProjectRow>, StoreError> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT {COLUMNS} FROM projects ORDER BY name"
        )))
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(project).collect()
    }

    /// The project with this id or name.
    pub async fn project(&self, id_or_name: &str) -> Result<Option<ProjectRow>, StoreError> {
        let row = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT {COLUMNS} FROM projects WHERE id = $1 OR name = $1"
        )))
        .bind(id_or_name)
        .fetch_optional(&self.pool)
        .await?;
        row.as_ref().map(project).transpose()
    }

    /// The project at this folder or URL.
    pub async fn project_at(&self, location: &str) -> Result<Option<ProjectRow>, StoreError> {
        let row = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT {COLUMNS} FROM projects WHERE location = $1"
        )))
        .bind(location)
        .fetch_optional(&self.pool)
        .await?;
        row.as_ref().map(project).transpose()
    }
}

fn project(row: &AnyRow) -> Result<ProjectRow, StoreError> {
    let docker_config: Option<String> = row.try_get("docker_config")?;
    Ok(ProjectRow {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        location: row.try_get("location")?,
        folder: row.try_get("folder")?,
        companion: row.try_get("companion")?,
        manifest_digest: row.try_get("manifest_digest")?,
        docker_config: docker_config
            .map(|text| serde_json::from_str(&text))
            .transpose()
            .map_err(StoreError::malformed("project"))?,
        added_at: row.try_get("added_at")?,
    })
}
