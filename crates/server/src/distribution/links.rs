//! Which repository has which blob: written by the batch, since a push of many small layers waits for each.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ergon_store::{BlobLink, Store, StoreError, now};
use tokio::sync::Mutex as AsyncMutex;
use tokio::sync::oneshot::{self, error::TryRecvError};

/// Of so many links it is remembered that they are there, and how long the blobs are.
const REMEMBERED: u64 = 4 * 1024;

/// A link that is to be written, and who is told once it is.
type Waiting = (BlobLink, oneshot::Sender<()>);

/// Links, and who waits for them to be written.
#[derive(Debug)]
pub struct Links {
    store: Store,
    waiting: Mutex<Vec<Waiting>>,
    /// Whoever holds it writes for all who wait.
    writing: AsyncMutex<()>,
    known: moka::sync::Cache<String, u64>,
}

impl Links {
    pub fn new(store: Store) -> Self {
        Self {
            store,
            waiting: Mutex::default(),
            writing: AsyncMutex::default(),
            known: moka::sync::Cache::new(REMEMBERED),
        }
    }

    /// What is known of a link without asking the store.
    pub fn size(&self, repository: &str, digest: &str) -> Option<u64> {
        self.known.get(&key(repository, digest))
    }

    /// Notes a link, durably, and the repository where there is none yet. Links that are noted at once are
    /// written in one transaction, for which the disk is waited for once.
    pub async fn add(&self, link: BlobLink) -> Result<(), StoreError> {
        loop {
            let (told, mut answer) = oneshot::channel();
            self.waiting().push((link.clone(), told));
            let _writing = self.writing.lock().await;
            match answer.try_recv() {
                // Somebody wrote it while we waited for our turn.
                Ok(()) => return Ok(()),
                // Somebody meant to and could not, or was cut off: the next try is ours.
                Err(TryRecvError::Closed) => {}
                Err(TryRecvError::Empty) => return self.write_waiting().await,
            }
        }
    }

    /// Forgets what is known, once the store was changed without this.
    pub fn forget_all(&self) {
        self.known.invalidate_all();
    }

    async fn write_waiting(&self) -> Result<(), StoreError> {
        let batch = std::mem::take(&mut *self.waiting());
        self.write(&batch).await?;
        for (link, told) in batch {
            let size = u64::try_from(link.size).unwrap_or_default();
            self.known.insert(key(&link.repository, &link.digest), size);
            let _ = told.send(());
        }
        Ok(())
    }

    /// Takes a link away. Says whether there was one.
    pub async fn remove(&self, repository: &str, digest: &str) -> Result<bool, StoreError> {
        let _writing = self.writing.lock().await;
        let mut change = self.store.unobserved().await?;
        let was_there = change.unlink_blob(repository, digest).await?;
        change.commit().await?;
        self.known.remove(&key(repository, digest));
        Ok(was_there)
    }

    /// Forgets links that were taken away from outside.
    pub fn forget<'d>(&self, repository: &str, digests: impl Iterator<Item = &'d str>) {
        for digest in digests {
            self.known.remove(&key(repository, digest));
        }
    }

    async fn write(&self, batch: &[Waiting]) -> Result<(), StoreError> {
        let time = now();
        let mut change = self.store.unobserved().await?;
        let mut repositories = HashSet::new();
        for (link, _) in batch {
            if repositories.insert(&link.repository) {
                change.add_repository(&link.repository, time).await?;
            }
            change.link_blob(link, time).await?;
        }
        change.commit().await
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(repository: &str, digest: &str) -> String {
    format!("{repository}\0{digest}")
}
