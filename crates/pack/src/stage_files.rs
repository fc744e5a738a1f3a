//! The files of layers that are already written: an earlier stage's, or an engine's.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::os::unix::fs::FileExt;

use ergon_detect::plan::{APP_ROOT, StageFiles};
use ergon_manifest::Digest;
use ergon_oci::Blobs;
use ergon_oci::layer::{Content, EntryKind, LayerEntry, Spool, read_layer};

use crate::error::PackError;
use crate::scrub::{
    BYTECODE_HEADER, LARGEST_REWRITTEN, even_mode, is_bytecode, is_rewritten, is_scrubbed,
    is_stale_bytecode, rewrite,
};

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
        let mut linked: BTreeMap<String, Vec<String>> = BTreeMap::new();
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
                    if let EntryKind::Hardlink(target) = &kept.kind {
                        let links = linked.entry(target.clone()).or_default();
                        links.push(kept.path.clone());
                    }
                    files.insert(kept.path.clone(), kept);
                }
            }
            Ok(())
        })?;
        separate(linked, &mut files, |paths| {
            let mut found = Vec::new();
            read_layer::<PackError>(blobs.open_read(layer)?, |entry, content| {
                if paths.contains(&entry.path) {
                    found.push(spool.keep_entry(entry, content)?);
                }
                Ok(())
            })?;
            Ok(found)
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

/// Makes files of hard links: what they are linked to may lie elsewhere, as a package manager's store does, or
/// may be gone in a later layer. `read` gets what is not among the files.
fn separate(
    linked: BTreeMap<String, Vec<String>>,
    files: &mut BTreeMap<String, LayerEntry>,
    read: impl FnOnce(&BTreeSet<String>) -> Result<Vec<LayerEntry>, PackError>,
) -> Result<(), PackError> {
    let elsewhere = linked.keys().filter(|target| !files.contains_key(*target));
    let elsewhere: BTreeSet<String> = elsewhere.cloned().collect();
    let others: BTreeMap<String, LayerEntry> = if elsewhere.is_empty() {
        BTreeMap::new()
    } else {
        let found = read(&elsewhere)?.into_iter();
        found.map(|entry| (entry.path.clone(), entry)).collect()
    };
    for (target, links) in linked {
        let Some(original) = files.get(&target).or_else(|| others.get(&target)).cloned() else {
            continue;
        };
        for link in links {
            let path = link.clone();
            files.insert(
                link,
                LayerEntry {
                    path,
                    ..original.clone()
                },
            );
        }
    }
    Ok(())
}

fn remove(files: &mut BTreeMap<String, LayerEntry>, path: &str) {
    let folder = format!("{path}/");
    files.retain(|other, _| other != path && !other.starts_with(&folder));
}

/// Leaves out folders in which nothing is left.
fn drop_hollow_folders(files: &mut BTreeMap<String, LayerEntry>, root: &str) {
    let mut holding: BTreeSet<String> = BTreeSet::from([root.to_owned()]);
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

/// The entries of the last layer of an image as the engine saves it, without what is scrubbed.
pub fn last_saved_layer(
    saved: impl Read,
    blobs: &Blobs,
    epoch: u64,
) -> Result<Vec<LayerEntry>, PackError> {
    let image = ergon_oci::archive::read(saved, None, blobs)?;
    let mut spool = Spool::new(blobs)?;
    let mut entries = Vec::new();
    let mut stale = BTreeSet::new();
    if let Some(layer) = image.layers().last() {
        read_layer::<PackError>(blobs.open_read(&layer.digest)?, |entry, content| {
            if is_scrubbed(&entry.path) {
                return Ok(());
            }
            if matches!(&entry.kind, EntryKind::Hardlink(target) if stale.contains(target)) {
                return Ok(());
            }
            let mode = even_mode(entry.mode, entry.uid, entry.gid);
            let mut kept = spool.keep_entry(LayerEntry { mode, ..entry }, content)?;
            if let EntryKind::File {
                size,
                content: Content::Slice { file, offset },
            } = &kept.kind
            {
                if is_bytecode(&kept.path) && *size >= BYTECODE_HEADER as u64 {
                    let mut header = [0; BYTECODE_HEADER];
                    file.read_exact_at(&mut header, *offset).map_err(unread)?;
                    if is_stale_bytecode(&kept.path, header, epoch) {
                        stale.insert(kept.path);
                        return Ok(());
                    }
                }
                if is_rewritten(&kept.path) && *size < LARGEST_REWRITTEN {
                    let mut content = vec![0; *size as usize];
                    file.read_exact_at(&mut content, *offset).map_err(unread)?;
                    if let Some(content) = rewrite(&kept.path, &content) {
                        let size = content.len() as u64;
                        let content = Content::Bytes(content);
                        kept.kind = EntryKind::File { size, content };
                    }
                }
            }
            entries.push(kept);
            Ok(())
        })?;
    }
    Ok(entries)
}

fn unread(error: std::io::Error) -> PackError {
    PackError::Oci(ergon_oci::Error::stream("read", "the layer")(error))
}

#[cfg(test)]
mod tests {
    use ergon_oci::layer::write_layer;

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

    #[test]
    fn what_is_linked_to_something_that_is_not_taken_is_a_file() {
        let link = |path: &str, target: &str| entry(path, EntryKind::Hardlink(target.to_owned()));
        let lower = vec![
            file(".store/x", "one"),
            link("app/a", ".store/x"),
            file("app/b", "two"),
            link("app/c", "app/b"),
        ];
        let upper = vec![entry("app/b", EntryKind::Whiteout)];
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(folder.path()).unwrap();
        let layers: Vec<Digest> = [lower, upper]
            .into_iter()
            .map(|entries| write_layer(entries, 0, &blobs).unwrap().digest)
            .collect();
        let taken = collect(&blobs, &layers, &StageFiles::Except(Vec::new()), 7).unwrap();
        let layer = write_layer(taken, 0, &blobs).unwrap();
        let mut files = Vec::new();
        read_layer::<PackError>(blobs.open_read(&layer.digest).unwrap(), |entry, content| {
            if matches!(entry.kind, EntryKind::File { .. }) {
                let mut text = String::new();
                content.read_to_string(&mut text).unwrap();
                files.push((entry.path, text));
            }
            Ok(())
        })
        .unwrap();
        let expected = [("app/a", "one"), ("app/c", "two")];
        assert_eq!(
            files,
            expected.map(|(path, text)| (path.to_owned(), text.to_owned()))
        );
    }
}
