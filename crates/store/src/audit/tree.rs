//! The Merkle tree over entries, as far as it must be remembered to go on growing it (RFC 6962, section 2.1).

use tlog_tiles::{EMPTY_HASH, Hash, Tile, node_hash};

use super::WIDTH;

/// The right edge of a tree: of each level of tiles the one that is not full.
#[derive(Clone, Debug, Default)]
pub struct Edge {
    /// The hashes of each level's open tile, fewer than a tile holds.
    levels: Vec<Vec<Hash>>,
    size: u64,
}

/// A tile that has become full.
#[derive(Debug, PartialEq, Eq)]
pub struct FullTile {
    pub level: usize,
    pub number: u64,
    pub hashes: Vec<u8>,
}

impl Edge {
    /// The edge of a tree with `size` leaves, from its open tiles.
    pub const fn restored(levels: Vec<Vec<Hash>>, size: u64) -> Self {
        Self { levels, size }
    }

    /// So many leaves there are.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The open tile of a level: its number and its hashes.
    pub fn open(&self, level: usize) -> Option<(u64, &[Hash])> {
        let hashes = self.levels.get(level)?;
        let number = self.size >> (8 * (level + 1));
        Some((number, hashes))
    }

    pub fn levels(&self) -> usize {
        self.levels.len()
    }

    /// Adds a leaf, and says which tiles it has made full.
    pub fn push(&mut self, leaf: Hash) -> Vec<FullTile> {
        self.size += 1;
        let mut full = Vec::new();
        let (mut level, mut hash) = (0, leaf);
        loop {
            if self.levels.len() == level {
                self.levels.push(Vec::new());
            }
            self.levels[level].push(hash);
            if (self.levels[level].len() as u64) < WIDTH {
                return full;
            }
            let hashes = concatenated(&std::mem::take(&mut self.levels[level]));
            hash = Tile::subtree_hash(&hashes);
            let number = (self.size >> (8 * (level + 1))) - 1;
            full.push(FullTile {
                level,
                number,
                hashes,
            });
            level += 1;
        }
    }

    /// What the whole tree hashes to.
    pub fn root(&self) -> Hash {
        let mut root: Option<Hash> = None;
        // From the right, where the smallest whole subtrees are, to the left.
        for hashes in &self.levels {
            let mut end = hashes.len();
            while end > 0 {
                let width = 1 << end.trailing_zeros();
                let block = Tile::subtree_hash(&concatenated(&hashes[end - width..end]));
                root = Some(root.map_or(block, |right| node_hash(block, right)));
                end -= width;
            }
        }
        root.unwrap_or(EMPTY_HASH)
    }
}

/// The bytes of a tile.
pub fn concatenated(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.0).collect()
}

#[cfg(test)]
mod tests {
    use tlog_tiles::{HashReader, record_hash, stored_hashes_for_record_hash, tree_hash};

    use super::*;

    struct Stored(Vec<Hash>);

    impl HashReader for Stored {
        fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, tlog_tiles::Error> {
            Ok(indexes
                .iter()
                .map(|&index| self.0[usize::try_from(index).unwrap()])
                .collect())
        }
    }

    #[test]
    fn the_root_is_what_everybody_else_computes() {
        let mut edge = Edge::default();
        let mut stored = Stored(Vec::new());
        assert_eq!(edge.root(), EMPTY_HASH);
        for number in 0..66_000_u64 {
            let leaf = record_hash(&number.to_be_bytes());
            edge.push(leaf);
            let hashes = stored_hashes_for_record_hash(number, leaf, &stored).unwrap();
            stored.0.extend(hashes);
            if !(600..=65_500).contains(&number) {
                let expected = tree_hash(number + 1, &stored).unwrap();
                assert_eq!(edge.root(), expected, "{number}");
            }
        }
    }

    #[test]
    fn tiles_are_full_in_the_order_in_which_they_become_so() {
        let mut edge = Edge::default();
        let mut full = Vec::new();
        for number in 0..WIDTH * WIDTH + 300 {
            full.extend(edge.push(record_hash(&number.to_be_bytes())));
        }
        let places: Vec<(usize, u64)> = full.iter().map(|tile| (tile.level, tile.number)).collect();
        assert_eq!(places[..2], [(0, 0), (0, 1)]);
        assert_eq!(places[255..], [(0, 255), (1, 0), (0, 256)]);
        assert_eq!(
            edge.open(0).map(|(number, hashes)| (number, hashes.len())),
            Some((257, 44))
        );
        assert_eq!(
            edge.open(1).map(|(number, hashes)| (number, hashes.len())),
            Some((1, 1))
        );
        assert_eq!(
            edge.open(2).map(|(number, hashes)| (number, hashes.len())),
            Some((0, 1))
        );
    }
}
