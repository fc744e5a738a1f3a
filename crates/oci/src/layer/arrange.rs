//! From entries in any order to the one order in which they are written. Pure.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashSet};

use super::{EntryKind, LayerEntry, is_portable_attribute};
use crate::error::Error;

/// A prefix of names that say what is gone; no real file may have it.
pub(super) const WHITEOUT: &str = ".wh.";
/// The name in a directory that says that all it held is gone.
pub(super) const OPAQUE: &str = ".wh..wh..opq";

/// Checks entries and puts them in order, by the name each is written under.
///
/// Whether two sets of entries give one layer depends only on what they say, not on their order:
/// a path may stand once, missing folders are added (0755, root), and of hard-linked paths the
/// first in byte order is the file.
pub(super) fn arrange<C>(
    entries: Vec<LayerEntry<C>>,
) -> Result<BTreeMap<String, LayerEntry<C>>, Error> {
    let mut arranged = BTreeMap::new();
    for mut entry in entries {
        let name = written_name(&entry)?;
        normalise(&mut entry);
        match arranged.entry(name) {
            Entry::Vacant(free) => free.insert(entry),
            Entry::Occupied(taken) => {
                return Err(Error::entry(&taken.get().path, "it stands there twice"));
            }
        };
    }
    refuse_whiteouts_of_what_is_there(&arranged)?;
    link_to_first_path(&mut arranged)?;
    add_missing_folders(&mut arranged)?;
    Ok(arranged)
}

fn written_name<C>(entry: &LayerEntry<C>) -> Result<String, Error> {
    let path = entry.path.as_str();
    if path.is_empty() && matches!(entry.kind, EntryKind::OpaqueDirectory) {
        return Ok(OPAQUE.to_owned());
    }
    if let Some(reason) = path.split('/').find_map(wrong_component) {
        return Err(Error::entry(path, reason));
    }
    Ok(match entry.kind {
        EntryKind::Whiteout => match path.rsplit_once('/') {
            Some((folder, name)) => format!("{folder}/{WHITEOUT}{name}"),
            None => format!("{WHITEOUT}{path}"),
        },
        EntryKind::OpaqueDirectory => format!("{path}/{OPAQUE}"),
        _ => path.to_owned(),
    })
}

fn wrong_component(component: &str) -> Option<&'static str> {
    match component {
        "" => Some("paths are relative, with one slash between names"),
        "." | ".." => Some("`.` and `..` have no place in it"),
        name if name.contains('\0') => Some("it contains a zero byte"),
        name if name.starts_with(WHITEOUT) => {
            Some("names with .wh. in front mean that a file is gone")
        }
        _ => None,
    }
}

fn normalise<C>(entry: &mut LayerEntry<C>) {
    entry.mode = match entry.kind {
        EntryKind::Symlink(_) => 0o777,
        EntryKind::Whiteout | EntryKind::OpaqueDirectory => 0,
        _ => entry.mode & 0o7777,
    };
    if matches!(entry.kind, EntryKind::Whiteout | EntryKind::OpaqueDirectory) {
        (entry.uid, entry.gid) = (0, 0);
        entry.xattrs.clear();
    }
    entry.xattrs.retain(|name, _| is_portable_attribute(name));
}

/// Engines disagree on a path that one layer both removes and makes: it depends on the order.
fn refuse_whiteouts_of_what_is_there<C>(
    arranged: &BTreeMap<String, LayerEntry<C>>,
) -> Result<(), Error> {
    arranged
        .values()
        .filter(|entry| matches!(entry.kind, EntryKind::Whiteout))
        .find(|entry| arranged.contains_key(&entry.path) || has_children(arranged, &entry.path))
        .map_or(Ok(()), |entry| {
            Err(Error::entry(
                &entry.path,
                "it is said to be both there and gone",
            ))
        })
}

fn has_children<C>(arranged: &BTreeMap<String, LayerEntry<C>>, path: &str) -> bool {
    let below = format!("{path}/");
    arranged
        .range(below.clone()..)
        .next()
        .is_some_and(|(name, _)| name.starts_with(&below))
}

fn link_to_first_path<C>(arranged: &mut BTreeMap<String, LayerEntry<C>>) -> Result<(), Error> {
    let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (path, entry) in arranged.iter() {
        if matches!(entry.kind, EntryKind::Hardlink(_)) {
            groups
                .entry(file_behind(arranged, path)?)
                .or_default()
                .push(path.clone());
        }
    }
    for (file, links) in groups {
        let Some(original) = arranged.get(&file) else {
            continue;
        };
        let (mode, uid, gid) = (original.mode, original.uid, original.gid);
        // Links come in byte order, so that the first is the least.
        let first = if links[0] < file {
            links[0].clone()
        } else {
            file.clone()
        };
        let paths = links
            .into_iter()
            .chain([file.clone()])
            .filter(|path| *path != first);
        if first != file
            && let Some(mut original) = arranged.remove(&file)
        {
            original.path.clone_from(&first);
            arranged.insert(first.clone(), original);
        }
        for path in paths {
            let kind = EntryKind::Hardlink(first.clone());
            let link = LayerEntry {
                path: path.clone(),
                mode,
                uid,
                gid,
                kind,
                xattrs: BTreeMap::new(),
            };
            arranged.insert(path, link);
        }
    }
    Ok(())
}

/// Follows hard links to the path that has the content.
fn file_behind<C>(arranged: &BTreeMap<String, LayerEntry<C>>, link: &str) -> Result<String, Error> {
    let mut seen = HashSet::new();
    let mut path = link;
    loop {
        match arranged.get(path).map(|entry| &entry.kind) {
            Some(EntryKind::Hardlink(target)) if seen.insert(path) => path = target,
            Some(EntryKind::File { .. } | EntryKind::Symlink(_)) => return Ok(path.to_owned()),
            Some(EntryKind::Hardlink(_)) => {
                return Err(Error::entry(link, "its hard links go round in a circle"));
            }
            Some(_) => {
                return Err(Error::entry(
                    link,
                    format!("`{path}` is not a file that it could be linked to"),
                ));
            }
            None => {
                return Err(Error::entry(
                    link,
                    format!("it is linked to `{path}`, which is not in the layer"),
                ));
            }
        }
    }
}

fn add_missing_folders<C>(arranged: &mut BTreeMap<String, LayerEntry<C>>) -> Result<(), Error> {
    let mut missing = BTreeMap::new();
    for name in arranged.keys() {
        for (end, _) in name.match_indices('/') {
            let folder = &name[..end];
            match arranged.get(folder).map(|entry| &entry.kind) {
                Some(EntryKind::Directory) => {}
                Some(_) => return Err(Error::entry(name, format!("`{folder}` is not a folder"))),
                None => {
                    let entry = LayerEntry {
                        path: folder.to_owned(),
                        mode: 0o755,
                        uid: 0,
                        gid: 0,
                        kind: EntryKind::Directory,
                        xattrs: BTreeMap::new(),
                    };
                    missing.insert(folder.to_owned(), entry);
                }
            }
        }
    }
    arranged.extend(missing);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(path: &str, kind: EntryKind<()>) -> LayerEntry<()> {
        LayerEntry {
            path: path.to_owned(),
            mode: 0o644,
            uid: 1,
            gid: 2,
            kind,
            xattrs: BTreeMap::new(),
        }
    }

    fn file(path: &str) -> LayerEntry<()> {
        entry(
            path,
            EntryKind::File {
                size: 1,
                content: (),
            },
        )
    }

    fn link(path: &str, target: &str) -> LayerEntry<()> {
        entry(path, EntryKind::Hardlink(target.to_owned()))
    }

    fn listing(entries: Vec<LayerEntry<()>>) -> String {
        match arrange(entries) {
            Err(error) => error.to_string(),
            Ok(arranged) => {
                let lines: Vec<String> = arranged
                    .iter()
                    .map(|(name, entry)| line(name, entry))
                    .collect();
                lines.join("\n")
            }
        }
    }

    fn line(name: &str, entry: &LayerEntry<()>) -> String {
        let kind = match &entry.kind {
            EntryKind::Hardlink(target) => format!("= {target}"),
            other => format!("{other:?}")
                .split(' ')
                .next()
                .unwrap_or_default()
                .to_owned(),
        };
        format!("{name} {kind} {:o} {}:{}", entry.mode, entry.uid, entry.gid)
    }

    #[test]
    fn entries_stand_in_byte_order_after_their_folders() {
        let entries = vec![
            file("a/b"),
            file("a.b"),
            file("a-b"),
            file("z/y/x"),
            entry("a", EntryKind::Directory),
        ];
        insta::assert_snapshot!(listing(entries), @r"
        a Directory 644 1:2
        a-b File 644 1:2
        a.b File 644 1:2
        a/b File 644 1:2
        z Directory 755 0:0
        z/y Directory 755 0:0
        z/y/x File 644 1:2
        ");
    }

    #[test]
    fn whiteouts_are_written_as_names() {
        let entries = vec![
            entry("etc/motd", EntryKind::Whiteout),
            entry("gone", EntryKind::Whiteout),
            entry("srv", EntryKind::OpaqueDirectory),
            entry("", EntryKind::OpaqueDirectory),
        ];
        insta::assert_snapshot!(listing(entries), @r"
        .wh..wh..opq OpaqueDirectory 0 0:0
        .wh.gone Whiteout 0 0:0
        etc Directory 755 0:0
        etc/.wh.motd Whiteout 0 0:0
        srv Directory 755 0:0
        srv/.wh..wh..opq OpaqueDirectory 0 0:0
        ");
    }

    #[test]
    fn of_linked_paths_the_first_is_the_file() {
        let mut original = file("m");
        original
            .xattrs
            .insert("user.note".to_owned(), b"x".to_vec());
        let arranged = arrange(vec![link("z", "b"), original, link("b", "m")]).unwrap();
        assert!(matches!(arranged["b"].kind, EntryKind::File { .. }));
        assert_eq!(arranged["b"].xattrs.len(), 1);
        assert_eq!(arranged["m"].kind, EntryKind::Hardlink("b".to_owned()));
        assert_eq!(arranged["z"].kind, EntryKind::Hardlink("b".to_owned()));
    }

    #[test]
    fn what_no_file_system_could_hold_is_refused() {
        let said: Vec<String> = [
            vec![file("a"), file("a")],
            vec![file("a"), file("a/b")],
            vec![file("../a")],
            vec![file("/a")],
            vec![file("a//b")],
            vec![file("a/")],
            vec![file("")],
            vec![file("a/.wh.b")],
            vec![link("a", "b")],
            vec![link("a", "b"), link("b", "a")],
            vec![link("a", "b"), entry("b", EntryKind::Directory)],
            vec![file("a/b"), entry("a", EntryKind::Whiteout)],
            vec![file("a"), entry("a", EntryKind::Whiteout)],
        ]
        .into_iter()
        .map(|entries| format!("{}\n", arrange(entries).unwrap_err()))
        .collect();
        insta::assert_snapshot!(said.concat(), @r"
        a layer cannot hold `a`: it stands there twice
        a layer cannot hold `a/b`: `a` is not a folder
        a layer cannot hold `../a`: `.` and `..` have no place in it
        a layer cannot hold `/a`: paths are relative, with one slash between names
        a layer cannot hold `a//b`: paths are relative, with one slash between names
        a layer cannot hold `a/`: paths are relative, with one slash between names
        a layer cannot hold ``: paths are relative, with one slash between names
        a layer cannot hold `a/.wh.b`: names with .wh. in front mean that a file is gone
        a layer cannot hold `a`: it is linked to `b`, which is not in the layer
        a layer cannot hold `a`: its hard links go round in a circle
        a layer cannot hold `a`: `b` is not a file that it could be linked to
        a layer cannot hold `a`: it is said to be both there and gone
        a layer cannot hold `a`: it is said to be both there and gone
        ");
    }
}
