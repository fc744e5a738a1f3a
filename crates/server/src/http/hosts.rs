//! The names under which a stack may be asked.

use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

use axum::http::{HeaderMap, StatusCode, Uri, header};

use super::problem::Failure;

/// The longest name that DNS has.
const LONGEST: usize = 253;

/// A name of this machine that other machines use: `registry.example.com`, `10.0.0.7`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostName(String);

/// A text is no name of a machine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not the name of a machine: give it without a scheme and without a port, as registry.example.com"
)]
pub struct ParseHostNameError(String);

impl HostName {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for HostName {
    type Err = ParseHostNameError;

    fn from_str(text: &str) -> Result<Self, ParseHostNameError> {
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let label =
            |label: &str| !label.is_empty() && label.len() <= 63 && label.bytes().all(letter);
        let is_name = text.len() <= LONGEST && text.split('.').all(label);
        if is_name || text.parse::<IpAddr>().is_ok() {
            Ok(Self(text.to_owned()))
        } else {
            Err(ParseHostNameError(text.to_owned()))
        }
    }
}

/// The names under which this stack may be asked. A page of another site whose name was made to point
/// at this machine sends its own name, and is refused.
#[derive(Clone, Debug)]
pub struct AllowedHosts {
    listening: IpAddr,
    named: Arc<[HostName]>,
}

impl AllowedHosts {
    pub fn new(listening: IpAddr, named: Vec<HostName>) -> Self {
        Self {
            listening,
            named: named.into(),
        }
    }

    /// The names that other machines use.
    pub fn named(&self) -> &[HostName] {
        &self.named
    }

    /// The host a request names, where it is one of ours.
    pub fn check(&self, headers: &HeaderMap, uri: &Uri) -> Result<(), Failure> {
        let named = named_host(headers, uri);
        if named.as_deref().is_some_and(|host| self.allows(host)) {
            return Ok(());
        }
        let named = named.unwrap_or_else(|| "no host".to_owned());
        Err(Failure::new(
            StatusCode::MISDIRECTED_REQUEST,
            format!("the request is for `{named}`, which is not this stack"),
        )
        .with_remedy("use http://localhost, or the address that `ergon up` listens on; `ergon up --host NAME` lets it be asked under another name"))
    }

    fn allows(&self, authority: &str) -> bool {
        let Some(host) = host_of(authority) else {
            return false;
        };
        let mut named = self.named.iter();
        if host.eq_ignore_ascii_case("localhost")
            || named.any(|name| host.eq_ignore_ascii_case(&name.0))
        {
            return true;
        }
        // Only names can be made to point elsewhere; an address is what it is.
        match host.parse::<IpAddr>() {
            Ok(address) => {
                self.listening.is_unspecified()
                    || address == self.listening
                    || address.is_loopback()
            }
            Err(_) => false,
        }
    }
}

/// The host and port a request names.
pub fn named_host(headers: &HeaderMap, uri: &Uri) -> Option<String> {
    if let Some(authority) = uri.authority() {
        return Some(authority.as_str().to_owned());
    }
    let mut values = headers.get_all(header::HOST).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then(|| value.to_owned())
}

/// The address under which a browser has this stack. Whether it is over TLS the browser knows better than the stack, in front
/// of which another server may have ended it; for another host its word counts for nothing.
pub fn own_origin(headers: &HeaderMap, uri: &Uri, is_secure: bool) -> Option<String> {
    let host = named_host(headers, uri)?;
    let said = headers.get(header::ORIGIN);
    let said = said
        .and_then(|origin| origin.to_str().ok())
        .and_then(|origin| origin.split_once("://"));
    let is_https = match said {
        Some((scheme, authority)) if authority.eq_ignore_ascii_case(&host) => scheme == "https",
        _ => false,
    };
    let scheme = if is_secure || is_https {
        "https"
    } else {
        "http"
    };
    Some(format!("{scheme}://{}", host.to_ascii_lowercase()))
}

/// `localhost:7411` → `localhost`, `[::1]:7411` → `::1`.
pub fn host_of(authority: &str) -> Option<&str> {
    let (host, rest) = match authority.strip_prefix('[') {
        Some(bracketed) => bracketed.split_once(']')?,
        None => match authority.split_once(':') {
            Some((host, _)) => (host, &authority[host.len()..]),
            None => (authority, ""),
        },
    };
    let port_is_good = match rest.strip_prefix(':') {
        Some(port) => port.parse::<u16>().is_ok(),
        None => rest.is_empty(),
    };
    port_is_good.then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(listening: &str, host: &str) -> bool {
        AllowedHosts::new(listening.parse().unwrap(), Vec::new()).allows(host)
    }

    #[test]
    fn only_names_of_this_machine_are_served() {
        for host in [
            "localhost",
            "LOCALHOST:7411",
            "127.0.0.1:80",
            "[::1]:7411",
            "127.8.8.8",
        ] {
            assert!(allows("127.0.0.1", host), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "localhost.evil.example:7411",
            "10.0.0.1",
            "localhost:x",
            "[::1",
            "a@localhost",
        ] {
            assert!(!allows("127.0.0.1", host), "{host}");
        }
        assert!(allows("10.0.0.1", "10.0.0.1:7411"));
        assert!(allows("0.0.0.0", "192.168.3.4:7411"));
        assert!(!allows("0.0.0.0", "evil.example"));
    }

    #[test]
    fn names_that_were_said_are_served_too_and_no_others() {
        let named = ["registry.example.com", "node-1", "10.0.0.7", "fd00::7"];
        let named = named.map(|name| name.parse().unwrap()).to_vec();
        let hosts = AllowedHosts::new("127.0.0.1".parse().unwrap(), named);
        for host in [
            "registry.example.com",
            "Registry.Example.COM:7411",
            "node-1:80",
            "10.0.0.7:7411",
            "[fd00::7]:7411",
            "localhost",
        ] {
            assert!(hosts.allows(host), "{host}");
        }
        for host in [
            "example.com",
            "a.registry.example.com",
            "registry.example.com.evil.example",
            "node-1:x",
            "10.0.0.8",
        ] {
            assert!(!hosts.allows(host), "{host}");
        }
    }

    #[test]
    fn where_the_browser_is_counts_only_for_this_host() {
        let origin = |host: &'static str, origin: Option<&'static str>, is_secure| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, host.parse().unwrap());
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, origin.parse().unwrap());
            }
            own_origin(&headers, &Uri::from_static("/api"), is_secure).unwrap()
        };
        for (host, said, is_secure, expected) in [
            ("localhost:1", None, false, "http://localhost:1"),
            ("a.example", None, true, "https://a.example"),
            (
                "a.example",
                Some("https://a.example"),
                false,
                "https://a.example",
            ),
            (
                "a.example",
                Some("http://a.example"),
                true,
                "https://a.example",
            ),
            (
                "A.example",
                Some("https://evil.example"),
                false,
                "http://a.example",
            ),
            (
                "a.example",
                Some("javascript://a.example"),
                false,
                "http://a.example",
            ),
            ("a.example", Some("null"), false, "http://a.example"),
        ] {
            assert_eq!(origin(host, said, is_secure), expected, "{host} {said:?}");
        }
    }

    #[test]
    fn only_a_name_is_a_name() {
        for text in ["a", "a.b-c.d_e", "10.0.0.7", "::1"] {
            assert!(text.parse::<HostName>().is_ok(), "{text}");
        }
        for text in ["", ".", "a.", "http://a", "a:80", "a/b", "*.a", "ü", "a b"] {
            assert!(text.parse::<HostName>().is_err(), "{text}");
        }
    }
}
