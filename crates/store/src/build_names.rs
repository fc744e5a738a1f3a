//! What leads to a build: digests, commits, tags, each in a role that only callers know the meaning of.

use sqlx::Row;

use crate::builds::{StoredBuild, literal};
use crate::change::Change;
use crate::error::StoreError;
use crate::ids::ProjectId;
use crate::store::Store;

/// A name in a role.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BuildName {
    pub role: String,
    pub name: String,
}

/// So many names are looked at to say which one may be meant.
const MOST_NAMES: i64 = 64;

impl Change {
    /// Remembers what leads to a build; what is known already stays.
    pub async fn put_build_names(
        &mut self,
        build_hash: &str,
        names: &[BuildName],
    ) -> Result<(), StoreError> {
        for known in names {
            sqlx::query(
                "INSERT INTO build_names (name, role, build_hash) VALUES ($1, $2, $3)
                 ON CONFLICT (name, role, build_hash) DO NOTHING",
            )
            .bind(&known.name)
            .bind(&known.role)
            .bind(build_hash)
            .execute(&mut *self.transaction)
            .await?;
        }
        Ok(())
    }
}

impl Store {
    /// Names made of hex digits, with `algorithm:` in front or not, that begin like this.
    ///
    /// Hex digits have the same order in every database, so this is a walk along the index.
    pub async fn names_beginning(&self, hex: &str) -> Result<Vec<BuildName>, StoreError> {
        let rows = sqlx::query(
            "SELECT DISTINCT role, name FROM build_names
             WHERE (name >= $1 AND name < $2) OR (name >= $3 AND name < $4) ORDER BY name, role LIMIT $5",
        )
        .bind(hex)
        .bind(format!("{hex}g"))
        .bind(format!("sha256:{hex}"))
        .bind(format!("sha256:{hex}g"))
        .bind(MOST_NAMES)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(build_name).collect()
    }

    /// The roles in which this very name is known.
    pub async fn names_equal(&self, name: &str) -> Result<Vec<BuildName>, StoreError> {
        let rows = sqlx::query(
            "SELECT DISTINCT role, name FROM build_names WHERE name = $1 ORDER BY role",
        )
        .bind(name)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(build_name).collect()
    }

    /// Names in one role, `before:after`, where the whole or what follows the colon begins like this.
    pub async fn names_with_part(
        &self,
        role: &str,
        text: &str,
    ) -> Result<Vec<BuildName>, StoreError> {
        let rows = sqlx::query(
            "SELECT DISTINCT role, name FROM build_names
             WHERE role = $1 AND (name LIKE $2 ESCAPE '!' OR name LIKE $3 ESCAPE '!') ORDER BY name LIMIT $4",
        )
        .bind(role)
        .bind(format!("{}%", literal(text)))
        .bind(format!("%:{}%", literal(text)))
        .bind(MOST_NAMES)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(build_name).collect()
    }

    /// Builds that a name in a role leads to, newest first, and how many there are altogether.
    pub async fn builds_named(
        &self,
        known: &BuildName,
        limit: i64,
    ) -> Result<(Vec<StoredBuild>, i64), StoreError> {
        let (count,): (i64,) =
            sqlx::query_as("SELECT COUNT(*) FROM build_names WHERE name = $1 AND role = $2")
                .bind(&known.name)
                .bind(&known.role)
                .fetch_one(&self.pool)
                .await?;
        let builds = self
            .builds_where(
                "build_hash IN (SELECT build_hash FROM build_names WHERE name = $1 AND role = $2)",
                &[&known.name, &known.role],
                limit,
            )
            .await?;
        Ok((builds, count))
    }

    /// Builds of a project that succeeded and began before a time, newest first.
    pub async fn builds_before(
        &self,
        project: &ProjectId,
        time: i64,
        limit: i64,
    ) -> Result<Vec<StoredBuild>, StoreError> {
        let before = format!("project_id = $1 AND state = $2 AND started_at < {time}");
        self.builds_where(&before, &[project.as_str(), "succeeded"], limit)
            .await
    }

    /// Builds that no name leads to: those of an Ergon that did not keep names.
    pub async fn unnamed_builds(&self, limit: i64) -> Result<Vec<StoredBuild>, StoreError> {
        let none = "NOT EXISTS (SELECT 1 FROM build_names WHERE build_names.build_hash = builds.build_hash)";
        self.builds_where(none, &[], limit).await
    }
}

fn build_name(row: &sqlx::any::AnyRow) -> Result<BuildName, StoreError> {
    Ok(BuildName {
        role: row.try_get("role")?,
        name: row.try_get("name")?,
    })
}
