//! Source files as a layer holds them.

use std::collections::{BTreeMap, BTreeSet};

use ergon_detect::plan::APP_ROOT;
use ergon_oci::layer::{Content, EntryKind, LayerEntry};

use crate::source::{Source, SourceKind, blob_prefix};

/// Source files as layer entries under the application root.
pub fn source_entries(source: &Source, owner: u32) -> Vec<LayerEntry> {
    let root = APP_ROOT.trim_start_matches('/');
    let mut folders = BTreeSet::from([root.to_owned()]);
    let mut entries = Vec::with_capacity(source.files().len() + 16);
    let entry = |path: String, mode, kind| LayerEntry {
        path,
        mode,
        uid: owner,
        gid: owner,
        kind,
        xattrs: BTreeMap::new(),
    };
    for (path, file) in source.files() {
        for (index, _) in path.match_indices('/') {
            folders.insert(format!("{root}/{}", &path[..index]));
        }
        let (mode, kind) = match &file.kind {
            SourceKind::Symlink { target } => (0o777, EntryKind::Symlink(target.clone())),
            SourceKind::File { size, executable } => (
                if *executable { 0o755 } else { 0o644 },
                EntryKind::File {
                    size: *size,
                    // Checked again as it is packed: a layer of something else would be kept under this
                    // source's name.
                    content: Content::Known {
                        root: source.root().to_owned(),
                        path: path.clone(),
                        prefix: blob_prefix(*size),
                        digest: file.blob,
                    },
                },
            ),
        };
        entries.push(entry(format!("{root}/{path}"), mode, kind));
    }
    entries.extend(
        folders
            .into_iter()
            .map(|folder| entry(folder, 0o755, EntryKind::Directory)),
    );
    entries
}
