//! Upstreams: registries elsewhere that the registry here is a mirror of.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use crate::api::{AddUpstream, List, Upstream};
use crate::http::extract::{Body, Name};
use crate::http::problem::Failure;
use crate::stack::Stack;

/// Upstreams in the order of their names, and how much is held of each.
#[utoipa::path(get, path = "/api/v1/upstreams", operation_id = "list_upstreams", tag = "registry",
    responses((status = 200, body = List<Upstream>)))]
pub async fn list(State(stack): State<Stack>) -> Result<Json<List<Upstream>>, Failure> {
    Ok(Json(List {
        items: stack.upstreams().list().await?,
    }))
}

/// Make the registry a mirror of another one: what is asked for under its name is fetched from there, and held; 409 where
/// repositories have that beginning already, or the other registry has a mirror.
#[utoipa::path(post, path = "/api/v1/upstreams", operation_id = "add_upstream", tag = "registry",
    request_body = AddUpstream,
    responses((status = 201, body = Upstream)))]
pub async fn add(
    State(stack): State<Stack>,
    Body(body): Body<AddUpstream>,
) -> Result<(StatusCode, Json<Upstream>), Failure> {
    Ok((
        StatusCode::CREATED,
        Json(stack.upstreams().add(body).await?),
    ))
}

/// End a mirror, with everything that it holds.
#[utoipa::path(delete, path = "/api/v1/upstreams/{name}", operation_id = "remove_upstream", tag = "registry",
    params(("name" = String, Path)),
    responses((status = 204)))]
pub async fn remove(State(stack): State<Stack>, Name(name): Name) -> Result<StatusCode, Failure> {
    stack.upstreams().remove(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}
