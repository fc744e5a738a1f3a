//! Signing in, who one is, signing out.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Response};
use axum::{Extension, Json};

use super::people::new_link;
use crate::api::{Session, SignIn, SignInLink};
use crate::authorize::Principal;
use crate::http::authenticate::{
    Credential, clear_cookie, clear_sign_in_cookie, session_cookie, signing_in,
};
use crate::http::extract::Body;
use crate::http::peer::Peer;
use crate::http::problem::Failure;
use crate::people::OWNER;
use crate::sessions::{Lasts, Origin, Patience, SignInError};
use crate::sign_in::{Returned, come_back};
use crate::stack::Stack;

/// Trade a one-time sign-in code, a name and a password, a passkey, or what one came back with from an identity provider for a
/// session cookie. 429 where there were too many tries.
#[utoipa::path(post, path = "/api/v1/session", operation_id = "sign_in", tag = "session",
    request_body = SignIn,
    responses((status = 200, body = Session, description = "Signed in; the cookie `ergon_session` is set.")))]
pub async fn sign_in(
    State(stack): State<Stack>,
    peer: Option<Extension<Arc<Peer>>>,
    headers: HeaderMap,
    Body(body): Body<SignIn>,
) -> Result<Response, Failure> {
    let address = peer.map(|Extension(peer)| peer.address.ip());
    let agent = headers.get(header::USER_AGENT);
    let from = Origin {
        agent: agent
            .and_then(|agent| agent.to_str().ok())
            .unwrap_or_default()
            .to_owned(),
        address,
    };
    let (sessions, people) = (stack.sessions(), stack.people());
    // Another system has to be asked again soon whether it still knows them.
    let lasts = |name: &str| match people.get(name) {
        Ok(person) if person.vouched_at.is_some() => Lasts::Short,
        _ => Lasts::Long,
    };
    let shown = (
        body.code,
        body.name,
        body.password,
        body.returned,
        body.passkey,
    );
    let (secret, name) = match shown {
        (Some(code), None, None, None, None) => {
            stack.sign_in_limits.count(None, address)?;
            sessions.sign_in(&code, &from, lasts).await?
        }
        (None, None, None, None, Some(passkey)) => {
            stack.sign_in_limits.count(None, address)?;
            let name = stack.passkeys().sign_in(&passkey).await?;
            (sessions.open(&name, &from, lasts(&name)).await?, name)
        }
        (None, None, None, Some(back), None) => {
            stack.sign_in_limits.count(None, address)?;
            let returned = Returned {
                state: back.state,
                code: back.code,
                issuer: back.iss,
            };
            let (providers, browser) = (stack.identity_providers(), signing_in(&headers));
            let person = come_back(providers, people, returned, browser.as_ref()).await?;
            let name = person.name.clone();
            (sessions.open(&name, &from, lasts(&name)).await?, name)
        }
        (None, Some(name), Some(password), None, None) => {
            // Names that are nobody's are one name to whoever counts.
            let counted = if people.is_known(&name) {
                name.as_str()
            } else {
                ""
            };
            stack.sign_in_limits.count(Some(counted), address)?;
            let found = people.with_password(&name, password).await?;
            found.ok_or(SignInError::WrongPassword)?;
            (sessions.open(&name, &from, lasts(&name)).await?, name)
        }
        _ => return Err(SignInError::Incomplete.into()),
    };
    // Whoever may not come in any more has no use of a link from before.
    let Some(principal) = people.principal(&name) else {
        sessions.end(&secret).await?;
        return Err(SignInError::WrongCode.into());
    };
    let answer = Json(stack.describe(&principal));
    let cookie = session_cookie(&secret, lasts(&name), stack.tls().is_some());
    let used_up = signing_in(&headers).map(|_| clear_sign_in_cookie());
    let cookies = std::iter::once(cookie).chain(used_up);
    let cookies = AppendHeaders(cookies.map(|cookie| (header::SET_COOKIE, cookie)));
    Ok((cookies, answer).into_response())
}

/// Who is asking, and which stack answers.
#[utoipa::path(get, path = "/api/v1/session", operation_id = "session", tag = "session",
    responses((status = 200, body = Session)))]
pub async fn session(
    State(stack): State<Stack>,
    Extension(principal): Extension<Principal>,
) -> Json<Session> {
    Json(stack.describe(&principal))
}

/// Sign out: the session ends, its cookie goes.
#[utoipa::path(delete, path = "/api/v1/session", operation_id = "sign_out", tag = "session",
    responses((status = 204)))]
pub async fn sign_out(
    State(stack): State<Stack>,
    Extension(credential): Extension<Credential>,
) -> Result<Response, Failure> {
    if let Credential::Cookie(token) = credential {
        stack.sessions().end(&token).await?;
    }
    Ok((
        StatusCode::NO_CONTENT,
        [(header::SET_COOKIE, clear_cookie(stack.tls().is_some()))],
    )
        .into_response())
}

/// A fresh sign-in link for whoever asks, good for one sign-in within ten minutes.
#[utoipa::path(post, path = "/api/v1/session/code", operation_id = "create_sign_in_code", tag = "session",
    responses((status = 200, body = SignInLink)))]
pub async fn create_code(
    State(stack): State<Stack>,
    Extension(principal): Extension<Principal>,
) -> Result<Json<SignInLink>, Failure> {
    let name = match &principal {
        Principal::Person(person) => {
            person.check_means()?;
            person.name.as_str()
        }
        // Robots and sockets have no account to sign in to; what lets them ask for a link is an owner's word.
        _ if principal.is_owner() => OWNER,
        _ => {
            let detail = format!("{} is nobody who signs in", principal.name());
            return Err(Failure::new(StatusCode::FORBIDDEN, detail));
        }
    };
    Ok(Json(new_link(&stack, name, Patience::Minutes).await?))
}
