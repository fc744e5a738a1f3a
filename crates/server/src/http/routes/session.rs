//! Signing in, who one is, signing out.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};

use crate::api::{Session, SignIn, SignInLink};
use crate::authorize::Principal;
use crate::http::authenticate::{Credential, clear_cookie, session_cookie};
use crate::http::extract::Body;
use crate::http::problem::Failure;
use crate::stack::Stack;

/// Trade a one-time sign-in code for a session cookie.
#[utoipa::path(post, path = "/api/v1/session", operation_id = "sign_in", tag = "session",
    request_body = SignIn,
    responses((status = 200, body = Session, description = "Signed in; the cookie `ergon_session` is set.")))]
pub async fn sign_in(
    State(stack): State<Stack>,
    Body(body): Body<SignIn>,
) -> Result<Response, Failure> {
    let session = stack.sessions().sign_in(&body.code).await?;
    let answer = Json(stack.describe(&Principal::Owner));
    Ok((
        [(
            header::SET_COOKIE,
            session_cookie(&session, stack.tls().is_some()),
        )],
        answer,
    )
        .into_response())
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

/// A fresh sign-in link, good for one sign-in within ten minutes.
#[utoipa::path(post, path = "/api/v1/session/code", operation_id = "create_sign_in_code", tag = "session",
    responses((status = 200, body = SignInLink)))]
pub async fn create_code(State(stack): State<Stack>) -> Result<Json<SignInLink>, Failure> {
    let code = stack.sessions().new_code().await?;
    let url = stack.sign_in_url(&code);
    Ok(Json(SignInLink { code, url }))
}
