//! People, their sessions and tokens, and the policies that say who may do what.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::sign_in::{PersonAccount, SignInReturned};

/// Signing in: with a one-time code, with a name and a password, with a passkey, or with what one came back with from an
/// identity provider. The answer sets a session cookie.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct SignIn {
    /// A one-time code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Whose password it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// What one came back with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub returned: Option<SignInReturned>,
    /// What `navigator.credentials.get` gave, as its `toJSON` says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub passkey: Option<serde_json::Value>,
}

/// Somebody with a name of their own.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Person {
    pub name: String,
    /// `owner`, `operator`, `developer`, `viewer`, or a role that the stack's own policies give a meaning.
    pub roles: Vec<String>,
    /// Whether they can sign in with a password.
    pub has_password: bool,
    /// Whether they can sign in with a passkey.
    #[serde(default)]
    pub has_passkey: bool,
    /// Whether they may not come in.
    pub disabled: bool,
    /// The accounts elsewhere with which they come in. What they are is said there, each time they do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accounts: Vec<PersonAccount>,
    /// RFC 3339.
    pub created_at: String,
}

/// Somebody to be added.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct AddPerson {
    /// Small letters, digits, `-`, `_` and `.`, at most 63.
    pub name: String,
    /// What they are; at least one.
    pub roles: Vec<String>,
}

/// Somebody who was added, and how they come in.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct AddedPerson {
    #[serde(flatten)]
    pub person: Person,
    /// Good for one sign-in within a day.
    pub link: SignInLink,
}

/// What is to be changed of somebody; what is absent stays.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct ChangePerson {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roles: Option<Vec<String>>,
    /// Whether they may not come in from now on. Their sessions end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
}

/// A password in place of what was there.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct ChangePassword {
    /// The one until now; asked for where there is one and one changes one's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old: Option<String>,
    /// 12 characters or more; absent: from now on there is no password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new: Option<String>,
}

impl std::fmt::Debug for ChangePassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ChangePassword(…)")
    }
}

/// A fresh sign-in link, the answer to `POST /api/v1/session/code`: `ergon link` prints it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SignInLink {
    /// Good for one sign-in.
    pub code: String,
    /// The UI's address with the code in its fragment.
    pub url: String,
}

/// Who is asking, and which stack answers.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Session {
    /// Who: `owner`, the name of a person, `robot:NAME`.
    pub principal: String,
    /// What they are.
    #[serde(default)]
    pub roles: Vec<String>,
    /// The stack's name in the directory.
    pub stack: String,
    pub version: String,
    /// The engine in one line (`Docker 20.10.24 (API 1.41)`), or why there is none.
    pub engine: String,
    pub engine_reachable: bool,
}

/// A session of somebody's: a browser that is signed in.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PersonSession {
    /// What it is called; it opens nothing.
    pub id: String,
    /// What the browser says of itself; may be empty.
    pub agent: String,
    /// From where they signed in; empty where it is not known.
    pub address: String,
    /// RFC 3339, as the other times.
    pub created_at: String,
    /// To the minute.
    pub last_used_at: String,
    pub expires_at: String,
    /// Whether it is the one that asks.
    pub current: bool,
}

/// How many sessions were ended.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct EndedSessions {
    pub ended: u64,
}

/// What programs of a person show.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PersonToken {
    /// What it is called; it opens nothing.
    pub id: String,
    /// What it is for; may be empty.
    pub about: String,
    /// With which of their person's roles; absent: with all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roles: Option<Vec<String>>,
    /// RFC 3339, as the other times.
    pub created_at: String,
    /// Absent: it does not end by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// Whether that time has come.
    pub expired: bool,
    /// To the minute; absent: it was never used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<String>,
}

/// A token to be.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct AddToken {
    /// What it is for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub about: String,
    /// With which of one's roles; empty: with all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// After so many days it ends; absent: it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<u32>,
}

/// A token, which is shown this once and kept nowhere.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct AddedToken {
    #[serde(flatten)]
    pub token: PersonToken,
    /// For `Authorization: Bearer …`, and as the password of the image registry.
    pub secret: String,
}

/// A text of Cedar policies.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PolicyText {
    pub name: String,
    pub text: String,
    /// Whether it comes with Ergon; those cannot be changed.
    pub shipped: bool,
    /// What is wrong with it. While anything is, only owners may do anything.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<PolicyFault>,
    /// RFC 3339; absent for what comes with Ergon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_at: Option<String>,
    /// Who changed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_by: Option<String>,
}

/// What is wrong with a text of policies.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PolicyFault {
    /// From 1; 0 where it is the text as a whole.
    pub line: usize,
    /// From 1.
    pub column: usize,
    pub message: String,
    /// What could be meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

/// A text to be kept, or only to be looked at.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PutPolicy {
    /// Cedar, at most 64 KiB.
    pub text: String,
}

/// What is wrong with a text; nothing where there is nothing.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CheckedPolicy {
    pub faults: Vec<PolicyFault>,
}

/// What policies can speak of.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PolicySchema {
    /// In Cedar's own words.
    pub schema: String,
}

/// Somebody who would do something.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct PolicyQuestion {
    /// The name of a person, `robot:NAME`, `nobody`, or `role:ROLE` for anybody who has it.
    pub principal: String,
    /// `ListContainers`, …
    pub action: String,
    /// The name of what it is done to; absent: all of its kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// `http` (that is meant where nothing is said), `mcp`, `registry`, `socket`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// `session` (that is meant where nothing is said), `token`, `peer`, `nothing`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub means: Option<String>,
}

/// Whether somebody may, and why.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PolicyAnswer {
    pub question: PolicyQuestion,
    pub allowed: bool,
    /// The policies that allow it, or that forbid it; none where no policy speaks of it.
    pub policies: Vec<String>,
    /// Their texts, in the same order.
    pub texts: Vec<String>,
    /// The roles whoever asks has.
    pub roles: Vec<String>,
    /// The groups the action is in: `reads`, `adds`, `sets`, `destroys`, `open`.
    pub groups: Vec<String>,
    /// The kind of thing it is done to.
    pub kind: String,
    /// In one sentence.
    pub sentence: String,
}

/// Cases to be decided: by the policies there are, or with texts in place of them.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct PolicyTrial {
    pub cases: Vec<PolicyCase>,
    /// The stack's own texts as they would be; absent: as they are. What comes with Ergon stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policies: Option<Vec<NamedPolicy>>,
}

/// A text under a name.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct NamedPolicy {
    pub name: String,
    pub text: String,
}

/// A question, and what is expected.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PolicyCase {
    #[serde(flatten)]
    pub question: PolicyQuestion,
    /// Whether it is to be allowed.
    pub allowed: bool,
}

/// What came of a trial.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PolicyTrialResult {
    /// In the order of the cases.
    pub answers: Vec<PolicyAnswer>,
    /// Which cases, from 0, were not decided as expected.
    pub unexpected: Vec<usize>,
}
