//! Names of secrets: words with dashes, so that each is one file and one variable.

use std::fmt;
use std::str::FromStr;

/// A name that a secret can have: `db-password`.
///
/// As a file it stands for itself; as a variable, `DB_PASSWORD`, it is no other secret's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretName(String);

/// Why a text is no name of a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "it is no name of a secret: small letters, digits and single dashes between them, a letter first, at most 63, as `db-password`"
)]
pub struct SecretNameError;

impl SecretName {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SecretName {
    type Err = SecretNameError;

    fn from_str(text: &str) -> Result<Self, SecretNameError> {
        if ergon_manifest::is_secret_name(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(SecretNameError)
        }
    }
}

impl fmt::Display for SecretName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_words_with_dashes() {
        for good in ["a", "db-password", "tls2-key", &"a".repeat(63)] {
            assert_eq!(good.parse::<SecretName>().unwrap().to_string(), good);
        }
        for bad in [
            "",
            "-a",
            "a-",
            "a--b",
            "A",
            "a_b",
            "a/b",
            "..",
            ".",
            "2fa",
            "ä",
            "a\0",
            "a\nb",
            "a b",
            "a%2fb",
            &"a".repeat(64),
        ] {
            assert_eq!(bad.parse::<SecretName>(), Err(SecretNameError), "{bad}");
        }
    }
}
