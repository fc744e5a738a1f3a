//! What a companion says, in the form that every face of Ergon shows.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A companion's answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Reply {
    /// Who answers.
    pub from: String,
    /// Plain sentences; `[1]` cites the evidence of that number.
    pub content: String,
    pub findings: Vec<Finding>,
    pub evidence: Vec<Evidence>,
    /// What it could do about it, if somebody approves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub offers: Vec<Offer>,
    /// What a model makes of it, where one is configured and has answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explanation: Option<Explanation>,
    /// A model was asked and has not answered yet: its explanation will be found under this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explaining: Option<String>,
    /// Why the content ends before its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut: Option<String>,
}

/// What a language model makes of findings. Every sentence of it cites evidence; others were dropped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Explanation {
    /// Plain sentences; `[1]` cites the evidence of that number.
    pub content: String,
    /// Numbers of the evidence it rests on.
    pub evidence: Vec<u32>,
    /// The model's name.
    pub model: String,
    /// RFC 3339: when it was said. What was seen since is not in it.
    pub time: String,
    /// Sentences that were dropped, because no evidence shows what they say.
    pub dropped: u32,
}

/// A proposal that a companion's answer speaks of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Offer {
    /// Names the proposal: `7Q2`.
    pub code: String,
    /// `start again`, after "I can".
    pub offer: String,
    /// `safe`, `disruptive`, `destructive`.
    pub class: String,
    /// Ids of the findings it is about.
    pub findings: Vec<String>,
    /// The command that approves it.
    pub command: String,
}

/// A fact a companion computed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Finding {
    /// A stable name: `exited`, `env.missing`, `port.closed`, …
    pub id: String,
    /// `info`, `warning`, `critical`.
    pub severity: String,
    pub text: String,
    /// Numbers of the evidence it rests on.
    pub evidence: Vec<u32>,
    /// What a person can do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

/// Where a claim comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Evidence {
    /// Cited as `[1]`.
    pub number: u32,
    /// `memory.current 50331648`, `GET http://172.17.0.2:8000/ → 200 in 3 ms`.
    pub text: String,
    /// `cgroup`, `engine`, `process`, `probe`, `manifest`, `log`, `event`, `source`.
    pub source: String,
    /// RFC 3339.
    pub time: String,
    /// A command to see it oneself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}

/// A service found among a container's processes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FoundService {
    /// `uvicorn`.
    pub name: String,
    /// `web server`, `application server`, `database`, `cache`, `queue`, `worker`, …
    pub role: String,
    /// As it tells itself when it is asked: `15.18`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// As the host numbers it.
    pub pid: u32,
    pub ports: Vec<u16>,
    pub command: String,
}
