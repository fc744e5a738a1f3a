//! Reading all content, to find what the disk has lost or changed.
//!
//! Content is read while others push and pull; only to set a damaged file aside is the registry held for a
//! moment, and only where the file is still the one that was read. What the build cache still has whole is
//! taken from there. Little is kept in memory: one piece of content, and what was found.

mod affected;
mod missing;

use std::collections::BTreeMap;

use ergon_oci::{Blobs, ContentDigest};
use ergon_store::NewEvent;
use serde_json::json;
use tokio::sync::mpsc;

use super::Distribution;
use super::collect::Tidying;
use super::error::DistributionError;
use super::held::HeldContent;
use crate::api::{CheckProgress, ContentCheck, Damage, UpkeepEvent};

/// So much of what is found is told with all that belongs to it.
const TOLD: usize = 1000;
/// A file that changes while it is read is read so often.
const ATTEMPTS: usize = 3;
/// How far it is, is told after so many bytes.
const STEP: u64 = 32 << 20;
/// The error of a disk that does not give what it was given.
const INPUT_OUTPUT_ERROR: i32 = 5;

/// What was found, by digest.
type Found = BTreeMap<ContentDigest, Damage>;

/// What came of reading some content.
enum Seen {
    Whole,
    /// It went meanwhile, or somebody wrote it anew each time it was read.
    Gone,
    Damaged(Damage),
}

impl Distribution {
    /// Reads everything, sets aside what is damaged and looks for what is missing.
    pub async fn check(
        &self,
        cache: &Blobs,
        _tidying: &Tidying<'_>,
        sender: &mpsc::Sender<UpkeepEvent>,
    ) -> Result<ContentCheck, DistributionError> {
        let mut progress = self.extent().await?;
        let mut found = Found::new();
        let mut check = ContentCheck::default();
        let mut told_at = 0;
        let mut listing = self.contents.list();
        while let Some(batch) = listing.recv().await {
            for content in batch? {
                let mut read = 0;
                let seen = self
                    .examine(content, |bytes| {
                        read += bytes;
                        let so_far = CheckProgress {
                            bytes: progress.bytes + read,
                            ..progress
                        };
                        if so_far.bytes >= told_at + STEP {
                            told_at = so_far.bytes;
                            // Whoever is slow to listen misses some.
                            let _ = sender.try_send(UpkeepEvent::Progress(so_far));
                        }
                    })
                    .await?;
                progress.contents += 1;
                progress.bytes += read;
                if let Seen::Damaged(damage) = seen {
                    progress.found += 1;
                    self.note(&mut found, content.digest, damage, cache).await;
                }
            }
        }
        check.contents = progress.contents;
        check.bytes = progress.bytes;
        let _ = sender.try_send(UpkeepEvent::Progress(progress));
        for digest in self.missing(&found).await? {
            let reason = "there is no such content, and something needs it".to_owned();
            let damage = damage("missing", reason);
            self.note(&mut found, digest, damage, cache).await;
        }
        self.find_affected(&mut found).await?;
        check.found = found.len() as u64;
        check.healed = found.values().filter(|damage| damage.healed).count() as u64;
        for damage in found.into_values() {
            self.tell_of(&damage).await?;
            if check.damaged.len() < TOLD {
                let _ = sender.send(UpkeepEvent::Damaged(damage.clone())).await;
                check.damaged.push(damage);
            }
        }
        Ok(check)
    }

    /// How much there is to read.
    async fn extent(&self) -> Result<CheckProgress, DistributionError> {
        let mut extent = CheckProgress::default();
        let mut listing = self.contents.list();
        while let Some(batch) = listing.recv().await {
            for content in batch? {
                extent.of_contents += 1;
                extent.of_bytes += content.size;
            }
        }
        Ok(extent)
    }

    /// Reads one file, and sets it aside where it is not what it should be.
    async fn examine(
        &self,
        mut content: HeldContent,
        mut told: impl FnMut(u64),
    ) -> Result<Seen, DistributionError> {
        for _ in 0..ATTEMPTS {
            let (mut damage, stays) = match self.contents.hash(&content.digest, &mut told).await {
                Ok(None) => return Ok(Seen::Gone),
                Ok(Some(actual)) if actual == content.digest => return Ok(Seen::Whole),
                Ok(Some(actual)) => {
                    let reason = format!("its {} bytes are those of {actual}", content.size);
                    (damage("rotten", reason), false)
                }
                // What only cannot be opened now may be whole.
                Err(error) => {
                    let stays = error.raw_os_error() != Some(INPUT_OUTPUT_ERROR);
                    (damage("unreadable", error.to_string()), stays)
                }
            };
            let alone = self.alone().await;
            match self.contents.held(&content.digest).await? {
                None => return Ok(Seen::Gone),
                Some(now) if now != content => content = now,
                Some(_) if stays => return Ok(Seen::Damaged(damage)),
                Some(_) => {
                    let aside = self
                        .contents
                        .set_aside(&content.digest, &self.quarantine)
                        .await?;
                    damage.quarantined = Some(aside.display().to_string());
                    return Ok(Seen::Damaged(damage));
                }
            }
            drop(alone);
        }
        Ok(Seen::Gone)
    }

    /// Notes damage, and heals it where the cache can.
    async fn note(
        &self,
        found: &mut Found,
        digest: ContentDigest,
        mut damage: Damage,
        cache: &Blobs,
    ) {
        damage.digest = digest.to_string();
        tracing::error!(%digest, state = damage.state, reason = damage.reason, "content of the registry is damaged");
        match self.heal(&digest, cache).await {
            Ok(()) => damage.healed = true,
            Err(error) => tracing::info!(%digest, %error, "it is not to be had from the cache"),
        }
        found.insert(digest, damage);
    }

    /// Takes content from the cache, if it is whole there.
    async fn heal(&self, digest: &ContentDigest, cache: &Blobs) -> Result<(), DistributionError> {
        let missing = || {
            ergon_oci::registry::Refusal::new(
                404,
                ergon_oci::registry::Code::BlobUnknown,
                "the cache keeps no such content",
            )
        };
        let digest = *digest.sha256().ok_or_else(missing)?;
        let (cache, root) = (cache.clone(), self.contents.root().to_owned());
        tokio::task::spawn_blocking(move || {
            cache.verify(&digest)?;
            Ok(Blobs::open(root)?.link_from(&cache, &digest)?)
        })
        .await?
    }

    /// Keeps it in the stack's history, too.
    async fn tell_of(&self, damage: &Damage) -> Result<(), DistributionError> {
        let data = json!({
            "digest": damage.digest, "state": damage.state, "quarantined": damage.quarantined, "healed": damage.healed,
        });
        let subject = format!("content/{}", damage.digest);
        let told = NewEvent::new("dev.ergon.registry.damaged", subject, data);
        Ok(self.store.change(told).await?.commit().await?)
    }
}

fn damage(state: &str, reason: String) -> Damage {
    Damage {
        state: state.to_owned(),
        reason,
        ..Damage::default()
    }
}
