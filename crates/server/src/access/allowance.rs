//! What a robot may do where: `team/*:pull,push`. Pure.

use std::fmt;
use std::str::FromStr;

use ergon_oci::registry::RepositoryName;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::scope::{Verb, Verbs};

/// Repositories, and what may be done to them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowance {
    repositories: Repositories,
    verbs: Verbs,
}

/// Which repositories are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Repositories {
    /// `*`
    All,
    /// `team/*`: those below.
    Below(RepositoryName),
    One(RepositoryName),
}

/// Why a text is no allowance.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseAllowanceError {
    #[error("`{0}` does not say what may be done: write it as REPOSITORY:pull,push")]
    NoVerbs(String),
    #[error("`{0}` cannot be allowed: there are pull, push, delete, and * for all of them")]
    Verb(String),
    #[error("`{0}` names no repositories: write a name, `team/*` for all below it, or `*` for all")]
    Repositories(String),
}

impl Allowance {
    pub fn allows(&self, repository: &str, verb: Verb) -> bool {
        let is_meant = match &self.repositories {
            Repositories::All => true,
            Repositories::One(name) => name.as_str() == repository,
            Repositories::Below(name) => repository
                .strip_prefix(name.as_str())
                .is_some_and(|below| below.starts_with('/')),
        };
        is_meant && self.verbs.has(verb)
    }

    /// Whether every repository may be pulled: whoever may see all may see their names.
    pub fn allows_catalog(&self) -> bool {
        self.repositories == Repositories::All && self.verbs.has(Verb::Pull)
    }
}

impl FromStr for Allowance {
    type Err = ParseAllowanceError;

    fn from_str(text: &str) -> Result<Self, ParseAllowanceError> {
        let Some((repositories, verbs)) = text.rsplit_once(':') else {
            return Err(ParseAllowanceError::NoVerbs(text.to_owned()));
        };
        let wrong = |_| ParseAllowanceError::Repositories(repositories.to_owned());
        let repositories = match repositories.strip_suffix("/*") {
            _ if repositories == "*" => Repositories::All,
            Some(above) => Repositories::Below(above.parse().map_err(wrong)?),
            None => Repositories::One(repositories.parse().map_err(wrong)?),
        };
        let verbs = verbs.split(',').try_fold(Verbs::NONE, |all, name| {
            let these = Verbs::named(name);
            let these = these.ok_or_else(|| ParseAllowanceError::Verb(name.to_owned()))?;
            Ok(all.and(these))
        })?;
        Ok(Self {
            repositories,
            verbs,
        })
    }
}

impl fmt::Display for Allowance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.repositories {
            Repositories::All => write!(f, "*:{}", self.verbs),
            Repositories::Below(name) => write!(f, "{name}/*:{}", self.verbs),
            Repositories::One(name) => write!(f, "{name}:{}", self.verbs),
        }
    }
}

impl Serialize for Allowance {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Allowance {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(allowance: &str, repository: &str, verb: Verb) -> bool {
        let allowance: Allowance = allowance.parse().unwrap();
        allowance.allows(repository, verb)
    }

    #[test]
    fn an_allowance_is_for_one_for_those_below_or_for_all() {
        assert!(allows("team/app:pull", "team/app", Verb::Pull));
        assert!(!allows("team/app:pull", "team/app2", Verb::Pull));
        assert!(!allows("team/app:pull", "team/app/x", Verb::Pull));
        assert!(allows("team/*:pull", "team/app", Verb::Pull));
        assert!(allows("team/*:pull", "team/app/x", Verb::Pull));
        assert!(!allows("team/*:pull", "team", Verb::Pull));
        assert!(!allows("team/*:pull", "teams/app", Verb::Pull));
        assert!(allows("*:pull", "anything/at/all", Verb::Pull));
    }

    #[test]
    fn what_is_not_said_is_not_allowed() {
        assert!(!allows("*:pull", "app", Verb::Push));
        assert!(!allows("*:pull,push", "app", Verb::Delete));
        assert!(allows("*:*", "app", Verb::Delete));
    }

    #[test]
    fn it_is_written_as_it_was_read() {
        for text in ["*:pull", "team/*:pull,push", "app:pull,push,delete"] {
            let allowance: Allowance = text.parse().unwrap();
            assert_eq!(allowance.to_string(), text);
            let json = serde_json::to_string(&allowance).unwrap();
            assert_eq!(serde_json::from_str::<Allowance>(&json).unwrap(), allowance);
        }
        assert_eq!(
            "app:*".parse::<Allowance>().unwrap().to_string(),
            "app:pull,push,delete"
        );
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_what_can() {
        for text in [
            "",
            "app",
            "app:",
            "app:fly",
            "app:pull,",
            "Team:pull",
            "te*m:pull",
            "*/app:pull",
            "/*:pull",
            ":pull",
        ] {
            assert!(text.parse::<Allowance>().is_err(), "{text}");
        }
    }
}
