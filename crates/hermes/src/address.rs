//! Where somebody is, and in which form they take a message.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Where a message to somebody goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A unix socket that takes one JSON object per line.
    Socket(PathBuf),
    /// A server.
    Http(Server),
    /// A program that is started for a message, and answers on its standard output.
    Command(Vec<String>),
    /// Nowhere: messages wait until whoever it is comes for them.
    Inbox,
}

/// A server, and the path that takes messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    pub protocol: Protocol,
    pub host: Host,
    pub port: u16,
    /// Begins with `/`.
    pub endpoint: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    #[default]
    Http,
    Https,
}

/// The form of a message and its answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MessageFormat {
    /// `{"message": …, "from": …}`, answered with `{"response": …}` or the like.
    #[default]
    JsonSimple,
    /// A call of the tool that takes messages, as the Model Context Protocol has it.
    Mcp,
    /// What one stack sends another.
    TektonFederated,
}

/// A host by name or address, as it stands in a URL without a port.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Host {
    Address(IpAddr),
    /// In small letters, without a dot at the end.
    Name(String),
}

/// Why a text is no host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a host is a name such as `west.example.com` or an IP address, without a port")]
pub struct HostError;

impl FromStr for Host {
    type Err = HostError;

    fn from_str(text: &str) -> Result<Self, HostError> {
        let bare = text
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .unwrap_or(text);
        if let Ok(address) = bare.parse() {
            return Ok(Self::Address(address));
        }
        let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        let labels = || name.split('.');
        let is_label = |label: &str| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        };
        // `127.1` and `0x7f000001` are addresses to some resolvers, and names to whoever checks them.
        let is_number = labels().next_back().is_some_and(|last| {
            last.bytes().all(|byte| byte.is_ascii_digit()) || last.starts_with("0x")
        });
        if name.len() > 253 || is_number || !labels().all(is_label) {
            return Err(HostError);
        }
        Ok(Self::Name(name))
    }
}

impl TryFrom<String> for Host {
    type Error = HostError;

    fn try_from(text: String) -> Result<Self, HostError> {
        text.parse()
    }
}

impl From<Host> for String {
    fn from(host: Host) -> Self {
        host.to_string()
    }
}

/// As it stands in a URL: IPv6 in brackets.
impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
            Self::Address(address) => write!(f, "{address}"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

impl Protocol {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    pub const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// For people: where it is.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket(path) => write!(f, "{}", path.display()),
            Self::Http(server) => write!(f, "{server}"),
            Self::Command(words) => write!(f, "the program {}", words.join(" ")),
            Self::Inbox => f.write_str("its inbox"),
        }
    }
}

/// The URL.
impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (protocol, host, port) = (self.protocol.word(), &self.host, self.port);
        write!(f, "{protocol}://{host}:{port}{}", self.endpoint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_names_and_addresses() {
        for (text, written) in [
            ("tekton-west.company.com", "tekton-west.company.com"),
            ("Tekton.Example.", "tekton.example"),
            ("127.0.0.1", "127.0.0.1"),
            ("::1", "[::1]"),
            ("[fd00::1]", "[fd00::1]"),
            ("localhost", "localhost"),
        ] {
            assert_eq!(text.parse::<Host>().unwrap().to_string(), written);
        }
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_no_host() {
        for text in [
            "",
            ".",
            "a..b",
            "a:80",
            "a/b",
            "a b",
            "user@a",
            "a#b",
            "127.1",
            "0x7f000001",
            "2130706433",
            "-a",
            "a-",
            "[::1",
            "a\n",
            "ü.de",
        ] {
            assert_eq!(text.parse::<Host>(), Err(HostError), "{text}");
        }
    }
}
