//! The way to a server that takes `{"message": …, "from": …}`, and what all ways over HTTP have in common.

use std::collections::BTreeMap;

use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, StreamExt as _};
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderValue, LOCATION};
use reqwest::{RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::answer::Collected;
use super::error::SendError;
use super::letter::Letter;
use super::pieces::{Form, Raw, Reader, Said};
use super::text;
use super::way::Way;
use crate::address::Server;
use crate::reach::{Reach, ReachError};

/// What can be read.
const READABLE: &str =
    "application/json, text/event-stream, application/x-ndjson, text/plain;q=0.5";
/// So much of a failure is read for its reason, in bytes.
const LONGEST_FAILURE: usize = 16 << 10;

/// A server's door.
pub struct Door {
    reach: Reach,
    server: Server,
    /// What is sent along with each message, as the record asks for it.
    headers: BTreeMap<String, String>,
}

impl Door {
    pub fn new(reach: Reach, server: Server, headers: BTreeMap<String, String>) -> Self {
        Self {
            reach,
            server,
            headers,
        }
    }

    /// Sends a body, and collects what is answered.
    pub async fn post(
        &self,
        letter: &Letter,
        body: &Value,
        answer: &mut Collected,
    ) -> Result<(), SendError> {
        let request = self.request(letter).await?.header(ACCEPT, READABLE);
        let response = self.send(request.json(body)).await?;
        if !response.status().is_success() {
            return Err(refused(response).await);
        }
        read(response, answer).await
    }

    /// A request that goes nowhere else, and shows what the record wants to be shown.
    pub async fn request(&self, letter: &Letter) -> Result<RequestBuilder, SendError> {
        let pinned = self.reach.client(&self.server).await.map_err(unreached)?;
        let mut request = pinned
            .client
            .post(&pinned.url)
            .header("idempotency-key", &letter.id);
        for (name, value) in &self.headers {
            let Ok(mut value) = HeaderValue::from_str(value) else {
                continue;
            };
            // It is a secret, as far as anybody here knows.
            value.set_sensitive(true);
            request = request.header(name, value);
        }
        Ok(request)
    }

    /// Sends a request. Nobody is followed elsewhere.
    pub async fn send(&self, request: RequestBuilder) -> Result<Response, SendError> {
        let response = request.send().await.map_err(|error| failed(&error))?;
        if response.status().is_redirection() {
            let to = response.headers().get(LOCATION);
            let to = to.and_then(|to| to.to_str().ok()).unwrap_or("nowhere");
            return Err(SendError::Redirected(text::shortened(to)));
        }
        Ok(response)
    }
}

/// What is read as what.
enum Kind {
    Document,
    Stream(Form),
}

async fn read(response: Response, answer: &mut Collected) -> Result<(), SendError> {
    if matches!(
        response.status(),
        StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT
    ) {
        return Ok(());
    }
    match kind(&response)? {
        Kind::Document => document(response, answer).await,
        Kind::Stream(form) => stream(response, form, answer).await,
    }
}

fn kind(response: &Response) -> Result<Kind, SendError> {
    let kind = response.headers().get(CONTENT_TYPE);
    let kind = kind.map(|kind| kind.to_str().unwrap_or("something"));
    let kind = kind.unwrap_or("text/plain");
    let name = kind.split(';').next().unwrap_or_default();
    let name = name.trim().to_ascii_lowercase();
    Ok(match name.as_str() {
        "text/event-stream" => Kind::Stream(Form::Events),
        "application/x-ndjson" | "application/jsonl" | "application/x-jsonlines" => {
            Kind::Stream(Form::Lines)
        }
        "application/json" => Kind::Document,
        name if name.ends_with("+json") => Kind::Document,
        // A page for browsers is no answer, though it is text.
        "text/html" => return Err(SendError::WrongKind("a page for browsers".to_owned())),
        name if name.starts_with("text/") => Kind::Stream(Form::Text),
        name => return Err(SendError::WrongKind(text::shortened(name))),
    })
}

async fn document(response: Response, answer: &mut Collected) -> Result<(), SendError> {
    let mut whole = Vec::new();
    let mut pieces = response.bytes_stream();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|error| broken(&error))?;
        answer.count(piece.len())?;
        whole.extend_from_slice(&piece);
    }
    if whole.iter().all(u8::is_ascii_whitespace) {
        return Ok(());
    }
    let value: Value = serde_json::from_slice(&whole)
        .map_err(|_| SendError::Broken("it says it is JSON and is not".to_owned()))?;
    take(value, answer)
}

fn take(value: Value, answer: &mut Collected) -> Result<(), SendError> {
    if let Some(reason) = text::refusal(&value) {
        return Err(SendError::Refused(reason));
    }
    let said = text::said(&value).unwrap_or_default();
    answer.take_whole(said, value);
    Ok(())
}

async fn stream(response: Response, form: Form, answer: &mut Collected) -> Result<(), SendError> {
    let mut reader = Reader::new(form);
    let mut pieces = response.bytes_stream();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|error| broken(&error))?;
        answer.count(piece.len())?;
        let said = reader.feed(&piece).map_err(|_| SendError::TooLong)?;
        if hear(said, answer).await? {
            return Ok(());
        }
    }
    let rest = reader.end().map_err(|_| SendError::TooLong)?;
    hear(rest, answer).await.map(drop)
}

/// Takes what was said; says whether that was all.
async fn hear(said: Vec<Raw>, answer: &mut Collected) -> Result<bool, SendError> {
    for raw in said {
        match Said::from(raw) {
            Said::Piece(piece) => answer.push(&piece).await?,
            Said::Refusal(reason) => return Err(SendError::Refused(reason)),
            Said::Whole(value) if text::said(&value).is_some() => {
                take(value, answer)?;
                return Ok(true);
            }
            Said::Whole(_) | Said::End => return Ok(true),
        }
    }
    Ok(false)
}

async fn refused(response: Response) -> SendError {
    let status = response.status();
    let mut body = Vec::new();
    let mut pieces = response.bytes_stream();
    while let Some(Ok(piece)) = pieces.next().await {
        let room = LONGEST_FAILURE - body.len();
        body.extend_from_slice(piece.get(..room).unwrap_or(&piece));
        if body.len() >= LONGEST_FAILURE {
            break;
        }
    }
    SendError::Status {
        status: status.as_u16(),
        reason: text::reason(&body),
    }
}

fn unreached(error: ReachError) -> SendError {
    match error {
        ReachError::Outside { .. } | ReachError::Itself { .. } => SendError::NotAllowed {
            remedy: error.remedy(),
            reason: error.to_string(),
        },
        ReachError::NotFound { .. } | ReachError::Away { .. } => SendError::Away {
            reason: error.to_string(),
            may_be_passing: true,
        },
    }
}

fn failed(error: &reqwest::Error) -> SendError {
    if error.is_connect() {
        let reason = cause(error);
        return SendError::Away {
            // A port that nobody listens on is not listened on a moment later either, as a rule.
            may_be_passing: !reason.contains("refused"),
            reason,
        };
    }
    broken(error)
}

pub fn broken(error: &reqwest::Error) -> SendError {
    SendError::Broken(cause(error))
}

/// The innermost reason. The outer ones name the URL again.
fn cause(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    text::shortened(&innermost.to_string())
}

/// The way to a server in the plain form.
pub struct Simple {
    door: Door,
}

impl Simple {
    pub fn new(door: Door) -> Self {
        Self { door }
    }
}

impl Way for Simple {
    fn bring<'a>(
        &'a self,
        letter: &'a Letter,
        _deadline: Instant,
        answer: &'a mut Collected,
    ) -> BoxFuture<'a, Result<(), SendError>> {
        async move {
            let mut body =
                json!({ "message": letter.content, "from": letter.from, "id": letter.id });
            if let Some(to) = &letter.to {
                body["to"] = json!(to);
            }
            self.door.post(letter, &body, answer).await
        }
        .boxed()
    }
}
