//! Containers that have a companion.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use crate::api::{Container, ContainerSummary, List};
use crate::http::extract::Name;
use crate::http::problem::Failure;
use crate::stack::Stack;

/// Every container that has a companion, by name.
#[utoipa::path(get, path = "/api/v1/containers", operation_id = "list_containers", tag = "containers",
    responses((status = 200, body = List<ContainerSummary>)))]
pub async fn list(State(stack): State<Stack>) -> Json<List<ContainerSummary>> {
    Json(List {
        items: stack.containers().list().await,
    })
}

/// A container with what its companion sees.
#[utoipa::path(get, path = "/api/v1/containers/{name}", operation_id = "container", tag = "containers",
    params(("name" = String, Path)),
    responses((status = 200, body = Container)))]
pub async fn read(
    State(stack): State<Stack>,
    Name(name): Name,
) -> Result<Json<Container>, Failure> {
    Ok(Json(stack.containers().read(&name).await?))
}

/// Start a container that is stopped.
#[utoipa::path(post, path = "/api/v1/containers/{name}/start", operation_id = "start_container", tag = "containers",
    params(("name" = String, Path)),
    responses((status = 200, body = ContainerSummary)))]
pub async fn start(
    State(stack): State<Stack>,
    Name(name): Name,
) -> Result<Json<ContainerSummary>, Failure> {
    Ok(Json(stack.containers().start(&name).await?))
}

/// Stop a container.
#[utoipa::path(post, path = "/api/v1/containers/{name}/stop", operation_id = "stop_container", tag = "containers",
    params(("name" = String, Path)),
    responses((status = 200, body = ContainerSummary)))]
pub async fn stop(
    State(stack): State<Stack>,
    Name(name): Name,
) -> Result<Json<ContainerSummary>, Failure> {
    Ok(Json(stack.containers().stop(&name).await?))
}

/// Stop a container and start it again.
#[utoipa::path(post, path = "/api/v1/containers/{name}/restart", operation_id = "restart_container", tag = "containers",
    params(("name" = String, Path)),
    responses((status = 200, body = ContainerSummary)))]
pub async fn restart(
    State(stack): State<Stack>,
    Name(name): Name,
) -> Result<Json<ContainerSummary>, Failure> {
    Ok(Json(stack.containers().restart(&name).await?))
}

/// Remove a container; its companion leaves the directory.
#[utoipa::path(delete, path = "/api/v1/containers/{name}", operation_id = "remove_container", tag = "containers",
    params(("name" = String, Path)),
    responses((status = 204)))]
pub async fn remove(State(stack): State<Stack>, Name(name): Name) -> Result<StatusCode, Failure> {
    stack.containers().remove(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}
