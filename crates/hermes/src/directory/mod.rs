//! The list of companions and stacks, by name.
//!
//! All of it is in memory, and only this process writes it; the store has what must outlast the process. Who reads asks
//! memory. Who changes something goes through one writer, which makes many changes durable at once and answers
//! when they are. A heartbeat is neither: it writes a time, and nobody is told.

mod check;
mod claim;
mod error;
mod health;
mod keeper;
mod lease;
mod present;
mod record;
mod shelf;
mod writer;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use ergon_store::{Sealer, Store, StoreError};
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;

use crate::reach::Reach;
use crate::registration::Registration;
pub use check::Pace;
use claim::{Claim, Grant, Holder, decide};
pub use error::DirectoryError;
pub use health::{Health, State};
use lease::{Leases, Millis};
pub use present::Present;
pub use record::{Details, Kind, Record};
use shelf::{Entry, Shelf, Tenancy};
use writer::{Job, Work, Writer};

/// So much work waits for the writer at most; whoever brings more waits with it.
const WAITING: usize = 1024;

/// Who is in the directory. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Directory(Arc<Inner>);

/// What a directory stands on.
pub struct Parts {
    pub store: Store,
    pub reach: Reach,
    pub sealer: Sealer,
    /// Sixteen random bytes for a lease.
    pub lease_ids: Box<dyn Fn() -> [u8; 16] + Send + Sync>,
    pub pace: Pace,
    pub limits: Limits,
}

/// How much a directory takes.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// So many records of one caller.
    pub of_one: usize,
    pub in_all: usize,
    /// So many bytes of records, as JSON.
    pub bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            of_one: 20_000,
            in_all: 50_000,
            bytes: 64 << 20,
        }
    }
}

struct Inner {
    shelf: RwLock<Shelf>,
    leases: Mutex<Leases>,
    /// An appointment was made that may be earlier than all others.
    appointed: Notify,
    /// Somebody came: there is something to check.
    came: Notify,
    writer: mpsc::Sender<Job>,
    reach: Reach,
    sealer: Sealer,
    lease_ids: Box<dyn Fn() -> [u8; 16] + Send + Sync>,
    pace: Pace,
    limits: Limits,
    opened: Instant,
}

/// What somebody has who was registered.
#[derive(Clone, Debug)]
pub struct Registered {
    pub present: Present,
    /// Shown to be the same again.
    pub lease: String,
    /// Whether nobody had the name before.
    pub is_new: bool,
}

impl Directory {
    /// Takes up what the store knows. Every lease begins anew: nobody is gone because this process was.
    pub async fn open(parts: Parts) -> Result<Self, StoreError> {
        let (sender, receiver) = mpsc::channel(WAITING);
        let inner = Arc::new(Inner {
            shelf: RwLock::default(),
            leases: Mutex::default(),
            appointed: Notify::new(),
            came: Notify::new(),
            writer: sender,
            reach: parts.reach,
            sealer: parts.sealer,
            lease_ids: parts.lease_ids,
            pace: parts.pace,
            limits: parts.limits,
            opened: Instant::now(),
        });
        for row in parts.store.companions().await? {
            inner.put(Arc::new(Entry::restored(row)));
        }
        // It ends with the last handle of the directory.
        tokio::spawn(Writer::new(parts.store, Arc::downgrade(&inner)).run(receiver));
        Ok(Self(inner))
    }

    /// Lets leases end and checks who is there, for ever.
    pub async fn keep(&self) {
        tokio::join!(self.keep_leases(), self.keep_checking());
    }

    /// Whether a registration would only renew the lease of what is there already. By the time it is made another may
    /// have changed that.
    pub fn is_renewal(&self, registration: &Registration) -> bool {
        let Ok(record) = registration.record() else {
            return false;
        };
        let Some(held) = self.0.entry(&record.key()) else {
            return false;
        };
        let claim = Claim::Caller {
            shows_lease: held.is_lease(registration.lease.as_deref()),
            is_away: false,
            same_headers: self.0.has_headers(&held, &registration.headers),
        };
        matches!(
            decide(Some(&held.record), &record, &claim),
            Ok(Grant::Unchanged)
        )
    }

    /// Whether a caller may bring one of this name: whoever has brought as many as one may is told so before anything
    /// else is done, however often they come.
    pub fn has_room_for(&self, name: &str, by: &str) -> Result<(), DirectoryError> {
        let shelf = self.0.shelf();
        if shelf
            .entries
            .contains_key(name.to_ascii_lowercase().as_str())
        {
            return Ok(());
        }
        let limits = &self.0.limits;
        if shelf.count_of(by) >= limits.of_one {
            return Err(DirectoryError::TooMany {
                by: by.to_owned(),
                most: limits.of_one,
            });
        }
        if shelf.entries.len() >= limits.in_all {
            return Err(DirectoryError::Full("it holds as many records as it takes"));
        }
        Ok(())
    }

    /// Registers somebody from outside, or renews their record. A name that somebody else has is refused.
    pub async fn register(
        &self,
        registration: &Registration,
        by: &str,
    ) -> Result<Registered, DirectoryError> {
        self.has_room_for(&registration.name, by)?;
        let record = registration.record()?;
        let key = record.key();
        let held = self.0.entry(&key);
        let shown = registration.lease.as_deref();
        let claim = match &held {
            Some(held) => Claim::Caller {
                shows_lease: held.is_lease(shown),
                is_away: false,
                same_headers: self.0.has_headers(held, &registration.headers),
            },
            None => Claim::nothing(),
        };
        let decided = decide(held.as_ref().map(|held| &held.record), &record, &claim);
        // Somebody came back elsewhere, and cannot show that it is them: the old place says whether they left it.
        let left = match (&held, decided) {
            (Some(held), Err(refusal)) if refusal.is_same => {
                if !self.is_left(held).await {
                    return Err(self.taken(&record, held, true));
                }
                Some(held.version)
            }
            (Some(held), Err(_)) => return Err(self.taken(&record, held, false)),
            (Some(held), Ok(Grant::Unchanged)) => {
                if let Some(tenancy) = &held.tenancy {
                    self.beat(held, tenancy);
                    return Ok(Registered {
                        lease: tenancy.lease.clone(),
                        present: self.present(held.clone()),
                        is_new: false,
                    });
                }
                None
            }
            _ => None,
        };
        let work = Work::Put {
            record: Box::new(record),
            bid: Some(writer::Bid {
                by: by.to_owned(),
                lease: registration.lease.clone(),
                headers: registration.headers.clone(),
                left,
            }),
        };
        let (entry, grant) = self.put(work).await?;
        let lease = entry.tenancy.as_ref().map(|tenancy| tenancy.lease.clone());
        Ok(Registered {
            lease: lease.unwrap_or_default(),
            is_new: grant == Grant::New,
            present: self.present(entry),
        })
    }

    /// Registers somebody of this stack, who is there for as long as it is not dismissed.
    pub async fn welcome(&self, record: Record) -> Result<(), DirectoryError> {
        let record = Box::new(record);
        self.put(Work::Put { record, bid: None }).await.map(drop)
    }

    /// Removes somebody of this stack. Nothing happens where nobody has the name.
    pub async fn dismiss(&self, name: &str) -> Result<(), DirectoryError> {
        let key = name.to_lowercase();
        if self.0.entry(&key).is_none() {
            return Ok(());
        }
        self.work(Work::Dismiss { key }).await.map(drop)
    }

    /// Removes somebody who was registered from outside.
    pub async fn deregister(&self, name: &str) -> Result<(), DirectoryError> {
        let key = name.to_lowercase();
        match self.0.entry(&key) {
            None => Err(DirectoryError::NotFound {
                name: name.to_owned(),
            }),
            Some(held) if held.tenancy.is_none() => Err(DirectoryError::Own {
                name: held.record.name.clone(),
            }),
            Some(_) => self.work(Work::Deregister { key }).await.map(drop),
        }
    }

    /// Somebody is still there. Whoever shows a lease that is not theirs any more is told so.
    pub fn heartbeat(&self, name: &str, lease: Option<&str>) -> Result<Present, DirectoryError> {
        let not_found = || DirectoryError::NotFound {
            name: name.to_owned(),
        };
        let held = self.0.entry(&name.to_lowercase()).ok_or_else(not_found)?;
        let Some(tenancy) = &held.tenancy else {
            return Err(DirectoryError::Own {
                name: held.record.name.clone(),
            });
        };
        if lease.is_some() && !held.is_lease(lease) {
            return Err(DirectoryError::OtherLease {
                name: held.record.name.clone(),
            });
        }
        self.beat(&held, tenancy);
        Ok(self.present(held))
    }

    /// Everybody, in the order of their names.
    pub fn list(&self) -> Vec<Present> {
        let shelf = self.0.shelf();
        let entries = shelf.entries.values().cloned();
        entries.map(|entry| self.present(entry)).collect()
    }

    /// Everybody of whom this is true, in the order of their names.
    pub fn list_where(&self, wanted: impl Fn(&Present) -> bool) -> Vec<Present> {
        let shelf = self.0.shelf();
        let entries = shelf.entries.values().cloned();
        let present = entries.map(|entry| self.present(entry));
        present.filter(wanted).collect()
    }

    /// Who has this name, regardless of case.
    pub fn find(&self, name: &str) -> Option<Present> {
        let entry = self.0.entry(&name.to_lowercase())?;
        Some(self.present(entry))
    }

    /// What somebody of this name is, regardless of case.
    pub fn kind_of(&self, name: &str) -> Option<Kind> {
        Some(self.0.entry(&name.to_lowercase())?.record.kind)
    }

    /// What is sent along with messages to somebody: for whoever sends them, and nobody else.
    pub fn headers(&self, name: &str) -> Result<BTreeMap<String, String>, DirectoryError> {
        match self.0.entry(&name.to_lowercase()) {
            Some(entry) => Ok(self.0.open_headers(&entry)?),
            None => Ok(BTreeMap::new()),
        }
    }

    fn present(&self, entry: Arc<Entry>) -> Present {
        Present::new(entry, self.0.now())
    }

    fn beat(&self, held: &Arc<Entry>, tenancy: &Tenancy) {
        if tenancy.pulse.beat(self.0.now()) {
            self.heard_again(held);
        }
    }

    fn taken(&self, wanted: &Record, held: &Entry, is_same: bool) -> DirectoryError {
        DirectoryError::NameTaken {
            name: wanted.name.clone(),
            holder: Box::new(Holder::of(&held.record, held.left(self.0.now()), is_same)),
        }
    }

    async fn put(&self, work: Work) -> Result<(Arc<Entry>, Grant), DirectoryError> {
        self.work(work).await?.ok_or(DirectoryError::Closed)
    }

    /// Has the writer do something, and waits until it is durable.
    async fn work(&self, work: Work) -> Result<writer::Done, DirectoryError> {
        let (job, done) = Job::new(work);
        let sent = self.0.writer.send(job).await;
        sent.map_err(|_| DirectoryError::Closed)?;
        done.await.map_err(|_| DirectoryError::Closed)?
    }
}

impl Inner {
    /// Milliseconds since the directory was opened.
    fn now(&self) -> Millis {
        Millis::try_from(self.opened.elapsed().as_millis()).unwrap_or(Millis::MAX)
    }

    fn shelf(&self) -> std::sync::RwLockReadGuard<'_, Shelf> {
        self.shelf.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn leases(&self) -> MutexGuard<'_, Leases> {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn entry(&self, key: &str) -> Option<Arc<Entry>> {
        self.shelf().entries.get(key).cloned()
    }

    /// Puts somebody onto the shelf, with a lease that begins now.
    fn put(&self, entry: Arc<Entry>) {
        let key = entry.key.clone();
        // Under the lease's lock, so that no sweep sees the one without the other.
        let mut leases = self.leases();
        match &entry.tenancy {
            Some(tenancy) => {
                leases.begin(key, tenancy.pulse.clone(), tenancy.ttl, self.now());
            }
            None => leases.end(&key),
        }
        let mut shelf = self.shelf.write().unwrap_or_else(PoisonError::into_inner);
        shelf.put(entry);
        drop((shelf, leases));
        self.appointed.notify_one();
        self.came.notify_one();
    }

    fn remove(&self, key: &str) {
        let mut leases = self.leases();
        let mut shelf = self.shelf.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = shelf.remove(key) {
            leases.end(&entry.key);
        }
    }

    fn has_headers(&self, held: &Entry, headers: &BTreeMap<String, String>) -> bool {
        match (&held.tenancy, headers.is_empty()) {
            (Some(Tenancy { headers: None, .. }) | None, is_empty) => is_empty,
            (Some(_), true) => false,
            // What does not open is written anew.
            (Some(_), false) => self.open_headers(held).is_ok_and(|held| held == *headers),
        }
    }

    fn open_headers(&self, held: &Entry) -> Result<BTreeMap<String, String>, DirectoryError> {
        let sealed = held.tenancy.as_ref().and_then(|held| held.headers.as_ref());
        let Some(sealed) = sealed else {
            return Ok(BTreeMap::new());
        };
        let unreadable = |_| DirectoryError::Sealed {
            name: held.record.name.clone(),
        };
        let opened = self.sealer.open(&purpose(&held.key), sealed);
        let opened = opened.map_err(unreadable)?;
        serde_json::from_slice(&opened).map_err(|_| unreadable(ergon_store::SealError))
    }

    fn seal_headers(
        &self,
        key: &str,
        headers: &BTreeMap<String, String>,
    ) -> Result<Option<String>, DirectoryError> {
        if headers.is_empty() {
            return Ok(None);
        }
        let written = serde_json::to_vec(headers).unwrap_or_default();
        let sealed = self.sealer.seal(&purpose(key), &written);
        sealed.map(Some).map_err(|_| DirectoryError::Sealed {
            name: key.to_owned(),
        })
    }
}

/// What headers are sealed for: they open for no other name.
fn purpose(key: &str) -> String {
    format!("companion/{key}/headers")
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Directory").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
