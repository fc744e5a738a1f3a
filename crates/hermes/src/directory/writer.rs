//! The one writer: everything that waits becomes durable in one transaction, with an event for each change.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, Weak};

use ergon_store::{CompanionRow, NewEvent, Store, StoreError};
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};

use super::Inner;
use super::claim::{Claim, Grant, Holder, decide};
use super::error::DirectoryError;
use super::lease::Millis;
use super::record::Record;
use super::shelf::{Entry, Tenancy, weight};

/// So much is made durable at once at most.
const BATCH: usize = 256;
/// A record takes no more than this, as JSON, with its headers.
const LARGEST: usize = 32 << 10;

/// Something to do, and who waits for it.
pub struct Job {
    work: Work,
    done: oneshot::Sender<Result<Done, DirectoryError>>,
}

/// Who is on the shelf now, and how that came; nothing where somebody was removed.
pub type Done = Option<(Arc<Entry>, Grant)>;

pub enum Work {
    /// Put somebody into the directory; without a bid it is this stack's own.
    Put {
        record: Box<Record>,
        bid: Option<Bid>,
    },
    /// Remove somebody of this stack, or whoever has the name.
    Dismiss { key: String },
    /// Remove somebody from outside.
    Deregister { key: String },
    /// Remove somebody whose lease is over, unless they were heard since.
    Expire { key: String, heard: Millis },
    /// Tell of something that no record says.
    Tell(NewEvent),
}

/// What somebody from outside brings to have a name.
pub struct Bid {
    pub by: String,
    pub lease: Option<String>,
    pub headers: BTreeMap<String, String>,
    /// The version of the record whose place was seen to be left.
    pub left: Option<u64>,
}

pub struct Writer {
    store: Store,
    directory: Weak<Inner>,
    version: u64,
}

/// What a transaction will do, while it is put together.
#[derive(Default)]
struct Plan {
    /// What becomes of names: somebody, or nobody.
    names: HashMap<String, Option<Planned>>,
    events: Vec<NewEvent>,
    /// How many more there will be of one caller, and in all.
    more: HashMap<String, usize>,
    bytes: usize,
}

struct Planned {
    entry: Arc<Entry>,
    row: CompanionRow,
}

impl Job {
    pub fn new(work: Work) -> (Self, oneshot::Receiver<Result<Done, DirectoryError>>) {
        let (done, receiver) = oneshot::channel();
        (Self { work, done }, receiver)
    }
}

impl Writer {
    pub fn new(store: Store, directory: Weak<Inner>) -> Self {
        Self {
            store,
            directory,
            version: 0,
        }
    }

    /// Works until nobody has a handle of the directory any more.
    pub async fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        let mut batch = Vec::new();
        while jobs.recv_many(&mut batch, BATCH).await > 0 {
            let Some(directory) = self.directory.upgrade() else {
                return;
            };
            self.carry_out(&directory, std::mem::take(&mut batch)).await;
        }
    }

    async fn carry_out(&mut self, directory: &Inner, jobs: Vec<Job>) {
        let mut plan = Plan::default();
        let mut answers = Vec::with_capacity(jobs.len());
        for job in jobs {
            // What cannot be is answered, and in no transaction.
            match self.plan(directory, &mut plan, job.work) {
                Ok(done) => answers.push((job.done, done)),
                Err(error) => drop(job.done.send(Err(error))),
            }
        }
        match self.make_durable(&plan).await {
            Ok(()) => {
                apply(directory, plan);
                for (answer, done) in answers {
                    // Whoever asked may be gone; what was done stays done.
                    drop(answer.send(Ok(done)));
                }
            }
            Err(error) => refuse(error, answers),
        }
    }

    /// Decides what one piece of work does, after those before it.
    fn plan(
        &mut self,
        directory: &Inner,
        plan: &mut Plan,
        work: Work,
    ) -> Result<Done, DirectoryError> {
        match work {
            Work::Put { record, bid } => self.plan_put(directory, plan, *record, bid),
            Work::Dismiss { key } => {
                plan.remove(directory, &key, "dev.ergon.companion.left");
                Ok(None)
            }
            Work::Deregister { key } => {
                // It may have become this stack's own since it was asked for.
                let is_tenant = |held: &Arc<Entry>| held.tenancy.is_some();
                if plan.holder(directory, &key).as_ref().is_some_and(is_tenant) {
                    plan.remove(directory, &key, "dev.ergon.companion.left");
                }
                Ok(None)
            }
            Work::Expire { key, heard } => {
                let is_silent = |held: &Arc<Entry>| {
                    let tenancy = held.tenancy.as_ref();
                    tenancy.is_some_and(|tenancy| tenancy.pulse.heard() == heard)
                };
                if plan.holder(directory, &key).as_ref().is_some_and(is_silent) {
                    plan.remove(directory, &key, "dev.ergon.companion.expired");
                }
                Ok(None)
            }
            Work::Tell(event) => {
                plan.events.push(event);
                Ok(None)
            }
        }
    }

    fn plan_put(
        &mut self,
        directory: &Inner,
        plan: &mut Plan,
        mut record: Record,
        bid: Option<Bid>,
    ) -> Result<Done, DirectoryError> {
        let key = record.key();
        let held = plan.holder(directory, &key);
        let claim = match (&bid, &held) {
            (None, _) => Claim::Own,
            (Some(_), None) => Claim::nothing(),
            (Some(bid), Some(held)) => Claim::Caller {
                shows_lease: held.is_lease(bid.lease.as_deref()),
                is_away: bid.left == Some(held.version),
                same_headers: directory.has_headers(held, &bid.headers),
            },
        };
        let held_record = held.as_ref().map(|held| &held.record);
        let grant = match (decide(held_record, &record, &claim), held.as_ref()) {
            (Ok(Grant::Unchanged), Some(held)) => {
                if let Some(tenancy) = &held.tenancy {
                    tenancy.pulse.beat(directory.now());
                }
                return Ok(Some((held.clone(), Grant::Unchanged)));
            }
            (Ok(grant), _) => grant,
            (Err(refusal), held) => {
                let holder = held.map_or_else(
                    || Holder::of(&record, None, false),
                    |held| {
                        let left = held.left(directory.now());
                        Holder::of(&held.record, left, refusal.is_same)
                    },
                );
                return Err(DirectoryError::NameTaken {
                    name: record.name,
                    holder: Box::new(holder),
                });
            }
        };
        if let Some(held) = &held {
            record.registered_at = held.record.registered_at;
        }
        let tenancy = match bid {
            Some(bid) => Some(tenancy(
                directory,
                &key,
                &record,
                bid,
                held.as_deref(),
                grant,
            )?),
            None => None,
        };
        let row = CompanionRow {
            name: record.name.clone(),
            kind: record.kind.word().to_owned(),
            record: serde_json::to_value(&record.details).unwrap_or_default(),
            registered_at: record.registered_at,
            registered_by: tenancy.as_ref().map(|tenancy| tenancy.by.clone()),
            lease: tenancy.as_ref().map(|tenancy| tenancy.lease.clone()),
            headers: tenancy.as_ref().and_then(|tenancy| tenancy.headers.clone()),
        };
        let bytes = weight(&row);
        if let Some(tenancy) = &tenancy {
            plan.admit(directory, tenancy, grant, bytes)?;
        }
        let kind = match grant {
            Grant::New => "dev.ergon.companion.registered",
            _ => "dev.ergon.companion.changed",
        };
        plan.events.push(told(kind, &record));
        self.version += 1;
        let entry = Arc::new(Entry::new(record, tenancy, self.version, bytes));
        let planned = Planned {
            entry: entry.clone(),
            row,
        };
        plan.names.insert(key, Some(planned));
        Ok(Some((entry, grant)))
    }

    async fn make_durable(&self, plan: &Plan) -> Result<(), StoreError> {
        let mut events = plan.events.iter().cloned();
        let Some(first) = events.next() else {
            return Ok(());
        };
        let mut change = self.store.change(first).await?;
        events.for_each(|event| change.tell(event));
        let mut rows = Vec::new();
        for (key, planned) in &plan.names {
            match planned {
                Some(planned) => rows.push(planned.row.clone()),
                None => change.remove_companion(key).await?,
            }
        }
        change.put_companions(&rows).await?;
        change.commit().await
    }
}

impl Plan {
    /// Who has the name once everything before is done.
    fn holder(&self, directory: &Inner, key: &str) -> Option<Arc<Entry>> {
        match self.names.get(key) {
            Some(planned) => planned.as_ref().map(|planned| planned.entry.clone()),
            None => directory.entry(key),
        }
    }

    fn remove(&mut self, directory: &Inner, key: &str, kind: &'static str) {
        if let Some(held) = self.holder(directory, key) {
            self.events.push(told(kind, &held.record));
            self.names.insert(key.to_owned(), None);
        }
    }

    /// Lets one more in, where there is room for it.
    fn admit(
        &mut self,
        directory: &Inner,
        tenancy: &Tenancy,
        grant: Grant,
        bytes: usize,
    ) -> Result<(), DirectoryError> {
        if bytes > LARGEST {
            return Err(DirectoryError::TooLarge { most: LARGEST });
        }
        let shelf = directory.shelf();
        if grant == Grant::New {
            let more = self.more.entry(tenancy.by.clone()).or_default();
            if shelf.count_of(&tenancy.by) + *more >= directory.limits.of_one {
                return Err(DirectoryError::TooMany {
                    by: tenancy.by.clone(),
                    most: directory.limits.of_one,
                });
            }
            *more += 1;
        }
        let more: usize = self.more.values().sum();
        let limits = &directory.limits;
        if shelf.entries.len() + more > limits.in_all {
            return Err(DirectoryError::Full("it holds as many records as it takes"));
        }
        if shelf.bytes() + self.bytes + bytes > limits.bytes {
            return Err(DirectoryError::Full("its records take too much memory"));
        }
        self.bytes += bytes;
        Ok(())
    }
}

/// What somebody from outside has from now on: a lease of their own, unless they go on with the one they have.
fn tenancy(
    directory: &Inner,
    key: &str,
    record: &Record,
    bid: Bid,
    held: Option<&Entry>,
    grant: Grant,
) -> Result<Tenancy, DirectoryError> {
    let headers = directory.seal_headers(key, &bid.headers)?;
    let before = held.and_then(|held| held.tenancy.as_ref());
    let lease = match (before, grant) {
        (Some(before), Grant::Changed | Grant::Unchanged) => before.lease.clone(),
        _ => words_of((directory.lease_ids)()),
    };
    // Whoever let it in answers for it.
    let by = before.map_or(bid.by, |before| before.by.clone());
    let ttl = record
        .details
        .ttl
        .unwrap_or(crate::registration::DEFAULT_TTL);
    let mut tenancy = Tenancy::new(by, lease, headers, ttl);
    if let (Some(before), Some(held)) = (before, held)
        && held.record.details.address() == record.details.address()
    {
        // What was found at this place is found there still.
        tenancy.course = Mutex::new(before.course().clone());
    }
    Ok(tenancy)
}

fn words_of(bytes: [u8; 16]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What is told of somebody: who, what and where; never what is sent along with messages.
fn told(kind: &'static str, record: &Record) -> NewEvent {
    let mut data = json!({
        "name": record.name,
        "type": record.kind.word(),
        "address": record.details.address().to_string(),
    });
    if let Some(stack) = &record.details.stack_id {
        data["stack_id"] = Value::from(stack.as_str());
    }
    NewEvent::new(kind, format!("companion/{}", record.name), data)
}

/// Has memory say what the store says.
fn apply(directory: &Inner, plan: Plan) {
    for (key, planned) in plan.names {
        match planned {
            Some(planned) => directory.put(planned.entry),
            None => directory.remove(&key),
        }
    }
}

/// Nothing of it was done; everybody who waits is told why.
fn refuse(error: StoreError, answers: Vec<(oneshot::Sender<Result<Done, DirectoryError>>, Done)>) {
    tracing::error!(%error, changes = answers.len(), "the directory cannot be changed");
    let is_full = matches!(error, StoreError::NoSpace);
    let mut error = Some(error);
    for (answer, _) in answers {
        let why = match error.take() {
            Some(first) => DirectoryError::Store(first),
            None if is_full => DirectoryError::Store(StoreError::NoSpace),
            None => DirectoryError::NotWritten,
        };
        drop(answer.send(Err(why)));
    }
}

impl Claim {
    /// Nothing speaks for whoever wants the name.
    pub fn nothing() -> Self {
        Self::Caller {
            shows_lease: false,
            is_away: false,
            same_headers: false,
        }
    }
}

/// How somebody is changed, and why.
pub fn told_health(record: &Record, from: &str, to: &str, reason: &str) -> NewEvent {
    let data = json!({
        "name": record.name, "type": record.kind.word(), "from": from, "to": to, "reason": reason,
    });
    NewEvent::new(
        "dev.ergon.companion.health",
        format!("companion/{}", record.name),
        data,
    )
}
