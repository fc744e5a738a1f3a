//! The files of a project, as detection and packing see them.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Read};

/// The root's files that say what is built instead of being part of it: never among the entries,
/// but readable by these names.
pub const OWN_FILES: [&str; 4] = [
    "ergon.json",
    "ergon.lock.json",
    "Dockerfile",
    ".dockerignore",
];

/// None of them has a reason to be larger.
const LARGEST_OWN_FILE: u64 = 8 << 20;

/// What stands at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntryKind {
    File,
    /// The link's target, as written.
    Symlink {
        target: String,
    },
}

/// Something that cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    pub path: String,
    /// A sentence without its end.
    pub why: String,
    pub remedy: String,
    /// A build takes the folder all the same.
    pub is_harmless: bool,
}

/// The files that count as source, by their path relative to the root, `/`-separated.
///
/// Directories are implied by their files; ignored files are not in it.
pub trait FileTree {
    fn entries(&self) -> &BTreeMap<String, EntryKind>;

    /// Whether its owner may execute the file at `path`.
    fn is_executable(&self, path: &str) -> bool;

    /// What stands in the folder and is not among the entries because it cannot be taken.
    fn left_out(&self) -> Vec<LeftOut> {
        Vec::new()
    }

    /// The content of the file at `path`: an entry, or one of [`OWN_FILES`].
    fn read(&self, path: &str) -> io::Result<Vec<u8>>;

    /// The content as a stream, for files that do not fit in memory.
    fn open(&self, path: &str) -> io::Result<Box<dyn Read + Send + '_>> {
        Ok(Box::new(Cursor::new(self.read(path)?)))
    }

    /// The first `limit` bytes of the file at `path`.
    fn read_head(&self, path: &str, limit: u64) -> io::Result<Vec<u8>> {
        let mut head = Vec::new();
        self.open(path)?.take(limit).read_to_end(&mut head)?;
        Ok(head)
    }

    /// The content of one of [`OWN_FILES`], where the project has it.
    fn own_file(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        match self.read_head(name, LARGEST_OWN_FILE + 1) {
            Ok(content) if content.len() as u64 > LARGEST_OWN_FILE => {
                Err(io::Error::other(format!("{name} is larger than 8 MiB")))
            }
            Ok(content) => Ok(Some(content)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}
