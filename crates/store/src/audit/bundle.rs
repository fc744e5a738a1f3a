//! Bundles of entries, and where the files of a log are. The layout is that of <https://c2sp.org/tlog-tiles>.

use std::path::{Path, PathBuf};

use super::WIDTH;

/// The path of a number, three digits a step, as `x001/x234/067`.
fn numbered(number: u64) -> String {
    let mut rest = number;
    let mut path = format!("{:03}", rest % 1000);
    while rest >= 1000 {
        rest /= 1000;
        path = format!("x{:03}/{path}", rest % 1000);
    }
    path
}

/// A tile of hashes: full, or with `width` of them.
pub fn tile(folder: &Path, level: usize, number: u64, width: u64) -> PathBuf {
    partial(folder.join(format!("tile/{level}")), number, width)
}

/// A bundle of entries: full, or with `width` of them.
pub fn entries(folder: &Path, number: u64, width: u64) -> PathBuf {
    partial(folder.join("tile/entries"), number, width)
}

fn partial(folder: PathBuf, number: u64, width: u64) -> PathBuf {
    let path = numbered(number);
    if width == WIDTH {
        folder.join(path)
    } else {
        folder.join(format!("{path}.p/{width}"))
    }
}

/// The partial files of a tile or bundle, as a folder.
pub fn partials(full: &Path) -> PathBuf {
    let mut name = full.as_os_str().to_owned();
    name.push(".p");
    PathBuf::from(name)
}

/// Where the entries of a bundle are that is not full yet.
pub fn open(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("open/{number:012}"))
}

/// The bytes of a bundle: before each entry its length in two bytes, the greater one first.
pub fn encode<'a>(entries: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in entries {
        // Entries are never longer than this.
        let length = u16::try_from(entry.len()).unwrap_or(u16::MAX);
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(&entry[..usize::from(length)]);
    }
    bytes
}

/// The entries of a bundle; nothing where the bytes are no bundle.
pub fn decode(bytes: &[u8]) -> Option<Vec<&[u8]>> {
    let mut entries = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let (length, after) = rest.split_first_chunk::<2>()?;
        let length = usize::from(u16::from_be_bytes(*length));
        entries.push(after.get(..length)?);
        rest = &after[length..];
    }
    Some(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_where_others_look_for_them() {
        let folder = Path::new("/a");
        for (path, expected) in [
            (tile(folder, 0, 0, 256), "/a/tile/0/000"),
            (tile(folder, 2, 1_234_067, 256), "/a/tile/2/x001/x234/067"),
            (tile(folder, 1, 999, 3), "/a/tile/1/999.p/3"),
            (entries(folder, 1000, 256), "/a/tile/entries/x001/000"),
            (entries(folder, 0, 17), "/a/tile/entries/000.p/17"),
        ] {
            assert_eq!(path, Path::new(expected));
        }
    }

    #[test]
    fn bundles_are_read_back_and_what_is_none_is_not() {
        let bytes = encode([&b"one"[..], b"", b"three"]);
        assert_eq!(decode(&bytes).unwrap(), [&b"one"[..], b"", b"three"]);
        assert_eq!(decode(&bytes[..bytes.len() - 1]), None);
        assert_eq!(decode(&[0]), None);
        assert_eq!(decode(&[]).unwrap().len(), 0);
    }
}
