//! As much of SQLite's file format as it takes to read the blobs of one table.
//!
//! <https://www.sqlite.org/fileformat2.html>. Read-only, with no C library: the file comes from an image of
//! anybody's. Every page is visited at most once, and nothing is followed out of the file.

use std::collections::BTreeSet;
use std::fs::File;
use std::os::unix::fs::FileExt;

const MAGIC: &[u8] = b"SQLite format 3\0";
const INTERIOR: u8 = 0x05;
const LEAF: u8 = 0x0d;
/// So many pages are looked at.
const MOST_PAGES: usize = 1 << 18;

pub struct Database {
    file: File,
    page_size: usize,
    /// Of a page, without what is reserved at its end.
    usable: usize,
}

/// A value of a row, as far as it matters here.
enum Value {
    Bytes(Vec<u8>),
    Number(u64),
}

impl Database {
    /// Opens a file that is a database.
    pub fn open(file: File) -> Option<Self> {
        let mut header = [0; 100];
        file.read_exact_at(&mut header, 0).ok()?;
        let page_size = match u16::from_be_bytes([header[16], header[17]]) {
            1 => 65536,
            size if size >= 512 && size.is_power_of_two() => usize::from(size),
            _ => return None,
        };
        let usable = page_size - usize::from(header[20]);
        (header.starts_with(MAGIC) && usable >= 480).then_some(Self {
            file,
            page_size,
            usable,
        })
    }

    /// Gives every blob of a table to `visit`; whether all of them could be read.
    pub fn each_blob(&self, table: &str, limit: usize, mut visit: impl FnMut(&[u8])) -> bool {
        let mut root = None;
        let is_whole = self.each_row(1, 1 << 20, |values| {
            let is_named = |value: Option<&Value>, name: &str| {
                matches!(value, Some(Value::Bytes(bytes)) if bytes == name.as_bytes())
            };
            if is_named(values.first(), "table")
                && is_named(values.get(1), table)
                && let Some(Value::Number(page)) = values.get(3)
            {
                root = u32::try_from(*page).ok();
            }
        });
        let Some(root) = root else {
            return false;
        };
        let rows = self.each_row(root, limit, |values| {
            for value in values {
                if let Value::Bytes(bytes) = value {
                    visit(&bytes);
                }
            }
        });
        is_whole && rows
    }

    /// Walks a table's tree from its root, left to right.
    fn each_row(&self, root: u32, limit: usize, mut visit: impl FnMut(Vec<Value>)) -> bool {
        let mut ahead = vec![root];
        let mut seen = BTreeSet::new();
        let mut is_whole = true;
        while let Some(number) = ahead.pop() {
            if !seen.insert(number) || seen.len() > MOST_PAGES {
                return false;
            }
            let walked = self.page(number).and_then(|page| {
                let start = if number == 1 { 100 } else { 0 };
                match *page.get(start)? {
                    INTERIOR => {
                        let right = big_endian(&page, start + 8, 4)?;
                        let mut children = vec![u32::try_from(right).ok()?];
                        for cell in cells(&page, start, 12)?.into_iter().rev() {
                            children.push(u32::try_from(big_endian(&page, cell, 4)?).ok()?);
                        }
                        ahead.extend(children);
                    }
                    LEAF => {
                        for cell in cells(&page, start, 8)? {
                            match self
                                .payload(&page, cell, limit)
                                .and_then(|row| record(&row))
                            {
                                Some(values) => visit(values),
                                None => is_whole = false,
                            }
                        }
                    }
                    _ => return None,
                }
                Some(())
            });
            is_whole &= walked.is_some();
        }
        is_whole
    }

    fn page(&self, number: u32) -> Option<Vec<u8>> {
        let before = u64::from(number.checked_sub(1)?);
        let mut page = vec![0; self.page_size];
        let at = before.checked_mul(self.page_size as u64)?;
        self.file.read_exact_at(&mut page, at).ok()?;
        page.truncate(self.usable);
        Some(page)
    }

    /// The content of a row, of which the end may stand on pages of its own.
    fn payload(&self, page: &[u8], cell: usize, limit: usize) -> Option<Vec<u8>> {
        let mut rest = page.get(cell..)?;
        let size = usize::try_from(varint(&mut rest)?).ok()?;
        varint(&mut rest)?;
        if size > limit {
            return None;
        }
        let most = self.usable - 35;
        if size <= most {
            return rest.get(..size).map(<[u8]>::to_vec);
        }
        let least = (self.usable - 12) * 32 / 255 - 23;
        let fitting = least + (size - least) % (self.usable - 4);
        let local = if fitting <= most { fitting } else { least };
        let mut content = rest.get(..local)?.to_vec();
        let mut next = big_endian(rest, local, 4)?;
        while content.len() < size {
            // Each page adds something, so a circle ends with the size that is promised.
            let page = self.page(u32::try_from(next).ok().filter(|next| *next != 0)?)?;
            next = big_endian(&page, 0, 4)?;
            let wanted = (size - content.len()).min(self.usable - 4);
            content.extend_from_slice(page.get(4..4 + wanted)?);
        }
        Some(content)
    }
}

/// Where the cells of a page start.
fn cells(page: &[u8], start: usize, header: usize) -> Option<Vec<usize>> {
    let count = usize::try_from(big_endian(page, start + 3, 2)?).ok()?;
    let cell = |index: usize| {
        let at = big_endian(page, start + header + 2 * index, 2)?;
        usize::try_from(at).ok()
    };
    (0..count).map(cell).collect()
}

/// The values of a row: their types and lengths, then the values themselves.
fn record(row: &[u8]) -> Option<Vec<Value>> {
    let mut rest = row;
    let header = usize::try_from(varint(&mut rest)?).ok()?;
    let mut types = row.get(row.len() - rest.len()..header)?;
    let mut body = row.get(header..)?;
    let mut values = Vec::new();
    while !types.is_empty() && values.len() < 64 {
        let kind = varint(&mut types)?;
        let length = match kind {
            0 | 8 | 9 => 0,
            1..=4 => kind,
            5 => 6,
            6 | 7 => 8,
            10 | 11 => return None,
            _ => (kind - 12) / 2,
        };
        let (value, after) = body.split_at_checked(usize::try_from(length).ok()?)?;
        body = after;
        values.push(match kind {
            0 => Value::Number(0),
            8 | 9 => Value::Number(kind - 8),
            1..=7 => Value::Number(big_endian(value, 0, value.len())?),
            _ => Value::Bytes(value.to_vec()),
        });
    }
    Some(values)
}

fn big_endian(bytes: &[u8], at: usize, length: usize) -> Option<u64> {
    let bytes = bytes.get(at..at.checked_add(length)?)?;
    let shift = |number: u64, byte: &u8| (number << 8) | u64::from(*byte);
    Some(bytes.iter().fold(0, shift))
}

/// Seven bits in each byte, the highest first; a ninth byte has eight.
fn varint(from: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for index in 0..9 {
        let (byte, rest) = from.split_first()?;
        *from = rest;
        if index == 8 {
            return Some((number << 8) | u64::from(*byte));
        }
        number = (number << 7) | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            break;
        }
    }
    Some(number)
}
