//! What agents have of a stack, for whoever does not speak their protocol.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A tool that agents have.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct McpTool {
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    pub description: String,
    /// A JSON Schema of its arguments.
    #[schema(value_type = Object)]
    pub input_schema: serde_json::Value,
    /// It changes nothing.
    pub reads_only: bool,
    /// It takes something away or interrupts it, or lets somebody do so.
    pub destroys: bool,
}

/// What agents can read.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct McpResource {
    /// Its address; of a template, with the place of a name in braces.
    pub uri: String,
    pub is_template: bool,
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
}

/// A job that is written down for agents.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct McpPrompt {
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    pub arguments: Vec<McpPromptArgument>,
}

/// What a prompt needs to know.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct McpPromptArgument {
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    pub required: bool,
}
