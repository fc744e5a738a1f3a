//! What an owner lets the stack reach: `west.example.com`, `10.0.0.0/8:443`.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use ipnet::IpNet;

use crate::address::Host;

/// One line of the allow-list: whom, and on which port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowance {
    whom: Whom,
    /// Absent: every port.
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Whom {
    Network(IpNet),
    /// In small letters, as [`Host`] has it.
    Name(String),
}

/// Why a text says of nobody that they may be reached.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no place to reach: name a host, an address or a network, each with or without a port, as west.example.com:443, 10.1.2.3 or [fd00::/8]:443"
)]
pub struct AllowanceError(String);

impl Allowance {
    /// This machine, on every port.
    pub fn loopback() -> [Self; 2] {
        let every_port = |network: IpNet| Self {
            whom: Whom::Network(network),
            port: None,
        };
        let of_machine = IpNet::new_assert(Ipv4Addr::new(127, 0, 0, 0).into(), 8);
        [
            every_port(of_machine),
            every_port(IpNet::from(IpAddr::from(Ipv6Addr::LOCALHOST))),
        ]
    }

    /// Whether it lets a host of this name be reached at this address.
    ///
    /// A name that is allowed may lead anywhere but to addresses that are nobody's server: those are for
    /// whoever writes them down.
    pub(super) fn allows(&self, host: &Host, address: IpAddr, port: u16) -> bool {
        if self.port.is_some_and(|allowed| allowed != port) {
            return false;
        }
        match (&self.whom, host) {
            (Whom::Network(network), _) => {
                network.contains(&address) && (is_ordinary(address) || is_meant(network))
            }
            (Whom::Name(name), Host::Name(asked)) => name == asked && is_ordinary(address),
            (Whom::Name(_), Host::Address(_)) => false,
        }
    }
}

impl Allowance {
    /// Whether a host of this name may be what it allows; every name may lead to this machine, and that says nothing.
    pub(super) fn may_be_behind(&self, name: &str) -> bool {
        match &self.whom {
            Whom::Network(network) => !network.network().is_loopback(),
            Whom::Name(allowed) => allowed == name,
        }
    }
}

/// Whether a network is one where no server is, and so was written down for that: no wide one that only holds it, too.
fn is_meant(network: &IpNet) -> bool {
    network.prefix_len() >= 4
        && !is_ordinary(network.network())
        && !is_ordinary(network.broadcast())
}

/// What an address means to the network that is asked: IPv4 that is written as IPv6 is IPv4.
pub(super) fn plain(address: IpAddr) -> IpAddr {
    let IpAddr::V6(six) = address else {
        return address;
    };
    let embedded = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        IpAddr::from([a, b, c, d])
    };
    match six.segments() {
        // ::ffff:0:0/96 is IPv4 to every socket; NAT64 and 6to4 bring a packet to the IPv4 address inside.
        [0, 0, 0, 0, 0, 0xffff, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => embedded(high, low),
        // So was ::/96 once.
        [0, 0, 0, 0, 0, 0, high, low] if (high, low) > (0, 1) => embedded(high, low),
        _ => address,
    }
}

/// Whether a server can be there: no link-local address, where clouds keep credentials, no multicast, none that means "here".
fn is_ordinary(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(four) => {
            !(four.is_link_local()
                || four.is_multicast()
                || four.is_broadcast()
                || four.octets()[0] == 0)
        }
        IpAddr::V6(six) => {
            let in_cloud = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
            !(six.is_unicast_link_local()
                || six.is_multicast()
                || six.is_unspecified()
                || six == in_cloud)
        }
    }
}

impl FromStr for Allowance {
    type Err = AllowanceError;

    fn from_str(text: &str) -> Result<Self, AllowanceError> {
        let refused = || AllowanceError(text.chars().take(80).collect());
        let (whom, port) = split_port(text);
        let port = match port {
            Some(port) => match port.parse() {
                Ok(port) if port > 0 => Some(port),
                _ => return Err(refused()),
            },
            None => None,
        };
        let whom = match whom.parse::<IpNet>() {
            // `10.1.2.3/8` is the network that it lies in.
            Ok(network) => Whom::Network(network.trunc()),
            Err(_) => match whom.parse::<Host>().map_err(|_| refused())? {
                Host::Address(address) => Whom::Network(plain(address).into()),
                Host::Name(name) => Whom::Name(name),
            },
        };
        Ok(Self { whom, port })
    }
}

/// IPv6 with a port stands in brackets, as in URLs.
fn split_port(text: &str) -> (&str, Option<&str>) {
    if let Some(rest) = text.strip_prefix('[')
        && let Some((whom, rest)) = rest.split_once(']')
    {
        return match rest.strip_prefix(':') {
            Some(port) => (whom, Some(port)),
            None if rest.is_empty() => (whom, None),
            // Something else follows: no part of it is a place.
            None => (text, None),
        };
    }
    match text.split_once(':') {
        Some((whom, port)) if !port.contains(':') => (whom, Some(port)),
        _ => (text, None),
    }
}

impl fmt::Display for Allowance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let port = self.port.map(|port| format!(":{port}")).unwrap_or_default();
        match &self.whom {
            Whom::Network(IpNet::V6(network)) => write!(f, "[{network}]{port}"),
            Whom::Network(network) => write!(f, "{network}{port}"),
            Whom::Name(name) => write!(f, "{name}{port}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(allowance: &str, host: &str, address: &str, port: u16) -> bool {
        let allowance: Allowance = allowance.parse().unwrap();
        allowance.allows(
            &host.parse().unwrap(),
            plain(address.parse().unwrap()),
            port,
        )
    }

    #[test]
    fn an_allowance_is_a_host_an_address_or_a_network() {
        for (text, written) in [
            ("West.example.com", "west.example.com"),
            ("west.example.com:443", "west.example.com:443"),
            ("10.1.2.3", "10.1.2.3/32"),
            ("10.1.2.3/8:80", "10.0.0.0/8:80"),
            ("fd00::/8", "[fd00::/8]"),
            ("[fd00::/8]:443", "[fd00::/8]:443"),
            ("[::1]:80", "[::1/128]:80"),
            ("::1", "[::1/128]"),
        ] {
            let allowance: Allowance = text.parse().unwrap();
            assert_eq!(allowance.to_string(), written);
            assert_eq!(written.parse::<Allowance>().unwrap(), allowance);
        }
        for text in [
            "",
            ":",
            ":80",
            "a:0",
            "a:x",
            "a:80:80",
            "a:70000",
            "10.0.0.0/33",
            "http://a",
            "a/b",
            "[::1",
            "[::1]x",
            "*.example.com",
            "127.1",
        ] {
            assert!(text.parse::<Allowance>().is_err(), "{text}");
        }
    }

    #[test]
    fn it_allows_what_it_says_and_nothing_beside() {
        assert!(allows("10.0.0.0/8", "10.9.9.9", "10.9.9.9", 80));
        assert!(allows("10.0.0.0/8", "inside.example", "10.9.9.9", 80));
        assert!(!allows("10.0.0.0/8", "11.0.0.1", "11.0.0.1", 80));
        assert!(!allows("10.0.0.0/8:443", "10.9.9.9", "10.9.9.9", 80));
        assert!(allows("west.example", "West.Example.", "192.0.2.1", 1));
        assert!(!allows("west.example", "east.example", "192.0.2.1", 1));
        assert!(
            !allows("west.example", "192.0.2.1", "192.0.2.1", 1),
            "an address is not what a name leads to today"
        );
    }

    #[test]
    fn a_name_never_leads_to_where_no_server_is() {
        for address in [
            "169.254.169.254",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "2002:a9fe:a9fe::1",
            "fe80::1",
            "fd00:ec2::254",
            "0.0.0.0",
            "0.1.2.3",
            "::",
            "224.0.0.1",
            "ff02::1",
            "255.255.255.255",
        ] {
            assert!(!allows("a.example", "a.example", address, 80), "{address}");
            assert!(!allows("0.0.0.0/0", "a.example", address, 80), "{address}");
            assert!(!allows("::/0", "a.example", address, 80), "{address}");
        }
        assert!(!allows("128.0.0.0/1", "a.example", "169.254.169.254", 80));
        assert!(allows("169.254.0.0/16", "a.example", "169.254.1.1", 80));
        assert!(allows(
            "169.254.169.254",
            "169.254.169.254",
            "169.254.169.254",
            80
        ));
    }
}
