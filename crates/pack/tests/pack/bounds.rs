//! Images that are made to fill the memory of whoever looks at them.

use std::collections::BTreeMap;
use std::io::{self, Write};

use ergon_oci::layer::{Content, EntryKind, LayerEntry, write_layer};
use ergon_oci::{ConfigChange, Image, Layer, assemble};
use ergon_pack::attest::{About, Format, inventory};
use ergon_pack::{Cache, Comparison, PackError, Side, compare};
use flate2::Compression;
use flate2::write::GzEncoder;

const EPOCH: u64 = 315_532_800;
const MIB: u64 = 1 << 20;

fn cache() -> (tempfile::TempDir, Cache) {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::open(folder.path()).unwrap();
    (folder, cache)
}

fn file(path: &str, content: Vec<u8>) -> LayerEntry {
    LayerEntry {
        path: path.to_owned(),
        mode: 0o644,
        uid: 0,
        gid: 0,
        kind: EntryKind::File {
            size: content.len() as u64,
            content: Content::Bytes(content),
        },
        xattrs: BTreeMap::new(),
    }
}

fn assembled(cache: &Cache, layers: Vec<Layer>, change: &ConfigChange) -> Image {
    let layers: Vec<(Layer, String)> = layers
        .into_iter()
        .map(|layer| (layer, "test".to_owned()))
        .collect();
    assemble(None, &layers, change, EPOCH, "linux/amd64", cache.blobs()).unwrap()
}

fn image(cache: &Cache, entries: Vec<LayerEntry>) -> Image {
    let layer = write_layer(entries, EPOCH, cache.blobs()).unwrap();
    assembled(cache, vec![layer], &ConfigChange::default())
}

/// An image of one layer that is this tar, byte for byte.
fn image_of_tar(cache: &Cache, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Image {
    struct Hashing<W>(W, sha2::Sha256);
    impl<W: Write> Write for Hashing<W> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            sha2::Digest::update(&mut self.1, bytes);
            self.0.write_all(bytes)?;
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            self.0.flush()
        }
    }
    let blob = GzEncoder::new(cache.blobs().writer().unwrap(), Compression::fast());
    let mut writer = Hashing(blob, sha2::Digest::new());
    write(&mut writer).unwrap();
    let Hashing(blob, hasher) = writer;
    let (digest, size) = blob.finish().unwrap().finish().unwrap();
    let tar: [u8; 32] = sha2::Digest::finalize(hasher).into();
    let layer = Layer {
        digest,
        diff_id: ergon_manifest::Digest::from_bytes(tar),
        size,
        media_type: ergon_oci::layer::MEDIA_TYPE.to_owned(),
    };
    assembled(cache, vec![layer], &ConfigChange::default())
}

fn compared(cache: &Cache, first: &Image, second: &Image) -> Result<Comparison, PackError> {
    let blobs = cache.blobs();
    compare(
        Side {
            blobs,
            image: first,
        },
        Side {
            blobs,
            image: second,
        },
    )
}

/// The most memory this process had so far, in MiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let mut lines = status.lines();
    let line = lines.find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
}

/// The cause that is given where a file has these contents.
fn cause(cache: &Cache, path: &str, first: Vec<u8>, second: Vec<u8>) -> Option<String> {
    let first = image(cache, vec![file(path, first)]);
    let second = image(cache, vec![file(path, second)]);
    let comparison = compared(cache, &first, &second).unwrap();
    assert_eq!(comparison.different, 1);
    comparison.differences[0].cause.clone()
}

#[test]
fn texts_of_short_lines_are_compared_in_little_memory() {
    let (_folder, cache) = cache();
    let length = 8 * MIB as usize;
    let (mut first, mut second) = (vec![b'\n'; length], vec![b'\n'; length]);
    first[0] = b'x';
    second[length / 2] = b'x';
    let said = cause(&cache, "lines", first, second);
    assert_eq!(said.as_deref(), Some("the same lines in another order"));
    let (first, mut second) = (b"0,".repeat(3 << 20), b"0,".repeat(3 << 20));
    second[0] = b'1';
    cause(&cache, "data.json", first, second);
    assert!(peak() < 160, "{} MiB", peak());
}

#[test]
fn archives_inside_images_are_compared_in_little_memory() {
    let (_folder, cache) = cache();
    // A name of 200 MiB, and a list of as many entries as fit into 16 MiB.
    let gzip = |last: u8| {
        let mut header = tar::Header::new_gnu();
        header.set_path("name").unwrap();
        header.set_entry_type(tar::EntryType::GNULongName);
        header.set_size(200 * MIB);
        header.set_cksum();
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(header.as_bytes()).unwrap();
        for _ in 0..200 {
            gzip.write_all(&vec![b'n'; MIB as usize]).unwrap();
        }
        gzip.write_all(&[last; 1024]).unwrap();
        gzip.finish().unwrap()
    };
    cause(&cache, "a.tar.gz", gzip(0), gzip(1));
    let zip = |time: u8| {
        let mut zip = b"PK\x03\x04".to_vec();
        zip.resize(30, time);
        let (start, count) = (zip.len(), 330_000_u32);
        for number in 0..count {
            let mut entry = [0; 46];
            entry[..4].copy_from_slice(b"PK\x01\x02");
            entry[28] = 4; // The length of the name.
            zip.extend(entry);
            zip.extend(number.to_le_bytes());
        }
        let length = (zip.len() - start) as u64;
        let (count, end) = (u64::from(count), zip.len() as u64);
        // The end of a directory that is too long for the first form of one.
        zip.extend(b"PK\x06\x06");
        zip.extend(44_u64.to_le_bytes());
        zip.extend([45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        for number in [count, count, length, start as u64] {
            zip.extend(number.to_le_bytes());
        }
        zip.extend(b"PK\x06\x07\0\0\0\0");
        zip.extend(end.to_le_bytes());
        zip.extend(1_u32.to_le_bytes());
        zip.extend(b"PK\x05\x06\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0");
        zip
    };
    cause(&cache, "a.zip", zip(1), zip(2));
    assert!(peak() < 160, "{} MiB", peak());
}

/// Writes a tar of as many files, each with a name of some 4000 bytes.
fn long_names(count: u64, to: &mut dyn Write) -> io::Result<()> {
    for number in 0..count {
        let name = format!("{number}/{}", "long/".repeat(790));
        let mut header = tar::Header::new_gnu();
        header.set_path("name")?;
        header.set_entry_type(tar::EntryType::GNULongName);
        header.set_size(name.len() as u64);
        header.set_cksum();
        to.write_all(header.as_bytes())?;
        let mut content = name.into_bytes();
        content.resize(content.len().next_multiple_of(512), 0);
        to.write_all(&content)?;
        header.set_entry_type(tar::EntryType::Regular);
        header.set_size(0);
        header.set_mode(0o755);
        header.set_uid(0);
        header.set_gid(0);
        header.set_cksum();
        to.write_all(header.as_bytes())?;
    }
    to.write_all(&[0; 1024])
}

#[test]
fn lists_of_more_files_than_memory_holds_are_not_compared() {
    let (_folder, cache) = cache();
    let first = image_of_tar(&cache, |tar| long_names(25_000, tar));
    let second = image(&cache, vec![file("a", Vec::new())]);
    let refused = compared(&cache, &second, &first).unwrap_err().to_string();
    assert!(refused.contains("bytes of memory"), "{refused}");
    assert!(peak() < 400, "{} MiB", peak());
}

#[test]
fn whiteouts_of_whiteouts_take_no_time() {
    let (_folder, cache) = cache();
    let many = |prefix: &str| {
        let entries = (0..40_000).map(|number| LayerEntry {
            kind: EntryKind::Whiteout,
            ..file(&format!("{prefix}{number}"), Vec::new())
        });
        write_layer(entries.collect(), EPOCH, cache.blobs()).unwrap()
    };
    let first = assembled(&cache, vec![many("a"), many("b")], &ConfigChange::default());
    let second = image(&cache, vec![file("a", Vec::new())]);
    let begun = std::time::Instant::now();
    compared(&cache, &first, &second).unwrap();
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
}

#[test]
fn values_without_end_are_shown_in_part() {
    let (_folder, cache) = cache();
    let with = |letter: &str| {
        let label = letter.repeat(2 << 20);
        let change = ConfigChange {
            labels: BTreeMap::from([("long".to_owned(), label)]),
            ..ConfigChange::default()
        };
        let mut entry = file("a", Vec::new());
        let value = letter.repeat(50_000).into_bytes();
        entry.xattrs.insert("user.long".to_owned(), value);
        let layer = write_layer(vec![entry], EPOCH, cache.blobs()).unwrap();
        assembled(&cache, vec![layer], &change)
    };
    let comparison = compared(&cache, &with("a"), &with("b")).unwrap();
    assert_eq!(comparison.differences.len(), 2);
    for difference in comparison.differences {
        let shown = difference.first.unwrap().chars().count();
        assert_eq!(shown, 1024, "{}", difference.path);
    }
}

#[test]
fn more_packages_than_can_be_listed_are_a_gap() {
    let (_folder, cache) = cache();
    let mut status = Vec::new();
    for number in 0..250_000 {
        let installed = "Status: install ok installed";
        writeln!(status, "Package: p{number}\nVersion: 1\n{installed}\n").unwrap();
    }
    let image = image(&cache, vec![file("var/lib/dpkg/status", status)]);
    let found = inventory(&image, &cache).unwrap();
    assert_eq!(found.packages.len(), 40_000);
    assert!(!found.gaps.is_empty());
    let about = About::of(&image, "name");
    for format in [Format::CycloneDx, Format::Spdx] {
        let document = format.write(&about, &found);
        let text = serde_json::to_string(&document).unwrap();
        // In an envelope it has a third more bytes.
        assert!((text.len() as u64) < ergon_oci::referrers::LARGEST / 4 * 3);
    }
    assert!(peak() < 400, "{} MiB", peak());
}

#[test]
fn many_files_that_tell_of_packages_have_a_bound_in_all() {
    let (_folder, cache) = cache();
    // Each names one package and has a name as long as a name can be.
    let image = image_of_tar(&cache, |tar| {
        for number in 0..12_000 {
            let folder = format!("{number}/{}", "long/".repeat(780));
            let name = format!("{folder}node_modules/a/package.json");
            let content = format!(r#"{{"name":"p{number}","version":"1"}}"#);
            let mut header = tar::Header::new_gnu();
            header.set_path("name")?;
            header.set_entry_type(tar::EntryType::GNULongName);
            header.set_size(name.len() as u64);
            header.set_cksum();
            tar.write_all(header.as_bytes())?;
            let mut long = name.into_bytes();
            long.resize(long.len().next_multiple_of(512), 0);
            tar.write_all(&long)?;
            header.set_entry_type(tar::EntryType::Regular);
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            header.set_uid(0);
            header.set_gid(0);
            header.set_cksum();
            tar.write_all(header.as_bytes())?;
            let mut content = content.into_bytes();
            content.resize(512, 0);
            tar.write_all(&content)?;
        }
        tar.write_all(&[0; 1024])
    });
    let found = inventory(&image, &cache).unwrap();
    let gap = found
        .gaps
        .iter()
        .find(|gap| gap.contains("more than can be listed"));
    assert!(gap.is_some(), "{:?}", found.gaps);
    let document = Format::CycloneDx.write(&About::of(&image, "name"), &found);
    let length = document.to_string().len() as u64;
    assert!(length < ergon_oci::referrers::LARGEST / 4 * 3, "{length}");
    assert!(peak() < 400, "{} MiB", peak());
}
