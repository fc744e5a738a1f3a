//! Somebody in the directory, as they are at this moment.

use std::ops::Deref;
use std::sync::Arc;

use ergon_store::now;

use super::health::Health;
use super::lease::Millis;
use super::record::Record;
use super::shelf::Entry;

/// Somebody in the directory, as they are at this moment.
#[derive(Clone, Debug)]
pub struct Present {
    entry: Arc<Entry>,
    asked: Millis,
}

impl Present {
    pub(super) fn new(entry: Arc<Entry>, asked: Millis) -> Self {
        Self { entry, asked }
    }

    pub fn record(&self) -> &Record {
        &self.entry.record
    }

    /// How it is, as far as that is known here; absent: it is this stack's own.
    pub fn health(&self) -> Option<Health> {
        let tenancy = self.entry.tenancy.as_ref()?;
        Some(tenancy.course().health().clone())
    }

    /// When its lease ends, in milliseconds since 1970; absent: it is this stack's own.
    pub fn lease_ends_at(&self) -> Option<i64> {
        let left = self.entry.left(self.asked)?;
        Some(now().saturating_add(i64::try_from(left).unwrap_or(i64::MAX)))
    }

    /// Who brought it; absent: it is this stack's own.
    pub fn registered_by(&self) -> Option<&str> {
        Some(&self.entry.tenancy.as_ref()?.by)
    }

    /// Whether something is sent along with messages to it.
    pub fn has_headers(&self) -> bool {
        let tenancy = self.entry.tenancy.as_ref();
        tenancy.is_some_and(|tenancy| tenancy.headers.is_some())
    }
}

impl Deref for Present {
    type Target = Record;

    fn deref(&self) -> &Record {
        &self.entry.record
    }
}
