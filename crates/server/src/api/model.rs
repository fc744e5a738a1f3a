//! What a language model is sent, and what it said.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Thought;

/// Exactly what a model would be sent. Asking for it sends nothing.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ModelPayload {
    /// `NAME at HOST`; absent: no model is configured, and nothing is ever sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Whether this question would be sent to it now.
    pub would_ask: bool,
    /// Of the body.
    pub bytes: u64,
    /// The key is not shown.
    pub headers: BTreeMap<String, String>,
    /// The body of the first request. Others repeat it, with the results of the tools that were called.
    #[schema(value_type = Object)]
    pub body: serde_json::Value,
    /// Which pseudonym stands for what. This is not sent.
    pub pseudonyms: BTreeMap<String, String>,
}

/// What became of asking a model.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ModelOutcome {
    /// `asking`, `explained`, `nothing`.
    pub state: String,
    /// What it said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thought: Option<Thought>,
    /// Why there is nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}
