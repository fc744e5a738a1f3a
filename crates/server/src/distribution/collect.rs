//! Removing what nobody needs, while others push.
//!
//! Each repository is looked at without holding anybody up, [`keep`](super::keep) decides, and what goes is removed by the
//! batch, for which pushes wait a moment. What was pushed or asked for since the look is in the
//! [`Journal`](super::journal::Journal) and stays. Rows go first and in one transaction with their event, content after
//! them: whenever the process is killed, what is left is whole, and content too much at worst.

mod contents;
mod repository;

use std::collections::{HashMap, HashSet};
use std::time::{Duration, SystemTime};

use ergon_oci::ContentDigest;
use ergon_store::now;
use tokio::sync::{MutexGuard, RwLockWriteGuard};

use super::Distribution;
use super::error::DistributionError;
pub use super::journal::WrittenDown;
use crate::api::Collection;

/// What comes is left alone for so long, unless another time is said.
pub const GRACE: Duration = Duration::from_hours(24);
/// So many repositories are read at a time.
const PAGE: i64 = 500;
/// Whoever wants to be alone tries so often, and so long apart, before others have to wait for it.
const ATTEMPTS: usize = 10;
const PAUSE: Duration = Duration::from_millis(10);

/// What is needed of the registry that it does not know of itself.
#[derive(Clone, Debug, Default)]
pub struct Needed {
    /// Images that somebody made, runs or released: by manifest, index or configuration.
    pub images: HashSet<ContentDigest>,
    /// Content that stays also where no repository has it: images that were built, with all their parts.
    pub contents: HashSet<ContentDigest>,
    /// Why it is not known which images are needed: then no manifest goes.
    pub images_unknown: Option<String>,
    /// Why it is not known which content is needed: then none goes.
    pub contents_unknown: Option<String>,
}

/// How it is collected.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    pub grace: Duration,
    pub dry_run: bool,
}

/// What was used after this is young.
#[derive(Clone, Copy, Debug)]
struct Since {
    time: SystemTime,
    /// The same in milliseconds since 1970.
    milliseconds: i64,
}

/// Held by whoever tidies up: one at a time.
#[derive(Debug)]
pub struct Tidying<'d>(#[expect(dead_code, reason = "holds the lock")] MutexGuard<'d, ()>);

impl Distribution {
    /// The right to tidy up; `None` where somebody does.
    pub fn tidy(&self) -> Option<Tidying<'_>> {
        self.tidying.try_lock().ok().map(Tidying)
    }

    /// The right to tidy up, once nobody else does.
    pub async fn wait_to_tidy(&self) -> Tidying<'_> {
        Tidying(self.tidying.lock().await)
    }

    /// Looks what would go; changes nothing.
    pub async fn plan_collection(
        &self,
        rule: Rule,
        needed: &Needed,
        _tidying: &Tidying<'_>,
    ) -> Result<Collection, DistributionError> {
        let since = Since::before(rule.grace);
        let mut plan = empty(Rule {
            dry_run: true,
            ..rule
        });
        plan.notes.extend(needed.notes());
        let mut unlinked: HashMap<ContentDigest, u64> = HashMap::new();
        let mut after = String::new();
        loop {
            let names = self.catalog(&after, PAGE).await?;
            let Some(last) = names.last() else { break };
            after.clone_from(last);
            for name in names {
                // What a mirror holds is for when its upstream is away, and nobody can push it again then.
                if self.is_mirrored(&name) {
                    continue;
                }
                let looked = self.look(&name, needed, since).await?;
                looked.tally(&mut plan);
                for digest in looked.going_digests() {
                    *unlinked.entry(digest).or_default() += 1;
                }
            }
        }
        self.plan_contents(needed, since, &unlinked, &mut plan)
            .await?;
        plan.unfinished = self.contents.unfinished(rule.grace.max(GRACE)).await?.len() as u64;
        Ok(plan)
    }

    /// From now on what is pushed and asked for is written down. Then it is found out what is needed.
    pub fn write_down<'d>(&'d self, _tidying: &'d Tidying<'_>) -> WrittenDown<'d> {
        self.journal.keep()
    }

    /// Removes what nobody needs, of the repositories of a plan.
    pub async fn collect(
        &self,
        rule: Rule,
        plan: &Collection,
        needed: &Needed,
        _written_down: &WrittenDown<'_>,
    ) -> Result<Collection, DistributionError> {
        let since = Since::before(rule.grace);
        let mut done = empty(Rule {
            dry_run: false,
            ..rule
        });
        done.notes.extend(needed.notes());
        done.notes.extend_from_slice(&plan.notes);
        for planned in &plan.repositories {
            let looked = self.look(&planned.name, needed, since).await?;
            self.sweep(looked, &mut done).await?;
        }
        self.sweep_contents(needed, since, &mut done).await?;
        self.remove_unfinished(rule.grace.max(GRACE), &mut done)
            .await?;
        done.notes.sort();
        done.notes.dedup();
        Ok(done)
    }

    /// Whether a repository is one of those that are fetched from elsewhere.
    pub(super) fn is_mirrored(&self, name: &str) -> bool {
        let name = name.parse().ok();
        name.is_some_and(|name| self.mirrors.of(&name).is_some())
    }

    async fn remove_unfinished(
        &self,
        age: Duration,
        done: &mut Collection,
    ) -> Result<(), DistributionError> {
        for path in self.contents.unfinished(age).await? {
            match super::held::remove(&path) {
                Ok(()) => done.unfinished += 1,
                Err(error) => {
                    tracing::warn!(path = %path.display(), %error, "a half-written file stays");
                }
            }
        }
        let forgotten = self.uploads.prepare();
        done.unfinished += forgotten.map_err(DistributionError::io(
            "remove old uploads below",
            self.contents.root(),
        ))? as u64;
        Ok(())
    }

    /// The registry to oneself, for a moment. Others are made to wait only where they leave no moment free.
    pub(super) async fn alone(&self) -> RwLockWriteGuard<'_, ()> {
        for _ in 0..ATTEMPTS {
            if let Ok(alone) = self.sweeping.try_write() {
                return alone;
            }
            tokio::time::sleep(PAUSE).await;
        }
        self.sweeping.write().await
    }
}

impl Needed {
    fn notes(&self) -> impl Iterator<Item = String> {
        let manifests = self.images_unknown.iter().map(|reason| {
            format!("no manifest goes, since it is not known which images are needed: {reason}")
        });
        let contents = self.contents_unknown.iter().map(|reason| {
            format!("no content goes, since it is not known what is needed: {reason}")
        });
        manifests.chain(contents)
    }
}

impl Since {
    fn before(grace: Duration) -> Self {
        let time = SystemTime::now()
            .checked_sub(grace)
            .unwrap_or(SystemTime::UNIX_EPOCH);
        let grace = i64::try_from(grace.as_millis()).unwrap_or(i64::MAX);
        Self {
            time,
            milliseconds: now().saturating_sub(grace),
        }
    }
}

fn empty(rule: Rule) -> Collection {
    Collection {
        dry_run: rule.dry_run,
        grace_seconds: rule.grace.as_secs(),
        ..Collection::default()
    }
}
