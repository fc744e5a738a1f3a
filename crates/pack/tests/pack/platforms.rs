//! One folder for several platforms.

use std::collections::BTreeSet;
use std::path::Path;

use ergon_manifest::PlatformName;
use ergon_oci::{ConfigChange, Index};
use ergon_pack::cache::{Rule, select};
use ergon_pack::{
    BuildRecord, ImageName, Lock, Options, PackError, Silent, build, find_image, find_images,
    index, lock, platforms_of, prepare,
};
use tokio_util::sync::CancellationToken;

use crate::world::{BASE, MANIFEST, World};

const ARM: &str = "linux/arm64";
const AMD: &str = "linux/amd64";

fn name(text: &str) -> PlatformName {
    text.parse().unwrap()
}

/// The base once more, with other content, for another platform.
fn hold_base(world: &World, platform: &str) {
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_size(3);
    header.set_mode(0o644);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    header.set_cksum();
    archive
        .append_data(&mut header, "etc/base", b"arm".as_slice())
        .unwrap();
    let (rootfs, now) = (archive.into_inner().unwrap(), jiff::Timestamp::UNIX_EPOCH);
    let (reference, change) = (BASE.parse().unwrap(), ConfigChange::default());
    world
        .cache
        .bases()
        .import_rootfs(rootfs.as_slice(), &reference, &change, 0, platform, now)
        .unwrap();
}

async fn built(world: &World, folder: &Path, platform: &str) -> Result<BuildRecord, PackError> {
    let options = Options {
        platform: Some(name(platform)),
        ..Options::default()
    };
    let prepared = prepare(folder, &world.cache, None, options, &Silent).await?;
    let cancel = CancellationToken::new();
    let built = build(&prepared, &world.cache, None, &Silent, &cancel).await?;
    Ok(built.record)
}

#[tokio::test]
async fn each_platform_has_a_build_of_its_own_and_one_index_names_them_all() {
    let world = World::new();
    let folder = world.project("one");
    hold_base(&world, ARM);
    let mut records = Vec::new();
    for platform in [ARM, AMD] {
        records.push(built(&world, &folder, platform).await.unwrap());
    }
    let hashes: BTreeSet<_> = records.iter().map(|record| record.build_hash).collect();
    assert_eq!(hashes.len(), 2);
    let bases: BTreeSet<_> = (records.iter())
        .map(|record| record.inputs.bases[BASE])
        .collect();
    assert_eq!(bases.len(), 2);

    let indexes = index(&mut records, &world.cache).unwrap();
    records.reverse();
    assert_eq!(
        index(&mut records, &world.cache).unwrap()[0].digest,
        indexes[0].digest
    );
    let [made] = indexes.as_slice() else {
        panic!("one container, one index")
    };
    let loaded = Index::load(world.cache.blobs(), &made.digest).unwrap();
    let listed: Vec<String> = loaded.index.platforms();
    assert_eq!(listed, [AMD, ARM]);
    // It is known by every one of its builds, and found by its tag.
    let known = world.cache.build(&records[0].build_hash).unwrap();
    assert_eq!(known.indexes[0].digest, made.digest);
    let by_tag = ImageName::Named(made.tags[0].clone());
    let arm = find_image(&by_tag, Some(&name(ARM)), &world.cache, None).await;
    assert_eq!(arm.unwrap().platform().to_string(), ARM);
    let (found, images) = find_images(&by_tag, &world.cache, None).await.unwrap();
    assert_eq!((found.unwrap().digest, images.len()), (made.digest, 2));
    let none = find_image(&by_tag, Some(&name("linux/s390x")), &world.cache, None).await;
    let said = none.unwrap_err().to_string();
    assert!(
        said.contains("it is for linux/amd64, linux/arm64"),
        "{said}"
    );
}

#[tokio::test]
async fn an_index_stays_as_long_as_one_of_its_builds() {
    let world = World::new();
    let folder = world.project("one");
    hold_base(&world, ARM);
    let mut records = Vec::new();
    for platform in [ARM, AMD] {
        records.push(built(&world, &folder, platform).await.unwrap());
    }
    let digest = index(&mut records, &world.cache).unwrap()[0].digest;
    let prune = |rule: Rule| {
        let contents = world.cache.contents().unwrap();
        select(&contents, &rule, jiff::Timestamp::now()).blobs
    };
    assert!(!prune(Rule::default()).contains(&digest));
    let everything = Rule {
        keep_bytes: Some(0),
        ..Rule::default()
    };
    assert!(prune(everything).contains(&digest));
    // What is left of it is still found.
    let arm = &records[0].images[0].digest;
    std::fs::remove_file(world.cache.blobs().path(arm)).unwrap();
    let by_tag = ImageName::Named(records[0].indexes[0].tags[0].clone());
    let found = find_image(&by_tag, Some(&name(AMD)), &world.cache, None).await;
    assert_eq!(found.unwrap().digest, records[1].images[0].digest);
}

#[tokio::test]
async fn a_step_that_another_processor_would_have_to_run_is_refused() {
    let world = World::new();
    let folder = world.project("one");
    let with_step = MANIFEST.replace(
        "\"run_command\"",
        "\"build_commands\": [\"make all\"], \"run_command\"",
    );
    std::fs::write(folder.join("ergon.json"), with_step).unwrap();
    let other = if ergon_pack::platform() == ARM {
        AMD
    } else {
        ARM
    };
    let said = built(&world, &folder, other).await.unwrap_err().to_string();
    for part in ["pages", other, "`make all`", &ergon_pack::platform()] {
        assert!(said.contains(part), "{said}");
    }
}

#[tokio::test]
async fn a_lock_pins_a_base_for_every_platform_of_the_manifest() {
    let world = World::new();
    let folder = world.project("one");
    hold_base(&world, ARM);
    let text = MANIFEST.trim_end().trim_end_matches('}').to_owned()
        + r#", "packaging": { "platforms": ["linux/arm64/v8", "linux/amd64"] } }"#;
    std::fs::write(folder.join("ergon.json"), text).unwrap();
    assert_eq!(platforms_of(&folder, &[]), [name(AMD), name(ARM)]);
    assert_eq!(platforms_of(&folder, &[name(ARM)]), [name(ARM)]);
    lock(&folder, &[], &world.cache, None, &Silent)
        .await
        .unwrap();
    let locked = Lock::read(&folder).unwrap().unwrap();
    let platforms: Vec<&String> = locked.bases.keys().collect();
    assert_eq!(platforms, [AMD, ARM]);
    assert_ne!(locked.base(AMD, BASE), locked.base(ARM, BASE));
    let record = built(&world, &folder, ARM).await.unwrap();
    assert_eq!(record.unpinned, [""; 0]);
    assert_eq!(locked.base(ARM, BASE), Some(record.inputs.bases[BASE]));
}
