//! OCI image layouts: whole or not there, and read back bit for bit.

use std::os::unix::fs::MetadataExt;

use ergon_oci::{Blobs, ConfigChange, Error, Image, Index, assemble, layout};

use crate::support::{EPOCH, PLATFORM, application, base, world};

#[test]
fn a_layout_is_read_back_with_the_same_digest() {
    let world = world();
    let image = application(&world);
    let path = world.folder.path().join("out/layout");
    layout::write(&world.blobs, &image, &path, "app:1").unwrap();
    let other = Blobs::open(world.folder.path().join("other")).unwrap();
    let read = layout::read(&path, Some("app:1"), PLATFORM, &other).unwrap();
    assert_eq!(read, image);
    assert!(read.is_whole(&other));
    let index = std::fs::read_to_string(path.join("index.json"))
        .unwrap()
        .replace(&image.digest.hex(), "…");
    insta::assert_snapshot!(index, @r#"{"manifests":[{"annotations":{"org.opencontainers.image.ref.name":"app:1"},"digest":"sha256:…","mediaType":"application/vnd.oci.image.manifest.v1+json","platform":{"architecture":"amd64","os":"linux"},"size":759}],"mediaType":"application/vnd.oci.image.index.v1+json","schemaVersion":2}"#);
    assert_eq!(
        std::fs::read_to_string(path.join("oci-layout")).unwrap(),
        r#"{"imageLayoutVersion":"1.0.0"}"#
    );
    let siblings: Vec<_> = std::fs::read_dir(path.parent().unwrap()).unwrap().collect();
    assert_eq!(siblings.len(), 1, "nothing unfinished is left");
}

#[test]
fn the_files_of_a_layout_are_its_own() {
    let world = world();
    let image = base(&world);
    let path = world.folder.path().join("layout");
    layout::write(&world.blobs, &image, &path, "a").unwrap();
    let inode = |path: &std::path::Path| std::fs::metadata(path).unwrap().ino();
    let copy = path.join("blobs/sha256").join(image.digest.hex());
    assert_ne!(inode(&copy), inode(&world.blobs.path(&image.digest)));
}

#[test]
fn a_second_image_joins_and_a_name_moves() {
    let world = world();
    let (below, above) = (base(&world), application(&world));
    let path = world.folder.path().join("layout");
    layout::write(&world.blobs, &below, &path, "base").unwrap();
    layout::write(&world.blobs, &below, &path, "app").unwrap();
    layout::write(&world.blobs, &above, &path, "app").unwrap();
    let read = |name| layout::read(&path, name, PLATFORM, &world.blobs).map(|image| image.digest);
    assert_eq!(read(Some("base")).unwrap(), below.digest);
    assert_eq!(read(Some("app")).unwrap(), above.digest);
    let said = [read(Some("other")).unwrap_err(), read(None).unwrap_err()]
        .map(|error| error.to_string().replace(path.to_str().unwrap(), "LAYOUT"));
    insta::assert_snapshot!(said.join("\n"), @r"
    LAYOUT holds no image other; it holds base, app
    LAYOUT holds several images: base, app
    ");
}

#[test]
fn an_index_of_platforms_gives_the_one_asked_for() {
    let world = world();
    let arm = assemble(
        None,
        &[],
        &ConfigChange::default(),
        EPOCH,
        "linux/arm64/v8",
        &world.blobs,
    )
    .unwrap();
    let amd = base(&world);
    let path = world.folder.path().join("layout");
    layout::write(&world.blobs, &arm, &path, "arm").unwrap();
    layout::write(&world.blobs, &amd, &path, "amd").unwrap();
    let index = std::fs::read(path.join("index.json")).unwrap();
    let nested = Blobs::open(path.join("blobs"))
        .unwrap()
        .put(&index)
        .unwrap();
    let outer = serde_json::json!({"schemaVersion": 2, "manifests": [{
        "mediaType": "application/vnd.oci.image.index.v1+json", "digest": nested, "size": index.len(),
    }]});
    std::fs::write(path.join("index.json"), serde_json::to_vec(&outer).unwrap()).unwrap();
    let read =
        |platform| layout::read(&path, None, platform, &world.blobs).map(|image| image.digest);
    assert_eq!(read("linux/arm64").unwrap(), arm.digest);
    assert_eq!(read("linux/amd64").unwrap(), amd.digest);
    let refused = read("linux/s390x").unwrap_err();
    assert!(
        matches!(&refused, Error::NoSuchPlatform { offered, .. } if offered == &["linux/arm64/v8", "linux/amd64"]),
        "{refused}"
    );
}

#[test]
fn an_index_is_the_same_in_whatever_order_its_images_come() {
    let world = world();
    let image = |platform: &str| {
        let change = ConfigChange::default();
        assemble(None, &[], &change, EPOCH, platform, &world.blobs).unwrap()
    };
    let (arm, amd) = (image("linux/arm64"), image("linux/amd64"));
    let index = |images: &[Image]| {
        Index::assemble(images, std::collections::BTreeMap::new(), &world.blobs).unwrap()
    };
    let made = index(&[arm.clone(), amd.clone()]);
    assert_eq!(made, index(&[amd.clone(), arm.clone(), amd.clone()]));
    assert_eq!(
        made.digest.to_string(),
        "sha256:a9efd7a0bf139994a342e6b9103da5ee3bbf493250d9377befd5999894294c6a"
    );
    assert_eq!(Index::load(&world.blobs, &made.digest).unwrap(), made);
    assert!(Index::load(&world.blobs, &amd.digest).is_err());
    let twice = [amd.clone(), image("linux/amd64"), base(&world)];
    assert!(Index::assemble(&twice, std::collections::BTreeMap::new(), &world.blobs).is_err());

    let path = world.folder.path().join("layout");
    layout::write_index(&world.blobs, &made, &path, "both").unwrap();
    layout::write(&world.blobs, &amd, &path, "one").unwrap();
    let other = Blobs::open(world.folder.path().join("other")).unwrap();
    let read = layout::read_all(&path, Some("both"), &other).unwrap();
    assert_eq!(read, Some(made));
    assert_eq!(layout::read_all(&path, Some("one"), &other).unwrap(), None);
    let chosen = layout::read(&path, Some("both"), "linux/arm64", &other).unwrap();
    assert_eq!(chosen, arm);
}

#[test]
fn what_is_in_the_way_is_not_touched() {
    let world = world();
    let path = world.folder.path().join("mine");
    std::fs::create_dir(&path).unwrap();
    layout::write(&world.blobs, &base(&world), &path, "a").unwrap();
    std::fs::remove_file(path.join("oci-layout")).unwrap();
    let refused = layout::write(&world.blobs, &base(&world), &path, "a").unwrap_err();
    assert!(matches!(refused, Error::NotALayout { .. }));
    assert!(matches!(
        layout::read(&path, None, PLATFORM, &world.blobs),
        Err(Error::Malformed { .. })
    ));
}

#[test]
fn a_length_that_lies_is_refused() {
    let world = world();
    let image = application(&world);
    let path = world.folder.path().join("layout");
    layout::write(&world.blobs, &image, &path, "a").unwrap();
    // A manifest that says another length of its last layer, under its own right digest.
    let mut manifest = image.manifest.clone();
    manifest.layers.last_mut().unwrap().size += 1;
    let bytes = ergon_manifest::canonical_json(&manifest).unwrap();
    let lying = Blobs::open(path.join("blobs"))
        .unwrap()
        .put(&bytes)
        .unwrap();
    let index = std::fs::read_to_string(path.join("index.json")).unwrap();
    let index = index.replace(&image.digest.hex(), &lying.hex());
    std::fs::write(path.join("index.json"), index).unwrap();
    let other = Blobs::open(world.folder.path().join("other")).unwrap();
    let refused = layout::read(&path, None, PLATFORM, &other).unwrap_err();
    assert!(
        refused.to_string().contains("bytes, and it has"),
        "{refused}"
    );
}

#[test]
fn a_blob_that_lies_is_refused() {
    let world = world();
    let image = application(&world);
    let path = world.folder.path().join("layout");
    layout::write(&world.blobs, &image, &path, "a").unwrap();
    let lie = path
        .join("blobs/sha256")
        .join(image.layers()[2].digest.hex());
    let other = Blobs::open(world.folder.path().join("other")).unwrap();
    let mut content = std::fs::read(&lie).unwrap();
    content[20] ^= 1;
    std::fs::write(&lie, &content).unwrap();
    assert!(matches!(
        layout::read(&path, None, PLATFORM, &other),
        Err(Error::DamagedBlob { .. })
    ));
    for length in [0, 11, content.len() - 1] {
        std::fs::write(&lie, &content[..length]).unwrap();
        let refused = layout::read(&path, None, PLATFORM, &other).unwrap_err();
        let said = format!("bytes, and it has {length}");
        assert!(refused.to_string().contains(&said), "{refused}");
    }
    assert!(!other.contains(&image.layers()[2].digest));
}
