//! Identity tokens: what some registries leave in Docker's configuration instead of a password.
//!
//! Such a token is only ever sent to where the registry itself says that tokens are given, and is answered with a
//! short-lived one for the repository (distribution's OAuth 2 token specification, grant type `refresh_token`).
//!
//! <https://distribution.github.io/distribution/spec/auth/oauth/>

use oci_client::RegistryOperation;
use reqwest::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode, Url};
use serde::Deserialize;

use super::{CONNECT_TIMEOUT, READ_TIMEOUT, chain, is_here};

/// No answer with a token in it has a reason to be longer: 1 MiB.
pub(super) const LONGEST_ANSWER: u64 = 1 << 20;

/// Why there is no token.
pub(super) enum Failure {
    Unreachable(String),
    Refused(String),
}

impl From<reqwest::Error> for Failure {
    fn from(error: reqwest::Error) -> Self {
        Self::Unreachable(chain(&error))
    }
}

#[derive(Deserialize)]
pub(super) struct Answer {
    access_token: Option<String>,
    token: Option<String>,
    /// Seconds.
    pub expires_in: Option<u64>,
}

impl Answer {
    pub fn token(self) -> Option<String> {
        let token = self.access_token.or(self.token);
        token.filter(|token| !token.is_empty())
    }
}

/// Where a registry gives tokens, and what it calls itself there.
pub(super) struct Challenge {
    pub realm: Url,
    pub service: Option<String>,
}

/// A token for one repository, for an identity token.
pub(super) async fn exchange(
    host: &str,
    repository: &str,
    operation: &RegistryOperation,
    identity: &str,
) -> Result<String, Failure> {
    let client = Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT)
        .user_agent(concat!("ergon/", env!("CARGO_PKG_VERSION")))
        // What is sent is for nobody else.
        .redirect(Policy::none())
        .build()?;
    let scheme = if is_here(host) { "http" } else { "https" };
    let asked = client.get(format!("{scheme}://{host}/v2/")).send().await?;
    let said = asked.headers().get(WWW_AUTHENTICATE);
    let challenge = said
        .and_then(|said| said.to_str().ok())
        .and_then(challenge)
        .ok_or_else(|| Failure::Refused("it does not say where it gives tokens".to_owned()))?;
    if challenge.realm.scheme() != "https" && !challenge.realm.host_str().is_some_and(is_here) {
        let place = challenge.realm.host_str().unwrap_or_default();
        return Err(Failure::Refused(format!(
            "it gives tokens at {place} without TLS, where anybody could read the one we have"
        )));
    }
    let actions = match operation {
        RegistryOperation::Pull => "pull",
        RegistryOperation::Push => "pull,push",
    };
    let scope = format!("repository:{repository}:{actions}");
    let mut fields = vec![
        ("grant_type", "refresh_token"),
        ("client_id", "ergon"),
        ("scope", &scope),
        ("refresh_token", identity),
    ];
    fields.extend(
        challenge
            .service
            .as_deref()
            .map(|service| ("service", service)),
    );
    // The URL type writes forms, and this one goes nowhere.
    let mut form = challenge.realm.clone();
    form.query_pairs_mut().clear().extend_pairs(fields);
    let answered = client
        .post(challenge.realm)
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(form.query().unwrap_or_default().to_owned())
        .send()
        .await?;
    token(answered).await
}

async fn token(mut answered: reqwest::Response) -> Result<String, Failure> {
    let status = answered.status();
    if status != StatusCode::OK {
        return Err(Failure::Refused(format!(
            "it does not accept the identity token there is for it ({status})"
        )));
    }
    let mut content = Vec::new();
    while let Some(chunk) = answered.chunk().await? {
        content.extend_from_slice(&chunk);
        if content.len() as u64 > LONGEST_ANSWER {
            return Err(Failure::Refused("its token is too long".to_owned()));
        }
    }
    let answer: Option<Answer> = serde_json::from_slice(&content).ok();
    answer
        .and_then(Answer::token)
        .ok_or_else(|| Failure::Refused("it answered with no token".to_owned()))
}

/// What a registry says of where it gives tokens; `None` where it wants none.
pub(super) fn challenge(said: &str) -> Option<Challenge> {
    let challenges = http_auth::parse_challenges(said).ok()?;
    let bearer = challenges
        .into_iter()
        .find(|known| known.scheme.eq_ignore_ascii_case("bearer"))?;
    let parameter = |name: &str| {
        let mut known = bearer.params.iter();
        let found = known.find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.to_unescaped())
    };
    Some(Challenge {
        realm: Url::parse(&parameter("realm")?).ok()?,
        service: parameter("service"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_says_where_it_gives_tokens() {
        let found = challenge(
            r#"Bearer realm="https://auth.example/token",service="registry.example",scope="x""#,
        );
        let found = found.unwrap();
        assert_eq!(found.realm.as_str(), "https://auth.example/token");
        assert_eq!(found.service.as_deref(), Some("registry.example"));
        for none in [
            "",
            r#"Basic realm="x""#,
            "Bearer",
            r#"Bearer realm="token""#,
        ] {
            assert!(challenge(none).is_none(), "{none}");
        }
    }
}
