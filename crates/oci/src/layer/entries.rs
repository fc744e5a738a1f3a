//! The entries of a tar by whomever, with bounds on what stands between their contents.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

use crate::error::Error;

/// Bytes that may stand in front of an entry: its header, long names, pax records. What archives are written by
/// other tools keeps to the same, since readers in Go take no more.
const MOST_IN_FRONT: u64 = 1 << 20;
/// Bytes of the list of an old sparse file's pieces: 2688 of them.
const LONGEST_SPARSE_LIST: u64 = 64 << 10;
/// Bytes of holes in all sparse files of a tar: those cost nothing to claim, and time to read.
const MOST_HOLES: u64 = 64 << 30;
const BLOCK: u64 = 512;

/// Where the reading of a tar is, and up to where it may go before the next entry is there.
#[derive(Debug, Default)]
struct Marks {
    position: Cell<u64>,
    limit: Cell<u64>,
}

/// A stream that ends with an error where too much stands in front of an entry.
#[derive(Debug)]
pub struct Guarded<R> {
    inner: R,
    marks: Rc<Marks>,
}

impl<R: Read> Read for Guarded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let position = self.marks.position.get();
        if position >= self.marks.limit.get() {
            return Err(io::Error::other(format!(
                "what stands in front of an entry has more than {MOST_IN_FRONT} bytes"
            )));
        }
        let read = self.inner.read(buffer)?;
        self.marks.position.set(position + read as u64);
        Ok(read)
    }
}

/// Gives each entry of a tar to `visit`, and reads the stream to its end.
///
/// Names and records of any length, and holes of any size, are errors and not memory or time.
pub fn each_entry<R: Read, E: From<Error>>(
    reader: R,
    what: &str,
    mut visit: impl FnMut(&mut tar::Entry<'_, Guarded<R>>) -> Result<(), E>,
) -> Result<(), E> {
    let broken = || Error::stream("read", what);
    let marks = Rc::new(Marks::default());
    let mut archive = tar::Archive::new(Guarded {
        inner: reader,
        marks: Rc::clone(&marks),
    });
    let mut entries = archive.entries().map_err(broken())?;
    let (mut end, mut holes) = (0_u64, 0_u64);
    while let Some(entry) = {
        marks.limit.set(end.saturating_add(MOST_IN_FRONT));
        entries.next()
    } {
        let mut entry = entry.map_err(broken())?;
        marks.limit.set(u64::MAX);
        let stored = stored(&mut entry).map_err(broken())?;
        let start = marks.position.get();
        end = start.saturating_add(stored).saturating_add(BLOCK - 1);
        holes = holes.saturating_add(entry.size().saturating_sub(stored));
        let list = start.saturating_sub(entry.raw_file_position());
        if holes > MOST_HOLES || list > LONGEST_SPARSE_LIST {
            let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let reason = if list > LONGEST_SPARSE_LIST {
                "it is a sparse file of too many pieces; write the tar without --sparse".to_owned()
            } else {
                format!("with it, sparse files have more than {MOST_HOLES} bytes of holes")
            };
            return Err(Error::entry(path, reason).into());
        }
        visit(&mut entry)?;
    }
    marks.limit.set(u64::MAX);
    // A checksum at the very end counts too.
    io::copy(&mut archive.into_inner(), &mut io::sink()).map_err(broken())?;
    Ok(())
}

/// How many bytes of an entry's content are in the tar.
fn stored(entry: &mut tar::Entry<'_, impl Read>) -> io::Result<u64> {
    if !entry.header().entry_type().is_gnu_sparse() {
        return Ok(entry.size());
    }
    // Two sizes, of which either could be meant.
    for record in entry.pax_extensions()?.into_iter().flatten() {
        if record?.key_bytes() == b"size" {
            return Err(io::Error::other("a sparse file has two sizes"));
        }
    }
    entry.header().entry_size()
}
