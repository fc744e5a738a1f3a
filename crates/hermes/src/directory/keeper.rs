//! What happens by itself: leases end, and everybody is looked at in turn.

use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;

use ergon_store::{NewEvent, now};
use serde_json::json;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, sleep_until};

use super::Directory;
use super::check::{answers, look};
use super::health::{Silence, State};
use super::lease::{Key, Sweep};
use super::shelf::{Entry, Tenancy};
use super::writer::{Job, Work, told_health};

/// Whoever left a place does not answer there in this time.
const LEFT: Duration = Duration::from_millis(500);

impl Directory {
    /// Lets leases end, each at its time.
    pub(super) async fn keep_leases(&self) {
        loop {
            let next = self.0.leases().next();
            let appointed = self.0.appointed.notified();
            match next {
                Some(due) => {
                    let due = self.0.opened + Duration::from_millis(due);
                    tokio::select! {
                        () = sleep_until(due) => {
                            let sweep = self.0.leases().sweep(self.0.now());
                            self.tell_of(sweep).await;
                        }
                        () = appointed => {}
                    }
                }
                None => appointed.await,
            }
        }
    }

    async fn tell_of(&self, sweep: Sweep) {
        for key in &sweep.quiet {
            self.fell_silent(key, Silence::Quiet).await;
        }
        for key in &sweep.held {
            self.fell_silent(key, Silence::Held).await;
        }
        if let Some((silent, all)) = sweep.brake {
            tracing::warn!(
                silent,
                all,
                "many fell silent at once; nobody is let go for a while"
            );
            let data = json!({ "silent": silent, "leased": all });
            self.tell(NewEvent::new("dev.ergon.directory.held", "directory", data))
                .await;
        }
        let mut waiting = Vec::new();
        for (key, heard) in sweep.over {
            let key = key.to_string();
            let (job, done) = Job::new(Work::Expire { key, heard });
            // They wait for the writer together, so that they go in one transaction.
            if self.0.writer.send(job).await.is_ok() {
                waiting.push(done);
            }
        }
        for done in waiting {
            if let Ok(Err(error)) = done.await {
                tracing::error!(%error, "a record whose lease is over stays for now");
            }
        }
    }

    async fn fell_silent(&self, key: &Key, silence: Silence) {
        let Some(entry) = self.0.entry(key) else {
            return;
        };
        let Some(tenancy) = &entry.tenancy else {
            return;
        };
        let before = tenancy.course().heard(silence, now());
        self.tell_health(&entry, tenancy, before).await;
    }

    /// Somebody who was silent is heard.
    pub(super) fn heard_again(&self, entry: &Arc<Entry>) {
        let Some(tenancy) = &entry.tenancy else {
            return;
        };
        self.0.leases().heard_again(&entry.key);
        self.0.appointed.notify_one();
        if let Some(before) = tenancy.course().heard(Silence::None, now()) {
            let (directory, entry) = (self.clone(), entry.clone());
            // A heartbeat waits for no store.
            tokio::spawn(async move {
                if let Some(tenancy) = &entry.tenancy {
                    directory.tell_health(&entry, tenancy, Some(before)).await;
                }
            });
        }
    }

    /// Looks at everybody in turn, at a pace that does not grow with their number.
    pub(super) async fn keep_checking(&self) {
        let pace = self.0.pace;
        let seats = Arc::new(Semaphore::new(pace.at_once));
        let mut last: Option<Key> = None;
        loop {
            let (next, count) = self.next_after(last.as_ref());
            let Some(entry) = next else {
                last = None;
                self.0.came.notified().await;
                continue;
            };
            last = Some(entry.key.clone());
            let begun = Instant::now();
            // The semaphore is never closed.
            let Ok(seat) = Arc::clone(&seats).acquire_owned().await else {
                return;
            };
            let directory = self.clone();
            tokio::spawn(async move {
                let _seat = seat;
                directory.look_at(&entry).await;
            });
            let apart = pace.every / u32::try_from(count).unwrap_or(u32::MAX).max(1);
            let apart = apart.max(pace.apart);
            sleep(apart.saturating_sub(begun.elapsed())).await;
        }
    }

    /// Whose turn it is, and how many take turns.
    fn next_after(&self, last: Option<&Key>) -> (Option<Arc<Entry>>, usize) {
        let shelf = self.0.shelf();
        let is_tenant = |entry: &&Arc<Entry>| entry.tenancy.is_some();
        let after = match last {
            Some(last) => Bound::Excluded(last.clone()),
            None => Bound::Unbounded,
        };
        let rest = shelf.entries.range::<Key, _>((after, Bound::Unbounded));
        let next = rest.map(|(_, entry)| entry).find(is_tenant);
        let next = next.or_else(|| shelf.entries.values().find(is_tenant));
        (next.cloned(), shelf.tenants())
    }

    async fn look_at(&self, entry: &Arc<Entry>) {
        let Some(tenancy) = &entry.tenancy else {
            return;
        };
        let checked = look(&self.0.reach, &entry.record.details, &self.0.pace).await;
        let before = tenancy.course().checked(checked, now());
        self.tell_health(entry, tenancy, before).await;
    }

    /// Whether nobody answers any more where a record leads.
    pub(super) async fn is_left(&self, held: &Entry) -> bool {
        let address = held.record.details.address();
        answers(&self.0.reach, &address, LEFT).await == Some(false)
    }

    /// Tells how somebody is, where that changed and they are still there.
    async fn tell_health(&self, entry: &Arc<Entry>, tenancy: &Tenancy, before: Option<State>) {
        let Some(before) = before else {
            return;
        };
        let is_there = self.0.entry(&entry.key);
        if !is_there.is_some_and(|there| Arc::ptr_eq(&there, entry)) {
            return;
        }
        let health = tenancy.course().health().clone();
        let (from, to) = (before.word(), health.state.word());
        self.tell(told_health(&entry.record, from, to, &health.reason))
            .await;
    }

    async fn tell(&self, event: NewEvent) {
        let (job, done) = Job::new(Work::Tell(event));
        if self.0.writer.send(job).await.is_ok()
            && let Ok(Err(error)) = done.await
        {
            tracing::error!(%error, "a change in the directory is not told");
        }
    }
}
