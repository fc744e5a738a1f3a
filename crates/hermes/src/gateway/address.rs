//! Where a server of tools is, and what it is called.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::address::{Protocol, Server};

/// The longest name a server may have, and the longest name of a tool.
const LONGEST: usize = 63;
const LONGEST_TOOL: usize = 128;
/// Longer URLs and commands of more words there are not.
const LONGEST_URL: usize = 2048;
const WORDS: usize = 64;

/// What a server is called here: `github` of `github/create_issue`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerName(String);

/// A text is no name of a server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` can be no server's name: small letters, digits and - only, beginning with a letter, 63 at most"
)]
pub struct ServerNameError(String);

impl FromStr for ServerName {
    type Err = ServerNameError;

    fn from_str(text: &str) -> Result<Self, ServerNameError> {
        let fits = text.len() <= LONGEST
            && text.starts_with(|first: char| first.is_ascii_lowercase())
            && !text.ends_with('-');
        let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if fits && text.bytes().all(letter) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ServerNameError(text.chars().take(LONGEST).collect()))
        }
    }
}

impl fmt::Display for ServerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl ServerName {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What a tool of this server is called here.
    pub fn tool(&self, tool: &str) -> String {
        format!("{}/{tool}", self.0)
    }

    /// A name of a tool, taken apart. Nothing: it is none of another server's.
    pub fn of_tool(name: &str) -> Option<(&str, &str)> {
        name.split_once('/')
    }
}

/// Whether a tool may be called so: the protocol's own letters, and no more of them than it lets.
pub fn may_be_called(tool: &str) -> bool {
    let letter =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/');
    !tool.is_empty() && tool.len() <= LONGEST_TOOL && tool.bytes().all(letter)
}

/// Where a server of tools is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Address {
    /// It is asked over HTTP.
    Url(String),
    /// It is a program of this machine, started with these words; no shell reads them.
    Command(Vec<String>),
}

/// There can be no server there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    #[error(
        "`{0}` is no address of a server: write it as http://host:port/path or https://…, without a login and without a fragment"
    )]
    Url(String),
    #[error("a command is a program and its arguments, 64 words at most, without zero bytes")]
    Command,
    #[error("say where the server is, either with a URL or with a command")]
    Neither,
}

impl Address {
    /// An address, if there can be a server there.
    pub fn new(url: Option<String>, command: Vec<String>) -> Result<Self, AddressError> {
        match (url, command.is_empty()) {
            (Some(url), true) => {
                server(&url).ok_or_else(|| AddressError::Url(url.chars().take(200).collect()))?;
                Ok(Self::Url(url))
            }
            (None, false) => {
                let program = command.first().is_some_and(|program| !program.is_empty());
                if !program
                    || command.len() > WORDS
                    || command.iter().any(|word| word.contains('\0'))
                {
                    return Err(AddressError::Command);
                }
                Ok(Self::Command(command))
            }
            _ => Err(AddressError::Neither),
        }
    }

    /// The server it is, where it is asked over a network.
    pub fn server(&self) -> Option<Server> {
        match self {
            Self::Url(url) => server(url),
            Self::Command(_) => None,
        }
    }
}

/// The server of a URL.
fn server(url: &str) -> Option<Server> {
    let (protocol, rest) = match url.strip_prefix("http://") {
        Some(rest) => (Protocol::Http, rest),
        None => (Protocol::Https, url.strip_prefix("https://")?),
    };
    let steers =
        |sign: char| sign.is_control() || sign.is_whitespace() || matches!(sign, '\\' | '#');
    if url.len() > LONGEST_URL || url.contains(steers) {
        return None;
    }
    let (authority, endpoint) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    // A login in a URL would be told to whoever reads the list; a host has none in it.
    let end = if authority.starts_with('[') {
        authority.find(']')? + 1
    } else {
        authority.find(':').unwrap_or(authority.len())
    };
    let (host, port) = authority.split_at(end);
    let port = match port.strip_prefix(':') {
        Some(port) => port.parse().ok().filter(|port| *port > 0)?,
        None if port.is_empty() => match protocol {
            Protocol::Http => 80,
            Protocol::Https => 443,
        },
        None => return None,
    };
    let endpoint = if endpoint.starts_with('/') {
        endpoint.to_owned()
    } else {
        format!("/{endpoint}")
    };
    Some(Server {
        protocol,
        host: host.parse().ok()?,
        port,
        endpoint,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_can_stand_before_a_tool() {
        let name: ServerName = "github".parse().unwrap();
        assert_eq!(name.tool("create_issue"), "github/create_issue");
        assert_eq!(ServerName::of_tool("github/a/b"), Some(("github", "a/b")));
        assert_eq!(ServerName::of_tool("list_projects"), None);
        for wrong in ["", "Git", "9a", "a/b", "a b", "a-", "ü", &"a".repeat(64)] {
            assert!(wrong.parse::<ServerName>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_address_is_a_url_or_a_command() {
        let url = |text: &str| Address::new(Some(text.to_owned()), Vec::new());
        for (text, server) in [
            ("http://127.0.0.1:8000/mcp", "http://127.0.0.1:8000/mcp"),
            ("http://[::1]:81/mcp?x=1", "http://[::1]:81/mcp?x=1"),
            (
                "https://tools.example.com/mcp",
                "https://tools.example.com:443/mcp",
            ),
            ("http://10.0.0.7", "http://10.0.0.7:80/"),
        ] {
            assert_eq!(url(text).unwrap().server().unwrap().to_string(), server);
        }
        for wrong in [
            "",
            "ftp://a/b",
            "http://",
            "http://user:pass@host/",
            "http://host:port/",
            "http://host:0/",
            "http://ho st/",
            "http://host/\r\nX: y",
            "http://host/#f",
            "http://[::1/",
            "http://localhost:80\\@evil.example/",
        ] {
            assert!(url(wrong).is_err(), "{wrong}");
        }
        let command = |words: &[&str]| {
            Address::new(None, words.iter().map(|word| (*word).to_owned()).collect())
        };
        assert_eq!(command(&["npx", "-y", "server"]).unwrap().server(), None);
        assert_eq!(command(&[""]), Err(AddressError::Command));
        assert_eq!(command(&["a\0b"]), Err(AddressError::Command));
        assert_eq!(command(&[]), Err(AddressError::Neither));
        assert_eq!(
            Address::new(Some("http://a/".into()), vec!["b".into()]),
            Err(AddressError::Neither)
        );
    }

    #[test]
    fn a_tool_is_called_what_the_protocol_lets_it_be_called() {
        assert!(may_be_called("create_issue") && may_be_called("a.b-c/d"));
        for wrong in ["", "a b", "a\nb", "ü", "<b>", &"a".repeat(129)] {
            assert!(!may_be_called(wrong), "{wrong}");
        }
    }
}
