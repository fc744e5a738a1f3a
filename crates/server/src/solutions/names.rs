//! What solutions are called: `name@version`. Pure.

use std::fmt;
use std::str::FromStr;

use semver::Version;

/// The longest name.
const LONGEST: usize = 64;

/// Why a text is not what a solution is called.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    #[error(
        "`{0}` cannot be a solution's name: it has lower-case letters, digits and `-`, begins with a letter, and 64 at most"
    )]
    Name(String),
    #[error("`{version}` is no semantic version: {reason}")]
    Version { version: String, reason: String },
    #[error("`{0}` names no version; write it as name@version")]
    NoVersion(String),
}

/// A solution's name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SolutionName(String);

impl SolutionName {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SolutionName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let is_right = text.starts_with(|first: char| first.is_ascii_lowercase())
            && !text.ends_with('-')
            && text.len() <= LONGEST
            && text
                .bytes()
                .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
        if is_right {
            Ok(Self(text.to_owned()))
        } else {
            Err(NameError::Name(text.to_owned()))
        }
    }
}

impl fmt::Display for SolutionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One version of a solution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SolutionVersion {
    pub name: SolutionName,
    pub version: Version,
}

impl FromStr for SolutionVersion {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let SolutionReference { name, version } = text.parse()?;
        let version = version.ok_or_else(|| NameError::NoVersion(text.to_owned()))?;
        Ok(Self { name, version })
    }
}

impl fmt::Display for SolutionVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.name, self.version)
    }
}

/// A solution, and which version of it where that is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SolutionReference {
    pub name: SolutionName,
    pub version: Option<Version>,
}

impl FromStr for SolutionReference {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let (name, version) = match text.split_once('@') {
            Some((name, version)) => (name, Some(parse_version(version)?)),
            None => (text, None),
        };
        Ok(Self {
            name: name.parse()?,
            version,
        })
    }
}

/// A semantic version, in the one form of it.
pub fn parse_version(text: &str) -> Result<Version, NameError> {
    Version::parse(text).map_err(|error| NameError::Version {
        version: text.to_owned(),
        reason: error.to_string(),
    })
}

/// The version after these where nobody says which: a minor one, since what was is not known to break.
pub fn next_version(known: &[Version]) -> Version {
    let finished = known.iter().filter(|version| version.pre.is_empty());
    match finished.max() {
        Some(newest) => Version::new(newest.major, newest.minor.saturating_add(1), 0),
        None => Version::new(0, 1, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_solution_is_called_by_name_and_semantic_version() {
        let parsed: SolutionVersion = "web-shop@1.2.3-rc.1".parse().unwrap();
        assert_eq!(parsed.to_string(), "web-shop@1.2.3-rc.1");
        for wrong in ["Web", "1web", "web_shop", "web-", "", "a/b", "../x", "wéb"] {
            assert!(matches!(
                wrong.parse::<SolutionName>(),
                Err(NameError::Name(_))
            ));
        }
        assert!("w".repeat(65).parse::<SolutionName>().is_err());
        for wrong in ["web@1", "web@1.2", "web@01.2.3", "web@v1.2.3", "web@"] {
            assert!(
                matches!(
                    wrong.parse::<SolutionReference>(),
                    Err(NameError::Version { .. })
                ),
                "{wrong}"
            );
        }
        assert_eq!(
            "web".parse::<SolutionVersion>(),
            Err(NameError::NoVersion("web".to_owned()))
        );
    }

    #[test]
    fn the_next_version_follows_the_highest_finished_one() {
        let versions = |texts: &[&str]| -> Vec<Version> {
            texts.iter().map(|text| text.parse().unwrap()).collect()
        };
        assert_eq!(next_version(&[]), Version::new(0, 1, 0));
        let known = versions(&["0.9.0", "0.10.2", "1.0.0-rc.1"]);
        assert_eq!(next_version(&known), Version::new(0, 11, 0));
    }
}
