//! A layer from anywhere, read as entries that cannot leave the folder they are unpacked to.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;

use flate2::bufread::MultiGzDecoder;

use super::arrange::{OPAQUE, WHITEOUT};
use super::entries::each_entry;
use super::{Content, EntryKind, LayerEntry};
use crate::blobs::{Blobs, copy};
use crate::error::Error;

/// How many bytes tell compressions apart.
const LONGEST_MAGIC: u64 = 6;
/// Linux takes no longer path, and no longer target of a link: `PATH_MAX`.
const LONGEST_PATH: usize = 4096;

/// Reads a tar, plain or gzipped, and gives each entry to `visit` with a stream of its content.
///
/// Names lose a leading `/` and `./`; one with `..` in it is an error, and so is a stream that
/// breaks off. Whiteouts are told apart from files. Paths and extended attributes have bounds, and so
/// have the holes of sparse files in all. Device nodes, pipes and the entry of the root
/// itself are passed over: they belong to a machine.
pub fn read_layer<E: From<Error>>(
    reader: impl Read,
    mut visit: impl FnMut(LayerEntry<()>, &mut dyn Read) -> Result<(), E>,
) -> Result<(), E> {
    read_dated_layer(reader, |entry, _, content| visit(entry, content))
}

/// When a file was last written, since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Modified {
    pub seconds: i64,
    pub nanoseconds: u32,
}

/// [`read_layer`], with the time of each entry.
pub(super) fn read_dated_layer<E: From<Error>>(
    reader: impl Read,
    mut visit: impl FnMut(LayerEntry<()>, Modified, &mut dyn Read) -> Result<(), E>,
) -> Result<(), E> {
    each_entry(
        decompress(reader)?,
        "the layer",
        |entry| match understand(entry)? {
            Some((known, modified)) => visit(known, modified, entry),
            None => Ok(()),
        },
    )
}

/// The tar inside a layer, whether it is compressed or not.
pub fn decompress<'a>(mut reader: impl Read + 'a) -> Result<Box<dyn Read + 'a>, Error> {
    // A pipe may give fewer bytes at a time than tell one format from another.
    let mut start = Vec::with_capacity(LONGEST_MAGIC as usize);
    reader
        .by_ref()
        .take(LONGEST_MAGIC)
        .read_to_end(&mut start)
        .map_err(Error::stream("read", "the layer"))?;
    let unsupported = |how: &str| Err(Error::malformed("the layer", how));
    match start.as_slice() {
        [0x28, 0xb5, 0x2f, 0xfd, ..] => {
            return unsupported("it is compressed with zstd; gzip is what can be read");
        }
        [0xfd, b'7', b'z', b'X', b'Z', 0] => {
            return unsupported("it is compressed with xz; unpack it with `xz -d` first");
        }
        [b'B', b'Z', b'h', _, b'1', b'A'] => {
            return unsupported("it is compressed with bzip2; unpack it with `bzip2 -d` first");
        }
        _ => {}
    }
    let is_gzip = start.starts_with(&[0x1f, 0x8b]);
    let whole = BufReader::with_capacity(128 * 1024, io::Cursor::new(start).chain(reader));
    Ok(if is_gzip {
        Box::new(MultiGzDecoder::new(whole))
    } else {
        Box::new(whole)
    })
}

fn understand(
    entry: &mut tar::Entry<'_, impl Read>,
) -> Result<Option<(LayerEntry<()>, Modified)>, Error> {
    let path = clean(&entry.path_bytes())?;
    let Some((path, kind)) = path_and_kind(entry, path)? else {
        return Ok(None);
    };
    if path.is_empty() && !matches!(kind, EntryKind::OpaqueDirectory) {
        return Ok(None);
    }
    let header = entry.header();
    let wrong = |error: io::Error| Error::entry(&path, error.to_string());
    let mode = header.mode().map_err(wrong)? & 0o7777;
    let (mut uid, mut gid) = (header.uid().map_err(wrong)?, header.gid().map_err(wrong)?);
    let mut modified = Modified {
        seconds: header.mtime().map_or(0, u64::cast_signed),
        nanoseconds: 0,
    };
    let mut xattrs = BTreeMap::new();
    for record in entry.pax_extensions().map_err(wrong)?.into_iter().flatten() {
        let record = record.map_err(wrong)?;
        let key = record.key().map_err(|_| not_text(&path))?;
        let number = || {
            let text = record.value().ok();
            text.and_then(|text| text.parse().ok())
                .ok_or_else(|| Error::entry(&path, format!("its {key} is no number")))
        };
        if key == "uid" {
            uid = number()?;
        } else if key == "gid" {
            gid = number()?;
        } else if key == "mtime" {
            let text = record.value().ok();
            modified = text
                .and_then(read_time)
                .ok_or_else(|| Error::entry(&path, "its time is no number of seconds"))?;
        } else if let Some(name) = key.strip_prefix("SCHILY.xattr.") {
            xattrs.insert(name.to_owned(), record.value_bytes().to_vec());
        } else if key.starts_with("GNU.sparse.") {
            return Err(Error::entry(
                &path,
                "it is sparse in a way that is not supported; write the tar without --sparse",
            ));
        }
    }
    let id = |id: u64| {
        u32::try_from(id).map_err(|_| Error::entry(&path, "its owner does not fit into 32 bits"))
    };
    let (uid, gid) = (id(uid)?, id(gid)?);
    let entry = LayerEntry {
        path,
        mode,
        uid,
        gid,
        kind,
        xattrs,
    };
    Ok(Some((entry, modified)))
}

/// A pax time: seconds, with a fraction or without.
fn read_time(text: &str) -> Option<Modified> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let whole: i64 = seconds.parse().ok()?;
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let nanoseconds = format!("{fraction:0<9.9}").parse().ok()?;
    // Before 1970 the fraction counts downwards.
    Some(if seconds.starts_with('-') && nanoseconds > 0 {
        Modified {
            seconds: whole - 1,
            nanoseconds: 1_000_000_000 - nanoseconds,
        }
    } else {
        Modified {
            seconds: whole,
            nanoseconds,
        }
    })
}

/// What is at `path`, and the path that it is about; none for what is passed over.
fn path_and_kind(
    entry: &tar::Entry<'_, impl Read>,
    path: String,
) -> Result<Option<(String, EntryKind<()>)>, Error> {
    let kind = entry.header().entry_type();
    let is_file = kind.is_file() || kind.is_contiguous() || kind.is_gnu_sparse();
    if is_file || kind.is_hard_link() {
        // Some builders write all whiteouts as links to one empty file.
        match read_name(&path) {
            Name::Plain => {}
            Name::Gone(gone) => return Ok(Some((gone, EntryKind::Whiteout))),
            Name::Opaque(folder) => return Ok(Some((folder, EntryKind::OpaqueDirectory))),
            Name::Private => return Ok(None),
        }
    }
    let target = || match entry.link_name_bytes() {
        Some(target) if target.len() > LONGEST_PATH => Err(Error::entry(
            &path,
            format!("it links to a path of more than {LONGEST_PATH} bytes"),
        )),
        Some(target) => String::from_utf8(target.into_owned()).map_err(|_| not_text(&path)),
        None => Err(Error::entry(&path, "it links to nothing")),
    };
    let kind = if is_file {
        EntryKind::File {
            size: entry.size(),
            content: (),
        }
    } else if kind.is_dir() {
        EntryKind::Directory
    } else if kind.is_symlink() {
        EntryKind::Symlink(target()?)
    } else if kind.is_hard_link() {
        EntryKind::Hardlink(clean(target()?.as_bytes())?)
    } else {
        tracing::debug!(%path, ?kind, "passed over");
        return Ok(None);
    };
    Ok(Some((path, kind)))
}

/// A name without what goes nowhere; an error for what goes up.
fn clean(name: &[u8]) -> Result<String, Error> {
    if name.len() > LONGEST_PATH {
        let start = String::from_utf8_lossy(&name[..64]);
        let reason = format!("its path has more than {LONGEST_PATH} bytes");
        return Err(Error::entry(format!("{start}…"), reason));
    }
    let text = std::str::from_utf8(name).map_err(|_| not_text(&String::from_utf8_lossy(name)))?;
    let mut path = String::with_capacity(text.len());
    for component in text
        .split('/')
        .filter(|component| !matches!(*component, "" | "."))
    {
        if component == ".." {
            return Err(Error::entry(
                text,
                "`..` would leave the folder it is unpacked to",
            ));
        }
        if !path.is_empty() {
            path.push('/');
        }
        path.push_str(component);
    }
    if path.contains('\0') {
        Err(Error::entry(path, "it contains a zero byte"))
    } else {
        Ok(path)
    }
}

fn not_text(path: &str) -> Error {
    Error::entry(path, "its name is not UTF-8")
}

enum Name {
    Plain,
    Gone(String),
    Opaque(String),
    /// A union file system's own bookkeeping.
    Private,
}

fn read_name(path: &str) -> Name {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    match name.strip_prefix(WHITEOUT) {
        None => Name::Plain,
        Some(_) if name == OPAQUE => Name::Opaque(folder.to_owned()),
        Some(rest) if rest.starts_with(WHITEOUT) || rest.is_empty() => Name::Private,
        Some(gone) if folder.is_empty() => Name::Gone(gone.to_owned()),
        Some(gone) => Name::Gone(format!("{folder}/{gone}")),
    }
}

/// A place for contents that are read in one order and written in another.
///
/// One file without a name, on the disk of the blobs: it is gone when the last content that
/// points into it is, whatever happens to the process.
#[derive(Debug)]
pub struct Spool {
    file: Arc<File>,
    end: u64,
    folder: PathBuf,
}

impl Spool {
    pub fn new(blobs: &Blobs) -> Result<Self, Error> {
        let file = Arc::new(blobs.scratch_file()?);
        Ok(Self {
            file,
            end: 0,
            folder: blobs.root().to_owned(),
        })
    }

    /// Keeps `size` bytes of a stream.
    pub fn keep(&mut self, from: &mut dyn Read, size: u64) -> Result<Content, Error> {
        let offset = self.end;
        let mut to = Tail {
            file: &self.file,
            at: offset,
        };
        let kept = copy(&mut from.take(size), &mut to, "a layer", &self.folder)?;
        self.end = to.at;
        // Zeros at the end were not written.
        self.file
            .set_len(self.end)
            .map_err(Error::io("write into", &self.folder))?;
        if kept != size {
            let error = io::Error::from(io::ErrorKind::UnexpectedEof);
            return Err(Error::stream("read", "the layer")(error));
        }
        Ok(Content::Slice {
            file: Arc::clone(&self.file),
            offset,
        })
    }

    /// The entry with its content kept here.
    pub fn keep_entry(
        &mut self,
        entry: LayerEntry<()>,
        from: &mut dyn Read,
    ) -> Result<LayerEntry, Error> {
        let LayerEntry {
            path,
            mode,
            uid,
            gid,
            kind,
            xattrs,
        } = entry;
        let kind = match kind {
            EntryKind::File { size, .. } => EntryKind::File {
                size,
                content: self.keep(from, size)?,
            },
            EntryKind::Directory => EntryKind::Directory,
            EntryKind::Symlink(target) => EntryKind::Symlink(target),
            EntryKind::Hardlink(target) => EntryKind::Hardlink(target),
            EntryKind::Whiteout => EntryKind::Whiteout,
            EntryKind::OpaqueDirectory => EntryKind::OpaqueDirectory,
        };
        Ok(LayerEntry {
            path,
            mode,
            uid,
            gid,
            kind,
            xattrs,
        })
    }
}

struct Tail<'a> {
    file: &'a File,
    at: u64,
}

impl Write for Tail<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Zeros become a hole: a sparse file of any size takes no more room here than where it was.
        let written = if bytes.iter().all(|byte| *byte == 0) {
            bytes.len()
        } else {
            self.file.write_at(bytes, self.at)?
        };
        self.at += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_fractions_and_may_lie_before_1970() {
        let read = |text| read_time(text).map(|time| (time.seconds, time.nanoseconds));
        assert_eq!(read("12"), Some((12, 0)));
        assert_eq!(read("12.5"), Some((12, 500_000_000)));
        assert_eq!(read("12.1234567891"), Some((12, 123_456_789)));
        assert_eq!(read("-0.25"), Some((-1, 750_000_000)));
        assert_eq!(read("-3"), Some((-3, 0)));
        for wrong in ["", "x", "1.x", "1.-2"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
