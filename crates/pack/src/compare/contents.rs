//! The contents of files that differ, and where they begin to.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use ergon_oci::layer::{Content, EntryKind, Spool, read_layer};

use super::cause::{self, Bytes};
use super::{Difference, Side};
use crate::error::PackError;

/// So many bytes of files that differ are kept on the disk; of others it is only known that they do: 4 GiB.
const MOST_KEPT: u64 = 4 << 30;
/// Files up to this size, in bytes, are looked at as a whole.
const WHOLE: u64 = 16 << 20;
/// Of a larger one, so much around the first byte that differs.
const AROUND: u64 = 4096;
/// How much is compared at a time.
const CHUNK: usize = 64 * 1024;

/// Files of an image's layers, kept where any part of them can be read.
#[derive(Default)]
pub(super) struct Contents {
    files: BTreeMap<String, (Arc<File>, u64, u64)>,
    too_large: BTreeSet<String>,
}

impl Contents {
    /// Keeps the `wanted` files; of a path in several layers the topmost.
    pub fn collect(
        side: Side<'_>,
        layers: std::ops::Range<usize>,
        wanted: &BTreeSet<String>,
    ) -> Result<Self, PackError> {
        let mut kept = Self::default();
        if wanted.is_empty() {
            return Ok(kept);
        }
        let mut left = MOST_KEPT;
        let mut spool = Spool::new(side.blobs)?;
        for layer in layers {
            let digest = side.image.layers()[layer].digest;
            read_layer::<PackError>(side.blobs.open_read(&digest)?, |entry, content| {
                let EntryKind::File { size, .. } = entry.kind else {
                    return Ok(());
                };
                if !wanted.contains(&entry.path) {
                    return Ok(());
                }
                if size > left {
                    kept.files.remove(&entry.path);
                    kept.too_large.insert(entry.path);
                    return Ok(());
                }
                left -= size;
                if let Content::Slice { file, offset } = spool.keep(content, size)? {
                    kept.too_large.remove(&entry.path);
                    kept.files.insert(entry.path, (file, offset, size));
                }
                Ok(())
            })?;
        }
        Ok(kept)
    }
}

/// Says where the contents of a path begin to differ, and why that is likely so.
pub(super) fn explain(
    difference: &mut Difference,
    first: &Contents,
    second: &Contents,
) -> Result<(), PackError> {
    let (Some(one), Some(other)) = (
        first.files.get(&difference.path),
        second.files.get(&difference.path),
    ) else {
        let is_too_large = |side: &Contents| side.too_large.contains(&difference.path);
        if is_too_large(first) || is_too_large(second) {
            difference.cause = Some("content that is too large to say where it differs".to_owned());
        }
        return Ok(());
    };
    let failed = |error: io::Error| PackError::Compare {
        reason: error.to_string(),
    };
    let offset = first_difference(one, other).map_err(failed)?;
    let whole = one.2 <= WHOLE && other.2 <= WHOLE;
    let start = if whole {
        0
    } else {
        offset.saturating_sub(AROUND)
    };
    let part = |(file, at, size): &(Arc<File>, u64, u64)| -> io::Result<Vec<u8>> {
        let end = if whole {
            *size
        } else {
            (offset + AROUND).min(*size)
        };
        let mut bytes = vec![0; usize::try_from(end.saturating_sub(start)).unwrap_or(0)];
        file.read_exact_at(&mut bytes, at + start)?;
        Ok(bytes)
    };
    let (ours, theirs) = (part(one).map_err(failed)?, part(other).map_err(failed)?);
    let explained = cause::explain(&Bytes {
        path: &difference.path,
        first: &ours,
        second: &theirs,
        at: usize::try_from(offset - start).unwrap_or(0),
        whole,
    });
    difference.offset = Some(offset);
    difference.line = explained.line;
    difference.first = explained.first;
    difference.second = explained.second;
    difference.cause = explained.cause;
    difference.fix = explained.fix;
    Ok(())
}

/// The first byte that differs; where one is the beginning of the other, its end.
fn first_difference(one: &(Arc<File>, u64, u64), other: &(Arc<File>, u64, u64)) -> io::Result<u64> {
    let shorter = one.2.min(other.2);
    let (mut left, mut right) = (vec![0; CHUNK], vec![0; CHUNK]);
    let mut at = 0;
    while at < shorter {
        let length = usize::try_from(shorter - at).unwrap_or(CHUNK).min(CHUNK);
        one.0.read_exact_at(&mut left[..length], one.1 + at)?;
        other.0.read_exact_at(&mut right[..length], other.1 + at)?;
        let differs = (left[..length].iter())
            .zip(&right[..length])
            .position(|(one, other)| one != other);
        if let Some(index) = differs {
            return Ok(at + index as u64);
        }
        at += length as u64;
    }
    Ok(shorter)
}
