//! Manifests, builds and images, and the lines between them.

use serde_json::Value;
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::change::Change;
use crate::error::StoreError;
use crate::ids::{JobId, ProjectId};
use crate::store::Store;

/// A build as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildRow {
    pub build_hash: String,
    pub project_id: Option<ProjectId>,
    pub job_id: Option<JobId>,
    /// `running`, `succeeded`, `failed`, `cancelled`, `interrupted`.
    pub state: String,
    pub manifest_digest: String,
    pub source_digest: String,
    /// The whole record, once it succeeded.
    pub record: Option<Value>,
    pub cached: bool,
    /// Milliseconds since 1970.
    pub started_at: i64,
    pub finished_at: Option<i64>,
}

/// An image of a build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageRow {
    pub digest: String,
    pub container: String,
    /// Bytes.
    pub size: i64,
    pub tags: Vec<String>,
}

/// A build with its images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredBuild {
    pub build: BuildRow,
    pub images: Vec<ImageRow>,
}

const COLUMNS: &str = "build_hash, project_id, job_id, state, manifest_digest, source_digest, record, cached, started_at, finished_at";

impl Change {
    /// Remembers a manifest; the same content is stored once.
    pub async fn put_manifest(
        &mut self,
        digest: &str,
        content: &Value,
        time: i64,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO manifests (digest, content, recorded_at) VALUES ($1, $2, $3) ON CONFLICT (digest) DO NOTHING",
        )
        .bind(digest)
        .bind(content.to_string())
        .bind(time)
        .execute(&mut *self.transaction)
        .await?;
        Ok(())
    }

    /// Remembers a build and its images. The same build hash again replaces what is known of it,
    /// but never a success by anything less. One that was found again in the cache is still the
    /// work, and has the log, of the job that built it.
    pub async fn put_build(
        &mut self,
        build: &BuildRow,
        images: &[ImageRow],
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO builds (build_hash, project_id, job_id, state, manifest_digest, source_digest, record, cached, started_at, finished_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
             ON CONFLICT (build_hash) DO UPDATE SET
               project_id = COALESCE(excluded.project_id, builds.project_id),
               job_id = CASE WHEN excluded.cached = 1 AND builds.state = 'succeeded' THEN COALESCE(builds.job_id, excluded.job_id)
                 ELSE COALESCE(excluded.job_id, builds.job_id) END,
               cached = CASE WHEN builds.state = 'succeeded' THEN builds.cached * excluded.cached ELSE excluded.cached END,
               state = excluded.state, record = excluded.record,
               started_at = excluded.started_at, finished_at = excluded.finished_at
             WHERE builds.state <> 'succeeded' OR excluded.state = 'succeeded'",
        )
        .bind(&build.build_hash)
        .bind(&build.project_id)
        .bind(&build.job_id)
        .bind(&build.state)
        .bind(&build.manifest_digest)
        .bind(&build.source_digest)
        .bind(build.record.as_ref().map(Value::to_string))
        .bind(i64::from(build.cached))
        .bind(build.started_at)
        .bind(build.finished_at)
        .execute(&mut *self.transaction)
        .await?;
        for image in images {
            sqlx::query(
                "INSERT INTO images (digest, build_hash, container, size) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (build_hash, container) DO UPDATE SET digest = excluded.digest, size = excluded.size",
            )
            .bind(&image.digest)
            .bind(&build.build_hash)
            .bind(&image.container)
            .bind(image.size)
            .execute(&mut *self.transaction)
            .await?;
            for tag in &image.tags {
                sqlx::query(
                    "INSERT INTO tags (tag, digest, build_hash) VALUES ($1, $2, $3)
                     ON CONFLICT (tag, build_hash) DO UPDATE SET digest = excluded.digest",
                )
                .bind(tag)
                .bind(&image.digest)
                .bind(&build.build_hash)
                .execute(&mut *self.transaction)
                .await?;
            }
        }
        Ok(())
    }

    /// Marks every build that was running as interrupted, and says how many there were.
    pub async fn interrupt_builds(&mut self, time: i64) -> Result<u64, StoreError> {
        let interrupted = sqlx::query(
            "UPDATE builds SET state = 'interrupted', finished_at = $1 WHERE state = 'running'",
        )
        .bind(time)
        .execute(&mut *self.transaction)
        .await?;
        Ok(interrupted.rows_affected())
    }
}

impl Store {
    /// Builds, newest first; of one project where it is given.
    pub async fn builds(
        &self,
        project: Option<&ProjectId>,
        limit: i64,
    ) -> Result<Vec<StoredBuild>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM builds WHERE ($1 = '' OR project_id = $1) ORDER BY started_at DESC, build_hash LIMIT $2"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(project.map_or("", ProjectId::as_str))
            .bind(limit)
            .fetch_all(&self.pool)
            .await?;
        self.with_images(&rows).await
    }

    /// Builds of a manifest, newest first.
    pub async fn builds_of_manifest(&self, digest: &str) -> Result<Vec<StoredBuild>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM builds WHERE manifest_digest = $1 ORDER BY started_at DESC"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(digest)
            .fetch_all(&self.pool)
            .await?;
        self.with_images(&rows).await
    }

    /// Builds that a text may mean: a prefix of a build hash, of an image or source digest, or a
    /// tag. Digests are stored as `sha256:…`; the prefix may leave that out.
    pub async fn builds_like(&self, text: &str) -> Result<Vec<StoredBuild>, StoreError> {
        let digest = digest_prefix(text);
        let sql = format!(
            "SELECT {COLUMNS} FROM builds WHERE build_hash LIKE $4 ESCAPE '!' OR source_digest LIKE $1 ESCAPE '!'
             OR build_hash IN (SELECT build_hash FROM images WHERE digest LIKE $1 ESCAPE '!')
             OR build_hash IN (SELECT build_hash FROM tags WHERE tag = $2 OR tag LIKE $3 ESCAPE '!')
             ORDER BY started_at DESC LIMIT 20"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(digest)
            .bind(text)
            .bind(format!("%:{}%", literal(text)))
            .bind(format!("{}%", literal(text.trim_start_matches("sha256:"))))
            .fetch_all(&self.pool)
            .await?;
        self.with_images(&rows).await
    }

    /// The manifest with this digest.
    pub async fn manifest(&self, digest: &str) -> Result<Option<Value>, StoreError> {
        let row: Option<(String,)> =
            sqlx::query_as("SELECT content FROM manifests WHERE digest = $1")
                .bind(digest)
                .fetch_optional(&self.pool)
                .await?;
        row.map(|(content,)| serde_json::from_str(&content))
            .transpose()
            .map_err(StoreError::malformed("manifest"))
    }

    /// The build with this hash.
    pub async fn build(&self, build_hash: &str) -> Result<Option<StoredBuild>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM builds WHERE build_hash = $1");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(build_hash)
            .fetch_all(&self.pool)
            .await?;
        Ok(self.with_images(&rows).await?.pop())
    }

    /// How many builds there are.
    pub async fn count_builds(&self) -> Result<i64, StoreError> {
        let (count,): (i64,) = sqlx::query_as("SELECT COUNT(*) FROM builds")
            .fetch_one(&self.pool)
            .await?;
        Ok(count)
    }

    /// Digests and contents of manifests whose digest begins like this.
    pub async fn manifests_like(&self, text: &str) -> Result<Vec<(String, Value)>, StoreError> {
        let prefix = digest_prefix(text);
        let rows = sqlx::query(
            "SELECT digest, content FROM manifests WHERE digest LIKE $1 ESCAPE '!' LIMIT 20",
        )
        .bind(prefix)
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                let content: String = row.try_get("content")?;
                let content =
                    serde_json::from_str(&content).map_err(StoreError::malformed("manifest"))?;
                Ok((row.try_get("digest")?, content))
            })
            .collect()
    }

    /// Builds for which a condition over texts, `$1` and on, holds; newest first.
    pub(crate) async fn builds_where(
        &self,
        condition: &str,
        texts: &[&str],
        limit: i64,
    ) -> Result<Vec<StoredBuild>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM builds WHERE {condition} ORDER BY started_at DESC, build_hash LIMIT {limit}"
        );
        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
        for text in texts {
            query = query.bind(*text);
        }
        let rows = query.fetch_all(&self.pool).await?;
        self.with_images(&rows).await
    }

    async fn with_images(&self, rows: &[AnyRow]) -> Result<Vec<StoredBuild>, StoreError> {
        let mut stored = Vec::with_capacity(rows.len());
        for row in rows {
            let build = build(row)?;
            let images = self.images_of(&build.build_hash).await?;
            stored.push(StoredBuild { build, images });
        }
        Ok(stored)
    }

    async fn images_of(&self, build_hash: &str) -> Result<Vec<ImageRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT digest, container, size FROM images WHERE build_hash = $1 ORDER BY container",
        )
        .bind(build_hash)
        .fetch_all(&self.pool)
        .await?;
        let tags = sqlx::query("SELECT tag, digest FROM tags WHERE build_hash = $1 ORDER BY tag")
            .bind(build_hash)
            .fetch_all(&self.pool)
            .await?;
        rows.iter()
            .map(|row| {
                let digest: String = row.try_get("digest")?;
                let mut own = Vec::new();
                for tag in &tags {
                    if tag.try_get::<String, _>("digest")? == digest {
                        own.push(tag.try_get("tag")?);
                    }
                }
                Ok(ImageRow {
                    digest,
                    container: row.try_get("container")?,
                    size: row.try_get("size")?,
                    tags: own,
                })
            })
            .collect()
    }
}

/// What digests that begin like this look like, for LIKE.
fn digest_prefix(text: &str) -> String {
    format!("sha256:{}%", literal(text.trim_start_matches("sha256:")))
}

/// Text that stands for itself in a LIKE whose escape is `!`.
pub(crate) fn literal(text: &str) -> String {
    text.replace('!', "!!")
        .replace('%', "!%")
        .replace('_', "!_")
}

fn build(row: &AnyRow) -> Result<BuildRow, StoreError> {
    let record: Option<String> = row.try_get("record")?;
    Ok(BuildRow {
        build_hash: row.try_get("build_hash")?,
        project_id: row.try_get("project_id")?,
        job_id: row.try_get("job_id")?,
        state: row.try_get("state")?,
        manifest_digest: row.try_get("manifest_digest")?,
        source_digest: row.try_get("source_digest")?,
        record: record
            .map(|text| serde_json::from_str(&text))
            .transpose()
            .map_err(StoreError::malformed("build"))?,
        cached: row.try_get::<i64, _>("cached")? != 0,
        started_at: row.try_get("started_at")?,
        finished_at: row.try_get("finished_at")?,
    })
}
