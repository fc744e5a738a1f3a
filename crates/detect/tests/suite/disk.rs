//! Folders on disk, the wild ones too.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use ergon_detect::disk::{DiskTree, SkipReason, TreeError};
use ergon_detect::tree::{EntryKind, FileTree};
use tempfile::TempDir;

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, content) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    folder
}

fn paths(folder: &Path) -> Vec<String> {
    DiskTree::open(folder)
        .unwrap()
        .entries()
        .keys()
        .cloned()
        .collect()
}

#[test]
fn ignore_files_hold_at_any_depth_without_a_repository() {
    let folder = folder(&[
        (".gitignore", "*.log\n/build\nsecret/\n"),
        ("a.log", ""),
        ("build/x", ""),
        ("sub/build/y", ""),
        ("sub/.gitignore", "!keep.log\nz\n"),
        ("sub/keep.log", ""),
        ("sub/z", ""),
        ("z", ""),
        ("secret/key", ""),
        ("other/secret", ""),
        (".hidden", ""),
    ]);
    assert_eq!(
        paths(folder.path()),
        [
            ".gitignore",
            ".hidden",
            "other/secret",
            "sub/.gitignore",
            "sub/build/y",
            "sub/keep.log",
            "z"
        ]
    );
}

#[test]
fn only_the_projects_own_ignore_files_count() {
    let outer = folder(&[
        (".gitignore", "*"),
        ("project/a", ""),
        ("project/.git/info/exclude", "a"),
        ("project/.ignore", "a"),
    ]);
    assert_eq!(paths(&outer.path().join("project")), [".ignore", "a"]);
}

#[test]
fn docker_ignores_by_its_own_rules() {
    let folder = folder(&[
        (".dockerignore", "docs\n!docs/keep\n*.md\n"),
        ("docs/a", ""),
        ("docs/keep", ""),
        ("README.md", ""),
        ("sub/README.md", ""),
    ]);
    assert_eq!(paths(folder.path()), ["docs/keep", "sub/README.md"]);
}

#[test]
fn files_that_say_what_is_built_are_no_source_but_can_be_read() {
    let folder = folder(&[
        ("ergon.json", "{}"),
        ("ergon.lock.json", ""),
        ("Dockerfile", "FROM x"),
        ("sub/Dockerfile", ""),
    ]);
    let tree = DiskTree::open(folder.path()).unwrap();
    assert_eq!(
        tree.entries().keys().collect::<Vec<_>>(),
        ["sub/Dockerfile"]
    );
    assert_eq!(tree.own_file("Dockerfile").unwrap().unwrap(), b"FROM x");
    assert_eq!(tree.own_file(".dockerignore").unwrap(), None);
}

#[test]
fn links_are_entries_and_lead_nowhere() {
    let outside = folder(&[("secret", "secret")]);
    let folder = folder(&[("a", "")]);
    let root = folder.path();
    symlink(".", root.join("loop")).unwrap();
    symlink(outside.path(), root.join("out")).unwrap();
    symlink(outside.path().join("secret"), root.join("file")).unwrap();
    symlink("nowhere", root.join("dangling")).unwrap();
    let tree = DiskTree::open(root).unwrap();
    assert_eq!(
        tree.entries().keys().collect::<Vec<_>>(),
        ["a", "dangling", "file", "loop", "out"]
    );
    assert_eq!(
        tree.entries()["dangling"],
        EntryKind::Symlink {
            target: "nowhere".to_owned()
        }
    );
    assert!(tree.read("file").is_err());
    assert!(tree.read("out/secret").is_err());
    assert!(tree.read("../a").is_err());
    assert!(tree.read("loop/a").is_err());
}

#[test]
fn an_ignore_file_that_is_a_link_is_not_followed() {
    let outside = folder(&[("rules", "*\n")]);
    let folder = folder(&[("a", "")]);
    symlink(
        outside.path().join("rules"),
        folder.path().join(".gitignore"),
    )
    .unwrap();
    symlink(
        outside.path().join("rules"),
        folder.path().join(".dockerignore"),
    )
    .unwrap();
    assert_eq!(paths(folder.path()), [".gitignore", "a"]);
}

#[test]
fn what_cannot_be_taken_is_said() {
    let folder = folder(&[("a", "")]);
    fs::write(folder.path().join(OsStr::from_bytes(b"caf\xe9")), "").unwrap();
    symlink(OsStr::from_bytes(b"\xff"), folder.path().join("link")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(folder.path().join("socket")).unwrap();
    let tree = DiskTree::open(folder.path()).unwrap();
    let skipped: Vec<_> = tree.skipped().iter().map(ToString::to_string).collect();
    assert_eq!(
        skipped,
        [
            "caf\u{fffd} was left out: its name is not UTF-8",
            "link was left out: its name is not UTF-8",
            "socket was left out: it is no file, but a pipe, a socket or a device",
        ]
    );
    assert_eq!(tree.entries().keys().collect::<Vec<_>>(), ["a"]);
    let questions = ergon_detect::analyse(&tree).questions;
    assert_eq!(questions.len(), 3);
    assert_eq!(
        questions[1].text,
        "link was left out: its name is not UTF-8; no build takes the folder like that."
    );
    assert_eq!(
        questions[2].text,
        "socket was left out: it is no file, but a pipe, a socket or a device."
    );
    // As the remedy has it.
    let rules = "caf\u{fffd}\nlink\nsocket\n";
    fs::write(folder.path().join(".dockerignore"), rules).unwrap();
    assert_eq!(DiskTree::open(folder.path()).unwrap().skipped(), []);
}

#[test]
fn a_folder_that_may_not_be_read_is_said() {
    let folder = folder(&[("a", ""), ("closed/b", "")]);
    let closed = folder.path().join("closed");
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).unwrap();
    let tree = DiskTree::open(folder.path()).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o755)).unwrap();
    // Root may read everything.
    if !tree.entries().contains_key("closed/b") {
        assert!(matches!(
            tree.skipped()[0].reason,
            SkipReason::Unreadable(_)
        ));
        assert_eq!(tree.skipped()[0].path, "closed");
    }
    assert!(tree.entries().contains_key("a"));
}

#[test]
fn executables_are_told_from_other_files() {
    let folder = folder(&[("a", "12"), ("b", "")]);
    fs::set_permissions(folder.path().join("a"), fs::Permissions::from_mode(0o700)).unwrap();
    fs::set_permissions(folder.path().join("b"), fs::Permissions::from_mode(0o666)).unwrap();
    let tree = DiskTree::open(folder.path()).unwrap();
    assert!(tree.is_executable("a"));
    assert!(!tree.is_executable("b"));
    assert!(!tree.is_executable("c"));
}

#[test]
fn the_beginning_of_a_huge_file_is_read_alone() {
    let folder = folder(&[]);
    let file = fs::File::create(folder.path().join("huge")).unwrap();
    file.set_len(3 << 30).unwrap();
    let tree = DiskTree::open(folder.path()).unwrap();
    assert_eq!(tree.read_head("huge", 10).unwrap().len(), 10);
}

#[test]
fn what_is_no_folder_is_said_with_what_to_do() {
    let folder = folder(&[("file", "")]);
    let error = |name: &str| DiskTree::open(&folder.path().join(name)).unwrap_err();
    assert!(matches!(error("nothing"), TreeError::NotFound { .. }));
    assert!(matches!(error("file"), TreeError::NotAFolder { .. }));
    for name in ["nothing", "file"] {
        assert!(error(name).remedy().is_some());
    }
}

#[test]
fn a_line_that_is_no_rule_is_said_and_the_others_hold() {
    let folder = folder(&[
        (".dockerignore", "a\n[\nb"),
        ("a", ""),
        ("b", ""),
        ("c", ""),
    ]);
    let tree = DiskTree::open(folder.path()).unwrap();
    assert_eq!(tree.entries().keys().collect::<Vec<_>>(), ["c"]);
    let questions = ergon_detect::analyse(&tree).questions;
    assert_eq!(
        questions[0].text,
        ".dockerignore is not followed: line 2 (`[`) is no pattern: a [ has no ]; no build takes the folder like that."
    );
    assert_eq!(questions[0].remedy, "correct .dockerignore");
}

#[test]
fn more_git_rules_than_anybody_writes_are_not_followed_and_said() {
    let patterns = |count: usize| -> String {
        (0..count)
            .map(|number| format!("x{number}/**/y*.c\n"))
            .collect()
    };
    let folder = folder(&[
        (".gitignore", &patterns(1000)),
        ("a/.gitignore", &patterns(1000)),
        ("b/.gitignore", &patterns(5000)),
        ("b/kept", ""),
        ("a/x7/y.c", ""),
    ]);
    let tree = DiskTree::open(folder.path()).unwrap();
    assert!(
        !tree.entries().contains_key("a/x7/y.c"),
        "said twice, read once"
    );
    assert!(tree.entries().contains_key("b/kept"));
    let skipped: Vec<_> = tree.skipped().iter().map(ToString::to_string).collect();
    assert_eq!(
        skipped,
        [
            "b/.gitignore is not followed: the .gitignore files up to this one hold more than 64 KiB of patterns"
        ]
    );
}
