//! Docker archives, old and new.

use std::io::Read;

use ergon_oci::{Blobs, Error, Reference, archive};
use flate2::read::GzDecoder;

use crate::support::{World, application, world};

fn write(world: &World, leave_out: &dyn Fn(&ergon_manifest::Digest) -> bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    let tags = ["app:1".to_owned()];
    archive::write_docker(
        &world.blobs,
        &application(world),
        &tags,
        leave_out,
        &mut bytes,
    )
    .unwrap();
    bytes
}

fn names(archive: &[u8]) -> Vec<String> {
    let mut archive = tar::Archive::new(archive);
    archive
        .entries()
        .unwrap()
        .map(|entry| entry.unwrap().path().unwrap().to_str().unwrap().to_owned())
        .collect()
}

#[test]
fn what_is_written_is_read_back() {
    let world = world();
    let image = application(&world);
    let bytes = write(&world, &|_| false);
    assert_eq!(bytes, write(&world, &|_| false));
    let other = Blobs::open(world.folder.path().join("other")).unwrap();
    let read = archive::read(bytes.as_slice(), None, &other).unwrap();
    assert_eq!(read.config_digest(), image.config_digest());
    assert_eq!(read.layers(), image.layers());
    assert!(read.is_whole(&other));
}

#[test]
fn layers_are_left_out_from_the_lowest_up() {
    let world = world();
    let image = application(&world);
    let diff_ids: Vec<_> = image.diff_ids().collect();
    assert_eq!(names(&write(&world, &|_| false)).len(), 5);
    assert_eq!(
        names(&write(&world, &|diff_id| diff_ids[..2].contains(diff_id))).len(),
        3
    );
    let without_the_middle = names(&write(&world, &|diff_id| *diff_id == diff_ids[1]));
    assert_eq!(
        without_the_middle.len(),
        5,
        "a layer over one that is sent is sent too"
    );
    assert_eq!(names(&write(&world, &|_| true)).len(), 2);
}

/// The parts of an image as archives hold them: names and bytes.
struct Saved {
    archive: tar::Builder<Vec<u8>>,
    config: String,
    tars: Vec<Vec<u8>>,
}

fn saved(world: &World) -> Saved {
    let image = application(world);
    let config = image.config_digest();
    let mut archive = tar::Builder::new(Vec::new());
    let name = format!("{}.json", config.hex());
    append(&mut archive, &name, &world.blobs.read(&config).unwrap());
    let tars = image
        .layers()
        .iter()
        .map(|layer| {
            let mut tar = Vec::new();
            GzDecoder::new(world.blobs.open_read(&layer.digest).unwrap())
                .read_to_end(&mut tar)
                .unwrap();
            tar
        })
        .collect();
    Saved {
        archive,
        config: name,
        tars,
    }
}

fn append(archive: &mut tar::Builder<Vec<u8>>, name: &str, content: &[u8]) {
    let mut header = tar::Header::new_gnu();
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    header.set_cksum();
    archive.append_data(&mut header, name, content).unwrap();
}

fn manifest(saved: &mut Saved, images: &serde_json::Value) {
    append(
        &mut saved.archive,
        "manifest.json",
        &serde_json::to_vec(images).unwrap(),
    );
}

#[test]
fn the_old_form_has_folders_of_plain_tars_and_links_between_them() {
    let world = world();
    let mut saved = saved(&world);
    for (number, tar) in saved.tars.clone().iter().enumerate() {
        append(
            &mut saved.archive,
            &format!("layer{number}/VERSION"),
            b"1.0",
        );
        append(&mut saved.archive, &format!("layer{number}/json"), b"{}");
        append(&mut saved.archive, &format!("layer{number}/layer.tar"), tar);
    }
    let mut link = tar::Header::new_gnu();
    link.set_entry_type(tar::EntryType::Symlink);
    link.set_size(0);
    saved
        .archive
        .append_link(&mut link, "again/layer.tar", "../layer2/layer.tar")
        .unwrap();
    let config = saved.config.clone();
    manifest(
        &mut saved,
        &serde_json::json!([
            {"Config": config, "RepoTags": ["app:1"], "Layers": ["layer0/layer.tar", "layer1/layer.tar", "again/layer.tar"]}
        ]),
    );
    append(
        &mut saved.archive,
        "repositories",
        br#"{"app":{"1":"layer2"}}"#,
    );
    let bytes = saved.archive.into_inner().unwrap();
    let image = archive::read(bytes.as_slice(), None, &world.blobs).unwrap();
    assert_eq!(image.config, application(&world).config);
    assert_eq!(
        image.layers(),
        application(&world).layers(),
        "our encoder gives the same blobs again"
    );
}

#[test]
fn the_new_form_is_a_layout_with_a_manifest() {
    let world = world();
    let mut saved = saved(&world);
    let mut layers = Vec::new();
    for tar in saved.tars.clone() {
        let name = format!("blobs/sha256/{}", ergon_manifest::Digest::of(&tar).hex());
        append(&mut saved.archive, &name, &tar);
        layers.push(name);
    }
    append(
        &mut saved.archive,
        "oci-layout",
        br#"{"imageLayoutVersion":"1.0.0"}"#,
    );
    append(
        &mut saved.archive,
        "index.json",
        br#"{"schemaVersion":2,"manifests":[]}"#,
    );
    let config = saved.config.clone();
    manifest(
        &mut saved,
        &serde_json::json!([{"Config": config, "RepoTags": null, "Layers": layers}]),
    );
    let bytes = saved.archive.into_inner().unwrap();
    let image = archive::read(bytes.as_slice(), None, &world.blobs).unwrap();
    assert_eq!(image.config_digest(), application(&world).config_digest());
}

#[test]
fn of_several_images_the_name_says_which() {
    let world = world();
    let mut saved = saved(&world);
    for (number, tar) in saved.tars.clone().iter().enumerate() {
        append(&mut saved.archive, &format!("{number}.tar"), tar);
    }
    append(&mut saved.archive, "other.json", b"{}");
    let config = saved.config.clone();
    manifest(
        &mut saved,
        &serde_json::json!([
            {"Config": "other.json", "RepoTags": ["other:1"], "Layers": []},
            {"Config": config, "RepoTags": ["app:1", "app:latest"], "Layers": ["0.tar", "1.tar", "2.tar"]}
        ]),
    );
    let bytes = saved.archive.into_inner().unwrap();
    let read = |name: Option<&str>| {
        let reference = name.map(|name| name.parse::<Reference>().unwrap());
        archive::read(bytes.as_slice(), reference.as_ref(), &world.blobs)
    };
    assert_eq!(
        read(Some("docker.io/library/app")).unwrap().config_digest(),
        application(&world).config_digest()
    );
    let said = [read(None).unwrap_err(), read(Some("absent:2")).unwrap_err()]
        .map(|error| error.to_string());
    insta::assert_snapshot!(said.join("\n"), @r"
    the archive holds several images: other:1, app:1, app:latest
    the archive holds no image absent:2; it holds other:1, app:1, app:latest
    ");
}

#[test]
fn an_archive_that_lies_is_refused() {
    let world = world();
    let mut refused = Vec::new();
    for (layers, tars) in [
        (["0.tar", "0.tar", "0.tar"].as_slice(), 1),
        (&["0.tar"], 1),
        (&["0.tar", "1.tar", "absent.tar"], 2),
    ] {
        let mut saved = saved(&world);
        for (number, tar) in saved.tars.clone().iter().take(tars).enumerate() {
            append(&mut saved.archive, &format!("{number}.tar"), tar);
        }
        let config = saved.config.clone();
        manifest(
            &mut saved,
            &serde_json::json!([{"Config": config, "RepoTags": null, "Layers": layers}]),
        );
        let bytes = saved.archive.into_inner().unwrap();
        refused.push(
            archive::read(bytes.as_slice(), None, &world.blobs)
                .unwrap_err()
                .to_string(),
        );
    }
    refused.push(
        archive::read(b"".as_slice(), None, &world.blobs)
            .unwrap_err()
            .to_string(),
    );
    insta::assert_snapshot!(refused.join("\n"), @r"
    the layer 0.tar is not valid: its content has the digest sha256:f69e148ab8437eb0dadd6225e61ce382a2b082e15a4724bdc29c13e79ae3df8e, and the configuration says sha256:f910c72bcffe58f79bcdc743e100bfb6c4219e98feabfe6b252513323ba7ceb6
    the archive is not valid: manifest.json and the configuration differ in the number of layers
    the archive is not valid: it holds no absent.tar
    the archive is not valid: it holds no manifest.json
    ");
    let whole = write(&world, &|_| false);
    let broken = archive::read(&whole[..whole.len() / 2], None, &world.blobs);
    assert!(matches!(
        broken,
        Err(Error::Stream { .. } | Error::Malformed { .. })
    ));
}
