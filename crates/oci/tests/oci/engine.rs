//! A real Docker Engine: what we write it loads, under the id that we computed.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use ergon_oci::bases::Bases;
use ergon_oci::{Blobs, ConfigChange, Image, Reference, archive, assemble};
use jiff::Timestamp;

use crate::support::{EPOCH, PLATFORM, World, entry, file, folder, layer, world};

fn docker(arguments: &[&str]) -> Output {
    Command::new("docker")
        .args(arguments)
        .output()
        .expect("docker is needed for this test; dev/setup installs it")
}

fn said(output: &Output) -> String {
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Images that are removed from the engine with the test. Each test has content of its own, so
/// that tests at the same time do not remove one another's layers.
struct Loaded(Vec<String>);

impl Drop for Loaded {
    fn drop(&mut self) {
        for name in &self.0 {
            docker(&["image", "rm", "--force", name]);
        }
    }
}

fn unique(name: &str) -> String {
    format!("ergon-oci-test-{name}-{}:1", std::process::id())
}

/// A base and an image over it, both with everything that a layer can do.
fn images(world: &World, name: &str) -> (Image, Image) {
    let lower = layer(
        world,
        vec![
            file("etc/who", name),
            file("etc/gone", "x"),
            file("srv/old", "x"),
            folder("tmp", 0o1777),
            file(&format!("usr/share/{}/long", "n".repeat(150)), "long\n"),
        ],
    );
    let upper = layer(
        world,
        vec![
            folder("etc", 0o755),
            entry("etc/gone", 0, ergon_oci::layer::EntryKind::Whiteout),
            folder("srv", 0o755),
            entry("srv", 0, ergon_oci::layer::EntryKind::OpaqueDirectory),
            file("srv/new", "new\n"),
            file("a", "a\n"),
            entry(
                "b",
                0,
                ergon_oci::layer::EntryKind::Hardlink("a".to_owned()),
            ),
            file("etc/Főtanúsítvány.crt", "ő\n"),
        ],
    );
    let change = ConfigChange {
        cmd: Some(vec!["/nothing".to_owned()]),
        ports: vec![80],
        ..ConfigChange::default()
    };
    let base = assemble(
        None,
        &[(lower, "lower".to_owned())],
        &change,
        EPOCH,
        PLATFORM,
        &world.blobs,
    )
    .unwrap();
    let change = ConfigChange {
        healthcheck: Some(vec!["true".to_owned()]),
        ..ConfigChange::default()
    };
    let image = assemble(
        Some(&base),
        &[(upper, "upper".to_owned())],
        &change,
        EPOCH,
        PLATFORM,
        &world.blobs,
    )
    .unwrap();
    (base, image)
}

fn load(
    world: &World,
    image: &Image,
    tag: &str,
    leave_out: &dyn Fn(&ergon_manifest::Digest) -> bool,
) -> Output {
    let mut bytes = Vec::new();
    archive::write_docker(
        &world.blobs,
        image,
        &[tag.to_owned()],
        leave_out,
        &mut bytes,
    )
    .unwrap();
    let mut child = Command::new("docker")
        .arg("load")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("docker is needed for this test; dev/setup installs it");
    // A load that fails early closes the pipe; what it says is in its output.
    let _ = child.stdin.take().unwrap().write_all(&bytes);
    child.wait_with_output().unwrap()
}

fn id(name: &str) -> String {
    said(&docker(&["image", "inspect", "--format", "{{.Id}}", name]))
}

#[test]
fn the_engine_gives_an_image_the_id_that_we_computed() {
    let world = world();
    let (_, image) = images(&world, "id");
    let tag = unique("id");
    let _loaded = Loaded(vec![tag.clone()]);
    said(&load(&world, &image, &tag, &|_| false));
    assert_eq!(id(&tag), image.config_digest().to_string());
    let health = said(&docker(&[
        "image",
        "inspect",
        "--format",
        "{{json .Config.Healthcheck}}",
        &tag,
    ]));
    assert_eq!(health, r#"{"Test":["CMD","true"]}"#);
    let history = said(&docker(&[
        "history",
        "--no-trunc",
        "--format",
        "{{.CreatedBy}}",
        &tag,
    ]));
    assert_eq!(history, "upper\nlower");

    let container = said(&docker(&["create", &tag]));
    let export = docker(&["export", &container]);
    docker(&["rm", &container]);
    let mut names = Vec::new();
    ergon_oci::layer::read_layer(export.stdout.as_slice(), |entry, _| {
        names.push(entry.path.replace(&"n".repeat(150), "nnn…"));
        Ok::<_, ergon_oci::Error>(())
    })
    .unwrap();
    names.retain(|name| {
        !["dev", "proc", "sys"]
            .iter()
            .any(|own| name.starts_with(own))
    });
    names.sort();
    insta::assert_snapshot!(names.join("\n"), @r"
    .dockerenv
    a
    b
    etc
    etc/Főtanúsítvány.crt
    etc/hostname
    etc/hosts
    etc/mtab
    etc/resolv.conf
    etc/who
    srv
    srv/new
    tmp
    usr
    usr/share
    usr/share/nnn…
    usr/share/nnn…/long
    ");
}

#[test]
fn layers_that_the_engine_has_need_not_be_sent() {
    let world = world();
    let (base, image) = images(&world, "left-out");
    let (below, above) = (unique("below"), unique("above"));
    let _loaded = Loaded(vec![above.clone(), below.clone()]);
    let known: Vec<_> = base.diff_ids().collect();

    let refused = load(&world, &image, &above, &|diff_id| known.contains(diff_id));
    assert!(!refused.status.success(), "the engine has none of them yet");
    said(&load(&world, &base, &below, &|_| false));
    said(&load(&world, &image, &above, &|diff_id| {
        known.contains(diff_id)
    }));
    assert_eq!(id(&above), image.config_digest().to_string());
    said(&load(&world, &image, &above, &|_| true));
}

#[test]
fn an_image_of_the_engine_is_imported_with_its_id_and_always_the_same_digest() {
    let world = world();
    let (_, image) = images(&world, "import");
    let tag = unique("import");
    let _loaded = Loaded(vec![tag.clone()]);
    said(&load(&world, &image, &tag, &|_| false));

    let reference: Reference = tag.parse().unwrap();
    let import = |folder: &str| {
        let blobs = Blobs::open(world.folder.path().join(folder)).unwrap();
        let bases = Bases::new(
            world.folder.path().join(folder).join("bases"),
            blobs.clone(),
        );
        let mut save = Command::new("docker")
            .args(["save", &tag])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let base = bases
            .import_docker_save(
                save.stdout.take().unwrap(),
                &reference,
                Timestamp::UNIX_EPOCH,
            )
            .unwrap();
        assert!(save.wait().unwrap().success());
        Image::load(&blobs, &base.digest).unwrap()
    };
    let (first, second) = (import("first"), import("second"));
    assert_eq!(first, second);
    assert_eq!(first.config_digest(), image.config_digest());
    assert_eq!(
        first.diff_ids().collect::<Vec<_>>(),
        image.diff_ids().collect::<Vec<_>>()
    );
    // The engine keeps the very bytes of a layer's tar, and our encoder is the same.
    assert_eq!(first.layers(), image.layers());
}
