//! Content that no repository has and no build needs.

use std::collections::HashMap;

use ergon_oci::ContentDigest;

use super::{Needed, Since};
use crate::api::Collection;
use crate::distribution::Distribution;
use crate::distribution::error::DistributionError;
use crate::distribution::held::HeldContent;

impl Distribution {
    /// Looks what content would go, once repositories let go of what they are about to: so often of each.
    pub(super) async fn plan_contents(
        &self,
        needed: &Needed,
        since: Since,
        unlinked: &HashMap<ContentDigest, u64>,
        plan: &mut Collection,
    ) -> Result<(), DistributionError> {
        if needed.contents_unknown.is_some() {
            return Ok(());
        }
        let mut listing = self.contents.list();
        while let Some(batch) = listing.recv().await {
            let batch = self.unneeded(batch?, needed, since, unlinked).await?;
            tally(&batch, plan);
        }
        Ok(())
    }

    /// Removes content that nobody needs.
    pub(super) async fn sweep_contents(
        &self,
        needed: &Needed,
        since: Since,
        done: &mut Collection,
    ) -> Result<(), DistributionError> {
        if needed.contents_unknown.is_some() {
            return Ok(());
        }
        let none = HashMap::new();
        let mut listing = self.contents.list();
        while let Some(batch) = listing.recv().await {
            let batch = self.unneeded(batch?, needed, since, &none).await?;
            if batch.is_empty() {
                continue;
            }
            // Once more, while nobody can come to need any of it.
            let alone = self.alone().await;
            let batch = self.unneeded(batch, needed, since, &none).await?;
            let digests = batch.iter().map(|content| content.digest).collect();
            self.contents.remove(digests).await?;
            drop(alone);
            tally(&batch, done);
        }
        Ok(())
    }

    async fn unneeded(
        &self,
        mut batch: Vec<HeldContent>,
        needed: &Needed,
        since: Since,
        unlinked: &HashMap<ContentDigest, u64>,
    ) -> Result<Vec<HeldContent>, DistributionError> {
        batch.retain(|content| {
            let is_needed = needed.contents.contains(&content.digest)
                || self.journal.has_content(&content.digest);
            content.used <= since.time && !is_needed
        });
        let digests: Vec<String> = batch
            .iter()
            .map(|content| content.digest.to_string())
            .collect();
        let references = self.store.references_to(&digests).await?;
        batch.retain(|content| {
            let now = references.get(&content.digest.to_string()).copied();
            let soon_gone = unlinked.get(&content.digest).copied();
            now.unwrap_or(0) <= soon_gone.unwrap_or(0)
        });
        Ok(batch)
    }
}

fn tally(batch: &[HeldContent], of: &mut Collection) {
    for content in batch {
        of.contents += 1;
        of.bytes += content.size;
        if content.is_shared {
            of.shared_bytes += content.size;
        }
    }
}
