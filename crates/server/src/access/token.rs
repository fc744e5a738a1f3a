//! Tokens of the token service: who it was given to, what for, until when; signed, and kept nowhere.
//!
//! They are JSON Web Tokens (RFC 7519) as Docker's token specification describes them, signed with
//! HMAC-SHA256: the stack that gives them is the one that takes them. Pure; the time is handed in.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// No token of ours is longer; longer ones are not read.
const LONGEST: usize = 32 * 1024;
/// The one header that our tokens have. Nothing in a token says how it is to be checked.
const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// It is shown to the registry.
    Access,
    /// It is shown to the token service, instead of a secret.
    Refresh,
}

/// What a token says. Names of fields are those of RFC 7519 and of Docker's specification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The stack that gave it.
    pub iss: String,
    /// Who it was given to; empty: nobody.
    pub sub: String,
    /// The stack that takes it.
    pub aud: String,
    /// Seconds since 1970, from which on it is worth nothing; absent: it does not expire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exp: Option<i64>,
    /// When it was given.
    pub iat: i64,
    /// Unlike any other's.
    pub jti: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub access: Vec<Access>,
    pub purpose: Purpose,
    /// Which secret of the subject it was given for: when that was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_at: Option<i64>,
}

/// One thing that a token opens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    #[serde(rename = "type")]
    pub kind: String,
    pub name: String,
    pub actions: Vec<String>,
}

/// The key that tokens are signed with.
#[derive(Clone)]
pub struct Key(Hmac<Sha256>);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(…)")
    }
}

impl Key {
    /// A key that follows from a secret, so that tokens outlive a restart and end with the secret.
    pub fn derived(secret: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"ergon: tokens of the image registry, 1\0");
        hash.update(secret);
        // A key as long as a block of the hash is taken as it is.
        let mut block = [0; 64];
        block[..32].copy_from_slice(&hash.finalize());
        Self(Hmac::new(&block.into()))
    }

    pub fn sign(&self, claims: &Claims) -> String {
        // The types of claims can always be written as JSON.
        let claims = serde_json::to_vec(claims).unwrap_or_default();
        let signed = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(HEADER),
            URL_SAFE_NO_PAD.encode(claims)
        );
        let signature = self.0.clone().chain_update(&signed).finalize().into_bytes();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// What a token says, if it is ours, for this stack, for this purpose and not too old.
    pub fn verify(&self, token: &str, stack: &str, purpose: Purpose, now: i64) -> Option<Claims> {
        if token.len() > LONGEST {
            return None;
        }
        let (signed, signature) = token.rsplit_once('.')?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        let mac = self.0.clone().chain_update(signed);
        mac.verify_slice(&signature).ok()?;
        let (header, claims) = signed.split_once('.')?;
        if URL_SAFE_NO_PAD.decode(header).ok()? != HEADER.as_bytes() {
            return None;
        }
        let claims: Claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
        let is_ours = claims.iss == stack && claims.aud == stack && claims.purpose == purpose;
        let is_fresh = claims.exp.is_none_or(|end| now < end);
        (is_ours && is_fresh).then_some(claims)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn claims() -> Claims {
        Claims {
            iss: "stack".to_owned(),
            sub: "robot:ci".to_owned(),
            aud: "stack".to_owned(),
            exp: Some(NOW + 300),
            iat: NOW,
            jti: "x".to_owned(),
            access: vec![Access {
                kind: "repository".to_owned(),
                name: "team/app".to_owned(),
                actions: vec!["pull".to_owned()],
            }],
            purpose: Purpose::Access,
            secret_at: Some(7),
        }
    }

    fn key(secret: &str) -> Key {
        Key::derived(secret)
    }

    fn verify(token: &str, now: i64) -> Option<Claims> {
        key("secret").verify(token, "stack", Purpose::Access, now)
    }

    #[test]
    fn a_token_says_what_it_was_given_for() {
        let token = key("secret").sign(&claims());
        assert_eq!(verify(&token, NOW), Some(claims()));
    }

    #[test]
    fn a_token_ends_with_its_second() {
        let token = key("secret").sign(&claims());
        assert!(verify(&token, NOW + 299).is_some());
        assert!(verify(&token, NOW + 300).is_none());
        let lasting = key("secret").sign(&Claims {
            exp: None,
            ..claims()
        });
        assert!(verify(&lasting, NOW * 2).is_some());
    }

    #[test]
    fn a_token_is_for_one_stack_one_purpose_and_one_secret() {
        let token = key("secret").sign(&claims());
        assert!(
            key("other")
                .verify(&token, "stack", Purpose::Access, NOW)
                .is_none()
        );
        assert!(
            key("secret")
                .verify(&token, "other", Purpose::Access, NOW)
                .is_none()
        );
        assert!(
            key("secret")
                .verify(&token, "stack", Purpose::Refresh, NOW)
                .is_none()
        );
    }

    #[test]
    fn a_token_that_was_touched_is_worth_nothing() {
        let token = key("secret").sign(&claims());
        for place in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
            let touched = String::from_utf8(bytes).unwrap();
            assert!(verify(&touched, NOW).is_none(), "{place}: {touched}");
        }
        for touched in [
            "",
            ".",
            "..",
            "...",
            "a.b.c",
            &token[..token.len() - 1],
            &format!("{token}A"),
        ] {
            assert!(verify(touched, NOW).is_none(), "{touched}");
        }
    }

    #[test]
    fn no_token_says_itself_how_it_is_checked() {
        let token = key("secret").sign(&claims());
        let body = token.split('.').nth(1).unwrap();
        let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#);
        assert!(verify(&format!("{none}.{body}."), NOW).is_none());
        // Signed with our key, and yet with another header.
        let signed = format!("{none}.{body}");
        let signature = key("secret")
            .0
            .chain_update(&signed)
            .finalize()
            .into_bytes();
        let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature));
        assert!(verify(&token, NOW).is_none());
    }
}
