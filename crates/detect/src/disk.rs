//! A folder on disk, as a tree.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::ffi::CString;
use std::fmt;
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use ignore::gitignore::{Gitignore, GitignoreBuilder};
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, ResolveFlags};

use crate::dockerignore::{DockerIgnore, Matched};
use crate::plan::shell_quoted;
use crate::tree::{EntryKind, FileTree, LeftOut, OWN_FILES};

/// A larger ignore file is none.
const IGNORE_FILE_LIMIT: u64 = 1 << 20;

/// So many bytes of patterns that are more than names are followed: each costs a thousand times its size in memory.
const MOST_PATTERNS: usize = 64 << 10;

/// A folder with more than this is no project, but a disk or a home with everything in it.
const MOST_ENTRIES: usize = 500_000;

/// The source files of a folder: what `.gitignore` (anywhere) and `.dockerignore` (at the root) leave.
///
/// Links are entries and are never followed; nothing outside the folder is ever opened.
#[derive(Debug)]
pub struct DiskTree {
    root: PathBuf,
    /// Everything is opened below this, whatever happens to the folder's name.
    handle: OwnedFd,
    entries: BTreeMap<String, EntryKind>,
    skipped: Vec<Skipped>,
}

/// Something in the folder that cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Relative to the folder; bytes that are not UTF-8 are replaced.
    pub path: String,
    pub reason: SkipReason,
}

/// Why something was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SkipReason {
    /// A socket, a pipe or a device.
    Special,
    /// Its name, or its target, is not UTF-8.
    NotUtf8,
    /// It may not be read.
    Unreadable(String),
    /// An ignore file that is not followed, or not to its end.
    Rules(String),
}

impl SkipReason {
    /// Whether a build takes the folder all the same: what is no file was never meant to be built.
    pub fn is_harmless(&self) -> bool {
        *self == Self::Special
    }
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = &self.path;
        match &self.reason {
            SkipReason::Special => write!(
                f,
                "{path} was left out: it is no file, but a pipe, a socket or a device"
            ),
            SkipReason::NotUtf8 => write!(f, "{path} was left out: its name is not UTF-8"),
            SkipReason::Unreadable(error) => {
                write!(f, "{path} was left out: it cannot be read ({error})")
            }
            SkipReason::Rules(why) => write!(f, "{path} is not followed: {why}"),
        }
    }
}

impl Skipped {
    /// What a person can do about it.
    pub fn remedy(&self) -> String {
        let pattern = shell_quoted(&self.path);
        match &self.reason {
            SkipReason::Rules(_) => format!("correct {}", self.path),
            SkipReason::Special => format!("leave it out: echo {pattern} >> .dockerignore"),
            SkipReason::NotUtf8 | SkipReason::Unreadable(_) => {
                format!("rename or unlock it, or leave it out: echo {pattern} >> .dockerignore")
            }
        }
    }
}

/// Why a folder is not a tree.
#[derive(Debug, thiserror::Error)]
pub enum TreeError {
    #[error("there is no folder {}", path.display())]
    NotFound { path: PathBuf },
    #[error("{} is not a folder", path.display())]
    NotAFolder { path: PathBuf },
    #[error("the folder {} cannot be read", path.display())]
    Unreadable {
        path: PathBuf,
        #[source]
        error: io::Error,
    },
    #[error("{} holds more than {limit} files", path.display())]
    TooMany { path: PathBuf, limit: usize },
}

impl TreeError {
    /// What a person can do about it.
    pub fn remedy(&self) -> Option<String> {
        Some(match self {
            Self::NotFound { .. } => {
                "check the path; it is taken relative to the current folder".to_owned()
            }
            Self::NotAFolder { path } => {
                let parent = path
                    .parent()
                    .filter(|parent| !parent.as_os_str().is_empty());
                format!(
                    "name the project's folder: {}",
                    parent.unwrap_or(Path::new(".")).display()
                )
            }
            Self::Unreadable { path, .. } => {
                format!("look at its permissions: ls -ld {}", path.display())
            }
            Self::TooMany { .. } => {
                "name the project's own folder, or leave what is no source out by .dockerignore"
                    .to_owned()
            }
        })
    }
}

impl DiskTree {
    /// Walks `folder`.
    pub fn open(folder: &Path) -> Result<Self, TreeError> {
        Self::open_up_to(folder, MOST_ENTRIES)
    }

    fn open_up_to(folder: &Path, limit: usize) -> Result<Self, TreeError> {
        let path = || folder.to_owned();
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let handle =
            rustix::fs::open(folder, flags, Mode::empty()).map_err(|errno| match errno.kind() {
                io::ErrorKind::NotFound => TreeError::NotFound { path: path() },
                io::ErrorKind::NotADirectory => TreeError::NotAFolder { path: path() },
                _ => TreeError::Unreadable {
                    path: path(),
                    error: errno.into(),
                },
            })?;
        let mut tree = Self {
            root: path(),
            handle,
            entries: BTreeMap::new(),
            skipped: Vec::new(),
        };
        let docker = tree.docker_ignore();
        let mut rules = RuleBook::default();
        let top = Folder {
            path: String::new(),
            rules: None,
            matched: docker.root(),
        };
        let mut waiting = vec![top];
        while let Some(folder) = waiting.pop() {
            if let Err(error) = tree.walk(&folder, &docker, &mut rules, &mut waiting) {
                if folder.path.is_empty() {
                    return Err(TreeError::Unreadable {
                        path: path(),
                        error,
                    });
                }
                tree.skip(folder.path, SkipReason::Unreadable(error.to_string()));
            }
            if tree.entries.len() + tree.skipped.len() + waiting.len() > limit {
                return Err(TreeError::TooMany {
                    path: path(),
                    limit,
                });
            }
        }
        tree.skipped.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(tree)
    }

    /// The folder that was opened.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What could not be taken, by path. A build that must not miss anything refuses a tree that has some.
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    fn docker_ignore(&mut self) -> DockerIgnore {
        let Some(text) = self.ignore_file(".dockerignore") else {
            return DockerIgnore::default();
        };
        let (rules, wrong) = DockerIgnore::parse(&text);
        for error in wrong {
            self.skip(
                ".dockerignore".to_owned(),
                SkipReason::Rules(error.to_string()),
            );
        }
        rules
    }

    /// The text of an ignore file, where there is one that is of a size to be followed.
    fn ignore_file(&mut self, path: &str) -> Option<String> {
        let content = self.read_head(path, IGNORE_FILE_LIMIT + 1).ok()?;
        if content.len() as u64 > IGNORE_FILE_LIMIT {
            let why = "it is larger than 1 MiB".to_owned();
            self.skip(path.to_owned(), SkipReason::Rules(why));
            return None;
        }
        Some(String::from_utf8_lossy(&content).into_owned())
    }

    /// Takes the files of one folder and puts the folders in it on `waiting`.
    fn walk(
        &mut self,
        folder: &Folder,
        docker: &DockerIgnore,
        book: &mut RuleBook,
        waiting: &mut Vec<Folder>,
    ) -> io::Result<()> {
        let name = if folder.path.is_empty() {
            "."
        } else {
            &folder.path
        };
        let mut listing = Dir::new(self.open_beneath(name, OFlags::DIRECTORY)?)?;
        let mut found = Vec::new();
        let mut has_rules = false;
        while let Some(entry) = listing.read() {
            let entry = entry?;
            let bytes = entry.file_name();
            if matches!(bytes.to_bytes(), b"." | b".." | b".git") {
                continue;
            }
            has_rules |= bytes.to_bytes() == b".gitignore";
            let name = bytes.to_string_lossy();
            if folder.path.is_empty() && OWN_FILES.contains(&&*name) {
                continue;
            }
            let path = folder.child(&name);
            // A listing says what stands there, save on some file systems.
            let kind = match entry.file_type() {
                FileType::Unknown => listing
                    .fd()
                    .and_then(|open| rustix::fs::statat(open, bytes, AtFlags::SYMLINK_NOFOLLOW))
                    .map(|status| FileType::from_raw_mode(status.st_mode)),
                kind => Ok(kind),
            };
            // Only a name that is no text, or that is asked for its target, is needed as it is written.
            let name = match name {
                Cow::Borrowed(_) if kind != Ok(FileType::Symlink) => None,
                _ => Some(bytes.to_owned()),
            };
            found.push((path, kind, name));
        }
        let rules = if has_rules {
            self.git_rules(folder, book)
        } else {
            folder.rules.clone()
        };
        for (path, kind, name) in found {
            let kind = match kind {
                Ok(kind) => kind,
                Err(errno) => {
                    let error = io::Error::from(errno).to_string();
                    self.skip(path, SkipReason::Unreadable(error));
                    continue;
                }
            };
            if GitRules::leave_out(rules.as_ref(), &path, kind == FileType::Directory) {
                continue;
            }
            let matched = docker.enter(&folder.matched, &path);
            let out = docker.leaves_out(&matched);
            match kind {
                FileType::Directory if out && !docker.has_exceptions() => {}
                // Only here, so that the ignore files can leave it out.
                _ if name.as_ref().is_some_and(|name| name.to_str().is_err()) => {
                    if !out {
                        self.skip(path, SkipReason::NotUtf8);
                    }
                }
                FileType::Directory => waiting.push(Folder {
                    path,
                    rules: rules.clone(),
                    matched,
                }),
                _ if out => {}
                FileType::RegularFile => {
                    self.entries.insert(path, EntryKind::File);
                }
                FileType::Symlink => {
                    let target = listing.fd().and_then(|open| {
                        rustix::fs::readlinkat(open, name.unwrap_or_default(), Vec::new())
                    });
                    self.take_link(path, target);
                }
                _ => self.skip(path, SkipReason::Special),
            }
        }
        Ok(())
    }

    fn take_link(&mut self, path: String, target: rustix::io::Result<CString>) {
        match target.map(CString::into_string) {
            Ok(Ok(target)) => {
                self.entries.insert(path, EntryKind::Symlink { target });
            }
            Ok(Err(_)) => self.skip(path, SkipReason::NotUtf8),
            Err(errno) => {
                let error = io::Error::from(errno).to_string();
                self.skip(path, SkipReason::Unreadable(error));
            }
        }
    }

    fn skip(&mut self, path: String, reason: SkipReason) {
        self.skipped.push(Skipped { path, reason });
    }

    /// The git rules of a folder: its own `.gitignore` over those of the folders above.
    fn git_rules(&mut self, folder: &Folder, book: &mut RuleBook) -> Option<Rc<GitRules>> {
        let path = folder.child(".gitignore");
        let Some(text) = self.ignore_file(&path) else {
            return folder.rules.clone();
        };
        match book.rules(text) {
            Ok(rules) if !rules.is_empty() => Some(Rc::new(GitRules {
                depth: folder.prefix_len(),
                rules,
                above: folder.rules.clone(),
            })),
            Ok(_) => folder.rules.clone(),
            Err(why) => {
                self.skip(path, SkipReason::Rules(why));
                folder.rules.clone()
            }
        }
    }

    /// Opens what is at `path`, never through a link and never outside the folder.
    fn open_beneath(&self, path: &str, flags: OFlags) -> io::Result<OwnedFd> {
        let flags = flags | OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
        Ok(rustix::fs::openat2(
            &self.handle,
            path,
            flags,
            Mode::empty(),
            resolve,
        )?)
    }

    fn open_file(&self, path: &str) -> io::Result<File> {
        let file = File::from(self.open_beneath(path, OFlags::empty())?);
        if file.metadata()?.is_file() {
            Ok(file)
        } else {
            Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("{path} is not a file"),
            ))
        }
    }
}

impl FileTree for DiskTree {
    fn left_out(&self) -> Vec<LeftOut> {
        let skipped = self.skipped.iter();
        skipped
            .map(|skipped| LeftOut {
                path: skipped.path.clone(),
                why: skipped.to_string(),
                remedy: skipped.remedy(),
                is_harmless: skipped.reason.is_harmless(),
            })
            .collect()
    }

    fn entries(&self) -> &BTreeMap<String, EntryKind> {
        &self.entries
    }

    fn is_executable(&self, path: &str) -> bool {
        let Some(EntryKind::File) = self.entries.get(path) else {
            return false;
        };
        let metadata = self.open_file(path).and_then(|file| file.metadata());
        metadata.is_ok_and(|metadata| is_executable(&metadata))
    }

    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        self.open_file(path)?.read_to_end(&mut content)?;
        Ok(content)
    }

    fn open(&self, path: &str) -> io::Result<Box<dyn Read + Send + '_>> {
        Ok(Box::new(self.open_file(path)?))
    }
}

/// Whether a file's owner may execute it.
pub fn is_executable(metadata: &Metadata) -> bool {
    metadata.mode() & Mode::XUSR.as_raw_mode() != 0
}

/// A folder that is still to be walked.
struct Folder {
    /// Relative to the root; empty for the root itself.
    path: String,
    /// The rules of the folders above.
    rules: Option<Rc<GitRules>>,
    matched: Matched,
}

impl Folder {
    fn child(&self, name: &str) -> String {
        if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}/{name}", self.path)
        }
    }

    /// How much of a path below this folder is not below it.
    fn prefix_len(&self) -> usize {
        if self.path.is_empty() {
            0
        } else {
            self.path.len() + 1
        }
    }
}

/// What `.gitignore` files say, read once for all folders that say the same.
#[derive(Default)]
struct RuleBook {
    rules: HashMap<String, Rc<Gitignore>>,
    /// Bytes of patterns so far.
    patterns: usize,
}

impl RuleBook {
    fn rules(&mut self, text: String) -> Result<Rc<Gitignore>, String> {
        if let Some(known) = self.rules.get(&text) {
            return Ok(Rc::clone(known));
        }
        self.patterns += text
            .lines()
            .filter(|line| line.trim_start_matches("*.").contains(['*', '?', '[']))
            .map(str::len)
            .sum::<usize>();
        if self.patterns > MOST_PATTERNS {
            return Err(format!(
                "the .gitignore files up to this one hold more than {} KiB of patterns",
                MOST_PATTERNS >> 10
            ));
        }
        let mut builder = GitignoreBuilder::new(".");
        for line in text.lines() {
            // Git passes over a line that is no pattern, and so does this.
            let _ = builder.add_line(None, line);
        }
        let rules = Rc::new(builder.build().unwrap_or_else(|_| Gitignore::empty()));
        self.rules.insert(text, Rc::clone(&rules));
        Ok(rules)
    }
}

/// One `.gitignore`, and those above it.
struct GitRules {
    /// Where paths relative to the file's folder begin.
    depth: usize,
    rules: Rc<Gitignore>,
    above: Option<Rc<GitRules>>,
}

impl GitRules {
    /// Whether the nearest file that has something to say about `path` says to ignore it.
    fn leave_out(mut rules: Option<&Rc<Self>>, path: &str, is_folder: bool) -> bool {
        while let Some(level) = rules {
            match level.rules.matched(&path[level.depth..], is_folder) {
                ignore::Match::Ignore(_) => return true,
                ignore::Match::Whitelist(_) => return false,
                ignore::Match::None => rules = level.above.as_ref(),
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_with_everything_in_it_is_given_up() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a", "b", "c"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        assert!(DiskTree::open_up_to(folder.path(), 3).is_ok());
        let error = DiskTree::open_up_to(folder.path(), 2).unwrap_err();
        assert!(
            error.to_string().ends_with(" holds more than 2 files"),
            "{error}"
        );
        std::fs::write(folder.path().join(".dockerignore"), "b\n").unwrap();
        assert!(
            DiskTree::open_up_to(folder.path(), 2).is_ok(),
            "what is left out does not count"
        );
    }
}
