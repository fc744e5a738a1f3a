//! The files of a project, as detection and packing see them.

use std::collections::BTreeMap;
use std::io;

/// What stands at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntryKind {
    File { size: u64, executable: bool },
    /// The link's target, as written.
    Symlink { target: String },
}

/// The files that count as source, by their path relative to the root, `/`-separated.
///
/// Directories are implied by their files; ignored files are not in it.
pub trait FileTree {
    fn entries(&self) -> &BTreeMap<String, EntryKind>;

    /// The content of the file at `path`.
    fn read(&self, path: &str) -> io::Result<Vec<u8>>;
}
