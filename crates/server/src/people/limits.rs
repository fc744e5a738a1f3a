//! How often somebody may try to sign in.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

/// So many tries at once under one name, and one more in each of [`PER_NAME`].
const TRIES_PER_NAME: NonZeroU32 = NonZeroU32::new(5).unwrap();
const PER_NAME: Duration = Duration::from_secs(30);
/// So many tries at once from one address, and one more in each of [`PER_ADDRESS`].
const TRIES_PER_ADDRESS: NonZeroU32 = NonZeroU32::new(20).unwrap();
const PER_ADDRESS: Duration = Duration::from_secs(6);
/// What is remembered of more names and addresses than this is looked through.
const REMEMBERED: usize = 10_000;

/// Too many tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there were too many tries to sign in; the next one counts in {} s", .after.as_secs().max(1))]
pub struct TooManyTries {
    /// How long to wait.
    pub after: Duration,
}

/// Counts tries to sign in, by name and by address.
#[derive(Debug)]
pub struct SignInLimits {
    names: DefaultKeyedRateLimiter<String>,
    addresses: DefaultKeyedRateLimiter<IpAddr>,
    clock: DefaultClock,
}

impl Default for SignInLimits {
    fn default() -> Self {
        Self {
            names: RateLimiter::keyed(quota(PER_NAME, TRIES_PER_NAME)),
            addresses: RateLimiter::keyed(quota(PER_ADDRESS, TRIES_PER_ADDRESS)),
            clock: DefaultClock::default(),
        }
    }
}

fn quota(per: Duration, tries: NonZeroU32) -> Quota {
    Quota::with_period(per)
        .unwrap_or_else(|| Quota::per_minute(tries))
        .allow_burst(tries)
}

impl SignInLimits {
    /// Counts a try. Names that are nobody's count as one, so that a machine that tries them all is remembered once.
    pub fn count(&self, name: Option<&str>, from: Option<IpAddr>) -> Result<(), TooManyTries> {
        let now = self.clock.now();
        let wait = |not_until: governor::NotUntil<_>| TooManyTries {
            after: not_until.wait_time_from(now),
        };
        if self.addresses.len() > REMEMBERED {
            self.addresses.retain_recent();
            self.names.retain_recent();
        }
        if let Some(from) = from {
            self.addresses.check_key(&network(from)).map_err(wait)?;
        }
        if let Some(name) = name {
            self.names.check_key(&name.to_owned()).map_err(wait)?;
        }
        Ok(())
    }
}

/// Whoever has one address of IPv6 has all of its /64.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) & !u128::from(u64::MAX)).into()),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_tries_for_ever() {
        let limits = SignInLimits::default();
        let address = Some("192.0.2.7".parse().unwrap());
        for _ in 0..5 {
            assert_eq!(limits.count(Some("ada"), address), Ok(()));
        }
        let refused = limits.count(Some("ada"), address).unwrap_err();
        assert!(refused.after > Duration::from_secs(20), "{refused}");
        assert_eq!(limits.count(Some("bob"), address), Ok(()), "others may");
    }

    #[test]
    fn an_address_is_slowed_down_whatever_name_it_tries() {
        let limits = SignInLimits::default();
        let all = (0..40u32).map(|n| {
            let address = format!("2001:db8::{n:x}").parse().unwrap();
            limits.count(Some(&format!("name{n}")), Some(address))
        });
        let allowed = all.flatten().count();
        assert!(
            (20..25).contains(&allowed),
            "{allowed} addresses of one network"
        );
        assert_eq!(
            limits.count(Some("x"), Some("2001:db8:0:1::1".parse().unwrap())),
            Ok(())
        );
    }
}
