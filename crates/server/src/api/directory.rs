//! Who is in the directory.

use std::collections::BTreeMap;

pub use ergon_hermes::{MessageFormat, Registration};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A companion, a stack, a tool or a terminal, as the directory lists it. What is sent along with messages is never in it.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct Companion {
    pub name: String,
    /// `project`, `container`, `tekton`, …
    #[serde(rename = "type")]
    pub kind: String,
    pub capabilities: Vec<String>,
    /// What it is good at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub specialties: Vec<String>,
    /// What else it says it can, in its own words.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    #[schema(value_type = Object)]
    pub about: serde_json::Map<String, serde_json::Value>,
    /// What it is there for: what was said of it here, else what it says itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// Who said so here; absent: it says so itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose_said_by: Option<String>,
    /// Where messages to it go: a URL, a socket, a program.
    #[serde(default)]
    pub address: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_format: Option<MessageFormat>,
    /// `resources`, `tools`, `prompts`: paths on its server.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub mcp_endpoints: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health_endpoint: Option<String>,
    /// How it shares with other stacks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub federation: Option<serde_json::Map<String, serde_json::Value>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stack_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// The unix socket it listens on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub socket: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// `up`; `degraded`: it answers late, or not each time; `stale`: it misses heartbeats; `down`: it does not answer.
    pub health: String,
    /// Why its health is what it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Since when, as RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Its state in one sentence.
    pub sentence: String,
    /// RFC 3339.
    pub registered_at: String,
    /// Who registered it; absent: it is this stack's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registered_by: Option<String>,
    /// The length of its lease, in seconds; absent: it is this stack's own, and has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl: Option<u32>,
    /// When it goes unless a heartbeat comes, as RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_ends_at: Option<String>,
}

/// What somebody has who was registered.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Registered {
    #[serde(flatten)]
    pub companion: Companion,
    /// Shown with a later registration, it says that it is the same again, wherever it is then.
    pub lease: String,
    /// A heartbeat is sent so often, in seconds.
    pub heartbeat_every: f32,
}

/// Still there.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct Heartbeat {
    /// The lease that the registration was answered with. Where it is given and somebody else has the name by now, that is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<String>,
}

/// How long somebody is listed after a heartbeat.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Lease {
    /// In seconds.
    pub ttl: u32,
    /// A heartbeat is sent so often, in seconds.
    pub heartbeat_every: f32,
    /// RFC 3339.
    pub lease_ends_at: String,
}
