//! The same hostile layers, given to everything that reads images: a layout, a docker-archive, a base that is
//! imported, `diff`, `sbom` and `verify`.

use std::io::Write as _;

use ergon_manifest::Digest;
use ergon_oci::layer::{MEDIA_TYPE, OpaqueMark, read_layer, unpack_layer};
use ergon_oci::{ConfigChange, Error, Image, Layer, archive, assemble, layout};
use ergon_pack::attest::check::{Chain, Outcome, What};
use ergon_pack::attest::{StackKey, inventory};
use ergon_pack::{Cache, Side, compare};
use flate2::Compression;
use flate2::write::GzEncoder;

const EPOCH: u64 = 315_532_800;
const PLATFORM: &str = "linux/amd64";

struct World {
    folder: tempfile::TempDir,
    cache: Cache,
}

fn world() -> World {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::open(folder.path().join("cache")).unwrap();
    World { folder, cache }
}

/// An entry as it stands in a tar: its header and its content.
fn entry(name: &str, kind: u8, link: &str, content: &[u8]) -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
    header.as_mut_bytes()[157..157 + link.len()].copy_from_slice(link.as_bytes());
    header.set_entry_type(tar::EntryType::new(kind));
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(content.len() as u64);
    header.set_cksum();
    let mut bytes = header.as_bytes().to_vec();
    bytes.extend(content);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

fn tar(entries: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = entries.concat();
    bytes.extend([0; 1024]);
    bytes
}

/// A sparse file that claims to have so many bytes.
fn sparse(size: u64) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.set_path("sparse").unwrap();
    header.set_entry_type(tar::EntryType::new(b'S'));
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(0);
    // One piece of no bytes at the end, and the real size.
    for at in [386, 483] {
        let number = &mut header.as_mut_bytes()[at..at + 12];
        number[4..].copy_from_slice(&size.to_be_bytes());
        number[0] = 0x80;
    }
    header.as_mut_bytes()[398..410].copy_from_slice(b"00000000000\0");
    header.set_cksum();
    header.as_bytes().to_vec()
}

fn gzip(tar: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(tar).unwrap();
    gzip.finish().unwrap()
}

impl World {
    /// An image of one layer whose blob is `blob`; its configuration says that the tar inside is `tar`.
    fn image(&self, blob: &[u8], tar: &[u8]) -> Image {
        let layer = Layer {
            digest: self.cache.blobs().put(blob).unwrap(),
            diff_id: Digest::of(tar),
            size: blob.len() as u64,
            media_type: MEDIA_TYPE.to_owned(),
        };
        let layers = [(layer, "hostile".to_owned())];
        let (change, blobs) = (ConfigChange::default(), self.cache.blobs());
        assemble(None, &layers, &change, EPOCH, PLATFORM, blobs).unwrap()
    }

    /// What each reader makes of it: an error, or `ok`.
    fn read(&self, blob: &[u8], tar: &[u8]) -> Vec<(&'static str, String)> {
        let image = self.image(blob, tar);
        let harmless = tar_of("harmless");
        let other = self.image(&gzip(&harmless), &harmless);
        let blobs = self.cache.blobs();
        let said = |result: Result<(), Error>| match result {
            Ok(()) => "ok".to_owned(),
            Err(error) => error.to_string(),
        };
        let side = |image| Side { blobs, image };
        let compared = match compare(side(&other), side(&image)) {
            Ok(comparison) => format!("{} differ", comparison.different),
            Err(error) => error.to_string(),
        };
        let listed = inventory(&image, &self.cache).unwrap().gaps;
        let key = StackKey::open(self.folder.path()).unwrap();
        let chain = Chain {
            image: &image,
            blobs,
            referrers: &[],
            key: key.public(),
            source: None,
        };
        let mut checks = chain.check().into_iter();
        let content = checks.find(|check| check.what == What::Content).unwrap();
        let verified = match content.outcome {
            Outcome::Holds => "ok".to_owned(),
            _ => content.detail,
        };

        let path = self.folder.path().join("layout");
        layout::write(blobs, &image, &path, "a").unwrap();
        let elsewhere = Cache::open(self.folder.path().join("elsewhere")).unwrap();
        let in_layout = layout::read(&path, Some("a"), PLATFORM, elsewhere.blobs());

        let config = blobs.read(&image.config_digest()).unwrap();
        let saved = br#"[{"Config":"config.json","RepoTags":null,"Layers":["layer.tar"]}]"#;
        let saved = self::tar(&[
            entry("config.json", b'0', "", &config),
            entry("layer.tar", b'0', "", blob),
            entry("manifest.json", b'0', "", saved),
        ]);
        let in_archive = archive::read(saved.as_slice(), None, elsewhere.blobs());

        let bases = elsewhere.bases();
        let (name, now) = ("base:1".parse().unwrap(), jiff::Timestamp::UNIX_EPOCH);
        let change = ConfigChange::default();
        let imported = bases.import_rootfs(blob, &name, &change, EPOCH, PLATFORM, now);

        let root = self.folder.path().join("root");
        let _ = std::fs::remove_dir_all(&root);
        std::fs::create_dir(&root).unwrap();
        let unpacked = unpack_layer(blob, &root, OpaqueMark::User);
        let outside = self.folder.path().join("outside");
        assert!(!outside.exists(), "something was written outside");
        vec![
            ("layout", said(in_layout.map(drop))),
            ("archive", said(in_archive.map(drop))),
            ("base", said(imported.map(drop))),
            ("unpack", said(unpacked)),
            ("diff", compared),
            ("sbom", listed.into_iter().next().unwrap_or("ok".to_owned())),
            ("verify", verified),
        ]
    }
}

fn tar_of(name: &str) -> Vec<u8> {
    tar(&[entry(name, b'0', "", b"content")])
}

/// What each reader says, one line each, of a tar that is intact as such.
fn told(tar: &[u8]) -> String {
    let world = world();
    let said = world.read(&gzip(tar), tar);
    let digest = world.image(&gzip(tar), tar).layers()[0].digest.to_string();
    let lines = said
        .iter()
        .map(|(reader, said)| format!("{reader}: {said}"));
    let lines = lines.collect::<Vec<_>>().join("\n");
    lines.replace(&digest, "LAYER")
}

#[test]
fn a_name_or_a_link_with_dots_in_it_leads_nowhere() {
    insta::assert_snapshot!(told(&tar_of("../outside")), @r"
    layout: ok
    archive: ok
    base: a layer cannot hold `../outside`: `..` would leave the folder it is unpacked to
    unpack: a layer cannot hold `../outside`: `..` would leave the folder it is unpacked to
    diff: a layer cannot hold `../outside`: `..` would leave the folder it is unpacked to
    sbom: the layer LAYER could not be read to its end: a layer cannot hold `../outside`: `..` would leave the folder it is unpacked to
    verify: ok
    ");
    insta::assert_snapshot!(told(&tar(&[entry("a", b'1', "../outside", b"")])), @r"
    layout: ok
    archive: ok
    base: a layer cannot hold `../outside`: `..` would leave the folder it is unpacked to
    unpack: a layer cannot hold `../outside`: `..` would leave the folder it is unpacked to
    diff: a layer cannot hold `../outside`: `..` would leave the folder it is unpacked to
    sbom: the layer LAYER could not be read to its end: a layer cannot hold `../outside`: `..` would leave the folder it is unpacked to
    verify: ok
    ");
}

#[test]
fn an_absolute_name_leads_in_also_through_a_link() {
    let names = tar(&[
        entry("/etc/a", b'0', "", b"content"),
        entry("up", b'2', "/../..", b""),
        entry("up/outside", b'0', "", b"content"),
    ]);
    insta::assert_snapshot!(told(&names), @r"
    layout: ok
    archive: ok
    base: a layer cannot hold `up/outside`: `up` is not a folder
    unpack: ok
    diff: 4 differ
    sbom: ok
    verify: ok
    ");
}

#[test]
fn devices_are_passed_over() {
    let devices = tar(&[
        entry("dev/sda", b'4', "", b""),
        entry("dev/zero", b'3', "", b""),
        entry("pipe", b'6', "", b""),
    ]);
    insta::assert_snapshot!(told(&devices), @r"
    layout: ok
    archive: ok
    base: the root file system is not valid: the tar is empty
    unpack: ok
    diff: 1 differ
    sbom: ok
    verify: ok
    ");
}

#[test]
fn a_sparse_file_of_a_pebibyte_is_refused() {
    insta::assert_snapshot!(told(&tar(&[sparse(1 << 50)])), @r"
    layout: ok
    archive: ok
    base: a layer cannot hold `sparse`: with it, sparse files have more than 68719476736 bytes of holes
    unpack: a layer cannot hold `sparse`: with it, sparse files have more than 68719476736 bytes of holes
    diff: a layer cannot hold `sparse`: with it, sparse files have more than 68719476736 bytes of holes
    sbom: the layer LAYER could not be read to its end: a layer cannot hold `sparse`: with it, sparse files have more than 68719476736 bytes of holes
    verify: ok
    ");
}

#[test]
fn what_breaks_off_or_is_damaged_is_noticed_by_whoever_reads_it() {
    let whole = tar(&[entry("a", b'0', "", &[7; 5000])]);
    let blob = gzip(&whole);
    let mut wrong = blob.clone();
    let last = wrong.len() - 6;
    wrong[last] ^= 1;
    let mut junk = blob.clone();
    junk[20..].fill(0xff);
    for broken in [
        &blob[..blob.len() / 2],
        &blob[..blob.len() - 5],
        &wrong,
        &junk,
    ] {
        for (reader, said) in world().read(broken, &whole) {
            // A layout is taken over bit for bit, and nobody has looked into it yet.
            let is_error = said.contains("cannot read") || said.contains("layer sha256");
            assert!(is_error || reader == "layout", "{reader}: {said}");
        }
    }
}

#[test]
fn a_digest_that_lies_is_noticed_by_whoever_can_know() {
    let (harmless, other) = (tar_of("harmless"), tar_of("other"));
    for (reader, said) in world().read(&gzip(&other), &harmless) {
        let knows = ["archive", "verify"].contains(&reader);
        assert_eq!(
            said.contains("the configuration says"),
            knows,
            "{reader}: {said}"
        );
    }
    // A blob that is not what its name says.
    let world = world();
    let image = world.image(&gzip(&other), &other);
    let blobs = world.cache.blobs();
    let path = world.folder.path().join("layout");
    layout::write(blobs, &image, &path, "a").unwrap();
    let layer = image.layers()[0].digest;
    for place in [
        path.join("blobs/sha256").join(layer.hex()),
        blobs.path(&layer),
    ] {
        let mut content = std::fs::read(&place).unwrap();
        content[12] ^= 1;
        std::fs::write(place, content).unwrap();
    }
    let elsewhere = Cache::open(world.folder.path().join("elsewhere")).unwrap();
    let read = layout::read(&path, None, PLATFORM, elsewhere.blobs());
    assert!(matches!(read, Err(Error::DamagedBlob { .. })), "{read:?}");
    assert!(!elsewhere.blobs().contains(&layer));
    let key = StackKey::open(world.folder.path()).unwrap();
    let chain = Chain {
        image: &image,
        blobs,
        referrers: &[],
        key: key.public(),
        source: None,
    };
    let content = chain.check().remove(0);
    assert_eq!(content.outcome, Outcome::Broken);
    assert!(content.detail.contains("is damaged"), "{}", content.detail);
}

#[test]
fn every_reader_reads_a_layer_that_means_no_harm() {
    let harmless = tar_of("harmless");
    let mut seen = Vec::new();
    read_layer(harmless.as_slice(), |entry, _| {
        seen.push(entry.path);
        Ok::<_, Error>(())
    })
    .unwrap();
    assert_eq!(seen, ["harmless"]);
    for (reader, said) in world().read(&gzip(&harmless), &harmless) {
        assert!(said == "ok" || reader == "diff", "{reader}: {said}");
    }
}
