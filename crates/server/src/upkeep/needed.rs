//! What is needed of the registry that no tag says: by builds, by containers, by releases.

use std::collections::HashSet;

use ergon_engine::{Engine, EngineError};
use ergon_oci::ContentDigest;
use ergon_oci::registry::PushedManifest;

use super::{Upkeep, UpkeepError};
use crate::containers::Intent;
use crate::distribution::{DistributionError, LARGEST_MANIFEST, Needed};
use crate::labels;

/// So many images are read at a time.
const PAGE: i64 = 500;

impl Upkeep<'_> {
    /// Everybody who needs something of the registry says so here; whoever comes to need it later (a release,
    /// a solution) adds a line.
    pub(super) async fn needed(&self) -> Result<Needed, UpkeepError> {
        let mut needed = Needed::default();
        self.needed_by_builds(&mut needed).await?;
        self.needed_by_containers(&mut needed).await?;
        Ok(needed)
    }

    /// Images that were built, with all their parts, whether a repository has them or not.
    async fn needed_by_builds(&self, needed: &mut Needed) -> Result<(), UpkeepError> {
        let mut after = String::new();
        loop {
            let page = self.stack.store().image_digests(&after, PAGE).await?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            after.clone_from(last);
            for text in page {
                let Ok(digest) = text.parse::<ContentDigest>() else {
                    needed.contents_unknown = Some(format!("a build made `{text}`, no digest"));
                    continue;
                };
                needed.images.insert(digest);
                needed.contents.insert(digest);
                match self.parts(digest).await? {
                    Some(parts) => needed.contents.extend(parts),
                    None => {
                        needed.contents_unknown = Some(format!(
                            "the image {digest} of a build cannot be read; `ergon registry fsck` says more"
                        ));
                    }
                }
            }
        }
    }

    /// What an image is made of, as the registry or the cache has it. `None` where neither can say.
    async fn parts(
        &self,
        digest: ContentDigest,
    ) -> Result<Option<Vec<ContentDigest>>, DistributionError> {
        let contents = self.stack.distribution().contents();
        let mut content = contents
            .read(&digest, LARGEST_MANIFEST)
            .await?
            .filter(|content| ContentDigest::of(digest.algorithm(), content) == digest)
            .map(|content| content.to_vec());
        if let (None, Some(digest)) = (&content, digest.sha256()) {
            let (cache, digest) = (self.stack.cache().clone(), *digest);
            let read = tokio::task::spawn_blocking(move || cache.blobs().read(&digest).ok());
            content = read.await?;
        }
        let pushed = content.and_then(|content| PushedManifest::parse(&content, None).ok());
        Ok(pushed.map(|pushed| pushed.needs.iter().map(|part| part.digest).collect()))
    }

    /// Images of containers, whoever made them and whether they run or not.
    async fn needed_by_containers(&self, needed: &mut Needed) -> Result<(), UpkeepError> {
        for row in self.stack.store().containers().await? {
            if let Ok(intent) = serde_json::from_value::<Intent>(row.meant) {
                let named = [
                    Some(intent.image_digest),
                    intent.image_id,
                    Some(intent.image),
                ];
                let named = named.into_iter().flatten();
                needed
                    .images
                    .extend(named.filter_map(|text| digest_in(&text)));
            }
        }
        let images = match self.stack.engine() {
            Ok(engine) => images_in_use(&engine).await,
            Err(error) => Err(error),
        };
        match images {
            Ok(images) => needed.images.extend(images),
            // Nothing runs where nothing can.
            Err(EngineError::NoEngine { .. }) => {}
            Err(error) => {
                needed.images_unknown = Some(format!("the engine does not say what runs: {error}"));
            }
        }
        Ok(())
    }
}

/// Images of the engine's containers: by manifest where it is known, else by configuration.
async fn images_in_use(engine: &Engine) -> Result<HashSet<ContentDigest>, EngineError> {
    let containers = engine.list(&[], true).await?;
    let named = containers.iter().flat_map(|container| {
        let label = container.labels.get(labels::IMAGE_DIGEST);
        [Some(&container.image_id), Some(&container.image), label]
    });
    Ok(named.flatten().filter_map(|text| digest_in(text)).collect())
}

/// The digest that a text is, or that stands at the end of a reference.
fn digest_in(text: &str) -> Option<ContentDigest> {
    let digest = text.rsplit_once('@').map_or(text, |(_, digest)| digest);
    digest.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_found_alone_and_in_a_reference() {
        let digest = format!("sha256:{}", "ab".repeat(32));
        let parsed: Option<ContentDigest> = digest.parse().ok();
        assert!(parsed.is_some());
        assert_eq!(digest_in(&digest), parsed);
        assert_eq!(digest_in(&format!("localhost:7411/app@{digest}")), parsed);
        assert_eq!(digest_in("app:1"), None);
    }
}
