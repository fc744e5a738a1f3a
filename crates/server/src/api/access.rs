//! Robots, and how repositories of the image registry are kept.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A robot to be: a program that uses the stack under a name and a secret of its own.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct AddRobot {
    /// Small letters, digits, `-`, `_` and `.`, at most 63: the user name it signs in with.
    pub name: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub about: String,
    /// What it is beside, for the rest of the API: `developer`, …; then its secret is a token for `Authorization: Bearer …`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// What it may do where, `REPOSITORIES:VERBS` each. Repositories are a name, `team/*` for all below it, or `*` for
    /// all; verbs are some of `pull`, `push` and `delete` with commas between, or `*` for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<String>,
    /// After so many days it ends; absent: it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<u32>,
}

/// A program that uses the image registry under a name and a secret of its own.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Robot {
    /// The user name it signs in with.
    pub name: String,
    /// What it is for; may be empty.
    pub about: String,
    /// What it is beside, for the rest of the API.
    pub roles: Vec<String>,
    /// What it may do where: `team/*:pull,push`, …
    pub allow: Vec<String>,
    /// RFC 3339.
    pub created_at: String,
    /// When its secret was made. RFC 3339.
    pub secret_at: String,
    /// RFC 3339; absent: it does not end by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// Whether that time has come.
    pub expired: bool,
    /// To the minute, RFC 3339; absent: it never came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<String>,
}

/// A robot and its secret, which is shown this once and kept nowhere.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct RobotSecret {
    #[serde(flatten)]
    pub robot: Robot,
    /// The password it signs in with.
    pub secret: String,
}

/// A repository of the image registry, and how it is kept.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Repository {
    pub name: String,
    /// Whether anybody may pull from it, without a name and a secret.
    pub anonymous_pull: bool,
    /// Whether a tag that is there stays what it is. The tag of a build, the first twelve digits of its hash, always does.
    pub immutable_tags: bool,
    /// RFC 3339.
    pub created_at: String,
}

/// How a repository is to be kept from now on; what is absent stays as it is.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct ChangeRepository {
    /// Whether anybody may pull from it, without a name and a secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anonymous_pull: Option<bool>,
    /// Whether a tag that is there stays what it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub immutable_tags: Option<bool>,
}
