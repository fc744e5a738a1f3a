//! A server of tools under an address of this stack, `/mcp/servers/NAME`: everything it has, in its own words, behind this
//! stack's door. Messages are carried as they come, within limits; tools that are held are not called, and not listed.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use ergon_companion::redact::Cleaner;
use ergon_hermes::gateway::Standing;
use futures_util::{Stream, StreamExt as _, stream};
use serde_json::{Value, json};
use sse_stream::SseStream;
use tokio::time::{Instant, timeout};

use super::envelope::Envelope;
use super::{Gateway, GatewayError, Kind};

/// Everything that comes back for one message, in bytes.
const LARGEST_ANSWER: usize = 64 << 20;
/// Longer lists are none.
const LARGEST_LIST: usize = 8 << 20;
/// Whoever takes longer to begin an answer gives none, and whoever tells nothing for so long has ended.
const BEGINNING: Duration = Duration::from_mins(2);
const SILENCE: Duration = Duration::from_mins(5);
const LONGEST: Duration = Duration::from_hours(1);

/// What a session is called, where there are any.
const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");

/// What is passed on of a request, beside what the protocol calls its own (`mcp-…`): never who asks.
const THERE: [HeaderName; 3] = [
    header::ACCEPT,
    header::CONTENT_TYPE,
    HeaderName::from_static("last-event-id"),
];
const BACK: [HeaderName; 3] = [header::CONTENT_TYPE, header::CACHE_CONTROL, header::ALLOW];

impl Gateway {
    /// Carries somebody's request to a server that is asked over HTTP, and its answer back.
    pub async fn pass(
        &self,
        caller: &str,
        name: &str,
        parts: Parts,
        body: Bytes,
    ) -> Result<Response, GatewayError> {
        let upstream = self.find(name).await?;
        let session = self.their_session(caller, name, &parts.headers)?;
        let away = |reason: &str| GatewayError::Away {
            name: name.to_owned(),
            reason: reason.to_owned(),
        };
        let server = upstream.address().server();
        let server = server
            .ok_or_else(|| away("it is a program; its tools are among those of this stack"))?;
        let pinned = self.0.reach.client(&server).await?;
        let message = match Envelope::read(&body) {
            _ if parts.method != Method::POST => Envelope::default(),
            Ok(message) => message,
            Err(unclear) => {
                let answer = axum::Json(unclear.answer());
                return Ok((StatusCode::BAD_REQUEST, answer).into_response());
            }
        };
        let held = self.held(&upstream, &message.method).await;
        if let Some(tool) = message.tool.filter(|tool| held.contains(tool)) {
            let name = name.to_owned();
            let reason = GatewayError::Held { name, tool };
            let error = json!({ "code": -32602, "message": reason.to_string() });
            let answer = json!({ "jsonrpc": "2.0", "id": message.id, "error": error });
            return Ok(axum::Json(answer).into_response());
        }
        let kind = match parts.method {
            Method::GET => Kind::Listening,
            _ if message.method == "subscriptions/listen" => Kind::Listening,
            _ => Kind::Call,
        };
        let place = self.begin(caller, name, kind)?;
        let turn = match kind {
            Kind::Call => Some(upstream.turn().await?),
            Kind::Listening => None,
        };
        let mut asked = pinned
            .client
            .request(parts.method.clone(), pinned.url)
            .headers(kept(&parts.headers, &THERE));
        if parts.method == Method::POST {
            asked = asked.body(body);
        }
        let answer = match timeout(BEGINNING, asked.send()).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return Err(away(&error.without_url().to_string())),
            Err(_) => return Err(away("it does not answer in time")),
        };
        let (status, headers) = (answer.status(), kept(answer.headers(), &BACK));
        self.note_session(caller, name, &headers)?;
        if let Some(session) = session.filter(|_| {
            status == StatusCode::NOT_FOUND
                || (parts.method == Method::DELETE && status.is_success())
        }) {
            self.0.sessions.ended(name, &session);
        }
        if message.method == "tools/list" && !held.is_empty() {
            let listed = listed(answer, &message.id)
                .await
                .ok_or_else(|| away("its list of tools cannot be read"))?;
            let mut response = axum::Json(without(listed, &held)).into_response();
            let session = headers
                .into_iter()
                .filter_map(|(name, value)| Some((name?, value)));
            response
                .headers_mut()
                .extend(session.filter(|(name, _)| *name != header::CONTENT_TYPE));
            return Ok(response);
        }
        // It is under way until the last of it is there.
        let pieces = hidden(bounded(answer.bytes_stream())).map(move |piece| {
            let _under_way = (&place, &turn);
            piece
        });
        let mut response = Response::new(Body::from_stream(pieces));
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Ok(response)
    }

    /// The session that a request is in, which has to be one that the same caller began.
    fn their_session(
        &self,
        caller: &str,
        name: &str,
        headers: &HeaderMap,
    ) -> Result<Option<String>, GatewayError> {
        let mut sessions = headers.get_all(SESSION).iter();
        let Some(session) = sessions.next() else {
            return Ok(None);
        };
        let session = session.to_str().ok().filter(|_| sessions.next().is_none());
        session
            .filter(|session| self.0.sessions.is_theirs(name, session, caller))
            .map(|session| Some(session.to_owned()))
            .ok_or_else(|| GatewayError::NoSession {
                name: name.to_owned(),
            })
    }

    /// Notes whose a session is that a server began with its answer.
    fn note_session(
        &self,
        caller: &str,
        name: &str,
        headers: &HeaderMap,
    ) -> Result<(), GatewayError> {
        let Some(session) = headers.get(SESSION) else {
            return Ok(());
        };
        let session = session.to_str().unwrap_or_default();
        if self.0.sessions.began(name, session, caller) {
            return Ok(());
        }
        Err(GatewayError::Answer {
            name: name.to_owned(),
            reason: "it names a session that is somebody else's, or can be none".to_owned(),
        })
    }

    /// The tools of a server that may not be used now. They are only looked for where it matters.
    async fn held(&self, upstream: &super::Upstream, method: &str) -> BTreeSet<String> {
        let matters = matches!(method, "tools/call" | "tools/list");
        if matters && upstream.is_due() {
            upstream.refresh().await;
        }
        upstream.not_usable()
    }
}

/// The heads that are passed on.
fn kept(headers: &HeaderMap, names: &[HeaderName]) -> HeaderMap {
    let is_kept = |name: &HeaderName| names.contains(name) || name.as_str().starts_with("mcp-");
    let kept = headers.iter().filter(|(name, _)| is_kept(name));
    kept.map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// An answer as it comes, to an end.
fn bounded(
    pieces: impl Stream<Item = reqwest::Result<Bytes>> + Send + 'static,
) -> impl Stream<Item = std::io::Result<Bytes>> + Send + 'static {
    let began = Instant::now();
    stream::unfold(
        (Box::pin(pieces), 0),
        move |(mut pieces, so_far)| async move {
            if began.elapsed() > LONGEST || so_far > LARGEST_ANSWER {
                return None;
            }
            match timeout(SILENCE, pieces.next()).await {
                Ok(Some(Ok(piece))) => {
                    let so_far = so_far + piece.len();
                    Some((Ok(piece), (pieces, so_far)))
                }
                Ok(Some(Err(error))) => Some((
                    Err(std::io::Error::other(error.without_url())),
                    (pieces, usize::MAX),
                )),
                Ok(None) | Err(_) => None,
            }
        },
    )
}

/// The same without the secrets that are known here, also where one comes in several pieces.
fn hidden(
    pieces: impl Stream<Item = std::io::Result<Bytes>> + Send + 'static,
) -> impl Stream<Item = std::io::Result<Bytes>> + Send + 'static {
    let begun = (Box::pin(pieces), Some(Cleaner::new()));
    stream::unfold(begun, async |(mut pieces, cleaner)| {
        let mut cleaner = cleaner?;
        let mut clean = Vec::new();
        match pieces.next().await {
            Some(Ok(piece)) => {
                cleaner.push_soon(&piece, &mut clean);
                Some((Ok(clean.into()), (pieces, Some(cleaner))))
            }
            Some(Err(error)) => Some((Err(error), (pieces, None))),
            None => {
                cleaner.finish(&mut clean);
                Some((Ok(clean.into()), (pieces, None)))
            }
        }
    })
}

/// The message that answers, whichever way it was given.
async fn listed(answer: reqwest::Response, id: &Value) -> Option<Value> {
    let is_stream = crate::mcp::inside::is_kind(answer.headers(), "event-stream");
    let pieces = bounded(answer.bytes_stream());
    if is_stream {
        let mut events = Box::pin(SseStream::from_bytes_stream(pieces));
        while let Some(Ok(event)) = events.next().await {
            let message: Value =
                serde_json::from_str(event.data.as_deref().unwrap_or_default()).unwrap_or_default();
            if message["id"] == *id
                && (message.get("result").is_some() || message.get("error").is_some())
            {
                return Some(message);
            }
        }
        return None;
    }
    let body = to_bytes(Body::from_stream(pieces), LARGEST_LIST)
        .await
        .ok()?;
    serde_json::from_slice(&body).ok()
}

/// A list without these tools.
fn without(mut listed: Value, held: &BTreeSet<String>) -> Value {
    if let Some(tools) = listed["result"]["tools"].as_array_mut() {
        tools.retain(|tool| {
            !tool["name"]
                .as_str()
                .is_some_and(|name| held.contains(name))
        });
    }
    listed
}

impl super::Upstream {
    fn not_usable(&self) -> BTreeSet<String> {
        let offers = self.offers_as_seen().into_iter();
        let usable = |standing: &Standing| matches!(standing, Standing::New | Standing::Same);
        offers
            .filter(|(_, standing)| !usable(standing))
            .map(|(name, _)| name)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn who_asks_is_not_passed_on() {
        let mut headers = HeaderMap::new();
        for name in [
            "authorization",
            "cookie",
            "host",
            "origin",
            "x-forwarded-for",
            "accept",
            "mcp-session-id",
            "mcp-name",
        ] {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static("x"));
        }
        let kept = kept(&headers, &THERE);
        let mut names: Vec<&str> = kept.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["accept", "mcp-name", "mcp-session-id"]);
    }

    #[test]
    fn what_is_held_is_not_listed() {
        let listed = json!({ "id": 1, "result": { "tools": [{ "name": "a" }, { "name": "b" }], "ttlMs": 5 } });
        let shown = without(listed, &["b".to_owned()].into());
        assert_eq!(
            shown,
            json!({ "id": 1, "result": { "tools": [{ "name": "a" }], "ttlMs": 5 } })
        );
    }

    #[tokio::test]
    async fn what_does_not_end_is_ended() {
        let endless = stream::repeat_with(|| Ok(Bytes::from(vec![0; 1 << 20])));
        let pieces: Vec<_> = bounded(endless).collect().await;
        assert_eq!(pieces.len(), (LARGEST_ANSWER >> 20) + 1);
    }
}
