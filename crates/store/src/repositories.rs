//! Repositories of the registry: which manifests, tags and blobs each has.

use std::collections::BTreeMap;

use serde_json::Value;
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::change::Change;
use crate::error::StoreError;
use crate::store::{Store, now};

/// A repository, and how it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepositoryRow {
    pub name: String,
    /// Milliseconds since 1970.
    pub created_at: i64,
    /// Whether anybody may pull.
    pub anonymous_pull: bool,
    /// Whether a tag, once there, stays what it is.
    pub immutable_tags: bool,
}

/// A manifest of a repository. Its content is in the content store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistryManifestRow {
    pub repository: String,
    pub digest: String,
    pub media_type: String,
    /// Bytes.
    pub size: i64,
    pub artifact_type: Option<String>,
    pub subject: Option<String>,
    pub annotations: BTreeMap<String, String>,
    /// Milliseconds since 1970.
    pub pushed_at: i64,
}

/// A tag of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistryTagRow {
    pub repository: String,
    pub tag: String,
    pub digest: String,
    /// Milliseconds since 1970: when it came to mean this.
    pub pushed_at: i64,
}

/// That a repository has a blob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlobLink {
    pub repository: String,
    pub digest: String,
    /// Bytes.
    pub size: i64,
}

const MANIFEST: &str =
    "repository, digest, media_type, size, artifact_type, subject, annotations, pushed_at";

impl Change {
    /// Makes a repository where there is none of the name. Says whether it did.
    pub async fn add_repository(&mut self, name: &str, time: i64) -> Result<bool, StoreError> {
        let added = sqlx::query(
            "INSERT INTO repositories (name, created_at) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
        )
        .bind(name)
        .bind(time)
        .execute(&mut *self.transaction)
        .await?;
        Ok(added.rows_affected() == 1)
    }

    /// Notes that a repository has a blob. The repository has to be there.
    pub async fn link_blob(&mut self, link: &BlobLink, time: i64) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO registry_blobs (repository, digest, size, linked_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (repository, digest) DO UPDATE SET linked_at = excluded.linked_at",
        )
        .bind(&link.repository)
        .bind(&link.digest)
        .bind(link.size)
        .bind(time)
        .execute(&mut *self.transaction)
        .await?;
        Ok(())
    }

    /// Takes a blob from a repository. Says whether it had it.
    pub async fn unlink_blob(
        &mut self,
        repository: &str,
        digest: &str,
    ) -> Result<bool, StoreError> {
        let gone = sqlx::query("DELETE FROM registry_blobs WHERE repository = $1 AND digest = $2")
            .bind(repository)
            .bind(digest)
            .execute(&mut *self.transaction)
            .await?;
        Ok(gone.rows_affected() > 0)
    }

    /// Keeps a manifest; the same again only says when it was pushed last.
    pub async fn put_registry_manifest(
        &mut self,
        manifest: &RegistryManifestRow,
    ) -> Result<(), StoreError> {
        let annotations: Value = manifest
            .annotations
            .iter()
            .map(|(name, value)| (name.clone(), Value::from(value.as_str())))
            .collect();
        sqlx::query(
            "INSERT INTO registry_manifests (repository, digest, media_type, size, artifact_type, subject, annotations, pushed_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
             ON CONFLICT (repository, digest) DO UPDATE SET media_type = excluded.media_type, pushed_at = excluded.pushed_at",
        )
        .bind(&manifest.repository)
        .bind(&manifest.digest)
        .bind(&manifest.media_type)
        .bind(manifest.size)
        .bind(&manifest.artifact_type)
        .bind(&manifest.subject)
        .bind(annotations.to_string())
        .bind(manifest.pushed_at)
        .execute(&mut *self.transaction)
        .await?;
        Ok(())
    }

    /// Lets a tag mean a manifest. The one that it meant is noted as let go of.
    pub async fn put_registry_tag(&mut self, tag: &RegistryTagRow) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE registry_manifests SET released_at = $4 WHERE repository = $1 AND digest <> $3
             AND digest = (SELECT digest FROM registry_tags WHERE repository = $1 AND tag = $2)",
        )
        .bind(&tag.repository)
        .bind(&tag.tag)
        .bind(&tag.digest)
        .bind(tag.pushed_at)
        .execute(&mut *self.transaction)
        .await?;
        sqlx::query(
            "INSERT INTO registry_tags (repository, tag, digest, pushed_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (repository, tag) DO UPDATE SET digest = excluded.digest, pushed_at = excluded.pushed_at",
        )
        .bind(&tag.repository)
        .bind(&tag.tag)
        .bind(&tag.digest)
        .bind(tag.pushed_at)
        .execute(&mut *self.transaction)
        .await?;
        Ok(())
    }

    /// Removes a tag. Says whether there was one. The manifest that it meant is noted as let go of.
    pub async fn remove_registry_tag(
        &mut self,
        repository: &str,
        tag: &str,
    ) -> Result<bool, StoreError> {
        let gone: Option<(String,)> = sqlx::query_as(
            "DELETE FROM registry_tags WHERE repository = $1 AND tag = $2 RETURNING digest",
        )
        .bind(repository)
        .bind(tag)
        .fetch_optional(&mut *self.transaction)
        .await?;
        let Some((digest,)) = gone else {
            return Ok(false);
        };
        sqlx::query(
            "UPDATE registry_manifests SET released_at = $3 WHERE repository = $1 AND digest = $2",
        )
        .bind(repository)
        .bind(digest)
        .bind(now())
        .execute(&mut *self.transaction)
        .await?;
        Ok(true)
    }

    /// Removes a manifest and the tags that mean it. `None` where there was none, else those tags.
    pub async fn remove_registry_manifest(
        &mut self,
        repository: &str,
        digest: &str,
    ) -> Result<Option<Vec<String>>, StoreError> {
        let tags: Vec<(String,)> = sqlx::query_as(
            "DELETE FROM registry_tags WHERE repository = $1 AND digest = $2 RETURNING tag",
        )
        .bind(repository)
        .bind(digest)
        .fetch_all(&mut *self.transaction)
        .await?;
        let gone =
            sqlx::query("DELETE FROM registry_manifests WHERE repository = $1 AND digest = $2")
                .bind(repository)
                .bind(digest)
                .execute(&mut *self.transaction)
                .await?;
        Ok((gone.rows_affected() > 0).then(|| tags.into_iter().map(|(tag,)| tag).collect()))
    }

    /// What a tag means, as this change sees it.
    pub async fn tagged(
        &mut self,
        repository: &str,
        tag: &str,
    ) -> Result<Option<String>, StoreError> {
        let row: Option<(String,)> =
            sqlx::query_as("SELECT digest FROM registry_tags WHERE repository = $1 AND tag = $2")
                .bind(repository)
                .bind(tag)
                .fetch_optional(&mut *self.transaction)
                .await?;
        Ok(row.map(|(digest,)| digest))
    }
}

impl Store {
    pub async fn repository(&self, name: &str) -> Result<Option<RepositoryRow>, StoreError> {
        let row = sqlx::query(
            "SELECT name, created_at, anonymous_pull, immutable_tags FROM repositories WHERE name = $1",
        )
        .bind(name)
        .fetch_optional(&self.pool)
        .await?;
        row.as_ref().map(repository).transpose()
    }

    /// Repositories after a name, in the order of their names; at most so many.
    pub async fn repositories(
        &self,
        after: &str,
        limit: i64,
    ) -> Result<Vec<RepositoryRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT name, created_at, anonymous_pull, immutable_tags FROM repositories
             WHERE name > $1 ORDER BY name LIMIT $2",
        )
        .bind(after)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(repository).collect()
    }

    pub async fn registry_manifest(
        &self,
        repository: &str,
        digest: &str,
    ) -> Result<Option<RegistryManifestRow>, StoreError> {
        let sql = format!(
            "SELECT {MANIFEST} FROM registry_manifests WHERE repository = $1 AND digest = $2"
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(repository)
            .bind(digest)
            .fetch_optional(&self.pool)
            .await?;
        row.as_ref().map(manifest).transpose()
    }

    /// The manifest that a tag means.
    pub async fn tagged_manifest(
        &self,
        repository: &str,
        tag: &str,
    ) -> Result<Option<RegistryManifestRow>, StoreError> {
        let sql = format!(
            "SELECT {MANIFEST} FROM registry_manifests WHERE repository = $1
             AND digest = (SELECT digest FROM registry_tags WHERE repository = $1 AND tag = $2)"
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(repository)
            .bind(tag)
            .fetch_optional(&self.pool)
            .await?;
        row.as_ref().map(manifest).transpose()
    }

    /// Manifests of a repository that say something about a digest, oldest first.
    pub async fn registry_referrers(
        &self,
        repository: &str,
        subject: &str,
    ) -> Result<Vec<RegistryManifestRow>, StoreError> {
        let sql = format!(
            "SELECT {MANIFEST} FROM registry_manifests WHERE repository = $1 AND subject = $2
             ORDER BY pushed_at, digest"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(repository)
            .bind(subject)
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(manifest).collect()
    }

    /// Digests of a repository's indexes.
    pub async fn registry_indexes(&self, repository: &str) -> Result<Vec<String>, StoreError> {
        let rows: Vec<(String,)> = sqlx::query_as(
            "SELECT digest FROM registry_manifests WHERE repository = $1 AND media_type IN (
               'application/vnd.oci.image.index.v1+json', 'application/vnd.docker.distribution.manifest.list.v2+json')",
        )
        .bind(repository)
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(|(digest,)| digest).collect())
    }

    /// Tags of a repository after one, in the order of their bytes; at most so many.
    pub async fn registry_tags(
        &self,
        repository: &str,
        after: &str,
        limit: i64,
    ) -> Result<Vec<RegistryTagRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT repository, tag, digest, pushed_at FROM registry_tags
             WHERE repository = $1 AND tag > $2 ORDER BY tag LIMIT $3",
        )
        .bind(repository)
        .bind(after)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(RegistryTagRow {
                    repository: row.try_get("repository")?,
                    tag: row.try_get("tag")?,
                    digest: row.try_get("digest")?,
                    pushed_at: row.try_get("pushed_at")?,
                })
            })
            .collect()
    }

    /// How long a repository's blob is, in bytes; `None` where it has none of that digest.
    pub async fn linked_blob(
        &self,
        repository: &str,
        digest: &str,
    ) -> Result<Option<i64>, StoreError> {
        let row: Option<(i64,)> =
            sqlx::query_as("SELECT size FROM registry_blobs WHERE repository = $1 AND digest = $2")
                .bind(repository)
                .bind(digest)
                .fetch_optional(&self.pool)
                .await?;
        Ok(row.map(|(size,)| size))
    }

    /// Repositories that have a blob.
    pub async fn repositories_with_blob(&self, digest: &str) -> Result<Vec<String>, StoreError> {
        let rows: Vec<(String,)> = sqlx::query_as(
            "SELECT repository FROM registry_blobs WHERE digest = $1 ORDER BY repository",
        )
        .bind(digest)
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(|(name,)| name).collect())
    }
}

fn repository(row: &AnyRow) -> Result<RepositoryRow, StoreError> {
    Ok(RepositoryRow {
        name: row.try_get("name")?,
        created_at: row.try_get("created_at")?,
        anonymous_pull: row.try_get::<i64, _>("anonymous_pull")? != 0,
        immutable_tags: row.try_get::<i64, _>("immutable_tags")? != 0,
    })
}

fn manifest(row: &AnyRow) -> Result<RegistryManifestRow, StoreError> {
    let annotations: String = row.try_get("annotations")?;
    Ok(RegistryManifestRow {
        repository: row.try_get("repository")?,
        digest: row.try_get("digest")?,
        media_type: row.try_get("media_type")?,
        size: row.try_get("size")?,
        artifact_type: row.try_get("artifact_type")?,
        subject: row.try_get("subject")?,
        annotations: serde_json::from_str(&annotations)
            .map_err(StoreError::malformed("registry manifest"))?,
        pushed_at: row.try_get("pushed_at")?,
    })
}
