//! What is written down of what was asked: every denial and every change, before it is done and with its outcome.
//!
//! A change that cannot be written down is not done. Allowed reads are no entries.

mod ocsf;
pub mod offline;
mod refusals;

use std::collections::HashMap;
use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use ergon_store::{AuditEntry, AuditError, AuditLog, CheckpointSigner, NewAuditEntry};
use serde_json::json;

use self::refusals::{Refusals, Told};
use crate::api;
use crate::authorize::{Action, Channel, Decided, Decision, Principal, Resource};
use crate::stack::Stack;

pub use ocsf::event as ocsf_event;

/// Outcomes follow their decisions within so many entries, or are not shown beside them.
const APART: u64 = 1024;
/// No more entries are looked at for one page.
const SCANNED: u64 = 50_000;
/// What was refused again and again is counted up so often.
const COUNTED: Duration = Duration::from_mins(1);

/// A request that is decided about.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Its id.
    pub request: &'a str,
    pub channel: Channel,
    pub principal: &'a Principal,
    pub action: Action,
    pub resource: &'a Resource,
    /// Whether it may change anything, once allowed.
    pub is_change: bool,
}

/// What came of a request.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    pub status: u16,
    /// The SHA-256 of its body, where it had one.
    pub body: Option<String>,
}

/// Why an entry is not shown, checked or removed.
#[derive(Debug, thiserror::Error)]
pub enum AuditLogError {
    #[error(transparent)]
    Log(#[from] AuditError),
    #[error("the audit log cannot be read: {0}")]
    Read(#[from] io::Error),
    #[error("a checkpoint that was kept elsewhere is not good: {0}")]
    Checkpoint(String),
    #[error("a task ended without an answer: {0}")]
    Task(#[from] tokio::task::JoinError),
}

/// The stack's audit log.
#[derive(Debug)]
pub struct Audit {
    log: AuditLog,
    refusals: Mutex<Refusals>,
}

/// Which entries are wanted; absent: all.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    pub principal: Option<String>,
    pub action: Option<String>,
    pub decision: Option<String>,
    pub channel: Option<String>,
    pub request: Option<String>,
    /// In any of an entry's texts.
    pub text: Option<String>,
}

impl Audit {
    pub fn open(folder: &std::path::Path, signer: CheckpointSigner) -> Result<Self, AuditError> {
        Ok(Self {
            log: AuditLog::open(folder, signer)?,
            refusals: Mutex::default(),
        })
    }

    /// Writes down what was decided, where it is a denial or a change. Says the number of its entry where its outcome is
    /// to be written down, too.
    ///
    /// An error is one for whoever asked: what cannot be written down is not done.
    pub fn decided(&self, asked: Asked<'_>, decided: &Decided) -> Result<Option<u64>, AuditError> {
        let is_allowed = decided.is_allowed();
        if is_allowed && !asked.is_change {
            return Ok(None);
        }
        let mut entry = new_entry(asked, "decision");
        entry.decision = Some(word(decided.decision).to_owned());
        entry.policy = decided.because();
        // Whoever can ask without being known could fill the disk with it.
        if !is_allowed || *asked.principal.itself() == Principal::Nobody {
            let now = Instant::now();
            let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
            match refusals.tell(entry, now) {
                Told::Now(told) => entry = *told,
                Told::Counted => return Ok(None),
            }
        }
        match self.log.append(entry) {
            Ok(sequence) => Ok(is_allowed.then_some(sequence)),
            // It stays refused, whether it can be written down or not.
            Err(error) if !is_allowed => {
                tracing::error!(%error, "a denial could not be written down");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Writes down what came of a change, and waits until the entry of its beginning is there for good.
    pub async fn ended(&self, asked: Asked<'_>, begun: u64, outcome: Outcome) {
        let mut entry = new_entry(asked, "outcome");
        entry.status = Some(outcome.status);
        entry.body = outcome.body;
        let settled = match self.log.append(entry) {
            // Its own end may be lost to a power cut; that it was begun may not.
            Ok(_) => self.log.settled(begun).await,
            Err(error) => Err(error),
        };
        if let Err(error) = settled {
            // It is done already, and that it was begun is written down.
            tracing::error!(%error, request = asked.request, "what came of a change could not be written down");
        }
    }

    /// Writes down what the stack did in somebody's name.
    pub fn note(&self, entry: NewAuditEntry) {
        let entry = NewAuditEntry {
            channel: Channel::Stack.word().to_owned(),
            ..entry
        };
        if let Err(error) = self.log.append(entry) {
            tracing::error!(%error, "what was done could not be written down");
        }
    }

    /// Writes down how often was refused what is only counted.
    fn count(&self, now: Instant) {
        let counted = {
            let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
            refusals.counted(now)
        };
        for entry in counted {
            if let Err(error) = self.log.append(entry) {
                tracing::error!(%error, "denials could not be written down");
            }
        }
    }

    /// Requests, the newest first, before entry `before`; and where to go on.
    pub async fn list(
        &self,
        before: Option<u64>,
        limit: usize,
        wanted: Wanted,
    ) -> Result<api::AuditPage, AuditLogError> {
        let size = self.log.size();
        let before = before.unwrap_or(size).min(size);
        let reader = self.log.reader();
        let work = move || -> io::Result<api::AuditPage> {
            let (newer, _) =
                reader.newest(size.min(before + APART), APART as usize, APART, |entry| {
                    entry.what.entry == "outcome"
                })?;
            let outcomes: std::cell::RefCell<HashMap<String, AuditEntry>> = newer
                .into_iter()
                .map(|entry| (entry.what.request.clone(), entry))
                .collect::<HashMap<_, _>>()
                .into();
            let (found, next) = reader.newest(before, limit, SCANNED, |entry| {
                if entry.what.entry == "outcome" {
                    let request = entry.what.request.clone();
                    outcomes.borrow_mut().insert(request, entry.clone());
                    return false;
                }
                wanted.takes(entry)
            })?;
            let mut outcomes = outcomes.into_inner();
            let items = found
                .into_iter()
                .map(|entry| {
                    let outcome = outcomes.remove(&entry.what.request);
                    view(entry, outcome)
                })
                .collect();
            Ok(api::AuditPage { items, next, size })
        };
        Ok(tokio::task::spawn_blocking(work).await??)
    }

    /// Checks the whole log, also against checkpoints that were kept elsewhere.
    pub async fn verify(&self, elsewhere: &[String]) -> Result<api::AuditReport, AuditLogError> {
        let key = self.log.signer().key().clone();
        let (reader, elsewhere) = (self.log.reader(), elsewhere.to_vec());
        let work = move || offline::verify(&reader, &key, &elsewhere);
        tokio::task::spawn_blocking(work).await?
    }

    /// What was signed last, and the key it was signed with.
    pub async fn checkpoint(&self) -> Result<api::AuditCheckpoint, AuditLogError> {
        let reader = self.log.reader();
        let bytes = tokio::task::spawn_blocking(move || reader.checkpoint()).await??;
        Ok(api::AuditCheckpoint {
            checkpoint: String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned(),
            key: self.log.signer().key().text(),
            entries: self.log.size(),
        })
    }

    /// Some of the entries as they are kept, the oldest first; nothing after the last.
    pub async fn bundle(&self, number: u64) -> Result<Option<Vec<Vec<u8>>>, AuditLogError> {
        let reader = self.log.reader();
        let bundle = tokio::task::spawn_blocking(move || reader.bundle(number)).await??;
        Ok(bundle.map(|bundle| bundle.entries))
    }

    /// So many entries the log has had.
    pub fn size(&self) -> u64 {
        self.log.size()
    }

    /// Removes entries that are older than a time, as far as whole bundles go. Their hashes stay.
    pub async fn forget(
        &self,
        older_than: jiff::Timestamp,
        by: &Principal,
    ) -> Result<u64, AuditLogError> {
        let (log, reader) = (self.log.clone(), self.log.reader());
        let what = NewAuditEntry {
            channel: Channel::Stack.word().to_owned(),
            principal: by.name(),
            action: format!("{:?}", Action::ForgetAuditEntries),
            kind: "Audit".to_owned(),
            ..NewAuditEntry::default()
        };
        let work = move || -> Result<u64, AuditLogError> {
            let is_old = |entry: &AuditEntry| {
                entry
                    .time
                    .parse::<jiff::Timestamp>()
                    .is_ok_and(|time| time < older_than)
            };
            // The newest of those that are old enough, and all before it.
            let (newest, _) = reader.newest(log.size(), 1, u64::MAX, is_old)?;
            let before = newest.first().map_or(0, |entry| entry.sequence + 1);
            Ok(log.forget(before, what)?)
        };
        tokio::task::spawn_blocking(work).await?
    }
}

/// Counts what is refused again and again, until the stack ends.
pub async fn run(stack: Stack) {
    loop {
        tokio::select! {
            () = stack.shutdown().cancelled() => break,
            () = tokio::time::sleep(COUNTED) => stack.audit().count(Instant::now()),
        }
    }
    // Whatever was counted is told of now, or never.
    stack.audit().count(Instant::now() + COUNTED);
}

impl Wanted {
    fn takes(&self, entry: &AuditEntry) -> bool {
        let what = &entry.what;
        let is = |wanted: &Option<String>, found: &str| {
            wanted
                .as_ref()
                .is_none_or(|wanted| wanted.eq_ignore_ascii_case(found))
        };
        let holds = |found: &str| {
            self.text
                .as_ref()
                .is_none_or(|text| found.to_lowercase().contains(&text.to_lowercase()))
        };
        is(&self.principal, &what.principal)
            && is(&self.action, &what.action)
            && is(&self.decision, what.decision.as_deref().unwrap_or_default())
            && is(&self.channel, &what.channel)
            && is(&self.request, &what.request)
            && [
                Some(what.principal.as_str()),
                Some(&what.action),
                Some(&what.kind),
                what.name.as_deref(),
            ]
            .into_iter()
            .flatten()
            .any(holds)
    }
}

fn new_entry(asked: Asked<'_>, entry: &str) -> NewAuditEntry {
    NewAuditEntry {
        entry: entry.to_owned(),
        request: asked.request.to_owned(),
        channel: asked.channel.word().to_owned(),
        principal: asked.principal.name(),
        action: asked.action.word().to_owned(),
        kind: asked.resource.kind.word().to_owned(),
        name: asked.resource.name.clone(),
        ..NewAuditEntry::default()
    }
}

fn view(entry: AuditEntry, outcome: Option<AuditEntry>) -> api::AuditRequest {
    let outcome = outcome.map(|outcome| outcome.what).unwrap_or_default();
    let detail = (!entry.what.detail.is_null()).then_some(entry.what.detail);
    api::AuditRequest {
        sequence: entry.sequence,
        time: entry.time,
        entry: entry.what.entry,
        request: (!entry.what.request.is_empty()).then_some(entry.what.request),
        channel: entry.what.channel,
        principal: entry.what.principal,
        action: entry.what.action,
        kind: entry.what.kind,
        name: entry.what.name,
        decision: entry.what.decision,
        policy: entry.what.policy,
        count: entry.what.count,
        status: outcome.status,
        body: outcome.body.or(entry.what.body),
        detail: detail.unwrap_or(json!(null)),
    }
}

const fn word(decision: Decision) -> &'static str {
    match decision {
        Decision::Allow => "allow",
        Decision::Identify => "identify",
        Decision::Deny => "deny",
    }
}
