//! Containers that have a companion.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;

use crate::api::{Container, ContainerHistory, ContainerSummary, List, RunbookTrial};
use crate::containers::Window;
use crate::http::extract::{Name, Parameters};
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

/// What of a container's history is wanted.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct HistoryQuery {
    /// `memory`, `processor`, `throttled`, `received`, `sent`, `read`, `written`, `tasks`; several with commas. Absent: `memory`.
    pub metric: Option<String>,
    /// A time, or how long ago: `90s`, `15m`, `24h`, `7d`. Absent: 15 minutes ago.
    pub since: Option<String>,
    /// A time, or how long ago. Absent: now.
    pub until: Option<String>,
    /// How many values at most; absent: 360.
    pub points: Option<u32>,
}

/// What a container used: by the second for the last hour, by the minute for a month.
#[utoipa::path(get, path = "/api/v1/containers/{name}/history", operation_id = "container_history", tag = "containers",
    params(("name" = String, Path), HistoryQuery),
    responses((status = 200, body = ContainerHistory)))]
pub async fn history(
    State(stack): State<Stack>,
    Name(name): Name,
    Parameters(query): Parameters<HistoryQuery>,
) -> Result<Json<ContainerHistory>, Failure> {
    let window = Window::of(
        query.metric.as_deref(),
        query.since.as_deref(),
        query.until.as_deref(),
        query.points,
        Timestamp::now(),
    )
    .map_err(|(detail, remedy)| Failure::bad_request(detail).with_remedy(remedy))?;
    Ok(Json(stack.containers().history(&name, window).await?))
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

/// What each runbook would do to a container now. Nothing is done, and nothing is proposed.
#[utoipa::path(get, path = "/api/v1/containers/{name}/runbooks", operation_id = "try_runbooks", tag = "containers",
    params(("name" = String, Path)),
    responses((status = 200, body = List<RunbookTrial>)))]
pub async fn runbooks(
    State(stack): State<Stack>,
    Name(name): Name,
) -> Result<Json<List<RunbookTrial>>, Failure> {
    Ok(Json(List {
        items: stack.approvals().try_runbooks(&name).await?,
    }))
}
