//! What is used while the registry is tidied up.
//!
//! Tidying up looks first and removes later. Whoever brings or wants something in between says so here, while
//! holding the lock that removing waits for: so either the look saw it, or it is found here.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ergon_oci::ContentDigest;

/// A client that was told that a blob is there pushes the manifest within this time.
const WANTED_FOR: Duration = Duration::from_hours(1);
/// Of so many blobs it is remembered that they were asked for.
const REMEMBERED: u64 = 64 * 1024;

/// What is used.
#[derive(Debug)]
pub struct Journal {
    kept: Mutex<Option<Kept>>,
    /// Blobs that clients asked for: they will not push what is there.
    wanted: moka::sync::Cache<String, ()>,
}

#[derive(Debug, Default)]
struct Kept {
    references: HashMap<String, HashSet<ContentDigest>>,
    contents: HashSet<ContentDigest>,
}

impl Default for Journal {
    fn default() -> Self {
        Self {
            kept: Mutex::default(),
            wanted: moka::sync::Cache::builder()
                .max_capacity(REMEMBERED)
                .time_to_live(WANTED_FOR)
                .build(),
        }
    }
}

/// The journal is kept while this lives.
#[derive(Debug)]
pub struct WrittenDown<'j>(&'j Journal);

impl Drop for WrittenDown<'_> {
    fn drop(&mut self) {
        *self.0.kept() = None;
    }
}

impl Journal {
    /// Begins to keep it, empty. One at a time does.
    pub fn keep(&self) -> WrittenDown<'_> {
        *self.kept() = Some(Kept::default());
        WrittenDown(self)
    }

    /// A repository came to have these, or to need them.
    pub fn used(&self, repository: &str, digests: impl Iterator<Item = ContentDigest>) {
        if let Some(kept) = self.kept().as_mut() {
            let references = kept.references.entry(repository.to_owned()).or_default();
            references.extend(digests);
        }
    }

    /// Content came to be needed, whatever repository has it.
    pub fn used_content(&self, digests: impl Iterator<Item = ContentDigest>) {
        if let Some(kept) = self.kept().as_mut() {
            kept.contents.extend(digests);
        }
    }

    /// A client is told that a repository has a blob.
    pub fn wanted(&self, repository: &str, digest: &ContentDigest) {
        self.wanted.insert(key(repository, digest), ());
        self.used(repository, std::iter::once(*digest));
    }

    /// What clients were told is there is named by now, so that nothing has to wait for that.
    pub fn named(&self, repository: &str, digests: impl Iterator<Item = ContentDigest>) {
        for digest in digests {
            self.wanted.invalidate(&key(repository, &digest));
        }
    }

    /// Whether a client was told so lately.
    pub fn was_wanted(&self, repository: &str, digest: &ContentDigest) -> bool {
        self.wanted.contains_key(&key(repository, digest))
    }

    /// How much was used of a repository: what is used later adds to it.
    pub fn count(&self, repository: &str) -> usize {
        let kept = self.kept();
        let references = kept
            .as_ref()
            .and_then(|kept| kept.references.get(repository));
        references.map_or(0, HashSet::len)
    }

    /// What was used of a repository.
    pub fn references(&self, repository: &str) -> HashSet<ContentDigest> {
        let kept = self.kept();
        let references = kept
            .as_ref()
            .and_then(|kept| kept.references.get(repository));
        references.cloned().unwrap_or_default()
    }

    /// Whether content came to be needed.
    pub fn has_content(&self, digest: &ContentDigest) -> bool {
        let kept = self.kept();
        kept.as_ref()
            .is_some_and(|kept| kept.contents.contains(digest))
    }

    fn kept(&self) -> MutexGuard<'_, Option<Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(repository: &str, digest: &ContentDigest) -> String {
    format!("{repository}\0{digest}")
}
