//! What happened to a container, as far as anybody was watching.

use std::collections::VecDeque;

use ergon_engine::EngineEvent;
use jiff::{SignedDuration, Timestamp};

use crate::observation::ProcessorUse;

/// More than this is forgotten, the oldest first.
const REMEMBERED: usize = 256;
/// "The last seconds" are so many.
const LATELY: SignedDuration = SignedDuration::from_secs(10);
/// Two readings that are closer say nothing: the kernel counts throttling by the tenth of a second.
const APART: SignedDuration = SignedDuration::from_millis(500);

/// What happened to one container. Bounded; cheap to clone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    moments: VecDeque<Moment>,
    /// Since when nothing was missed; absent: nobody watched.
    pub watched_since: Option<Timestamp>,
    /// The last reading of its memory while it ran.
    pub last_sample: Option<Sample>,
    /// Readings of the last seconds of this life, oldest first.
    readings: VecDeque<Reading>,
}

/// What was counted of a container at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    pub time: Timestamp,
    /// Bytes in use, without file cache that can be given back.
    pub memory: u64,
    /// Bytes; absent: no limit.
    pub memory_limit: Option<u64>,
    /// Processes the kernel killed for want of memory since the container started.
    pub oom_kills: Option<u64>,
    /// Nanoseconds of processor time since the start.
    pub processor: Option<u64>,
    /// Periods in which it wanted to run, and those in which it was made to wait.
    pub periods: u64,
    pub throttled_periods: u64,
    /// Processes and threads.
    pub tasks: Option<u64>,
    /// Bytes of its network since the start.
    pub received: u64,
    pub sent: u64,
    /// Bytes read from and written to disks since the start.
    pub blocks_read: u64,
    pub blocks_written: u64,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    pub time: Timestamp,
    pub what: Happening,
}

/// What kind of thing happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening {
    Started,
    /// Process 1 ended.
    Died {
        exit_code: i64,
    },
    /// Somebody asked the engine to send a signal.
    Killed {
        signal: i32,
    },
    /// The engine finished stopping it because somebody asked.
    Stopped,
    /// The kernel killed a process of it because memory ran out.
    OutOfMemory,
    Paused,
    Unpaused,
    /// Its own check changed its mind: `healthy`, `unhealthy`.
    Health(String),
}

/// A reading of a container's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    pub time: Timestamp,
    /// Bytes.
    pub memory: u64,
    /// Bytes; absent: no limit.
    pub memory_limit: Option<u64>,
    /// Processes the kernel killed for want of memory since the container started.
    pub oom_kills: Option<u64>,
}

impl Happening {
    /// What an engine's event says happened; nothing where it says nothing about the container's life.
    pub fn of(event: &EngineEvent) -> Option<Self> {
        Some(match event.action.as_str() {
            "start" => Self::Started,
            "die" | "died" => Self::Died {
                exit_code: event.exit_code().unwrap_or(0),
            },
            "kill" => Self::Killed {
                signal: event.signal()?,
            },
            "stop" => Self::Stopped,
            "oom" => Self::OutOfMemory,
            "pause" => Self::Paused,
            "unpause" => Self::Unpaused,
            "health_status" => Self::Health(event.detail.clone()?),
            _ => return None,
        })
    }
}

impl History {
    /// Nothing has happened, and nothing was missed since then.
    pub fn watched(since: Timestamp) -> Self {
        Self {
            watched_since: Some(since),
            ..Self::default()
        }
    }

    /// Remembers a moment; one that is known already changes nothing.
    pub fn remember(&mut self, moment: Moment) -> bool {
        if self.moments.contains(&moment) {
            return false;
        }
        let after = self
            .moments
            .iter()
            .rposition(|known| known.time <= moment.time)
            .map_or(0, |at| at + 1);
        self.moments.insert(after, moment);
        while self.moments.len() > REMEMBERED {
            self.moments.pop_front();
            // What came before is not known any more.
            self.watched_since = self.moments.front().map(|moment| moment.time);
        }
        true
    }

    /// Remembers a reading, and forgets those that are long gone.
    pub fn count(&mut self, reading: Reading) {
        let grew = |last: &Reading| {
            last.time < reading.time
                && last.processor.unwrap_or(0) <= reading.processor.unwrap_or(0)
        };
        // What counts from zero again is another life.
        if !self.readings.back().is_none_or(grew) {
            self.readings.clear();
        }
        self.readings.push_back(reading);
        while self
            .readings
            .front()
            .is_some_and(|first| first.time + LATELY < reading.time)
        {
            self.readings.pop_front();
        }
    }

    /// Another life begins: readings of the one before say nothing about it.
    pub(crate) fn begin_life(&mut self, start: Timestamp) {
        self.readings.retain(|reading| reading.time >= start);
    }

    /// Readings of the last seconds, oldest first.
    pub fn readings(&self) -> impl DoubleEndedIterator<Item = &Reading> {
        self.readings.iter()
    }

    /// Says how much of the last seconds a processor was used, where an earlier reading is known.
    pub(crate) fn compare(&self, processor: &mut ProcessorUse, now: Timestamp) {
        let Some((before, used)) = self
            .readings
            .iter()
            .find(|reading| reading.time + LATELY >= now && reading.time + APART <= now)
            .and_then(|reading| Some((reading, processor.used.checked_sub(reading.processor?)?)))
        else {
            return;
        };
        let passed = now.duration_since(before.time).as_nanos().unsigned_abs();
        let share =
            |part: u128, whole: u128| u32::try_from((part * 10_000).checked_div(whole)?).ok();
        processor.share = share(u128::from(used), passed);
        let periods = processor.periods.checked_sub(before.periods);
        let throttled = processor
            .throttled_periods
            .checked_sub(before.throttled_periods);
        processor.throttled_share = periods
            .zip(throttled)
            .and_then(|(periods, throttled)| share(u128::from(throttled), u128::from(periods)));
    }

    /// All moments, oldest first.
    pub fn moments(&self) -> impl DoubleEndedIterator<Item = &Moment> {
        self.moments.iter()
    }

    /// True where nothing since `time` was missed.
    pub fn covers(&self, time: Timestamp) -> bool {
        self.watched_since.is_some_and(|since| since <= time)
    }

    /// True where the death that the engine dates to `finished_at` has been seen.
    pub fn saw_death(&self, finished_at: Timestamp) -> bool {
        // The event and the state are dated by two clock readings, a few milliseconds apart.
        self.moments().rev().any(|moment| {
            matches!(moment.what, Happening::Died { .. })
                && moment.time + SignedDuration::from_secs(2) >= finished_at
        })
    }

    /// What happened in the life that ended, or still goes on: since the last start, that included.
    pub fn last_life(&self) -> impl DoubleEndedIterator<Item = &Moment> {
        let start = self
            .moments
            .iter()
            .rposition(|moment| moment.what == Happening::Started)
            .unwrap_or(0);
        self.moments.iter().skip(start)
    }

    /// Deaths since `since` that nobody asked for, oldest first.
    pub fn crashes(&self, since: Timestamp) -> Vec<(Timestamp, i64)> {
        let moments: Vec<&Moment> = self.moments.iter().collect();
        let mut crashes = Vec::new();
        let mut asked = false;
        for (at, moment) in moments.iter().enumerate() {
            match moment.what {
                Happening::Started => asked = false,
                // A signal that ends a process by itself was somebody's wish; SIGHUP and the like are messages.
                Happening::Killed { signal: 2 | 9 | 15 } => asked = true,
                Happening::Died { exit_code } => {
                    let stopped = moments[at + 1..]
                        .iter()
                        .take_while(|later| later.what != Happening::Started)
                        .any(|later| later.what == Happening::Stopped);
                    if moment.time >= since && !asked && !stopped {
                        crashes.push((moment.time, exit_code));
                    }
                }
                _ => {}
            }
        }
        crashes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    fn history(moments: &[(i64, Happening)]) -> History {
        let mut history = History::watched(at(0));
        for (second, what) in moments {
            history.remember(Moment {
                time: at(*second),
                what: what.clone(),
            });
        }
        history
    }

    #[test]
    fn a_moment_told_twice_counts_once_and_late_ones_find_their_place() {
        let mut history = history(&[
            (1, Happening::Started),
            (3, Happening::Died { exit_code: 1 }),
        ]);
        assert!(!history.remember(Moment {
            time: at(1),
            what: Happening::Started
        }));
        assert!(history.remember(Moment {
            time: at(2),
            what: Happening::OutOfMemory
        }));
        let seconds: Vec<i64> = history
            .moments()
            .map(|moment| moment.time.as_second())
            .collect();
        assert_eq!(seconds, [1, 2, 3]);
    }

    #[test]
    fn it_forgets_the_oldest_and_knows_that_it_did() {
        let mut history = history(&[]);
        for second in 0..1000 {
            history.remember(Moment {
                time: at(second),
                what: Happening::Started,
            });
        }
        assert_eq!(history.moments().count(), REMEMBERED);
        assert!(!history.covers(at(10)));
        assert!(history.covers(at(999)));
    }

    fn reading(second: i64, processor: u64, periods: u64, throttled_periods: u64) -> Reading {
        Reading {
            time: at(second),
            processor: Some(processor),
            periods,
            throttled_periods,
            ..Reading::default()
        }
    }

    #[test]
    fn the_last_seconds_are_told_from_readings_of_the_same_life() {
        let mut history = History::default();
        let now = |used, periods, throttled_periods| ProcessorUse {
            used,
            periods,
            throttled_periods,
            ..ProcessorUse::default()
        };
        let compared = |history: &History, second, mut processor: ProcessorUse| {
            history.compare(&mut processor, at(second));
            (processor.share, processor.throttled_share)
        };
        let half = now(3_500_000_000, 70, 30);
        assert_eq!(compared(&history, 107, half.clone()), (None, None));
        history.count(reading(90, 0, 0, 0));
        history.count(reading(102, 1_000_000_000, 20, 10));
        assert_eq!(history.readings().count(), 1, "the first is too old");
        history.count(reading(104, 2_000_000_000, 40, 10));
        // 2.5 s of 5 s, and 20 periods of 50.
        assert_eq!(
            compared(&history, 107, half.clone()),
            (Some(5000), Some(4000))
        );
        // Long after the last reading nothing is known of the last seconds.
        assert_eq!(compared(&history, 200, half), (None, None));
        // Without periods there is no share of them.
        assert_eq!(compared(&history, 106, now(2_000_000_000, 20, 10)).1, None);
        history.count(reading(106, 10, 0, 0));
        assert_eq!(history.readings().count(), 1, "it was started anew");
    }

    #[test]
    fn only_deaths_that_nobody_asked_for_are_crashes() {
        let died = Happening::Died { exit_code: 1 };
        let history = history(&[
            (1, Happening::Started),
            (2, died.clone()),
            (3, Happening::Started),
            (4, Happening::Killed { signal: 9 }),
            (5, died.clone()),
            (6, Happening::Started),
            (7, died.clone()),
            (8, Happening::Stopped),
            (9, Happening::Started),
            (10, Happening::Killed { signal: 1 }),
            (11, died),
        ]);
        assert_eq!(history.crashes(at(0)), [(at(2), 1), (at(11), 1)]);
        assert_eq!(history.crashes(at(3)), [(at(11), 1)]);
    }
}
