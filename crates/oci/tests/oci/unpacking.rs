//! Layers as files in a folder, the way overlayfs wants to find them.

use std::fs;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::Path;

use ergon_oci::layer::{OpaqueMark, unpack_layer};
use tar::EntryType;

/// A tar of entries of whoever runs the test, who may own nothing else.
fn archive(entries: &[(EntryType, &str, u32, &str)]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (kind, path, mode, content) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(*kind);
        header.set_mode(*mode);
        header.set_uid(rustix::process::getuid().as_raw().into());
        header.set_gid(rustix::process::getgid().as_raw().into());
        header.set_mtime(1_000_000_000);
        header.set_size(0);
        if kind.is_symlink() || kind.is_hard_link() {
            archive.append_link(&mut header, path, content).unwrap();
        } else {
            header.set_size(content.len() as u64);
            archive
                .append_data(&mut header, path, content.as_bytes())
                .unwrap();
        }
    }
    archive.into_inner().unwrap()
}

fn unpack(entries: &[(EntryType, &str, u32, &str)], root: &Path) -> Result<(), ergon_oci::Error> {
    unpack_layer(archive(entries).as_slice(), root, OpaqueMark::User)
}

#[test]
fn files_come_with_modes_times_and_links() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    unpack(
        &[
            (EntryType::Directory, "closed/", 0o500, ""),
            (EntryType::Regular, "closed/setuid", 0o4755, "content"),
            (EntryType::Link, "closed/same", 0, "closed/setuid"),
            (EntryType::Symlink, "way", 0o777, "/closed"),
            (EntryType::Regular, "deep/er/file", 0o600, ""),
        ],
        root,
    )
    .unwrap();
    let metadata = |path: &str| fs::symlink_metadata(root.join(path)).unwrap();
    assert_eq!(metadata("closed").mode() & 0o7777, 0o500);
    assert_eq!(metadata("closed/setuid").mode() & 0o7777, 0o4755);
    assert_eq!(
        metadata("closed/setuid").ino(),
        metadata("closed/same").ino()
    );
    assert_eq!(metadata("deep/er").mode() & 0o7777, 0o755);
    for path in ["closed", "closed/setuid", "way", "deep/er/file"] {
        assert_eq!(metadata(path).mtime(), 1_000_000_000, "{path}");
    }
    assert_eq!(
        fs::read_link(root.join("way")).unwrap(),
        Path::new("/closed")
    );
}

#[test]
fn whiteouts_and_opaque_folders_are_marked_as_overlayfs_marks_them() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    unpack(
        &[
            (EntryType::Regular, "usr/.wh.gone", 0o644, ""),
            (EntryType::Directory, "srv/", 0o755, ""),
            (EntryType::Regular, "srv/.wh..wh..opq", 0o644, ""),
        ],
        root,
    )
    .unwrap();
    let gone = fs::symlink_metadata(root.join("usr/gone")).unwrap();
    assert!(gone.file_type().is_char_device() && gone.rdev() == 0);
    let mut value = [0; 1];
    rustix::fs::getxattr(root.join("srv"), "user.overlay.opaque", &mut value).unwrap();
    assert_eq!(value, *b"y");
}

#[test]
fn a_later_entry_takes_the_place_of_an_earlier_one() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    unpack(
        &[
            (EntryType::Directory, "a/", 0o700, ""),
            (EntryType::Directory, "a/b/", 0o700, ""),
            (EntryType::Regular, "a/b/c", 0o644, "old"),
            (EntryType::Regular, "a", 0o644, "new"),
        ],
        root,
    )
    .unwrap();
    assert_eq!(fs::read_to_string(root.join("a")).unwrap(), "new");
}

#[test]
fn a_link_in_the_middle_of_a_path_leads_nowhere_outside() {
    let folder = tempfile::tempdir().unwrap();
    let outside = folder.path().join("outside");
    let root = folder.path().join("root");
    fs::create_dir(&outside).unwrap();
    fs::create_dir(&root).unwrap();
    for target in [outside.to_str().unwrap(), "../outside", "../../../../tmp"] {
        let result = unpack(
            &[
                (EntryType::Symlink, "way", 0o777, target),
                (EntryType::Regular, "way/file", 0o644, "escaped"),
            ],
            &root,
        );
        assert!(!outside.join("file").exists(), "{target}: {result:?}");
    }
    let missing = [(EntryType::Link, "link", 0, "../outside/x")];
    assert!(unpack(&missing, &root).is_err());
    let lost = [(EntryType::Link, "link", 0, "nowhere")];
    let error = unpack(&lost, &root).unwrap_err().to_string();
    assert!(error.contains("a hard link to `nowhere`"), "{error}");
}
