//! What claims to be larger than anything: refused before it takes memory, disk or time.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use ergon_manifest::{Digest, canonical_json};
use ergon_oci::bases::Bases;
use ergon_oci::layer::read_layer;
use ergon_oci::model::Descriptor;
use ergon_oci::{Blobs, ConfigChange, Error, Image, archive, layout};
use rustix::fs::{CWD, FileType, Mode};

use crate::support::{EPOCH, PLATFORM, World, application, peak_memory, world};

/// One mebibyte.
const MIB: u64 = 1 << 20;

fn header(kind: u8, size: u64) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.set_path("name").unwrap();
    header.set_entry_type(tar::EntryType::new(kind));
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(size);
    header.set_cksum();
    header.as_bytes().to_vec()
}

/// An entry of `kind` with `size` bytes of content, and a small file behind it.
fn claiming(kind: u8, size: u64) -> impl Read {
    let file = [header(b'0', 0), vec![0; 1024]].concat();
    io::Cursor::new(header(kind, size))
        .chain(io::repeat(b'n').take(size))
        .chain(io::Cursor::new(file))
}

/// A sparse file in GNU's old form, whose pieces are `pieces`: where they are and how long.
fn sparse(pieces: &[(u64, u64)], real_size: u64) -> Vec<u8> {
    let put = |bytes: &mut [u8], at: usize, number: u64| {
        bytes[at..at + 12].copy_from_slice(&[0; 12]);
        bytes[at + 4..at + 12].copy_from_slice(&number.to_be_bytes());
        bytes[at] |= 0x80;
    };
    let stored = pieces.iter().map(|(_, length)| length).sum();
    let mut header = header(b'S', stored);
    let (first, rest) = pieces.split_at(pieces.len().min(4));
    for (index, (offset, length)) in first.iter().enumerate() {
        put(&mut header, 386 + index * 24, *offset);
        put(&mut header, 398 + index * 24, *length);
    }
    header[482] = u8::from(!rest.is_empty());
    put(&mut header, 483, real_size);
    let mut header = tar::Header::from_byte_slice(&header).clone();
    header.set_cksum();
    let mut bytes = header.as_bytes().to_vec();
    for (number, block) in rest.chunks(21).enumerate() {
        let mut extended = vec![0; 512];
        for (index, (offset, length)) in block.iter().enumerate() {
            put(&mut extended, index * 24, *offset);
            put(&mut extended, index * 24 + 12, *length);
        }
        extended[504] = u8::from((number + 1) * 21 < rest.len());
        bytes.extend(extended);
    }
    bytes.resize(
        bytes.len() + usize::try_from(stored).unwrap().next_multiple_of(512),
        b'c',
    );
    bytes.resize(bytes.len() + 1024, 0);
    bytes
}

fn drain(layer: impl Read) -> Result<u64, Error> {
    let mut read = 0;
    read_layer(layer, |_, content| {
        read += io::copy(content, &mut io::sink()).map_err(Error::stream("read", "it"))?;
        Ok::<_, Error>(())
    })?;
    Ok(read)
}

/// Fails where something waits for what never comes.
fn ends<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || sender.send(work()));
    receiver
        .recv_timeout(Duration::from_secs(30))
        .expect("it never ends")
}

#[test]
fn long_names_and_records_take_no_memory() {
    let world = world();
    for kind in *b"LKx" {
        for size in [MIB + 1, 400 * MIB, 1 << 32] {
            let refused = drain(claiming(kind, size)).unwrap_err().to_string();
            assert!(refused.contains("stands in front of an entry"), "{refused}");
            let refused = archive::read(claiming(kind, size), None, &world.blobs);
            let refused = refused.unwrap_err().to_string();
            assert!(refused.contains("stands in front of an entry"), "{refused}");
        }
    }
    // What belongs to all entries is passed over.
    assert_eq!(drain(claiming(b'g', 400 * MIB)).unwrap(), 0);
    assert!(peak_memory() < 100 * MIB, "{} MiB", peak_memory() / MIB);
}

#[test]
fn contents_do_not_count_as_what_stands_in_front() {
    let content = 5 * MIB + 3;
    let mut tar = Vec::new();
    for _ in 0..3 {
        tar.extend(header(b'0', content));
        tar.resize(
            tar.len() + usize::try_from(content).unwrap().next_multiple_of(512),
            b'c',
        );
    }
    tar.extend([0; 1024]);
    assert_eq!(drain(tar.as_slice()).unwrap(), 3 * content);
    let mut seen = 0;
    read_layer(tar.as_slice(), |_, _| {
        seen += 1;
        Ok::<_, Error>(())
    })
    .unwrap();
    assert_eq!(seen, 3, "also where nobody reads the contents");
    let pieces: Vec<_> = (0..2000).map(|index| (index * 4096, 512)).collect();
    let holes = sparse(&pieces, 1999 * 4096 + 512);
    assert_eq!(drain(holes.as_slice()).unwrap(), 1999 * 4096 + 512);
}

#[test]
fn a_sparse_file_cannot_claim_any_size() {
    for size in [65 << 30, 1 << 50, u64::MAX - 1024] {
        let refused = drain(sparse(&[(size - 512, 512)], size).as_slice());
        let refused = refused.unwrap_err().to_string();
        assert!(
            refused.contains("more than 68719476736 bytes of holes"),
            "{refused}"
        );
    }
    // Many that are small enough, too: each claims 40 GiB.
    let one = sparse(&[((40 << 30) - 512, 512)], 40 << 30);
    let entry = &one[..one.len() - 1024];
    let several = [entry, entry].concat();
    let mut seen = 0;
    let refused = read_layer(several.as_slice(), |_, _| {
        seen += 1;
        Ok::<_, Error>(())
    });
    assert!(refused.is_err() && seen == 1, "{seen}");
    let pieces: Vec<_> = (0..20_000).map(|index| (index * 2, 0)).collect();
    let refused = drain(sparse(&pieces, 19_999 * 2).as_slice()).unwrap_err();
    assert!(refused.to_string().contains("too many pieces"), "{refused}");
}

#[test]
fn a_path_that_linux_would_not_take_is_refused() {
    let long = format!("{}end", "folder/".repeat(600));
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(0);
    header.set_mode(0o644);
    tar.append_data(&mut header, &long, io::empty()).unwrap();
    let refused = drain(tar.into_inner().unwrap().as_slice()).unwrap_err();
    assert!(
        refused.to_string().contains("more than 4096 bytes"),
        "{refused}"
    );
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(0);
    header.set_mode(0o644);
    header.set_entry_type(tar::EntryType::Symlink);
    tar.append_link(&mut header, "link", &long).unwrap();
    let refused = drain(tar.into_inner().unwrap().as_slice()).unwrap_err();
    assert!(
        refused.to_string().contains("more than 4096 bytes"),
        "{refused}"
    );
}

/// As many folders or files with long names as anybody asks for, as a stream.
struct Endless {
    kind: u8,
    number: u64,
    part: io::Cursor<Vec<u8>>,
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.part.position() == self.part.get_ref().len() as u64 {
            self.number += 1;
            let name = format!("{}/{}", self.number, "long/".repeat(800));
            let mut long = header(b'L', name.len() as u64);
            long.extend(name.bytes());
            long.resize(long.len().next_multiple_of(512), 0);
            long.extend(header(self.kind, 0));
            self.part = io::Cursor::new(long);
        }
        self.part.read(buffer)
    }
}

fn endless(kind: u8) -> Endless {
    Endless {
        kind,
        number: 0,
        part: io::Cursor::default(),
    }
}

#[test]
fn lists_of_files_that_are_held_have_a_bound() {
    let world = world();
    let bases = Bases::new(world.folder.path().join("bases"), world.blobs.clone());
    let (name, now) = ("rootfs:1".parse().unwrap(), jiff::Timestamp::UNIX_EPOCH);
    let change = ConfigChange::default();
    let refused = bases.import_rootfs(endless(b'0'), &name, &change, EPOCH, PLATFORM, now);
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("bytes of memory"), "{refused}");
    let kept = archive::read(endless(b'2'), None, &world.blobs).unwrap_err();
    assert!(kept.to_string().contains("names and documents"), "{kept}");
    assert!(peak_memory() < 400 * MIB, "{} MiB", peak_memory() / MIB);
}

#[test]
fn the_documents_of_an_archive_have_a_bound_in_all() {
    let world = world();
    let mut tar = Vec::new();
    let document = [b"{".as_slice(), &vec![b' '; 4 * MIB as usize - 1]].concat();
    for _ in 0..20 {
        tar.extend(header(b'0', document.len() as u64));
        tar.extend(&document);
    }
    let refused = archive::read(tar.as_slice(), None, &world.blobs).unwrap_err();
    assert!(
        refused.to_string().contains("names and documents"),
        "{refused}"
    );
    let mut tar = header(b'0', 4 * MIB + 1);
    tar.extend(&document);
    let refused = archive::read(tar.as_slice(), None, &world.blobs).unwrap_err();
    assert!(refused.to_string().contains("too large"), "{refused}");
}

/// A layout with an image, the image, and other blobs to read it into.
fn written(world: &World) -> (PathBuf, Image, Blobs) {
    let image = application(world);
    let path = world.folder.path().join("layout");
    layout::write(&world.blobs, &image, &path, "a").unwrap();
    let other = Blobs::open(world.folder.path().join("other")).unwrap();
    (path, image, other)
}

fn read(path: &Path, blobs: &Blobs) -> String {
    let (path, blobs) = (path.to_owned(), blobs.clone());
    let read = ends(move || layout::read(&path, None, PLATFORM, &blobs).map(|_| ()));
    read.unwrap_err().to_string()
}

fn pipe(path: &Path) {
    let _ = fs::remove_file(path);
    let mode = Mode::RUSR | Mode::WUSR;
    rustix::fs::mknodat(CWD, path, FileType::Fifo, mode, 0).unwrap();
}

#[test]
fn a_layout_is_read_from_its_own_regular_files() {
    let world = world();
    let (path, image, other) = written(&world);
    for digest in [
        image.digest,
        image.config_digest(),
        image.layers()[1].digest,
    ] {
        let blob = path.join("blobs/sha256").join(digest.hex());
        let content = fs::read(&blob).unwrap();
        pipe(&blob);
        let refused = read(&path, &other);
        assert!(refused.contains("no regular file"), "{refused}");
        let elsewhere = world.folder.path().join("elsewhere");
        fs::write(&elsewhere, &content).unwrap();
        for target in [Path::new("/dev/zero"), &elsewhere] {
            fs::remove_file(&blob).unwrap();
            std::os::unix::fs::symlink(target, &blob).unwrap();
            let refused = read(&path, &other);
            assert!(refused.contains("leads out of the folder"), "{refused}");
        }
        fs::remove_file(&blob).unwrap();
        // Longer than the manifest says: nothing is copied to find that out.
        fs::File::create(&blob).unwrap().set_len(8 << 40).unwrap();
        let refused = read(&path, &other);
        let is_said = refused.contains("and it has 8796093022208") || refused.contains("at most");
        assert!(is_said, "{refused}");
        fs::write(&blob, &content).unwrap();
    }
    let held = fs::read_dir(other.root().join("sha256")).unwrap();
    assert!(held.count() <= 4, "only what the image has was taken in");
    layout::read(&path, None, PLATFORM, &other).unwrap();
}

#[test]
fn folders_of_a_layout_cannot_be_elsewhere() {
    let world = world();
    let (path, _, other) = written(&world);
    for folder in ["blobs", "blobs/sha256"] {
        let (here, there) = (path.join(folder), world.folder.path().join("there"));
        fs::rename(&here, &there).unwrap();
        std::os::unix::fs::symlink(&there, &here).unwrap();
        let refused = read(&path, &other);
        assert!(refused.contains("leads out of the folder"), "{refused}");
        fs::remove_file(&here).unwrap();
        fs::rename(&there, &here).unwrap();
    }
}

#[test]
fn the_index_of_a_layout_is_a_file_of_bounded_size() {
    let world = world();
    let (path, _, other) = written(&world);
    let index = path.join("index.json");
    fs::File::create(&index)
        .unwrap()
        .set_len(600 << 20)
        .unwrap();
    assert!(read(&path, &other).contains("at most 4194304 are read"));
    assert!(peak_memory() < 100 * MIB);
    pipe(&index);
    assert!(read(&path, &other).contains("no regular file"));
    fs::remove_file(&index).unwrap();
    std::os::unix::fs::symlink("/dev/zero", &index).unwrap();
    assert!(read(&path, &other).contains("leads out of the folder"));
}

#[test]
fn a_blob_that_the_disk_cannot_hold_is_not_copied() {
    let world = world();
    let (path, image, other) = written(&world);
    let mut manifest = image.manifest.clone();
    let layer = manifest.layers.last_mut().unwrap();
    layer.size = 8 << 40;
    let blob = path.join("blobs/sha256").join(layer.digest.hex());
    fs::File::create(blob).unwrap().set_len(8 << 40).unwrap();
    point_to(&path, &canonical_json(&manifest).unwrap());
    let (from, to) = (path.clone(), other.clone());
    let refused = ends(move || layout::read(&from, None, PLATFORM, &to).map(|_| ()));
    assert!(matches!(refused, Err(Error::NoSpace { .. })), "{refused:?}");
}

/// Lets the index of a layout name this manifest alone.
fn point_to(layout: &Path, manifest: &[u8]) {
    let digest = Blobs::open(layout.join("blobs"))
        .unwrap()
        .put(manifest)
        .unwrap();
    let named = Descriptor::new(ergon_oci::model::MANIFEST, digest, manifest.len() as u64);
    let index = ergon_oci::model::ImageIndex::new(vec![named]);
    fs::write(layout.join("index.json"), canonical_json(&index).unwrap()).unwrap();
}

#[test]
fn an_image_has_no_more_layers_than_can_be_stacked() {
    let world = world();
    let (path, image, other) = written(&world);
    let mut config = image.config.clone();
    let mut manifest = image.manifest.clone();
    config.rootfs.diff_ids = vec![config.rootfs.diff_ids[0]; 513];
    manifest.layers = vec![manifest.layers[0].clone(); 513];
    let config = canonical_json(&config).unwrap();
    let blobs = Blobs::open(path.join("blobs")).unwrap();
    manifest.config.digest = blobs.put(&config).unwrap();
    manifest.config.size = config.len() as u64;
    point_to(&path, &canonical_json(&manifest).unwrap());
    let refused = read(&path, &other);
    assert!(refused.contains("at most 512 are read"), "{refused}");
}

#[test]
fn an_index_has_no_more_images_than_memory_holds() {
    let world = world();
    let (path, image, other) = written(&world);
    let blobs = Blobs::open(path.join("blobs")).unwrap();
    let named = Descriptor::new(
        ergon_oci::model::MANIFEST,
        image.digest,
        blobs.size(&image.digest).unwrap(),
    );
    let again = ergon_oci::model::ImageIndex::new(vec![named; 10_000]);
    let inner = canonical_json(&again).unwrap();
    let digest = blobs.put(&inner).unwrap();
    let outer = Descriptor::new(ergon_oci::model::INDEX, digest, inner.len() as u64);
    let index = ergon_oci::model::ImageIndex::new(vec![outer]);
    fs::write(path.join("index.json"), canonical_json(&index).unwrap()).unwrap();
    let refused = layout::read_all(&path, None, &other).unwrap_err();
    assert!(
        refused.to_string().contains("have more than 8388608 bytes"),
        "{refused}"
    );
}

#[test]
fn indexes_that_name_each_other_and_too_many_referrers_are_refused() {
    let world = world();
    let (path, image, other) = written(&world);
    let blobs = Blobs::open(path.join("blobs")).unwrap();
    // A digest cannot name itself, so the longest way round is one index in another.
    let mut inner = fs::read(path.join("index.json")).unwrap();
    for _ in 0..6 {
        let digest = blobs.put(&inner).unwrap();
        inner = serde_json::to_vec(&serde_json::json!({"schemaVersion": 2, "manifests": [{
            "mediaType": ergon_oci::model::INDEX, "digest": digest, "size": inner.len(),
        }]}))
        .unwrap();
    }
    fs::write(path.join("index.json"), inner).unwrap();
    assert!(read(&path, &other).contains("too deep inside one another"));

    let subject = Descriptor::new(ergon_oci::model::MANIFEST, image.digest, 1);
    let listed: Vec<Descriptor> = (0..300)
        .map(|number| {
            let mut artifact = image.manifest.clone();
            artifact.subject = Some(subject.clone());
            let number = ("number".to_owned(), number.to_string());
            artifact.annotations = std::iter::once(number).collect();
            let content = canonical_json(&artifact).unwrap();
            let digest = blobs.put(&content).unwrap();
            Descriptor::new(ergon_oci::model::MANIFEST, digest, content.len() as u64)
        })
        .collect();
    let write = |listed: &[Descriptor]| {
        let index = ergon_oci::model::ImageIndex::new(listed.to_vec());
        fs::write(path.join("index.json"), canonical_json(&index).unwrap()).unwrap();
        layout::read_referrers(&path, &image.digest, &other)
    };
    let refused = write(&listed).unwrap_err().to_string();
    assert!(refused.contains("more than 256 documents"), "{refused}");
    // One that is named a thousand times is read once.
    let again = vec![listed[0].clone(); 1000];
    assert_eq!(write(&again).unwrap().len(), 1);
}

#[test]
fn pipes_among_ones_own_blobs_are_damage_and_not_waited_for() {
    let world = world();
    let image = application(&world);
    let layer = image.layers()[0].clone();
    pipe(&world.blobs.path(&layer.digest));
    assert!(!world.blobs.contains(&layer.digest) && !image.is_whole(&world.blobs));
    let blobs = world.blobs.clone();
    let (verified, size) = ends(move || (blobs.verify(&layer.digest), blobs.size(&layer.digest)));
    assert!(
        verified
            .unwrap_err()
            .to_string()
            .contains("no regular file")
    );
    assert!(size.is_err());
    let folder = world.folder.path().join("bases");
    let bases = Bases::new(&folder, world.blobs.clone());
    fs::create_dir(&folder).unwrap();
    pipe(&folder.join("a.json"));
    assert!(ends(move || bases.list()).unwrap().is_empty());
}

#[test]
fn a_document_that_is_no_document_is_not_read_into_memory() {
    let world = world();
    let digest = Digest::of(b"large");
    let path = world.blobs.path(&digest);
    fs::File::create(path).unwrap().set_len(2 << 30).unwrap();
    let refused = Image::load(&world.blobs, &digest).unwrap_err().to_string();
    assert!(refused.contains("at most 4194304 are read"), "{refused}");
    assert!(peak_memory() < 100 * MIB);
}
