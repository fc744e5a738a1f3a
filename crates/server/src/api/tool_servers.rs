//! Servers of tools, whose tools agents find here.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Register a server of tools: one that is asked over HTTP, or a program of this machine.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct AddToolServer {
    /// Its tools appear as `name/tool`. Small letters, digits and `-`.
    pub name: String,
    /// `http://127.0.0.1:8000/mcp`; beyond this machine only where `ergon up --reach` lets it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// A program and its arguments; no shell reads them, and of this stack's environment it has `PATH`, `HOME`, `LANG` and `TZ`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<Vec<String>>,
}

/// A server of tools, as it was seen last.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ToolServer {
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<Vec<String>>,
    /// `up`, `degraded`.
    pub health: String,
    /// Why it is degraded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    pub tools: Vec<ServerTool>,
    /// RFC 3339.
    pub added_at: String,
}

/// A tool of a server.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ServerTool {
    /// As it is called here: `server/tool`.
    pub name: String,
    /// `usable`; `held`, where it is not what it was when it was approved; `refused`, where it can be no tool.
    pub standing: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// SHA-256 of what a model decides by: name, description, schemas, annotations.
    pub fingerprint: String,
    /// In the server's own words, which are data.
    #[schema(value_type = Object)]
    pub definition: serde_json::Value,
}

/// Let a tool be used as it is now.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ApproveServerTool {
    /// As the server calls it.
    pub tool: String,
    /// Of what was looked at; 409 where it is something else by now.
    pub fingerprint: String,
}
