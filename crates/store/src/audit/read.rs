//! Reading a log's files.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::entry::AuditEntry;
use super::{WIDTH, bundle};

/// Reads the entries of a log, also while it is being written.
#[derive(Clone, Debug)]
pub struct AuditReader {
    folder: PathBuf,
}

/// The entries of a bundle, as far as there are any.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Bundle {
    /// Whether it can grow no more.
    pub is_full: bool,
    pub entries: Vec<Vec<u8>>,
    /// What stands at its end without being a whole entry: a write that was cut short.
    pub torn: bool,
}

impl AuditReader {
    pub fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
        }
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The entries of a bundle; nothing where there are none.
    pub fn bundle(&self, number: u64) -> io::Result<Option<Bundle>> {
        if let Some(full) = self.full(number)? {
            return Ok(Some(full));
        }
        if let Some(bytes) = read(&bundle::open(&self.folder, number))? {
            return Ok(Some(lines(&bytes)));
        }
        // It may have become full between the two looks; and a copy has its last bundle in parts.
        match self.full(number)? {
            Some(full) => Ok(Some(full)),
            None => self.widest_part(number),
        }
    }

    fn full(&self, number: u64) -> io::Result<Option<Bundle>> {
        let path = bundle::entries(&self.folder, number, WIDTH);
        let Some(bytes) = read(&path)? else {
            return Ok(None);
        };
        Ok(Some(decoded(&bytes, true)))
    }

    fn widest_part(&self, number: u64) -> io::Result<Option<Bundle>> {
        let parts = bundle::partials(&bundle::entries(&self.folder, number, WIDTH));
        let listed = match fs::read_dir(parts) {
            Ok(listed) => listed,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut widths = Vec::new();
        for file in listed {
            let name = file?.file_name();
            widths.extend(name.to_str().and_then(|name| name.parse::<u64>().ok()));
        }
        let Some(widest) = widths.into_iter().max() else {
            return Ok(None);
        };
        let bytes = read(&bundle::entries(&self.folder, number, widest))?;
        Ok(bytes.map(|bytes| decoded(&bytes, false)))
    }

    /// The hashes of a full tile; nothing where it is not there, or is not full.
    pub fn tile(&self, level: usize, number: u64) -> io::Result<Option<Vec<u8>>> {
        let bytes = read(&bundle::tile(&self.folder, level, number, WIDTH))?;
        Ok(bytes.filter(|bytes| bytes.len() == WIDTH as usize * 32))
    }

    /// The signed checkpoint's bytes.
    pub fn checkpoint(&self) -> io::Result<Option<Vec<u8>>> {
        read(&self.folder.join("checkpoint"))
    }

    /// Entries that are wanted, the newest first, before entry `before` of a log with as many as that.
    ///
    /// No more than `scanned` entries are looked at; what comes back beside them is where to go on.
    pub fn newest(
        &self,
        before: u64,
        limit: usize,
        scanned: u64,
        wanted: impl Fn(&AuditEntry) -> bool,
    ) -> io::Result<(Vec<AuditEntry>, Option<u64>)> {
        let mut found = Vec::new();
        let last = before.saturating_sub(scanned);
        let mut next = before;
        while next > last {
            let number = (next - 1) / WIDTH;
            let Some(bundle) = self.bundle(number)? else {
                // What is older was removed.
                return Ok((found, None));
            };
            let first = number * WIDTH;
            for (index, bytes) in bundle.entries.iter().enumerate().rev() {
                let sequence = first + index as u64;
                if sequence >= next {
                    continue;
                }
                let entry = AuditEntry::read(bytes).filter(|entry| wanted(entry));
                found.extend(entry);
                if found.len() == limit {
                    return Ok((found, (sequence > 0).then_some(sequence)));
                }
            }
            next = first;
        }
        Ok((found, (next > 0).then_some(next)))
    }
}

fn decoded(bytes: &[u8], is_full: bool) -> Bundle {
    match bundle::decode(bytes) {
        Some(entries) => Bundle {
            is_full,
            entries: entries.into_iter().map(<[u8]>::to_vec).collect(),
            torn: false,
        },
        None => Bundle {
            is_full,
            entries: Vec::new(),
            torn: true,
        },
    }
}

/// The entries of an open bundle: whole lines.
pub fn lines(bytes: &[u8]) -> Bundle {
    let mut entries: Vec<Vec<u8>> = bytes
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::to_vec)
        .collect();
    let rest = entries.pop().unwrap_or_default();
    Bundle {
        is_full: false,
        entries,
        torn: !rest.is_empty(),
    }
}

/// The bytes of a file, where there is one.
pub fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
