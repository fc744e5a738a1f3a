//! Passkeys: adding one, signing in with one, and which somebody has.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::{Extension, Json};
use ergon_store::PasskeyRow;

use crate::api::{AddPasskey, List, Passkey, PasskeyChallenge, RenamePasskey};
use crate::authorize::Principal;
use crate::http::authenticate::Credential;
use crate::http::extract::{Body, Name};
use crate::http::hosts::own_origin;
use crate::http::peer::Peer;
use crate::http::problem::Failure;
use crate::sign_in::{PasskeyError, Place};
use crate::stack::Stack;
use crate::words::rfc3339;

/// Begin to sign in with a passkey. The answer is for the browser's `navigator.credentials.get`; what that gives is good for
/// one `POST /api/v1/session` within five minutes. 422 where the stack is asked under an address: passkeys are for names.
#[utoipa::path(post, path = "/api/v1/sign-in", operation_id = "begin_passkey_sign_in", tag = "session",
    responses((status = 200, body = PasskeyChallenge)))]
pub async fn begin(
    State(stack): State<Stack>,
    peer: Option<Extension<Arc<Peer>>>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Json<PasskeyChallenge>, Failure> {
    let address = peer.map(|Extension(peer)| peer.address.ip());
    stack.sign_in_limits.count(None, address)?;
    let options = stack
        .passkeys()
        .begin_sign_in(place(&stack, &headers, &uri)?)?;
    Ok(Json(PasskeyChallenge { options }))
}

/// The passkeys of somebody, the oldest first.
#[utoipa::path(get, path = "/api/v1/people/{name}/passkeys", operation_id = "person_passkeys", tag = "people",
    params(("name" = String, Path)),
    responses((status = 200, body = List<Passkey>)))]
pub async fn list(
    State(stack): State<Stack>,
    Name(name): Name,
) -> Result<Json<List<Passkey>>, Failure> {
    stack.people().get(&name)?;
    let passkeys = stack.passkeys().list(&name).await?;
    Ok(Json(List {
        items: passkeys.into_iter().map(view).collect(),
    }))
}

/// Begin to add a passkey of one's own. The answer is for the browser's `navigator.credentials.create`; what that gives is
/// good for one `POST …/passkeys` within five minutes.
#[utoipa::path(post, path = "/api/v1/people/{name}/passkey-challenges", operation_id = "begin_passkey", tag = "people",
    params(("name" = String, Path)),
    responses((status = 200, body = PasskeyChallenge)))]
pub async fn begin_adding(
    State(stack): State<Stack>,
    Extension(principal): Extension<Principal>,
    Extension(credential): Extension<Credential>,
    uri: Uri,
    headers: HeaderMap,
    Name(name): Name,
) -> Result<Json<PasskeyChallenge>, Failure> {
    check_oneself(&stack, &principal, &credential, &name)?;
    let place = place(&stack, &headers, &uri)?;
    let options = stack.passkeys().begin_adding(&name, place).await?;
    Ok(Json(PasskeyChallenge { options }))
}

/// Add the passkey that one's device made.
#[utoipa::path(post, path = "/api/v1/people/{name}/passkeys", operation_id = "add_passkey", tag = "people",
    params(("name" = String, Path)),
    request_body = AddPasskey,
    responses((status = 201, body = Passkey)))]
pub async fn add(
    State(stack): State<Stack>,
    Extension(principal): Extension<Principal>,
    Extension(credential): Extension<Credential>,
    Name(name): Name,
    Body(body): Body<AddPasskey>,
) -> Result<(StatusCode, Json<Passkey>), Failure> {
    check_oneself(&stack, &principal, &credential, &name)?;
    let passkeys = stack.passkeys();
    let about = body.about.as_deref();
    let added = passkeys.add(&name, about, &body.credential).await?;
    Ok((StatusCode::CREATED, Json(view(added))))
}

/// Call a passkey otherwise.
#[utoipa::path(patch, path = "/api/v1/people/{name}/passkeys/{id}", operation_id = "rename_passkey", tag = "people",
    params(("name" = String, Path), ("id" = String, Path)),
    request_body = RenamePasskey,
    responses((status = 200, body = Passkey)))]
pub async fn rename(
    State(stack): State<Stack>,
    Path((name, id)): Path<(String, String)>,
    Body(body): Body<RenamePasskey>,
) -> Result<Json<Passkey>, Failure> {
    let renamed = stack.passkeys().rename(&name, &id, &body.about).await?;
    Ok(Json(view(renamed)))
}

/// Forget a passkey: it lets nobody in any more.
#[utoipa::path(delete, path = "/api/v1/people/{name}/passkeys/{id}", operation_id = "remove_passkey", tag = "people",
    params(("name" = String, Path), ("id" = String, Path)),
    responses((status = 204)))]
pub async fn remove(
    State(stack): State<Stack>,
    Path((name, id)): Path<(String, String)>,
) -> Result<StatusCode, Failure> {
    stack.passkeys().remove(&name, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Where the browser that asks has the stack. The host is one of ours: others were refused before.
fn place(stack: &Stack, headers: &HeaderMap, uri: &Uri) -> Result<Place, Failure> {
    let origin = own_origin(headers, uri, stack.tls().is_some());
    let origin = origin.ok_or_else(|| Failure::bad_request("the request names no host"))?;
    Ok(Place::of(&origin)?)
}

/// Nobody has a passkey made for somebody else, and no program for its person.
fn check_oneself(
    stack: &Stack,
    principal: &Principal,
    credential: &Credential,
    name: &str,
) -> Result<(), Failure> {
    let is_session = matches!(credential, Credential::Cookie(_));
    if !is_session || principal.name() != name {
        return Err(PasskeyError::NotOneself.into());
    }
    Ok(stack.people().get(name)?.check_means()?)
}

fn view(row: PasskeyRow) -> Passkey {
    Passkey {
        id: row.id,
        about: row.about,
        host: row.host,
        created_at: rfc3339(row.created_at),
        last_used_at: row.last_used_at.map(rfc3339),
    }
}
