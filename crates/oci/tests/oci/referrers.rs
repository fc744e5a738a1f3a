//! What is attached to images: where it is kept, and how it travels in a layout.

use std::collections::BTreeMap;

use ergon_oci::model::Descriptor;
use ergon_oci::referrers::{Artifact, ENVELOPE, PREDICATE_TYPE, artifact_contents};
use ergon_oci::{Blobs, Image, Referrers, layout};

use crate::support::{PLATFORM, World, application, base, world};

/// Attaches something that looks like a signed statement.
pub fn attach(world: &World, image: &Image, content: &str) -> (Referrers, Descriptor) {
    let referrers = Referrers::new(world.folder.path().join("referrers"), world.blobs.clone());
    let artifact = Artifact {
        artifact_type: ENVELOPE,
        media_type: ENVELOPE,
        content: content.as_bytes(),
        annotations: BTreeMap::from([(
            PREDICATE_TYPE.to_owned(),
            "https://example.test/predicate".to_owned(),
        )]),
    };
    let descriptor = referrers.add(image, &artifact).unwrap();
    (referrers, descriptor)
}

#[test]
fn what_is_attached_is_listed_once_and_only_while_it_is_whole() {
    let world = world();
    let (image, other) = (application(&world), base(&world));
    let (referrers, first) = attach(&world, &image, "first");
    assert_eq!(attach(&world, &image, "first").1, first);
    let (_, second) = attach(&world, &image, "second");
    let mut expected = vec![first.clone(), second.clone()];
    expected.sort_by_key(|referrer| referrer.digest);
    assert_eq!(referrers.list(&image.digest).unwrap(), expected);
    assert_eq!(referrers.list(&other.digest).unwrap(), []);
    let contents = artifact_contents(&world.blobs, &first).unwrap();
    assert_eq!(contents, [(ENVELOPE.to_owned(), b"first".to_vec())]);

    let content = ergon_manifest::Digest::of(b"first");
    std::fs::remove_file(world.blobs.path(&content)).unwrap();
    let left = referrers.list(&image.digest).unwrap();
    assert_eq!(left, std::slice::from_ref(&second));
    referrers.remove(&image.digest, &second.digest).unwrap();
    referrers.remove(&image.digest, &second.digest).unwrap();
    assert_eq!(referrers.list(&image.digest).unwrap(), []);
}

#[test]
fn those_who_attach_at_once_lose_nothing() {
    let world = world();
    let image = application(&world);
    std::thread::scope(|scope| {
        for number in 0..16 {
            let (world, image) = (&world, &image);
            scope.spawn(move || attach(world, image, &format!("number {number}")));
        }
    });
    let (referrers, _) = attach(&world, &image, "number 0");
    assert_eq!(referrers.list(&image.digest).unwrap().len(), 16);
}

#[test]
fn a_layout_takes_along_what_is_attached_and_still_has_one_image() {
    let world = world();
    let image = application(&world);
    let (referrers, _) = attach(&world, &image, "first");
    attach(&world, &image, "second");
    let path = world.folder.path().join("layout");
    let listed = referrers.list(&image.digest).unwrap();
    for _ in 0..2 {
        layout::write(&world.blobs, &image, &path, "app:1").unwrap();
        layout::write_referrers(&world.blobs, &image, &listed, &path).unwrap();
    }
    let index: serde_json::Value =
        serde_json::from_slice(&std::fs::read(path.join("index.json")).unwrap()).unwrap();
    // Other tools ask for a name where the index lists more than the image.
    assert_eq!(index["manifests"].as_array().unwrap().len(), 1);

    let fresh = Blobs::open(world.folder.path().join("fresh")).unwrap();
    let read = layout::read(&path, None, PLATFORM, &fresh).unwrap();
    assert_eq!(
        read, image,
        "what is attached is no image that could be meant"
    );
    let mut found = layout::read_referrers(&path, &image.digest, &fresh).unwrap();
    found.sort_by_key(|referrer| referrer.digest);
    let mut expected = listed;
    expected.sort_by_key(|referrer| referrer.digest);
    assert_eq!(found, expected);
    for referrer in &found {
        assert!(!artifact_contents(&fresh, referrer).unwrap().is_empty());
    }
}
