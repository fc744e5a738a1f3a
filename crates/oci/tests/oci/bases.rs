//! What base names mean, and the ways in which bases come here.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;

use ergon_oci::bases::{Base, Bases, Source};
use ergon_oci::{ConfigChange, Error, Image, Reference, archive, assemble, layout};
use jiff::Timestamp;

use crate::support::{EPOCH, PLATFORM, World, application, base, world};

fn now() -> Timestamp {
    Timestamp::from_second(1_700_000_000).unwrap()
}

fn name(text: &str) -> Reference {
    text.parse().unwrap()
}

fn bases(world: &World) -> Bases {
    Bases::new(world.folder.path().join("bases"), world.blobs.clone())
}

#[test]
fn a_name_means_what_was_last_held_under_it() {
    let world = world();
    let bases = bases(&world);
    let python = name("python:3.11-slim");
    assert_eq!(bases.resolve(&python, PLATFORM).unwrap(), None);
    assert_eq!(bases.list().unwrap(), []);
    let image = base(&world);
    let held = bases.hold(&python, &image, Source::Layout, now()).unwrap();
    assert_eq!(
        bases
            .resolve(&name("docker.io/library/python:3.11-slim"), PLATFORM)
            .unwrap(),
        Some(held.clone())
    );
    assert_eq!(
        bases.resolve(&name("python:3.12-slim"), PLATFORM).unwrap(),
        None
    );

    let newer = bases
        .hold(&python, &application(&world), Source::Registry, now())
        .unwrap();
    assert_eq!(bases.list().unwrap(), [newer]);
    assert_eq!(bases.find(&python, &image.digest).unwrap(), None);
    bases
        .hold(&name("old"), &image, Source::Layout, now())
        .unwrap();
    let found = bases.find(&python, &image.digest).unwrap().unwrap();
    assert_eq!(
        (found.reference, found.digest),
        (python.clone(), image.digest)
    );
    assert_eq!(
        bases
            .resolve(&python.at_digest(image.digest), PLATFORM)
            .unwrap()
            .unwrap()
            .digest,
        image.digest
    );

    assert!(bases.remove(&python).unwrap());
    assert!(!bases.remove(&python).unwrap());
    assert_eq!(bases.resolve(&python, PLATFORM).unwrap(), None);
}

#[test]
fn a_record_is_plain_to_read() {
    let world = world();
    let held = bases(&world)
        .hold(&name("python"), &base(&world), Source::Docker, now())
        .unwrap();
    let shown = serde_json::to_string_pretty(&held)
        .unwrap()
        .replace(&held.digest.hex(), "…");
    insta::assert_snapshot!(shown, @r#"
    {
      "reference": "docker.io/library/python:latest",
      "digest": "sha256:…",
      "platform": "linux/amd64",
      "source": "docker",
      "held_since": "2023-11-14T22:13:20Z"
    }
    "#);
    assert_eq!(
        serde_json::from_str::<Base>(&serde_json::to_string(&held).unwrap()).unwrap(),
        held
    );
}

#[test]
fn damage_is_as_good_as_nothing() {
    let world = world();
    let bases = bases(&world);
    let image = base(&world);
    let python = name("python");
    bases.hold(&python, &image, Source::Layout, now()).unwrap();
    let record = std::fs::read_dir(world.folder.path().join("bases"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let content = std::fs::read(&record).unwrap();
    std::fs::write(&record, &content[..content.len() / 2]).unwrap();
    assert_eq!(bases.resolve(&python, PLATFORM).unwrap(), None);
    std::fs::write(&record, &content).unwrap();
    assert!(bases.resolve(&python, PLATFORM).unwrap().is_some());
    std::fs::remove_file(world.blobs.path(&image.layers()[1].digest)).unwrap();
    assert_eq!(bases.resolve(&python, PLATFORM).unwrap(), None);
    assert_eq!(bases.list().unwrap(), []);
    let refused = bases.hold(&python, &image, Source::Layout, now());
    assert!(matches!(refused, Err(Error::MissingBlob { .. })));
}

#[test]
fn an_archive_and_a_layout_become_bases() {
    let world = world();
    let bases = bases(&world);
    let image = application(&world);
    let mut saved = Vec::new();
    archive::write_docker(
        &world.blobs,
        &image,
        &["a:1".to_owned()],
        &|_| false,
        &mut saved,
    )
    .unwrap();
    let from_docker = bases
        .import_docker_save(saved.as_slice(), &name("a:1"), now())
        .unwrap();
    assert_eq!(
        Image::load(&world.blobs, &from_docker.digest)
            .unwrap()
            .config_digest(),
        image.config_digest()
    );
    assert_eq!(from_docker.source, Source::Docker);

    let path = world.folder.path().join("layout");
    layout::write(&world.blobs, &image, &path, "x").unwrap();
    let from_layout = bases
        .import_layout(&path, None, &name("a:2"), PLATFORM, now())
        .unwrap();
    assert_eq!(from_layout.digest, image.digest, "bit for bit");
    assert_eq!(bases.list().unwrap().len(), 2);
}

#[test]
fn a_root_file_system_becomes_one_layer_that_depends_on_its_content_only() {
    let world = world();
    let root = world.folder.path().join("root");
    for folder in ["etc", "usr/bin", "tmp"] {
        std::fs::create_dir_all(root.join(folder)).unwrap();
    }
    std::fs::write(root.join("etc/os-release"), "ID=test\n").unwrap();
    std::fs::write(root.join("usr/bin/tool"), "#!/bin/sh\n").unwrap();
    std::fs::set_permissions(root.join("usr/bin/tool"), PermissionsExt::from_mode(0o4755)).unwrap();
    std::fs::set_permissions(root.join("tmp"), PermissionsExt::from_mode(0o1777)).unwrap();
    std::fs::hard_link(root.join("usr/bin/tool"), root.join("usr/bin/alias")).unwrap();
    symlink("usr/bin", root.join("bin")).unwrap();
    assert!(
        Command::new("mkfifo")
            .arg(root.join("tmp/pipe"))
            .status()
            .unwrap()
            .success()
    );

    let change = ConfigChange {
        cmd: Some(vec!["sh".to_owned()]),
        ..ConfigChange::default()
    };
    let import = |options: &[&str], reference: &str| {
        let output = Command::new("tar")
            .args(["--create", "--owner=0", "--group=0", "--directory"])
            .arg(&root)
            .args(options)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        bases(&world)
            .import_rootfs(
                output.stdout.as_slice(),
                &name(reference),
                &change,
                EPOCH,
                PLATFORM,
                now(),
            )
            .unwrap()
    };
    let plain = import(&["."], "base");
    let other = import(
        &[
            "--gzip",
            "--format=pax",
            "--mtime=2020-01-01",
            "usr",
            "tmp",
            "etc",
            "bin",
        ],
        "base",
    );
    assert_eq!(plain.digest, other.digest);
    let image = Image::load(&world.blobs, &plain.digest).unwrap();
    assert_eq!(image.config.config.cmd, ["sh"]);
    let layer = world.blobs.path(&image.layers()[0].digest);
    let listed = Command::new("tar")
        .arg("-tf")
        .arg(layer)
        .output()
        .unwrap()
        .stdout;
    insta::assert_snapshot!(String::from_utf8(listed).unwrap(), @r"
    bin
    etc/
    etc/os-release
    tmp/
    usr/
    usr/bin/
    usr/bin/alias
    usr/bin/tool
    ");

    let empty = bases(&world).import_rootfs(
        [0_u8; 1024].as_slice(),
        &name("e"),
        &change,
        EPOCH,
        PLATFORM,
        now(),
    );
    assert!(matches!(empty, Err(Error::Malformed { .. })));
}

#[test]
fn a_name_means_another_image_for_each_platform() {
    let world = world();
    let bases = bases(&world);
    let python = name("python:3.11-slim");
    let image = |platform: &str| {
        let change = ConfigChange::default();
        assemble(None, &[], &change, EPOCH, platform, &world.blobs).unwrap()
    };
    let (amd, arm) = (image("linux/amd64"), image("linux/arm64/v8"));
    for image in [&amd, &arm] {
        bases.hold(&python, image, Source::Layout, now()).unwrap();
    }
    let means = |platform: &str| {
        let held = bases.resolve(&python, platform).unwrap();
        held.map(|base| base.digest)
    };
    assert_eq!(means("linux/amd64"), Some(amd.digest));
    assert_eq!(means("linux/arm64"), Some(arm.digest));
    assert_eq!(means("linux/arm64/v8"), Some(arm.digest));
    // An image that names no variant is for all of them.
    assert_eq!(means("linux/amd64/v3"), Some(amd.digest));
    assert_eq!(means("linux/s390x"), None);
    let at = bases.resolve(&python.at_digest(arm.digest), "linux/amd64");
    assert_eq!(at.unwrap(), None);
    assert!(bases.remove(&python).unwrap());
    assert_eq!(bases.list().unwrap(), []);
}

#[test]
fn what_an_older_cache_held_is_still_held() {
    let world = world();
    let bases = bases(&world);
    let python = name("python:3.11-slim");
    let image = base(&world);
    bases.hold(&python, &image, Source::Docker, now()).unwrap();
    let folder = world.folder.path().join("bases");
    let only = || {
        let mut entries = std::fs::read_dir(&folder).unwrap();
        let path = entries.next().unwrap().unwrap().path();
        assert!(entries.next().is_none());
        path
    };
    // Named by the reference alone, with no word of a platform.
    let key = ergon_manifest::Digest::of(python.canonical().as_bytes());
    let older = folder.join(format!("{}.json", key.hex()));
    std::fs::rename(only(), &older).unwrap();
    let text = std::fs::read_to_string(&older).unwrap();
    std::fs::write(
        &older,
        text.replace("  \"platform\": \"linux/amd64\",\n", ""),
    )
    .unwrap();

    let held = bases.resolve(&python, PLATFORM).unwrap().unwrap();
    assert_eq!(
        (held.digest, held.platform.as_str()),
        (image.digest, PLATFORM)
    );
    assert_eq!(bases.resolve(&python, "linux/arm64").unwrap(), None);
    // A newer one takes its place.
    let newer = bases.hold(&python, &application(&world), Source::Docker, now());
    assert_eq!(bases.list().unwrap(), [newer.unwrap()]);
    assert_ne!(only(), older);
}
