//! What the program itself complains about in its log, and whether that still matters.

use jiff::{SignedDuration, Timestamp};

use super::Look;
use crate::history::Happening;
use crate::observation::{LogRecord, Outcome, Probe};
use crate::symptom::{Symptom, Trouble};

/// A complaint that was not heard for so long is over, unless it comes as rarely as that anyhow.
const QUIET: SignedDuration = SignedDuration::from_secs(15);
/// However rarely it comes, after this it is over.
const OVER: SignedDuration = SignedDuration::from_mins(5);
/// What is said so often, of a program that answers well, is no accident.
const OFTEN: usize = 3;
/// More lines than this a second are a storm.
const STORM: f64 = 5.0;
/// Fewer lines than this are none.
const STORM_LINES: usize = 20;

/// The same complaint, heard once or more often.
#[derive(Clone, Debug)]
pub(super) struct Complaint<'a> {
    pub symptom: Symptom,
    /// The last line that said so.
    pub record: &'a LogRecord,
    /// Its place in the log.
    pub at: usize,
    pub count: usize,
    pub first: Option<Timestamp>,
    pub last: Option<Timestamp>,
}

impl Complaint<'_> {
    /// How many times a second, where that is so often that it is a trouble of its own.
    pub(super) fn storm(&self) -> Option<f64> {
        let span = self.last?.duration_since(self.first?).as_secs_f64();
        let rate = (self.count as f64) / span.max(0.1);
        (self.count >= STORM_LINES && rate >= STORM).then_some(rate)
    }

    /// Whether it is still heard.
    fn is_recent(&self, now: Timestamp) -> bool {
        let (Some(first), Some(last)) = (self.first, self.last) else {
            return true;
        };
        let gaps = i32::try_from(self.count.saturating_sub(1).max(1)).unwrap_or(i32::MAX);
        let usual = last.duration_since(first) / gaps * 3;
        now.duration_since(last) <= usual.max(QUIET).min(OVER)
    }
}

impl<'a> Look<'a> {
    /// What still matters of what the program complained about: of a container that stands still or is unwell everything it
    /// said last, of one that answers only what it says again and again. The last one first.
    pub(super) fn complaints(&self) -> Vec<Complaint<'a>> {
        let observation = self.observation;
        let mut complaints = self.heard();
        let is_down = self.is_down();
        let is_troubled = is_down || self.is_troubled();
        let serves = observation
            .services
            .iter()
            .any(|one| matches!(one.role.as_str(), "database" | "cache" | "queue"));
        complaints.retain(|complaint| {
            if is_down {
                return true;
            }
            // A server tells of its guests' troubles, not of its own.
            if serves && !is_troubled && is_of_guests(complaint.symptom.trouble) {
                return false;
            }
            if !complaint.is_recent(observation.time) || self.is_settled(&complaint.symptom) {
                return false;
            }
            is_troubled || complaint.count >= OFTEN || is_grave(complaint.symptom.trouble)
        });
        // What it said last is nearest to what came of it.
        complaints.sort_by_key(|complaint| std::cmp::Reverse(complaint.at));
        complaints
    }

    /// Everything it complained about in this life, or in those of a loop.
    fn heard(&self) -> Vec<Complaint<'a>> {
        let observation = self.observation;
        let since = observation
            .state()
            .and_then(|state| state.started_at)
            .filter(|_| !self.is_looping);
        let mut complaints: Vec<Complaint<'a>> = Vec::new();
        for (at, record) in observation.log.iter().enumerate() {
            // The engine dates a line a moment before it dates the start at times.
            if since.is_some_and(|since| {
                record
                    .time
                    .is_some_and(|time| time + SignedDuration::from_secs(1) < since)
            }) {
                continue;
            }
            let Some(symptom) = Symptom::of(&record.text) else {
                continue;
            };
            // A chain of causes names the place once, and then again without it.
            let known = complaints.iter_mut().find(|known| {
                known.symptom.trouble == symptom.trouble
                    && (known.symptom.what == symptom.what || symptom.what.is_none())
                    && (known.symptom.port == symptom.port || symptom.port.is_none())
            });
            match known {
                Some(known) => {
                    known.count += 1;
                    known.at = at;
                    if symptom.what == known.symptom.what {
                        known.record = record;
                    }
                    known.last = record.time.or(known.last);
                }
                None => complaints.push(Complaint {
                    symptom,
                    record,
                    at,
                    count: 1,
                    first: record.time,
                    last: record.time,
                }),
            }
        }
        complaints
    }

    /// Whether what was complained about works by now: it is connected to where it was not.
    fn is_settled(&self, symptom: &Symptom) -> bool {
        use crate::observation::ConnectionState::Established;
        let elsewhere = matches!(
            symptom.trouble,
            Trouble::Refused | Trouble::TimedOut | Trouble::Unreachable | Trouble::Name
        );
        elsewhere
            && symptom.port.is_some()
            && self
                .observation
                .signals
                .connections
                .iter()
                .any(|connection| {
                    connection.state == Established
                        && Some(connection.remote.1) == symptom.port
                        && symptom
                            .address()
                            .is_none_or(|address| address == connection.remote.0)
                })
    }

    /// Whether something is wrong that a complaint may explain.
    fn is_troubled(&self) -> bool {
        let observation = self.observation;
        let unhealthy = observation
            .state()
            .and_then(|state| state.health.as_ref())
            .is_some_and(|health| health.status == "unhealthy");
        let silent = observation
            .probe
            .as_ref()
            .is_some_and(|probe| !probe.is_good() && !is_impossible(probe));
        let ended_lately = observation.history.moments().rev().any(|moment| {
            matches!(moment.what, Happening::Died { exit_code } if exit_code != 0)
                && observation.time.duration_since(moment.time) < OVER
        });
        // What has only just started may well complain until everything is there.
        (unhealthy || silent) && !observation.is_starting() || ended_lately
    }
}

/// Nobody could ask, which says nothing about the container.
fn is_impossible(probe: &Probe) -> bool {
    matches!(probe.outcome, Outcome::Unreachable(_))
}

/// What a database's log says of those who use it.
fn is_of_guests(trouble: Trouble) -> bool {
    matches!(
        trouble,
        Trouble::Login
            | Trouble::Schema
            | Trouble::TooManyConnections
            | Trouble::Deadlock
            | Trouble::Stalled
    )
}

/// What is bad news however seldom it is said.
fn is_grave(trouble: Trouble) -> bool {
    matches!(
        trouble,
        Trouble::DiskFull
            | Trouble::SharedMemory
            | Trouble::ReadOnly
            | Trouble::Descriptors
            | Trouble::Tasks
            | Trouble::Memory
    )
}
