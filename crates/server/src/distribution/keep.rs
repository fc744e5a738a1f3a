//! What of a repository may go. Decided from what it has and what is needed of it, without looking anywhere.

use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher;

/// A digest's place among those of a repository: it is many times shorter, and names are many.
pub type Id = u32;

/// A manifest of a repository.
#[derive(Clone, Debug)]
pub struct HeldManifest {
    pub id: Id,
    /// It came, or lost a tag, so lately that somebody may be about to use it.
    pub is_young: bool,
    /// What it is made of. Absent where its content cannot be read.
    pub parts: Option<Vec<Id>>,
    /// What it says something about.
    pub subject: Option<Id>,
}

/// A blob of a repository.
#[derive(Clone, Copy, Debug)]
pub struct HeldBlob {
    pub id: Id,
    pub is_young: bool,
}

/// A repository, and what others need of it.
#[derive(Clone, Debug, Default)]
pub struct Holdings {
    pub manifests: Vec<HeldManifest>,
    pub blobs: Vec<HeldBlob>,
    /// What tags mean.
    pub tagged: HashSet<Id>,
    /// What builds, containers and releases need: an image by its manifest or by its configuration.
    pub needed: HashSet<Id>,
}

/// What may go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Going {
    /// Each before those that it is made of, so that nothing is left without its parts at any time.
    pub manifests: Vec<Id>,
    /// After the manifests.
    pub blobs: Vec<Id>,
    /// A manifest that is kept cannot be read, so that nobody can tell what it needs: nothing goes.
    pub unreadable: Option<Id>,
}

/// Decides. `touched` is what was pushed or asked for since the repository was looked at, and stays for that.
///
/// Kept is a manifest that has a tag, that is young, that is a part of one that is kept, that is needed, or that
/// says something about one that is kept or needed; and a blob that is young, needed, or a part of a manifest that is kept.
pub fn going<S: BuildHasher>(holdings: &Holdings, touched: &HashSet<Id, S>) -> Going {
    let kept = kept(holdings, touched);
    let is_kept = |manifest: &&HeldManifest| kept.contains(&manifest.id);
    let mut named = HashSet::new();
    for manifest in holdings.manifests.iter().filter(is_kept) {
        match &manifest.parts {
            Some(parts) => named.extend(parts.iter().copied()),
            None => {
                return Going {
                    unreadable: Some(manifest.id),
                    ..Going::default()
                };
            }
        }
    }
    let blobs = holdings.blobs.iter().filter(|blob| {
        let is_needed = holdings.needed.contains(&blob.id) || touched.contains(&blob.id);
        !(blob.is_young || is_needed || named.contains(&blob.id))
    });
    Going {
        manifests: wholes_first(holdings, &kept),
        blobs: blobs.map(|blob| blob.id).collect(),
        unreadable: None,
    }
}

fn kept<S: BuildHasher>(holdings: &Holdings, touched: &HashSet<Id, S>) -> HashSet<Id> {
    let by_id: HashMap<Id, &HeldManifest> = holdings
        .manifests
        .iter()
        .map(|manifest| (manifest.id, manifest))
        .collect();
    let mut referrers: HashMap<Id, Vec<Id>> = HashMap::new();
    for manifest in &holdings.manifests {
        if let Some(subject) = manifest.subject {
            referrers.entry(subject).or_default().push(manifest.id);
        }
    }
    let is_needed = |manifest: &HeldManifest| {
        // What says something about an image that is needed is part of its evidence, also where the image is not here.
        let of_it = [Some(manifest.id), manifest.subject];
        let named = manifest.parts.iter().flatten().copied();
        let mut all = of_it.into_iter().flatten().chain(named);
        all.any(|id| holdings.needed.contains(&id))
    };
    let mut waiting: Vec<Id> = holdings
        .manifests
        .iter()
        .filter(|manifest| {
            manifest.is_young
                || holdings.tagged.contains(&manifest.id)
                || touched.contains(&manifest.id)
                || is_needed(manifest)
        })
        .map(|manifest| manifest.id)
        .collect();
    let mut kept = HashSet::new();
    while let Some(id) = waiting.pop() {
        let Some(manifest) = by_id.get(&id) else {
            continue;
        };
        if kept.insert(id) {
            waiting.extend(manifest.parts.iter().flatten());
            waiting.extend(referrers.get(&id).into_iter().flatten());
        }
    }
    kept
}

/// The manifests that are not kept, each before its parts.
fn wholes_first(holdings: &Holdings, kept: &HashSet<Id>) -> Vec<Id> {
    let going: HashMap<Id, &HeldManifest> = holdings
        .manifests
        .iter()
        .filter(|manifest| !kept.contains(&manifest.id))
        .map(|manifest| (manifest.id, manifest))
        .collect();
    let mut seen = HashSet::new();
    let mut parts_first = Vec::with_capacity(going.len());
    for manifest in &holdings.manifests {
        // On the way down a manifest is put back, to be written once its parts are.
        let mut waiting = vec![(manifest.id, false)];
        while let Some((id, parts_are_written)) = waiting.pop() {
            let Some(manifest) = going.get(&id) else {
                continue;
            };
            if parts_are_written {
                parts_first.push(id);
            } else if seen.insert(id) {
                waiting.push((id, true));
                waiting.extend(manifest.parts.iter().flatten().map(|part| (*part, false)));
            }
        }
    }
    parts_first.reverse();
    parts_first
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn manifest(id: Id, parts: &[Id]) -> HeldManifest {
        HeldManifest {
            id,
            is_young: false,
            parts: Some(parts.to_vec()),
            subject: None,
        }
    }

    fn referrer(id: Id, subject: Id) -> HeldManifest {
        HeldManifest {
            subject: Some(subject),
            ..manifest(id, &[])
        }
    }

    fn blobs(ids: &[Id]) -> Vec<HeldBlob> {
        let blob = |id: &Id| HeldBlob {
            id: *id,
            is_young: false,
        };
        ids.iter().map(blob).collect()
    }

    fn decide(holdings: &Holdings) -> (Vec<Id>, Vec<Id>) {
        let going = going(holdings, &HashSet::<Id>::new());
        assert_eq!(going.unreadable, None);
        (going.manifests, going.blobs)
    }

    #[test]
    fn a_tag_keeps_an_index_its_images_and_what_is_said_about_any_of_them() {
        let mut holdings = Holdings {
            manifests: vec![
                manifest(1, &[2]),
                manifest(2, &[10]),
                referrer(3, 2),
                referrer(4, 3),
                manifest(5, &[11]),
                referrer(6, 5),
            ],
            blobs: blobs(&[10, 11]),
            ..Holdings::default()
        };
        holdings.tagged.insert(1);
        let (mut manifests, blobs) = decide(&holdings);
        manifests.sort_unstable();
        assert_eq!((manifests, blobs), (vec![5, 6], vec![11]));
        holdings.tagged.clear();
        let (manifests, blobs) = decide(&holdings);
        assert_eq!((manifests.len(), blobs), (6, vec![10, 11]));
    }

    #[test]
    fn an_image_that_runs_is_known_by_its_configuration_too() {
        let mut holdings = Holdings {
            manifests: vec![manifest(1, &[10, 11])],
            blobs: blobs(&[10, 11]),
            ..Holdings::default()
        };
        holdings.needed.insert(10);
        assert_eq!(decide(&holdings), (vec![], vec![]));
    }

    #[test]
    fn where_it_cannot_be_told_what_is_needed_nothing_goes() {
        let mut holdings = Holdings {
            manifests: vec![manifest(1, &[10]), manifest(2, &[11])],
            blobs: blobs(&[10, 11, 12]),
            ..Holdings::default()
        };
        holdings.tagged.insert(1);
        holdings.manifests[0].parts = None;
        let decided = going(&holdings, &HashSet::<Id>::new());
        assert!(decided.manifests.is_empty() && decided.blobs.is_empty());
        assert_eq!(decided.unreadable, Some(1));
        // One that nobody needs says nothing, and holds nothing up.
        holdings.tagged = HashSet::from([2]);
        assert_eq!(decide(&holdings), (vec![1], vec![10, 12]));
    }

    /// Repositories as they come: a manifest is made of what has a smaller number, as digests have it.
    fn holdings() -> impl Strategy<Value = Holdings> {
        let held = (
            prop::collection::vec(0..40_u32, 0..5),
            prop::option::of(0..40_u32),
            prop::bool::weighted(0.1),
            prop::bool::weighted(0.95),
        );
        (
            prop::collection::vec(held, 0..20),
            prop::collection::vec((0..20_u32, prop::bool::weighted(0.1)), 0..20),
            prop::collection::hash_set(20..40_u32, 0..5),
            prop::collection::hash_set(0..40_u32, 0..5),
        )
            .prop_map(|(manifests, blobs, tagged, needed)| Holdings {
                manifests: (20..)
                    .zip(manifests)
                    .map(
                        |(id, (parts, subject, is_young, is_readable))| HeldManifest {
                            id,
                            is_young,
                            parts: is_readable
                                .then(|| parts.into_iter().filter(|part| *part < id).collect()),
                            subject,
                        },
                    )
                    .collect(),
                blobs: blobs
                    .into_iter()
                    .collect::<HashMap<_, _>>()
                    .into_iter()
                    .map(|(id, is_young)| HeldBlob { id, is_young })
                    .collect(),
                tagged,
                needed,
            })
    }

    proptest! {
        #[test]
        fn what_stays_has_all_that_it_needs(holdings in holdings(), touched in prop::collection::hash_set(0..40_u32, 0..4)) {
            let decided = going(&holdings, &touched);
            let gone: HashSet<Id> = decided.manifests.iter().chain(&decided.blobs).copied().collect();
            prop_assert_eq!(gone.len(), decided.manifests.len() + decided.blobs.len(), "each goes once");
            for root in holdings.tagged.iter().chain(&holdings.needed).chain(&touched) {
                prop_assert!(!gone.contains(root), "{root} was needed");
            }
            for manifest in holdings.manifests.iter().filter(|manifest| !gone.contains(&manifest.id)) {
                for part in manifest.parts.iter().flatten() {
                    prop_assert!(!gone.contains(part), "{part} is a part of {}", manifest.id);
                }
            }
            for manifest in &holdings.manifests {
                let is_gone = gone.contains(&manifest.id);
                prop_assert!(!(is_gone && manifest.is_young));
                let subject = manifest.subject.filter(|subject| holdings.manifests.iter().any(|other| other.id == *subject));
                if let Some(subject) = subject.filter(|subject| !gone.contains(subject)) {
                    prop_assert!(!is_gone, "{} says something about {subject}", manifest.id);
                }
                if manifest.parts.iter().flatten().chain(&manifest.subject).any(|id| holdings.needed.contains(id)) {
                    prop_assert!(!is_gone, "{} is run by its configuration, or says something about what is", manifest.id);
                }
            }
        }

        #[test]
        fn what_stays_is_needed_by_somebody(holdings in holdings()) {
            let decided = going(&holdings, &HashSet::<Id>::new());
            prop_assume!(decided.unreadable.is_none());
            let left: Vec<&HeldManifest> = holdings.manifests.iter().filter(|manifest| !decided.manifests.contains(&manifest.id)).collect();
            let names = |part: Id| left.iter().any(|manifest| manifest.parts.iter().flatten().any(|named| *named == part));
            for manifest in &left {
                let is_root = manifest.is_young || holdings.tagged.contains(&manifest.id) || holdings.needed.contains(&manifest.id)
                    || manifest.parts.iter().flatten().chain(&manifest.subject).any(|id| holdings.needed.contains(id));
                let speaks = manifest.subject.is_some_and(|subject| left.iter().any(|other| other.id == subject));
                prop_assert!(is_root || speaks || names(manifest.id), "{} is of no use", manifest.id);
            }
            for blob in holdings.blobs.iter().filter(|blob| !decided.blobs.contains(&blob.id)) {
                prop_assert!(blob.is_young || holdings.needed.contains(&blob.id) || names(blob.id), "{} is of no use", blob.id);
            }
        }

        #[test]
        fn at_no_time_is_anything_without_its_parts(holdings in holdings()) {
            let decided = going(&holdings, &HashSet::<Id>::new());
            let mut gone = HashSet::new();
            for id in decided.manifests.iter().chain(&decided.blobs) {
                gone.insert(*id);
                for manifest in holdings.manifests.iter().filter(|manifest| !gone.contains(&manifest.id)) {
                    prop_assert!(!manifest.parts.iter().flatten().any(|part| gone.contains(part)));
                }
            }
        }

        #[test]
        fn what_was_touched_only_ever_keeps_more(holdings in holdings(), touched in prop::collection::hash_set(0..40_u32, 0..4)) {
            let before = going(&holdings, &HashSet::<Id>::new());
            let after = going(&holdings, &touched);
            prop_assert!(after.manifests.iter().all(|id| before.manifests.contains(id)));
            prop_assert!(after.blobs.iter().all(|id| before.blobs.contains(id)));
        }
    }
}
