//! `/mcp`: the protocol over HTTP. Requests of the current revision stand alone; older clients have sessions.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService};

use super::inside::{Inside, is_kind};
use super::server::Server;
use crate::http::authenticate::check_origin_of_all;
use crate::http::extract::gathered;
use crate::http::problem::Failure;
use crate::stack::Stack;

/// Sessions at a time. Each is a task and some buffers; whoever forgets to end theirs costs no more than this.
const SESSIONS: usize = 256;
/// A session nobody uses ends after so long.
const IDLE: Duration = Duration::from_hours(1);
/// The largest message, in bytes.
const LARGEST: usize = 1 << 20;

/// The endpoint. Cheap to clone.
#[derive(Clone)]
pub struct Endpoint {
    server: Server,
    sessions: Arc<LocalSessionManager>,
    service: StreamableHttpService<Server, LocalSessionManager>,
}

impl Endpoint {
    pub fn new(stack: &Stack, inside: Inside) -> Self {
        let server = Server::new(stack.clone(), inside);
        let mut sessions = LocalSessionManager::default();
        sessions.session_config.keep_alive = Some(IDLE);
        let sessions = Arc::new(sessions);
        // Which hosts and origins may ask is decided before, as for every route.
        let config = StreamableHttpServerConfig::default()
            .disable_allowed_hosts()
            .with_max_request_body_bytes(LARGEST)
            .with_json_response(true)
            .with_cancellation_token(stack.shutdown().child_token());
        let service = {
            let server = server.clone();
            StreamableHttpService::new(move || Ok(server.anew()), sessions.clone(), config)
        };
        Self {
            server,
            sessions,
            service,
        }
    }

    /// The same things, for whoever does not speak the protocol.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// Answers a request that has passed the guard.
    pub async fn serve(&self, request: Request) -> Response {
        if let Err(failure) = check_origin_of_all(request.headers(), request.uri()) {
            return failure.into_response();
        }
        let begins =
            request.method() == "POST" && !request.headers().contains_key("mcp-session-id");
        if begins && self.sessions.sessions.read().await.len() >= SESSIONS {
            let detail = format!("{SESSIONS} sessions are open, which is as many as there may be");
            return Failure::new(StatusCode::SERVICE_UNAVAILABLE, detail)
                .with_remedy("end sessions that are not needed with DELETE, or use the revision 2026-07-28, which has none")
                .into_response();
        }
        let request = match gathered(request).await {
            Ok((parts, body)) => Request::from_parts(parts, Body::from(body)),
            Err(failure) => return failure.into_response(),
        };
        in_our_words(self.service.handle(request).await.map(Body::new)).await
    }
}

/// What is refused before anything is understood is refused as everywhere else; an error of the protocol stays one.
async fn in_our_words(response: Response) -> Response {
    let is_refused = response.status().is_client_error() || response.status().is_server_error();
    if !is_refused || is_kind(response.headers(), "json") {
        return response;
    }
    let status = response.status();
    let said = to_bytes(response.into_body(), LARGEST).await;
    let said = String::from_utf8_lossy(&said.unwrap_or_default()).into_owned();
    let said = said
        .split_once(": ")
        .map_or(said.as_str(), |(_, said)| said);
    let reason = status.canonical_reason().unwrap_or("it is refused");
    let detail = if said.is_empty() { reason } else { said };
    Failure::new(status, detail)
        .with_remedy("speak the Model Context Protocol, revision 2026-07-28 or before")
        .into_response()
}
