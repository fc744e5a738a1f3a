//! When a model that did not answer is left alone, and for how long.

use std::time::{Duration, Instant};

use super::client::AskError;

const SHORTEST: Duration = Duration::from_secs(5);
const LONGEST: Duration = Duration::from_mins(5);

/// Remembers how often in a row nothing came of asking.
#[derive(Debug, Default)]
pub struct Breaker {
    failures: u32,
    until: Option<Instant>,
}

impl Breaker {
    /// Whether the model may be asked.
    pub fn lets_through(&self, now: Instant) -> bool {
        self.until.is_none_or(|until| until <= now)
    }

    pub fn answered(&mut self) {
        *self = Self::default();
    }

    /// Leaves it alone: for as long as it asked for, else twice as long as the last time.
    pub fn failed(&mut self, error: &AskError, now: Instant) {
        self.failures = self.failures.saturating_add(1);
        let longer = SHORTEST.saturating_mul(1 << (self.failures - 1).min(10));
        let pause = match error {
            AskError::Busy {
                again_in: Some(pause),
            } => *pause,
            _ => longer.min(LONGEST),
        };
        self.until = now.checked_add(pause);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_fails_is_left_alone_for_longer_and_longer() {
        let start = Instant::now();
        let seconds = |seconds| start + Duration::from_secs(seconds);
        let mut breaker = Breaker::default();
        assert!(breaker.lets_through(start));
        breaker.failed(&AskError::Status(500), start);
        assert!(!breaker.lets_through(seconds(4)) && breaker.lets_through(seconds(5)));
        breaker.failed(&AskError::Status(500), start);
        assert!(!breaker.lets_through(seconds(9)) && breaker.lets_through(seconds(10)));
        for _ in 0..100 {
            breaker.failed(&AskError::Status(500), start);
        }
        assert!(breaker.lets_through(seconds(300)));
        let again_in = Some(Duration::from_secs(77));
        breaker.failed(&AskError::Busy { again_in }, start);
        assert!(!breaker.lets_through(seconds(76)) && breaker.lets_through(seconds(77)));
        breaker.answered();
        assert!(breaker.lets_through(start));
    }
}
