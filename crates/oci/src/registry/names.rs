//! Names of repositories and tags. A value of these types cannot hold anything else.

use std::fmt;
use std::str::FromStr;

use crate::reference::{LONGEST_REPOSITORY, is_component, is_tag};

/// The name of a repository: `team/app`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepositoryName(String);

/// The name of a tag: `1.2`, `latest`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(String);

/// A text is no name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    #[error(
        "`{0}` is not the name of a repository: lower-case letters and digits, with `.`, `_`, `__` or `-` between them and `/` between parts, at most 255 characters"
    )]
    Repository(String),
    #[error(
        "`{0}` is not a tag: letters, digits, `_`, `.` and `-`, at most 128, beginning with none of the last two"
    )]
    Tag(String),
}

impl RepositoryName {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Tag {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RepositoryName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() <= LONGEST_REPOSITORY && text.split('/').all(is_component) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NameError::Repository(shortened(text)))
        }
    }
}

impl FromStr for Tag {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if is_tag(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NameError::Tag(shortened(text)))
        }
    }
}

/// Long enough to be recognised, short enough for a message.
fn shortened(text: &str) -> String {
    let mut characters = text.chars();
    let mut shown: String = characters.by_ref().take(80).collect();
    if characters.next().is_some() {
        shown.push('…');
    }
    shown
}

impl fmt::Display for RepositoryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_grammar_allows_is_a_repository() {
        for good in ["a", "a/b", "a__b/c-d.e", "a--b", "1/2/3", "library/python"] {
            assert!(good.parse::<RepositoryName>().is_ok(), "{good}");
        }
        let long = "a".repeat(256);
        for bad in [
            "", "/", "a/", "/a", "a//b", "A", "a_", "-a", "a..b", "a___b", "..", "a/../b", "a b",
            "a%2fb", "ä", "a\0b", &long,
        ] {
            assert!(bad.parse::<RepositoryName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn only_what_the_grammar_allows_is_a_tag() {
        for good in ["latest", "V1.2-x_y", "_", &"a".repeat(128)] {
            assert!(good.parse::<Tag>().is_ok(), "{good}");
        }
        for bad in ["", ".a", "-a", "a/b", "a b", "a:b", "ä", &"a".repeat(129)] {
            assert!(bad.parse::<Tag>().is_err(), "{bad}");
        }
    }
}
