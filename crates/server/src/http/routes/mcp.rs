//! The Model Context Protocol, and the same things for whoever does not speak it.

use axum::extract::Request;
use axum::response::Response;
use axum::{Extension, Json};

use crate::api::{List, McpPrompt, McpPromptArgument, McpResource, McpTool};
use crate::http::guard::Caller;
use crate::mcp::{self, Endpoint};

/// Say something in the Model Context Protocol: a JSON-RPC message of revision 2026-07-28 or before.
#[utoipa::path(post, path = "/mcp", operation_id = "mcp", tag = "mcp",
    request_body = serde_json::Value,
    responses(
        (status = 200, content((serde_json::Value = "application/json"), (String = "text/event-stream"))),
        (status = 202, description = "It was heard, and there is nothing to say."),
    ))]
pub async fn post(Extension(endpoint): Extension<Endpoint>, request: Request) -> Response {
    endpoint.serve(request).await
}

/// Listen to what a session of an older revision is told unasked.
#[utoipa::path(get, path = "/mcp", operation_id = "mcp_listen", tag = "mcp",
    responses((status = 200, body = String, content_type = "text/event-stream")))]
pub async fn listen(Extension(endpoint): Extension<Endpoint>, request: Request) -> Response {
    endpoint.serve(request).await
}

/// End a session of an older revision.
#[utoipa::path(delete, path = "/mcp", operation_id = "mcp_end", tag = "mcp",
    responses((status = 202, description = "It has ended.")))]
pub async fn end(Extension(endpoint): Extension<Endpoint>, request: Request) -> Response {
    endpoint.serve(request).await
}

/// The tools that agents have here.
#[utoipa::path(get, path = "/mcp/tools", operation_id = "mcp_tools", tag = "mcp",
    responses((status = 200, body = List<McpTool>)))]
pub async fn tools(
    Extension(endpoint): Extension<Endpoint>,
    Extension(caller): Extension<Caller>,
) -> Json<List<McpTool>> {
    let items = endpoint.server().tools(&caller).await;
    Json(List {
        items: items.into_iter().map(view).collect(),
    })
}

fn view(tool: rmcp::model::Tool) -> McpTool {
    McpTool {
        name: tool.name.into_owned(),
        title: tool.title,
        description: tool
            .description
            .map(std::borrow::Cow::into_owned)
            .unwrap_or_default(),
        input_schema: serde_json::Value::Object(tool.input_schema.as_ref().clone()),
        reads_only: tool
            .annotations
            .as_ref()
            .and_then(|hints| hints.read_only_hint)
            == Some(true),
        destroys: tool
            .annotations
            .as_ref()
            .is_some_and(|hints| hints.destructive_hint == Some(true)),
    }
}

/// What agents can read here: what is there now, and the templates of what there can be.
#[utoipa::path(get, path = "/mcp/resources", operation_id = "mcp_resources", tag = "mcp",
    responses((status = 200, body = List<McpResource>)))]
pub async fn resources(
    Extension(endpoint): Extension<Endpoint>,
    Extension(caller): Extension<Caller>,
) -> Json<List<McpResource>> {
    let (there, templates) = endpoint.server().resources(&caller).await;
    let there = there.into_iter().map(|resource| McpResource {
        uri: resource.uri,
        is_template: false,
        name: resource.name,
        title: resource.title,
        description: resource.description,
        mime_type: resource.mime_type,
    });
    let templates = templates.into_iter().map(|template| McpResource {
        uri: template.uri_template,
        is_template: true,
        name: template.name,
        title: template.title,
        description: template.description,
        mime_type: template.mime_type,
    });
    Json(List {
        items: there.chain(templates).collect(),
    })
}

/// The prompts that agents have here.
#[utoipa::path(get, path = "/mcp/prompts", operation_id = "mcp_prompts", tag = "mcp",
    responses((status = 200, body = List<McpPrompt>)))]
pub async fn prompts() -> Json<List<McpPrompt>> {
    let prompts = mcp::prompts().into_iter();
    let items = prompts.map(|prompt| McpPrompt {
        name: prompt.name,
        title: prompt.title,
        description: prompt.description,
        arguments: prompt
            .arguments
            .into_iter()
            .flatten()
            .map(|argument| McpPromptArgument {
                name: argument.name,
                description: argument.description,
                required: argument.required == Some(true),
            })
            .collect(),
    });
    Json(List {
        items: items.collect(),
    })
}
