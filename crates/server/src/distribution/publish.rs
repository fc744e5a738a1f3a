//! What was built here is served, too: under its container's name, with everything that is attached to it.

use axum::body::Bytes;
use ergon_manifest::Digest;
use ergon_oci::registry::{PushedManifest, RepositoryName, Tag};
use ergon_oci::{Blobs, ContentDigest, Referrers};

use super::Distribution;
use super::error::DistributionError;
use super::fixed;

/// Who pushed what no client did.
const BY: &str = "build";

impl Distribution {
    /// Serves an image of the cache, and what is attached to it there, under the tags that it was given.
    ///
    /// `tags` are as builds write them: `<container>:<tag>`. What is served already is left as it is.
    pub async fn publish(
        &self,
        cache: &Blobs,
        attached: &Referrers,
        image: &Digest,
        tags: &[String],
    ) -> Result<(), DistributionError> {
        for (repository, tags) in named(tags) {
            self.publish_manifest(cache, &repository, image, tags)
                .await?;
            let subject = *image;
            let attached = attached.clone();
            let listed = tokio::task::spawn_blocking(move || attached.list(&subject)).await?;
            for referrer in listed? {
                self.publish_manifest(cache, &repository, &referrer.digest, Vec::new())
                    .await?;
            }
        }
        Ok(())
    }

    async fn publish_manifest(
        &self,
        cache: &Blobs,
        repository: &RepositoryName,
        digest: &Digest,
        tags: Vec<Tag>,
    ) -> Result<(), DistributionError> {
        let content_digest = ContentDigest::from(*digest);
        let wanted = self.tags_to_move(repository, &content_digest, tags).await?;
        let known = self
            .store
            .registry_manifest(repository.as_str(), &content_digest.to_string())
            .await?;
        if known.is_some() && wanted.is_empty() {
            return Ok(());
        }
        let _kept = self.sweeping.read().await;
        let (content, pushed) = self.bring(cache, digest).await?;
        for part in pushed.needs.iter().filter(|part| !part.is_manifest) {
            self.link(repository, &part.digest, part.size).await?;
        }
        self.record_manifest(
            repository,
            &content_digest,
            content.len(),
            pushed,
            &wanted,
            BY,
        )
        .await
    }

    /// Those tags that do not mean it yet, and may.
    async fn tags_to_move(
        &self,
        repository: &RepositoryName,
        digest: &ContentDigest,
        tags: Vec<Tag>,
    ) -> Result<Vec<Tag>, DistributionError> {
        let (name, digest) = (repository.as_str(), digest.to_string());
        let mut wanted = Vec::new();
        let mut look = self.store.unobserved().await?;
        for tag in tags {
            let fixed = fixed::meaning_against(&mut look, name, tag.as_str(), &digest).await?;
            if let Some(meant) = fixed {
                tracing::warn!(repository = name, tag = tag.as_str(), meant, %digest, "an image that was built is served by its digest only: the tag stays what it is");
            } else if look.tagged(name, tag.as_str()).await?.as_deref() != Some(&digest) {
                wanted.push(tag);
            }
        }
        Ok(wanted)
    }

    /// Takes a manifest and its blobs over from the cache: as hard links, where it is on the same disk.
    async fn bring(
        &self,
        cache: &Blobs,
        digest: &Digest,
    ) -> Result<(Bytes, PushedManifest), DistributionError> {
        let (cache, digest, root) = (cache.clone(), *digest, self.contents.root().to_owned());
        tokio::task::spawn_blocking(move || {
            let own = Blobs::open(root)?;
            let content = cache.read(&digest)?;
            let pushed = PushedManifest::parse(&content, None)?;
            let parts = pushed.needs.iter().filter_map(|part| part.digest.sha256());
            for part in parts.chain([&digest]) {
                own.link_from(&cache, part)?;
            }
            Ok((Bytes::from(content), pushed))
        })
        .await?
    }
}

/// Which tags of which repositories are meant. What no repository can be called is not served.
fn named(tags: &[String]) -> Vec<(RepositoryName, Vec<Tag>)> {
    let mut named: Vec<(RepositoryName, Vec<Tag>)> = Vec::new();
    for text in tags {
        let parsed = text
            .rsplit_once(':')
            .and_then(|(name, tag)| Some((name.parse().ok()?, tag.parse().ok()?)));
        let Some((name, tag)) = parsed else {
            tracing::warn!(tag = text, "an image cannot be served under this name");
            continue;
        };
        match named.iter_mut().find(|(known, _)| *known == name) {
            Some((_, tags)) => tags.push(tag),
            None => named.push((name, vec![tag])),
        }
    }
    named
}
