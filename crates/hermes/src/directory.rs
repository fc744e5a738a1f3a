//! The list of companions and stacks, by name.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::PathBuf;

use ergon_store::{CompanionRow, NewEvent, Store, StoreError, now};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::address::{Address, Host, MessageFormat, Protocol, Server};

/// Who is in the directory, over the store.
#[derive(Clone, Debug)]
pub struct Directory {
    store: Store,
}

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

/// Why somebody could not be registered.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    #[error("the name {name} is held by a {holder}")]
    NameTaken { name: String, holder: String },
    #[error(transparent)]
    Store(#[from] StoreError),
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
    /// What it is the mind of: the thing that may register the same name again.
    fn subject(&self) -> (Kind, Option<&str>) {
        (
            self.kind,
            self.details
                .container_id
                .as_deref()
                .or(self.details.project_id.as_deref()),
        )
    }

    fn holder(&self) -> String {
        let of = self
            .details
            .container
            .as_deref()
            .or(self.details.project_id.as_deref());
        match of {
            Some(of) => format!("{} companion ({of})", self.kind.word()),
            None => format!("{} companion", self.kind.word()),
        }
    }
}

impl Directory {
    pub const fn new(store: Store) -> Self {
        Self { store }
    }

    /// Registers somebody, or renews their record. A name that is held by somebody else is refused.
    pub async fn register(&self, new: Record) -> Result<(), DirectoryError> {
        let event = NewEvent::new(
            "dev.ergon.companion.registered",
            format!("companion/{}", new.name),
            json!({ "name": new.name, "type": new.kind.word() }),
        );
        // Looked up inside the change, so that of two who want a name at once one is refused.
        let mut change = self.store.change(event).await?;
        let held = change.companion(&new.name).await?.map(record);
        match held {
            Some(held) if held.subject() != new.subject() => {
                return Err(DirectoryError::NameTaken {
                    name: new.name,
                    holder: held.holder(),
                });
            }
            Some(held) if held.details == new.details => return Ok(()),
            _ => {}
        }
        change
            .put_companion(&CompanionRow {
                name: new.name,
                kind: new.kind.word().to_owned(),
                record: serde_json::to_value(&new.details).unwrap_or_default(),
                registered_at: new.registered_at,
            })
            .await?;
        Ok(change.commit().await?)
    }

    /// Removes somebody. Nothing happens where nobody has the name.
    pub async fn deregister(&self, name: &str) -> Result<(), DirectoryError> {
        if self.find(name).await?.is_none() {
            return Ok(());
        }
        let event = NewEvent::new(
            "dev.ergon.companion.left",
            format!("companion/{name}"),
            json!({ "name": name }),
        );
        let mut change = self.store.change(event).await?;
        change.remove_companion(name).await?;
        change.commit().await?;
        Ok(())
    }

    /// Everybody, in the order of their names.
    pub async fn list(&self) -> Result<Vec<Record>, DirectoryError> {
        let rows = self.store.companions().await?;
        Ok(rows.into_iter().map(record).collect())
    }

    /// Who has this name, regardless of case.
    pub async fn find(&self, name: &str) -> Result<Option<Record>, DirectoryError> {
        Ok(self.store.companion(name).await?.map(record))
    }
}

fn record(row: CompanionRow) -> Record {
    Record {
        kind: Kind::from_word(&row.kind).unwrap_or(Kind::External),
        details: serde_json::from_value(row.record).unwrap_or_default(),
        name: row.name,
        registered_at: row.registered_at,
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
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn directory(folder: &tempfile::TempDir) -> Directory {
        Directory::new(Store::open(&folder.path().join("ergon.db")).await.unwrap())
    }

    fn container(name: &str, id: &str) -> Record {
        let details = Details {
            container_id: Some(id.to_owned()),
            container: Some("web".to_owned()),
            ..Details::default()
        };
        Record::new(name, Kind::Container, details)
    }

    #[tokio::test]
    async fn names_are_found_regardless_of_case() {
        let folder = tempfile::tempdir().unwrap();
        let directory = directory(&folder).await;
        directory.register(container("web-ci", "1")).await.unwrap();
        assert!(directory.find("Web-CI").await.unwrap().is_some());
        directory.deregister("WEB-ci").await.unwrap();
        assert_eq!(directory.list().await.unwrap(), []);
    }

    #[tokio::test]
    async fn a_name_that_somebody_else_holds_is_refused_and_says_who() {
        let folder = tempfile::tempdir().unwrap();
        let directory = directory(&folder).await;
        directory.register(container("web-ci", "1")).await.unwrap();
        directory.register(container("web-ci", "1")).await.unwrap();
        let error = directory
            .register(container("WEB-CI", "2"))
            .await
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "the name WEB-CI is held by a container companion (web)"
        );
    }

    #[tokio::test]
    async fn of_two_who_want_a_name_at_once_one_gets_it() {
        let folder = tempfile::tempdir().unwrap();
        let directory = directory(&folder).await;
        let (one, other) = tokio::join!(
            directory.register(container("web-ci", "1")),
            directory.register(container("web-ci", "2"))
        );
        assert!(one.is_ok() != other.is_ok());
    }

    #[tokio::test]
    async fn renewing_the_same_record_tells_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let directory = directory(&folder).await;
        let record = container("web-ci", "1");
        directory.register(record.clone()).await.unwrap();
        let before = *directory.store.watch().borrow();
        directory.register(record).await.unwrap();
        assert_eq!(*directory.store.watch().borrow(), before);
    }
}
