//! One repository: looked at, and rid of what nobody needs.

use std::collections::{HashMap, HashSet};

use ergon_oci::ContentDigest;
use ergon_oci::registry::PushedManifest;
use ergon_store::{HeldManifestRow, HeldRow, NewEvent};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::json;

use super::{Needed, Since};
use crate::api::{CollectedRepository, Collection};
use crate::distribution::Distribution;
use crate::distribution::error::DistributionError;
use crate::distribution::keep::{Going, HeldBlob, HeldManifest, Holdings, Id, going};
use crate::distribution::manifests::{LARGEST_MANIFEST, stored};

/// So many rows are read at a time.
const PAGE: i64 = 1000;
/// So many are removed at a time.
const BATCH: usize = 500;
/// So many manifests are read at once.
const READERS: usize = 8;
/// So often it is decided anew because something was pushed, before pushes have to wait for it.
const ATTEMPTS: usize = 3;
/// So many digests are told.
const TOLD: usize = 100;

/// A repository as it was looked at, and what may go of it.
pub(super) struct Looked {
    name: String,
    holdings: Holdings,
    digests: Vec<ContentDigest>,
    ids: HashMap<ContentDigest, Id>,
    manifests: HashMap<Id, HeldRow>,
    blobs: HashMap<Id, HeldRow>,
    pub(super) going: Going,
}

/// What is removed at a time.
#[derive(Default)]
struct Batch {
    manifests: Vec<Id>,
    blobs: Vec<Id>,
}

impl Batch {
    fn is_empty(&self) -> bool {
        self.manifests.is_empty() && self.blobs.is_empty()
    }
}

impl Looked {
    /// What goes next; blobs once no manifest is left to go.
    fn next(&self, gone: &HashSet<Id>) -> Batch {
        let left = |ids: &[Id]| -> Vec<Id> {
            let left = ids.iter().filter(|id| !gone.contains(id));
            left.take(BATCH).copied().collect()
        };
        let manifests = left(&self.going.manifests);
        if manifests.is_empty() {
            let blobs = left(&self.going.blobs);
            return Batch { manifests, blobs };
        }
        Batch {
            manifests,
            ..Batch::default()
        }
    }

    fn id(&mut self, digest: ContentDigest) -> Id {
        *self.ids.entry(digest).or_insert_with(|| {
            self.digests.push(digest);
            // More than four thousand million digests do not fit into memory either.
            Id::try_from(self.digests.len() - 1).unwrap_or(Id::MAX)
        })
    }

    fn digest(&self, id: Id) -> Option<ContentDigest> {
        self.digests.get(usize::try_from(id).ok()?).copied()
    }

    fn known(&self, digests: &HashSet<ContentDigest>) -> HashSet<Id> {
        // Whichever are fewer are gone through.
        if digests.len() < self.ids.len() {
            let known = digests.iter().filter_map(|digest| self.ids.get(digest));
            return known.copied().collect();
        }
        let known = self
            .ids
            .iter()
            .filter(|(digest, _)| digests.contains(digest));
        known.map(|(_, id)| *id).collect()
    }

    /// What its rows say is content, and soon do not any more.
    pub(super) fn going_digests(&self) -> impl Iterator<Item = ContentDigest> {
        let going = self.going.manifests.iter().chain(&self.going.blobs);
        going.filter_map(|id| self.digest(*id))
    }

    /// Counts what may go.
    pub(super) fn tally(&self, plan: &mut Collection) {
        let mut of = self.nothing_yet();
        for id in &self.going.manifests {
            count_manifest(&mut of, self.digest(*id));
        }
        of.blobs = self.going.blobs.len() as u64;
        add(plan, of);
        plan.notes.extend(self.note());
    }

    fn nothing_yet(&self) -> CollectedRepository {
        CollectedRepository {
            name: self.name.clone(),
            ..CollectedRepository::default()
        }
    }

    fn note(&self) -> Option<String> {
        let digest = self.digest(self.going.unreadable?)?;
        Some(format!(
            "nothing of `{}` goes, since its manifest {digest} cannot be read: `ergon registry fsck` says more",
            self.name
        ))
    }
}

fn count_manifest(of: &mut CollectedRepository, digest: Option<ContentDigest>) {
    of.manifests += 1;
    if of.manifest_digests.len() < TOLD {
        of.manifest_digests
            .extend(digest.map(|digest| digest.to_string()));
    }
}

fn add(to: &mut Collection, of: CollectedRepository) {
    if of.manifests + of.blobs > 0 {
        to.manifests += of.manifests;
        to.blobs += of.blobs;
        to.repositories.push(of);
    }
}

impl Distribution {
    /// Looks at a repository, and decides.
    pub(super) async fn look(
        &self,
        name: &str,
        needed: &Needed,
        since: Since,
    ) -> Result<Looked, DistributionError> {
        let mut looked = Looked {
            name: name.to_owned(),
            holdings: Holdings::default(),
            digests: Vec::new(),
            ids: HashMap::new(),
            manifests: HashMap::new(),
            blobs: HashMap::new(),
            going: Going::default(),
        };
        let mut after = String::new();
        loop {
            let page = self.store.held_manifests(name, &after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after.clone_from(&last.row.digest);
            let read = |held: HeldManifestRow| async move {
                let (digest, pushed) = self.read_manifest(&held).await?;
                Ok::<_, DistributionError>((held.row, digest, pushed))
            };
            let read = stream::iter(page.into_iter().map(read)).buffered(READERS);
            let read: Vec<_> = read.try_collect().await?;
            for (row, digest, pushed) in read {
                let id = looked.id(digest);
                let is_young = row.used_at > since.milliseconds || needed.images_unknown.is_some();
                let subject = pushed.as_ref().and_then(|pushed| pushed.subject);
                let parts = pushed.map(|pushed| {
                    let parts = pushed.needs.iter().map(|part| looked.id(part.digest));
                    parts.collect()
                });
                let subject = subject.map(|subject| looked.id(subject));
                looked.manifests.insert(id, row);
                looked.holdings.manifests.push(HeldManifest {
                    id,
                    is_young,
                    parts,
                    subject,
                });
            }
        }
        after.clear();
        loop {
            let page = self.store.held_blobs(name, &after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after.clone_from(&last.digest);
            for row in page {
                let digest = stored(&row.digest)?;
                let id = looked.id(digest);
                let is_young =
                    row.used_at > since.milliseconds || self.journal.was_wanted(name, &digest);
                looked.blobs.insert(id, row);
                looked.holdings.blobs.push(HeldBlob { id, is_young });
            }
        }
        for digest in self.store.tagged_digests(name).await? {
            let id = looked.id(stored(&digest)?);
            looked.holdings.tagged.insert(id);
        }
        looked.holdings.needed = looked.known(&needed.images);
        looked.going = going(&looked.holdings, &HashSet::<Id>::new());
        Ok(looked)
    }

    /// What a manifest of a repository is; `None` in the place of that where it cannot be read.
    async fn read_manifest(
        &self,
        held: &HeldManifestRow,
    ) -> Result<(ContentDigest, Option<PushedManifest>), DistributionError> {
        let digest = stored(&held.row.digest)?;
        let content = self.contents.read(&digest, LARGEST_MANIFEST).await?;
        let content =
            content.filter(|content| ContentDigest::of(digest.algorithm(), content) == digest);
        let pushed = content
            .and_then(|content| PushedManifest::parse(&content, Some(&held.media_type)).ok());
        Ok((digest, pushed))
    }

    /// Removes what may go of a repository.
    pub(super) async fn sweep(
        &self,
        mut looked: Looked,
        done: &mut Collection,
    ) -> Result<(), DistributionError> {
        let mut of = looked.nothing_yet();
        let mut gone = HashSet::new();
        let (mut decided_at, mut attempts) = (0, 0);
        loop {
            let mut batch = looked.next(&gone);
            if batch.is_empty() {
                break;
            }
            let mut alone = Some(self.alone().await);
            let used = self.journal.count(&looked.name);
            if used != decided_at {
                decided_at = used;
                attempts += 1;
                if attempts <= ATTEMPTS {
                    alone = None;
                }
                // Where something is pushed again and again, the decision is made while nothing can be.
                let touched = looked.known(&self.journal.references(&looked.name));
                looked.going = going(&looked.holdings, &touched);
                if alone.is_none() {
                    continue;
                }
                batch = looked.next(&gone);
            }
            self.remove(&looked, &batch, &mut of).await?;
            drop(alone);
            attempts = 0;
            gone.extend(batch.manifests);
            gone.extend(batch.blobs);
        }
        done.notes.extend(looked.note());
        add(done, of);
        Ok(())
    }

    /// Removes a batch, in one transaction.
    async fn remove(
        &self,
        looked: &Looked,
        batch: &Batch,
        of: &mut CollectedRepository,
    ) -> Result<(), DistributionError> {
        let name = looked.name.as_str();
        let mut manifests = Vec::new();
        let mut blobs = Vec::new();
        let mut change = self.store.unobserved().await?;
        for (id, row) in rows(&batch.manifests, &looked.manifests) {
            if change.collect_manifest(name, row).await? {
                count_manifest(of, looked.digest(*id));
                manifests.push(row.digest.as_str());
            }
        }
        for (_, row) in rows(&batch.blobs, &looked.blobs) {
            if change.collect_blob(name, row).await? {
                blobs.push(row.digest.as_str());
            }
        }
        if manifests.is_empty() && blobs.is_empty() {
            return Ok(());
        }
        let data = json!({ "repository": name, "manifests": manifests, "blobs": blobs.len() });
        change.tell(NewEvent::new(
            "dev.ergon.registry.collected",
            format!("repository/{name}"),
            data,
        ));
        change.commit().await?;
        of.blobs += blobs.len() as u64;
        self.manifests.changed(name, manifests.into_iter());
        self.links.forget(name, blobs.into_iter());
        Ok(())
    }
}

fn rows<'r>(
    ids: &'r [Id],
    rows: &'r HashMap<Id, HeldRow>,
) -> impl Iterator<Item = (&'r Id, &'r HeldRow)> {
    ids.iter().filter_map(|id| Some((id, rows.get(id)?)))
}
