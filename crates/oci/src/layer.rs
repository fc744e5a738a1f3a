//! Layers: what an image adds to the file system, as the same bits every time.
//!
//! The dialect is POSIX pax: a plain ustar header for whatever fits one, and in front of it an
//! extended header with only the records that do not (long or non-ASCII names, sizes from 8 GiB,
//! ids from 2097152, extended attributes). Entries stand in byte order of their names, each after
//! its folder; time is the epoch, ids are numeric, user and group names empty.

mod arrange;
mod entries;
mod header;
mod read;
mod unpack;
mod write;

use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use ergon_manifest::Digest;
use serde::{Deserialize, Serialize};

use crate::error::Error;

pub use entries::{Guarded, each_entry};
pub use read::{Spool, decompress, read_layer};
pub use unpack::{OpaqueMark, unpack_layer};
pub(crate) use write::LayerWriter;
pub use write::write_layer;

/// The media type of the layers we write.
pub const MEDIA_TYPE: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// A layer that was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    /// Of the compressed blob.
    pub digest: Digest,
    /// Of the tar inside.
    pub diff_id: Digest,
    /// Of the compressed blob, in bytes.
    pub size: u64,
    pub media_type: String,
}

/// One path of a layer.
///
/// `C` says where a file's content is: to be written it must be somewhere ([`Content`]); what is
/// read comes with a stream beside it, and `C` is `()`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerEntry<C = Content> {
    /// Relative and `/`-separated: no slash at either end, no `.` and no `..`.
    pub path: String,
    /// Permission bits, with setuid, setgid and sticky.
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    pub kind: EntryKind<C>,
    /// Only `security.capability` and `user.*` are written.
    pub xattrs: BTreeMap<String, Vec<u8>>,
}

/// What is at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntryKind<C = Content> {
    File {
        size: u64,
        content: C,
    },
    Directory,
    /// With its target, as it is.
    Symlink(String),
    /// The same file as another path of this layer.
    Hardlink(String),
    /// The path is gone, whatever the layers below say.
    Whiteout,
    /// What the layers below hold in the directory at the path is gone.
    OpaqueDirectory,
}

/// Where a file's content is.
#[derive(Clone, Debug)]
pub enum Content {
    /// A regular file; a link in its place is not followed.
    Path(PathBuf),
    /// A regular file below `root`, reached through no link, that must still hold what it once held:
    /// `digest` is the SHA-256 of `prefix` with the content behind it.
    Known {
        root: PathBuf,
        path: String,
        prefix: String,
        digest: Digest,
    },
    Bytes(Vec<u8>),
    /// As many bytes as the entry's size, from `offset` on.
    Slice {
        file: Arc<File>,
        offset: u64,
    },
}

/// How many entries of images are held in memory at once: so many that none of a well-meant image is too much.
#[derive(Debug)]
pub struct Room {
    left: u64,
}

/// 192 MiB: some 500 000 files.
const MOST_HELD: u64 = 192 << 20;
/// What an entry takes beside its texts, with its place in a map.
const ENTRY: u64 = 256;

impl Default for Room {
    fn default() -> Self {
        Self { left: MOST_HELD }
    }
}

impl Room {
    /// Counts an entry that is to be held.
    pub fn take<C>(&mut self, entry: &LayerEntry<C>) -> Result<(), Error> {
        let attributes = entry.xattrs.iter();
        let texts = entry.path.len() * 2
            + match &entry.kind {
                EntryKind::Symlink(target) | EntryKind::Hardlink(target) => target.len(),
                _ => 0,
            }
            + attributes
                .map(|(name, value)| name.len() + value.len() + 64)
                .sum::<usize>();
        let Some(left) = self.left.checked_sub(ENTRY + texts as u64) else {
            return Err(Error::malformed(
                "the list of files",
                format!(
                    "with their names and attributes they take more than {MOST_HELD} bytes of memory"
                ),
            ));
        };
        self.left = left;
        Ok(())
    }
}

/// Whether an extended attribute belongs to a program's files rather than to a machine.
fn is_portable_attribute(name: &str) -> bool {
    name == "security.capability"
        || (name.starts_with("user.") && !name.starts_with("user.overlay."))
}
