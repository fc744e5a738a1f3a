//! Saying something to companions, and what became of it.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Deserialize;
use tokio::sync::mpsc;
use utoipa::IntoParams;

use crate::api::{
    Delivery, Exchange, ExchangePage, List, Message, Piece, Reply, Sent, TeamAnswer, TeamMessage,
    WaitingMessage,
};
use crate::authorize::Principal;
use crate::http::extract::{Body, Name, Parameters};
use crate::http::problem::Failure;
use crate::http::streams;
use crate::messages::exchanges;
use crate::stack::Stack;

/// So many pieces of an answer wait for a client that is slow.
const WAITING: usize = 64;

/// Say something to a companion, and have its answer; as a stream, piece by piece (`Accept: text/event-stream`).
///
/// The stream's events are `piece` (a `Piece`), and at the end one of `reply` (the whole answer, a `Reply`), `delivery`
/// (a `Delivery`) and `problem` (a `Problem`).
#[utoipa::path(post, path = "/api/v1/companions/{name}/message", operation_id = "send_message", tag = "messages",
    params(("name" = String, Path, description = "Its name, in any case; `stack/companion` for one of another stack.")),
    request_body = Message,
    responses(
        (status = 200, content((Reply = "application/json"), (String = "text/event-stream"))),
        (status = 202, body = Delivery)))]
pub async fn send(
    State(stack): State<Stack>,
    Extension(principal): Extension<Principal>,
    Name(name): Name,
    headers: HeaderMap,
    Body(body): Body<Message>,
) -> Result<Response, Failure> {
    let prepared = stack.messages().prepare(&principal, &name, &body).await?;
    if !streams::is_wanted(&headers) {
        return Ok(match stack.messages().send(&prepared, None).await? {
            Sent::Answered(reply) => Json(reply).into_response(),
            Sent::Delivered(delivery) => (StatusCode::ACCEPTED, Json(delivery)).into_response(),
        });
    }
    let (told, news) = mpsc::channel(WAITING);
    let (listener, mut pieces) = mpsc::channel::<String>(WAITING);
    let asked = stack.clone();
    tokio::spawn(async move {
        let messages = asked.messages();
        let pass_on = async {
            while let Some(content) = pieces.recv().await {
                let piece = streams::named("piece", &Piece { content });
                if told.send(piece).await.is_err() {
                    // With this the way to the companion learns that nobody listens.
                    pieces.close();
                }
            }
        };
        let (sent, ()) = tokio::join!(messages.send(&prepared, Some(listener)), pass_on);
        let last = match sent {
            Ok(Sent::Answered(reply)) => streams::named("reply", &reply),
            Ok(Sent::Delivered(delivery)) => streams::named("delivery", &delivery),
            Err(error) => streams::named("problem", &Failure::from(error).into_problem()),
        };
        // Whoever has hung up does not need it.
        let _ = told.send(last).await;
    });
    Ok(streams::follow_told(&stack, news).into_response())
}

/// Ask everybody, and have what each says; as a stream, as they come (`Accept: text/event-stream`).
///
/// The stream's events are `answer` (a `TeamAnswer`), and `end` once everybody was heard or was waited for long enough.
#[utoipa::path(post, path = "/api/v1/team-chat", operation_id = "team_chat", tag = "messages",
    request_body = TeamMessage,
    responses((status = 200, content(
        (List<TeamAnswer> = "application/json"),
        (String = "text/event-stream")))))]
pub async fn team_chat(
    State(stack): State<Stack>,
    Extension(principal): Extension<Principal>,
    headers: HeaderMap,
    Body(body): Body<TeamMessage>,
) -> Result<Response, Failure> {
    let team = stack.messages().team(&principal, &body).await?;
    let (told, mut answers) = mpsc::channel(WAITING);
    let asked = stack.clone();
    tokio::spawn(async move { asked.messages().ask(team, told).await });
    if !streams::is_wanted(&headers) {
        let mut items = Vec::new();
        while let Some(answer) = answers.recv().await {
            items.push(answer);
        }
        items.sort_by(|a: &TeamAnswer, b| a.from.cmp(&b.from));
        return Ok(Json(List { items }).into_response());
    }
    let (events, news) = mpsc::channel(WAITING);
    tokio::spawn(async move {
        while let Some(answer) = answers.recv().await {
            if events
                .send(streams::named("answer", &answer))
                .await
                .is_err()
            {
                return;
            }
        }
        let _ = events.send(streams::named("end", &())).await;
    });
    Ok(streams::follow_told(&stack, news).into_response())
}

/// Which exchanges.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ExchangeQuery {
    /// Only what was said to this one, in any case.
    pub to: Option<String>,
    /// Only what this one said.
    pub from: Option<String>,
    /// `answered`, `cut`, `kept`, `forwarded`, `waiting`, `away`, `too-slow`, `refused`, `failed`, `unheard`.
    pub outcome: Option<String>,
    /// The `next` of an earlier page.
    pub cursor: Option<String>,
    /// So many on a page, 1 to 200; absent: 50.
    pub limit: Option<u32>,
}

/// What was said to whom and what came of it, newest first.
///
/// The words themselves are in it only where the stack keeps them. The latest 10,000 of the last 30 days are kept.
#[utoipa::path(get, path = "/api/v1/exchanges", operation_id = "list_exchanges", tag = "messages",
    params(ExchangeQuery),
    responses((status = 200, body = ExchangePage)))]
pub async fn exchanges(
    State(stack): State<Stack>,
    Parameters(query): Parameters<ExchangeQuery>,
) -> Result<Json<ExchangePage>, Failure> {
    let before = match &query.cursor {
        Some(text) => Some(text.parse::<i64>().map_err(|_| {
            let shown: String = text.chars().take(40).collect();
            Failure::bad_request(format!("`{shown}` is no cursor of exchanges"))
                .with_remedy("give the `next` of the page before")
        })?),
        None => None,
    };
    let wanted = exchanges::Wanted {
        to: query.to,
        from: query.from,
        outcome: query.outcome,
        before,
        limit: query.limit,
    };
    Ok(Json(exchanges::list(&stack, wanted).await?))
}

/// One exchange.
#[utoipa::path(get, path = "/api/v1/exchanges/{id}", operation_id = "exchange", tag = "messages",
    params(("id" = String, Path)),
    responses((status = 200, body = Exchange)))]
pub async fn exchange(
    State(stack): State<Stack>,
    Name(id): Name,
) -> Result<Json<Exchange>, Failure> {
    Ok(Json(exchanges::read(&stack, &id).await?))
}

/// Which messages.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct WaitingQuery {
    /// `waiting` or `dead`; absent: both.
    pub state: Option<String>,
}

/// Messages that wait for somebody to come back, and those that were given up, oldest first.
#[utoipa::path(get, path = "/api/v1/messages", operation_id = "list_messages", tag = "messages",
    params(WaitingQuery),
    responses((status = 200, body = List<WaitingMessage>)))]
pub async fn waiting(
    State(stack): State<Stack>,
    Parameters(query): Parameters<WaitingQuery>,
) -> Result<Json<List<WaitingMessage>>, Failure> {
    if let Some(state) = query.state.as_deref()
        && !matches!(state, "waiting" | "dead")
    {
        return Err(Failure::bad_request("`state` is `waiting` or `dead`"));
    }
    let items = stack.messages().waiting(query.state.as_deref()).await?;
    Ok(Json(List { items }))
}

/// Have a message that was given up wait again, as the last in the line.
#[utoipa::path(post, path = "/api/v1/messages/{id}/retry", operation_id = "retry_message", tag = "messages",
    params(("id" = String, Path)),
    responses((status = 200, body = WaitingMessage)))]
pub async fn retry(
    State(stack): State<Stack>,
    Name(id): Name,
) -> Result<Json<WaitingMessage>, Failure> {
    Ok(Json(stack.messages().retry(&id).await?))
}

/// Forget a message that waits or was given up.
#[utoipa::path(delete, path = "/api/v1/messages/{id}", operation_id = "drop_message", tag = "messages",
    params(("id" = String, Path)),
    responses((status = 204)))]
pub async fn drop_message(
    State(stack): State<Stack>,
    Name(id): Name,
) -> Result<StatusCode, Failure> {
    stack.messages().drop_message(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}
