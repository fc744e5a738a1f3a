//! Writing a log: entries at once, their durability in groups, tiles and checkpoints behind them.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::json;
use tlog_tiles::{Hash, record_hash};
use tokio::sync::watch;

use super::checkpoint::CheckpointSigner;
use super::entry::{AuditEntry, NewAuditEntry};
use super::files::{open_file, place, place_part, remove_parts};
use super::opening::Opened;
use super::read::AuditReader;
use super::tree::{Edge, FullTile, concatenated};
use super::{WIDTH, bundle};

/// A checkpoint is at most so old while entries come.
const CHECKPOINT: Duration = Duration::from_secs(2);
/// After a failure to write it is tried again so soon.
const AGAIN: Duration = Duration::from_secs(1);

/// Why nothing can be written down.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AuditError {
    #[error("the audit log in {} cannot be written: {reason}", folder.display())]
    Write { folder: PathBuf, reason: String },
}

/// A log that is being written. Cheap to clone; the last one that is dropped ends it.
#[derive(Clone)]
pub struct AuditLog {
    shared: Arc<Shared>,
    _end: Arc<End>,
}

struct Shared {
    folder: PathBuf,
    signer: CheckpointSigner,
    state: Mutex<State>,
    wake: Condvar,
    kept: watch::Sender<Kept>,
}

/// How far the log is durable.
#[derive(Clone, Debug, Default)]
struct Kept {
    /// So many entries a power cut would leave.
    size: u64,
    /// Why there are no more of them.
    failed: Option<String>,
}

pub struct State {
    pub edge: Edge,
    pub previous: Hash,
    /// Entries of the bundle that is not full yet, and the file they are in.
    pub entries: Vec<Vec<u8>>,
    pub file: File,
    pub length: u64,
    /// What became full and is not in its place yet.
    pub full: Vec<FullBundle>,
    pub tiles: Vec<FullTile>,
    pub ended: bool,
}

pub struct FullBundle {
    number: u64,
    entries: Vec<Vec<u8>>,
    file: File,
}

/// Ends the log when nobody writes to it any more.
struct End {
    shared: Arc<Shared>,
    keeper: Mutex<Option<JoinHandle<()>>>,
}

impl AuditLog {
    /// Opens the log in a folder, and makes it where there is none.
    ///
    /// What a crash cut short is taken away. What a checkpoint says was there and is not is an entry of its own.
    pub fn open(folder: &Path, signer: CheckpointSigner) -> Result<Self, AuditError> {
        let failed = |error: io::Error| AuditError::Write {
            folder: folder.to_owned(),
            reason: error.to_string(),
        };
        let opened = Opened::load(folder, &signer).map_err(failed)?;
        let durable = opened.state.edge.size();
        let shared = Arc::new(Shared {
            folder: folder.to_owned(),
            signer,
            state: Mutex::new(opened.state),
            wake: Condvar::new(),
            kept: watch::Sender::new(Kept {
                size: durable,
                failed: None,
            }),
        });
        let keeper = {
            let shared = Arc::clone(&shared);
            std::thread::Builder::new()
                .name("audit".to_owned())
                .spawn(move || shared.keep())
                .map_err(failed)?
        };
        let log = Self {
            _end: Arc::new(End {
                shared: Arc::clone(&shared),
                keeper: Mutex::new(Some(keeper)),
            }),
            shared,
        };
        for damage in opened.damage {
            log.append(NewAuditEntry {
                entry: "damage".to_owned(),
                channel: "stack".to_owned(),
                principal: "stack".to_owned(),
                action: "open_audit_log".to_owned(),
                kind: "audit".to_owned(),
                detail: json!(damage),
                ..NewAuditEntry::default()
            })?;
        }
        Ok(log)
    }

    /// Writes an entry down and says its number. It survives the end of this process; see [`AuditLog::settled`].
    pub fn append(&self, what: NewAuditEntry) -> Result<u64, AuditError> {
        let mut state = self.shared.state();
        if let Some(reason) = &self.shared.kept.borrow().failed {
            return Err(self.shared.error(reason));
        }
        let sequence = state.edge.size();
        let time = Timestamp::now().to_string();
        let bytes = AuditEntry::bytes(sequence, state.previous, time, what);
        let mut line = bytes.clone();
        line.push(b'\n');
        let length = state.length;
        if let Err(error) = state.file.write_all(&line) {
            // Half an entry would stand between those before and after it.
            if let Err(worse) = state.file.set_len(length) {
                self.shared.fail(worse.to_string());
            }
            return Err(self.shared.error(&error.to_string()));
        }
        state.length += line.len() as u64;
        if let Err(error) = state.add(&self.shared.folder, bytes) {
            let reason = error.to_string();
            self.shared.fail(reason.clone());
            return Err(self.shared.error(&reason));
        }
        drop(state);
        self.shared.wake.notify_one();
        Ok(sequence)
    }

    /// Waits until an entry survives a power cut, too. Entries that come meanwhile are made so with it.
    pub async fn settled(&self, sequence: u64) -> Result<(), AuditError> {
        let mut kept = self.shared.kept.subscribe();
        let is_decided = |kept: &Kept| kept.size > sequence || kept.failed.is_some();
        // The sender lives as long as the log.
        let reason = match kept.wait_for(is_decided).await {
            Ok(kept) if kept.size <= sequence => kept.failed.clone(),
            _ => None,
        };
        reason.map_or(Ok(()), |reason| Err(self.shared.error(&reason)))
    }

    /// So many entries there are.
    pub fn size(&self) -> u64 {
        self.shared.state().edge.size()
    }

    pub fn reader(&self) -> AuditReader {
        AuditReader::new(&self.shared.folder)
    }

    pub fn signer(&self) -> &CheckpointSigner {
        &self.shared.signer
    }

    /// Removes the entries of whole bundles before entry `before`, and says first that it does. Their hashes stay.
    pub fn forget(&self, before: u64, what: NewAuditEntry) -> Result<u64, AuditError> {
        let failed = |error: io::Error| self.shared.error(&error.to_string());
        let bundles = before.min(self.size()) / WIDTH;
        let removed = bundles * WIDTH;
        self.append(NewAuditEntry {
            entry: "pruned".to_owned(),
            detail: json!({ "before": removed }),
            ..what
        })?;
        for number in 0..bundles {
            match fs::remove_file(bundle::entries(&self.shared.folder, number, WIDTH)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
                _ => {}
            }
        }
        Ok(removed)
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.shared.state().ended = true;
        self.shared.wake.notify_one();
        let keeper = self
            .keeper
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if keeper.is_some_and(|keeper| keeper.join().is_err()) {
            tracing::error!("the audit log did not end in order");
        }
    }
}

impl std::fmt::Debug for AuditLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AuditLog({})", self.shared.folder.display())
    }
}

impl State {
    /// Takes up an entry that is in the file.
    pub fn add(&mut self, folder: &Path, bytes: Vec<u8>) -> io::Result<()> {
        let leaf = record_hash(&bytes);
        self.previous = leaf;
        self.entries.push(bytes);
        let tiles = self.edge.push(leaf);
        if tiles.is_empty() {
            return Ok(());
        }
        let number = self.edge.size() / WIDTH;
        let next = open_file(folder, number)?;
        self.full.push(FullBundle {
            number: number - 1,
            entries: std::mem::take(&mut self.entries),
            file: std::mem::replace(&mut self.file, next),
        });
        self.length = 0;
        self.tiles.extend(tiles);
        Ok(())
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn error(&self, reason: &str) -> AuditError {
        AuditError::Write {
            folder: self.folder.clone(),
            reason: reason.to_owned(),
        }
    }

    /// Makes entries durable, and brings what is full to its place, until the log ends.
    fn keep(&self) {
        let mut signed = Signed {
            size: None,
            at: Instant::now(),
        };
        loop {
            let mut state = self.state();
            while !state.ended && self.is_kept(&state) && signed.size == Some(state.edge.size()) {
                state = self
                    .wake
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
            }
            let ended = state.ended;
            let due = ended || signed.size.is_none() || signed.at.elapsed() >= CHECKPOINT;
            if self.is_kept(&state) && !due {
                // Only the checkpoint is behind: it may wait for more.
                let rest = CHECKPOINT.saturating_sub(signed.at.elapsed());
                drop(self.wake.wait_timeout(state, rest));
                continue;
            }
            let kept = self.keep_once(state, due, &mut signed);
            let failed = kept.as_ref().err().map(ToString::to_string);
            let mut before = None;
            self.kept
                .send_modify(|kept| before = std::mem::replace(&mut kept.failed, failed.clone()));
            match (failed, before) {
                (Some(error), None) => {
                    tracing::error!(error, folder = %self.folder.display(), "the audit log cannot be kept; nothing is changed until it can");
                }
                (None, Some(_)) => {
                    tracing::info!(folder = %self.folder.display(), "the audit log is kept again");
                }
                _ => {}
            }
            if ended {
                return;
            }
            if kept.is_err() {
                drop(self.wake.wait_timeout(self.state(), AGAIN));
            }
        }
    }

    /// Whether there is nothing that a power cut would take.
    fn is_kept(&self, state: &State) -> bool {
        let kept = self.kept.borrow();
        kept.failed.is_none() && kept.size == state.edge.size()
    }

    /// Takes nothing more until the keeper has seen to it.
    fn fail(&self, reason: String) {
        self.kept.send_modify(|kept| kept.failed = Some(reason));
        self.wake.notify_one();
    }

    fn keep_once(
        &self,
        mut state: MutexGuard<'_, State>,
        due: bool,
        signed: &mut Signed,
    ) -> io::Result<()> {
        let size = state.edge.size();
        let edge = due.then(|| (state.edge.clone(), state.entries.clone()));
        let file = state.file.try_clone()?;
        let full = std::mem::take(&mut state.full);
        let tiles = std::mem::take(&mut state.tiles);
        drop(state);
        let kept = self.settle(&file, &full, &tiles);
        if kept.is_err() {
            // It is done again from the beginning; each part of it may be done twice.
            let mut state = self.state();
            let newer = std::mem::replace(&mut state.full, full);
            state.full.extend(newer);
            let newer = std::mem::replace(&mut state.tiles, tiles);
            state.tiles.extend(newer);
            return kept;
        }
        self.kept.send_modify(|kept| kept.size = size);
        if let Some((edge, entries)) = edge {
            self.publish(&edge, &entries)?;
            *signed = Signed {
                size: Some(size),
                at: Instant::now(),
            };
        }
        Ok(())
    }

    fn settle(&self, file: &File, full: &[FullBundle], tiles: &[FullTile]) -> io::Result<()> {
        for bundle in full {
            bundle.file.sync_data()?;
        }
        file.sync_data()?;
        for full in full {
            let bytes = bundle::encode(full.entries.iter().map(Vec::as_slice));
            place(&bundle::entries(&self.folder, full.number, WIDTH), &bytes)?;
        }
        for tile in tiles {
            let path = bundle::tile(&self.folder, tile.level, tile.number, WIDTH);
            place(&path, &tile.hashes)?;
            remove_parts(&path);
        }
        for full in full {
            // From here on the bundle is where a tile says it is.
            let _ = fs::remove_file(bundle::open(&self.folder, full.number));
            remove_parts(&bundle::entries(&self.folder, full.number, WIDTH));
        }
        Ok(())
    }

    /// Signs what the tree says, with the parts that others need to check it.
    fn publish(&self, edge: &Edge, entries: &[Vec<u8>]) -> io::Result<()> {
        for level in 0..edge.levels() {
            let Some((number, hashes)) = edge.open(level) else {
                continue;
            };
            if !hashes.is_empty() {
                let path = bundle::tile(&self.folder, level, number, hashes.len() as u64);
                place_part(&path, &concatenated(hashes))?;
            }
        }
        if !entries.is_empty() {
            let number = edge.size() / WIDTH;
            let path = bundle::entries(&self.folder, number, entries.len() as u64);
            place_part(&path, &bundle::encode(entries.iter().map(Vec::as_slice)))?;
        }
        let note = self
            .signer
            .sign(edge.size(), edge.root())
            .map_err(io::Error::other)?;
        place(&self.folder.join("checkpoint"), &note)
    }
}

struct Signed {
    size: Option<u64>,
    at: Instant,
}
