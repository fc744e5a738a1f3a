//! The names that somebody may have in the directory.

use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The longest name, in bytes.
const LONGEST: usize = 63;

/// What `aish` understands as something else than a name.
const RESERVED: [&str; 11] = [
    "alias",
    "forward",
    "help",
    "inbox",
    "list",
    "purpose",
    "register",
    "status",
    "team-chat",
    "watch",
    "whoami",
];

/// Whether `aish` takes a word, in any case, for something else than a name.
pub fn is_reserved_word(word: &str) -> bool {
    RESERVED.contains(&word.to_ascii_lowercase().as_str())
}

/// A name as it may be registered: 2 to 63 letters, digits, `-`, `_` and `.`, beginning with a letter or digit.
///
/// Written as whoever registered it wrote it; two names that differ by their case only are one. Compare [`Name::key`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

/// Why a text is no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    #[error(
        "a name is 2 to 63 letters, digits, `-`, `_` and `.`, beginning with a letter or digit"
    )]
    Grammar,
    #[error("the word means something else to `aish`")]
    Reserved,
}

impl Name {
    /// What the name is compared by.
    pub fn key(&self) -> String {
        self.0.to_ascii_lowercase()
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the word is one that `aish` takes for something else.
    pub fn is_reserved(&self) -> bool {
        is_reserved_word(&self.0)
    }
}

impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        let begins_well = text
            .bytes()
            .next()
            .is_some_and(|first| first.is_ascii_alphanumeric());
        if !(2..=LONGEST).contains(&text.len()) || !begins_well || !text.bytes().all(plain) {
            return Err(NameError::Grammar);
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for Name {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

impl Deref for Name {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_can_be_typed_and_is_no_path() {
        for name in ["web-ci", "A.b_1", "tekton-west-coast", "42"] {
            assert_eq!(name.parse::<Name>().unwrap().as_str(), name);
        }
        let long = "x".repeat(LONGEST + 1);
        for text in [
            "", "x", "../x", "a/b", "-x", ".x", "a b", "ü1", "a\n", &long,
        ] {
            assert_eq!(text.parse::<Name>(), Err(NameError::Grammar), "{text}");
        }
    }

    #[test]
    fn case_makes_no_other_name() {
        let name: Name = "Team-Chat".parse().unwrap();
        assert_eq!(name.key(), "team-chat");
        assert!(name.is_reserved());
    }
}
