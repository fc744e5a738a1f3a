//! Manifests: what tags and digests mean, pushed and taken away.

use std::sync::Arc;

use axum::body::Bytes;
use ergon_oci::model::INDEX;
use ergon_oci::registry::{Code, Needs, PushedManifest, Refusal, RepositoryName, Tag, TagOrDigest};
use ergon_oci::{Algorithm, ContentDigest};
use ergon_store::{NewEvent, RegistryManifestRow, RegistryTagRow, now};
use serde_json::json;

use super::Distribution;
use super::error::DistributionError;
use super::fixed;

/// The largest manifest that is taken, in bytes: what the specification has registries take at least.
pub const LARGEST_MANIFEST: u64 = ergon_oci::model::LARGEST_DOCUMENT;

/// A manifest as it is served.
#[derive(Debug)]
pub struct StoredManifest {
    pub digest: ContentDigest,
    pub media_type: String,
    pub content: Bytes,
}

/// What a push came to.
#[derive(Debug)]
pub struct Accepted {
    pub digest: ContentDigest,
    pub subject: Option<ContentDigest>,
}

impl Distribution {
    /// What a reference means in a repository.
    pub async fn manifest(
        &self,
        repository: &RepositoryName,
        reference: &TagOrDigest,
    ) -> Result<Option<Arc<StoredManifest>>, DistributionError> {
        let (name, text) = (repository.as_str(), reference.to_string());
        if let Some(known) = self.manifests.get(name, &text) {
            return Ok(Some(known));
        }
        let era = self.manifests.era();
        let row = match reference {
            TagOrDigest::Tag(tag) => self.store.tagged_manifest(name, tag.as_str()).await?,
            TagOrDigest::Digest(_) => self.store.registry_manifest(name, &text).await?,
        };
        let Some(row) = row else {
            return Ok(None);
        };
        let digest: ContentDigest = stored(&row.digest)?;
        let Some(content) = self.contents.read(&digest, LARGEST_MANIFEST).await? else {
            return Ok(None);
        };
        // What does not match its digest is not served, whatever befell the disk.
        if ContentDigest::of(digest.algorithm(), &content) != digest {
            tracing::error!(%digest, "a manifest is damaged on the disk; `ergon registry fsck` says more");
            return Ok(None);
        }
        let manifest = Arc::new(StoredManifest {
            digest,
            media_type: row.media_type,
            content,
        });
        self.manifests.keep(era, name, &text, &manifest);
        Ok(Some(manifest))
    }

    /// Takes a manifest, if everything that it is made of is there.
    pub async fn push_manifest(
        &self,
        repository: &RepositoryName,
        reference: &TagOrDigest,
        more_tags: Vec<Tag>,
        content_type: Option<&str>,
        content: Bytes,
        by: &str,
    ) -> Result<Accepted, DistributionError> {
        let digest = match reference {
            TagOrDigest::Tag(_) => ContentDigest::of(Algorithm::Sha256, &content),
            TagOrDigest::Digest(promised) => {
                let actual = ContentDigest::of(promised.algorithm(), &content);
                if actual != *promised {
                    return Err(Refusal::new(
                        400,
                        Code::DigestInvalid,
                        format!("a manifest came whose digest is {actual}, not {promised}"),
                    )
                    .about([promised.to_string()])
                    .into());
                }
                actual
            }
        };
        let pushed = PushedManifest::parse(&content, content_type)?;
        let mut tags = more_tags;
        if let TagOrDigest::Tag(tag) = reference {
            tags.insert(0, tag.clone());
        }
        // What it is made of must not be collected between the look and the link.
        let _kept = self.sweeping.read().await;
        self.check_needs(repository, &pushed.needs).await?;
        let size = content.len();
        self.contents.put(digest, content).await?;
        let accepted = Accepted {
            digest,
            subject: pushed.subject,
        };
        self.record_manifest(repository, &digest, size, pushed, &tags, by)
            .await?;
        Ok(accepted)
    }

    /// Refuses a manifest that names what its repository does not have.
    async fn check_needs(
        &self,
        repository: &RepositoryName,
        needs: &[Needs],
    ) -> Result<(), DistributionError> {
        let mut missing = Vec::new();
        for part in needs {
            let is_there = if part.is_manifest {
                let row = self
                    .store
                    .registry_manifest(repository.as_str(), &part.digest.to_string())
                    .await?;
                row.map(|row| u64::try_from(row.size).unwrap_or_default())
            } else {
                self.blob(repository, &part.digest).await?
            };
            match is_there {
                Some(size) if size == part.size => {}
                Some(size) => {
                    return Err(Refusal::new(
                        400,
                        Code::ManifestInvalid,
                        format!(
                            "it says that {} has {} bytes, and it has {size}",
                            part.digest, part.size
                        ),
                    )
                    .into());
                }
                None => missing.push(part.digest.to_string()),
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        Err(Refusal::new(
            404,
            Code::ManifestBlobUnknown,
            format!(
                "the repository `{repository}` does not have what the manifest names: push it first"
            ),
        )
        .about(missing)
        .into())
    }

    pub(super) async fn record_manifest(
        &self,
        repository: &RepositoryName,
        digest: &ContentDigest,
        size: usize,
        pushed: PushedManifest,
        tags: &[Tag],
        by: &str,
    ) -> Result<(), DistributionError> {
        let content = *digest;
        let (name, digest) = (repository.as_str(), digest.to_string());
        let data = json!({
            "repository": name, "digest": digest, "tags": tags.iter().map(Tag::as_str).collect::<Vec<_>>(),
            "media_type": pushed.media_type, "by": by,
        });
        let told = NewEvent::new(
            "dev.ergon.registry.pushed",
            format!("repository/{name}"),
            data,
        );
        let time = now();
        let mut change = self.store.change(told).await?;
        change.add_repository(name, time).await?;
        let row = RegistryManifestRow {
            repository: name.to_owned(),
            digest: digest.clone(),
            media_type: pushed.media_type,
            size: i64::try_from(size).unwrap_or(i64::MAX),
            artifact_type: pushed.artifact_type,
            subject: pushed.subject.map(|subject| subject.to_string()),
            annotations: pushed.annotations,
            pushed_at: time,
        };
        change.put_registry_manifest(&row).await?;
        for tag in tags {
            let tag = tag.as_str();
            if let Some(meant) = fixed::meaning_against(&mut change, name, tag, &digest).await? {
                return Err(fixed::refused(name, tag, &meant).into());
            }
            change
                .put_registry_tag(&RegistryTagRow {
                    repository: name.to_owned(),
                    tag: tag.to_owned(),
                    digest: digest.clone(),
                    pushed_at: time,
                })
                .await?;
        }
        change.commit().await?;
        let parts = pushed.needs.iter().map(|part| part.digest);
        self.journal.used(name, parts.clone().chain([content]));
        self.journal.named(name, parts);
        let changed = tags.iter().map(Tag::as_str).chain([digest.as_str()]);
        self.manifests.changed(name, changed);
        Ok(())
    }

    /// Takes a tag, or a manifest with all its tags, from a repository. `false` where there was none.
    pub async fn remove_manifest(
        &self,
        repository: &RepositoryName,
        reference: &TagOrDigest,
        by: &str,
    ) -> Result<bool, DistributionError> {
        let (name, text) = (repository.as_str(), reference.to_string());
        let data = json!({ "repository": name, "reference": text, "by": by });
        let told = NewEvent::new(
            "dev.ergon.registry.removed",
            format!("repository/{name}"),
            data,
        );
        let mut change = self.store.change(told).await?;
        let gone = match reference {
            TagOrDigest::Tag(tag) => change
                .remove_registry_tag(name, tag.as_str())
                .await?
                .then(Vec::new),
            TagOrDigest::Digest(_) => change.remove_registry_manifest(name, &text).await?,
        };
        let Some(tags) = gone else {
            return Ok(false);
        };
        let goes = match reference {
            TagOrDigest::Tag(_) => std::slice::from_ref(&text),
            TagOrDigest::Digest(_) => &tags,
        };
        // What was done so far never was where it is refused: the change is not committed.
        if change.has_immutable_tags(name).await? {
            if let TagOrDigest::Digest(digest) = reference
                && self.is_part_of_index(name, &text).await?
            {
                return Err(fixed::part_kept(name, digest).into());
            }
            if !goes.is_empty() {
                return Err(fixed::kept(name, goes).into());
            }
        }
        change.commit().await?;
        let changed = tags.iter().map(String::as_str).chain([text.as_str()]);
        self.manifests.changed(name, changed);
        Ok(true)
    }

    /// Whether an index of the repository names a manifest.
    async fn is_part_of_index(
        &self,
        repository: &str,
        digest: &str,
    ) -> Result<bool, DistributionError> {
        for index in self.store.registry_indexes(repository).await? {
            let index: ContentDigest = stored(&index)?;
            let Some(content) = self.contents.read(&index, LARGEST_MANIFEST).await? else {
                continue;
            };
            let pushed = PushedManifest::parse(&content, Some(INDEX))
                .or_else(|_| PushedManifest::parse(&content, None));
            let names = |pushed: PushedManifest| {
                let mut parts = pushed.needs.iter();
                parts.any(|part| part.digest.to_string() == digest)
            };
            if pushed.is_ok_and(names) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Manifests of a repository that say something about a digest, oldest first; of one type where it is given.
    pub async fn referrers(
        &self,
        repository: &RepositoryName,
        subject: &ContentDigest,
        artifact_type: Option<&str>,
    ) -> Result<Vec<RegistryManifestRow>, DistributionError> {
        let mut rows = self
            .store
            .registry_referrers(repository.as_str(), &subject.to_string())
            .await?;
        if let Some(wanted) = artifact_type {
            rows.retain(|row| row.artifact_type.as_deref() == Some(wanted));
        }
        Ok(rows)
    }
}

/// A digest that we wrote down ourselves.
pub(super) fn stored(text: &str) -> Result<ContentDigest, DistributionError> {
    text.parse()
        .map_err(|error: ergon_oci::ParseContentDigestError| {
            ergon_store::StoreError::Malformed {
                entity: "registry manifest",
                reason: error.to_string(),
            }
            .into()
        })
}
