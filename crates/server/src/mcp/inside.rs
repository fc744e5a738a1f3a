//! Asking the stack from inside: through the same routes, decisions and handlers as any request, without a connection.

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, Response, header};
use http_body_util::{BodyExt as _, Limited};
use rmcp::ErrorData;
use rmcp::service::{RequestContext, RoleServer};
use serde_json::Value;
use tower::ServiceExt as _;

use crate::api::Problem;
use crate::http::guard::Caller;

/// A larger answer is none for a model.
const LARGEST: usize = 8 << 20;

/// The stack's routes.
#[derive(Clone, Debug)]
pub struct Inside(Router);

/// An answer that is whole.
#[derive(Debug)]
pub enum Answer {
    /// Nothing to say: it is done.
    Done,
    Document(Value),
    Text(String),
    Refused(Problem),
}

impl Inside {
    pub fn new(router: Router) -> Self {
        Self(router)
    }

    /// Asks for somebody. What they may is decided by the route that is asked.
    pub async fn ask(&self, caller: &Caller, mut request: Request<Body>) -> Response<Body> {
        request.extensions_mut().insert(caller.clone());
        match self.0.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }

    /// Asks, and reads the answer.
    pub async fn read(&self, caller: &Caller, request: Request<Body>) -> Answer {
        read(self.ask(caller, request).await).await
    }
}

/// An answer, read to its end.
pub async fn read(response: Response<Body>) -> Answer {
    let status = response.status();
    let is_json = is_kind(response.headers(), "json");
    let Ok(body) = Limited::new(response.into_body(), LARGEST).collect().await else {
        return Answer::Refused(problem(
            "the answer is too long to be given here",
            "ask for less of it",
        ));
    };
    let body = body.to_bytes();
    if !status.is_success() {
        let unreadable = |_| {
            problem(
                &format!("the stack answered {status}"),
                "look at what `ergon up` prints",
            )
        };
        return Answer::Refused(serde_json::from_slice(&body).unwrap_or_else(unreadable));
    }
    if body.is_empty() {
        return Answer::Done;
    }
    let text = || String::from_utf8_lossy(&body).into_owned();
    match serde_json::from_slice(&body) {
        Ok(document) if is_json => Answer::Document(document),
        _ => Answer::Text(text()),
    }
}

/// Whether an answer is of a kind: `json`, `event-stream`.
pub fn is_kind(headers: &HeaderMap, kind: &str) -> bool {
    let named = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    named.is_some_and(|named| named.split(';').next().unwrap_or(named).ends_with(kind))
}

fn problem(detail: &str, remedy: &str) -> Problem {
    Problem {
        kind: "about:blank".to_owned(),
        title: "Problem".to_owned(),
        status: 500,
        detail: detail.to_owned(),
        remedy: Some(remedy.to_owned()),
    }
}

/// Who asks, as the guard of `/mcp` found out.
pub fn caller(context: &RequestContext<RoleServer>) -> Result<Caller, ErrorData> {
    let parts = context.extensions.get::<axum::http::request::Parts>();
    let caller = parts.and_then(|parts| parts.extensions.get::<Caller>());
    caller
        .cloned()
        .ok_or_else(|| ErrorData::internal_error("it is not known who asks", None))
}
