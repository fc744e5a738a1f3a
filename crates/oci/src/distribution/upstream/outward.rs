//! Where an upstream may send us on to: anywhere but into this machine, and to where clouds keep credentials.

use std::io;
use std::net::{IpAddr, SocketAddr};

use reqwest::dns::{Name, Resolve, Resolving};
use tokio::net::lookup_host;

/// Finds names as the system does, and of what it finds keeps what is outside. The upstream's own name may be anything:
/// its owner said so.
#[derive(Debug)]
pub struct Outward {
    pub own: String,
}

impl Resolve for Outward {
    fn resolve(&self, name: Name) -> Resolving {
        let is_own = name.as_str().eq_ignore_ascii_case(&self.own);
        Box::pin(async move {
            let found = lookup_host((name.as_str(), 0)).await?;
            let kept: Vec<SocketAddr> = found
                .filter(|address| is_own || !is_inside(address.ip()))
                .collect();
            if kept.is_empty() {
                let reason = format!("{} is nowhere that an upstream may lead to", name.as_str());
                return Err(io::Error::other(reason).into());
            }
            let addresses: Box<dyn Iterator<Item = SocketAddr> + Send> = Box::new(kept.into_iter());
            Ok(addresses)
        })
    }
}

/// Whether the host of an address is written as a place inside. Names are told apart once they are resolved.
pub fn leads_inside(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    host.parse().is_ok_and(is_inside)
}

/// This machine, links without a router, and what is nobody's.
fn is_inside(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(four) => {
            four.is_loopback()
                || four.is_link_local()
                || four.is_multicast()
                || four.is_broadcast()
                || four.octets()[0] == 0
        }
        IpAddr::V6(six) => {
            six.is_loopback()
                || six.is_unspecified()
                || six.is_unicast_link_local()
                || six.is_multicast()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_inside_are_known_however_they_are_written() {
        for inside in [
            "127.0.0.1",
            "127.9.9.9",
            "0.0.0.0",
            "169.254.169.254",
            "[::1]",
            "[::]",
            "[fe80::1]",
            "[::ffff:169.254.169.254]",
            "224.0.0.1",
            "255.255.255.255",
        ] {
            assert!(leads_inside(inside), "{inside}");
        }
        for outside in [
            "192.0.2.1",
            "10.0.0.1",
            "[2001:db8::1]",
            "registry.example",
            "127.0.0.1.example",
        ] {
            assert!(!leads_inside(outside), "{outside}");
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_inside_is_the_upstreams_own_or_none() {
        let found = |own: &str| {
            let own = own.to_owned();
            async move { Outward { own }.resolve("localhost".parse().unwrap()).await }
        };
        let Err(refused) = found("registry.example").await else {
            panic!("localhost was found");
        };
        assert!(
            refused
                .to_string()
                .contains("nowhere that an upstream may lead to"),
            "{refused}"
        );
        assert!(
            found("LOCALHOST")
                .await
                .unwrap()
                .next()
                .unwrap()
                .ip()
                .is_loopback()
        );
    }
}
