//! What a directory holds, told in another order than the file system has. Pure.

/// An entry as `getdents64` tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub inode: u64,
    /// One of `DT_REG`, `DT_DIR`, …
    pub kind: u8,
    pub name: Vec<u8>,
    /// Where in the directory one stands who has been told this entry.
    pub position: u64,
}

/// A directory's entries, last first; itself and its parent stay in front, where programs that do
/// not look for their names skip them.
#[derive(Debug, Default)]
pub struct Listing {
    entries: Vec<Entry>,
}

/// Inode, position, length and kind: what stands before the name.
const BEFORE_NAME: usize = 8 + 8 + 2 + 1;

impl Listing {
    /// Turns round what was read. The positions stay in the order in which they were read, so that
    /// each is one that the file system can be told to go to.
    pub fn turned(read: Vec<Entry>) -> Self {
        let positions: Vec<u64> = read.iter().map(|entry| entry.position).collect();
        let (mut entries, mut rest): (Vec<_>, Vec<_>) = read
            .into_iter()
            .partition(|entry| matches!(entry.name.as_slice(), b"." | b".."));
        rest.reverse();
        entries.append(&mut rest);
        for (entry, position) in entries.iter_mut().zip(positions) {
            entry.position = position;
        }
        Self { entries }
    }

    /// The number of the entry that is told next at a position; none where it is none of these.
    pub fn next_at(&self, position: u64) -> Option<usize> {
        if position == 0 {
            return Some(0);
        }
        let told = self
            .entries
            .iter()
            .position(|entry| entry.position == position);
        told.map(|number| number + 1)
    }

    /// As many entries from this number on as there is room for, in bytes, as the kernel lays them
    /// out; and the number of the next. None where there is no room for one.
    pub fn told(&self, from: usize, room: usize) -> Option<(Vec<u8>, usize)> {
        let mut bytes = Vec::new();
        let mut next = from;
        for entry in self.entries.iter().skip(from) {
            let length = (BEFORE_NAME + entry.name.len() + 1).next_multiple_of(8);
            if bytes.len() + length > room {
                break;
            }
            let end = bytes.len() + length;
            bytes.extend(entry.inode.to_ne_bytes());
            bytes.extend(entry.position.to_ne_bytes());
            bytes.extend(u16::try_from(length).unwrap_or(u16::MAX).to_ne_bytes());
            bytes.push(entry.kind);
            bytes.extend(&entry.name);
            bytes.resize(end, 0);
            next += 1;
        }
        (next > from || from >= self.entries.len()).then_some((bytes, next))
    }

    /// Where one stands who was told everything before this number.
    pub fn position_before(&self, number: usize) -> u64 {
        let told = number.checked_sub(1);
        told.and_then(|number| self.entries.get(number))
            .map_or(0, |entry| entry.position)
    }

    pub fn is_whole(&self, told: usize) -> bool {
        told >= self.entries.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing() -> Listing {
        let read = [("a", 3), (".", 5), ("bb", 9), ("..", 10), ("c", 77)];
        Listing::turned(
            read.map(|(name, position)| Entry {
                inode: position + 100,
                kind: libc::DT_REG,
                name: name.as_bytes().to_vec(),
                position,
            })
            .into(),
        )
    }

    fn names(bytes: &[u8]) -> Vec<(String, u64)> {
        let mut names = Vec::new();
        let mut rest = bytes;
        while !rest.is_empty() {
            let length = usize::from(u16::from_ne_bytes([rest[16], rest[17]]));
            let name = rest[19..length].split(|byte| *byte == 0).next().unwrap();
            let position = u64::from_ne_bytes(rest[8..16].try_into().unwrap());
            names.push((String::from_utf8(name.to_vec()).unwrap(), position));
            rest = &rest[length..];
        }
        names
    }

    #[test]
    fn the_last_is_told_first_at_the_positions_of_the_file_system() {
        let (bytes, next) = listing().told(0, 4096).unwrap();
        let expected = [(".", 3), ("..", 5), ("c", 9), ("bb", 10), ("a", 77)];
        assert_eq!(
            names(&bytes),
            expected.map(|(name, position)| (name.to_owned(), position))
        );
        assert_eq!(next, 5);
        assert!(listing().is_whole(next));
    }

    #[test]
    fn who_comes_back_is_told_the_rest_and_each_entry_once() {
        let listing = listing();
        let (mut position, mut told) = (0, Vec::new());
        loop {
            let from = listing.next_at(position).unwrap();
            let (bytes, next) = listing.told(from, 50).unwrap();
            if bytes.is_empty() {
                break;
            }
            told.extend(names(&bytes).into_iter().map(|(name, _)| name));
            position = listing.position_before(next);
        }
        assert_eq!(told, [".", "..", "c", "bb", "a"]);
        assert_eq!(listing.next_at(4), None);
        assert_eq!(listing.told(0, 10), None);
    }

    #[test]
    fn an_empty_directory_ends_at_once() {
        let listing = Listing::turned(Vec::new());
        assert_eq!(listing.told(0, 4096), Some((Vec::new(), 0)));
        assert_eq!(listing.position_before(0), 0);
    }
}
