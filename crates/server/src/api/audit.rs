//! The audit log, as it is shown.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// Requests that were denied or changed something, the newest first.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct AuditPage {
    pub items: Vec<AuditRequest>,
    /// Give it as `before` to go on; absent: there is nothing older.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
    /// So many entries the log has.
    pub size: u64,
}

/// One request: what was asked and decided, and what came of it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct AuditRequest {
    /// The number of its entry, from 0.
    pub sequence: u64,
    /// RFC 3339.
    pub time: String,
    /// `decision`; or `damage`, `pruned`: what the log says of itself.
    pub entry: String,
    /// The request's id: the `X-Request-Id` of its answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// Through which door: `http`, `mcp`, `registry`, `socket`, `stack`.
    pub channel: String,
    pub principal: String,
    /// As `AddProject`.
    pub action: String,
    /// What kind of thing it was asked of, as `Project`.
    pub kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `allow`, `deny`, or `identify`: whoever asked had not shown who they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<String>,
    /// The policies that allowed it, or forbade it; absent: none spoke of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// Of refusals that are only counted: so many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// The status of the answer; absent: it was refused, or the stack ended before it could answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The SHA-256 of the request's body, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    #[serde(default, skip_serializing_if = "Value::is_null")]
    #[schema(value_type = Object)]
    pub detail: Value,
}

/// Check the log.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct VerifyAudit {
    /// Checkpoints of this log that were kept elsewhere, as `ergon audit checkpoint` prints them.
    #[serde(default)]
    pub checkpoints: Vec<String>,
}

/// What a check of the log said.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct AuditReport {
    pub good: bool,
    /// So many entries the log has had.
    pub entries: u64,
    /// The first that is still there.
    pub first: u64,
    /// So many the signed checkpoint counts; absent: there is no good one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed: Option<u64>,
    /// What is wrong, each with the number of the entry.
    pub problems: Vec<String>,
}

/// What the log says of itself, signed.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct AuditCheckpoint {
    /// A signed note (c2sp.org/tlog-checkpoint). Kept elsewhere, it shows whether the log was written anew.
    pub checkpoint: String,
    /// The key that checks it, as signed notes write keys.
    pub key: String,
    /// So many entries there are by now.
    pub entries: u64,
}

/// Remove old entries. Their hashes stay, so that the rest can still be checked.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ForgetAuditEntries {
    /// Entries that are older go, as far as whole bundles of 256 do.
    pub older_than_days: u32,
}

/// What was removed.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ForgottenAuditEntries {
    /// The first entry that is still there.
    pub first: u64,
}
