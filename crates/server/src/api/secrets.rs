//! Secrets by name. What one says goes in, and no answer gives it back.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A secret without what it says.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Secret {
    pub name: String,
    /// What it is for; may be empty.
    pub note: String,
    /// The number of what it says now; absent: that was destroyed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// RFC 3339.
    pub created_at: String,
    /// When it was given its newest version. RFC 3339.
    pub changed_at: String,
    /// Who gave it that.
    pub changed_by: String,
    /// RFC 3339; absent: it does not end by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// Whether that time has come: it is given to nobody any more.
    pub expired: bool,
    /// Who may use it where; nobody else may.
    pub grants: Vec<SecretGrant>,
}

/// What a secret is to say from now on, as `value` or as `value_base64`.
#[derive(Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct SetSecret {
    /// At most 64 KiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// For what is no text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_base64: Option<String>,
    /// What it is for, in one line; absent: as it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// After so many days it is given to nobody any more; absent: it does not end by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<u32>,
}

/// A version of a secret.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SecretVersion {
    pub version: u64,
    /// `current`, `superseded`, `destroyed`.
    pub state: String,
    /// The public half of the key it is sealed under, or `vault`.
    pub sealed_for: String,
    /// RFC 3339.
    pub created_at: String,
    pub created_by: String,
    /// RFC 3339; absent: it does not end by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
}

/// Which version of a secret is to say nothing any more.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct DestroySecret {
    pub version: u64,
}

/// Somebody may use a secret somewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SecretGrant {
    /// `project`: all its containers; `container`: one of them; `build`: its build steps.
    pub kind: String,
    /// The project's name.
    pub project: String,
    pub project_id: String,
    /// The container, or the application whose build steps they are; absent: all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
    /// RFC 3339.
    pub granted_at: String,
    pub granted_by: String,
}

/// Who is to use a secret where; as a query, who is not to any more.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct GrantSecret {
    /// `project`: all its containers; `container`: one of them; `build`: its build steps.
    pub kind: String,
    /// The project's name or id.
    pub project: String,
    /// The container, or the application whose build steps they are; absent: all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
}

/// What secrets are sealed under.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SecretKey {
    /// `file`, `passphrase`, or `vault`: where new values go.
    pub kind: String,
    /// The public half of the stack's key; absent: nothing was sealed yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public: Option<String>,
    /// How many versions are sealed under it.
    pub sealed: u64,
    /// The vault, in one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vault: Option<String>,
    /// How many versions are kept there.
    pub in_vault: u64,
}
