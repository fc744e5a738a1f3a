//! The files of layers that are already written: an earlier stage's, or an engine's.

use std::collections::BTreeMap;
use std::io::Read;

use ergon_detect::plan::{APP_ROOT, StageFiles};
use ergon_manifest::Digest;
use ergon_oci::Blobs;
use ergon_oci::layer::{EntryKind, LayerEntry, Spool, read_layer};

use crate::error::PackError;
use crate::scrub::is_scrubbed;

/// What is taken of what a stage has under the application root when its layers lie on top of each other.
pub fn collect(
    blobs: &Blobs,
    layers: &[Digest],
    taken: &StageFiles,
    owner: u32,
) -> Result<Vec<LayerEntry>, PackError> {
    let root = APP_ROOT.trim_start_matches('/');
    let below = format!("{root}/");
    let mut spool = Spool::new(blobs)?;
    let mut files: BTreeMap<String, LayerEntry> = BTreeMap::new();
    for layer in layers {
        read_layer::<PackError>(blobs.open_read(layer)?, |entry, content| {
            if entry.path != root && !entry.path.starts_with(&below) {
                return Ok(());
            }
            match &entry.kind {
                EntryKind::Whiteout => remove(&mut files, &entry.path),
                EntryKind::OpaqueDirectory => {
                    let folder = format!("{}/", entry.path);
                    files.retain(|path, _| !path.starts_with(&folder));
                }
                _ => {
                    let kept = spool.keep_entry(entry, content)?;
                    if !matches!(kept.kind, EntryKind::Directory) {
                        remove(&mut files, &kept.path);
                    }
                    files.insert(kept.path.clone(), kept);
                }
            }
            Ok(())
        })?;
    }
    if let StageFiles::Only(paths) = taken {
        let missing = paths
            .iter()
            .find(|path| !files.contains_key(&format!("{below}{path}")));
        if let Some(path) = missing {
            return Err(PackError::NoArtifact { path: path.clone() });
        }
    }
    let takes = taken.taker();
    files.retain(|path, entry| {
        matches!(entry.kind, EntryKind::Directory) || path.strip_prefix(&below).is_none_or(&takes)
    });
    drop_hollow_folders(&mut files, root);
    Ok(files
        .into_values()
        .map(|entry| LayerEntry {
            uid: owner,
            gid: owner,
            ..entry
        })
        .collect())
}

fn remove(files: &mut BTreeMap<String, LayerEntry>, path: &str) {
    let folder = format!("{path}/");
    files.retain(|other, _| other != path && !other.starts_with(&folder));
}

/// Leaves out folders in which nothing is left.
fn drop_hollow_folders(files: &mut BTreeMap<String, LayerEntry>, root: &str) {
    let mut holding: std::collections::BTreeSet<String> =
        std::collections::BTreeSet::from([root.to_owned()]);
    for (path, entry) in files.iter() {
        if !matches!(entry.kind, EntryKind::Directory) {
            holding.extend(
                path.match_indices('/')
                    .map(|(index, _)| path[..index].to_owned()),
            );
        }
    }
    files.retain(|path, entry| {
        !matches!(entry.kind, EntryKind::Directory) || holding.contains(path)
    });
}

/// The entries of the last layer of an image as the engine saves it.
pub fn last_saved_layer(saved: impl Read, blobs: &Blobs) -> Result<Vec<LayerEntry>, PackError> {
    let image = ergon_oci::archive::read(saved, None, blobs)?;
    let mut spool = Spool::new(blobs)?;
    let mut entries = Vec::new();
    if let Some(layer) = image.layers().last() {
        read_layer::<PackError>(blobs.open_read(&layer.digest)?, |entry, content| {
            if !is_scrubbed(&entry.path) {
                entries.push(spool.keep_entry(entry, content)?);
            }
            Ok(())
        })?;
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use ergon_oci::layer::{Content, write_layer};

    use super::*;

    fn entry(path: &str, kind: EntryKind) -> LayerEntry {
        LayerEntry {
            path: path.to_owned(),
            mode: 0o644,
            uid: 0,
            gid: 0,
            kind,
            xattrs: BTreeMap::new(),
        }
    }

    fn file(path: &str, content: &str) -> LayerEntry {
        let size = content.len() as u64;
        entry(
            path,
            EntryKind::File {
                size,
                content: Content::Bytes(content.into()),
            },
        )
    }

    fn paths(layers: Vec<Vec<LayerEntry>>, except: &[&str]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(folder.path()).unwrap();
        let layers: Vec<Digest> = layers
            .into_iter()
            .map(|entries| write_layer(entries, 0, &blobs).unwrap().digest)
            .collect();
        let except = except.iter().map(|pattern| (*pattern).to_owned()).collect();
        let entries = collect(&blobs, &layers, &StageFiles::Except(except), 7).unwrap();
        assert!(entries.iter().all(|entry| (entry.uid, entry.gid) == (7, 7)));
        entries.into_iter().map(|entry| entry.path).collect()
    }

    #[test]
    fn upper_layers_replace_and_remove() {
        let lower = vec![file("app/a", "1"), file("app/b/c", "1"), file("etc/x", "1")];
        let upper = vec![entry("app/a", EntryKind::Whiteout), file("app/b/d", "2")];
        assert_eq!(
            paths(vec![lower, upper], &[]),
            ["app", "app/b", "app/b/c", "app/b/d"]
        );
    }

    #[test]
    fn what_is_excepted_and_folders_that_held_only_that_are_left_out() {
        let layer = vec![
            file("app/main.go", ""),
            file("app/internal/x.go", ""),
            file("app/bin/web", ""),
            file("app/go.mod", ""),
            file("app/vendor/deep/x", ""),
        ];
        assert_eq!(
            paths(vec![layer], &["**/*.go", "go.mod", "vendor"]),
            ["app", "app/bin", "app/bin/web"]
        );
    }
}
