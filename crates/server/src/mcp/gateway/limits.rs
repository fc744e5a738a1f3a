//! How much one caller and one server may have under way, and how fast.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

/// Calls at once of one caller, and one more in each part of a second after them.
const CALLER_BURST: NonZeroU32 = NonZeroU32::new(2_000).unwrap();
const CALLER_PER_SECOND: NonZeroU32 = NonZeroU32::new(500).unwrap();
/// The same for one server, whoever calls it.
const SERVER_BURST: NonZeroU32 = NonZeroU32::new(4_000).unwrap();
const SERVER_PER_SECOND: NonZeroU32 = NonZeroU32::new(1_000).unwrap();
/// Calls under way of one caller: others are to find room, too.
const CALLS: usize = 32;
/// Streams that one caller listens to, which may go on for long.
const LISTENING: usize = 16;
/// What is remembered of more callers than this is looked through.
const REMEMBERED: usize = 10_000;

/// What somebody has under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    Call,
    /// A stream that tells what happens until somebody has enough of it.
    Listening,
}

impl Kind {
    const fn most(self) -> usize {
        match self {
            Self::Call => CALLS,
            Self::Listening => LISTENING,
        }
    }
}

/// Why something may not begin now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TooMuch {
    /// The caller has so many under way already.
    UnderWay(usize),
    /// The caller is too fast.
    Caller(Duration),
    /// All callers together are too fast for the server.
    Server(Duration),
}

/// Counts what callers and servers have to do. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Limits(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    callers: DefaultKeyedRateLimiter<String>,
    servers: DefaultKeyedRateLimiter<String>,
    clock: DefaultClock,
    under_way: Mutex<HashMap<(Kind, String), usize>>,
}

/// Something under way; it is over when this is dropped.
#[derive(Debug)]
pub struct UnderWay {
    limits: Limits,
    of: (Kind, String),
}

impl Default for Limits {
    fn default() -> Self {
        let caller = Quota::per_second(CALLER_PER_SECOND).allow_burst(CALLER_BURST);
        let server = Quota::per_second(SERVER_PER_SECOND).allow_burst(SERVER_BURST);
        Self(Arc::new(Inner {
            callers: RateLimiter::keyed(caller),
            servers: RateLimiter::keyed(server),
            clock: DefaultClock::default(),
            under_way: Mutex::default(),
        }))
    }
}

impl Limits {
    /// Lets something begin, if there is room for it.
    pub fn begin(&self, caller: &str, server: &str, kind: Kind) -> Result<UnderWay, TooMuch> {
        let of = (kind, caller.to_owned());
        let mut under_way = self.under_way();
        let count = under_way.get(&of).copied().unwrap_or_default();
        if count >= kind.most() {
            return Err(TooMuch::UnderWay(kind.most()));
        }
        let now = self.0.clock.now();
        if self.0.callers.len() > REMEMBERED {
            self.0.callers.retain_recent();
            self.0.servers.retain_recent();
        }
        let wait = |not_until: governor::NotUntil<_>| not_until.wait_time_from(now);
        let caller = self.0.callers.check_key(&of.1);
        caller.map_err(|not_until| TooMuch::Caller(wait(not_until)))?;
        let server = self.0.servers.check_key(&server.to_owned());
        server.map_err(|not_until| TooMuch::Server(wait(not_until)))?;
        under_way.insert(of.clone(), count + 1);
        drop(under_way);
        Ok(UnderWay {
            limits: self.clone(),
            of,
        })
    }

    fn under_way(&self) -> MutexGuard<'_, HashMap<(Kind, String), usize>> {
        let counts = self.0.under_way.lock();
        counts.unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut under_way = self.limits.under_way();
        match under_way.get_mut(&self.of) {
            Some(count) if *count > 1 => *count -= 1,
            _ => {
                under_way.remove(&self.of);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_caller_takes_no_others_room() {
        let limits = Limits::default();
        let begin = |caller: &str, kind| limits.begin(caller, "far", kind);
        let mut under_way: Vec<_> = (0..CALLS)
            .map(|_| begin("ada", Kind::Call).unwrap())
            .collect();
        assert_eq!(
            begin("ada", Kind::Call).unwrap_err(),
            TooMuch::UnderWay(CALLS)
        );
        assert!(begin("ada", Kind::Listening).is_ok() && begin("bob", Kind::Call).is_ok());
        under_way.pop();
        under_way.push(begin("ada", Kind::Call).unwrap());
        drop(under_way);
        assert!(
            limits.under_way().is_empty(),
            "nothing is remembered of who is done"
        );
    }

    #[test]
    fn whoever_is_too_fast_waits_and_others_do_not() {
        let limits = Limits::default();
        let call = |caller: &str, server: &str| limits.begin(caller, server, Kind::Call).map(drop);
        let refused = (0..3 * CALLER_BURST.get())
            .map(|_| call("ada", "far"))
            .find_map(Result::err);
        assert!(matches!(refused, Some(TooMuch::Caller(after)) if after < Duration::from_secs(1)));
        assert_eq!(call("bob", "far"), Ok(()));
        let refused = (0..2 * SERVER_BURST.get())
            .map(|number| call(&format!("caller {number}"), "far"))
            .find_map(Result::err);
        assert!(matches!(refused, Some(TooMuch::Server(_))), "{refused:?}");
        assert_eq!(call("bob", "near"), Ok(()));
    }
}
