//! What changes the digests, and what never does.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use ergon_pack::{Silent, build, identify};
use tokio_util::sync::CancellationToken;

use crate::world::{BASE, MANIFEST, World};

#[tokio::test]
async fn golden_digests() {
    // These values change only together with the version of the encoding or of the plan's rules.
    let world = World::new();
    let built = world.build(&world.project("one")).await;
    let image = &built.record.images[0];
    insta::assert_snapshot!(
        format!(
            "base     {}\nmanifest {}\nsource   {}\nbuild    {}\nimage    {}",
            built.record.inputs.bases[BASE],
            built.record.inputs.manifest,
            built.record.inputs.source,
            built.record.build_hash,
            image.digest,
        ),
        @"
        base     sha256:437b463faaddd4a7e8832a598e1240219aa1a9e68e5a59deaadf70ac3e9d4cab
        manifest sha256:3ffb11846d6dfb56af43461323b5bb2222adfeab60c24672cbe8567af53374f4
        source   sha256:8179438e5abc5a0ec74c1b364146ccfe981008f882db6979e1c20ee429269751
        build    0dc0152ebf42ac4214731aa7a246c544b9e7277d0b0ffb51f35a569f292d57ae
        image    sha256:1f45a2ab088c12485e4775a0eaa4f237af6b37d11978afc9b831c08cd0bbd5b5
        "
    );
    assert_eq!(
        image.tags,
        [format!("pages:{}", built.record.build_hash.short())]
    );
}

#[tokio::test]
async fn two_folders_at_two_times_give_one_digest() {
    let world = World::new();
    let first = world.project("one");
    let second = world.project("another/name");
    for entry in ["pages/index.html", "serve.sh"] {
        let file = std::fs::File::options()
            .write(true)
            .open(second.join(entry))
            .unwrap();
        file.set_modified(std::time::UNIX_EPOCH).unwrap();
    }
    std::fs::set_permissions(second.join("serve.sh"), PermissionsExt::from_mode(0o600)).unwrap();
    let other = World::new();
    let first = world.build(&first).await.record;
    let second = other.build(&second).await.record;
    assert_eq!(first.build_hash, second.build_hash);
    assert_eq!(first.images, second.images);
}

#[tokio::test]
async fn a_second_build_only_looks() {
    let world = World::new();
    let folder = world.project("one");
    assert!(!world.build(&folder).await.cached);
    assert!(world.build(&folder).await.cached);
}

#[tokio::test]
async fn a_cached_build_whose_layer_is_gone_is_built_again() {
    let world = World::new();
    let folder = world.project("one");
    let before = world.build(&folder).await;
    let image =
        ergon_oci::Image::load(world.cache.blobs(), &before.record.images[0].digest).unwrap();
    let layer = image.blobs().last().unwrap();
    std::fs::remove_file(world.cache.blobs().path(&layer)).unwrap();
    let after = world.build(&folder).await;
    assert!(!after.cached);
    assert_eq!(after.record.images, before.record.images);
}

#[tokio::test]
async fn each_input_moves_the_image() {
    type Change = fn(&Path);
    let changes: [(&str, Change); 5] = [
        ("a byte", |root| {
            std::fs::write(root.join("serve.sh"), "#!/bin/sh \n").unwrap();
        }),
        ("an exec bit", |root| {
            std::fs::set_permissions(root.join("serve.sh"), PermissionsExt::from_mode(0o755))
                .unwrap();
        }),
        ("a name", |root| {
            std::fs::rename(root.join("serve.sh"), root.join("start.sh")).unwrap();
        }),
        ("a link", |root| {
            std::os::unix::fs::symlink("pages", root.join("link")).unwrap();
        }),
        ("the manifest", |root| {
            std::fs::write(root.join("ergon.json"), MANIFEST.replace("8080", "8081")).unwrap();
        }),
    ];
    let world = World::new();
    let original = world.image_digest(&world.project("original")).await;
    for (index, (what, change)) in changes.into_iter().enumerate() {
        let folder = world.project(&format!("changed-{index}"));
        change(&folder);
        assert_ne!(world.image_digest(&folder).await, original, "{what}");
    }
    let other = World::with_base("another base");
    assert_ne!(
        other.image_digest(&other.project("original")).await,
        original,
        "the base"
    );
}

#[tokio::test]
async fn the_order_of_keys_moves_nothing() {
    let world = World::new();
    let folder = world.project("one");
    let original = world.image_digest(&folder).await;
    let value: serde_json::Value = serde_json::from_str(MANIFEST).unwrap();
    std::fs::write(folder.join("ergon.json"), value.to_string()).unwrap();
    assert_eq!(world.image_digest(&folder).await, original);
}

#[test]
fn a_base_that_is_not_held_leaves_the_build_hash_open() {
    let world = World::new();
    let folder = world.project("one");
    std::fs::write(
        folder.join("ergon.json"),
        MANIFEST.replace("base:1", "base:2"),
    )
    .unwrap();
    let identity = identify(&folder, &world.cache, None).unwrap();
    assert_eq!(identity.build_hash, None);
    assert_eq!(identity.missing_bases, ["synthetic.test/base:2"]);
}

#[tokio::test]
async fn what_was_written_meanwhile_is_never_kept_under_the_sources_name() {
    let world = World::new();
    let folder = world.project("one");
    let prepared = world.prepare(&folder).await;
    // As long as before, and as before again at the end.
    let page = folder.join("pages/index.html");
    let original = std::fs::read(&page).unwrap();
    std::fs::write(&page, "<h1>EVIL!</h1>\n").unwrap();
    let cancel = CancellationToken::new();
    let error = build(&prepared, &world.cache, None, &Silent, &cancel)
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "pages/index.html changed while it was being built; nothing was recorded"
    );
    std::fs::write(&page, original).unwrap();
    let other = World::new();
    assert_eq!(
        world.image_digest(&folder).await,
        other.image_digest(&other.project("one")).await
    );
}

#[tokio::test]
async fn a_folder_that_became_a_link_is_not_followed() {
    let world = World::new();
    let folder = world.project("one");
    let prepared = world.prepare(&folder).await;
    std::fs::rename(folder.join("pages"), folder.join("../elsewhere")).unwrap();
    std::os::unix::fs::symlink("../elsewhere", folder.join("pages")).unwrap();
    let cancel = CancellationToken::new();
    let built = build(&prepared, &world.cache, None, &Silent, &cancel).await;
    assert!(built.is_err());
}

#[test]
fn what_says_how_to_build_is_in_the_project_itself() {
    let world = World::new();
    for (name, target) in [
        ("ergon.json", "/dev/zero"),
        ("ergon.lock.json", "/etc/passwd"),
    ] {
        let folder = world.project(name);
        let _ = std::fs::remove_file(folder.join(name));
        std::os::unix::fs::symlink(target, folder.join(name)).unwrap();
        let error = identify(&folder, &world.cache, None)
            .unwrap_err()
            .to_string();
        assert!(
            error.ends_with(&format!("{name}: it is a link, and links are not followed")),
            "{error}"
        );
    }
}
