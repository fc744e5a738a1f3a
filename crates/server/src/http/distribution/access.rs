//! Who asks the registry, and how one who is not known is told to show who they are.

use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ergon_oci::registry::{Refusal, RepositoryName};

use crate::authorize::{Action, Principal};
use crate::stack::Stack;

/// Finds out who asks: the stack's token as a bearer's, or as the password of whatever user.
#[allow(clippy::unused_async, reason = "robots are looked up")]
pub async fn identify(stack: &Stack, headers: &HeaderMap) -> Result<Principal, Refusal> {
    let credential = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '));
    let is_owner = match credential {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
            stack.token().matches(token.trim())
        }
        Some((scheme, encoded)) if scheme.eq_ignore_ascii_case("basic") => {
            password(encoded.trim()).is_some_and(|password| stack.token().matches(&password))
        }
        _ => false,
    };
    Ok(if is_owner {
        Principal::Owner
    } else {
        Principal::Nobody
    })
}

fn password(encoded: &str) -> Option<String> {
    let decoded = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    decoded
        .split_once(':')
        .map(|(_, password)| password.to_owned())
}

/// How one may show who one is.
pub fn challenge(_parts: &Parts, _repository: Option<&RepositoryName>, _action: Action) -> String {
    "Basic realm=\"ergon\"".to_owned()
}
