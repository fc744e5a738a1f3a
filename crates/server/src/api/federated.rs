//! Messages that stacks pass on to each other.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A message that another stack passes on, in the form `tekton_federated`. What else stands in it is let be.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct FederatedMessage {
    pub message: String,
    /// Who says it, as it is called where it comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Whom it is for, by name; `stack/companion` for one of a stack that this one knows. Absent: this stack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// What it is known again by: 200 letters, digits and signs at most. The header `Idempotency-Key` says the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// An answer is waited for so many milliseconds at most; absent: 35 seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline_ms: Option<u64>,
    /// The ids of the stacks it came through, the first one first. A stack that finds itself there refuses it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub path: Vec<String>,
}

/// What became of a message that another stack passed on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FederatedReply {
    pub id: String,
    /// Who answers, as it is called here.
    pub from: String,
    /// In plain words.
    pub response: String,
    /// `answered`, `cut`; or, where nobody answers at once: `kept`, `forwarded`.
    pub state: String,
    /// Why it ends before its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut: Option<String>,
    /// This stack's id.
    pub stack_id: String,
}
