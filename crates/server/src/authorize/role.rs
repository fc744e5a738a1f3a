//! Roles: what people and robots are, and policies speak of.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

const LONGEST: usize = 63;

/// A role: one of those that come with Ergon, or another one that the stack's own policies give a meaning.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Role(Arc<str>);

/// A text is not a role's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not the name of a role: small letters, digits and `-`, a letter first, at most 63"
)]
pub struct ParseRoleError(String);

impl Role {
    /// The role that may do everything.
    pub const OWNER: &'static str = "owner";
    /// The roles that policies come with, from the one that may most to the one that may least.
    pub const SHIPPED: [&'static str; 4] = [Self::OWNER, "operator", "developer", "viewer"];

    /// The role that may do everything.
    pub fn owner() -> Self {
        Self(Arc::from(Self::OWNER))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn is_owner(&self) -> bool {
        &*self.0 == Self::OWNER
    }
}

impl FromStr for Role {
    type Err = ParseRoleError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let letters = text.bytes().enumerate().all(|(place, byte)| match byte {
            b'a'..=b'z' => true,
            b'0'..=b'9' | b'-' => place > 0,
            _ => false,
        });
        if text.is_empty() || text.len() > LONGEST || !letters {
            return Err(ParseRoleError(text.chars().take(LONGEST + 1).collect()));
        }
        Ok(Self(Arc::from(text)))
    }
}

impl TryFrom<String> for Role {
    type Error = ParseRoleError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Role> for String {
    fn from(role: Role) -> Self {
        role.0.as_ref().to_owned()
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_a_short_word() {
        for good in ["owner", "release-manager", "a1"] {
            assert!(good.parse::<Role>().is_ok(), "{good}");
        }
        for bad in ["", "Owner", "1a", "-a", "a b", "a\"b", "ä", &"a".repeat(64)] {
            assert!(bad.parse::<Role>().is_err(), "{bad}");
        }
    }
}
