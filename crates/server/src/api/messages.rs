//! Messages: what is said to whom, what waits, and who sits in for whom.

use ergon_companion::Reply;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Say something to a companion.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct Message {
    pub content: String,
    /// The terminal it is said at, 2 to 63 letters, digits, `-`, `_` and `.`: answers that come later go to its inbox.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terminal: Option<String>,
    /// Where nobody is there, keep it and bring it once somebody is.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub later: bool,
    /// So long is an answer waited for: 1 to 600; absent: 35.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<u32>,
}

/// What became of a message.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum Sent {
    Answered(Box<Reply>),
    Delivered(Delivery),
}

/// What became of a message that is not answered at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Delivery {
    pub id: String,
    pub to: String,
    /// `kept` in the recipient's inbox, `forwarded` to the inbox of somebody who sits in, `waiting` for somebody to come back.
    pub state: String,
    /// The terminal in whose inbox it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terminal: Option<String>,
    /// RFC 3339: it waits no longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// The same in one sentence.
    pub sentence: String,
}

/// A piece of an answer, as it comes.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Piece {
    pub content: String,
}

/// Ask everybody.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct TeamMessage {
    pub content: String,
    /// The terminal it is said at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terminal: Option<String>,
    /// Only companions of this type.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// So long is each one waited for: 1 to 120; absent: 15.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<u32>,
}

/// What one of the team said, or why they did not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TeamAnswer {
    pub from: String,
    /// `answered`, `cut`, `forwarded`, `away`, `too-slow`, `refused`, `failed`.
    pub outcome: String,
    pub milliseconds: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<Reply>,
    /// Why they said nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// A message and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Exchange {
    pub id: String,
    /// Who said it, as the recipient was told.
    pub from: String,
    /// Who that was to this stack.
    pub principal: String,
    pub to: String,
    /// `socket`, `http`, `mcp`, `federated`, `command`, `inbox`.
    pub way: String,
    /// `answered`, `cut`, `kept`, `forwarded`, `waiting`, `away`, `too-slow`, `refused`, `failed`, `unheard`.
    pub outcome: String,
    /// Why it was not answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// RFC 3339.
    pub began_at: String,
    pub milliseconds: u64,
    pub bytes_sent: u64,
    pub bytes_received: u64,
    /// The same for all that were asked in one team chat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// What was said, where the stack keeps that (`ergon up --keep-messages`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What was answered, where the stack keeps that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
}

/// A page of exchanges, newest first.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ExchangePage {
    pub items: Vec<Exchange>,
    /// The cursor of the next page; absent: this is the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// Whether the words themselves are kept from now on.
    pub keeps_messages: bool,
}

/// A message that waits for somebody to come back, or that was given up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WaitingMessage {
    pub id: String,
    pub from: String,
    pub to: String,
    /// `waiting`, `dead`.
    pub state: String,
    pub content: String,
    /// RFC 3339, as the other times.
    pub created_at: String,
    pub expires_at: String,
    /// How often it was tried to bring it.
    pub tries: u64,
    /// Why it did not arrive the last time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it was given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub died_at: Option<String>,
}

/// An inbox, oldest message first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Inbox {
    pub terminal: String,
    pub unread: u64,
    pub messages: u64,
    pub items: Vec<InboxMessage>,
}

/// A message in an inbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InboxMessage {
    pub id: String,
    pub from: String,
    /// Whom it was said to, where this terminal sits in for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meant_for: Option<String>,
    pub content: String,
    /// RFC 3339.
    pub created_at: String,
    pub is_read: bool,
}

/// Note that an inbox was read.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct ReadInbox {
    /// The last message that was seen; what came later stays unread.
    pub up_to: String,
}

/// What went out of an inbox.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ClearedInbox {
    pub removed: u64,
}

/// Where messages to a companion go instead: a person sits in for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Forward {
    pub companion: String,
    pub terminal: String,
    /// Who wanted it so.
    pub created_by: String,
    /// RFC 3339.
    pub created_at: String,
}

/// Have messages to a companion go to a terminal.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PutForward {
    pub terminal: String,
}

/// What somebody is there for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Purpose {
    pub name: String,
    /// In a sentence; absent: nobody said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// Who said so; absent: it says so itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said_by: Option<String>,
}

/// Say what somebody is there for.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PutPurpose {
    /// At most 500 letters. Empty: take back what was said.
    pub purpose: String,
}

/// A person's terminal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Terminal {
    pub name: String,
    /// How many messages in its inbox are unread.
    pub unread: u64,
}
