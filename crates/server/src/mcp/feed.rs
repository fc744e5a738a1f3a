//! What happens, told to those who listen: out of the one feed of events.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use ergon_store::{EventRow, StoreError};
use rmcp::model::ResourceUpdatedNotificationParam;
use rmcp::service::{Peer, RoleServer};
use tokio::sync::watch;

use super::resources::Address;
use crate::stack::Stack;

/// So many events are read at a time.
const PAGE: i64 = 200;

/// Events from now on.
pub struct Feed {
    stack: Stack,
    newest: watch::Receiver<i64>,
    cursor: i64,
}

impl Feed {
    pub fn from_now_on(stack: &Stack) -> Self {
        let newest = stack.store().watch();
        let cursor = *newest.borrow();
        Self {
            stack: stack.clone(),
            newest,
            cursor,
        }
    }

    /// What is new; waits until something is. Nothing: the stack ends.
    pub async fn next(&mut self) -> Result<Option<Vec<EventRow>>, StoreError> {
        loop {
            self.newest.borrow_and_update();
            let rows = self.stack.store().events_after(self.cursor, PAGE).await?;
            if let Some(last) = rows.last() {
                self.cursor = last.id;
                return Ok(Some(rows));
            }
            if self.newest.changed().await.is_err() {
                return Ok(None);
            }
        }
    }
}

/// What some events mean for whoever listens.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct News {
    /// There are other resources than before.
    pub list_changed: bool,
    /// There are other tools than before.
    pub tools_changed: bool,
    /// The addresses, of those that are listened to, of what may have changed.
    pub updated: BTreeSet<String>,
}

impl News {
    /// Out of kinds and subjects of events.
    pub fn of<'a>(
        events: impl Iterator<Item = (&'a str, &'a str)>,
        listened: &BTreeSet<String>,
    ) -> Self {
        let mut news = Self::default();
        for (kind, subject) in events {
            let of_listed = matches!(subject.split('/').next(), Some("project" | "container"));
            news.list_changed |= of_listed
                && (kind.ends_with(".added")
                    || kind.ends_with(".removed")
                    || kind.ends_with(".renamed"));
            news.tools_changed |= subject.starts_with("tool-server/") || is_other_companion(kind);
            let changed = listened.iter().filter(|uri| {
                Address::read(uri).is_some_and(|address| address.may_have_changed(subject))
            });
            news.updated.extend(changed.cloned());
        }
        news
    }

    pub fn of_rows(rows: &[EventRow], listened: &BTreeSet<String>) -> Self {
        Self::of(
            rows.iter()
                .map(|row| (row.kind.as_str(), row.subject.as_str())),
            listened,
        )
    }
}

/// Whether there are other companions than before; how they are, and what is said of them, is in no list of tools.
fn is_other_companion(kind: &str) -> bool {
    let Some(what) = kind.strip_prefix("dev.ergon.companion.") else {
        return false;
    };
    matches!(what, "registered" | "changed" | "left" | "expired")
}

/// What a session of an older revision listens to.
#[derive(Clone, Debug, Default)]
pub struct Listening(Arc<Mutex<BTreeSet<String>>>);

impl Listening {
    pub fn add(&self, uri: String) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(uri);
    }

    pub fn remove(&self, uri: &str) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(uri);
    }

    fn now(&self) -> BTreeSet<String> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Tells a session of what happens until it has ended.
    pub async fn tell(self, mut feed: Feed, peer: Peer<RoleServer>) {
        loop {
            let rows = match feed.next().await {
                Ok(Some(rows)) => rows,
                Ok(None) => return,
                Err(error) => return tracing::error!(%error, "a session hears nothing any more"),
            };
            let news = News::of_rows(&rows, &self.now());
            let mut told = Ok(());
            if news.list_changed {
                told = peer.notify_resource_list_changed().await;
            }
            if news.tools_changed {
                told = told.and(peer.notify_tool_list_changed().await);
            }
            for uri in news.updated {
                told = told.and(
                    peer.notify_resource_updated(ResourceUpdatedNotificationParam::new(uri))
                        .await,
                );
            }
            if told.is_err() || peer.is_transport_closed() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_listened_to_is_told() {
        let listened: BTreeSet<String> = ["ergon://containers/web", "ergon://jobs/7"]
            .map(str::to_owned)
            .into();
        let events = [
            ("dev.ergon.container.died", "container/web"),
            ("dev.ergon.container.died", "container/db"),
        ];
        let news = News::of(events.into_iter(), &listened);
        assert_eq!(news.updated, ["ergon://containers/web".to_owned()].into());
        assert!(!news.list_changed);
    }

    #[test]
    fn what_comes_and_goes_changes_the_list() {
        let news = |kind, subject| News::of([(kind, subject)].into_iter(), &BTreeSet::new());
        assert!(news("dev.ergon.project.added", "project/1").list_changed);
        assert!(news("dev.ergon.container.removed", "container/web").list_changed);
        assert!(!news("dev.ergon.robot.added", "robot/ci").list_changed);
        assert!(news("dev.ergon.tool_server.added", "tool-server/x").tools_changed);
        let companions = |kind| news(kind, "companion/x").tools_changed;
        assert!(companions("dev.ergon.companion.registered"));
        assert!(companions("dev.ergon.companion.expired"));
        assert!(!companions("dev.ergon.companion.health"));
    }
}
