//! How many connections there may be, in all and of one address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The seats of a listener.
#[derive(Debug)]
pub struct Seats {
    free: Arc<Semaphore>,
    per_address: usize,
    taken: Mutex<HashMap<IpAddr, usize>>,
}

/// A seat that somebody has. Dropped, it is free.
#[derive(Debug)]
pub struct Seat {
    seats: Arc<Seats>,
    place: IpAddr,
    _permit: OwnedSemaphorePermit,
}

impl Seats {
    pub fn new(connections: usize, per_address: usize) -> Arc<Self> {
        Arc::new(Self {
            free: Arc::new(Semaphore::new(connections)),
            per_address,
            taken: Mutex::default(),
        })
    }

    /// Waits until there is a free seat, whoever will have it.
    pub async fn free(&self) -> OwnedSemaphorePermit {
        loop {
            // The semaphore is never closed.
            if let Ok(permit) = Arc::clone(&self.free).acquire_owned().await {
                return permit;
            }
        }
    }

    /// Seats somebody, unless others of the same place have as many seats as one place may.
    pub fn take(
        self: &Arc<Self>,
        address: IpAddr,
        permit: OwnedSemaphorePermit,
    ) -> Result<Seat, OwnedSemaphorePermit> {
        let place = place(address);
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(place).or_default();
        if *count >= self.per_address {
            return Err(permit);
        }
        *count += 1;
        Ok(Seat {
            seats: Arc::clone(self),
            place,
            _permit: permit,
        })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self
            .seats
            .taken
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.place) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.place);
            }
        }
    }
}

/// What is one place: an address of IPv4, a network of IPv6, this machine under all its loopback addresses. Whoever has
/// one of those has the others, too.
fn place(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        address if address.is_loopback() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            let network = u128::from(address) >> 64 << 64;
            Ipv6Addr::from(network).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_what_one_party_has() {
        for (one, other, is_same) in [
            ("10.0.0.1", "10.0.0.1", true),
            ("10.0.0.1", "10.0.0.2", false),
            ("127.0.0.1", "127.9.9.9", true),
            ("127.0.0.1", "::1", true),
            ("10.0.0.1", "::ffff:10.0.0.1", true),
            ("2001:db8::1", "2001:db8::ffff:2", true),
            ("2001:db8::1", "2001:db8:0:1::1", false),
        ] {
            let same = place(one.parse().unwrap()) == place(other.parse().unwrap());
            assert_eq!(same, is_same, "{one} {other}");
        }
    }

    #[tokio::test]
    async fn one_place_cannot_take_all_and_a_seat_is_free_again() {
        let seats = Seats::new(3, 2);
        let take = async |address: &str| {
            let permit = seats.free().await;
            seats.take(address.parse().unwrap(), permit)
        };
        let first = take("10.0.0.1").await.unwrap();
        let _second = take("10.0.0.1").await.unwrap();
        assert!(take("10.0.0.1").await.is_err());
        let _other = take("10.0.0.2").await.unwrap();
        drop(first);
        take("10.0.0.1").await.unwrap();
        drop(seats.free().await);
        assert_eq!(seats.taken.lock().unwrap().len(), 2);
    }
}
