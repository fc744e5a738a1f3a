//! Programs that say what they were built from: Go's build information.
//!
//! Go puts it at the start of the data segment (`debug/buildinfo` in Go's own library): 16 bytes
//! that begin with a magic text, and since Go 1.18 the Go version and the list of modules inline,
//! each with its length in front. An ELF file is read as a stream, up to where that would stand.

use std::io::{self, Read};

use super::package::{Kind, Package};
use super::{Finding, MOST_PACKAGES};

const MAGIC: &[u8] = b"\xff Go buildinf:";
const HEADER: usize = 32;
/// Both texts are inline.
const INLINE: u8 = 2;
/// How far into the data segment it is looked for, as Go itself does.
const SEARCHED: u64 = 1 << 20;
/// The list of modules of a large program is a tenth of this.
const LONGEST_LIST: usize = 4 << 20;
/// Program headers stand at the start of the file.
const LARGEST_START: u64 = 64 << 10;

/// The modules of a Go program; nothing for any other file.
pub fn go(content: &mut dyn Read) -> Finding {
    let found = data_segment(content)
        .and_then(|mut data| search(&mut data))
        .map(|(version, modules)| packages(&version, &modules));
    Finding::packages(found.unwrap_or_default())
}

/// The rest of an ELF file from where its first writable segment starts.
fn data_segment<'a>(content: &'a mut dyn Read) -> Option<Box<dyn Read + 'a>> {
    let mut start = vec![0; 64];
    content.read_exact(&mut start).ok()?;
    if !start.starts_with(b"\x7fELF") {
        return None;
    }
    let elf = Elf {
        is_wide: start[4] == 2,
        is_big: start[5] == 2,
    };
    let (table, entry, count) = if elf.is_wide {
        (
            elf.number(&start, 32, 8)?,
            elf.number(&start, 54, 2)?,
            elf.number(&start, 56, 2)?,
        )
    } else {
        (
            elf.number(&start, 28, 4)?,
            elf.number(&start, 42, 2)?,
            elf.number(&start, 44, 2)?,
        )
    };
    let end = table.checked_add(entry.checked_mul(count)?)?;
    if !(64..=LARGEST_START).contains(&end) {
        return None;
    }
    start.resize(end as usize, 0);
    content.read_exact(&mut start[64..]).ok()?;
    let offset = (0..count).find_map(|index| elf.writable(&start, table + index * entry))?;
    let position = start.len() as u64;
    if offset >= position {
        io::copy(&mut content.take(offset - position), &mut io::sink()).ok()?;
        Some(Box::new(content))
    } else {
        let rest = start.split_off(offset as usize);
        Some(Box::new(io::Cursor::new(rest).chain(content)))
    }
}

#[derive(Clone, Copy)]
struct Elf {
    is_wide: bool,
    is_big: bool,
}

impl Elf {
    fn number(self, bytes: &[u8], at: usize, length: usize) -> Option<u64> {
        let bytes = bytes.get(at..at.checked_add(length)?)?;
        let shift = |number: u64, byte: &u8| (number << 8) | u64::from(*byte);
        Some(if self.is_big {
            bytes.iter().fold(0, shift)
        } else {
            bytes.iter().rev().fold(0, shift)
        })
    }

    /// Where the segment of a program header starts in the file, if it is loaded and written to.
    fn writable(self, bytes: &[u8], at: u64) -> Option<u64> {
        let at = usize::try_from(at).ok()?;
        let (flags, offset) = if self.is_wide {
            (
                self.number(bytes, at + 4, 4)?,
                self.number(bytes, at + 8, 8)?,
            )
        } else {
            (
                self.number(bytes, at + 24, 4)?,
                self.number(bytes, at + 4, 4)?,
            )
        };
        let is_loaded = self.number(bytes, at, 4)? == 1;
        // Writable, and not executable.
        (is_loaded && flags & 3 == 2).then_some(offset)
    }
}

/// The Go version and the list of modules, where the magic text stands.
fn search(data: &mut dyn Read) -> Option<(String, String)> {
    let mut bytes = Vec::new();
    data.take(SEARCHED).read_to_end(&mut bytes).ok()?;
    // It is aligned, but to the segment's address in memory, of which the file offset may differ.
    let at = bytes
        .windows(MAGIC.len())
        .position(|window| window == MAGIC)?;
    let mut bytes = bytes.split_off(at);
    data.take(LONGEST_LIST as u64)
        .read_to_end(&mut bytes)
        .ok()?;
    if bytes.get(15)? & INLINE == 0 {
        return None; // Go before 1.18, where both are pointers.
    }
    let mut rest = bytes.get(HEADER..)?;
    let version = text(&mut rest)?;
    let modules = text(&mut rest)?;
    Some((version, modules))
}

/// A text with its length in front, as a varint.
fn text(from: &mut &[u8]) -> Option<String> {
    let mut length = 0_u64;
    for shift in (0..63).step_by(7) {
        let (byte, rest) = from.split_first()?;
        *from = rest;
        length |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            let length = usize::try_from(length).ok()?;
            if length > LONGEST_LIST {
                return None;
            }
            let (text, rest) = from.split_at_checked(length)?;
            *from = rest;
            return Some(String::from_utf8_lossy(text).into_owned());
        }
    }
    None
}

fn packages(version: &str, modules: &str) -> Vec<Package> {
    let mut found: Vec<Package> = Vec::new();
    let library = version.split_whitespace().next().unwrap_or_default();
    let library = library.strip_prefix("go").unwrap_or(library);
    found.extend(Package::new(Kind::Go, "stdlib", library));
    // In front of it and behind it stand marks that are no text.
    let list = modules.find("path\t").map_or(modules, |at| &modules[at..]);
    for line in list.lines().take(MOST_PACKAGES) {
        let mut words = line.split('\t');
        let (kind, path, version) = (words.next(), words.next(), words.next());
        let (Some(path), Some(version)) = (path, version) else {
            continue;
        };
        match kind {
            // What is being built has a version only where it was installed by one.
            Some("mod") if !version.starts_with('v') => {}
            Some("mod" | "dep") => found.extend(Package::with_path(Kind::Go, path, version)),
            // The module before was replaced by this one, unless by a folder.
            Some("=>") if version.starts_with('v') => {
                found.pop();
                found.extend(Package::with_path(Kind::Go, path, version));
            }
            _ => {}
        }
    }
    found
}
