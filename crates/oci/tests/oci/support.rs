//! Small worlds to test in.

use std::collections::BTreeMap;

use ergon_oci::layer::{Content, EntryKind, LayerEntry, write_layer};
use ergon_oci::{Blobs, ConfigChange, Image, Layer, assemble};

pub const EPOCH: u64 = 315_532_800;
pub const PLATFORM: &str = "linux/amd64";

/// A folder of blobs that goes away with the test.
pub struct World {
    pub folder: tempfile::TempDir,
    pub blobs: Blobs,
}

pub fn world() -> World {
    let folder = tempfile::tempdir().unwrap();
    let blobs = Blobs::open(folder.path().join("blobs")).unwrap();
    World { folder, blobs }
}

pub fn entry(path: &str, mode: u32, kind: EntryKind) -> LayerEntry {
    LayerEntry {
        path: path.to_owned(),
        mode,
        uid: 0,
        gid: 0,
        kind,
        xattrs: BTreeMap::new(),
    }
}

pub fn file(path: &str, content: &str) -> LayerEntry {
    let size = content.len() as u64;
    entry(
        path,
        0o644,
        EntryKind::File {
            size,
            content: Content::Bytes(content.as_bytes().to_vec()),
        },
    )
}

pub fn folder(path: &str, mode: u32) -> LayerEntry {
    entry(path, mode, EntryKind::Directory)
}

pub fn layer(world: &World, entries: Vec<LayerEntry>) -> Layer {
    write_layer(entries, EPOCH, &world.blobs).unwrap()
}

/// A base of two layers and what a base's configuration usually says.
pub fn base(world: &World) -> Image {
    let lower = layer(
        world,
        vec![
            folder("etc", 0o755),
            file("etc/os-release", "ID=test\n"),
            folder("tmp", 0o1777),
        ],
    );
    let upper = layer(
        world,
        vec![folder("etc", 0o755), file("etc/motd", "hello\n")],
    );
    let change = ConfigChange {
        env: BTreeMap::from([
            ("LANG".to_owned(), "C".to_owned()),
            ("PATH".to_owned(), "/usr/bin:/bin".to_owned()),
        ]),
        cmd: Some(vec!["python3".to_owned()]),
        entrypoint: Some(vec!["/entry".to_owned()]),
        labels: BTreeMap::from([("made-by".to_owned(), "test".to_owned())]),
        ..ConfigChange::default()
    };
    let layers = [(lower, "rootfs".to_owned()), (upper, "motd".to_owned())];
    assemble(None, &layers, &change, EPOCH, PLATFORM, &world.blobs).unwrap()
}

/// An application over [`base`]: three layers.
pub fn application(world: &World) -> Image {
    let own = layer(
        world,
        vec![folder("app", 0o755), file("app/main.py", "print('hi')\n")],
    );
    let change = ConfigChange {
        user: Some("65532:65532".to_owned()),
        workdir: Some("/app".to_owned()),
        env: BTreeMap::from([
            ("LANG".to_owned(), "C.UTF-8".to_owned()),
            ("PORT".to_owned(), "8000".to_owned()),
        ]),
        cmd: Some(vec!["python".to_owned(), "main.py".to_owned()]),
        ports: vec![8000],
        volumes: vec!["/data".to_owned()],
        labels: BTreeMap::from([("dev.ergon.build.hash".to_owned(), "sha256:0".to_owned())]),
        healthcheck: Some(vec!["true".to_owned()]),
        annotations: BTreeMap::from([("dev.ergon.build.hash".to_owned(), "sha256:0".to_owned())]),
        ..ConfigChange::default()
    };
    let layers = [(own, "COPY . /app".to_owned())];
    assemble(
        Some(&base(world)),
        &layers,
        &change,
        EPOCH,
        PLATFORM,
        &world.blobs,
    )
    .unwrap()
}

/// The most memory this process had so far, in bytes.
pub fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}
