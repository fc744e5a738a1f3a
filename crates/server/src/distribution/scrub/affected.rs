//! Whose the damaged content is: which repositories and tags, which builds.

use std::collections::{BTreeMap, BTreeSet};

use ergon_oci::ContentDigest;

use super::Found;
use crate::api::{Damage, DamagedRepository};
use crate::distribution::Distribution;
use crate::distribution::error::DistributionError;
use crate::distribution::manifests::stored;

/// So many rows are read at a time.
const PAGE: i64 = 500;
/// So many tags, repositories and builds are told of each.
const TOLD: usize = 100;
/// Indexes of indexes of indexes: deeper nobody goes.
const DEPTH: usize = 8;

/// Which manifests of a repository are touched by what.
type Touched = BTreeMap<ContentDigest, BTreeSet<ContentDigest>>;

impl Distribution {
    /// Adds to what was found whose it is.
    pub(super) async fn find_affected(&self, found: &mut Found) -> Result<(), DistributionError> {
        if found.is_empty() {
            return Ok(());
        }
        for digest in found.keys().copied().collect::<Vec<_>>() {
            for name in self
                .store
                .repositories_with_blob(&digest.to_string())
                .await?
            {
                add_repository(found, &digest, &name);
            }
        }
        let mut after = String::new();
        loop {
            let names = self.catalog(&after, PAGE).await?;
            let Some(last) = names.last() else { break };
            after.clone_from(last);
            for name in names {
                self.affected_in(&name, found).await?;
            }
        }
        self.affected_builds(found).await
    }

    async fn affected_in(&self, name: &str, found: &mut Found) -> Result<(), DistributionError> {
        let mut touched = Touched::new();
        for _ in 0..DEPTH {
            let before = touched.values().map(BTreeSet::len).sum::<usize>();
            self.touch(name, found, &mut touched).await?;
            if touched.values().map(BTreeSet::len).sum::<usize>() == before {
                break;
            }
        }
        for (manifest, by) in &touched {
            let tags = self
                .store
                .tags_of_manifest(name, &manifest.to_string())
                .await?;
            for digest in by {
                if let Some(repository) = add_repository(found, digest, name) {
                    let new = tags.iter().filter(|tag| !repository.tags.contains(tag));
                    let new: Vec<String> = new.take(TOLD).cloned().collect();
                    repository.tags.extend(new);
                    repository.tags.sort();
                }
            }
        }
        Ok(())
    }

    /// Goes through the manifests of a repository once: one that names what is damaged, or a manifest that does, is touched.
    async fn touch(
        &self,
        name: &str,
        found: &Found,
        touched: &mut Touched,
    ) -> Result<(), DistributionError> {
        let mut after = String::new();
        loop {
            let page = self.store.held_manifests(name, &after, PAGE).await?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            after.clone_from(&last.row.digest);
            for held in page {
                let digest = stored(&held.row.digest)?;
                let mut by = BTreeSet::new();
                for part in self
                    .parts_of(&digest, Some(&held.media_type))
                    .await?
                    .into_iter()
                    .chain([digest])
                {
                    by.extend(found.contains_key(&part).then_some(part));
                    by.extend(touched.get(&part).into_iter().flatten());
                }
                if !by.is_empty() {
                    touched.entry(digest).or_default().append(&mut by);
                }
            }
        }
    }

    async fn affected_builds(&self, found: &mut Found) -> Result<(), DistributionError> {
        let mut after = String::new();
        loop {
            let page = self.store.image_digests(&after, PAGE).await?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            after.clone_from(last);
            for text in page {
                let image = stored(&text)?;
                for part in self
                    .parts_of(&image, None)
                    .await?
                    .into_iter()
                    .chain([image])
                {
                    if let Some(damage) = found.get_mut(&part) {
                        let builds = self.store.builds_of_image(&text).await?;
                        add_builds(damage, builds);
                    }
                }
            }
        }
    }
}

fn add_repository<'f>(
    found: &'f mut Found,
    digest: &ContentDigest,
    name: &str,
) -> Option<&'f mut DamagedRepository> {
    let repositories = &mut found.get_mut(digest)?.repositories;
    let place = repositories.iter().position(|known| known.name == name);
    let place = match place {
        Some(place) => place,
        None if repositories.len() < TOLD => {
            repositories.push(DamagedRepository {
                name: name.to_owned(),
                tags: Vec::new(),
            });
            repositories.len() - 1
        }
        None => return None,
    };
    repositories.get_mut(place)
}

fn add_builds(damage: &mut Damage, builds: Vec<String>) {
    for build in builds {
        if damage.builds.len() < TOLD && !damage.builds.contains(&build) {
            damage.builds.push(build);
        }
    }
}
