//! Which of what the cache holds may go: decided from a list, with no file looked at.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use ergon_manifest::Digest;
use jiff::{SignedDuration, Timestamp};

use super::inventory::{Entry, Inventory, Kind};

/// What is to be kept.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rule {
    /// What was of no use for this long goes.
    pub older_than: Option<SignedDuration>,
    /// What was longest of no use goes until no more than this is left, in bytes.
    pub keep_bytes: Option<u64>,
    /// Bases may go too.
    pub bases: bool,
}

/// What goes and what that frees. Indexes are those of the inventory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    pub entries: Vec<usize>,
    pub blobs: Vec<Digest>,
    /// On the disk; what a stack's registry holds too frees nothing.
    pub freed: u64,
    /// What is left, in bytes.
    pub kept: u64,
    /// More is left than was to be kept, since what is left is needed.
    pub too_much: bool,
}

/// Decides what goes. What nothing needs goes in any case.
pub fn select(inventory: &Inventory, rule: &Rule, now: Timestamp) -> Selection {
    let mut state = State::of(inventory);
    let mut candidates = state.candidates(rule);
    if let Some(age) = rule.older_than {
        candidates.retain(|(last_used, index)| {
            let stays = now.duration_since(*last_used) < age;
            if !stays {
                state.remove(*index);
            }
            stays
        });
    }
    // The last of the list was longest of no use.
    candidates.sort_by_key(|(last_used, index)| Reverse((*last_used, *index)));
    if let Some(limit) = rule.keep_bytes {
        while state.kept > limit {
            let Some((_, index)) = candidates.pop() else {
                break;
            };
            state.remove(index);
        }
    }
    state.finish(rule)
}

/// What is there, less what was decided to go.
struct State<'a> {
    inventory: &'a Inventory,
    gone: BTreeSet<usize>,
    /// How many entries need a blob, with what is attached to the images among them.
    users: BTreeMap<Digest, usize>,
    /// Every blob that an entry needs, itself or through what is attached.
    needs: Vec<BTreeSet<Digest>>,
    /// What lives and dies with a blob.
    belonging: BTreeMap<Digest, Vec<usize>>,
    kept: u64,
}

impl<'a> State<'a> {
    fn of(inventory: &'a Inventory) -> Self {
        let mut belonging: BTreeMap<Digest, Vec<usize>> = BTreeMap::new();
        for (index, entry) in inventory.entries.iter().enumerate() {
            if let Some(digest) = entry.belongs_to {
                belonging.entry(digest).or_default().push(index);
            }
        }
        let mut state = Self {
            inventory,
            gone: BTreeSet::new(),
            users: BTreeMap::new(),
            needs: Vec::new(),
            belonging,
            kept: 0,
        };
        for entry in &inventory.entries {
            let needs = state.needed_by(entry);
            if entry.belongs_to.is_none() {
                for digest in &needs {
                    *state.users.entry(*digest).or_default() += 1;
                }
                state.kept += entry.bytes;
            }
            state.needs.push(needs);
        }
        let used: Vec<Digest> = state.users.keys().copied().collect();
        state.kept += used.iter().map(|digest| state.weight(digest)).sum::<u64>();
        // What belongs to nothing that is needed goes.
        for (digest, entries) in &state.belonging {
            if !state.users.contains_key(digest) {
                state.gone.extend(entries);
            }
        }
        state
    }

    /// The blobs of an entry and of whatever is attached to them, and to that.
    fn needed_by(&self, entry: &Entry) -> BTreeSet<Digest> {
        let mut found = BTreeSet::new();
        let mut open: Vec<Digest> = entry.needs.clone();
        while let Some(digest) = open.pop() {
            if found.insert(digest) {
                let attached = self.belonging.get(&digest).into_iter().flatten();
                open.extend(attached.flat_map(|index| &self.inventory.entries[*index].needs));
            }
        }
        found
    }

    /// Bytes of a blob and of the records that belong to it.
    fn weight(&self, digest: &Digest) -> u64 {
        let blob = self
            .inventory
            .blobs
            .get(digest)
            .map_or(0, |blob| blob.bytes);
        let belonging = self.belonging.get(digest).into_iter().flatten();
        let records = belonging
            .filter(|index| !self.gone.contains(index))
            .map(|index| self.inventory.entries[*index].bytes);
        blob + records.sum::<u64>()
    }

    /// What may go, with when it was last of use.
    fn candidates(&self, rule: &Rule) -> Vec<(Timestamp, usize)> {
        // A build that is there already does not ask for its steps: their layers are in use all the same.
        let mut through_builds: BTreeMap<Digest, Timestamp> = BTreeMap::new();
        for build in self
            .inventory
            .entries
            .iter()
            .filter(|entry| entry.kind == Kind::Build)
        {
            for digest in &build.needs {
                let last = through_builds.entry(*digest).or_insert(build.last_used);
                *last = (*last).max(build.last_used);
            }
        }
        let entries = self.inventory.entries.iter().enumerate();
        entries
            .filter(|(index, entry)| match entry.kind {
                Kind::Base => rule.bases,
                Kind::Referrer => false,
                Kind::Step | Kind::Build | Kind::Inventory | Kind::Fetched | Kind::Latest => true,
                Kind::Tree => !self.gone.contains(index),
            })
            .map(|(index, entry)| {
                let steps_layer = entry.needs.iter().filter(|_| entry.kind == Kind::Step);
                let through = steps_layer.filter_map(|digest| through_builds.get(digest));
                let last_used = through.copied().fold(entry.last_used, Timestamp::max);
                (last_used, index)
            })
            .collect()
    }

    fn remove(&mut self, index: usize) {
        if !self.gone.insert(index) {
            return;
        }
        self.kept -= self.inventory.entries[index].bytes;
        if self.inventory.entries[index].belongs_to.is_some() {
            return;
        }
        for digest in self.needs[index].clone() {
            if let Some(users) = self.users.get_mut(&digest) {
                *users -= 1;
                if *users == 0 {
                    self.users.remove(&digest);
                    self.kept -= self.weight(&digest);
                    let belonging = self.belonging.get(&digest).into_iter().flatten();
                    self.gone.extend(belonging);
                }
            }
        }
    }

    fn finish(self, rule: &Rule) -> Selection {
        let blobs = self.inventory.blobs.iter();
        let unneeded = blobs.filter(|(digest, _)| !self.users.contains_key(digest));
        let freed_blobs = unneeded.clone().filter(|(_, blob)| !blob.shared);
        let entries: Vec<usize> = self.gone.into_iter().collect();
        let records = entries
            .iter()
            .map(|index| self.inventory.entries[*index].bytes);
        let leftovers = self
            .inventory
            .leftovers
            .iter()
            .map(|leftover| leftover.bytes);
        Selection {
            freed: freed_blobs.map(|(_, blob)| blob.bytes).sum::<u64>()
                + records.sum::<u64>()
                + leftovers.sum::<u64>(),
            blobs: unneeded.map(|(digest, _)| *digest).collect(),
            entries,
            kept: self.kept,
            too_much: rule.keep_bytes.is_some_and(|limit| self.kept > limit),
        }
    }
}

#[cfg(test)]
mod tests;
