//! Opening a log: what is there, what a crash left half done, and what should be there and is not.

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use tlog_tiles::{Hash, Tile};

use super::checkpoint::CheckpointSigner;
use super::entry::Place;
use super::files::{open_file, place, remove_older};
use super::log::State;
use super::read::{AuditReader, lines, read};
use super::tree::{Edge, concatenated};
use super::{WIDTH, bundle};

/// What was found on the disk.
pub struct Opened {
    pub state: State,
    /// What should have been there and was not.
    pub damage: Vec<String>,
}

impl Opened {
    pub fn load(folder: &Path, signer: &CheckpointSigner) -> io::Result<Self> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder.join("open"))?;
        let reader = AuditReader::new(folder);
        let mut damage = Vec::new();
        let signed = match reader.checkpoint()? {
            Some(bytes) => match signer.key().open(&bytes) {
                Ok(checkpoint) => Some(checkpoint.size),
                Err(error) => {
                    damage.push(format!("the checkpoint was not taken: {error}"));
                    None
                }
            },
            None => None,
        };
        let mut bundles = signed.unwrap_or(0) / WIDTH;
        // Some may have become full since; and where they are gone, as many as there are count.
        while bundles > 0 && reader.tile(0, bundles - 1)?.is_none() {
            bundles -= 1;
        }
        while reader.tile(0, bundles)?.is_some() {
            bundles += 1;
        }
        let mut nodes = Nodes { reader: &reader };
        let edge = nodes.edge(bundles)?;
        let previous = match bundles.checked_sub(1) {
            Some(last) => nodes.last_leaf(last)?,
            None => Hash([0; 32]),
        };
        let mut state = State {
            edge,
            previous,
            entries: Vec::new(),
            file: open_file(folder, bundles)?,
            length: 0,
            full: Vec::new(),
            tiles: Vec::new(),
            ended: false,
        };
        state.take_up(folder, bundles, &mut damage)?;
        remove_older(folder, bundles)?;
        let size = state.edge.size();
        if let Some(signed) = signed
            && signed > size
        {
            damage.push(format!(
                "a signed checkpoint counts {signed} entries, and {size} are there: {} are gone",
                signed - size
            ));
            // The evidence stays; what is signed from now on is another tree.
            let kept = folder.join(format!("checkpoint.{signed}"));
            fs::rename(folder.join("checkpoint"), kept)?;
        }
        for text in &damage {
            tracing::error!(folder = %folder.display(), "the audit log was damaged: {text}");
        }
        Ok(Self { state, damage })
    }
}

impl State {
    /// Takes up the lines of open bundles from the first on.
    fn take_up(&mut self, folder: &Path, first: u64, damage: &mut Vec<String>) -> io::Result<()> {
        for number in first.. {
            let Some(bytes) = read(&bundle::open(folder, number))? else {
                return Ok(());
            };
            let found = lines(&bytes);
            if found.torn {
                // Nobody was told that it is there.
                let whole: usize = found.entries.iter().map(|entry| entry.len() + 1).sum();
                self.file.set_len(whole as u64)?;
            }
            for bytes in found.entries {
                let here = Place {
                    sequence: self.edge.size(),
                    previous: self.previous.0,
                };
                if Place::read(&bytes) != Some(here) {
                    let sequence = self.edge.size();
                    damage.push(format!(
                        "entry {sequence} does not follow the one before it"
                    ));
                }
                self.length += bytes.len() as u64 + 1;
                self.add(folder, bytes)?;
            }
            if self.edge.size() / WIDTH == number {
                return Ok(());
            }
        }
        Ok(())
    }
}

/// Hashes of what is on the disk.
struct Nodes<'a> {
    reader: &'a AuditReader,
}

impl Nodes<'_> {
    /// The right edge over so many full bundles.
    fn edge(&mut self, bundles: u64) -> io::Result<Edge> {
        let mut levels = vec![Vec::new()];
        let mut count = bundles;
        let mut level = 0;
        while count > 0 {
            let first = count / WIDTH * WIDTH;
            let mut open = Vec::new();
            for number in first..count {
                open.push(self.node(level, number)?);
            }
            levels.push(open);
            count /= WIDTH;
            level += 1;
        }
        Ok(Edge::restored(levels, bundles * WIDTH))
    }

    /// What a full tile hashes to. One of a higher level that is not there is made of those below it.
    fn node(&mut self, level: usize, number: u64) -> io::Result<Hash> {
        if let Some(bytes) = self.reader.tile(level, number)? {
            return Ok(Tile::subtree_hash(&bytes));
        }
        let Some(below) = level.checked_sub(1) else {
            let reason = format!(
                "the hashes of entries from {} on are not there",
                number * WIDTH
            );
            return Err(io::Error::new(io::ErrorKind::NotFound, reason));
        };
        let mut hashes = Vec::new();
        for child in number * WIDTH..(number + 1) * WIDTH {
            hashes.push(self.node(below, child)?);
        }
        let bytes = concatenated(&hashes);
        place(
            &bundle::tile(self.reader.folder(), level, number, WIDTH),
            &bytes,
        )?;
        Ok(Tile::subtree_hash(&bytes))
    }

    fn last_leaf(&mut self, bundle: u64) -> io::Result<Hash> {
        let bytes = self.reader.tile(0, bundle)?.unwrap_or_default();
        Ok(Hash(bytes.last_chunk::<32>().copied().unwrap_or_default()))
    }
}
