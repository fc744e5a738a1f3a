//! Counting what comes, and how much of it came just now.

use jiff::{SignedDuration, Timestamp};

/// The last minutes that are the present.
const NOW: usize = 5;
pub(super) const PRESENT: SignedDuration = SignedDuration::from_mins(5);

/// A count, and how much of it belongs to which of the last minutes.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    pub count: u64,
    /// The minute that the last of `minutes` is.
    minute: i64,
    minutes: [u32; NOW],
}

impl Tally {
    pub(super) fn add(&mut self, time: Timestamp) {
        self.count += 1;
        let minute = time.as_second().div_euclid(60);
        if minute > self.minute {
            let passed = usize::try_from(minute - self.minute)
                .unwrap_or(NOW)
                .min(NOW);
            self.minutes.rotate_left(passed);
            self.minutes[NOW - passed..].fill(0);
            self.minute = minute;
        }
        // A line that comes late belongs to its own minute, if that is still known.
        let back = usize::try_from(self.minute - minute).unwrap_or(NOW);
        if let Some(count) = NOW
            .checked_sub(1 + back)
            .and_then(|index| self.minutes.get_mut(index))
        {
            *count = count.saturating_add(1);
        }
    }

    /// How many of the last minutes.
    pub(super) fn recent(&self, now: Timestamp) -> u64 {
        let passed = now.as_second().div_euclid(60) - self.minute;
        let passed = usize::try_from(passed.max(0)).unwrap_or(NOW).min(NOW);
        self.minutes[passed..]
            .iter()
            .map(|count| u64::from(*count))
            .sum()
    }
}

/// In a minute, in hundredths.
pub(super) fn rate(count: u64, span: SignedDuration) -> u64 {
    let milliseconds = u64::try_from(span.as_millis()).unwrap_or(0).max(1);
    count.saturating_mul(6_000_000) / milliseconds
}
