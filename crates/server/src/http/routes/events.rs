//! Everything that changed, as a list or as it happens.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::api::{Event, List};
use crate::http::extract::Parameters;
use crate::http::problem::Failure;
use crate::http::streams;
use crate::stack::Stack;

/// Where to begin.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct EventCursor {
    /// Only events after this one.
    pub after: Option<String>,
}

impl EventCursor {
    /// The event after which to begin.
    pub fn after(&self) -> Result<Option<u64>, Failure> {
        let Some(text) = &self.after else {
            return Ok(None);
        };
        let after = text.parse().map_err(|_| {
            Failure::bad_request(format!("`{text}` is no cursor of an event"))
                .with_remedy("give the id of an event, a whole number")
        })?;
        Ok(Some(after))
    }
}

/// Events, newest first; as a stream, oldest first and then as they happen (`Accept: text/event-stream`).
///
/// The stream's events are named `change`, and their id is the cursor that `Last-Event-ID` resumes from.
#[utoipa::path(get, path = "/api/v1/events", operation_id = "events", tag = "events",
    params(EventCursor),
    responses((status = 200, content(
        (List<Event> = "application/json"),
        (String = "text/event-stream")))))]
pub async fn events(
    State(stack): State<Stack>,
    Parameters(cursor): Parameters<EventCursor>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let after = cursor.after()?;
    if streams::is_wanted(&headers) {
        let after = streams::last_event_id(&headers).or(after);
        return Ok(streams::follow_events(&stack, after).into_response());
    }
    let items: Vec<Event> = stack.newest_events(after.unwrap_or(0)).await?;
    Ok(Json(List { items }).into_response())
}
