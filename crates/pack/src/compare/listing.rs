//! What lies at each path of a part of an image.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::ops::Range;

use ergon_manifest::Digest;
use ergon_oci::layer::{EntryKind, LayerEntry, Room, read_layer};
use sha2::{Digest as _, Sha256};

use super::Side;
use crate::error::PackError;

/// What a path holds, without its content.
pub(super) struct Known {
    /// Its path stands in the list alone.
    pub entry: LayerEntry<()>,
    /// Of a file's content.
    pub digest: Option<Digest>,
    /// The layer it comes from, counted from 0.
    pub layer: usize,
}

/// What lies at each path when these layers lie on top of each other.
pub(super) fn index(
    side: Side<'_>,
    layers: Range<usize>,
) -> Result<BTreeMap<String, Known>, PackError> {
    let mut known: BTreeMap<String, Known> = BTreeMap::new();
    let mut room = Room::default();
    let several = layers.len() > 1;
    for layer in layers {
        let digest = side.image.layers()[layer].digest;
        read_layer::<PackError>(side.blobs.open_read(&digest)?, |mut entry, content| {
            room.take(&entry)?;
            let is_hiding = matches!(entry.kind, EntryKind::Whiteout | EntryKind::OpaqueDirectory);
            let path = std::mem::take(&mut entry.path);
            if several && is_hiding {
                remove_below(&mut known, &path);
            }
            let digest = match &entry.kind {
                EntryKind::File { .. } => Some(hash(content).map_err(|error| {
                    let what = format!("the layer {digest}");
                    ergon_oci::Error::stream("read", what)(error)
                })?),
                _ => None,
            };
            let found = Known {
                entry,
                digest,
                layer,
            };
            known.insert(path, found);
            Ok(())
        })?;
    }
    Ok(known)
}

fn remove_below(known: &mut BTreeMap<String, Known>, folder: &str) {
    let inside = if folder.is_empty() {
        String::new()
    } else {
        format!("{folder}/")
    };
    while let Some((path, _)) = known.range(inside.clone()..).next()
        && path.starts_with(&inside)
    {
        let path = path.clone();
        known.remove(&path);
    }
}

fn hash(content: &mut dyn Read) -> io::Result<Digest> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match content.read(&mut buffer) {
            Ok(0) => return Ok(Digest::from_bytes(hasher.finalize().into())),
            Ok(read) => hasher.update(&buffer[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
