//! Solutions: finished containers, tools and configurations, by name and version.

use serde_json::Value;
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::change::Change;
use crate::error::StoreError;
use crate::store::Store;

/// A version of a solution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SolutionRow {
    pub name: String,
    pub version: String,
    pub kind: String,
    pub description: String,
    pub build_hash: Option<String>,
    pub record: Value,
    /// Milliseconds since 1970.
    pub added_at: i64,
}

/// That one version of a solution cannot be without another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SolutionNeed {
    pub name: String,
    pub version: String,
    pub how: String,
    pub needed_name: String,
    pub needed_version: String,
}

const COLUMNS: &str = "name, version, kind, description, build_hash, record, added_at";

impl Change {
    /// Adds a version with what it needs; one that is there already is an error.
    pub async fn add_solution(
        &mut self,
        solution: &SolutionRow,
        needs: &[SolutionNeed],
    ) -> Result<(), StoreError> {
        let called = format!("{}@{}", solution.name, solution.version);
        sqlx::query(
            "INSERT INTO solutions (name, version, kind, description, build_hash, record, added_at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(&solution.name)
        .bind(&solution.version)
        .bind(&solution.kind)
        .bind(&solution.description)
        .bind(&solution.build_hash)
        .bind(solution.record.to_string())
        .bind(solution.added_at)
        .execute(&mut *self.transaction)
        .await
        .map_err(StoreError::taken("solution", &called))?;
        for need in needs {
            sqlx::query(
                "INSERT INTO solution_needs (name, version, how, needed_name, needed_version) VALUES ($1, $2, $3, $4, $5)
                 ON CONFLICT DO NOTHING",
            )
            .bind(&need.name)
            .bind(&need.version)
            .bind(&need.how)
            .bind(&need.needed_name)
            .bind(&need.needed_version)
            .execute(&mut *self.transaction)
            .await?;
        }
        Ok(())
    }

    /// Removes a version, and what it needed. Says whether it was there.
    pub async fn remove_solution(&mut self, name: &str, version: &str) -> Result<bool, StoreError> {
        sqlx::query("DELETE FROM solution_needs WHERE name = $1 AND version = $2")
            .bind(name)
            .bind(version)
            .execute(&mut *self.transaction)
            .await?;
        let removed = sqlx::query("DELETE FROM solutions WHERE name = $1 AND version = $2")
            .bind(name)
            .bind(version)
            .execute(&mut *self.transaction)
            .await?;
        Ok(removed.rows_affected() > 0)
    }

    /// What cannot be without a version, as this change sees it.
    pub async fn needing(
        &mut self,
        name: &str,
        version: &str,
    ) -> Result<Vec<SolutionNeed>, StoreError> {
        let rows = sqlx::query(NEEDING)
            .bind(name)
            .bind(version)
            .fetch_all(&mut *self.transaction)
            .await?;
        rows.iter().map(need).collect()
    }

    /// Whether a version is there, as this change sees it.
    pub async fn has_solution(&mut self, name: &str, version: &str) -> Result<bool, StoreError> {
        let found: Option<(String,)> =
            sqlx::query_as("SELECT name FROM solutions WHERE name = $1 AND version = $2")
                .bind(name)
                .bind(version)
                .fetch_optional(&mut *self.transaction)
                .await?;
        Ok(found.is_some())
    }
}

const NEEDING: &str = "SELECT name, version, how, needed_name, needed_version FROM solution_needs
     WHERE needed_name = $1 AND needed_version = $2 ORDER BY name, version, how";

impl Store {
    /// Every version of every solution, in the order of their names, newest first.
    pub async fn solutions(&self) -> Result<Vec<SolutionRow>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM solutions ORDER BY name, added_at DESC, version");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(solution).collect()
    }

    /// Every version of one solution, newest first.
    pub async fn solution_versions(&self, name: &str) -> Result<Vec<SolutionRow>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM solutions WHERE name = $1 ORDER BY added_at DESC, version"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(name)
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(solution).collect()
    }

    /// What cannot be without a version.
    pub async fn solutions_needing(
        &self,
        name: &str,
        version: &str,
    ) -> Result<Vec<SolutionNeed>, StoreError> {
        let rows = sqlx::query(NEEDING)
            .bind(name)
            .bind(version)
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(need).collect()
    }
}

fn solution(row: &AnyRow) -> Result<SolutionRow, StoreError> {
    let record: String = row.try_get("record")?;
    Ok(SolutionRow {
        name: row.try_get("name")?,
        version: row.try_get("version")?,
        kind: row.try_get("kind")?,
        description: row.try_get("description")?,
        build_hash: row.try_get("build_hash")?,
        record: serde_json::from_str(&record).map_err(StoreError::malformed("solution"))?,
        added_at: row.try_get("added_at")?,
    })
}

fn need(row: &AnyRow) -> Result<SolutionNeed, StoreError> {
    Ok(SolutionNeed {
        name: row.try_get("name")?,
        version: row.try_get("version")?,
        how: row.try_get("how")?,
        needed_name: row.try_get("needed_name")?,
        needed_version: row.try_get("needed_version")?,
    })
}
