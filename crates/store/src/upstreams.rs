//! Registries elsewhere that the registry here is a mirror of, and what is held of them.

use sqlx::Row;
use sqlx::any::AnyRow;

use crate::change::Change;
use crate::error::StoreError;
use crate::store::Store;

/// A registry elsewhere. Its password is not kept in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamRow {
    /// The first part of the names of its repositories here.
    pub name: String,
    pub url: String,
    /// The registry that it is in names of images.
    pub registry: String,
    pub user: Option<String>,
    /// For so many seconds a tag is not asked for again.
    pub fresh_seconds: i64,
    /// Milliseconds since 1970.
    pub created_at: i64,
}

/// How much is held of an upstream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UpstreamHeldRow {
    pub repositories: i64,
    pub tags: i64,
    /// Of its blobs, each counted once for each repository.
    pub bytes: i64,
    /// Milliseconds since 1970: when it last said what a tag means.
    pub checked_at: Option<i64>,
}

/// The names that begin with a part are those between these two: `0` comes after `/`.
fn between(name: &str) -> (String, String) {
    (format!("{name}/"), format!("{name}0"))
}

impl Change {
    pub async fn add_upstream(&mut self, row: &UpstreamRow) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO upstreams (name, url, registry, user_name, fresh_seconds, created_at)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(&row.name)
        .bind(&row.url)
        .bind(&row.registry)
        .bind(&row.user)
        .bind(row.fresh_seconds)
        .bind(row.created_at)
        .execute(&mut *self.transaction)
        .await
        .map_err(StoreError::taken("upstream", &row.name))?;
        Ok(())
    }

    /// Removes an upstream with everything that its repositories here have. Says whether there was one.
    pub async fn remove_upstream(&mut self, name: &str) -> Result<bool, StoreError> {
        let gone = sqlx::query("DELETE FROM upstreams WHERE name = $1")
            .bind(name)
            .execute(&mut *self.transaction)
            .await?;
        if gone.rows_affected() == 0 {
            return Ok(false);
        }
        let (from, to) = between(name);
        for sql in [
            "DELETE FROM upstream_tags WHERE repository > $1 AND repository < $2",
            "DELETE FROM registry_tags WHERE repository > $1 AND repository < $2",
            "DELETE FROM registry_manifests WHERE repository > $1 AND repository < $2",
            "DELETE FROM registry_blobs WHERE repository > $1 AND repository < $2",
            "DELETE FROM repositories WHERE name > $1 AND name < $2",
        ] {
            sqlx::query(sql)
                .bind(&from)
                .bind(&to)
                .execute(&mut *self.transaction)
                .await?;
        }
        Ok(true)
    }

    /// Notes that an upstream said what a tag means.
    pub async fn put_upstream_tag(
        &mut self,
        repository: &str,
        tag: &str,
        time: i64,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO upstream_tags (repository, tag, checked_at) VALUES ($1, $2, $3)
             ON CONFLICT (repository, tag) DO UPDATE SET checked_at = excluded.checked_at",
        )
        .bind(repository)
        .bind(tag)
        .bind(time)
        .execute(&mut *self.transaction)
        .await?;
        Ok(())
    }
}

impl Store {
    /// Every upstream, in the order of their names.
    pub async fn upstreams(&self) -> Result<Vec<UpstreamRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT name, url, registry, user_name, fresh_seconds, created_at FROM upstreams ORDER BY name",
        )
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(upstream).collect()
    }

    /// When the upstream said last what a tag means; milliseconds since 1970.
    pub async fn upstream_tag(
        &self,
        repository: &str,
        tag: &str,
    ) -> Result<Option<i64>, StoreError> {
        let row: Option<(i64,)> = sqlx::query_as(
            "SELECT checked_at FROM upstream_tags WHERE repository = $1 AND tag = $2",
        )
        .bind(repository)
        .bind(tag)
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map(|(time,)| time))
    }

    /// How much is held in repositories whose names begin with this part.
    pub async fn held_under(&self, name: &str) -> Result<UpstreamHeldRow, StoreError> {
        let (from, to) = between(name);
        let row = sqlx::query(
            "SELECT (SELECT COUNT(*) FROM repositories WHERE name > $1 AND name < $2) AS repositories,
                    (SELECT COUNT(*) FROM registry_tags WHERE repository > $1 AND repository < $2) AS tags,
                    (SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM registry_blobs WHERE repository > $1 AND repository < $2) AS bytes,
                    (SELECT MAX(checked_at) FROM upstream_tags WHERE repository > $1 AND repository < $2) AS checked_at",
        )
        .bind(from)
        .bind(to)
        .fetch_one(&self.pool)
        .await?;
        Ok(UpstreamHeldRow {
            repositories: row.try_get("repositories")?,
            tags: row.try_get("tags")?,
            bytes: row.try_get("bytes")?,
            checked_at: row.try_get("checked_at")?,
        })
    }
}

fn upstream(row: &AnyRow) -> Result<UpstreamRow, StoreError> {
    Ok(UpstreamRow {
        name: row.try_get("name")?,
        url: row.try_get("url")?,
        registry: row.try_get("registry")?,
        user: row.try_get("user_name")?,
        fresh_seconds: row.try_get("fresh_seconds")?,
        created_at: row.try_get("created_at")?,
    })
}
