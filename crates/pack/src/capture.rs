//! What a step changed: an overlay's upper directory, read into layer entries.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use ergon_oci::layer::{Content, EntryKind, LayerEntry};

use crate::scrub::{
    BYTECODE_HEADER, LARGEST_REWRITTEN, even_mode, is_bytecode, is_rewritten, is_scrubbed,
    is_stale_bytecode, rewrite,
};

/// The directories of an overlay mount, as the engine names them.
#[derive(Clone, Debug)]
pub struct Overlay {
    pub upper: PathBuf,
    /// Topmost first.
    pub lower: Vec<PathBuf>,
}

/// Reads the upper directory of `overlay` into layer entries.
///
/// Whiteouts and opaque directories become explicit whiteouts; overlay's own attributes, sockets
/// and device nodes stay behind; hard links point at the first path in byte order. File content
/// is not read here but named by path, so the directory must stay until the layer is written.
pub fn read_upper(overlay: &Overlay, epoch: u64) -> io::Result<Vec<LayerEntry>> {
    let mut walk = Walk {
        overlay,
        epoch,
        entries: BTreeMap::new(),
    };
    walk.folder("")?;
    walk.leave_out_what_is_as_before();
    let mut entries: Vec<LayerEntry> = walk.entries.into_values().map(|(entry, _)| entry).collect();
    drop_empty_parents(&mut entries, &overlay.lower);
    Ok(entries)
}

struct Walk<'a> {
    overlay: &'a Overlay,
    /// The time that files of the layer get.
    epoch: u64,
    /// By path, so that the first path of a hard link is the first in byte order.
    entries: BTreeMap<String, (LayerEntry, Option<(u64, u64)>)>,
}

impl Walk<'_> {
    fn folder(&mut self, folder: &str) -> io::Result<()> {
        let mut pending = vec![folder.to_owned()];
        while let Some(folder) = pending.pop() {
            for entry in fs::read_dir(self.overlay.upper.join(&folder))? {
                let name = entry?.file_name();
                let Some(name) = name.to_str() else {
                    return Err(io::Error::new(
                        io::ErrorKind::InvalidData,
                        format!("a file name that is not UTF-8: {}", name.to_string_lossy()),
                    ));
                };
                let path = if folder.is_empty() {
                    name.to_owned()
                } else {
                    format!("{folder}/{name}")
                };
                if is_scrubbed(&path) {
                    continue;
                }
                if self.entry(&path)? {
                    pending.push(path);
                }
            }
        }
        self.link_hard_links();
        Ok(())
    }

    /// Takes one entry; true where it is a folder to go into.
    fn entry(&mut self, path: &str) -> io::Result<bool> {
        let full = self.overlay.upper.join(path);
        let metadata = fs::symlink_metadata(&full)?;
        let kind = metadata.file_type();
        let (kind, identity) = if kind.is_dir() {
            if is_opaque(&full) {
                self.hide_lower(path);
            }
            (EntryKind::Directory, None)
        } else if kind.is_symlink() {
            let target = fs::read_link(&full)?;
            let target = target.to_str().ok_or_else(|| {
                io::Error::new(
                    io::ErrorKind::InvalidData,
                    format!("the link {path} has a target that is not UTF-8"),
                )
            })?;
            (EntryKind::Symlink(target.to_owned()), None)
        } else if kind.is_file() {
            if is_bytecode(path) && is_stale_bytecode(path, bytecode_header(&full)?, self.epoch) {
                return Ok(false);
            }
            let identity = (metadata.nlink() > 1).then(|| (metadata.dev(), metadata.ino()));
            let rewritten = if is_rewritten(path) && metadata.len() < LARGEST_REWRITTEN {
                rewrite(path, &fs::read(&full)?)
            } else {
                None
            };
            let (size, content) = match rewritten {
                Some(content) => (content.len() as u64, Content::Bytes(content)),
                None => (metadata.len(), Content::Path(full.clone())),
            };
            (EntryKind::File { size, content }, identity)
        } else if kind.is_char_device() && metadata.rdev() == 0 {
            (EntryKind::Whiteout, None)
        } else {
            // Sockets, pipes and device nodes belong to a running system, not to an image.
            return Ok(false);
        };
        let descend = matches!(kind, EntryKind::Directory);
        let entry = new_entry(path, kind, &metadata, extended_attributes(&full));
        self.entries.insert(path.to_owned(), (entry, identity));
        Ok(descend)
    }

    /// Writes out what an opaque directory hides.
    fn hide_lower(&mut self, folder: &str) {
        let mut hidden = BTreeSet::new();
        for lower in &self.overlay.lower {
            let Ok(names) = fs::read_dir(lower.join(folder)) else {
                continue;
            };
            hidden.extend(
                names
                    .flatten()
                    .filter_map(|name| name.file_name().into_string().ok()),
            );
        }
        for name in hidden {
            let path = format!("{folder}/{name}");
            if fs::symlink_metadata(self.overlay.upper.join(&path)).is_err() {
                let entry = LayerEntry {
                    path: path.clone(),
                    mode: 0,
                    uid: 0,
                    gid: 0,
                    kind: EntryKind::Whiteout,
                    xattrs: BTreeMap::new(),
                };
                self.entries.insert(path, (entry, None));
            }
        }
    }

    /// Leaves out files that were touched and are what they were, and removals of what never was: whether a tool
    /// touches a file says nothing of what it holds.
    fn leave_out_what_is_as_before(&mut self) {
        let lower = &self.overlay.lower;
        // The other paths of a file that has several may be new.
        self.entries
            .retain(|path, (entry, identity)| match &entry.kind {
                EntryKind::Whiteout => below(lower, path).is_some(),
                EntryKind::File {
                    size,
                    content: Content::Path(upper),
                } if identity.is_none() => !below(lower, path)
                    .is_some_and(|before| is_as_before(entry, *size, upper, &before)),
                _ => true,
            });
    }

    fn link_hard_links(&mut self) {
        let mut first: HashMap<(u64, u64), String> = HashMap::new();
        for (path, (entry, identity)) in &mut self.entries {
            let Some(identity) = *identity else { continue };
            match first.get(&identity) {
                Some(target) => entry.kind = EntryKind::Hardlink(target.clone()),
                None => {
                    first.insert(identity, path.clone());
                }
            }
        }
    }
}

fn new_entry(
    path: &str,
    kind: EntryKind,
    metadata: &Metadata,
    xattrs: BTreeMap<String, Vec<u8>>,
) -> LayerEntry {
    LayerEntry {
        path: path.to_owned(),
        mode: even_mode(metadata.mode() & 0o7777, metadata.uid(), metadata.gid()),
        uid: metadata.uid(),
        gid: metadata.gid(),
        kind,
        xattrs,
    }
}

/// Leaves out folders that stand in the upper directory only because something was scrubbed or
/// touched below them: they hold nothing, and the base has them with the same owner and mode.
fn drop_empty_parents(entries: &mut Vec<LayerEntry>, lower: &[PathBuf]) {
    let mut needed: BTreeSet<String> = BTreeSet::new();
    // From the deepest path up, so that a folder's children are known before it is judged.
    entries.sort_unstable_by(|left, right| right.path.cmp(&left.path));
    entries.retain(|entry| {
        let keep = !matches!(entry.kind, EntryKind::Directory)
            || needed.contains(&entry.path)
            || !lower_has_same_folder(entry, lower);
        if keep && let Some((parent, _)) = entry.path.rsplit_once('/') {
            needed.insert(parent.to_owned());
        }
        keep
    });
    entries.reverse();
}

/// What stands at a path in the topmost lower layer that has it; nothing where that says it is gone.
fn below(lower: &[PathBuf], path: &str) -> Option<PathBuf> {
    for layer in lower {
        let full = layer.join(path);
        if let Ok(metadata) = fs::symlink_metadata(&full) {
            let gone = metadata.file_type().is_char_device() && metadata.rdev() == 0;
            return (!gone).then_some(full);
        }
        // A folder that hides what is below it, or a file in the place of one.
        let hides = Path::new(path).ancestors().skip(1).any(|folder| {
            !folder.as_os_str().is_empty()
                && fs::symlink_metadata(layer.join(folder))
                    .is_ok_and(|metadata| !metadata.is_dir() || is_opaque(&layer.join(folder)))
        });
        if hides {
            return None;
        }
    }
    None
}

fn is_as_before(entry: &LayerEntry, size: u64, upper: &Path, before: &Path) -> bool {
    let Ok(metadata) = fs::symlink_metadata(before) else {
        return false;
    };
    metadata.is_file()
        && metadata.len() == size
        && even_mode(metadata.mode() & 0o7777, metadata.uid(), metadata.gid()) == entry.mode
        && (metadata.uid(), metadata.gid()) == (entry.uid, entry.gid)
        && extended_attributes(before) == entry.xattrs
        && same_content(upper, before).unwrap_or(false)
}

fn same_content(one: &Path, other: &Path) -> io::Result<bool> {
    let (mut one, mut other) = (fs::File::open(one)?, fs::File::open(other)?);
    let (mut left, mut right) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    loop {
        let read = one.read(&mut left)?;
        if read == 0 {
            return Ok(other.read(&mut right[..1])? == 0);
        }
        if other.read_exact(&mut right[..read]).is_err() || left[..read] != right[..read] {
            return Ok(false);
        }
    }
}

fn bytecode_header(path: &Path) -> io::Result<[u8; BYTECODE_HEADER]> {
    let mut header = [0; BYTECODE_HEADER];
    // One that is shorter is not what its name says; it is kept as it is.
    match fs::File::open(path)?.read_exact(&mut header) {
        Ok(()) => Ok(header),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok([0xff; BYTECODE_HEADER]),
        Err(error) => Err(error),
    }
}

fn lower_has_same_folder(entry: &LayerEntry, lower: &[PathBuf]) -> bool {
    lower
        .iter()
        .find_map(|layer| fs::symlink_metadata(layer.join(&entry.path)).ok())
        .is_some_and(|below| {
            below.is_dir()
                && below.mode() & 0o7777 == entry.mode
                && (below.uid(), below.gid()) == (entry.uid, entry.gid)
        })
}

/// Whether overlayfs hides everything below this directory.
fn is_opaque(path: &Path) -> bool {
    let mut value = [0; 1];
    ["trusted.overlay.opaque", "user.overlay.opaque"]
        .into_iter()
        .any(|name| {
            rustix::fs::lgetxattr(path, name, &mut value)
                .is_ok_and(|length| length == 1 && value[0] == b'y')
        })
}

/// The attributes that belong to a program's files rather than to this machine.
fn extended_attributes(path: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut names = vec![0; 4096];
    let Ok(length) = rustix::fs::llistxattr(path, &mut names) else {
        return BTreeMap::new();
    };
    names[..length]
        .split(|byte| *byte == 0)
        .filter_map(|name| OsStr::from_bytes(name).to_str())
        .filter(|name| {
            *name == "security.capability"
                || (name.starts_with("user.") && !name.starts_with("user.overlay."))
        })
        .filter_map(|name| {
            let mut value = vec![0; 64 * 1024];
            let length = rustix::fs::lgetxattr(path, name, &mut value).ok()?;
            value.truncate(length);
            Some((name.to_owned(), value))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// The entries as `path kind`, one a line.
    fn listing(overlay: &Overlay) -> String {
        read_upper(overlay, 0)
            .unwrap()
            .iter()
            .map(|entry| {
                let kind = match &entry.kind {
                    EntryKind::File { size, .. } => format!("file {size}"),
                    EntryKind::Directory => "folder".to_owned(),
                    EntryKind::Symlink(target) => format!("link to {target}"),
                    EntryKind::Hardlink(target) => format!("same as {target}"),
                    EntryKind::Whiteout => "gone".to_owned(),
                    EntryKind::OpaqueDirectory => "opaque".to_owned(),
                };
                format!("{} {kind}\n", entry.path)
            })
            .collect()
    }

    struct World {
        _folder: tempfile::TempDir,
        overlay: Overlay,
    }

    fn world() -> World {
        let folder = tempfile::tempdir().unwrap();
        let overlay = Overlay {
            upper: folder.path().join("upper"),
            lower: vec![folder.path().join("lower")],
        };
        fs::create_dir_all(&overlay.upper).unwrap();
        fs::create_dir_all(&overlay.lower[0]).unwrap();
        World {
            _folder: folder,
            overlay,
        }
    }

    #[test]
    fn files_links_and_hard_links_are_taken_in_byte_order() {
        let world = world();
        let upper = &world.overlay.upper;
        fs::create_dir_all(upper.join("app")).unwrap();
        fs::write(upper.join("app/b"), "two").unwrap();
        fs::hard_link(upper.join("app/b"), upper.join("app/a")).unwrap();
        symlink("../etc", upper.join("app/z")).unwrap();
        insta::assert_snapshot!(listing(&world.overlay), @r"
        app folder
        app/a file 3
        app/b same as app/a
        app/z link to ../etc
        ");
    }

    #[test]
    fn logs_and_the_folders_that_held_only_them_stay_behind() {
        let world = world();
        fs::create_dir_all(world.overlay.lower[0].join("var/log")).unwrap();
        fs::create_dir_all(world.overlay.upper.join("var/log")).unwrap();
        fs::write(world.overlay.upper.join("var/log/dpkg.log"), "2026").unwrap();
        fs::create_dir_all(world.overlay.upper.join("srv/empty")).unwrap();
        insta::assert_snapshot!(listing(&world.overlay), @r"
        srv folder
        srv/empty folder
        ");
    }

    #[test]
    fn what_was_only_touched_stays_behind() {
        let world = world();
        let (upper, lower) = (&world.overlay.upper, &world.overlay.lower[0]);
        for (folder, changed) in [(lower, "before"), (upper, "after!")] {
            fs::create_dir_all(folder.join("etc")).unwrap();
            fs::write(folder.join("etc/touched"), "same").unwrap();
            fs::write(folder.join("etc/changed"), changed).unwrap();
        }
        assert_eq!(listing(&world.overlay), "etc folder\netc/changed file 6\n");
    }

    #[test]
    fn compiled_python_that_no_source_of_the_image_can_match_stays_behind() {
        let world = world();
        let cache = world.overlay.upper.join("app/__pycache__");
        fs::create_dir_all(&cache).unwrap();
        fs::write(
            cache.join("dated.pyc"),
            [0xa7, 13, 13, 10, 0, 0, 0, 0, 9, 9, 9, 9, 0, 0, 0, 0],
        )
        .unwrap();
        fs::write(
            cache.join("hashed.pyc"),
            [0xa7, 13, 13, 10, 3, 0, 0, 0, 9, 9, 9, 9, 0, 0, 0, 0],
        )
        .unwrap();
        fs::write(cache.join("short.pyc"), "x").unwrap();
        let kept = listing(&world.overlay);
        assert!(!kept.contains("dated") && kept.contains("hashed") && kept.contains("short"));
    }

    #[test]
    fn sockets_stay_behind() {
        let world = world();
        let _socket =
            std::os::unix::net::UnixListener::bind(world.overlay.upper.join("s")).unwrap();
        assert_eq!(listing(&world.overlay), "");
    }
}
