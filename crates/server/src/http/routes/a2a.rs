//! The Agent2Agent protocol: cards of who can be spoken to here, and how a message comes to them.

use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::sse::Event;
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;

use crate::a2a::{self, Asked, VERSION_HEADER};
use crate::api::{AgentCard, Message, Sent};
use crate::authorize::Principal;
use crate::http::extract::{Body, Name};
use crate::http::hosts::named_host;
use crate::http::problem::Failure;
use crate::http::streams;
use crate::messages::{MessageError, Prepared, exchanges};
use crate::stack::Stack;

/// The stack's agent card, in the words of the Agent2Agent protocol.
#[utoipa::path(get, path = "/.well-known/agent-card.json", operation_id = "agent_card", tag = "agents",
    responses((status = 200, body = AgentCard)))]
pub async fn stack_card(
    State(stack): State<Stack>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Json<AgentCard>, Failure> {
    let companion = stack.roster().find(stack.name()).await?;
    Ok(Json(a2a::stack_card(
        &companion,
        &base(&stack, &headers, &uri),
    )))
}

/// A companion's agent card, in the words of the Agent2Agent protocol.
#[utoipa::path(get, path = "/api/v1/companions/{name}/.well-known/agent-card.json",
    operation_id = "companion_agent_card", tag = "agents",
    params(("name" = String, Path, description = "Its name, in any case.")),
    responses((status = 200, body = AgentCard)))]
pub async fn card(
    State(stack): State<Stack>,
    Name(name): Name,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Json<AgentCard>, Failure> {
    let companion = stack.roster().find(&name).await?;
    Ok(Json(a2a::card(&companion, &base(&stack, &headers, &uri))))
}

/// Say something to a companion in the Agent2Agent protocol: a request of JSON-RPC, `SendMessage` or
/// `SendStreamingMessage` of revision 1.0, `message/send` or `message/stream` of 0.3.
#[utoipa::path(post, path = "/api/v1/companions/{name}/a2a", operation_id = "agent_message", tag = "agents",
    params(("name" = String, Path, description = "Its name, in any case.")),
    request_body = Value,
    responses(
        (status = 200, content((Value = "application/json"), (String = "text/event-stream")))))]
pub async fn say(
    State(stack): State<Stack>,
    Extension(principal): Extension<Principal>,
    Name(name): Name,
    headers: HeaderMap,
    Body(body): Body<Value>,
) -> Result<Response, Failure> {
    if stack.directory().find(&name).is_none() {
        return Err(stack.roster().nobody(&name).into());
    }
    let version = headers.get(VERSION_HEADER);
    let version = version.map(|version| version.to_str().unwrap_or("?"));
    let asked = match a2a::read(&body, version) {
        Ok(asked) => asked,
        Err((id, fault)) => return Ok(Json(fault.answer(&id)).into_response()),
    };
    let message = Message {
        content: asked.content.clone(),
        ..Message::default()
    };
    let prepared = match stack.messages().prepare(&principal, &name, &message).await {
        Ok(prepared) => prepared,
        Err(error) => return Ok(Json(refused(&asked, error)).into_response()),
    };
    if !asked.streams {
        let answer = answered(&stack, &asked, &prepared).await;
        return Ok(Json(answer).into_response());
    }
    // One event, however long it takes: whoever waits is told now and then that it is not over.
    let (told, news) = mpsc::channel(1);
    let stream = streams::follow_told(&stack, news);
    tokio::spawn(async move {
        let answer = answered(&stack, &asked, &prepared).await;
        let event = Event::default().json_data(&answer).unwrap_or_default();
        // Whoever has hung up does not need it.
        let _ = told.send(event).await;
    });
    Ok(stream.into_response())
}

/// What comes of a message, in the protocol's words.
async fn answered(stack: &Stack, asked: &Asked, prepared: &Prepared) -> Value {
    let mut more = Map::new();
    let (from, content) = match stack.messages().send(prepared, None).await {
        Ok(Sent::Answered(reply)) => {
            if let Some(cut) = reply.cut {
                more.insert("dev.ergon/cut".to_owned(), json!(cut));
            }
            (reply.from, reply.content)
        }
        // It was taken, and nobody says anything now.
        Ok(Sent::Delivered(delivery)) => {
            more.insert("dev.ergon/state".to_owned(), json!(delivery.state));
            (delivery.to, delivery.sentence)
        }
        Err(error) => return refused(asked, error),
    };
    a2a::answer(asked, &exchanges::new_id(stack), &from, &content, more)
}

fn refused(asked: &Asked, error: MessageError) -> Value {
    a2a::refusal(asked, &Failure::from(error).into_problem())
}

/// The stack's address as whoever asks wrote it, which is where they can ask again.
fn base(stack: &Stack, headers: &HeaderMap, uri: &Uri) -> String {
    match named_host(headers, uri) {
        Some(host) => format!("{}://{host}", stack.scheme()),
        None => stack.endpoint(),
    }
}
