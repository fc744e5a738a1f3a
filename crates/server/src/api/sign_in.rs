//! What one can sign in with beside links and passwords: accounts at identity providers, passkeys.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What one can sign in with here.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SignInWays {
    /// Whose accounts are good here, in the order of their names.
    pub providers: Vec<SignInProvider>,
    /// Whether passkeys are good here: under a name and not under an address, to which no browser gives any.
    pub passkeys: bool,
}

/// Another system whose accounts sign in here, as much as anybody may know of it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SignInProvider {
    pub name: String,
    /// What people call it.
    pub title: String,
}

/// Where to go to say who one is. The answer sets a cookie: whoever comes back comes back in this browser.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SignInBegun {
    /// A page of the provider's.
    pub url: String,
}

/// What one came back with from an identity provider, to the page `/signed-in`.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct SignInReturned {
    pub state: String,
    pub code: String,
    /// Who says so, where the provider says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
}

impl std::fmt::Debug for SignInReturned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SignInReturned(…)")
    }
}

/// Another system whose accounts sign in here (OpenID Connect).
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct IdentityProvider {
    pub name: String,
    /// What people call it: it is on the button.
    pub title: String,
    pub issuer: String,
    /// What the stack is called there.
    pub client_id: String,
    /// Whether the stack shows a secret there, too. It is in no answer.
    pub has_secret: bool,
    /// What is asked for beside `openid`.
    pub scopes: Vec<String>,
    /// Which claim names somebody's groups; `realm_access.roles` is one inside another.
    pub claim: String,
    /// Which group is which roles.
    pub roles: BTreeMap<String, Vec<String>>,
    /// What somebody is of whom no group says anything; empty: not let in.
    pub default_roles: Vec<String>,
    /// What the provider has to know as the addresses to which people come back.
    pub return_addresses: Vec<String>,
    /// RFC 3339, as the other times.
    pub created_at: String,
    pub changed_at: String,
}

/// What an identity provider is to be.
#[derive(Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct PutIdentityProvider {
    /// What people call it; absent: its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// `https://login.example.com`, letter by letter as the provider says it; `http://` on this machine only.
    pub issuer: String,
    /// What the stack is called there.
    pub client_id: String,
    /// Absent: the one there was for the same client of the same issuer, else none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<String>,
    /// What is asked for beside `openid`; absent: `profile` and `email`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
    /// Which claim names somebody's groups; absent: `groups`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<String>,
    /// Which group is which roles; groups are compared letter by letter.
    #[serde(default)]
    pub roles: BTreeMap<String, Vec<String>>,
    /// What somebody is of whom no group says anything; empty: not let in.
    #[serde(default)]
    pub default_roles: Vec<String>,
}

impl std::fmt::Debug for PutIdentityProvider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PutIdentityProvider({}, …)", self.issuer)
    }
}

/// An account elsewhere with which somebody comes in.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PersonAccount {
    pub issuer: String,
    /// What it is called there.
    pub subject: String,
}

/// A passkey of somebody's. The half that is secret never leaves their device.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Passkey {
    /// What its device calls it; it opens nothing.
    pub id: String,
    /// What its person calls it.
    pub about: String,
    /// The name of the stack for which it was made; it is good under no other.
    pub host: String,
    /// RFC 3339, as the other times.
    pub created_at: String,
    /// Absent: it was never used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<String>,
}

/// What a browser is to ask of whatever keeps passkeys (WebAuthn, level 3).
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PasskeyChallenge {
    /// Its `publicKey` in JSON: binary values are base64url.
    #[schema(value_type = Object)]
    pub options: serde_json::Value,
}

/// A passkey that was just made.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct AddPasskey {
    /// What to call it, on one line; absent: `passkey`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// What `navigator.credentials.create` gave, as its `toJSON` says it.
    #[schema(value_type = Object)]
    pub credential: serde_json::Value,
}

/// What to call a passkey from now on.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct RenamePasskey {
    /// At most 80 characters, on one line.
    pub about: String,
}
