//! Everything that changed, as a list or as it happens.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::api::{Event, List};
use crate::authorize::{Action, Principal};
use crate::http::extract::Parameters;
use crate::http::problem::Failure;
use crate::http::recorded::Recording;
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
    /// The event after which to begin, as the query or the head of a request says. 410 where what came next is gone.
    pub async fn known(&self, stack: &Stack, headers: &HeaderMap) -> Result<Option<u64>, Failure> {
        let after = streams::last_event_id(headers).or(self.after()?);
        let gone = stack.store().forgotten_events().await?;
        let gone = u64::try_from(gone).unwrap_or_default();
        match after {
            Some(after) if after < gone => {
                let detail = format!(
                    "what happened after event {after} is not kept any more, up to event {gone}"
                );
                Err(Failure::new(StatusCode::GONE, detail)
                    .begin_after(gone)
                    .with_remedy(format!(
                        "look at how everything is now, and go on with after={gone}"
                    )))
            }
            after => Ok(after),
        }
    }

    fn after(&self) -> Result<Option<u64>, Failure> {
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

/// What events tell of that not everybody who sees events may list.
const GUARDED: [(&str, Action); 7] = [
    ("dev.ergon.person.", Action::ListPeople),
    ("dev.ergon.session.", Action::ListPeople),
    (
        "dev.ergon.identity-provider.",
        Action::ListIdentityProviders,
    ),
    ("dev.ergon.policy.", Action::ListPolicies),
    ("dev.ergon.robot.", Action::ListRobots),
    ("dev.ergon.secret.", Action::ListSecrets),
    ("dev.ergon.upstream.", Action::ListUpstreams),
];

/// Which events somebody may be told of: of themselves in any case.
fn theirs(
    stack: &Stack,
    principal: &Principal,
    recording: &Recording,
) -> impl Fn(&str, &str) -> bool + Send + Sync + use<> {
    let (stack, asked) = (stack.clone(), principal.clone());
    let circumstances = recording.circumstances;
    let name = asked.name();
    let own = [format!("person/{name}"), format!("session/{name}")];
    move |kind, subject| {
        let mut guards = GUARDED
            .iter()
            .filter(|(guarded, _)| kind.starts_with(guarded));
        own.iter().any(|own| own == subject)
            || guards.all(|(_, action)| {
                let (policy, principal) = (stack.policy(), as_they_are(&stack, &asked));
                policy.would_allow(&principal, *action, &action.on(None), circumstances)
            })
    }
}

/// Whoever follows what happens may be given other roles meanwhile.
fn as_they_are(stack: &Stack, asked: &Principal) -> Principal {
    match asked {
        Principal::Person(person) if person.token.is_none() => {
            let principal = stack.people().principal(&person.name);
            principal.unwrap_or(Principal::Nobody)
        }
        other => other.clone(),
    }
}

/// Events, newest first; as a stream, oldest first and then as they happen (`Accept: text/event-stream`).
///
/// The stream's events are named `change`, and their id is the cursor that `Last-Event-ID` resumes from. The oldest events
/// are not kept for ever: 410 says that some after the cursor are gone, and its header `Ergon-Begin-After` where to go on.
#[utoipa::path(get, path = "/api/v1/events", operation_id = "events", tag = "events",
    params(EventCursor),
    responses((status = 200, content(
        (List<Event> = "application/json"),
        (String = "text/event-stream")))))]
pub async fn events(
    State(stack): State<Stack>,
    Extension(principal): Extension<Principal>,
    Extension(recording): Extension<Recording>,
    Parameters(cursor): Parameters<EventCursor>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let is_theirs = theirs(&stack, &principal, &recording);
    let after = cursor.known(&stack, &headers).await?;
    if streams::is_wanted(&headers) {
        return Ok(streams::follow_events(&stack, after, is_theirs).into_response());
    }
    let mut items: Vec<Event> = stack.newest_events(after.unwrap_or(0)).await?;
    items.retain(|event| is_theirs(&event.kind, &event.subject));
    Ok(Json(List { items }).into_response())
}
