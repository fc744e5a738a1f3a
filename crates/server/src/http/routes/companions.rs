//! Who is in the directory, and speaking to them.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use serde::Deserialize;

use crate::api::{Companion, Inside, LaunchCompanion, List, Message, ModelOutcome, ModelPayload};
use crate::http::extract::{Body, Name, Parameters};
use crate::http::problem::Failure;
use crate::roster::Wanted;
use crate::stack::Stack;

/// Every companion, or those that are wanted, by name.
#[utoipa::path(get, path = "/api/v1/companions", operation_id = "list_companions", tag = "companions",
    params(Wanted),
    responses((status = 200, body = List<Companion>)))]
pub async fn list(
    State(stack): State<Stack>,
    Parameters(wanted): Parameters<Wanted>,
) -> Result<Json<List<Companion>>, Failure> {
    let items = stack.roster().list(&wanted).await?;
    Ok(Json(List { items }))
}

/// Give a companion to a container that Ergon did not start.
#[utoipa::path(post, path = "/api/v1/companions/launch", operation_id = "launch_companion", tag = "companions",
    request_body = LaunchCompanion,
    responses((status = 201, body = Companion)))]
pub async fn launch(
    State(stack): State<Stack>,
    Body(body): Body<LaunchCompanion>,
) -> Result<(StatusCode, Json<Companion>), Failure> {
    Ok((
        StatusCode::CREATED,
        Json(stack.companions().launch(&body).await?),
    ))
}

/// See exactly what a language model would be sent about a container, if it were asked this. Nothing is sent.
#[utoipa::path(post, path = "/api/v1/companions/{name}/payload", operation_id = "model_payload", tag = "companions",
    params(("name" = String, Path, description = "Its name, in any case.")),
    request_body = Message,
    responses((status = 200, body = ModelPayload)))]
pub async fn payload(
    State(stack): State<Stack>,
    Name(name): Name,
    Body(body): Body<Message>,
) -> Result<Json<ModelPayload>, Failure> {
    let payload = stack.companions().payload(&name, &body.content).await?;
    Ok(Json(payload))
}

/// What a model said since an answer was given without it: the answer's `explaining`. Waits a while for it.
#[utoipa::path(get, path = "/api/v1/explanations/{key}", operation_id = "explanation", tag = "companions",
    params(("key" = String, Path, description = "The `explaining` of an answer.")),
    responses((status = 200, body = ModelOutcome)))]
pub async fn explanation(
    State(stack): State<Stack>,
    Name(key): Name,
) -> Result<Json<ModelOutcome>, Failure> {
    Ok(Json(stack.companions().explanation(&key).await?))
}

/// Where to look.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct LookQuery {
    /// A path as the container sees it. Absent: `/`.
    pub path: Option<String>,
}

/// Look inside a container without a shell: its processes, its connections, the names in its environment, and what
/// lies at a path. What looks like a secret is not shown.
#[utoipa::path(get, path = "/api/v1/companions/{name}/look", operation_id = "look_inside", tag = "companions",
    params(("name" = String, Path, description = "Its name, in any case."), LookQuery),
    responses((status = 200, body = Inside)))]
pub async fn look(
    State(stack): State<Stack>,
    Name(name): Name,
    Parameters(query): Parameters<LookQuery>,
) -> Result<Json<Inside>, Failure> {
    let path = query.path.unwrap_or_default();
    Ok(Json(stack.companions().look(&name, &path).await?))
}
