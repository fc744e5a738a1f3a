//! Proposals, and saying yes or no to them.

use std::collections::BTreeMap;

use ergon_companion::actions::Reason;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Something that could be done to a container, if somebody approves, and what became of it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Proposal {
    /// Names it: `7Q2`.
    pub code: String,
    /// `open`, `approved`, `running`, `done`, `failed`, `undone`, `escalated`, `denied`, `expired`, `withdrawn`,
    /// `interrupted`.
    pub state: String,
    /// `start`, `restart`, `stop`, `unpause`, `reload`, `limit-memory`, …; several with `+` between.
    pub action: String,
    /// `start again`, after "I can".
    pub offer: String,
    /// `safe`, `disruptive`, `destructive`.
    pub class: String,
    pub container: String,
    /// The engine's id. It is done to this container, whatever has its name by then.
    pub container_id: String,
    pub companion: String,
    /// Who proposes it: `companion`, or a runbook.
    pub origin: String,
    /// The exact commands, one after the other.
    pub commands: Vec<Vec<String>>,
    pub why: Vec<Reason>,
    /// What comes of it.
    pub effect: String,
    /// How it will be seen that it helped, and until when.
    pub verified: String,
    /// The commands that take it back; empty: nothing does.
    pub undo: Vec<Vec<String>>,
    /// What must still be so when it is carried out.
    pub precondition: BTreeMap<String, String>,
    /// Of all of this. Whoever approves it says which content they approve.
    pub digest: String,
    /// RFC 3339.
    pub created_at: String,
    /// RFC 3339.
    pub expires_at: String,
    /// Who decided over it: a person, or a guard-rail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<String>,
    /// RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<String>,
    /// RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begun_at: Option<String>,
    /// RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<String>,
    /// What came of it, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// How many people have to approve it.
    #[serde(default)]
    pub approvals_needed: u32,
    /// Who has, while it waits for more.
    #[serde(default)]
    pub approved_by: Vec<String>,
}

/// Yes to a proposal without waiting for whoever else should have said so. Somebody else looks at it afterwards.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct OverrideProposal {
    /// The `digest` of the proposal as it was read; another content is not approved.
    pub digest: String,
    /// Why it cannot wait; at most 1000 characters.
    pub reason: String,
    /// The container's name, to be said where the proposal is destructive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
}

/// Something that was done without waiting.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Override {
    /// Of the proposal.
    pub code: String,
    pub by: String,
    pub reason: String,
    /// RFC 3339.
    pub at: String,
    /// Who looked at it afterwards; absent: nobody has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reviewed_by: Option<String>,
    /// RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reviewed_at: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<String>,
}

/// What somebody says of what another did without waiting.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ReviewOverride {
    /// At most 1000 characters.
    pub review: String,
}

/// How many people have to approve something. Where several rules are for the same, the most counts.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ApprovalRule {
    /// `safe`, `disruptive`, `destructive`; `*` is all.
    pub class: String,
    /// The container's name; `*` is all.
    pub container: String,
    pub approvals: u32,
    pub created_by: String,
    /// RFC 3339.
    pub created_at: String,
}

/// A rule to be, in place of the one for the same.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PutApprovalRule {
    /// `safe`, `disruptive`, `destructive`; absent: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// The container's name; absent: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// 1 to 10 people.
    pub approvals: u32,
}

/// Yes to one proposal, once.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ApproveProposal {
    /// The `digest` of the proposal as it was read; another content is not approved.
    pub digest: String,
    /// The container's name, to be said where the proposal is destructive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
}

/// What may be done without asking a person: this action on this container, so often.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct GuardRail {
    pub name: String,
    /// As proposals name it: `start`, `limit-memory+start`.
    pub action: String,
    /// The container's name.
    pub container: String,
    pub times: u32,
    pub within_seconds: u32,
    pub created_by: String,
    /// RFC 3339.
    pub created_at: String,
}

/// A guard-rail to be. There is none for what is destructive.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct AddGuardRail {
    /// `start`, `restart`, `stop`, `unpause`, `limit-memory`; several with `+` between.
    pub action: String,
    /// The container's name.
    pub container: String,
    /// 1 to 100.
    pub times: u32,
    /// 60 or more.
    pub within_seconds: u32,
}

/// What a runbook would do to a container now: a dry run.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct RunbookTrial {
    pub name: String,
    pub about: String,
    /// `nothing`, `propose`, `advise` (a person has to do it), `escalate` (it was carried out as often as it may be),
    /// `unreadable` (the file of that name is no runbook, and why).
    pub would: String,
    /// Why.
    pub reason: String,
    /// The exact commands that it would propose.
    pub commands: Vec<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified: Option<String>,
    pub undo: Vec<Vec<String>>,
}
