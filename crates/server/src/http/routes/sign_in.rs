//! What one can sign in with, and whose accounts are good here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};

use crate::api::{
    IdentityProvider, List, PutIdentityProvider, SignInBegun, SignInProvider, SignInWays,
};
use crate::authorize::Role;
use crate::http::authenticate::sign_in_cookie;
use crate::http::extract::{Body, Name};
use crate::http::hosts::own_origin;
use crate::http::peer::Peer;
use crate::http::problem::Failure;
use crate::sign_in;
use crate::stack::Stack;
use crate::words::rfc3339;

/// The page to which people come back from an identity provider.
const RETURN: &str = "/signed-in";

/// What one can sign in with here, beside links and passwords.
#[utoipa::path(get, path = "/api/v1/sign-in", operation_id = "sign_in_ways", tag = "session",
    responses((status = 200, body = SignInWays)))]
pub async fn ways(State(stack): State<Stack>, uri: Uri, headers: HeaderMap) -> Json<SignInWays> {
    let providers = stack.identity_providers().list();
    let shown = |provider: &Arc<sign_in::IdentityProvider>| SignInProvider {
        name: provider.name.clone(),
        title: provider.title.clone(),
    };
    let origin = own_origin(&headers, &uri, stack.tls().is_some());
    Json(SignInWays {
        passkeys: origin.is_some_and(|origin| sign_in::Place::of(&origin).is_ok()),
        providers: providers.iter().map(shown).collect(),
    })
}

/// Begin to sign in with an account elsewhere. The answer says where to go; one comes back to `/signed-in`, and what one
/// comes back with is good for one `POST /api/v1/session` in the same browser, within ten minutes.
#[utoipa::path(post, path = "/api/v1/sign-in/{name}", operation_id = "begin_sign_in", tag = "session",
    params(("name" = String, Path, description = "Of an identity provider.")),
    responses((status = 200, body = SignInBegun)))]
pub async fn begin(
    State(stack): State<Stack>,
    peer: Option<Extension<Arc<Peer>>>,
    uri: Uri,
    headers: HeaderMap,
    Name(name): Name,
) -> Result<Response, Failure> {
    let address = peer.map(|Extension(peer)| peer.address.ip());
    stack.sign_in_limits.count(None, address)?;
    let is_secure = stack.tls().is_some();
    // The host is one of ours: whoever asks under another name is refused before.
    let origin = own_origin(&headers, &uri, is_secure)
        .ok_or_else(|| Failure::bad_request("the request names no host"))?;
    let return_to = format!("{origin}{RETURN}");
    let begun = stack.identity_providers().begin(&name, return_to).await?;
    let answer = SignInBegun {
        url: begun.url.into(),
    };
    let cookie = sign_in_cookie(&begun.browser, is_secure);
    Ok(([(header::SET_COOKIE, cookie)], Json(answer)).into_response())
}

/// Whose accounts sign in here, in the order of their names.
#[utoipa::path(get, path = "/api/v1/identity-providers", operation_id = "list_identity_providers", tag = "people",
    responses((status = 200, body = List<IdentityProvider>)))]
pub async fn list(State(stack): State<Stack>) -> Json<List<IdentityProvider>> {
    let providers = stack.identity_providers().list();
    let items = providers.iter().map(|provider| view(&stack, provider));
    Json(List {
        items: items.collect(),
    })
}

/// One identity provider.
#[utoipa::path(get, path = "/api/v1/identity-providers/{name}", operation_id = "identity_provider", tag = "people",
    params(("name" = String, Path)),
    responses((status = 200, body = IdentityProvider)))]
pub async fn read(
    State(stack): State<Stack>,
    Name(name): Name,
) -> Result<Json<IdentityProvider>, Failure> {
    let provider = stack.identity_providers().get(&name)?;
    Ok(Json(view(&stack, &provider)))
}

/// Let accounts of an identity provider sign in, or change as what. It is asked who it is first: 422 where it does not
/// answer as one.
#[utoipa::path(put, path = "/api/v1/identity-providers/{name}", operation_id = "put_identity_provider", tag = "people",
    params(("name" = String, Path)),
    request_body = PutIdentityProvider,
    responses((status = 200, body = IdentityProvider)))]
pub async fn put(
    State(stack): State<Stack>,
    Name(name): Name,
    Body(body): Body<PutIdentityProvider>,
) -> Result<Json<IdentityProvider>, Failure> {
    let wanted = sign_in::PutIdentityProvider {
        title: body.title,
        issuer: body.issuer,
        client_id: body.client_id,
        client_secret: body.client_secret,
        scopes: body.scopes,
        claim: body.claim,
        roles: body.roles,
        default_roles: body.default_roles,
    };
    let provider = stack.identity_providers().put(&name, &wanted).await?;
    Ok(Json(view(&stack, &provider)))
}

/// Let accounts of an identity provider sign in no more. The sessions of everybody who has one there end; the people stay.
#[utoipa::path(delete, path = "/api/v1/identity-providers/{name}", operation_id = "remove_identity_provider", tag = "people",
    params(("name" = String, Path)),
    responses((status = 204)))]
pub async fn remove(State(stack): State<Stack>, Name(name): Name) -> Result<StatusCode, Failure> {
    stack.identity_providers().remove(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn view(stack: &Stack, provider: &sign_in::IdentityProvider) -> IdentityProvider {
    let roles = provider.roles.iter();
    let roles: BTreeMap<_, _> = roles
        .map(|(group, roles)| (group.clone(), texts(roles)))
        .collect();
    IdentityProvider {
        name: provider.name.clone(),
        title: provider.title.clone(),
        issuer: provider.issuer.clone(),
        client_id: provider.client_id.clone(),
        has_secret: provider.has_secret,
        scopes: provider.scopes.clone(),
        claim: provider.claim.clone(),
        roles,
        default_roles: texts(&provider.default_roles),
        return_addresses: stack
            .urls()
            .iter()
            .map(|url| format!("{url}{RETURN}"))
            .collect(),
        created_at: rfc3339(provider.created_at),
        changed_at: rfc3339(provider.changed_at),
    }
}

fn texts(roles: &BTreeSet<Role>) -> Vec<String> {
    roles.iter().map(ToString::to_string).collect()
}
