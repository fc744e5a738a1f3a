//! What tidying up the registry asks and changes.

use std::collections::HashMap;

use serde_json::Value;
use sqlx::Row;

use crate::change::Change;
use crate::error::StoreError;
use crate::store::Store;

/// A manifest that a repository has, and what its content is to be read as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldManifestRow {
    pub row: HeldRow,
    pub media_type: String,
}

/// That a repository has something, and since when it is of no use if nothing else says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldRow {
    pub digest: String,
    /// Bytes.
    pub size: i64,
    /// Milliseconds since 1970: when it was pushed or linked.
    pub since: i64,
    /// Milliseconds since 1970: when it last came, or lost a tag.
    pub used_at: i64,
}

impl Change {
    /// Removes a manifest that has no tag and was not pushed again. Says whether it did.
    pub async fn collect_manifest(
        &mut self,
        repository: &str,
        row: &HeldRow,
    ) -> Result<bool, StoreError> {
        let gone = sqlx::query(
            "DELETE FROM registry_manifests WHERE repository = $1 AND digest = $2 AND pushed_at = $3
             AND NOT EXISTS (SELECT 1 FROM registry_tags WHERE repository = $1 AND digest = $2)",
        )
        .bind(repository)
        .bind(&row.digest)
        .bind(row.since)
        .execute(&mut *self.transaction)
        .await?;
        Ok(gone.rows_affected() > 0)
    }

    /// Takes a blob from a repository, if it was not linked again. Says whether it did.
    pub async fn collect_blob(
        &mut self,
        repository: &str,
        row: &HeldRow,
    ) -> Result<bool, StoreError> {
        let gone = sqlx::query(
            "DELETE FROM registry_blobs WHERE repository = $1 AND digest = $2 AND linked_at = $3",
        )
        .bind(repository)
        .bind(&row.digest)
        .bind(row.since)
        .execute(&mut *self.transaction)
        .await?;
        Ok(gone.rows_affected() > 0)
    }

    /// Keeps what upkeep of a kind came to.
    pub async fn put_upkeep(
        &mut self,
        kind: &str,
        finished_at: i64,
        report: &Value,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO registry_upkeep (kind, finished_at, report) VALUES ($1, $2, $3)
             ON CONFLICT (kind) DO UPDATE SET finished_at = excluded.finished_at, report = excluded.report",
        )
        .bind(kind)
        .bind(finished_at)
        .bind(report.to_string())
        .execute(&mut *self.transaction)
        .await?;
        Ok(())
    }
}

impl Store {
    /// Manifests of a repository after a digest, in the order of their digests; at most so many.
    pub async fn held_manifests(
        &self,
        repository: &str,
        after: &str,
        limit: i64,
    ) -> Result<Vec<HeldManifestRow>, StoreError> {
        let rows: Vec<(String, i64, i64, i64, String)> = sqlx::query_as(
            "SELECT digest, size, pushed_at, released_at, media_type FROM registry_manifests
             WHERE repository = $1 AND digest > $2 ORDER BY digest LIMIT $3",
        )
        .bind(repository)
        .bind(after)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        let held = |(digest, size, since, released_at, media_type): (_, _, i64, i64, _)| {
            let row = HeldRow {
                digest,
                size,
                since,
                used_at: since.max(released_at),
            };
            HeldManifestRow { row, media_type }
        };
        Ok(rows.into_iter().map(held).collect())
    }

    /// Blobs of a repository after a digest, in the order of their digests; at most so many.
    pub async fn held_blobs(
        &self,
        repository: &str,
        after: &str,
        limit: i64,
    ) -> Result<Vec<HeldRow>, StoreError> {
        let rows: Vec<(String, i64, i64)> = sqlx::query_as(
            "SELECT digest, size, linked_at FROM registry_blobs
             WHERE repository = $1 AND digest > $2 ORDER BY digest LIMIT $3",
        )
        .bind(repository)
        .bind(after)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        let held = |(digest, size, since): (String, i64, i64)| HeldRow {
            digest,
            size,
            since,
            used_at: since,
        };
        Ok(rows.into_iter().map(held).collect())
    }

    /// Every digest that a tag of a repository means, each once.
    pub async fn tagged_digests(&self, repository: &str) -> Result<Vec<String>, StoreError> {
        let rows: Vec<(String,)> =
            sqlx::query_as("SELECT DISTINCT digest FROM registry_tags WHERE repository = $1")
                .bind(repository)
                .fetch_all(&self.pool)
                .await?;
        Ok(rows.into_iter().map(|(digest,)| digest).collect())
    }

    /// The tags of a repository that mean a manifest.
    pub async fn tags_of_manifest(
        &self,
        repository: &str,
        digest: &str,
    ) -> Result<Vec<String>, StoreError> {
        let rows: Vec<(String,)> = sqlx::query_as(
            "SELECT tag FROM registry_tags WHERE repository = $1 AND digest = $2 ORDER BY tag",
        )
        .bind(repository)
        .bind(digest)
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(|(tag,)| tag).collect())
    }

    /// How many manifests and blobs of repositories have each of these digests for their content; those that none has are left out.
    pub async fn references_to(
        &self,
        digests: &[String],
    ) -> Result<HashMap<String, u64>, StoreError> {
        let mut counts = HashMap::new();
        if digests.is_empty() {
            return Ok(counts);
        }
        let places: Vec<String> = (1..=digests.len())
            .map(|place| format!("${place}"))
            .collect();
        let places = places.join(", ");
        for table in ["registry_blobs", "registry_manifests"] {
            let sql = format!(
                "SELECT digest, COUNT(*) AS count FROM {table} WHERE digest IN ({places}) GROUP BY digest"
            );
            let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
            for digest in digests {
                query = query.bind(digest);
            }
            for row in query.fetch_all(&self.pool).await? {
                let count: i64 = row.try_get("count")?;
                *counts.entry(row.try_get("digest")?).or_default() +=
                    u64::try_from(count).unwrap_or_default();
            }
        }
        Ok(counts)
    }

    /// Digests of images that builds made, after one, in their order, each once; at most so many.
    pub async fn image_digests(&self, after: &str, limit: i64) -> Result<Vec<String>, StoreError> {
        let rows: Vec<(String,)> = sqlx::query_as(
            "SELECT DISTINCT digest FROM images WHERE digest > $1 ORDER BY digest LIMIT $2",
        )
        .bind(after)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(|(digest,)| digest).collect())
    }

    /// Hashes of the builds that made an image.
    pub async fn builds_of_image(&self, digest: &str) -> Result<Vec<String>, StoreError> {
        let rows: Vec<(String,)> = sqlx::query_as(
            "SELECT DISTINCT build_hash FROM images WHERE digest = $1 ORDER BY build_hash",
        )
        .bind(digest)
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(|(hash,)| hash).collect())
    }

    /// When upkeep of a kind ended last, in milliseconds since 1970, and what it came to.
    pub async fn upkeep(&self, kind: &str) -> Result<Option<(i64, Value)>, StoreError> {
        let row: Option<(i64, String)> =
            sqlx::query_as("SELECT finished_at, report FROM registry_upkeep WHERE kind = $1")
                .bind(kind)
                .fetch_optional(&self.pool)
                .await?;
        row.map(|(time, report)| {
            let report =
                serde_json::from_str(&report).map_err(StoreError::malformed("upkeep report"))?;
            Ok((time, report))
        })
        .transpose()
    }
}
