//! What programs of a person show.

use crate::authorize::Role;

/// A token, as far as anybody may know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonToken {
    /// What it is called; it opens nothing.
    pub id: String,
    pub person: String,
    pub about: String,
    /// With which of their roles; absent: with all of them.
    pub roles: Option<Vec<Role>>,
    /// Milliseconds since 1970, as the other times.
    pub created_at: i64,
    pub expires_at: Option<i64>,
    pub last_used_at: Option<i64>,
}

impl PersonToken {
    pub fn has_ended(&self, now: i64) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }
}

/// What a new token is to be.
#[derive(Clone, Debug, Default)]
pub struct NewToken {
    pub about: String,
    /// Empty: with all roles its person has.
    pub roles: Vec<String>,
    /// Absent: it does not end by itself.
    pub days: Option<u32>,
}
