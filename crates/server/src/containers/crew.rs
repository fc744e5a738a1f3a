//! The containers that have a companion, as this process knows them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use ergon_companion::{Subject, Watcher};
use ergon_store::ContainerRow;
use serde::{Deserialize, Serialize};

use crate::api;

/// What a container was meant to be, as it is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    pub manifest_digest: String,
    /// Its name in the manifest.
    pub container: String,
    pub build_hash: String,
    pub image_digest: String,
    /// The engine's id of that image.
    pub image_id: Option<String>,
    /// `fastapi:4f1c09ab77e2`.
    pub image: String,
    pub capabilities: Vec<String>,
    /// Names of the secrets that it finds as files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<String>,
    /// The folder with those, among those of the stack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secrets_in: Option<String>,
}

impl Intent {
    /// What is stored of a container's; none where it is not one of ours.
    pub fn of(row: &ContainerRow) -> Option<Self> {
        serde_json::from_value(row.meant.clone()).ok()
    }
}

/// The containers that have a companion, and who watches them.
#[derive(Debug, Default)]
pub struct Crew {
    watcher: RwLock<Option<Arc<Watcher>>>,
    known: Mutex<BTreeMap<String, Known>>,
    /// Held while a container leaves: a person and the engine's event may both say that it went, and
    /// whoever comes second must find that it is gone, not that it is going.
    pub(super) leaving: tokio::sync::Mutex<()>,
}

#[derive(Clone, Debug)]
pub(super) struct Known {
    pub row: ContainerRow,
    pub intent: Option<Intent>,
    pub subject: Subject,
    /// What was seen of it last.
    pub seen: Option<api::ContainerSummary>,
    /// Until then it is shown again without looking.
    pub fresh_until: Option<Instant>,
    pub next_look: Instant,
    pub pause: Duration,
}

impl Crew {
    pub(super) fn known(&self) -> MutexGuard<'_, BTreeMap<String, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn watcher(&self) -> Option<Arc<Watcher>> {
        self.watcher
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Leaves a container to whoever it belongs to.
    pub fn ignore(&self, id: &str) {
        if let Some(watcher) = self.watcher() {
            watcher.forget(id);
        }
    }

    /// Puts somebody on watch.
    pub fn set_watcher(&self, watcher: Option<Watcher>) {
        *self.watcher.write().unwrap_or_else(PoisonError::into_inner) = watcher.map(Arc::new);
    }
}
