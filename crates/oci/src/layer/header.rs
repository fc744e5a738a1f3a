//! The bytes in front of a file in a tar: a ustar header, and a pax header where that is not enough. Pure.

use std::collections::BTreeMap;

use super::{EntryKind, LayerEntry};
use crate::error::Error;

pub(super) const BLOCK: usize = 512;

/// The headers of one entry that is written as `name`.
pub(super) fn header<C>(name: &str, entry: &LayerEntry<C>, epoch: u64) -> Result<Vec<u8>, Error> {
    let mut records = BTreeMap::new();
    for (attribute, value) in &entry.xattrs {
        if attribute.contains('=') || attribute.contains('\0') {
            return Err(Error::entry(
                name,
                format!("a pax header has no way to write its attribute {attribute}"),
            ));
        }
        records.insert(format!("SCHILY.xattr.{attribute}"), value.clone());
    }
    let folder_name;
    let (kind, name, target, size) = match &entry.kind {
        EntryKind::File { size, .. } => (b'0', name, "", *size),
        EntryKind::Whiteout | EntryKind::OpaqueDirectory => (b'0', name, "", 0),
        EntryKind::Hardlink(target) => (b'1', name, target.as_str(), 0),
        EntryKind::Symlink(target) => (b'2', name, target.as_str(), 0),
        EntryKind::Directory => {
            folder_name = format!("{name}/");
            (b'5', folder_name.as_str(), "", 0)
        }
    };
    if target.contains('\0') {
        return Err(Error::entry(name, "its target contains a zero byte"));
    }

    let mut block = Block::new(kind);
    block.text(0..100, "path", name, &mut records);
    block.octal(100..108, "mode", u64::from(entry.mode), &mut records);
    block.octal(108..116, "uid", u64::from(entry.uid), &mut records);
    block.octal(116..124, "gid", u64::from(entry.gid), &mut records);
    block.octal(124..136, "size", size, &mut records);
    block.octal(136..148, "mtime", epoch, &mut records);
    block.text(157..257, "linkpath", target, &mut records);

    let mut bytes = Vec::with_capacity(BLOCK);
    if !records.is_empty() {
        bytes = extended_header(&records, epoch);
    }
    bytes.extend_from_slice(&block.finish());
    Ok(bytes)
}

fn extended_header(records: &BTreeMap<String, Vec<u8>>, epoch: u64) -> Vec<u8> {
    let mut content = Vec::new();
    for (key, value) in records {
        content.extend_from_slice(&record(key, value));
    }
    let mut block = Block::new(b'x');
    let mut nothing = BTreeMap::new();
    block.text(0..100, "path", "PaxHeader", &mut nothing);
    block.octal(100..108, "mode", 0o644, &mut nothing);
    block.octal(108..116, "uid", 0, &mut nothing);
    block.octal(116..124, "gid", 0, &mut nothing);
    block.octal(124..136, "size", content.len() as u64, &mut nothing);
    block.octal(136..148, "mtime", epoch, &mut nothing);
    let mut bytes = block.finish().to_vec();
    bytes.extend_from_slice(&content);
    bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
    bytes
}

/// `<length> <key>=<value>\n`, where the length counts its own digits too.
fn record(key: &str, value: &[u8]) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    let mut bytes = format!("{length} {key}=").into_bytes();
    bytes.extend_from_slice(value);
    bytes.push(b'\n');
    bytes
}

struct Block([u8; BLOCK]);

impl Block {
    fn new(kind: u8) -> Self {
        let mut bytes = [0; BLOCK];
        bytes[148..156].fill(b' ');
        bytes[156] = kind;
        bytes[257..265].copy_from_slice(b"ustar\x0000");
        bytes[329..336].fill(b'0');
        bytes[337..344].fill(b'0');
        Self(bytes)
    }

    /// Writes text, or as much as an old reader can show and the whole in a record.
    fn text(
        &mut self,
        field: std::ops::Range<usize>,
        key: &str,
        text: &str,
        records: &mut BTreeMap<String, Vec<u8>>,
    ) {
        let field = &mut self.0[field];
        if text.len() > field.len() || !text.is_ascii() {
            records.insert(key.to_owned(), text.as_bytes().to_vec());
        }
        for (to, byte) in field.iter_mut().zip(text.bytes()) {
            *to = if byte.is_ascii() { byte } else { b'_' };
        }
    }

    /// Writes a number in octal, or zero and the number in a record where the field is too small.
    fn octal(
        &mut self,
        field: std::ops::Range<usize>,
        key: &str,
        value: u64,
        records: &mut BTreeMap<String, Vec<u8>>,
    ) {
        let field = &mut self.0[field];
        let digits = field.len() - 1;
        let mut text = format!("{value:0digits$o}");
        if text.len() > digits {
            records.insert(key.to_owned(), value.to_string().into_bytes());
            text = "0".repeat(digits);
        }
        field[..digits].copy_from_slice(text.as_bytes());
    }

    fn finish(mut self) -> [u8; BLOCK] {
        let sum: u32 = self.0.iter().map(|byte| u32::from(*byte)).sum();
        self.0[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EPOCH: u64 = 315_532_800;

    fn file(size: u64) -> LayerEntry<()> {
        LayerEntry {
            path: String::new(),
            mode: 0o4755,
            uid: 1000,
            gid: 100,
            kind: EntryKind::File { size, content: () },
            xattrs: BTreeMap::new(),
        }
    }

    /// What another implementation reads from the header.
    fn read_back(bytes: &[u8]) -> (String, u64, u64, Option<String>) {
        let mut archive = tar::Archive::new(bytes);
        let mut entry = archive.entries().unwrap().next().unwrap().unwrap();
        let records: BTreeMap<String, String> = entry
            .pax_extensions()
            .unwrap()
            .into_iter()
            .flatten()
            .map(|record| {
                let record = record.unwrap();
                (
                    record.key().unwrap().to_owned(),
                    record.value().unwrap().to_owned(),
                )
            })
            .collect();
        let uid = records
            .get("uid")
            .map_or_else(|| entry.header().uid().unwrap(), |uid| uid.parse().unwrap());
        let link = entry
            .link_name_bytes()
            .map(|link| String::from_utf8(link.into_owned()).unwrap());
        (
            String::from_utf8(entry.path_bytes().into_owned()).unwrap(),
            entry.size(),
            uid,
            link,
        )
    }

    #[test]
    fn a_plain_file_needs_one_block() {
        let bytes = header("usr/bin/sudo", &file(7), EPOCH).unwrap();
        assert_eq!(bytes.len(), BLOCK);
        assert_eq!(
            read_back(&bytes),
            ("usr/bin/sudo".to_owned(), 7, 1000, None)
        );
        let shown: String = bytes
            .iter()
            .map(|byte| if *byte == 0 { '.' } else { char::from(*byte) })
            .collect::<String>()
            .replace(&".".repeat(32), "~");
        insta::assert_snapshot!(shown, @"usr/bin/sudo~~........................0004755.0001750.0000144.00000000007.02263523000.011544. 0~~~....ustar.00~~0000000.0000000~~~~~........");
    }

    #[test]
    fn what_does_not_fit_is_in_a_record_and_read_back() {
        let long = format!("{}/f", "n".repeat(120));
        let mut entry = file(9 << 30);
        entry.uid = 4_000_000;
        assert_eq!(
            read_back(&header(&long, &entry, EPOCH).unwrap()),
            (long.clone(), 9 << 30, 4_000_000, None)
        );

        entry.kind = EntryKind::Symlink(format!("{long}/ő"));
        let (path, size, _, link) = read_back(&header("Főtanúsítvány.crt", &entry, EPOCH).unwrap());
        assert_eq!((path.as_str(), size), ("Főtanúsítvány.crt", 0));
        assert_eq!(link.unwrap(), format!("{long}/ő"));
    }

    #[test]
    fn names_of_exactly_a_hundred_bytes_fit() {
        let name = "n".repeat(100);
        let bytes = header(&name, &file(0), EPOCH).unwrap();
        assert_eq!(bytes.len(), BLOCK);
        assert_eq!(read_back(&bytes).0, name);
        let mut folder = file(0);
        folder.kind = EntryKind::Directory;
        assert_eq!(
            read_back(&header(&name, &folder, EPOCH).unwrap()).0,
            format!("{name}/")
        );
    }

    #[test]
    fn a_record_counts_its_own_length() {
        assert_eq!(record("path", b"x"), b"9 path=x\n");
        for length in 80..120 {
            let bytes = record("k", &vec![b'v'; length]);
            let counted = String::from_utf8(bytes.clone()).unwrap();
            assert_eq!(
                counted.split(' ').next().unwrap().parse::<usize>().unwrap(),
                bytes.len()
            );
        }
    }
}
