//! Manifests that were asked for lately. They are asked for again and again: each pull begins with one.

use std::sync::{Arc, PoisonError, RwLock};

use super::manifests::StoredManifest;

/// So many bytes of manifests are kept in memory.
const LARGEST: u64 = 2 << 20;
/// What an entry takes beside its content, in bytes, about.
const ENTRY: u32 = 400;

/// What references mean, for as long as nothing is changed.
///
/// This process is the only one that changes them. Whoever looks one up in the store notes the era before, and
/// what was found is kept only if nothing was changed since: else an old meaning could outlive its change.
#[derive(Debug)]
pub struct ManifestCache {
    known: moka::sync::Cache<String, Arc<StoredManifest>>,
    era: RwLock<u64>,
}

impl Default for ManifestCache {
    fn default() -> Self {
        let weight = |key: &String, manifest: &Arc<StoredManifest>| {
            u32::try_from(key.len() + manifest.content.len())
                .unwrap_or(u32::MAX)
                .saturating_add(ENTRY)
        };
        Self {
            known: moka::sync::Cache::builder()
                .max_capacity(LARGEST)
                .weigher(weight)
                .build(),
            era: RwLock::default(),
        }
    }
}

impl ManifestCache {
    pub fn get(&self, repository: &str, reference: &str) -> Option<Arc<StoredManifest>> {
        self.known.get(&key(repository, reference))
    }

    /// Noted before the store is asked.
    pub fn era(&self) -> u64 {
        *self.era.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps what the store said, if nothing was changed since.
    pub fn keep(
        &self,
        era: u64,
        repository: &str,
        reference: &str,
        manifest: &Arc<StoredManifest>,
    ) {
        let now = self.era.read().unwrap_or_else(PoisonError::into_inner);
        if *now == era {
            self.known
                .insert(key(repository, reference), Arc::clone(manifest));
        }
    }

    /// Forgets everything, once more was changed than can be named.
    pub fn forget_all(&self) {
        let mut era = self.era.write().unwrap_or_else(PoisonError::into_inner);
        *era += 1;
        self.known.invalidate_all();
    }

    /// Forgets what references meant, once they were changed.
    pub fn changed<'r>(&self, repository: &str, references: impl Iterator<Item = &'r str>) {
        let mut era = self.era.write().unwrap_or_else(PoisonError::into_inner);
        *era += 1;
        for reference in references {
            self.known.invalidate(&key(repository, reference));
        }
    }
}

/// No reference and no name has a NUL.
fn key(repository: &str, reference: &str) -> String {
    format!("{repository}\0{reference}")
}
