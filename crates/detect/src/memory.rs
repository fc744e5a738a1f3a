//! A tree that is held in memory, for tests.

use std::collections::BTreeMap;
use std::io;

use crate::tree::{EntryKind, FileTree, OWN_FILES};

/// Files by path, taken as they are given: no ignore rules apply.
#[derive(Clone, Debug, Default)]
pub struct MemoryTree {
    entries: BTreeMap<String, EntryKind>,
    contents: BTreeMap<String, Vec<u8>>,
}

impl MemoryTree {
    /// A tree of plain files.
    pub fn new<P: Into<String>, C: Into<Vec<u8>>>(files: impl IntoIterator<Item = (P, C)>) -> Self {
        files
            .into_iter()
            .fold(Self::default(), |tree, (path, content)| {
                tree.with(path, content)
            })
    }

    /// The tree with one more file.
    #[must_use]
    pub fn with(mut self, path: impl Into<String>, content: impl Into<Vec<u8>>) -> Self {
        let (path, content) = (path.into(), content.into());
        if !OWN_FILES.contains(&path.as_str()) {
            self.entries.insert(path.clone(), EntryKind::File);
        }
        self.contents.insert(path, content);
        self
    }

    /// The tree with one more link.
    #[must_use]
    pub fn with_link(mut self, path: impl Into<String>, target: impl Into<String>) -> Self {
        self.entries.insert(
            path.into(),
            EntryKind::Symlink {
                target: target.into(),
            },
        );
        self
    }
}

impl FileTree for MemoryTree {
    fn entries(&self) -> &BTreeMap<String, EntryKind> {
        &self.entries
    }

    fn is_executable(&self, _path: &str) -> bool {
        false
    }

    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        self.contents
            .get(path)
            .cloned()
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}
