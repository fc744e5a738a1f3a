//! Manifests of mirrors: what tags mean there, asked again after a while.

use std::sync::Arc;

use axum::body::Bytes;
use ergon_oci::distribution::upstream::UpstreamError;
use ergon_oci::registry::{Code, PushedManifest, Refusal, RepositoryName, Tag, TagOrDigest};
use ergon_oci::{Algorithm, ContentDigest};
use ergon_store::now;
use jiff::Timestamp;

use super::super::manifests::StoredManifest;
use super::super::{Distribution, DistributionError};
use super::Mirrored;

/// That what is served may have changed at the upstream, which could not be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stale {
    /// Milliseconds since 1970: when the upstream was asked last.
    pub since: i64,
    pub registry: String,
}

impl Stale {
    /// The value of a `Warning` header (RFC 7234, 110: stale).
    pub fn warning(&self) -> String {
        let since = Timestamp::from_millisecond(self.since).unwrap_or_default();
        let since = since.strftime("%Y-%m-%dT%H:%M:%SZ");
        let registry = self.registry.replace(['"', '\\'], "");
        format!("110 ergon \"{registry} did not answer; this is what it said at {since}\"")
    }
}

/// What a reference means, as far as it could be found out.
#[derive(Debug, Default)]
pub struct Found {
    pub manifest: Option<Arc<StoredManifest>>,
    pub stale: Option<Stale>,
}

impl Found {
    fn fresh(manifest: Option<Arc<StoredManifest>>) -> Self {
        Self {
            manifest,
            stale: None,
        }
    }
}

impl Distribution {
    /// What a reference means in a repository, of which an upstream may have to be asked.
    pub async fn find_manifest(
        &self,
        repository: &RepositoryName,
        reference: &TagOrDigest,
    ) -> Result<Found, DistributionError> {
        let Some(mirrored) = self.mirrors.of(repository) else {
            return Ok(Found::fresh(self.manifest(repository, reference).await?));
        };
        let held = self.manifest(repository, reference).await?;
        match reference {
            TagOrDigest::Digest(_) if held.is_some() => Ok(Found::fresh(held)),
            TagOrDigest::Digest(digest) => {
                let _turn = self.mirrors.turns.turn(key(repository, reference)).await;
                if let Some(held) = self.manifest(repository, reference).await? {
                    return Ok(Found::fresh(Some(held)));
                }
                let text = digest.to_string();
                match self.fetch(&mirrored, repository, &text, None).await? {
                    Ok(manifest) => Ok(Found::fresh(Some(manifest))),
                    Err(UpstreamError::Unknown { .. }) => Ok(Found::default()),
                    Err(error) => Err(refusal(&mirrored, &error, repository, reference)),
                }
            }
            TagOrDigest::Tag(tag) => {
                if held.is_some() && self.is_fresh(&mirrored, repository, tag).await?.is_ok() {
                    return Ok(Found::fresh(held));
                }
                let _turn = self.mirrors.turns.turn(key(repository, reference)).await;
                self.ask_again(&mirrored, repository, reference, tag).await
            }
        }
    }

    /// Asks the upstream what a tag means; what is held is good while it does not say.
    async fn ask_again(
        &self,
        mirrored: &Mirrored,
        repository: &RepositoryName,
        reference: &TagOrDigest,
        tag: &Tag,
    ) -> Result<Found, DistributionError> {
        let held = self.manifest(repository, reference).await?;
        let asked = self.is_fresh(mirrored, repository, tag).await?;
        if held.is_some() && asked.is_ok() {
            return Ok(Found::fresh(held));
        }
        let upstream = &mirrored.mirror.upstream;
        let said = match &held {
            Some(_) => {
                let question = upstream.digest(&mirrored.there, tag.as_str());
                mirrored.mirror.ask(question).await
            }
            // It has to be fetched whatever its digest is.
            None => Ok(None),
        };
        let failed = match said {
            Ok(Some(digest)) if held.as_ref().is_some_and(|held| held.digest == digest) => {
                self.note_asked(repository, tag).await?;
                return Ok(Found::fresh(held));
            }
            Ok(_) => match self
                .fetch(mirrored, repository, tag.as_str(), Some(tag))
                .await
            {
                Ok(Ok(manifest)) => {
                    self.note_asked(repository, tag).await?;
                    return Ok(Found::fresh(Some(manifest)));
                }
                Ok(Err(error)) => error,
                // Its owner lets no tag of the repository change, or what came is wrong.
                Err(DistributionError::Refused(refusal)) if held.is_some() => {
                    tracing::warn!(%repository, %tag, %refusal, "the tag stays what it is");
                    return Ok(stale(mirrored, held, asked.err().flatten()));
                }
                Err(error) => return Err(error),
            },
            Err(error) => error,
        };
        match failed {
            UpstreamError::Unknown { .. } => Ok(Found::default()),
            _ if held.is_some() => Ok(stale(mirrored, held, asked.err().flatten())),
            error => Err(refusal(mirrored, &error, repository, reference)),
        }
    }

    /// Brings a manifest here, checked and kept, under a tag where it was asked for by one.
    async fn fetch(
        &self,
        mirrored: &Mirrored,
        repository: &RepositoryName,
        reference: &str,
        tag: Option<&Tag>,
    ) -> Result<Result<Arc<StoredManifest>, UpstreamError>, DistributionError> {
        let mirror = &mirrored.mirror;
        let question = mirror.upstream.manifest(&mirrored.there, reference);
        let sent = match mirror.ask(question).await {
            Ok(sent) => sent,
            Err(error) => return Ok(Err(error)),
        };
        let promised = match tag {
            Some(_) => sent.digest,
            None => reference.parse().ok(),
        };
        let algorithm = match (tag, promised) {
            (None, Some(promised)) => promised.algorithm(),
            _ => Algorithm::Sha256,
        };
        let digest = ContentDigest::of(algorithm, &sent.content);
        let is_other = promised
            .is_some_and(|promised| promised.algorithm() == algorithm && promised != digest);
        if is_other {
            return Err(mirror
                .wrong(&format!(
                    "a manifest whose digest is {digest}, for `{reference}` of `{}`",
                    mirrored.there
                ))
                .into());
        }
        let pushed = PushedManifest::parse(&sent.content, sent.media_type.as_deref())
            .map_err(|refusal| mirror.wrong(&refusal.message))?;
        for part in pushed.needs.iter().filter(|part| !part.is_manifest) {
            let key = self.part_key(repository, &part.digest);
            self.mirrors.sizes.insert(key, part.size);
        }
        let manifest = StoredManifest {
            digest,
            media_type: pushed.media_type.clone(),
            content: sent.content,
        };
        let tags: Vec<Tag> = tag.into_iter().cloned().collect();
        self.keep_manifest(mirrored, repository, &manifest, pushed, &tags)
            .await?;
        Ok(Ok(Arc::new(manifest)))
    }

    async fn keep_manifest(
        &self,
        mirrored: &Mirrored,
        repository: &RepositoryName,
        manifest: &StoredManifest,
        pushed: PushedManifest,
        tags: &[Tag],
    ) -> Result<(), DistributionError> {
        let _kept = self.sweeping.read().await;
        if !self.mirrors.still_has(&mirrored.mirror) {
            return Err(gone(repository).into());
        }
        let (digest, by) = (manifest.digest, mirrored.mirror.by());
        let size = manifest.content.len();
        self.contents.put(digest, manifest.content.clone()).await?;
        self.record_manifest(repository, &digest, size, pushed, tags, &by)
            .await
    }

    /// Whether the upstream was asked for a tag lately; if not, when it was asked last.
    async fn is_fresh(
        &self,
        mirrored: &Mirrored,
        repository: &RepositoryName,
        tag: &Tag,
    ) -> Result<Result<(), Option<i64>>, DistributionError> {
        let asked = self
            .store
            .upstream_tag(repository.as_str(), tag.as_str())
            .await?;
        let fresh = mirrored.mirror.row.fresh_seconds.saturating_mul(1000);
        Ok(match asked {
            // A clock that was put back says nothing.
            Some(asked) if (0..fresh).contains(&(now() - asked)) => Ok(()),
            asked => Err(asked),
        })
    }

    async fn note_asked(
        &self,
        repository: &RepositoryName,
        tag: &Tag,
    ) -> Result<(), DistributionError> {
        let mut change = self.store.unobserved().await?;
        change
            .put_upstream_tag(repository.as_str(), tag.as_str(), now())
            .await?;
        Ok(change.commit().await?)
    }

    /// Tags of a repository after one, as the upstream has them; those that are held, where it does not say.
    pub async fn find_tags(
        &self,
        repository: &RepositoryName,
        after: &str,
        limit: i64,
    ) -> Result<Option<Vec<String>>, DistributionError> {
        if let Some(Mirrored { mirror, there }) = self.mirrors.of(repository) {
            match mirror.ask(mirror.upstream.tags(&there, after, limit)).await {
                Ok(mut tags) => {
                    tags.retain(|tag| tag.as_str() > after && tag.parse::<Tag>().is_ok());
                    tags.sort_unstable();
                    return Ok(Some(tags));
                }
                Err(UpstreamError::Unknown { .. }) => return Ok(None),
                Err(_) => {}
            }
        }
        self.tags(repository, after, limit).await
    }

    /// The index of what an upstream says about a manifest; `None` where it is to be told from what is held.
    pub async fn upstream_referrers(
        &self,
        repository: &RepositoryName,
        subject: &ContentDigest,
    ) -> Option<Bytes> {
        let Mirrored { mirror, there } = self.mirrors.of(repository)?;
        let asked = mirror.ask(mirror.upstream.referrers(&there, subject)).await;
        if let Ok(index) = asked {
            return is_index(&index).then_some(index);
        }
        // Registries that list no referrers have them under a tag that is made of the digest.
        let tag = format!("{}-{}", subject.algorithm().name(), subject.hex());
        let tag = TagOrDigest::Tag(tag.parse().ok()?);
        let found = self.find_manifest(repository, &tag).await.ok()?;
        let index = found.manifest?.content.clone();
        is_index(&index).then_some(index)
    }
}

fn is_index(content: &[u8]) -> bool {
    let index = PushedManifest::parse(content, None);
    index.is_ok_and(|index| index.media_type == ergon_oci::model::INDEX)
}

fn stale(mirrored: &Mirrored, held: Option<Arc<StoredManifest>>, since: Option<i64>) -> Found {
    let row = &mirrored.mirror.row;
    let stale = Stale {
        since: since.unwrap_or(row.created_at),
        registry: row.registry.clone(),
    };
    Found {
        manifest: held,
        stale: Some(stale),
    }
}

fn key(repository: &RepositoryName, reference: &TagOrDigest) -> String {
    format!("{repository}@{reference}")
}

fn refusal(
    mirrored: &Mirrored,
    error: &UpstreamError,
    repository: &RepositoryName,
    reference: &TagOrDigest,
) -> DistributionError {
    let unknown = || {
        let message = format!("the upstream of `{repository}` has no manifest `{reference}`");
        Refusal::new(404, Code::ManifestUnknown, message).about([reference.to_string()])
    };
    mirrored.mirror.refusal(error, unknown).into()
}

/// The mirror was removed meanwhile.
pub(super) fn gone(repository: &RepositoryName) -> Refusal {
    Refusal::new(
        404,
        Code::NameUnknown,
        format!("the mirror that `{repository}` belonged to was removed"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_have_changed_says_since_when() {
        let stale = Stale {
            since: 1_700_000_000_000,
            registry: "registry.example".to_owned(),
        };
        assert_eq!(
            stale.warning(),
            "110 ergon \"registry.example did not answer; this is what it said at 2023-11-14T22:13:20Z\""
        );
    }
}
