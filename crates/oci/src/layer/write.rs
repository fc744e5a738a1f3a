//! Entries to a compressed blob, in one pass, with memory that does not grow with the files.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use ergon_manifest::Digest;
use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};
use rustix::fs::{Mode, OFlags, ResolveFlags};
use sha2::{Digest as _, Sha256};

use super::arrange::arrange;
use super::header::{BLOCK, header};
use super::{Content, EntryKind, Layer, LayerEntry, MEDIA_TYPE};
use crate::blobs::{BlobWriter, Blobs};
use crate::error::Error;

/// Writes a layer whose bits depend on what `entries` say and on nothing else: not on their
/// order, not on the machine, not on the time.
pub fn write_layer(entries: Vec<LayerEntry>, epoch: u64, blobs: &Blobs) -> Result<Layer, Error> {
    let mut writer = LayerWriter::new(blobs)?;
    for (name, entry) in arrange(entries)? {
        writer.put(&header(&name, &entry, epoch)?)?;
        if let EntryKind::File { size, content } = &entry.kind {
            put_content(&mut writer, content, *size, &name)?;
        }
    }
    writer.put(&[0; 2 * BLOCK])?;
    writer.finish()
}

fn put_content(
    writer: &mut LayerWriter,
    content: &Content,
    size: u64,
    name: &str,
) -> Result<(), Error> {
    let changed = |path: &Path| Error::Changed {
        path: path.to_owned(),
        expected: size,
    };
    match content {
        Content::Bytes(bytes) if bytes.len() as u64 == size => writer.put(bytes)?,
        Content::Bytes(_) => return Err(changed(Path::new(name))),
        Content::Path(path) => {
            let mut file = open_regular(path)?;
            writer.put_exactly(&mut file, size, path)?;
            if file.read(&mut [0]).map_err(Error::io("read", path))? != 0 {
                return Err(changed(path));
            }
        }
        Content::Known {
            root,
            path: below,
            prefix,
            digest,
        } => {
            let path = root.join(below);
            let mut file = Hashed::new(open_below(root, below)?, prefix);
            writer.put_exactly(&mut file, size, &path)?;
            if file.read(&mut [0]).map_err(Error::io("read", &path))? != 0 {
                return Err(changed(&path));
            }
            if file.digest() != *digest {
                return Err(Error::Rewritten { path });
            }
        }
        Content::Slice { file, offset } => {
            let mut slice = Slice {
                file,
                offset: *offset,
            };
            writer.put_exactly(&mut slice, size, Path::new(name))?;
        }
    }
    let padding = size.next_multiple_of(BLOCK as u64) - size;
    writer.put(&[0; BLOCK][..padding as usize])
}

/// Opens a file that must still be one: no link is followed, no pipe is waited for.
fn open_regular(path: &Path) -> Result<File, Error> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = File::options()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path)
        .map_err(Error::io("read", path))?;
    regular(file, path)
}

/// Opens a file below a folder, whatever became of the folders in between: none of them may be a link.
fn open_below(root: &Path, below: &str) -> Result<File, Error> {
    let path = root.join(below);
    let opened = || {
        let flags = OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = rustix::fs::open(root, flags, Mode::empty())?;
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
        rustix::fs::openat2(&folder, below, flags, Mode::empty(), resolve)
    };
    let file = opened().map_err(|errno| Error::io("read", &path)(errno.into()))?;
    regular(File::from(file), &path)
}

fn regular(file: File, path: &Path) -> Result<File, Error> {
    let metadata = file.metadata().map_err(Error::io("read", path))?;
    if metadata.is_file() {
        Ok(file)
    } else {
        Err(Error::io("read", path)(io::Error::other(
            "it is no longer a regular file",
        )))
    }
}

/// A file that is hashed while it is read.
struct Hashed {
    file: File,
    hash: Sha256,
}

impl Hashed {
    fn new(file: File, prefix: &str) -> Self {
        let hash = Sha256::new().chain_update(prefix);
        Self { file, hash }
    }

    fn digest(self) -> Digest {
        Digest::from_bytes(self.hash.finalize().into())
    }
}

impl Read for Hashed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.hash.update(&buffer[..read]);
        Ok(read)
    }
}

struct Slice<'a> {
    file: &'a File,
    offset: u64,
}

impl Read for Slice<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.offset)?;
        self.offset += read as u64;
        Ok(read)
    }
}

/// How much the compressor is given at a time. Where its input is cut may decide where it ends a
/// match, so the cuts must not depend on how the entries were read.
const CHUNK: usize = 64 * 1024;

/// A layer that is being written: tar in, compressed blob out, both hashed on the way.
pub(crate) struct LayerWriter {
    gzip: GzEncoder<BlobWriter>,
    diff: Sha256,
    chunk: Vec<u8>,
    folder: PathBuf,
}

impl LayerWriter {
    pub(crate) fn new(blobs: &Blobs) -> Result<Self, Error> {
        let writer = blobs.writer()?;
        let folder = writer.folder();
        // No name and no time; 255 is "unknown" for the operating system.
        let gzip = GzBuilder::new()
            .mtime(0)
            .operating_system(255)
            .write(writer, Compression::new(6));
        Ok(Self {
            gzip,
            diff: Sha256::new(),
            chunk: Vec::with_capacity(CHUNK),
            folder,
        })
    }

    /// Takes the next bytes of the tar.
    pub(crate) fn put(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        self.diff.update(bytes);
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(CHUNK - self.chunk.len()));
            self.chunk.extend_from_slice(now);
            bytes = later;
            if self.chunk.len() == CHUNK {
                self.compress()?;
            }
        }
        Ok(())
    }

    fn put_exactly(&mut self, from: &mut impl Read, size: u64, path: &Path) -> Result<(), Error> {
        let mut buffer = vec![0; CHUNK];
        let mut left = size;
        while left > 0 {
            let wanted = buffer
                .len()
                .min(usize::try_from(left).unwrap_or(usize::MAX));
            match from.read(&mut buffer[..wanted]) {
                Ok(0) => {
                    return Err(Error::Changed {
                        path: path.to_owned(),
                        expected: size,
                    });
                }
                Ok(read) => {
                    self.put(&buffer[..read])?;
                    left -= read as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::io("read", path)(error)),
            }
        }
        Ok(())
    }

    fn compress(&mut self) -> Result<(), Error> {
        self.gzip
            .write_all(&self.chunk)
            .map_err(Error::io("write into", &self.folder))?;
        self.chunk.clear();
        Ok(())
    }

    pub(crate) fn finish(mut self) -> Result<Layer, Error> {
        self.compress()?;
        let blob = self
            .gzip
            .finish()
            .map_err(Error::io("write into", &self.folder))?;
        let (digest, size) = blob.finish()?;
        let diff_id = Digest::from_bytes(self.diff.finalize().into());
        Ok(Layer {
            digest,
            diff_id,
            size,
            media_type: MEDIA_TYPE.to_owned(),
        })
    }
}
