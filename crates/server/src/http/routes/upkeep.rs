//! Keeping the registry: what nobody needs, and what is damaged.

use axum::extract::State;
use axum::response::sse::Sse;

use crate::api::{CollectGarbage, UpkeepEvent};
use crate::http::extract::Body;
use crate::http::problem::Failure;
use crate::http::streams::{self, EventStream};
use crate::stack::Stack;

/// Remove what nobody needs, or say what would go. As it happens: `plan` (a Collection: what would go), `end` (a
/// Collection: what went) or `failed` (a Problem). 409 where it goes on already. It goes on when nobody listens any more.
#[utoipa::path(post, path = "/api/v1/registry-upkeep/collection", operation_id = "collect_garbage", tag = "registry",
    request_body = CollectGarbage,
    responses((status = 200, body = UpkeepEvent, content_type = "text/event-stream")))]
pub async fn collect(
    State(stack): State<Stack>,
    Body(body): Body<CollectGarbage>,
) -> Result<Sse<EventStream>, Failure> {
    let told = stack.upkeep().collect(&body)?;
    Ok(streams::follow_upkeep(&stack, told))
}

/// Read all content of the registry, and set aside what is damaged. As it happens: `progress` (a CheckProgress),
/// `damaged` (a Damage), `end` (a ContentCheck) or `failed` (a Problem). 409 where it goes on already. It ends when
/// nobody listens any more.
#[utoipa::path(post, path = "/api/v1/registry-upkeep/check", operation_id = "check_content", tag = "registry",
    responses((status = 200, body = UpkeepEvent, content_type = "text/event-stream")))]
pub async fn check(State(stack): State<Stack>) -> Result<Sse<EventStream>, Failure> {
    let told = stack.upkeep().check()?;
    Ok(streams::follow_upkeep(&stack, told))
}
