//! Whose the sessions are that servers of tools opened: nobody speaks in a session that somebody else began.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// So many sessions of one caller are known; the oldest of theirs make room.
const OF_ONE: usize = 64;
/// So many are known in all; the oldest make room.
const IN_ALL: usize = 4_096;
/// The longest name a session has, in bytes.
const LONGEST: usize = 512;

/// A session of a server: the server's name, and what it calls the session.
type Session = (String, String);

/// The sessions of servers, and who began them. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Sessions(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    callers: HashMap<Session, String>,
    /// The oldest first; what is over may still be here.
    order: VecDeque<Session>,
}

impl Sessions {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether somebody began a session.
    pub fn is_theirs(&self, server: &str, session: &str, caller: &str) -> bool {
        let session = (server.to_owned(), session.to_owned());
        self.inner()
            .callers
            .get(&session)
            .is_some_and(|began| began == caller)
    }

    /// Notes who began a session. False where it is somebody else's, or can be none.
    pub fn began(&self, server: &str, session: &str, caller: &str) -> bool {
        if session.is_empty() || session.len() > LONGEST {
            return false;
        }
        let session = (server.to_owned(), session.to_owned());
        let mut inner = self.inner();
        if let Some(began) = inner.callers.get(&session) {
            return began == caller;
        }
        inner.callers.insert(session.clone(), caller.to_owned());
        inner.order.push_back(session);
        inner.make_room(caller);
        true
    }

    pub fn ended(&self, server: &str, session: &str) {
        let session = (server.to_owned(), session.to_owned());
        let mut inner = self.inner();
        inner.callers.remove(&session);
        inner.order.retain(|known| *known != session);
    }

    /// A server is gone, and with it all that it began.
    pub fn forget(&self, server: &str) {
        let mut inner = self.inner();
        inner.callers.retain(|(of, _), _| of != server);
        inner.order.retain(|(of, _)| of != server);
    }
}

impl Inner {
    fn make_room(&mut self, caller: &str) {
        let theirs = |session: &Session| self.callers.get(session).is_some_and(|of| of == caller);
        let count = self.order.iter().filter(|session| theirs(session)).count();
        let oldest = if count > OF_ONE {
            self.order.iter().position(theirs)
        } else {
            (self.order.len() > IN_ALL).then_some(0)
        };
        if let Some(session) = oldest.and_then(|oldest| self.order.remove(oldest)) {
            self.callers.remove(&session);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_whose_it_was_first() {
        let sessions = Sessions::default();
        assert!(!sessions.is_theirs("far", "s", "ada"), "nobody began it");
        assert!(sessions.began("far", "s", "ada") && sessions.is_theirs("far", "s", "ada"));
        assert!(!sessions.is_theirs("far", "s", "bob") && !sessions.began("far", "s", "bob"));
        assert!(!sessions.is_theirs("near", "s", "ada"), "of another server");
        sessions.ended("far", "s");
        assert!(!sessions.is_theirs("far", "s", "ada"));
        assert!(sessions.began("far", "s", "bob"));
        sessions.forget("far");
        assert!(!sessions.is_theirs("far", "s", "bob"));
        assert!(
            !sessions.began("far", "", "ada") && !sessions.began("far", &"s".repeat(600), "ada")
        );
    }

    #[test]
    fn whoever_begins_many_loses_their_own() {
        let sessions = Sessions::default();
        assert!(sessions.began("far", "of bob", "bob"));
        for number in 0..10_000 {
            assert!(sessions.began("far", &number.to_string(), "ada"));
        }
        assert_eq!(sessions.inner().order.len(), OF_ONE + 1);
        assert!(sessions.is_theirs("far", "of bob", "bob"));
        for number in 0..10_000 {
            sessions.began("far", &format!("x{number}"), &format!("caller {number}"));
        }
        assert_eq!(sessions.inner().order.len(), IN_ALL);
        assert_eq!(sessions.inner().callers.len(), IN_ALL);
    }
}
