//! What the store says is there, and is not.

use std::collections::BTreeSet;

use ergon_oci::ContentDigest;
use ergon_oci::registry::PushedManifest;

use super::Found;
use crate::distribution::Distribution;
use crate::distribution::error::DistributionError;
use crate::distribution::manifests::{LARGEST_MANIFEST, stored};

/// So many rows are read at a time.
const PAGE: i64 = 500;

impl Distribution {
    /// Content that rows, manifests or builds name and that is not there, beside what was found already.
    pub(super) async fn missing(
        &self,
        found: &Found,
    ) -> Result<BTreeSet<ContentDigest>, DistributionError> {
        let mut missing = BTreeSet::new();
        let mut after = String::new();
        loop {
            let names = self.catalog(&after, PAGE).await?;
            let Some(last) = names.last() else { break };
            after.clone_from(last);
            for name in names {
                self.missing_in(&name, found, &mut missing).await?;
            }
        }
        after.clear();
        loop {
            let page = self.store.image_digests(&after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after.clone_from(last);
            for text in page {
                let digest = stored(&text)?;
                self.look_for(digest, found, &mut missing).await?;
                for part in self.parts_of(&digest, None).await? {
                    self.look_for(part, found, &mut missing).await?;
                }
            }
        }
        Ok(missing)
    }

    async fn missing_in(
        &self,
        name: &str,
        found: &Found,
        missing: &mut BTreeSet<ContentDigest>,
    ) -> Result<(), DistributionError> {
        let mut after = String::new();
        loop {
            let page = self.store.held_blobs(name, &after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after.clone_from(&last.digest);
            for row in page {
                let digest = stored(&row.digest)?;
                if self.is_missing(&digest, found, missing).await?
                    // Taken from the repository meanwhile, and then collected.
                    && self.store.linked_blob(name, &row.digest).await?.is_some()
                {
                    missing.insert(digest);
                }
            }
        }
        after.clear();
        loop {
            let page = self.store.held_manifests(name, &after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after.clone_from(&last.row.digest);
            for held in page {
                let digest = stored(&held.row.digest)?;
                let mut absent = BTreeSet::new();
                self.look_for(digest, found, &mut absent).await?;
                // A mirror has blobs only once somebody asked for them.
                let parts = if self.is_mirrored(name) {
                    Vec::new()
                } else {
                    self.parts_of(&digest, Some(&held.media_type)).await?
                };
                for part in parts {
                    self.look_for(part, found, &mut absent).await?;
                }
                if !absent.is_empty()
                    && self
                        .store
                        .registry_manifest(name, &held.row.digest)
                        .await?
                        .is_some()
                {
                    missing.append(&mut absent);
                }
            }
        }
        Ok(())
    }

    async fn look_for(
        &self,
        digest: ContentDigest,
        found: &Found,
        missing: &mut BTreeSet<ContentDigest>,
    ) -> Result<(), DistributionError> {
        if self.is_missing(&digest, found, missing).await? {
            missing.insert(digest);
        }
        Ok(())
    }

    async fn is_missing(
        &self,
        digest: &ContentDigest,
        found: &Found,
        missing: &BTreeSet<ContentDigest>,
    ) -> Result<bool, DistributionError> {
        let is_known = found.contains_key(digest) || missing.contains(digest);
        Ok(!is_known && self.contents.size(digest).await?.is_none())
    }

    /// What a manifest is made of; nothing where it cannot be read.
    pub(super) async fn parts_of(
        &self,
        digest: &ContentDigest,
        media_type: Option<&str>,
    ) -> Result<Vec<ContentDigest>, DistributionError> {
        let content = self.contents.read(digest, LARGEST_MANIFEST).await?;
        let pushed = content.and_then(|content| PushedManifest::parse(&content, media_type).ok());
        let parts = pushed.into_iter().flat_map(|pushed| pushed.needs);
        Ok(parts.map(|part| part.digest).collect())
    }
}
