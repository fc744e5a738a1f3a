//! Parts of files as frames of a body that the kernel can send by itself.
//!
//! A frame is a mapping of the file. Whoever reads it finds the file's bytes; our own [`Connection`], which is
//! handed the frame's address when it is to be written, finds the file by it and has the kernel send it, so that
//! its bytes never come into this process.
//!
//! [`Connection`]: super::connection::Connection

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::sync::{Arc, PoisonError, RwLock};

use axum::body::Bytes;
use memmap2::{Mmap, MmapOptions};

/// Every mapping that is somewhere on its way out, by its address.
static FRAMES: RwLock<BTreeMap<usize, Part>> = RwLock::new(BTreeMap::new());

/// A part of a file.
#[derive(Clone, Debug)]
pub struct Part {
    pub file: Arc<File>,
    /// In bytes from the file's beginning.
    pub offset: u64,
    length: usize,
}

/// A part of a file as a frame. The file must be one that nobody writes to any more, as content is.
pub fn frame(file: &Arc<File>, range: Range<u64>) -> io::Result<Bytes> {
    let length = usize::try_from(range.end - range.start).map_err(io::Error::other)?;
    if length == 0 {
        return Ok(Bytes::new());
    }
    // It is read ahead of being sent, since a connection would wait for the disk with others behind it.
    let wanted = std::num::NonZeroU64::new(range.end - range.start);
    let _ = rustix::fs::fadvise(&**file, range.start, wanted, rustix::fs::Advice::WillNeed);
    #[allow(
        unsafe_code,
        reason = "content is never written to under its digest, only removed, which a mapping outlives"
    )]
    let map = unsafe {
        MmapOptions::new()
            .offset(range.start)
            .len(length)
            .map(&**file)
    }?;
    let part = Part {
        file: Arc::clone(file),
        offset: range.start,
        length,
    };
    let address = map.as_ptr().addr();
    FRAMES
        .write()
        .unwrap_or_else(PoisonError::into_inner)
        .insert(address, part);
    Ok(Bytes::from_owner(Frame { map, address }))
}

/// Which part of which file these bytes are, if they are of a frame.
pub fn part_of(bytes: &[u8]) -> Option<Part> {
    let address = bytes.as_ptr().addr();
    let frames = FRAMES.read().unwrap_or_else(PoisonError::into_inner);
    let (start, part) = frames.range(..=address).next_back()?;
    let skipped = address - start;
    (skipped < part.length && bytes.len() <= part.length - skipped).then(|| Part {
        file: Arc::clone(&part.file),
        offset: part.offset + skipped as u64,
        length: bytes.len(),
    })
}

struct Frame {
    map: Mmap,
    address: usize,
}

impl AsRef<[u8]> for Frame {
    fn as_ref(&self) -> &[u8] {
        &self.map
    }
}

impl Drop for Frame {
    fn drop(&mut self) {
        // Before the address is given to something else.
        FRAMES
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.address);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_frame_is_known_by_its_address_for_as_long_as_it_lives() {
        let mut file = tempfile::tempfile().unwrap();
        let content: Vec<u8> = (0..20_000_u32).map(|index| (index % 251) as u8).collect();
        file.write_all(&content).unwrap();
        let file = Arc::new(file);
        let bytes = frame(&file, 5_000..15_000).unwrap();
        assert_eq!(bytes, &content[5_000..15_000]);
        let part = part_of(&bytes[1_000..2_000]).unwrap();
        assert_eq!((part.offset, part.length), (6_000, 1_000));
        assert!(part_of(&content).is_none());
        let address = bytes.as_ptr().addr();
        drop(bytes);
        assert!(!FRAMES.read().unwrap().contains_key(&address));
        assert!(frame(&file, 7..7).unwrap().is_empty());
    }
}
