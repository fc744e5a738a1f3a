//! The records in memory.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ergon_store::{CompanionRow, now};

use super::health::Course;
use super::lease::{Key, Millis, Pulse};
use super::record::{Kind, Record};

/// Everybody, by their names in small letters, and what bounds them.
#[derive(Debug, Default)]
pub struct Shelf {
    pub entries: BTreeMap<Key, Arc<Entry>>,
    by_caller: HashMap<String, usize>,
    bytes: usize,
}

/// Somebody, as memory has them. What changes often has a lock of its own; the rest is replaced whole.
#[derive(Debug)]
pub struct Entry {
    pub key: Key,
    pub record: Record,
    /// Absent: it is this stack's own.
    pub tenancy: Option<Tenancy>,
    /// Another one for everybody who ever had the name.
    pub version: u64,
    /// Its size as JSON.
    pub bytes: usize,
}

/// What somebody from outside has beside their record.
#[derive(Debug)]
pub struct Tenancy {
    pub by: String,
    pub lease: String,
    /// Sealed.
    pub headers: Option<String>,
    pub ttl: Millis,
    pub pulse: Arc<Pulse>,
    pub course: Mutex<Course>,
}

impl Tenancy {
    pub fn new(by: String, lease: String, headers: Option<String>, ttl: u32) -> Self {
        Self {
            by,
            lease,
            headers,
            ttl: Millis::from(ttl) * 1000,
            pulse: Arc::default(),
            course: Mutex::new(Course::begin(
                "it was registered, and not checked yet",
                now(),
            )),
        }
    }

    pub fn course(&self) -> MutexGuard<'_, Course> {
        self.course.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    pub fn new(record: Record, tenancy: Option<Tenancy>, version: u64, bytes: usize) -> Self {
        Self {
            key: Key::from(record.key()),
            record,
            tenancy,
            version,
            bytes,
        }
    }

    /// Somebody whom the store remembers.
    pub fn restored(row: CompanionRow) -> Self {
        let bytes = weight(&row);
        let record = Record {
            kind: Kind::from_word(&row.kind).unwrap_or(Kind::External),
            details: serde_json::from_value(row.record).unwrap_or_default(),
            name: row.name,
            registered_at: row.registered_at,
        };
        let tenancy = record.details.ttl.map(|ttl| {
            let by = row.registered_by.unwrap_or_default();
            let mut tenancy = Tenancy::new(by, row.lease.unwrap_or_default(), row.headers, ttl);
            let reason = "not checked yet since the stack was started";
            tenancy.course = Mutex::new(Course::begin(reason, now()));
            tenancy
        });
        Self::new(record, tenancy, 0, bytes)
    }

    /// Whether this is its lease, in a time that does not depend on how much of it was guessed.
    pub fn is_lease(&self, shown: Option<&str>) -> bool {
        let (Some(tenancy), Some(shown)) = (&self.tenancy, shown) else {
            return false;
        };
        let lease = tenancy.lease.as_bytes();
        let pairs = lease.iter().zip(shown.as_bytes());
        lease.len() == shown.len()
            && !lease.is_empty()
            && pairs.fold(0, |all, (a, b)| all | (a ^ b)) == 0
    }

    /// What is left of its lease.
    pub fn left(&self, now: Millis) -> Option<Millis> {
        let tenancy = self.tenancy.as_ref()?;
        Some(tenancy.pulse.ends(tenancy.ttl).saturating_sub(now))
    }
}

/// What a record takes, roughly: what the store keeps of it.
pub fn weight(row: &CompanionRow) -> usize {
    row.name.len() + row.record.to_string().len() + row.headers.as_ref().map_or(0, String::len)
}

impl Shelf {
    pub fn put(&mut self, entry: Arc<Entry>) {
        self.remove(&entry.key.clone());
        self.bytes += entry.bytes;
        if let Some(tenancy) = &entry.tenancy {
            *self.by_caller.entry(tenancy.by.clone()).or_default() += 1;
        }
        self.entries.insert(entry.key.clone(), entry);
    }

    pub fn remove(&mut self, key: &str) -> Option<Arc<Entry>> {
        let entry = self.entries.remove(key)?;
        self.bytes -= entry.bytes;
        if let Some(tenancy) = &entry.tenancy
            && let Some(count) = self.by_caller.get_mut(&tenancy.by)
        {
            *count -= 1;
            if *count == 0 {
                self.by_caller.remove(&tenancy.by);
            }
        }
        Some(entry)
    }

    /// How many are from outside.
    pub fn tenants(&self) -> usize {
        self.by_caller.values().sum()
    }

    pub fn count_of(&self, by: &str) -> usize {
        self.by_caller.get(by).copied().unwrap_or_default()
    }

    /// What all records take, as JSON.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}
