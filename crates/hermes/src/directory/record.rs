//! Somebody in the directory: what is said of them.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::PathBuf;

use ergon_store::now;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::address::{Address, Host, MessageFormat, Protocol, Server};

/// What somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Project,
    Container,
    /// A whole stack; `stack` is understood too.
    #[serde(alias = "stack")]
    Tekton,
    External,
    Tool,
    /// A person's terminal: messages wait in its inbox.
    Terminal,
}

/// Somebody in the directory.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Unique without regard to case.
    pub name: String,
    pub kind: Kind,
    pub details: Details,
    /// Milliseconds since 1970.
    pub registered_at: i64,
}

/// What a record says beside name and kind.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Details {
    #[serde(default)]
    pub capabilities: Vec<String>,
    /// What it is good at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub specialties: Vec<String>,
    /// What else it says it can, in its own words.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub about: Map<String, Value>,
    /// What it is there for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// The unix socket it listens on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub socket: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stack_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<Host>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<Protocol>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_endpoint: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_format: Option<MessageFormat>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub mcp_endpoints: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health_endpoint: Option<String>,
    /// The program of a tool, with its arguments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// How it shares with other stacks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub federation: Option<Map<String, Value>>,
    /// The length of its lease, in seconds; absent: it is this stack's own, and lives as long as what it stands for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl: Option<u32>,
}

impl Kind {
    /// The word on the wire.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Project => "project",
            Self::Container => "container",
            Self::Tekton => "tekton",
            Self::External => "external",
            Self::Tool => "tool",
            Self::Terminal => "terminal",
        }
    }

    /// What the word on the wire means.
    pub fn from_word(word: &str) -> Option<Self> {
        let kind = match word {
            "project" => Self::Project,
            "container" => Self::Container,
            "tekton" | "stack" => Self::Tekton,
            "external" => Self::External,
            "tool" => Self::Tool,
            "terminal" => Self::Terminal,
            _ => return None,
        };
        Some(kind)
    }
}

impl Details {
    /// Where a message to it goes.
    pub fn address(&self) -> Address {
        if let Some(socket) = &self.socket {
            return Address::Socket(socket.clone());
        }
        if !self.command.is_empty() {
            return Address::Command(self.command.clone());
        }
        if self.host.is_none() && self.port.is_none() {
            return Address::Inbox;
        }
        let protocol = self.protocol.unwrap_or_default();
        let this_machine = || Host::Address(Ipv4Addr::LOCALHOST.into());
        Address::Http(Server {
            protocol,
            host: self.host.clone().unwrap_or_else(this_machine),
            port: self.port.unwrap_or(protocol.default_port()),
            endpoint: self
                .message_endpoint
                .clone()
                .unwrap_or_else(|| "/".to_owned()),
        })
    }
}

impl Record {
    /// A record made now.
    pub fn new(name: impl Into<String>, kind: Kind, details: Details) -> Self {
        Self {
            name: name.into(),
            kind,
            details,
            registered_at: now(),
        }
    }

    /// What the name is compared by.
    pub fn key(&self) -> String {
        self.name.to_ascii_lowercase()
    }
}
