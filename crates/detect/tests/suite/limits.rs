//! How much a look at a folder may take, whatever lies in it.

use std::fs::{self, File};

use ergon_detect::analyse;
use ergon_detect::disk::DiskTree;

/// Bytes that detection may ever have.
const MOST_MEMORY: u64 = 256 << 20;

/// The most memory this process has had so far; each test has a process of its own.
fn most_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

#[test]
fn files_of_two_gigabytes_are_read_in_part() {
    let folder = tempfile::tempdir().unwrap();
    for name in [
        "package.json",
        "package-lock.json",
        "pnpm-lock.yaml",
        "requirements.txt",
        "main.py",
        "pom.xml",
        "Cargo.toml",
        "Cargo.lock",
        "go.mod",
        "docker-compose.yml",
        "Dockerfile",
        ".gitignore",
        ".dockerignore",
        ".env",
    ] {
        let file = File::create(folder.path().join(name)).unwrap();
        file.set_len(2 << 30).unwrap();
    }
    let tree = DiskTree::open(folder.path()).unwrap();
    let skipped: Vec<_> = tree.skipped().iter().map(ToString::to_string).collect();
    assert_eq!(
        skipped,
        [
            ".dockerignore is not followed: it is larger than 1 MiB",
            ".gitignore is not followed: it is larger than 1 MiB",
        ]
    );
    analyse(&tree);
    let memory = most_memory();
    assert!(memory < MOST_MEMORY, "{memory} bytes");
}

#[test]
fn many_long_files_are_not_held_at_once() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("package.json"),
        r#"{"scripts": {"start": "node index.js"}}"#,
    )
    .unwrap();
    for number in 0..400 {
        let file = File::create(folder.path().join(format!("{number:03}.js"))).unwrap();
        file.set_len(1 << 20).unwrap();
    }
    let analysis = analyse(&DiskTree::open(folder.path()).unwrap());
    let application = analysis.manifest.applications.values().next().unwrap();
    assert_eq!(application.run_command.as_deref(), Some("npm run start"));
    let told = analysis.questions.iter().map(|question| &question.text);
    let told: Vec<_> = told.filter(|text| text.contains("more text")).collect();
    assert_eq!(
        told,
        ["There is more text than detection reads (64 MiB), and some files were passed over."]
    );
    let memory = most_memory();
    assert!(memory < MOST_MEMORY, "{memory} bytes");
}

#[test]
#[ignore = "it takes some time to make so many files"]
fn two_hundred_thousand_files_are_looked_through() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("package.json"),
        "{\"scripts\": {\"start\": \"node index.js\"}}",
    )
    .unwrap();
    for outer in 0..200 {
        for inner in 0..20 {
            let inside = folder.path().join(format!("src/{outer}/{inner}"));
            fs::create_dir_all(&inside).unwrap();
            for file in 0..50 {
                fs::write(inside.join(format!("{file}.js")), "process.env.X;\n").unwrap();
            }
        }
    }
    let tree = DiskTree::open(folder.path()).unwrap();
    let analysis = analyse(&tree);
    assert_eq!(analysis.manifest.applications.len(), 1);
    let memory = most_memory();
    assert!(memory < MOST_MEMORY, "{memory} bytes");
}
