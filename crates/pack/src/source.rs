//! The source digest: the SHA-256 git tree id of the files that go into a build.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::num::NonZero;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use ergon_detect::disk::is_executable;
use ergon_detect::tree::{EntryKind, FileTree};
use ergon_manifest::Digest;
use rustix::fs::{Mode, OFlags, ResolveFlags};
use sha2::{Digest as _, Sha256};

use crate::cache::Cache;
use crate::error::PackError;
use crate::known_files::{KnownFiles, Stamp};

/// The files of a build, each with what it held when it was hashed.
#[derive(Clone, Debug)]
pub struct Source {
    root: PathBuf,
    files: BTreeMap<String, SourceFile>,
    digest: Digest,
    /// When reading began.
    read_at: jiff::Timestamp,
}

/// What stands at a path of the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceKind {
    File {
        size: u64,
        executable: bool,
    },
    /// The link's target, as written.
    Symlink {
        target: String,
    },
}

/// One file or link of the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    pub kind: SourceKind,
    /// The SHA-256 git blob id of the content, or of a link's target.
    pub blob: Digest,
    /// What the file system said of the file as it was hashed; none for a link.
    pub stamp: Option<Stamp>,
}

impl Source {
    /// Hashes every entry of `tree`, whose files lie under `root`; with a cache, only files that were touched since
    /// it was told of them.
    pub fn read(
        root: &Path,
        tree: &dyn FileTree,
        cache: Option<&Cache>,
    ) -> Result<Self, PackError> {
        let read_at = jiff::Timestamp::now();
        let mut known = cache.map_or_else(KnownFiles::default, |cache| {
            KnownFiles::read(cache.root(), root)
        });
        let failed = |path: &str| {
            let path = root.join(path);
            move |error| PackError::ReadSource { path, error }
        };
        let folder = open_folder(root).map_err(failed(""))?;
        let mut files = BTreeMap::new();
        let mut paths = Vec::new();
        for (path, kind) in tree.entries() {
            match kind {
                EntryKind::Symlink { target } => {
                    let blob = blob_id(target.as_bytes());
                    let target = target.clone();
                    let kind = SourceKind::Symlink { target };
                    let stamp = None;
                    files.insert(path.clone(), SourceFile { kind, blob, stamp });
                }
                EntryKind::File => paths.push(path.as_str()),
            }
        }
        let next = AtomicUsize::new(0);
        let work = || {
            let mut done = Vec::new();
            while let Some(path) = paths.get(next.fetch_add(1, Ordering::Relaxed)) {
                let file = SourceFile::read(&folder, path, &known).map_err(failed(path))?;
                done.push(((*path).to_owned(), file));
            }
            Ok::<_, PackError>(done)
        };
        let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
        std::thread::scope(|scope| {
            let others: Vec<_> = (1..processors.min(paths.len()))
                .map(|_| scope.spawn(work))
                .collect();
            files.extend(work()?);
            for other in others {
                match other.join() {
                    Ok(done) => files.extend(done?),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            Ok::<_, PackError>(())
        })?;
        let settled = files.iter().filter_map(|(path, file)| {
            let stamp = file.stamp.filter(|stamp| stamp.is_settled(read_at))?;
            Some((path.clone(), (stamp, file.blob)))
        });
        known.remember(settled.collect());
        let digest = tree_id(&files);
        Ok(Self {
            root: root.to_owned(),
            files,
            digest,
            read_at,
        })
    }

    /// The SHA-256 git tree id.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    pub fn files(&self) -> &BTreeMap<String, SourceFile> {
        &self.files
    }

    /// Opens a file of the source; none where it cannot be read.
    pub(crate) fn open(&self, path: &str) -> Option<File> {
        self.files.get(path)?;
        open_beneath(&open_folder(&self.root).ok()?, path).ok()
    }

    /// Whether this is what a file held when it was hashed.
    pub(crate) fn held(&self, path: &str, content: &[u8]) -> bool {
        self.files
            .get(path)
            .is_some_and(|file| file.blob == blob_id(content))
    }

    /// The files that `chosen` accepts, with their own digest.
    pub fn select(&self, chosen: impl Fn(&str) -> bool) -> Self {
        let files: BTreeMap<_, _> = self
            .files
            .iter()
            .filter(|(path, _)| chosen(path))
            .map(|(path, file)| (path.clone(), file.clone()))
            .collect();
        let digest = tree_id(&files);
        Self {
            root: self.root.clone(),
            files,
            digest,
            read_at: self.read_at,
        }
    }

    /// The same files below another folder, which is made.
    pub fn copy_to(&self, root: &Path) -> Result<Self, (PathBuf, io::Error)> {
        std::fs::create_dir_all(root).map_err(|error| (root.to_owned(), error))?;
        let folder = open_folder(&self.root).map_err(|error| (self.root.clone(), error))?;
        for (path, file) in &self.files {
            let target = root.join(path);
            let copied = || {
                if let Some(folder) = target.parent() {
                    std::fs::create_dir_all(folder)?;
                }
                match &file.kind {
                    SourceKind::Symlink { target: to } => std::os::unix::fs::symlink(to, &target),
                    SourceKind::File { executable, .. } => {
                        let mut from = open_beneath(&folder, path)?;
                        let mut to = File::create_new(&target)?;
                        io::copy(&mut from, &mut to)?;
                        let mode = if *executable { 0o700 } else { 0o600 };
                        to.set_permissions(std::fs::Permissions::from_mode(mode))
                    }
                }
            };
            copied().map_err(|error| (self.root.join(path), error))?;
        }
        Ok(Self {
            root: root.to_owned(),
            ..self.clone()
        })
    }

    /// The first file that no longer holds what was hashed.
    pub fn changed_file(&self) -> Option<&str> {
        let folder = open_folder(&self.root);
        let same = |path: &str, file: &SourceFile| -> io::Result<bool> {
            let Ok(folder) = &folder else {
                return Ok(false);
            };
            if let (SourceKind::File { size, .. }, Some(stamp)) = (&file.kind, file.stamp) {
                let open = open_beneath(folder, path)?;
                let untouched =
                    stamp.is_settled(self.read_at) && Stamp::of(&open.metadata()?) == stamp;
                return Ok(untouched || hash_blob(open, *size)? == file.blob);
            }
            let target = std::fs::read_link(self.root.join(path))?;
            Ok(blob_id(target.as_os_str().as_encoded_bytes()) == file.blob)
        };
        let changed = |(path, file): &(&String, &SourceFile)| !same(path, file).unwrap_or(false);
        self.files
            .iter()
            .find(changed)
            .map(|(path, _)| path.as_str())
    }
}

impl SourceFile {
    /// Hashes one file, unless what it holds is known.
    fn read(folder: &OwnedFd, path: &str, known: &KnownFiles) -> io::Result<Self> {
        let file = open_beneath(folder, path)?;
        let metadata = file.metadata()?;
        let (size, stamp) = (metadata.len(), Stamp::of(&metadata));
        let blob = match known.blob(path, &stamp) {
            Some(blob) => blob,
            None => hash_blob(file, size)?,
        };
        let executable = is_executable(&metadata);
        Ok(Self {
            kind: SourceKind::File { size, executable },
            blob,
            stamp: Some(stamp),
        })
    }
}

fn open_folder(root: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(rustix::fs::open(root, flags, Mode::empty())?)
}

/// Opens a file below a folder without following a link out of it.
fn open_beneath(folder: &OwnedFd, path: &str) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
    let file = rustix::fs::openat2(folder, path, flags, Mode::empty(), resolve)?;
    Ok(File::from(file))
}

/// What git hashes in front of a file's content.
pub(crate) fn blob_prefix(size: u64) -> String {
    format!("blob {size}\0")
}

fn blob_id(content: &[u8]) -> Digest {
    let mut hasher = Sha256::new();
    hasher.update(blob_prefix(content.len() as u64));
    hasher.update(content);
    Digest::from_bytes(hasher.finalize().into())
}

fn hash_blob(mut reader: impl Read, size: u64) -> io::Result<Digest> {
    let mut hasher = Sha256::new();
    hasher.update(blob_prefix(size));
    let mut buffer = vec![0; 256 * 1024];
    let mut total = 0;
    loop {
        let read = reader.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        total += read as u64;
        hasher.update(&buffer[..read]);
    }
    if total == size {
        Ok(Digest::from_bytes(hasher.finalize().into()))
    } else {
        Err(io::Error::other("the file changed while it was read"))
    }
}

/// The SHA-256 git tree id over files by their `/`-separated paths.
fn tree_id(files: &BTreeMap<String, SourceFile>) -> Digest {
    enum Node<'a> {
        File(&'a SourceFile),
        Folder(BTreeMap<&'a str, Node<'a>>),
    }

    fn write(folder: &BTreeMap<&str, Node<'_>>) -> Digest {
        // Git orders a folder as if its name ended in a slash.
        let mut entries: Vec<(Vec<u8>, &str, &str, Digest)> = folder
            .iter()
            .map(|(name, node)| {
                let mut key = name.as_bytes().to_vec();
                let (mode, id) = match node {
                    Node::Folder(children) => {
                        key.push(b'/');
                        ("40000", write(children))
                    }
                    Node::File(file) => (git_mode(&file.kind), file.blob),
                };
                (key, *name, mode, id)
            })
            .collect();
        entries.sort_unstable_by(|left, right| left.0.cmp(&right.0));
        let mut content = Vec::new();
        for (_, name, mode, id) in entries {
            content.extend_from_slice(format!("{mode} {name}\0").as_bytes());
            content.extend_from_slice(id.as_bytes());
        }
        let mut hasher = Sha256::new();
        hasher.update(format!("tree {}\0", content.len()));
        hasher.update(&content);
        Digest::from_bytes(hasher.finalize().into())
    }

    let mut root = BTreeMap::new();
    'files: for (path, file) in files {
        let mut folder = &mut root;
        let mut rest = path.as_str();
        while let Some((head, tail)) = rest.split_once('/') {
            let child = folder
                .entry(head)
                .or_insert_with(|| Node::Folder(BTreeMap::new()));
            // A path cannot be both a file and a folder on disk; if a caller says so, the folder wins.
            if matches!(child, Node::File(_)) {
                *child = Node::Folder(BTreeMap::new());
            }
            let Node::Folder(children) = child else {
                continue 'files;
            };
            folder = children;
            rest = tail;
        }
        folder.insert(rest, Node::File(file));
    }
    write(&root)
}

fn git_mode(kind: &SourceKind) -> &'static str {
    match kind {
        SourceKind::Symlink { .. } => "120000",
        SourceKind::File {
            executable: true, ..
        } => "100755",
        SourceKind::File { .. } => "100644",
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::process::Command;

    use ergon_detect::disk::DiskTree;

    use super::*;

    fn digest_of(folder: &Path) -> Digest {
        let tree = DiskTree::open(folder).unwrap();
        Source::read(folder, &tree, None).unwrap().digest()
    }

    fn example() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        std::fs::create_dir_all(root.join("lib.d/deep")).unwrap();
        std::fs::create_dir_all(root.join("lib")).unwrap();
        std::fs::write(root.join("lib.d/deep/a"), "a").unwrap();
        std::fs::write(root.join("lib-x"), "x").unwrap();
        std::fs::write(root.join("lib/z"), "").unwrap();
        std::fs::write(root.join("run.sh"), "#!/bin/sh\n").unwrap();
        std::fs::set_permissions(root.join("run.sh"), PermissionsExt::from_mode(0o755)).unwrap();
        symlink("lib/z", root.join("link")).unwrap();
        folder
    }

    /// What git says the tree id of the same files is.
    fn git_tree(folder: &Path) -> String {
        let git = |arguments: &[&str]| {
            let output = Command::new("git")
                .arg("-C")
                .arg(folder)
                .args(arguments)
                .output()
                .unwrap();
            assert!(
                output.status.success(),
                "{}",
                String::from_utf8_lossy(&output.stderr)
            );
            String::from_utf8(output.stdout).unwrap().trim().to_owned()
        };
        git(&["init", "-q", "--object-format=sha256"]);
        git(&["-c", "core.autocrlf=false", "add", "--all"]);
        git(&["write-tree"])
    }

    #[test]
    fn the_digest_is_what_git_write_tree_prints() {
        let folder = example();
        let digest = digest_of(folder.path());
        assert_eq!(digest.hex(), git_tree(folder.path()));
    }

    #[test]
    fn one_byte_or_one_exec_bit_changes_it_and_times_do_not() {
        let folder = example();
        let original = digest_of(folder.path());
        let file = File::options()
            .write(true)
            .open(folder.path().join("lib-x"))
            .unwrap();
        file.set_modified(std::time::UNIX_EPOCH).unwrap();
        std::fs::set_permissions(
            folder.path().join("lib-x"),
            PermissionsExt::from_mode(0o600),
        )
        .unwrap();
        assert_eq!(digest_of(folder.path()), original);

        std::fs::set_permissions(
            folder.path().join("lib-x"),
            PermissionsExt::from_mode(0o700),
        )
        .unwrap();
        assert_ne!(digest_of(folder.path()), original);
        std::fs::set_permissions(
            folder.path().join("lib-x"),
            PermissionsExt::from_mode(0o600),
        )
        .unwrap();
        std::fs::write(folder.path().join("lib-x"), "y").unwrap();
        assert_ne!(digest_of(folder.path()), original);
    }

    #[test]
    fn what_describes_the_build_is_outside_the_digest() {
        let folder = example();
        let original = digest_of(folder.path());
        for name in [
            "ergon.json",
            "ergon.lock.json",
            "Dockerfile",
            ".dockerignore",
        ] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        assert_eq!(digest_of(folder.path()), original);
        std::fs::write(folder.path().join("lib/Dockerfile"), "").unwrap();
        assert_ne!(digest_of(folder.path()), original);
    }

    #[test]
    fn a_file_that_changes_after_hashing_is_noticed() {
        let folder = example();
        let tree = DiskTree::open(folder.path()).unwrap();
        let source = Source::read(folder.path(), &tree, None).unwrap();
        assert_eq!(source.changed_file(), None);
        std::fs::write(folder.path().join("lib/z"), "now").unwrap();
        assert_eq!(source.changed_file(), Some("lib/z"));
    }

    #[test]
    fn a_file_that_became_a_link_out_of_the_tree_is_not_read() {
        let folder = example();
        let tree = DiskTree::open(folder.path()).unwrap();
        std::fs::remove_file(folder.path().join("lib/z")).unwrap();
        symlink("/etc/hostname", folder.path().join("lib/z")).unwrap();
        assert!(Source::read(folder.path(), &tree, None).is_err());
    }

    #[test]
    fn what_was_not_touched_is_not_read_again() {
        // These files are older than the steps in which file systems keep times.
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
        let tree = DiskTree::open(&root).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path()).unwrap();
        let first = Source::read(&root, &tree, Some(&cache)).unwrap();
        assert_eq!(
            first.digest(),
            Source::read(&root, &tree, None).unwrap().digest()
        );
        // Whether a file is read shows where what is remembered is wrong.
        let place = std::fs::read_dir(folder.path().join("files"))
            .unwrap()
            .next()
            .unwrap()
            .unwrap()
            .path();
        let (path, file) = first.files().iter().next().unwrap();
        let wrong = Digest::of(b"something else");
        let text = std::fs::read_to_string(&place).unwrap();
        let forged = text.replace(&file.blob.to_string(), &wrong.to_string());
        std::fs::write(&place, forged).unwrap();
        let again = Source::read(&root, &tree, Some(&cache)).unwrap();
        assert_eq!(again.files()[path].blob, wrong);
    }
}
