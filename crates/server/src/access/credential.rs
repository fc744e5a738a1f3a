//! What a client shows in `Authorization`. Pure.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// With or without padding: clients write both.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A credential as it came in; whether it is good is another question.
#[derive(Clone, PartialEq, Eq)]
pub enum Credential {
    Basic { user: String, password: String },
    Bearer(String),
}

impl Credential {
    /// Reads the header's value. None where it is nothing of the kind.
    pub fn parse(value: &str) -> Option<Self> {
        let (scheme, rest) = value.trim().split_once(' ')?;
        let rest = rest.trim();
        if scheme.eq_ignore_ascii_case("bearer") {
            return (!rest.is_empty()).then(|| Self::Bearer(rest.to_owned()));
        }
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let text = String::from_utf8(BASE64.decode(rest).ok()?).ok()?;
        let (user, password) = text.split_once(':')?;
        Some(Self::Basic {
            user: user.to_owned(),
            password: password.to_owned(),
        })
    }
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Basic { user, .. } => write!(f, "Basic({user}, …)"),
            Self::Bearer(_) => f.write_str("Bearer(…)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_read_as_clients_write_them() {
        let basic = |user: &str, password: &str| Credential::Basic {
            user: user.to_owned(),
            password: password.to_owned(),
        };
        for (value, meant) in [
            ("Basic ZXJnb246dG9rZW4=", basic("ergon", "token")),
            ("basic ZXJnb246dG9rZW4", basic("ergon", "token")),
            // Only the first colon divides.
            ("Basic Y2k6YTpi", basic("ci", "a:b")),
            ("Basic Og==", basic("", "")),
            ("Bearer x.y.z", Credential::Bearer("x.y.z".to_owned())),
            ("BEARER  x ", Credential::Bearer("x".to_owned())),
        ] {
            assert_eq!(Credential::parse(value), Some(meant), "{value}");
        }
    }

    #[test]
    fn what_is_no_credential_is_none() {
        for value in [
            "",
            "Basic",
            "Bearer",
            "Bearer ",
            "Basic %",
            "Basic ZXJnb24=",
            "Digest x",
            "Basic /w==",
        ] {
            assert_eq!(Credential::parse(value), None, "{value}");
        }
    }

    #[test]
    fn a_credential_never_shows_itself() {
        let shown = format!("{:?}", Credential::parse("Basic ZXJnb246dG9rZW4=").unwrap());
        assert_eq!(shown, "Basic(ergon, …)");
    }
}
