//! What is refused again and again is counted, so that nobody fills the disk by being refused. Pure.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use ergon_store::NewAuditEntry;

/// Within this time so many of a kind are entries of their own; the rest are counted.
const WINDOW: Duration = Duration::from_mins(1);
const SINGLE: u64 = 20;
/// So many kinds are told apart; others are counted together.
const KINDS: usize = 256;

/// What was refused lately.
#[derive(Debug, Default)]
pub struct Refusals(HashMap<Kind, Window>);

/// What makes two refusals the same: who, through which door, what, and the answer.
type Kind = (String, String, String, Option<String>);

#[derive(Debug)]
struct Window {
    began: Instant,
    told: u64,
    counted: u64,
    /// The last of those that were counted.
    last: Option<NewAuditEntry>,
}

/// What becomes of a refusal.
#[derive(Debug, PartialEq)]
pub enum Told {
    /// It is an entry of its own.
    Now(Box<NewAuditEntry>),
    /// It is counted, and told of later.
    Counted,
}

impl Refusals {
    /// Takes a refusal up.
    pub fn tell(&mut self, entry: NewAuditEntry, now: Instant) -> Told {
        let mut kind = kind_of(&entry);
        if !self.0.contains_key(&kind) && self.0.len() >= KINDS {
            kind = Kind::default();
        }
        let window = self.0.entry(kind).or_insert(Window {
            began: now,
            told: 0,
            counted: 0,
            last: None,
        });
        if window.told < SINGLE {
            window.told += 1;
            return Told::Now(Box::new(entry));
        }
        window.counted += 1;
        window.last = Some(entry);
        Told::Counted
    }

    /// What was counted in windows that are over: the last of each kind, with their number.
    pub fn counted(&mut self, now: Instant) -> Vec<NewAuditEntry> {
        let mut entries = Vec::new();
        self.0.retain(|_, window| {
            if now.saturating_duration_since(window.began) < WINDOW {
                return true;
            }
            entries.extend(window.last.take().map(|last| NewAuditEntry {
                count: Some(window.counted),
                ..last
            }));
            false
        });
        entries
    }
}

fn kind_of(entry: &NewAuditEntry) -> Kind {
    (
        entry.principal.clone(),
        entry.channel.clone(),
        entry.action.clone(),
        entry.decision.clone(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(action: &str) -> NewAuditEntry {
        NewAuditEntry {
            principal: "nobody".to_owned(),
            action: action.to_owned(),
            ..NewAuditEntry::default()
        }
    }

    #[test]
    fn the_first_are_entries_and_the_rest_a_number() {
        let mut refusals = Refusals::default();
        let now = Instant::now();
        let told = (0..100).filter(|_| refusals.tell(refusal("SignIn"), now) != Told::Counted);
        assert_eq!(told.count(), 20);
        assert!(
            refusals.tell(refusal("ListProjects"), now) != Told::Counted,
            "another kind"
        );
        assert_eq!(refusals.counted(now), []);
        let counted = refusals.counted(now + WINDOW);
        assert_eq!(counted.len(), 1);
        assert_eq!(
            (counted[0].count, counted[0].action.as_str()),
            (Some(80), "SignIn")
        );
        assert!(
            refusals.tell(refusal("SignIn"), now + WINDOW) != Told::Counted,
            "a new minute"
        );
    }

    #[test]
    fn many_kinds_take_no_more_memory_than_some() {
        let mut refusals = Refusals::default();
        let now = Instant::now();
        for number in 0..10_000 {
            refusals.tell(refusal(&format!("Action{number}")), now);
        }
        assert!(refusals.0.len() <= KINDS + 1);
    }
}
