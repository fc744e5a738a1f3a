//! What a client without a good credential is told: where to get one, and for what. Pure.

use std::fmt::Write as _;

use super::scope::Scopes;

/// What was wrong with what the client had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    /// It had none.
    Nothing,
    /// It has expired, or never was good.
    Invalid,
    /// It is good, for other things.
    Insufficient,
}

/// `WWW-Authenticate` of the registry: a token, to be had at `realm`.
///
/// `authority` is the host that the client itself named, which is one of ours.
pub fn bearer_challenge(scheme: &str, authority: &str, scopes: &Scopes, lack: Lack) -> String {
    let realm = quoted(&format!("{scheme}://{authority}/v2/token"));
    let mut challenge = format!("Bearer realm={realm},service={}", quoted(authority));
    if scopes.iter().next().is_some() {
        let _ = write!(challenge, ",scope={}", quoted(&scopes.to_string()));
    }
    match lack {
        Lack::Nothing => {}
        Lack::Invalid => challenge.push_str(",error=\"invalid_token\""),
        Lack::Insufficient => challenge.push_str(",error=\"insufficient_scope\""),
    }
    challenge
}

/// `WWW-Authenticate` of the token service itself: a name and a secret.
pub fn basic_challenge() -> &'static str {
    "Basic realm=\"ergon\",charset=\"UTF-8\""
}

/// A quoted string of RFC 9110.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{Scope, Verb, Verbs};

    #[test]
    fn a_challenge_says_where_and_for_what() {
        let verbs: Verbs = [Verb::Pull, Verb::Push].into_iter().collect();
        let scope = Scope::repository("team/app".parse().unwrap(), verbs);
        let scopes: Scopes = [scope].into_iter().collect();
        let challenge =
            |scopes: &Scopes, lack| bearer_challenge("http", "localhost:7411", scopes, lack);
        assert_eq!(
            challenge(&scopes, Lack::Nothing),
            "Bearer realm=\"http://localhost:7411/v2/token\",service=\"localhost:7411\",scope=\"repository:team/app:pull,push\""
        );
        assert_eq!(
            challenge(&Scopes::default(), Lack::Invalid),
            "Bearer realm=\"http://localhost:7411/v2/token\",service=\"localhost:7411\",error=\"invalid_token\""
        );
        let insufficient = challenge(&scopes, Lack::Insufficient);
        assert!(insufficient.ends_with(",error=\"insufficient_scope\""));
    }

    #[test]
    fn nothing_breaks_out_of_its_quotes() {
        assert_eq!(quoted(r#"a"b\c"#), r#""a\"b\\c""#);
    }
}
