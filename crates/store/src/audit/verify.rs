//! Checks a log: that each entry is what it was, that none is missing, and that their order is theirs.

use std::collections::BTreeMap;
use std::io;

use serde_json::Value;
use tlog_tiles::{Hash, record_hash};

use super::WIDTH;
use super::checkpoint::{CheckpointKey, SignedCheckpoint};
use super::entry::{AuditEntry, Place};
use super::read::AuditReader;
use super::tree::Edge;

/// No more is said of a log that is wrong from end to end.
const MOST: usize = 100;

/// What a check of a log said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditReport {
    /// So many entries the log has had.
    pub size: u64,
    /// The first that is still there: those before it were removed, and the log says so.
    pub first: u64,
    /// So many the signed checkpoint counts; absent: there is none that is good.
    pub signed: Option<u64>,
    pub problems: Vec<AuditProblem>,
}

/// Something that is wrong with a log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuditProblem {
    #[error("entry {0} was changed: it does not have the hash that the log has for it")]
    Changed(u64),
    #[error(
        "entry {0} is not what it was when the next one was written: it was changed, or another stands in its place"
    )]
    NotFollowed(u64),
    #[error("{} missing", range(*.first, *.last))]
    Missing { first: u64, last: u64 },
    #[error("entry {found} stands where entry {expected} belongs")]
    Order { expected: u64, found: u64 },
    #[error("what stands where entry {0} belongs is no entry")]
    NoEntry(u64),
    #[error("the bundle that begins with entry {0} cannot be read")]
    Unreadable(u64),
    #[error(
        "after {size} entries the log is not what was signed then: entries or hashes before were changed"
    )]
    Root { size: u64 },
    #[error("a signed checkpoint counts {signed} entries, and {size} are there: the last {} are gone", signed - size)]
    Short { signed: u64, size: u64 },
    #[error("the checkpoint is not good: {0}")]
    Checkpoint(String),
    #[error("the log says of itself that it was damaged, in entry {sequence}: {detail}")]
    Damage { sequence: u64, detail: String },
}

fn range(first: u64, last: u64) -> String {
    if first == last {
        format!("entry {first} is")
    } else {
        format!("entries {first} to {last} are")
    }
}

/// Checks the log in a folder against its own checkpoint, and against others that were kept elsewhere.
pub fn verify_audit(
    reader: &AuditReader,
    key: &CheckpointKey,
    elsewhere: &[SignedCheckpoint],
) -> io::Result<AuditReport> {
    let mut check = Check::default();
    // Read first: whatever is written meanwhile is beyond it.
    let checkpoint = reader.checkpoint()?.map(|bytes| key.open(&bytes));
    let mut signed = elsewhere.to_vec();
    match checkpoint {
        Some(Ok(checkpoint)) => {
            check.report.signed = Some(checkpoint.size);
            signed.push(checkpoint);
        }
        Some(Err(error)) => check.problem(0, AuditProblem::Checkpoint(error.to_string())),
        None => check.problem(0, AuditProblem::Checkpoint("there is none".to_owned())),
    }
    signed.sort_by_key(|checkpoint| checkpoint.size);
    for checkpoint in &signed {
        check
            .roots
            .entry(checkpoint.size)
            .or_default()
            .push(Hash(checkpoint.root));
    }
    check.compare();
    for number in 0.. {
        let tile = reader.tile(0, number)?;
        match (reader.bundle(number)?, tile) {
            (Some(bundle), tile) => {
                if bundle.torn && bundle.is_full {
                    check.problem(number * WIDTH, AuditProblem::Unreadable(number * WIDTH));
                }
                check.bundle(number, &bundle.entries, tile.as_deref());
                // The one that is being written has no tile yet, and nothing follows it.
                if bundle.entries.len() as u64 != WIDTH && is_last(number, reader)? {
                    break;
                }
            }
            (None, Some(tile)) => check.hashes_only(number, &tile),
            (None, None) => break,
        }
    }
    Ok(check.end(&signed))
}

/// Whether nothing comes after a bundle.
fn is_last(number: u64, reader: &AuditReader) -> io::Result<bool> {
    Ok(reader.tile(0, number + 1)?.is_none() && reader.bundle(number + 1)?.is_none())
}

#[derive(Default)]
struct Check {
    edge: Edge,
    previous: Option<Hash>,
    /// What was signed of the first so many entries.
    roots: BTreeMap<u64, Vec<Hash>>,
    /// By the entry they are about.
    problems: BTreeMap<u64, AuditProblem>,
    /// Bundles of which only the hashes are there.
    removed: Vec<u64>,
    /// So many the log itself says were removed.
    pruned: u64,
    report: AuditReport,
}

impl Check {
    fn problem(&mut self, at: u64, problem: AuditProblem) {
        if self.problems.len() < MOST {
            self.problems.entry(at).or_insert(problem);
        }
    }

    fn bundle(&mut self, number: u64, entries: &[Vec<u8>], tile: Option<&[u8]>) {
        let first = number * WIDTH;
        let hash_of = |sequence: u64| {
            let at = usize::try_from(sequence.checked_sub(first)?).ok()? * 32;
            let bytes = tile?.get(at..at + 32)?;
            Some(Hash(*bytes.first_chunk::<32>()?))
        };
        let mut expected = first;
        let end = first + WIDTH;
        for bytes in entries {
            let leaf = record_hash(bytes);
            let Some(place) = Place::read(bytes) else {
                self.problem(expected, AuditProblem::NoEntry(expected));
                self.push(hash_of(expected).unwrap_or(leaf));
                expected += 1;
                continue;
            };
            let found = place.sequence;
            if found > expected && found < end {
                let last = found - 1;
                self.problem(
                    expected,
                    AuditProblem::Missing {
                        first: expected,
                        last,
                    },
                );
                for missing in expected..found {
                    // Nothing is known of one that no tile has.
                    self.push(hash_of(missing).unwrap_or(Hash([0; 32])));
                }
                expected = found;
            } else if found != expected {
                self.problem(expected, AuditProblem::Order { expected, found });
                continue;
            }
            let committed = hash_of(expected);
            if committed.is_some_and(|hash| hash != leaf) {
                self.problem(expected, AuditProblem::Changed(expected));
            } else if self
                .previous
                .is_some_and(|previous| previous.0 != place.previous)
                && expected > 0
            {
                self.problem(expected - 1, AuditProblem::NotFollowed(expected - 1));
            }
            self.read_what_it_says_of_the_log(bytes);
            self.push(committed.unwrap_or(leaf));
            expected += 1;
        }
        if tile.is_some() && expected < end {
            let last = end - 1;
            self.problem(
                expected,
                AuditProblem::Missing {
                    first: expected,
                    last,
                },
            );
            for missing in expected..end {
                self.push(hash_of(missing).unwrap_or(Hash([0; 32])));
            }
        }
    }

    /// Entries that tell of the log itself.
    fn read_what_it_says_of_the_log(&mut self, bytes: &[u8]) {
        let says = |word: &[u8]| bytes.windows(word.len()).any(|window| window == word);
        if !says(br#""entry":"pruned""#) && !says(br#""entry":"damage""#) {
            return;
        }
        let Some(entry) = AuditEntry::read(bytes) else {
            return;
        };
        match (entry.what.entry.as_str(), &entry.what.detail) {
            ("pruned", detail) => {
                let before = detail.get("before").and_then(Value::as_u64);
                self.pruned = self.pruned.max(before.unwrap_or(0));
            }
            ("damage", detail) => {
                let detail = detail.as_str().unwrap_or_default().to_owned();
                let sequence = entry.sequence;
                self.problem(sequence, AuditProblem::Damage { sequence, detail });
            }
            _ => {}
        }
    }

    fn hashes_only(&mut self, number: u64, tile: &[u8]) {
        self.removed.push(number);
        let (hashes, _) = tile.as_chunks::<32>();
        for hash in hashes {
            self.push(Hash(*hash));
        }
    }

    fn push(&mut self, leaf: Hash) {
        self.previous = Some(leaf);
        self.edge.push(leaf);
        self.compare();
    }

    /// Compares what the tree says now with what was signed of as many entries.
    fn compare(&mut self) {
        let size = self.edge.size();
        let Some(roots) = self.roots.get(&size) else {
            return;
        };
        let root = self.edge.root();
        if roots.iter().any(|signed| *signed != root) {
            self.problem(size.saturating_sub(1), AuditProblem::Root { size });
        }
    }

    fn end(mut self, signed: &[SignedCheckpoint]) -> AuditReport {
        let size = self.edge.size();
        // What was removed is a beginning, and the log says so.
        for (index, number) in std::mem::take(&mut self.removed).into_iter().enumerate() {
            let (first, last) = (number * WIDTH, (number + 1) * WIDTH - 1);
            if number == index as u64 && last < self.pruned {
                self.report.first = last + 1;
            } else {
                self.problem(first, AuditProblem::Missing { first, last });
            }
        }
        if let Some(checkpoint) = signed.iter().rfind(|checkpoint| checkpoint.size > size) {
            let signed = checkpoint.size;
            self.problem(size, AuditProblem::Short { signed, size });
        }
        self.report.size = size;
        self.report.problems = self.problems.into_values().collect();
        self.report
    }
}
