use std::path::PathBuf;

use proptest::prelude::*;

use super::super::inventory::{HeldBlob, Leftover};
use super::*;

const MEGABYTE: u64 = 1_000_000;

fn digest(name: &str) -> Digest {
    Digest::of(name.as_bytes())
}

fn days_ago(days: i64) -> Timestamp {
    now() - SignedDuration::from_hours(24 * days)
}

fn now() -> Timestamp {
    Timestamp::from_second(1_700_000_000).unwrap()
}

fn days(days: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * days)
}

/// An entry without bytes of its own, so that what is counted is the blobs.
fn entry(kind: Kind, last_used: i64, needs: &[&str]) -> Entry {
    Entry {
        kind,
        path: PathBuf::new(),
        bytes: 0,
        since: days_ago(last_used),
        last_used: days_ago(last_used),
        needs: needs.iter().map(|name| digest(name)).collect(),
        belongs_to: None,
    }
}

/// Every blob that is named is there, of a megabyte.
fn inventory(entries: Vec<Entry>) -> Inventory {
    let named = entries.iter().flat_map(|entry| &entry.needs);
    let blob = HeldBlob {
        bytes: MEGABYTE,
        since: now(),
        shared: false,
    };
    Inventory {
        blobs: named.map(|digest| (*digest, blob)).collect(),
        entries,
        leftovers: Vec::new(),
    }
}

fn names(selection: &Selection, of: &[&str]) -> Vec<String> {
    let gone = of
        .iter()
        .filter(|name| selection.blobs.contains(&digest(name)));
    gone.map(|name| (*name).to_owned()).collect()
}

#[test]
fn without_a_rule_only_what_nothing_needs_goes() {
    let mut held = inventory(vec![
        entry(Kind::Base, 900, &["base"]),
        entry(Kind::Step, 900, &["layer"]),
        entry(Kind::Build, 900, &["base", "layer", "manifest"]),
    ]);
    let blob = held.blobs[&digest("base")];
    held.blobs.insert(digest("nobody's"), blob);
    held.leftovers.push(Leftover {
        path: PathBuf::from(".unfinished-x"),
        bytes: 7,
    });
    let selection = select(&held, &Rule::default(), now());
    assert_eq!(selection.entries, [] as [usize; 0]);
    assert_eq!(selection.blobs, [digest("nobody's")]);
    assert_eq!(selection.freed, MEGABYTE + 7);
    assert_eq!(selection.kept, 3 * MEGABYTE);
}

#[test]
fn what_was_long_of_no_use_goes_and_what_others_share_with_it_stays() {
    let held = inventory(vec![
        entry(Kind::Base, 900, &["base"]),
        entry(Kind::Step, 40, &["old layer"]),
        entry(
            Kind::Build,
            40,
            &["base", "old layer", "shared", "old manifest"],
        ),
        entry(
            Kind::Build,
            2,
            &["base", "new layer", "shared", "new manifest"],
        ),
    ]);
    let rule = Rule {
        older_than: Some(days(30)),
        ..Rule::default()
    };
    let selection = select(&held, &rule, now());
    assert_eq!(selection.entries, [1, 2]);
    let all = [
        "base",
        "old layer",
        "shared",
        "old manifest",
        "new layer",
        "new manifest",
    ];
    assert_eq!(names(&selection, &all), ["old layer", "old manifest"]);
    assert_eq!(selection.kept, 4 * MEGABYTE);
}

#[test]
fn a_step_is_in_use_as_long_as_a_build_of_its_layer_is() {
    let held = inventory(vec![
        entry(Kind::Step, 400, &["layer"]),
        entry(Kind::Step, 400, &["of no build"]),
        entry(Kind::Build, 1, &["layer", "manifest"]),
    ]);
    let rule = Rule {
        older_than: Some(days(30)),
        ..Rule::default()
    };
    assert_eq!(select(&held, &rule, now()).entries, [1]);
}

#[test]
fn bases_go_only_when_they_are_named_and_then_by_the_same_rule() {
    let held = inventory(vec![
        entry(Kind::Base, 400, &["old base"]),
        entry(Kind::Base, 1, &["new base"]),
    ]);
    let mut rule = Rule {
        older_than: Some(days(30)),
        ..Rule::default()
    };
    assert_eq!(
        select(&held, &rule, now()),
        Selection {
            kept: 2 * MEGABYTE,
            ..Selection::default()
        }
    );
    rule.bases = true;
    assert_eq!(select(&held, &rule, now()).entries, [0]);
}

#[test]
fn down_to_a_size_the_longest_unused_go_first_and_no_more_than_needed() {
    let held = inventory(vec![
        entry(Kind::Base, 900, &["base"]),
        entry(Kind::Step, 3, &["c"]),
        entry(Kind::Step, 9, &["a"]),
        entry(Kind::Step, 6, &["b"]),
    ]);
    let keep = |megabytes: u64| Rule {
        keep_bytes: Some(megabytes * MEGABYTE),
        ..Rule::default()
    };
    let gone = |megabytes| select(&held, &keep(megabytes), now()).entries;
    assert_eq!(gone(4), [] as [usize; 0]);
    assert_eq!(gone(3), [2]);
    assert_eq!(gone(2), [2, 3]);
    let all = select(&held, &keep(0), now());
    assert_eq!(
        (all.entries, all.kept, all.too_much),
        (vec![1, 2, 3], MEGABYTE, true)
    );
}

#[test]
fn what_is_attached_to_an_image_stays_and_goes_with_it() {
    let attached = |to: &str, needs: &[&str]| Entry {
        belongs_to: Some(digest(to)),
        ..entry(Kind::Referrer, 900, needs)
    };
    let tree = Entry {
        belongs_to: Some(digest("layer")),
        bytes: 5,
        ..entry(Kind::Tree, 1, &[])
    };
    let held = inventory(vec![
        entry(Kind::Build, 40, &["image", "layer"]),
        attached("image", &["bill", "bill's content"]),
        attached("bill", &["signature of the bill"]),
        tree,
    ]);
    let all = [
        "image",
        "layer",
        "bill",
        "bill's content",
        "signature of the bill",
    ];
    let mut rule = Rule {
        older_than: Some(days(60)),
        ..Rule::default()
    };
    let selection = select(&held, &rule, now());
    assert_eq!((selection.entries, selection.blobs), (vec![], vec![]));
    assert_eq!(selection.kept, 5 * MEGABYTE + 5);
    rule.older_than = Some(days(30));
    let selection = select(&held, &rule, now());
    assert_eq!(selection.entries, [0, 1, 2, 3]);
    assert_eq!(names(&selection, &all), all);
    assert_eq!((selection.kept, selection.freed), (0, 5 * MEGABYTE + 5));
}

#[test]
fn what_a_registry_holds_too_frees_nothing() {
    let mut held = inventory(vec![entry(Kind::Step, 40, &["layer"])]);
    held.blobs.get_mut(&digest("layer")).unwrap().shared = true;
    let rule = Rule {
        older_than: Some(days(30)),
        ..Rule::default()
    };
    let selection = select(&held, &rule, now());
    assert_eq!((selection.blobs.len(), selection.freed), (1, 0));
}

fn any_entry() -> impl Strategy<Value = Entry> {
    let kind = prop_oneof![
        Just(Kind::Base),
        Just(Kind::Step),
        Just(Kind::Build),
        Just(Kind::Tree),
        Just(Kind::Referrer),
        Just(Kind::Inventory),
    ];
    let needs = proptest::collection::vec(0..12_u8, 0..4);
    (kind, 0..100_i64, needs, 0..12_u8, 0..2_000_000_u64).prop_map(
        |(kind, age, needs, subject, bytes)| {
            let needs: Vec<String> = needs.iter().map(u8::to_string).collect();
            let needs: Vec<&str> = needs.iter().map(String::as_str).collect();
            let needs = if kind == Kind::Tree {
                &[]
            } else {
                needs.as_slice()
            };
            let belongs = matches!(kind, Kind::Tree | Kind::Referrer);
            Entry {
                bytes,
                belongs_to: belongs.then(|| digest(&subject.to_string())),
                ..entry(kind, age, needs)
            }
        },
    )
}

proptest! {
    #[test]
    fn nothing_that_stays_lacks_what_it_needs(
        entries in proptest::collection::vec(any_entry(), 0..20),
        age in proptest::option::of(0..100_i64),
        megabytes in proptest::option::of(0..14_u64),
        bases: bool,
    ) {
        let held = inventory(entries);
        let rule = Rule {
            older_than: age.map(days),
            keep_bytes: megabytes.map(|megabytes| megabytes * MEGABYTE),
            bases,
        };
        let selection = select(&held, &rule, now());
        let stays = |index: &usize| !selection.entries.contains(index);
        let blob_stays = |blob: &Digest| held.blobs.contains_key(blob) && !selection.blobs.contains(blob);
        let mut kept = 0;
        for (index, entry) in held.entries.iter().enumerate().filter(|(index, _)| stays(index)) {
            kept += entry.bytes;
            prop_assert!(entry.needs.iter().all(blob_stays), "{index} {entry:?}");
        }
        for (index, entry) in held.entries.iter().enumerate() {
            if entry.kind == Kind::Base && !bases {
                prop_assert!(stays(&index));
            }
            if let (Some(subject), Kind::Referrer) = (entry.belongs_to, entry.kind) {
                prop_assert_eq!(stays(&index), blob_stays(&subject));
            }
        }
        // What is said to stay is what stays, and the sum is whole.
        kept += held.blobs.iter().filter(|(blob, _)| blob_stays(blob)).map(|(_, blob)| blob.bytes).sum::<u64>();
        prop_assert_eq!(selection.kept, kept);
        prop_assert_eq!(selection.kept + selection.freed, held.bytes());
        prop_assert_eq!(selection.too_much, rule.keep_bytes.is_some_and(|limit| kept > limit));
    }
}
