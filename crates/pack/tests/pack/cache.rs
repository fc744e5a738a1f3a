//! What becomes of a cache that is pruned, damaged or shared.

use std::fs;
use std::path::{Path, PathBuf};

use ergon_oci::{Blobs, Image};
use ergon_pack::Cache;
use ergon_pack::cache::{Kind, Rule, Selection, select};
use jiff::Timestamp;

use crate::world::{BASE, World};

fn prune(cache: &Cache, rule: &Rule) -> Selection {
    let alone = cache.alone().unwrap().unwrap();
    let inventory = cache.contents().unwrap();
    let selection = select(&inventory, rule, Timestamp::now());
    cache.remove(&inventory, &selection, &alone).unwrap();
    selection
}

/// Every file below a folder, in the order of their names.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn is_whole(blobs: &Blobs, digest: &ergon_manifest::Digest) -> bool {
    Image::load(blobs, digest).is_ok_and(|image| image.is_whole(blobs))
}

#[tokio::test]
async fn pruning_to_nothing_leaves_the_bases_and_costs_only_time() {
    let world = World::new();
    let folder = world.project("one");
    let first = world.build(&folder).await;
    let rule = Rule {
        keep_bytes: Some(0),
        ..Rule::default()
    };
    let gone = prune(&world.cache, &rule);
    assert!(gone.freed > 0 && gone.too_much);
    let left = world.cache.contents().unwrap();
    assert!(left.entries.iter().all(|entry| entry.kind == Kind::Base));
    assert_eq!(left.bytes(), gone.kept);
    let base = world
        .cache
        .bases()
        .resolve(&BASE.parse().unwrap(), &ergon_pack::platform());
    assert!(base.unwrap().is_some());
    let second = world.build(&folder).await;
    assert!(!second.cached);
    assert_eq!(second.record.images, first.record.images);
}

#[tokio::test]
async fn what_nothing_needs_goes_and_a_build_that_is_there_stays_one() {
    let world = World::new();
    let folder = world.project("one");
    let built = world.build(&folder).await;
    let blobs = world.cache.blobs();
    let nobodys = blobs.put(b"nobody's").unwrap();
    let half = world.cache.root().join("blobs/sha256/.unfinished-x");
    fs::write(&half, "half a blob").unwrap();
    let second_build = world.cache.root().join("verifications/1-x/cache/deep");
    fs::create_dir_all(&second_build).unwrap();
    fs::write(second_build.join("file"), "1234").unwrap();
    let gone = prune(&world.cache, &Rule::default());
    assert!(gone.entries.is_empty(), "{gone:?}");
    assert!(!blobs.contains(&nobodys) && !half.exists() && !second_build.exists());
    assert!(is_whole(blobs, &built.record.images[0].digest));
    assert!(world.build(&folder).await.cached);
}

#[tokio::test]
async fn an_unpacked_layer_stays_and_goes_with_its_layer() {
    let world = World::new();
    let built = world.build(&world.project("one")).await;
    let image = Image::load(world.cache.blobs(), &built.record.images[0].digest).unwrap();
    let trees = world.cache.root().join("trees");
    let unpack = |layer: &ergon_manifest::Digest| {
        let tree = trees.join(layer.hex());
        fs::create_dir_all(tree.join("tree/etc")).unwrap();
        fs::write(tree.join("tree/etc/file"), "content").unwrap();
        let lock = tree.with_extension("lock");
        fs::write(&lock, "").unwrap();
        [tree, lock]
    };
    let ours = unpack(&image.layers()[0].digest);
    let nobodys = unpack(&ergon_manifest::Digest::of(b"nobody's"));
    let alone = trees.join("alone.lock");
    fs::write(&alone, "").unwrap();
    prune(&world.cache, &Rule::default());
    assert!(ours.iter().all(|path| path.exists()));
    assert!(!nobodys.iter().any(|path| path.exists()) && !alone.exists());
    let rule = Rule {
        keep_bytes: Some(0),
        bases: true,
        ..Rule::default()
    };
    prune(&world.cache, &rule);
    assert_eq!(fs::read_dir(&trees).unwrap().count(), 0);
}

#[tokio::test]
async fn a_build_that_is_found_is_used_from_then_on() {
    let world = World::new();
    let folder = world.project("one");
    world.build(&folder).await;
    for path in files(world.cache.root()) {
        let file = fs::File::open(path).unwrap();
        file.set_modified(std::time::UNIX_EPOCH).unwrap();
    }
    assert!(world.build(&folder).await.cached);
    let rule = Rule {
        older_than: Some(jiff::SignedDuration::from_hours(1)),
        bases: true,
        ..Rule::default()
    };
    assert!(prune(&world.cache, &rule).entries.is_empty());
    assert!(world.build(&folder).await.cached);
}

#[tokio::test]
async fn whatever_file_is_cut_short_or_empty_the_next_build_makes_the_same_image() {
    let world = World::new();
    let folder = world.project("one");
    let first = world.build(&folder).await;
    let image = &first.record.images[0];
    let all = files(world.cache.root());
    assert!(all.len() > 6, "{all:?}");
    for path in all {
        // A base that is damaged has to be imported again, which the last test of the file does.
        let base = first.record.inputs.bases[BASE];
        let of_base = Image::load(world.cache.blobs(), &base)
            .unwrap()
            .blobs()
            .any(|blob| world.cache.blobs().path(&blob) == path);
        if of_base || path.starts_with(world.cache.root().join("bases")) {
            continue;
        }
        let content = fs::read(&path).unwrap();
        for damage in [0, content.len() / 2, content.len().saturating_sub(1)] {
            fs::write(&path, &content[..damage]).unwrap();
            let again = world.build(&folder).await;
            assert_eq!(
                again.record.images, first.record.images,
                "{path:?} {damage}"
            );
            for blob in Image::load(world.cache.blobs(), &image.digest)
                .unwrap()
                .blobs()
            {
                world.cache.blobs().verify(&blob).unwrap();
            }
        }
    }
}

#[tokio::test]
async fn a_blob_that_lies_is_found_set_aside_and_made_anew() {
    let world = World::new();
    let folder = world.project("one");
    let first = world.build(&folder).await;
    let blobs = world.cache.blobs();
    let layer = Image::load(blobs, &first.record.images[0].digest)
        .unwrap()
        .layers()
        .last()
        .unwrap()
        .digest;
    let mut content = fs::read(blobs.path(&layer)).unwrap();
    *content.last_mut().unwrap() ^= 1;
    fs::write(blobs.path(&layer), content).unwrap();

    let inventory = world.cache.contents().unwrap();
    let mut read = 0;
    let damaged = world.cache.check(&inventory, |bytes| read += bytes);
    assert_eq!(
        damaged.iter().map(|blob| blob.digest).collect::<Vec<_>>(),
        [layer]
    );
    assert_eq!(
        read,
        inventory.blobs.values().map(|blob| blob.bytes).sum::<u64>()
    );
    let alone = world.cache.alone().unwrap().unwrap();
    let moved = world.cache.set_aside(&damaged, &alone).unwrap();
    assert_eq!(
        moved,
        [world.cache.root().join("quarantine").join(layer.hex())]
    );
    drop(alone);

    let again = world.build(&folder).await;
    assert!(!again.cached);
    assert_eq!(again.record.images, first.record.images);
    blobs.verify(&layer).unwrap();
    // What is good by then is left alone.
    let alone = world.cache.alone().unwrap().unwrap();
    assert!(world.cache.set_aside(&damaged, &alone).unwrap().is_empty());
    blobs.verify(&layer).unwrap();
}

#[tokio::test]
async fn builds_at_once_give_one_image_and_a_whole_cache() {
    let world = World::new();
    let folders: Vec<_> = (0..4)
        .map(|number| world.project(&number.to_string()))
        .collect();
    let builds = folders.iter().map(|folder| world.build(folder));
    let built = futures_util::future::join_all(builds).await;
    for one in &built {
        assert_eq!(one.record.images, built[0].record.images);
    }
    let inventory = world.cache.contents().unwrap();
    assert!(inventory.leftovers.is_empty(), "{:?}", inventory.leftovers);
    assert!(world.cache.check(&inventory, |_| ()).is_empty());
}

#[tokio::test]
async fn a_base_that_was_cut_short_is_none() {
    let world = World::new();
    let folder = world.project("one");
    let first = world.build(&folder).await;
    let image = Image::load(world.cache.blobs(), &first.record.inputs.bases[BASE]).unwrap();
    let layer = world.cache.blobs().path(&image.layers()[0].digest);
    let content = fs::read(&layer).unwrap();
    fs::write(&layer, &content[..content.len() / 2]).unwrap();
    assert!(
        world
            .cache
            .bases()
            .resolve(&BASE.parse().unwrap(), &ergon_pack::platform())
            .unwrap()
            .is_none()
    );
    fs::write(&layer, &content).unwrap();
    assert!(world.build(&folder).await.cached);
}

#[test]
fn pipes_in_a_cache_are_of_no_use_and_never_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::open(folder.path()).unwrap();
    let name = "a".repeat(64);
    let places = [
        "blobs/sha256/NAME",
        "bases/NAME.json",
        "steps/NAME.json",
        "builds/NAME.json",
        "referrers/NAME/NAME.json",
        "trees/NAME",
        "running/step.lock",
    ];
    for place in places {
        let path = folder.path().join(place.replace("NAME", &name));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.unwrap().success());
    }
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let digest = format!("sha256:{}", "a".repeat(64)).parse().unwrap();
        let inventory = cache.contents().unwrap();
        let left = inventory.leftovers.len();
        assert_eq!((inventory.entries.len(), left), (0, 6));
        assert!(cache.check(&inventory, |_| {}).is_empty());
        assert!(cache.builds().is_empty() && cache.step(&digest).is_none());
        assert!(cache.referrers().list(&digest).unwrap().is_empty());
        let rule = Rule::default();
        prune(&cache, &rule);
        sender.send(cache.contents().unwrap().leftovers.len())
    });
    let left = receiver.recv_timeout(std::time::Duration::from_secs(30));
    assert_eq!(left.expect("it never ends"), 0);
}

#[test]
fn a_pipe_for_a_lock_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::open(folder.path()).unwrap();
    let made = std::process::Command::new("mkfifo")
        .arg(folder.path().join("lock"))
        .status();
    assert!(made.unwrap().success());
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || sender.send(cache.in_use().is_err() && cache.alone().is_err()));
    let is_error = receiver.recv_timeout(std::time::Duration::from_secs(30));
    assert!(is_error.expect("it never ends"));
}
