//! What companions are said to be there for, held in memory: every list shows it, and only this process writes it.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use ergon_store::{PurposeRow, Store, StoreError};

/// So many are kept; whoever says more has to take back some.
pub const MOST: usize = 20_000;

/// What is said of whom, by names in small letters. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Purposes(Arc<RwLock<HashMap<String, PurposeRow>>>);

impl Purposes {
    /// Takes up what the store knows.
    pub async fn open(store: &Store) -> Result<Self, StoreError> {
        let known = store.purposes().await?.into_iter().collect();
        Ok(Self(Arc::new(RwLock::new(known))))
    }

    /// What is said of somebody here.
    pub fn of(&self, name: &str) -> Option<PurposeRow> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        // Most lists are of those of whom nobody said anything.
        if known.is_empty() {
            return None;
        }
        known.get(&name.to_lowercase()).cloned()
    }

    /// Whether something may be said of somebody more.
    pub fn has_room_for(&self, name: &str) -> bool {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.len() < MOST || known.contains_key(&name.to_lowercase())
    }

    /// Notes what the store has by now; an empty text is none.
    pub fn put(&self, name: &str, row: PurposeRow) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if row.purpose.is_empty() {
            known.remove(&name.to_lowercase());
        } else {
            known.insert(name.to_lowercase(), row);
        }
    }
}
