//! What a watcher remembers. No I/O: events in, changes out.

use std::collections::{BTreeMap, VecDeque};

use ergon_engine::EngineEvent;
use jiff::Timestamp;

use super::ChangeKind;
use super::neighbours::Neighbours;
use crate::history::{Moment, Sample};
use crate::introduction::Acquaintance;
use crate::local::LocalContainer;
use crate::observation::MemorySource;
use crate::signals::Gauges;
use crate::{Happening, History, Observation};

/// So many events of all containers are kept for those who are watched later.
const RECENT: usize = 1024;

/// What a watcher remembers.
#[derive(Debug, Default)]
pub(super) struct Memory {
    containers: BTreeMap<String, Watched>,
    /// All containers there are.
    pub neighbours: Neighbours,
    recent: VecDeque<EngineEvent>,
    /// Since when no event was missed.
    covered_since: Option<Timestamp>,
    /// What was covered before the connection broke, until the engine shows that it forgot nothing.
    resuming: Option<Timestamp>,
}

/// A container that is watched.
#[derive(Debug, Default)]
pub(super) struct Watched {
    pub name: String,
    pub history: History,
    /// Somebody has looked at it since it was added.
    pub seen: bool,
    /// Where it can be read while it runs, and the files held open for that.
    pub local: Option<(LocalContainer, Gauges)>,
    /// How much of its history is drawn already.
    pub marked: (usize, Option<Timestamp>),
    /// What its services said of themselves.
    acquaintance: Acquaintance,
}

impl Memory {
    /// Adds a container with what is remembered of it; false where it was there already.
    pub(super) fn add(&mut self, id: &str, name: &str) -> bool {
        if self.containers.contains_key(id) {
            return false;
        }
        let mut watched = Watched {
            name: name.to_owned(),
            ..Watched::default()
        };
        for event in self.recent.iter().filter(|event| event.id == id) {
            if let Some(what) = Happening::of(event) {
                watched.history.remember(Moment {
                    time: event.time,
                    what,
                });
            }
        }
        self.containers.insert(id.to_owned(), watched);
        true
    }

    pub(super) fn remove(&mut self, id: &str) -> Option<Watched> {
        self.containers.remove(id)
    }

    pub(super) fn knows(&self, id: &str) -> bool {
        self.containers.contains_key(id)
    }

    pub(super) fn get_mut(&mut self, id: &str) -> Option<&mut Watched> {
        self.containers.get_mut(id)
    }

    pub(super) fn all_mut(&mut self) -> impl Iterator<Item = (&String, &mut Watched)> {
        self.containers.iter_mut()
    }

    pub(super) fn ids(&self) -> Vec<String> {
        self.containers.keys().cloned().collect()
    }

    pub(super) fn unseen(&self) -> Vec<String> {
        self.containers
            .iter()
            .filter(|(_, watched)| !watched.seen)
            .map(|(id, _)| id.clone())
            .collect()
    }

    /// A container's history, with since when it is complete.
    pub(super) fn history(&self, id: &str) -> History {
        let mut history = self
            .containers
            .get(id)
            .map(|watched| watched.history.clone())
            .unwrap_or_default();
        // A history that forgot its beginning is complete from later on.
        history.watched_since = history.watched_since.max(self.covered_since);
        history
    }

    /// What the services of a container said of themselves.
    pub(super) fn acquaintance(&self, id: &str) -> Acquaintance {
        self.containers
            .get(id)
            .map(|watched| watched.acquaintance.clone())
            .unwrap_or_default()
    }

    /// A connection begins: from which moment to ask for events.
    pub(super) fn resume(&mut self, now: Timestamp) -> Option<Timestamp> {
        // Until the engine proves otherwise, everything before was missed.
        let covered = self.covered_since.replace(now);
        self.resuming = self.resuming.or(covered);
        self.recent.back().map(|event| event.time)
    }

    /// What somebody saw who looked in between: the next look of one's own may come too late.
    pub(super) fn learn(&mut self, id: &str, observation: &Observation) {
        let (Some(watched), Some(memory)) = (self.containers.get_mut(id), &observation.memory)
        else {
            return;
        };
        // The engine's numbers say nothing of OOM kills, and an empty cgroup nothing of the program.
        let is_own = matches!(memory.source, MemorySource::Cgroup(_));
        let last = &mut watched.history.last_sample;
        if is_own
            && !observation.processes.is_empty()
            && last.is_none_or(|last| last.time < observation.time)
        {
            *last = Some(Sample {
                time: observation.time,
                memory: memory.used,
                memory_limit: memory.limit,
                oom_kills: memory.oom_kills,
            });
        }
    }

    /// Takes in an event and says what it changes about a watched container.
    pub(super) fn take_in(&mut self, event: &EngineEvent, labelled: bool) -> Vec<ChangeKind> {
        let known = self.recent.iter().rev().any(|recent| recent == event);
        if known {
            // The engine still knows what we saw last, so nothing was lost in between.
            self.covered_since = self.resuming.take().or(self.covered_since);
            return Vec::new();
        }
        let ends = matches!(event.action.as_str(), "destroy" | "remove");
        if ends {
            self.neighbours.remove(&event.id);
        } else if changes_neighbours(event) {
            self.neighbours.stir(&event.id);
        }
        self.resuming = None;
        // What the engine tells from before we came, it tells completely.
        self.covered_since = self
            .covered_since
            .map(|since| since.min(event.time))
            .or(Some(event.time));
        self.recent.push_back(event.clone());
        while self.recent.len() > RECENT {
            self.recent.pop_front();
        }
        let mut news = Vec::new();
        if labelled && !ends && self.add(&event.id, event.name()) {
            news.push(ChangeKind::Found);
        }
        let Some(watched) = self.containers.get_mut(&event.id) else {
            return news;
        };
        if ends {
            self.containers.remove(&event.id);
            return vec![ChangeKind::Removed];
        }
        if event.action == "rename" {
            event.name().clone_into(&mut watched.name);
            news.push(ChangeKind::Renamed);
        }
        if let Some(what) = Happening::of(event) {
            match what {
                // What was read in an earlier life says nothing about this one.
                Happening::Started => {
                    watched
                        .history
                        .last_sample
                        .take_if(|sample| sample.time < event.time);
                    watched.history.begin_life(event.time);
                }
                Happening::Died { .. } => watched.local = None,
                _ => {}
            }
            watched.history.remember(Moment {
                time: event.time,
                what: what.clone(),
            });
            news.push(ChangeKind::Happened(what));
        }
        news
    }
}

/// Whether others see a container differently after this.
fn changes_neighbours(event: &EngineEvent) -> bool {
    matches!(
        event.action.as_str(),
        "create"
            | "start"
            | "die"
            | "died"
            | "pause"
            | "unpause"
            | "rename"
            | "connect"
            | "disconnect"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    fn event(second: i64, id: &str, action: &str) -> EngineEvent {
        EngineEvent {
            time: at(second),
            kind: "container".to_owned(),
            action: action.to_owned(),
            detail: None,
            id: id.to_owned(),
            attributes: BTreeMap::from([("name".to_owned(), "web".to_owned())]),
        }
    }

    #[test]
    fn a_labelled_container_is_found_followed_and_forgotten() {
        let mut memory = Memory::default();
        memory.resume(at(100));
        assert_eq!(
            memory.take_in(&event(101, "a", "create"), true),
            [ChangeKind::Found]
        );
        assert_eq!(
            memory.take_in(&event(102, "a", "start"), true),
            [ChangeKind::Happened(Happening::Started)]
        );
        assert!(memory.take_in(&event(102, "a", "start"), true).is_empty());
        assert!(memory.take_in(&event(103, "b", "start"), false).is_empty());
        assert_eq!(
            memory.take_in(&event(104, "a", "destroy"), true),
            [ChangeKind::Removed]
        );
        assert!(!memory.knows("a"));
    }

    #[test]
    fn what_somebody_saw_in_between_is_remembered_unless_it_is_older() {
        use crate::observation::{Memory as Reading, Process, Sight};

        let mut memory = Memory::default();
        memory.add("a", "web");
        let seen = |second, used, source| Observation {
            memory: Some(Reading {
                used,
                limit: None,
                oom_kills: Some(0),
                source,
                raw: String::new(),
            }),
            processes: vec![Process::default()],
            ..Observation::empty(
                at(second),
                crate::Subject::default(),
                Sight::Gone,
                History::default(),
            )
        };
        let own = || MemorySource::Cgroup("/sys/fs/cgroup/a".to_owned());
        let used = |memory: &Memory| memory.history("a").last_sample.map(|sample| sample.memory);
        memory.learn("a", &seen(110, 7, MemorySource::Engine));
        assert_eq!(used(&memory), None);
        memory.learn("a", &seen(110, 8, own()));
        memory.learn("a", &seen(109, 9, own()));
        memory.learn("nobody", &seen(111, 9, own()));
        assert_eq!(used(&memory), Some(8));
    }

    #[test]
    fn one_that_is_watched_later_gets_what_is_remembered_of_it() {
        let mut memory = Memory::default();
        memory.resume(at(100));
        memory.take_in(&event(50, "b", "start"), false);
        memory.take_in(&event(60, "b", "oom"), false);
        assert!(memory.add("b", "other"));
        assert!(!memory.add("b", "other"));
        let history = memory.history("b");
        assert_eq!(history.moments().count(), 2);
        // The engine told of second 50, so it forgot nothing since then.
        assert!(history.covers(at(50)) && !history.covers(at(49)));
    }

    #[test]
    fn a_start_that_is_told_late_does_not_forget_what_was_read_since() {
        let mut memory = Memory::default();
        memory.add("a", "web");
        let sample = |second| Sample {
            time: at(second),
            memory: 1,
            memory_limit: None,
            oom_kills: None,
        };
        memory.get_mut("a").expect("there").history.last_sample = Some(sample(110));
        memory.take_in(&event(105, "a", "start"), false);
        assert_eq!(memory.history("a").last_sample, Some(sample(110)));
        memory.take_in(&event(120, "a", "start"), false);
        assert_eq!(memory.history("a").last_sample, None);
    }

    #[test]
    fn a_broken_connection_is_a_gap_unless_the_engine_remembers() {
        let mut memory = Memory::default();
        assert_eq!(memory.resume(at(100)), None);
        memory.take_in(&event(101, "a", "start"), true);
        assert!(memory.history("a").covers(at(100)));

        // It comes back with what we saw last: nothing was missed.
        assert_eq!(memory.resume(at(200)), Some(at(101)));
        assert!(!memory.history("a").covers(at(150)));
        memory.take_in(&event(101, "a", "start"), true);
        assert!(memory.history("a").covers(at(100)));

        // It comes back with something else: it was started anew, and forgot.
        memory.resume(at(300));
        memory.take_in(&event(301, "a", "start"), true);
        assert!(!memory.history("a").covers(at(250)));
        assert!(memory.history("a").covers(at(300)));
    }

    #[test]
    fn two_breaks_in_a_row_do_not_forget_what_was_covered() {
        let mut memory = Memory::default();
        memory.resume(at(100));
        memory.take_in(&event(101, "a", "start"), true);
        memory.resume(at(200));
        memory.resume(at(201));
        memory.take_in(&event(101, "a", "start"), true);
        assert!(memory.history("a").covers(at(100)));
    }
}
