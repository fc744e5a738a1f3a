//! What cargo reads to fetch crates.

use std::collections::BTreeSet;

use super::Place;
use crate::document::Document;
use crate::tree::EntryKind;

/// More packages than that are not listed one by one.
const MOST_FILES: usize = 200;

/// Files that say how cargo works, at the root of a workspace.
const SETTINGS: [&str; 6] = [
    "Cargo.toml",
    "Cargo.lock",
    "rust-toolchain",
    "rust-toolchain.toml",
    ".cargo/config",
    ".cargo/config.toml",
];

/// Files that say which toolchain is used.
pub(super) const TOOLCHAIN: [&str; 2] = ["rust-toolchain", "rust-toolchain.toml"];

/// `cargo fetch` reads what lists the crates, and looks at which programs there are; none where that cannot be told.
pub(super) fn fetch(place: &Place<'_>) -> Option<BTreeSet<String>> {
    // A member's settings lie at the root of its workspace, wherever that is.
    if !place.root.is_empty() {
        return None;
    }
    let mut files = place.files(&SETTINGS)?;
    let manifests: Vec<&String> = place
        .tree
        .entries()
        .iter()
        .filter(|(_, kind)| matches!(kind, EntryKind::File))
        .map(|(path, _)| path)
        .filter(|path| *path == "Cargo.toml" || path.ends_with("/Cargo.toml"))
        .take(MOST_FILES)
        .collect();
    let root = Document::parse("Cargo.toml", &place.text("Cargo.toml")).ok()?;
    let alone = root.get(&["workspace"]).is_none() && !has_folders(&root);
    for path in manifests {
        if alone && path != "Cargo.toml" {
            continue;
        }
        let folder = path.strip_suffix("Cargo.toml").unwrap_or("");
        let manifest = Document::parse("Cargo.toml", &place.text(path)).ok()?;
        let names_more = ["example", "test", "bench", "patch", "replace"]
            .iter()
            .any(|key| manifest.get(&[key]).is_some());
        if names_more {
            return None;
        }
        files.extend(place.files(&[path.as_str()])?);
        files.extend(targets(folder, &manifest, place)?);
        if files.len() > MOST_FILES {
            return None;
        }
    }
    Some(files)
}

/// Whether a package depends on folders of the project.
fn has_folders(manifest: &Document) -> bool {
    let in_folder = |table: &str| {
        manifest
            .table(&[table])
            .any(|(_, value)| value.get("path").is_some())
    };
    manifest.get(&["target"]).is_some()
        || ["dependencies", "dev-dependencies", "build-dependencies"]
            .into_iter()
            .any(in_folder)
}

/// The files by which cargo knows what a package is, without reading them.
fn targets(folder: &str, manifest: &Document, place: &Place<'_>) -> Option<BTreeSet<String>> {
    let listed = manifest.get(&["bin"]).and_then(|bins| bins.as_array());
    let paths = listed
        .into_iter()
        .flatten()
        .chain(manifest.get(&["lib"]))
        .filter_map(|target| target.get("path")?.as_str())
        .chain(manifest.text(&["package", "build"]))
        .chain(["src/main.rs", "src/lib.rs", "build.rs"]);
    let paths: Vec<String> = paths.map(|path| format!("{folder}{path}")).collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let mut files = place.files(&paths)?;
    let bins = format!("{folder}src/bin/");
    let below = place
        .tree
        .entries()
        .range(bins.clone()..)
        .take_while(|(path, _)| path.starts_with(&bins));
    for (path, _) in below {
        let name = &path[bins.len()..];
        if name.ends_with(".rs") && (!name.contains('/') || name.ends_with("/main.rs")) {
            files.extend(place.files(&[path.as_str()])?);
        }
    }
    Some(files)
}
