//! Secrets by name: set, listed, granted and removed. No route says what one says.

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};

use crate::api::{DestroySecret, GrantSecret, List, Secret, SecretKey, SecretVersion, SetSecret};
use crate::authorize::Principal;
use crate::http::extract::{Body, Name, Parameters};
use crate::http::problem::Failure;
use crate::stack::Stack;

/// Secrets in the order of their names, and who may use them where. What they say is in no answer.
#[utoipa::path(get, path = "/api/v1/secrets", operation_id = "list_secrets", tag = "secrets",
    responses((status = 200, body = List<Secret>)))]
pub async fn list(State(stack): State<Stack>) -> Result<Json<List<Secret>>, Failure> {
    Ok(Json(List {
        items: stack.secrets().list().await?,
    }))
}

/// One secret, without what it says.
#[utoipa::path(get, path = "/api/v1/secrets/{name}", operation_id = "secret", tag = "secrets",
    params(("name" = String, Path)),
    responses((status = 200, body = Secret)))]
pub async fn read(State(stack): State<Stack>, Name(name): Name) -> Result<Json<Secret>, Failure> {
    Ok(Json(stack.secrets().get(&name).await?))
}

/// Have a secret say something from now on: a new one, or the next version of one that is there. It is sealed before it
/// is kept, and given to nobody until it is granted. 413 above 64 KiB.
#[utoipa::path(put, path = "/api/v1/secrets/{name}", operation_id = "set_secret", tag = "secrets",
    params(("name" = String, Path)),
    request_body = SetSecret,
    responses((status = 200, body = Secret), (status = 201, body = Secret)))]
pub async fn set(
    State(stack): State<Stack>,
    Extension(principal): Extension<Principal>,
    Name(name): Name,
    Body(body): Body<SetSecret>,
) -> Result<(StatusCode, Json<Secret>), Failure> {
    let (secret, is_new) = stack.secrets().set(&name, body, &principal.name()).await?;
    let status = if is_new {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    Ok((status, Json(secret)))
}

/// Remove a secret with every version of it and every grant.
#[utoipa::path(delete, path = "/api/v1/secrets/{name}", operation_id = "remove_secret", tag = "secrets",
    params(("name" = String, Path)),
    responses((status = 204)))]
pub async fn remove(State(stack): State<Stack>, Name(name): Name) -> Result<StatusCode, Failure> {
    stack.secrets().remove(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The versions of a secret, the newest first.
#[utoipa::path(get, path = "/api/v1/secrets/{name}/versions", operation_id = "secret_versions", tag = "secrets",
    params(("name" = String, Path)),
    responses((status = 200, body = List<SecretVersion>)))]
pub async fn versions(
    State(stack): State<Stack>,
    Name(name): Name,
) -> Result<Json<List<SecretVersion>>, Failure> {
    Ok(Json(List {
        items: stack.secrets().versions(&name).await?,
    }))
}

/// Have a version say nothing any more; 409 where it is the current one.
#[utoipa::path(post, path = "/api/v1/secrets/{name}/destroy", operation_id = "destroy_secret_version", tag = "secrets",
    params(("name" = String, Path)),
    request_body = DestroySecret,
    responses((status = 204)))]
pub async fn destroy(
    State(stack): State<Stack>,
    Name(name): Name,
    Body(body): Body<DestroySecret>,
) -> Result<StatusCode, Failure> {
    stack.secrets().destroy(&name, body.version).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Let a secret be used by the containers or the build steps of a project.
#[utoipa::path(post, path = "/api/v1/secrets/{name}/grants", operation_id = "grant_secret", tag = "secrets",
    params(("name" = String, Path)),
    request_body = GrantSecret,
    responses((status = 200, body = Secret)))]
pub async fn grant(
    State(stack): State<Stack>,
    Extension(principal): Extension<Principal>,
    Name(name): Name,
    Body(body): Body<GrantSecret>,
) -> Result<Json<Secret>, Failure> {
    let by = principal.name();
    Ok(Json(stack.secrets().grant(&name, body, &by).await?))
}

/// Take a grant back. What runs with the secret already keeps it until it is started anew.
#[utoipa::path(delete, path = "/api/v1/secrets/{name}/grants", operation_id = "revoke_secret", tag = "secrets",
    params(("name" = String, Path), GrantSecret),
    responses((status = 200, body = Secret)))]
pub async fn revoke(
    State(stack): State<Stack>,
    Extension(principal): Extension<Principal>,
    Name(name): Name,
    Parameters(wanted): Parameters<GrantSecret>,
) -> Result<Json<Secret>, Failure> {
    let by = principal.name();
    Ok(Json(stack.secrets().revoke(&name, wanted, &by).await?))
}

/// What secrets are sealed under; the public half only.
#[utoipa::path(get, path = "/api/v1/secret-key", operation_id = "secret_key", tag = "secrets",
    responses((status = 200, body = SecretKey)))]
pub async fn key(State(stack): State<Stack>) -> Result<Json<SecretKey>, Failure> {
    Ok(Json(stack.secrets().key().await?))
}

/// Seal every secret under a new key, and forget the one of before.
#[utoipa::path(post, path = "/api/v1/secret-key/rotate", operation_id = "rotate_secret_key", tag = "secrets",
    responses((status = 200, body = SecretKey)))]
pub async fn rotate_key(State(stack): State<Stack>) -> Result<Json<SecretKey>, Failure> {
    Ok(Json(stack.secrets().rotate_key().await?))
}
