//! Agent cards: who one can speak to here, in the words of the Agent2Agent protocol (revision 1.0).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What another agent has to know to speak to somebody here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AgentCard {
    pub name: String,
    pub description: String,
    /// Where and how it is spoken to, the preferred way first.
    pub supported_interfaces: Vec<AgentInterface>,
    /// Of Ergon.
    pub version: String,
    pub capabilities: AgentCapabilities,
    pub security_schemes: BTreeMap<String, AgentSecurityScheme>,
    pub security_requirements: Vec<AgentSecurityRequirement>,
    pub default_input_modes: Vec<String>,
    pub default_output_modes: Vec<String>,
    pub skills: Vec<AgentSkill>,
}

/// One way to speak to an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AgentInterface {
    pub url: String,
    /// `JSONRPC`.
    pub protocol_binding: String,
    /// `1.0`, `0.3`.
    pub protocol_version: String,
}

/// What of the protocol an agent knows beside taking messages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AgentCapabilities {
    pub streaming: bool,
    pub push_notifications: bool,
    pub extended_agent_card: bool,
}

/// How one shows who one is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AgentSecurityScheme {
    pub http_auth_security_scheme: AgentHttpAuth,
}

/// By a token in a header.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AgentHttpAuth {
    pub description: String,
    pub scheme: String,
}

/// Which of these ways are needed together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AgentSecurityRequirement {
    pub schemes: BTreeMap<String, AgentScopes>,
}

/// What has to be allowed to whoever asks, beyond being known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AgentScopes {
    pub list: Vec<String>,
}

/// Something an agent can.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AgentSkill {
    pub id: String,
    pub name: String,
    pub description: String,
    pub tags: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<String>,
}
