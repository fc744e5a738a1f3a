//! Servers of tools: whose tools agents find here beside the stack's own.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::{Extension, Json};

use crate::api::{AddToolServer, ApproveServerTool, List, ToolServer};
use crate::authorize::Principal;
use crate::http::authenticate::check_origin_of_all;
use crate::http::extract::{Body, Name, gathered};
use crate::http::problem::Failure;
use crate::stack::Stack;

/// Servers of tools in the order of their names, with what they offer and how they were seen last.
#[utoipa::path(get, path = "/api/v1/tool-servers", operation_id = "list_tool_servers", tag = "mcp",
    responses((status = 200, body = List<ToolServer>)))]
pub async fn list(State(stack): State<Stack>) -> Json<List<ToolServer>> {
    Json(List {
        items: stack.gateway().list().await,
    })
}

/// Register a server of tools. What it offers now may be used; what it offers otherwise later is held until somebody
/// approves it. 409 where one has the name.
#[utoipa::path(post, path = "/api/v1/tool-servers", operation_id = "add_tool_server", tag = "mcp",
    request_body = AddToolServer,
    responses((status = 201, body = ToolServer)))]
pub async fn add(
    State(stack): State<Stack>,
    Body(body): Body<AddToolServer>,
) -> Result<(StatusCode, Json<ToolServer>), Failure> {
    Ok((StatusCode::CREATED, Json(stack.gateway().add(body).await?)))
}

/// Forget a server of tools, and what was said of its tools.
#[utoipa::path(delete, path = "/api/v1/tool-servers/{name}", operation_id = "remove_tool_server", tag = "mcp",
    params(("name" = String, Path)),
    responses((status = 204)))]
pub async fn remove(State(stack): State<Stack>, Name(name): Name) -> Result<StatusCode, Failure> {
    stack.gateway().remove(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Let a tool of a server be used as it is now.
#[utoipa::path(post, path = "/api/v1/tool-servers/{name}/approve", operation_id = "approve_server_tool", tag = "mcp",
    params(("name" = String, Path)),
    request_body = ApproveServerTool,
    responses((status = 200, body = ToolServer)))]
pub async fn approve(
    State(stack): State<Stack>,
    Extension(principal): Extension<Principal>,
    Name(name): Name,
    Body(body): Body<ApproveServerTool>,
) -> Result<Json<ToolServer>, Failure> {
    let by = principal.name();
    Ok(Json(stack.gateway().approve(&name, &body, &by).await?))
}

/// Say something to a server of tools that is asked over HTTP, in the Model Context Protocol.
#[utoipa::path(post, path = "/mcp/servers/{name}", operation_id = "tool_server", tag = "mcp",
    params(("name" = String, Path)),
    request_body = serde_json::Value,
    responses(
        (status = 200, content((serde_json::Value = "application/json"), (String = "text/event-stream"))),
        (status = 202, description = "It was heard, and there is nothing to say."),
    ))]
pub async fn say(
    State(stack): State<Stack>,
    Extension(principal): Extension<Principal>,
    Name(name): Name,
    request: Request,
) -> Result<Response, Failure> {
    pass(&stack, &principal, &name, request).await
}

/// Listen to what a session with a server of tools is told unasked.
#[utoipa::path(get, path = "/mcp/servers/{name}", operation_id = "tool_server_listen", tag = "mcp",
    params(("name" = String, Path)),
    responses((status = 200, body = String, content_type = "text/event-stream")))]
pub async fn listen(
    State(stack): State<Stack>,
    Extension(principal): Extension<Principal>,
    Name(name): Name,
    request: Request,
) -> Result<Response, Failure> {
    pass(&stack, &principal, &name, request).await
}

/// End a session with a server of tools.
#[utoipa::path(delete, path = "/mcp/servers/{name}", operation_id = "tool_server_end", tag = "mcp",
    params(("name" = String, Path)),
    responses((status = 202, description = "It has ended.")))]
pub async fn end(
    State(stack): State<Stack>,
    Extension(principal): Extension<Principal>,
    Name(name): Name,
    request: Request,
) -> Result<Response, Failure> {
    pass(&stack, &principal, &name, request).await
}

async fn pass(
    stack: &Stack,
    principal: &Principal,
    name: &str,
    request: Request,
) -> Result<Response, Failure> {
    check_origin_of_all(request.headers(), request.uri())?;
    let (parts, body) = gathered(request).await?;
    let gateway = stack.gateway();
    Ok(gateway.pass(&principal.name(), name, parts, body).await?)
}
