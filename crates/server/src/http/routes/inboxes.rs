//! Inboxes of terminals, people who sit in for companions, and what everybody is there for.

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::api::{
    ClearedInbox, Forward, Inbox, List, Purpose, PutForward, PutPurpose, ReadInbox, Terminal,
};
use crate::authorize::Principal;
use crate::http::extract::{Body, Name, Parameters};
use crate::http::problem::Failure;
use crate::stack::Stack;

/// Make a person's terminal known, or ask what waits for it. Using it anywhere makes it known, too.
#[utoipa::path(put, path = "/api/v1/terminals/{name}", operation_id = "open_terminal", tag = "messages",
    params(("name" = String, Path, description = "2 to 63 letters, digits, `-`, `_` and `.`.")),
    responses((status = 200, body = Terminal)))]
pub async fn open_terminal(
    State(stack): State<Stack>,
    Name(name): Name,
) -> Result<Json<Terminal>, Failure> {
    Ok(Json(stack.messages().open_terminal(&name).await?))
}

/// Forget a terminal, with its inbox and for whom it sits in.
#[utoipa::path(delete, path = "/api/v1/terminals/{name}", operation_id = "close_terminal", tag = "messages",
    params(("name" = String, Path)),
    responses((status = 204)))]
pub async fn close_terminal(
    State(stack): State<Stack>,
    Name(name): Name,
) -> Result<StatusCode, Failure> {
    stack.messages().close_terminal(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What is in a terminal's inbox, oldest first.
#[utoipa::path(get, path = "/api/v1/inboxes/{terminal}", operation_id = "inbox", tag = "messages",
    params(("terminal" = String, Path)),
    responses((status = 200, body = Inbox)))]
pub async fn inbox(State(stack): State<Stack>, Name(name): Name) -> Result<Json<Inbox>, Failure> {
    Ok(Json(stack.messages().inbox(&name).await?))
}

/// Note that an inbox was read as far as a message.
#[utoipa::path(post, path = "/api/v1/inboxes/{terminal}/read", operation_id = "read_inbox", tag = "messages",
    params(("terminal" = String, Path)),
    request_body = ReadInbox,
    responses((status = 200, body = Inbox)))]
pub async fn read_inbox(
    State(stack): State<Stack>,
    Name(name): Name,
    Body(body): Body<ReadInbox>,
) -> Result<Json<Inbox>, Failure> {
    Ok(Json(stack.messages().read_inbox(&name, &body.up_to).await?))
}

/// What of an inbox goes.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ClearQuery {
    /// Also what was not read.
    #[serde(default)]
    pub unread: bool,
}

/// Empty an inbox of what was read.
#[utoipa::path(delete, path = "/api/v1/inboxes/{terminal}", operation_id = "clear_inbox", tag = "messages",
    params(("terminal" = String, Path), ClearQuery),
    responses((status = 200, body = ClearedInbox)))]
pub async fn clear_inbox(
    State(stack): State<Stack>,
    Name(name): Name,
    Parameters(query): Parameters<ClearQuery>,
) -> Result<Json<ClearedInbox>, Failure> {
    let removed = stack.messages().clear_inbox(&name, query.unread).await?;
    Ok(Json(ClearedInbox { removed }))
}

/// Who sits in for whom.
#[utoipa::path(get, path = "/api/v1/forwards", operation_id = "list_forwards", tag = "messages",
    responses((status = 200, body = List<Forward>)))]
pub async fn forwards(State(stack): State<Stack>) -> Result<Json<List<Forward>>, Failure> {
    let items = stack.messages().forwards().await?;
    Ok(Json(List { items }))
}

/// Have messages to a companion go to a terminal's inbox: whoever sits there answers for it.
#[utoipa::path(put, path = "/api/v1/forwards/{companion}", operation_id = "add_forward", tag = "messages",
    params(("companion" = String, Path)),
    request_body = PutForward,
    responses((status = 200, body = Forward)))]
pub async fn forward(
    State(stack): State<Stack>,
    Extension(principal): Extension<Principal>,
    Name(name): Name,
    Body(body): Body<PutForward>,
) -> Result<Json<Forward>, Failure> {
    let messages = stack.messages();
    let forward = messages.forward(&principal, &name, &body.terminal).await?;
    Ok(Json(forward))
}

/// Have a companion answer itself again.
#[utoipa::path(delete, path = "/api/v1/forwards/{companion}", operation_id = "remove_forward", tag = "messages",
    params(("companion" = String, Path)),
    responses((status = 204)))]
pub async fn unforward(
    State(stack): State<Stack>,
    Name(name): Name,
) -> Result<StatusCode, Failure> {
    stack.messages().unforward(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What somebody is there for.
#[utoipa::path(get, path = "/api/v1/companions/{name}/purpose", operation_id = "purpose", tag = "messages",
    params(("name" = String, Path)),
    responses((status = 200, body = Purpose)))]
pub async fn purpose(
    State(stack): State<Stack>,
    Name(name): Name,
) -> Result<Json<Purpose>, Failure> {
    Ok(Json(stack.messages().purpose(&name)?))
}

/// Say what somebody is there for.
#[utoipa::path(put, path = "/api/v1/companions/{name}/purpose", operation_id = "put_purpose", tag = "messages",
    params(("name" = String, Path)),
    request_body = PutPurpose,
    responses((status = 200, body = Purpose)))]
pub async fn put_purpose(
    State(stack): State<Stack>,
    Extension(principal): Extension<Principal>,
    Name(name): Name,
    Body(body): Body<PutPurpose>,
) -> Result<Json<Purpose>, Failure> {
    let messages = stack.messages();
    Ok(Json(
        messages
            .put_purpose(&principal, &name, &body.purpose)
            .await?,
    ))
}
