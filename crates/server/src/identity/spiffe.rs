//! Identities as SPIFFE writes them: `spiffe://<stack>/ci/<name>`. Pure.

use std::fmt;

use ergon_hermes::Name;

/// Where companions are in a trust domain.
const COMPANIONS: &str = "ci";
/// The stack itself.
const STACK: &str = "stack";
/// The longest identity that SPIFFE allows, in bytes.
const LONGEST: usize = 2048;

/// A stack as others name it: its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustDomain(String);

/// Who somebody is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// The stack itself.
    Stack,
    /// A companion, by its name in small letters.
    Companion(String),
}

/// A text is no identity of this stack's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    #[error("it is no SPIFFE identity")]
    NoIdentity,
    #[error("it is of another stack: {0}")]
    OtherStack(String),
    #[error("it is neither a companion's nor the stack's")]
    Path,
}

impl TrustDomain {
    /// The trust domain of the stack with this id.
    pub fn of(stack: &str) -> Self {
        Self(stack.to_ascii_lowercase())
    }

    /// An identity in it, as a URI.
    pub fn uri(&self, identity: &Identity) -> String {
        match identity {
            Identity::Stack => format!("spiffe://{}/{STACK}", self.0),
            Identity::Companion(name) => format!("spiffe://{}/{COMPANIONS}/{name}", self.0),
        }
    }

    /// Its own URI, which its root certificate holds.
    pub fn root(&self) -> String {
        format!("spiffe://{}", self.0)
    }

    /// Whom a URI stands for.
    pub fn read(&self, uri: &str) -> Result<Identity, IdentityError> {
        let rest = uri.strip_prefix("spiffe://");
        let rest = rest.filter(|_| uri.len() <= LONGEST);
        let (domain, path) = rest
            .and_then(|rest| rest.split_once('/'))
            .ok_or(IdentityError::NoIdentity)?;
        if domain != self.0 {
            let shown = domain.chars().take(80).collect();
            return Err(IdentityError::OtherStack(shown));
        }
        if path == STACK {
            return Ok(Identity::Stack);
        }
        match path.split_once('/') {
            Some((COMPANIONS, name)) => Identity::companion(name).ok_or(IdentityError::Path),
            _ => Err(IdentityError::Path),
        }
    }
}

impl fmt::Display for TrustDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Identity {
    /// A companion by a name that is one, and is written in small letters.
    fn companion(name: &str) -> Option<Self> {
        let key = name.parse::<Name>().ok()?.key();
        (key == name).then_some(Self::Companion(key))
    }

    /// The companion of a name in any case.
    pub fn of(name: &Name) -> Self {
        Self::Companion(name.key())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_is_read_as_it_is_written() {
        let stack = TrustDomain::of("bcdf0123");
        for identity in [
            Identity::Stack,
            Identity::Companion("numa".to_owned()),
            Identity::Companion("web-ci.2_x".to_owned()),
        ] {
            assert_eq!(stack.read(&stack.uri(&identity)), Ok(identity));
        }
        let name: Name = "Numa".parse().unwrap();
        assert_eq!(stack.uri(&Identity::of(&name)), "spiffe://bcdf0123/ci/numa");
    }

    #[test]
    fn nothing_else_is_one_of_this_stacks() {
        let stack = TrustDomain::of("bcdf0123");
        for (uri, error) in [
            ("", IdentityError::NoIdentity),
            ("https://bcdf0123/ci/numa", IdentityError::NoIdentity),
            ("spiffe://bcdf0123", IdentityError::NoIdentity),
            ("SPIFFE://bcdf0123/ci/numa", IdentityError::NoIdentity),
            (
                "spiffe://other/ci/numa",
                IdentityError::OtherStack("other".to_owned()),
            ),
            (
                "spiffe://bcdf0123:443/ci/numa",
                IdentityError::OtherStack("bcdf0123:443".to_owned()),
            ),
            (
                "spiffe://a@bcdf0123/ci/numa",
                IdentityError::OtherStack("a@bcdf0123".to_owned()),
            ),
            ("spiffe://bcdf0123/", IdentityError::Path),
            ("spiffe://bcdf0123/ci", IdentityError::Path),
            ("spiffe://bcdf0123/ci/", IdentityError::Path),
            ("spiffe://bcdf0123/ci/Numa", IdentityError::Path),
            ("spiffe://bcdf0123/ci/numa/", IdentityError::Path),
            ("spiffe://bcdf0123/ci/numa/x", IdentityError::Path),
            ("spiffe://bcdf0123/ci/../stack", IdentityError::Path),
            ("spiffe://bcdf0123/ci/n%75ma", IdentityError::Path),
            ("spiffe://bcdf0123/ci/numa?x", IdentityError::Path),
            ("spiffe://bcdf0123/ci//numa", IdentityError::Path),
            ("spiffe://bcdf0123/tool/numa", IdentityError::Path),
            ("spiffe://bcdf0123//stack", IdentityError::Path),
        ] {
            assert_eq!(stack.read(uri), Err(error), "{uri}");
        }
        let long = format!("spiffe://bcdf0123/ci/{}", "a".repeat(LONGEST));
        assert_eq!(stack.read(&long), Err(IdentityError::NoIdentity));
    }
}
