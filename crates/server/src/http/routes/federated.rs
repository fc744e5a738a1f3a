//! Messages that other stacks pass on.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};

use crate::api::{FederatedMessage, FederatedReply};
use crate::authorize::{Action, Principal};
use crate::http::extract::Body;
use crate::http::guard;
use crate::http::problem::Failure;
use crate::http::recorded::Recording;
use crate::messages::MessageError;
use crate::messages::passed_on::{self, Outcome};
use crate::stack::Stack;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Take a message that another stack passes on, and have the answer.
///
/// It is refused with 508 where it was here before or came through more than three stacks. One that comes again with
/// the same id (or `Idempotency-Key`) is not said again: the answer is the first one's.
#[utoipa::path(post, path = "/api/federated/message", operation_id = "federated_message", tag = "messages",
    params(("Idempotency-Key" = Option<String>, Header, description = "What it is known again by, as `id`.")),
    request_body = FederatedMessage,
    responses(
        (status = 200, body = FederatedReply),
        (status = 202, body = FederatedReply, description = "It was taken, and nobody answers at once.")))]
pub async fn message(
    State(stack): State<Stack>,
    Extension(principal): Extension<Principal>,
    Extension(recording): Extension<Recording>,
    headers: HeaderMap,
    Body(body): Body<FederatedMessage>,
) -> Result<Response, Failure> {
    let header = match headers.get(IDEMPOTENCY_KEY).map(|key| key.to_str()) {
        Some(Err(_)) => return Err(MessageError::Key.into()),
        Some(Ok(key)) => Some(key),
        None => None,
    };
    let key = passed_on::key(header, body.id.as_deref())?;
    let messages = stack.messages();
    // Whoever may pass messages on may say something to whom they are for, or not.
    let to = messages.named_here(body.to.as_deref().filter(|to| !to.is_empty()));
    let name = Some(to.to_owned());
    guard::decide_also(&stack, &principal, &recording, Action::SendMessage, name)?;
    let prepared = messages.prepare_passed_on(&principal, &body, key).await?;
    let bring = async {
        match messages.send_passed_on(&prepared).await {
            Err(error) if error.may_have_arrived() => {
                Ok(Outcome::Failed(Failure::from(error).into_problem()))
            }
            other => other.map_err(Failure::from),
        }
    };
    let outcome = match key {
        Some(key) => {
            let digest = passed_on::digest(&body);
            let by = principal.name();
            stack.passed_on().once(&by, key, digest, bring).await?
        }
        None => bring.await?,
    };
    Ok(match outcome {
        Outcome::Replied(reply) if matches!(reply.state.as_str(), "answered" | "cut") => {
            Json(reply).into_response()
        }
        Outcome::Replied(reply) => (StatusCode::ACCEPTED, Json(reply)).into_response(),
        Outcome::Failed(problem) => Failure::of(problem).into_response(),
    })
}
