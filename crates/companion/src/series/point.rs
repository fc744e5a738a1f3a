//! One point of a series, and how it is written down.

use crate::Happening;
use crate::history::{Moment, Reading};

/// What a container used in a second, or in a minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Point {
    /// When it begins, in seconds since 1970.
    pub time: i64,
    /// Bytes, on average and at most. Kept in KiB.
    pub memory: u64,
    pub memory_peak: u64,
    /// Bytes; 0: no limit.
    pub memory_limit: u64,
    /// Hundredths of a percent of one processor, on average and at most.
    pub processor: u32,
    pub processor_peak: u32,
    /// Hundredths of a percent of the periods in which it was made to wait.
    pub throttled: u32,
    /// Bytes a second.
    pub received: u64,
    pub sent: u64,
    pub read: u64,
    pub written: u64,
    /// Processes and threads.
    pub tasks: u32,
}

/// Something that is drawn into a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    /// Milliseconds since 1970.
    pub time: i64,
    pub kind: MarkKind,
}

/// What happened at a mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MarkKind {
    Started,
    /// Its first process ended, with this code.
    Died(i32),
    OutOfMemory,
    /// Another container took its place under the same name.
    Deployed,
}

/// A written point has so many bytes.
pub(super) const POINT: usize = 48;
/// A written mark has so many.
pub(super) const MARK: usize = 16;

/// Readings that are further apart have a gap between them.
const GAP_SECONDS: f64 = 10.0;

impl Point {
    /// What was used between two readings of the same life; nothing where they are not, or too far apart.
    pub(super) fn between(before: &Reading, now: &Reading) -> Option<Self> {
        let seconds = now.time.duration_since(before.time).as_secs_f64();
        if !(0.1..=GAP_SECONDS).contains(&seconds) {
            return None;
        }
        let rate = |before: u64, now: u64| Some((now.checked_sub(before)? as f64 / seconds) as u64);
        let processor = match (before.processor, now.processor) {
            // Nanoseconds a second are tenths of a millionth of a percent.
            (Some(before), Some(now)) => u32::try_from(rate(before, now)? / 100_000).ok()?,
            _ => 0,
        };
        let periods = now.periods.checked_sub(before.periods)?;
        let throttled = now
            .throttled_periods
            .saturating_sub(before.throttled_periods);
        Some(Self {
            time: now.time.as_second(),
            memory: now.memory,
            memory_peak: now.memory,
            memory_limit: now.memory_limit.unwrap_or(0),
            processor,
            processor_peak: processor,
            throttled: (throttled.saturating_mul(10_000))
                .checked_div(periods)
                .and_then(|share| u32::try_from(share).ok())
                .unwrap_or(0),
            received: rate(before.received, now.received).unwrap_or(0),
            sent: rate(before.sent, now.sent).unwrap_or(0),
            read: rate(before.blocks_read, now.blocks_read).unwrap_or(0),
            written: rate(before.blocks_written, now.blocks_written).unwrap_or(0),
            tasks: now
                .tasks
                .and_then(|tasks| u32::try_from(tasks).ok())
                .unwrap_or(0),
        })
    }

    /// Several points as one, which begins at `time`.
    pub fn sum_up(time: i64, points: &[Self]) -> Option<Self> {
        let last = points.last()?;
        let count = points.len() as u64;
        let mean = |value: &dyn Fn(&Self) -> u64| {
            points.iter().map(value).fold(0_u64, u64::saturating_add) / count
        };
        let small = |value: &dyn Fn(&Self) -> u32| {
            u32::try_from(mean(&|point| value(point).into())).unwrap_or(u32::MAX)
        };
        let most = |value: &dyn Fn(&Self) -> u64| points.iter().map(value).max().unwrap_or(0);
        Some(Self {
            time,
            memory: mean(&|point| point.memory),
            memory_peak: most(&|point| point.memory_peak),
            memory_limit: last.memory_limit,
            processor: small(&|point| point.processor),
            processor_peak: points.iter().map(|point| point.processor_peak).max()?,
            throttled: small(&|point| point.throttled),
            received: mean(&|point| point.received),
            sent: mean(&|point| point.sent),
            read: mean(&|point| point.read),
            written: mean(&|point| point.written),
            tasks: small(&|point| point.tasks),
        })
    }

    /// Twelve words, the last of which proves the others.
    pub(super) fn write(&self) -> [u8; POINT] {
        let word = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
        let kib = |bytes: u64| word(bytes.div_ceil(1024));
        let halves = self.throttled.min(10_000) << 16 | self.tasks.min(0xffff);
        let words = [
            u32::try_from(self.time).unwrap_or(0),
            kib(self.memory),
            kib(self.memory_peak),
            kib(self.memory_limit),
            self.processor,
            self.processor_peak,
            word(self.received),
            word(self.sent),
            word(self.read),
            word(self.written),
            halves,
        ];
        let mut bytes = [0; POINT];
        for (place, word) in bytes.chunks_exact_mut(4).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        let proof = proof(&bytes[..POINT - 4]);
        bytes[POINT - 4..].copy_from_slice(&proof.to_le_bytes());
        bytes
    }

    /// Nothing where nothing was written, or not all of it.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let word = |at: usize| {
            let bytes = bytes.get(at * 4..at * 4 + 4)?;
            Some(u32::from_le_bytes(bytes.try_into().ok()?))
        };
        let time = word(0).filter(|time| *time > 0)?;
        if word(11)? != proof(bytes.get(..POINT - 4)?) {
            return None;
        }
        let wide = |at: usize| word(at).map(u64::from);
        let kib = |at: usize| Some(wide(at)? * 1024);
        Some(Self {
            time: time.into(),
            memory: kib(1)?,
            memory_peak: kib(2)?,
            memory_limit: kib(3)?,
            processor: word(4)?,
            processor_peak: word(5)?,
            received: wide(6)?,
            sent: wide(7)?,
            read: wide(8)?,
            written: wide(9)?,
            throttled: word(10)? >> 16,
            tasks: word(10)? & 0xffff,
        })
    }
}

impl Mark {
    /// What is drawn of a moment, if anything.
    pub(crate) fn of(moment: &Moment) -> Option<Self> {
        let kind = match moment.what {
            Happening::Started => MarkKind::Started,
            Happening::Died { exit_code } => {
                MarkKind::Died(i32::try_from(exit_code).unwrap_or(i32::MAX))
            }
            Happening::OutOfMemory => MarkKind::OutOfMemory,
            _ => return None,
        };
        Some(Self {
            time: moment.time.as_millisecond(),
            kind,
        })
    }

    pub(super) fn write(&self) -> [u8; MARK] {
        let (kind, code) = match self.kind {
            MarkKind::Started => (1, 0),
            MarkKind::Died(code) => (2, code),
            MarkKind::OutOfMemory => (3, 0),
            MarkKind::Deployed => (4, 0),
        };
        let mut bytes = [0; MARK];
        bytes[..8].copy_from_slice(&self.time.to_le_bytes());
        bytes[8] = kind;
        bytes[12..].copy_from_slice(&i32::to_le_bytes(code));
        bytes
    }

    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let time = i64::from_le_bytes(bytes.get(..8)?.try_into().ok()?);
        let code = i32::from_le_bytes(bytes.get(12..16)?.try_into().ok()?);
        let kind = match bytes.get(8)? {
            1 => MarkKind::Started,
            2 => MarkKind::Died(code),
            3 => MarkKind::OutOfMemory,
            4 => MarkKind::Deployed,
            _ => return None,
        };
        Some(Self { time, kind })
    }
}

/// FNV-1a: a record that was cut off in its middle is not taken for a whole one.
fn proof(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use proptest::prelude::*;

    fn reading(millisecond: i64, processor: u64, received: u64) -> Reading {
        Reading {
            time: Timestamp::from_millisecond(millisecond).expect("a time"),
            memory: 5 << 20,
            processor: Some(processor),
            received,
            periods: 10,
            throttled_periods: 5,
            tasks: Some(3),
            ..Reading::default()
        }
    }

    #[test]
    fn rates_are_of_one_second_and_of_one_life() {
        let before = Reading {
            periods: 0,
            throttled_periods: 0,
            ..reading(10_000, 1_000_000_000, 1000)
        };
        let now = reading(12_000, 2_000_000_000, 5000);
        let point = Point::between(&before, &now).expect("a point");
        assert_eq!(
            (point.time, point.processor, point.received, point.throttled),
            (12, 5000, 2000, 5000)
        );
        assert_eq!(
            Point::between(&now, &reading(13_000, 5, 9000)),
            None,
            "started anew"
        );
        assert_eq!(
            Point::between(&now, &reading(60_000, 3_000_000_000, 9000)),
            None,
            "a gap"
        );
    }

    #[test]
    fn several_points_keep_their_mean_and_their_peak() {
        let point = |memory, processor| Point {
            memory,
            memory_peak: memory,
            processor,
            processor_peak: processor,
            ..Point::default()
        };
        let sum = Point::sum_up(60, &[point(1024, 100), point(3072, 300)]).expect("a point");
        assert_eq!((sum.time, sum.memory, sum.memory_peak), (60, 2048, 3072));
        assert_eq!((sum.processor, sum.processor_peak), (200, 300));
        assert_eq!(Point::sum_up(0, &[]), None);
    }

    #[test]
    fn what_was_half_written_is_nothing() {
        let point = Point {
            time: 1_800_000_000,
            memory: 1 << 30,
            ..Point::default()
        };
        let mut bytes = point.write();
        assert_eq!(Point::read(&bytes), Some(point));
        bytes[30] ^= 1;
        assert_eq!(Point::read(&bytes), None);
        assert_eq!(Point::read(&[0; POINT]), None);
        assert_eq!(Point::read(&[]), None);
        assert_eq!(Mark::read(&[0; MARK]), None);
        let mark = Mark {
            time: 1_800_000_000_123,
            kind: MarkKind::Died(137),
        };
        assert_eq!(Mark::read(&mark.write()), Some(mark));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(time in 1_i64..4_000_000_000, memory in 0_u64..1 << 40, processor: u32, sent in 0_u64..1 << 32, tasks in 0_u32..65536, throttled in 0_u32..=10_000) {
            let memory = memory / 1024 * 1024;
            let point = Point { time, memory, processor, throttled, sent, tasks, ..Point::default() };
            prop_assert_eq!(Point::read(&point.write()), Some(point));
        }
    }
}
