//! Guard-rails: what may be done without asking a person.

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};

use crate::api::{AddGuardRail, GuardRail, List};
use crate::authorize::Principal;
use crate::http::extract::{Body, Name};
use crate::http::problem::Failure;
use crate::stack::Stack;

/// Guard-rails in the order of their names.
#[utoipa::path(get, path = "/api/v1/guard-rails", operation_id = "list_guard_rails", tag = "approvals",
    responses((status = 200, body = List<GuardRail>)))]
pub async fn list(State(stack): State<Stack>) -> Result<Json<List<GuardRail>>, Failure> {
    Ok(Json(List {
        items: stack.approvals().guard_rails().await?,
    }))
}

/// Let an action on a container be carried out without asking, so often, when a companion proposes it because of what it
/// found. After one that did not help, a person is asked again.
#[utoipa::path(post, path = "/api/v1/guard-rails", operation_id = "add_guard_rail", tag = "approvals",
    request_body = AddGuardRail,
    responses((status = 201, body = GuardRail)))]
pub async fn add(
    State(stack): State<Stack>,
    Extension(principal): Extension<Principal>,
    Body(body): Body<AddGuardRail>,
) -> Result<(StatusCode, Json<GuardRail>), Failure> {
    let by = principal.name();
    let added = stack.approvals().add_guard_rail(&body, &by).await?;
    Ok((StatusCode::CREATED, Json(added)))
}

/// Have a person asked again.
#[utoipa::path(delete, path = "/api/v1/guard-rails/{name}", operation_id = "remove_guard_rail", tag = "approvals",
    params(("name" = String, Path)),
    responses((status = 204)))]
pub async fn remove(
    State(stack): State<Stack>,
    Extension(principal): Extension<Principal>,
    Name(name): Name,
) -> Result<StatusCode, Failure> {
    let by = principal.name();
    stack.approvals().remove_guard_rail(&name, &by).await?;
    Ok(StatusCode::NO_CONTENT)
}
