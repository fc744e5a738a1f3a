//! What the registry has of a digest, whatever repositories have it.

use crate::builds::literal;
use crate::error::StoreError;
use crate::repositories::RegistryManifestRow;
use crate::store::Store;

impl Store {
    /// Digests of manifests and blobs that begin like this, in the order of their bytes; at most so many.
    /// `beginning` is hex digits, with an algorithm and a colon before them or without.
    pub async fn registry_digests_beginning(
        &self,
        beginning: &str,
        limit: i64,
    ) -> Result<Vec<String>, StoreError> {
        let pattern = |algorithm: &str| {
            let digits = beginning.strip_prefix(algorithm);
            let digits = digits.and_then(|rest| rest.strip_prefix(':'));
            match digits {
                Some(digits) => format!("{algorithm}:{}%", literal(digits)),
                None => format!("{algorithm}:{}%", literal(beginning)),
            }
        };
        let rows: Vec<(String,)> = sqlx::query_as(
            "SELECT digest FROM registry_manifests WHERE digest LIKE $1 ESCAPE '!' OR digest LIKE $2 ESCAPE '!'
             UNION SELECT digest FROM registry_blobs WHERE digest LIKE $1 ESCAPE '!' OR digest LIKE $2 ESCAPE '!'
             ORDER BY 1 LIMIT $3",
        )
        .bind(pattern("sha256"))
        .bind(pattern("sha512"))
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(|(digest,)| digest).collect())
    }

    /// What a tag means in whatever repositories have it: repository and digest, at most so many.
    pub async fn registry_tagged(
        &self,
        tag: &str,
        limit: i64,
    ) -> Result<Vec<(String, String)>, StoreError> {
        let rows = sqlx::query_as(
            "SELECT repository, digest FROM registry_tags WHERE tag = $1 ORDER BY repository LIMIT $2",
        )
        .bind(tag)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        Ok(rows)
    }

    /// A manifest in each repository that has it, with the tags that mean it there, by the repositories' names.
    pub async fn registry_places(
        &self,
        digest: &str,
    ) -> Result<Vec<(RegistryManifestRow, Vec<String>)>, StoreError> {
        let repositories: Vec<(String,)> = sqlx::query_as(
            "SELECT repository FROM registry_manifests WHERE digest = $1 ORDER BY repository",
        )
        .bind(digest)
        .fetch_all(&self.pool)
        .await?;
        let mut places = Vec::new();
        for (repository,) in repositories {
            let Some(row) = self.registry_manifest(&repository, digest).await? else {
                continue;
            };
            let tags: Vec<(String,)> = sqlx::query_as(
                "SELECT tag FROM registry_tags WHERE repository = $1 AND digest = $2 ORDER BY tag",
            )
            .bind(&repository)
            .bind(digest)
            .fetch_all(&self.pool)
            .await?;
            places.push((row, tags.into_iter().map(|(tag,)| tag).collect()));
        }
        Ok(places)
    }
}
