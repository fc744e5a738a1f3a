//! The directory: those from outside come, say that they are still there, and go.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};

use super::events::EventCursor;
use crate::api::{Companion, Heartbeat, Lease, List, Registered, Registration};
use crate::audit::{Asked, Outcome};
use crate::authorize::{Action, Principal};
use crate::companions::CompanionError;
use crate::http::extract::{Body, Name, OptionalBody, Parameters};
use crate::http::guard;
use crate::http::problem::Failure;
use crate::http::recorded::Recording;
use crate::http::streams;
use crate::roster::Wanted;
use crate::stack::Stack;

/// Be in the directory, or renew one's record. 409 says who has the name where somebody else has it.
#[utoipa::path(post, path = "/api/registry/register", operation_id = "register", tag = "directory",
    request_body = Registration,
    responses(
        (status = 200, body = Registered, description = "The record is renewed."),
        (status = 201, body = Registered)))]
pub async fn register(
    State(stack): State<Stack>,
    Extension(principal): Extension<Principal>,
    Extension(recording): Extension<Recording>,
    Body(body): Body<Registration>,
) -> Result<(StatusCode, Json<Registered>), Failure> {
    let name = Some(body.name.clone());
    let action = Action::RegisterCompanion;
    guard::decide_also(&stack, &principal, &recording, action, name)?;
    // What is refused because there is no room is no change, and fills no log.
    let directory = stack.directory();
    directory.has_room_for(&body.name, &principal.name())?;
    let resource = Action::RegisterCompanion.on(Some(body.name.clone()));
    let asked = Asked {
        request: &recording.id,
        channel: recording.circumstances.channel,
        principal: &principal,
        action: Action::RegisterCompanion,
        resource: &resource,
        is_change: !directory.is_renewal(&body),
    };
    let begun = stack.audit().decided(asked, &recording.decided)?;
    let registered = stack.roster().register(&body, &principal).await;
    let registered = match registered {
        // Whoever had the name before is not who has it now, unless they say so themselves.
        Ok((true, _)) if !matches!(principal, Principal::Companion { .. }) => {
            let forgotten = stack
                .certificates()
                .refuse_of(&body.name, "the name was given anew")
                .await;
            forgotten.map_err(CompanionError::from).and(registered)
        }
        other => other,
    };
    let answer = registered
        .map_err(Failure::from)
        .map(|(is_new, registered)| {
            let status = if is_new {
                StatusCode::CREATED
            } else {
                StatusCode::OK
            };
            (status, Json(registered))
        });
    if let Some(begun) = begun {
        let status = answer
            .as_ref()
            .map_or_else(Failure::status, |(status, _)| *status);
        let outcome = Outcome {
            status: status.as_u16(),
            body: None,
        };
        stack.audit().ended(asked, begun, outcome).await;
    }
    answer
}

/// Still be there. The body may be left out; 404 says to register again.
#[utoipa::path(post, path = "/api/registry/{name}/heartbeat", operation_id = "heartbeat", tag = "directory",
    params(("name" = String, Path, description = "Its name, in any case.")),
    request_body = Option<Heartbeat>,
    responses((status = 200, body = Lease)))]
pub async fn heartbeat(
    State(stack): State<Stack>,
    Name(name): Name,
    OptionalBody(body): OptionalBody<Heartbeat>,
) -> Result<Json<Lease>, Failure> {
    let lease = body.and_then(|body| body.lease);
    Ok(Json(stack.roster().heartbeat(&name, lease.as_deref())?))
}

/// Leave the directory. This stack's own leave with what they stand for.
#[utoipa::path(delete, path = "/api/registry/{name}", operation_id = "deregister", tag = "directory",
    params(("name" = String, Path, description = "Its name, in any case.")),
    responses((status = 204)))]
pub async fn deregister(
    State(stack): State<Stack>,
    Name(name): Name,
) -> Result<StatusCode, Failure> {
    stack.directory().deregister(&name).await?;
    stack
        .certificates()
        .refuse_of(&name, "the companion left the directory")
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who has a name.
#[utoipa::path(get, path = "/api/registry/{name}", operation_id = "companion", tag = "directory",
    params(("name" = String, Path, description = "Its name, in any case.")),
    responses((status = 200, body = Companion)))]
pub async fn read(
    State(stack): State<Stack>,
    Name(name): Name,
) -> Result<Json<Companion>, Failure> {
    Ok(Json(stack.roster().find(&name).await?))
}

/// Everybody, or those who are wanted, by name.
#[utoipa::path(get, path = "/api/registry", operation_id = "directory", tag = "directory",
    params(Wanted),
    responses((status = 200, body = List<Companion>)))]
pub async fn list(
    State(stack): State<Stack>,
    Parameters(wanted): Parameters<Wanted>,
) -> Result<Json<List<Companion>>, Failure> {
    let items = stack.roster().list(&wanted).await?;
    Ok(Json(List { items }))
}

/// Who comes, goes and changes, as it happens: the part of the one feed of events that is about the directory.
///
/// The stream's events are named `change`, and their id is the cursor that `Last-Event-ID` (or `after`) resumes from;
/// 410 as for all events.
#[utoipa::path(get, path = "/api/registry/watch", operation_id = "watch_directory", tag = "directory",
    params(EventCursor),
    responses((status = 200, body = String, content_type = "text/event-stream")))]
pub async fn watch(
    State(stack): State<Stack>,
    Parameters(cursor): Parameters<EventCursor>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let after = cursor.known(&stack, &headers).await?;
    Ok(streams::follow_directory(&stack, after).into_response())
}
