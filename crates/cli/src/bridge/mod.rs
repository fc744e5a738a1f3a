//! A bridge from an agent on standard input and output to the stack's `/mcp`. It understands as much of what is said as
//! it takes to bring it there: everything else is between the agent and the stack.

mod message;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::task::{AbortHandle, JoinSet};

use crate::client::Client;
use crate::failure::{Failure, Outcome};
use crate::output;
use crate::sse::EventReader;
use message::{Message, failure, in_head};

const SESSION: &str = "mcp-session-id";
const VERSION: &str = "mcp-protocol-version";
const KINDS: &str = "application/json, text/event-stream";

/// What the protocol calls a text that is no JSON, and a failure of whoever answers.
const UNREADABLE: i32 = -32_700;
const FAILED: i32 = -32_603;

/// How long answers under way are waited for once the agent has gone.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long until what a session is told unasked is listened to again.
const PAUSE: Duration = Duration::from_secs(2);

/// A bridge. Cheap to clone.
#[derive(Clone)]
pub struct Bridge {
    client: Client,
    session: Arc<Mutex<Session>>,
}

/// What an agent of an older revision has agreed with the stack.
#[derive(Clone, Default)]
struct Session {
    id: Option<String>,
    version: Option<String>,
    /// What it began with, for a stack that has started again since.
    beginning: Option<Message>,
}

impl Bridge {
    pub fn new(client: Client) -> Self {
        Self {
            client,
            session: Arc::default(),
        }
    }

    /// Carries messages until the agent has gone.
    pub async fn run(self) -> Outcome {
        let mut lines = BufReader::new(tokio::io::stdin()).lines();
        let mut under_way = JoinSet::new();
        let mut asked: HashMap<String, AbortHandle> = HashMap::new();
        let mut listening: Option<AbortHandle> = None;
        while let Some(line) = lines.next_line().await? {
            while let Some(ended) = under_way.try_join_next() {
                ended.unwrap_or(Ok(()))?;
            }
            asked.retain(|_, task| !task.is_finished());
            let message = match Message::read(&line) {
                _ if line.trim().is_empty() => continue,
                Ok(message) => message,
                Err(reason) => {
                    output::print_plain(&failure(None, UNREADABLE, &reason))?;
                    continue;
                }
            };
            if let Some(id) = message.cancelled()
                && self.session().id.is_none()
            {
                // Where every request stands alone, hanging up is to cancel it.
                if let Some(task) = asked.remove(&id.to_string()) {
                    task.abort();
                }
                continue;
            }
            if !message.is_request() || message.method() == Some("initialize") {
                self.carry(&message).await?;
                if message.method() == Some("notifications/initialized") && listening.is_none() {
                    listening = Some(tokio::spawn(self.clone().listen()).abort_handle());
                }
                continue;
            }
            let id = message.id().map(ToString::to_string).unwrap_or_default();
            let bridge = self.clone();
            let task = under_way.spawn(async move { bridge.carry(&message).await });
            asked.insert(id, task);
        }
        let answered = async {
            while let Some(ended) = under_way.join_next().await {
                ended.unwrap_or(Ok(()))?;
            }
            Ok(())
        };
        let outcome = tokio::time::timeout(PATIENCE, answered)
            .await
            .unwrap_or(Ok(()));
        if let Some(listening) = listening {
            listening.abort();
        }
        self.end().await;
        outcome
    }

    /// Brings a message to the stack, and what it answers to the agent.
    async fn carry(&self, message: &Message) -> Outcome {
        let mut response = self.post(message).await;
        let is_lost =
            matches!(&response, Ok(response) if response.status() == StatusCode::NOT_FOUND);
        if is_lost && message.method() != Some("initialize") && self.begin_again().await {
            response = self.post(message).await;
        }
        let response = match response {
            Ok(response) => response,
            Err(failure) => return refuse(message, &failure),
        };
        if message.method() == Some("initialize") {
            return self.begin(message, response).await;
        }
        tell(message, response, |_| {}).await
    }

    /// Keeps what a session was agreed on.
    async fn begin(&self, message: &Message, response: Response) -> Outcome {
        let id = response
            .headers()
            .get(SESSION)
            .and_then(|id| id.to_str().ok())
            .map(str::to_owned);
        let mut version = None;
        let told = tell(message, response, |answer| {
            version = answer["result"]["protocolVersion"]
                .as_str()
                .map(str::to_owned);
        });
        told.await?;
        *self.session.lock().unwrap_or_else(PoisonError::into_inner) = Session {
            id,
            version,
            beginning: Some(message.clone()),
        };
        Ok(())
    }

    /// Takes up a session anew with a stack that knows nothing of it any more.
    async fn begin_again(&self) -> bool {
        let Session {
            id: Some(_),
            beginning: Some(beginning),
            version,
        } = self.session()
        else {
            return false;
        };
        self.session
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .id = None;
        let Ok(response) = self.post(&beginning).await else {
            return false;
        };
        let id = response
            .headers()
            .get(SESSION)
            .and_then(|id| id.to_str().ok())
            .map(str::to_owned);
        if !response.status().is_success() || response.bytes().await.is_err() {
            return false;
        }
        *self.session.lock().unwrap_or_else(PoisonError::into_inner) = Session {
            id,
            version,
            beginning: Some(beginning),
        };
        let initialized = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
        match Message::read(initialized) {
            Ok(initialized) => self.post(&initialized).await.is_ok(),
            Err(_) => false,
        }
    }

    /// Listens to what a session is told unasked.
    async fn listen(self) -> Outcome {
        loop {
            if self.session().id.is_none() {
                return Ok(());
            }
            let request = self.head(self.client.raw(Method::GET, &["mcp"]), None);
            if let Ok(response) = request.header(ACCEPT, "text/event-stream").send().await {
                if response.status() == StatusCode::METHOD_NOT_ALLOWED {
                    return Ok(());
                }
                if response.status().is_success() {
                    events(response, |_| {}).await?;
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn end(&self) {
        if self.session().id.is_some() {
            let request = self.head(self.client.raw(Method::DELETE, &["mcp"]), None);
            // A session that cannot be ended ends by itself.
            drop(request.timeout(PATIENCE).send().await);
        }
    }

    async fn post(&self, message: &Message) -> Result<Response, Failure> {
        let request = self.head(self.client.raw(Method::POST, &["mcp"]), Some(message));
        let request = request
            .header(ACCEPT, KINDS)
            .header(CONTENT_TYPE, "application/json");
        let body = message.json().to_string();
        match request.body(body).send().await {
            Ok(response) => Ok(response),
            Err(error) if error.is_connect() => Err(self.client.address().nobody_listens()),
            Err(error) => Err(Failure::from_error(&error)),
        }
    }

    /// What stands in the head of a request, beside its token.
    fn head(&self, request: RequestBuilder, message: Option<&Message>) -> RequestBuilder {
        if let Some((message, version)) =
            message.and_then(|message| Some((message, message.version()?)))
        {
            let mut request = request.header(VERSION, in_head(version));
            if let Some(method) = message.method() {
                request = request.header("mcp-method", in_head(method));
            }
            if let Some(subject) = message.subject() {
                request = request.header("mcp-name", in_head(subject));
            }
            return request;
        }
        let session = self.session();
        let is_beginning = message.is_some_and(|message| message.method() == Some("initialize"));
        let mut request = request;
        if let Some(id) = session.id.filter(|_| !is_beginning) {
            request = request.header(SESSION, id);
        }
        if let Some(version) = session.version.filter(|_| !is_beginning) {
            request = request.header(VERSION, version);
        }
        request
    }

    fn session(&self) -> Session {
        self.session
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// Tells the agent what the stack answers.
async fn tell(message: &Message, response: Response, seen: impl FnMut(&Value)) -> Outcome {
    let status = response.status();
    let kind = response
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or_default();
    if kind.starts_with("text/event-stream") {
        return match events(response, seen).await {
            Ok(true) => Ok(()),
            Ok(false) => refuse(
                message,
                &Failure::new("the connection to the stack broke off"),
            ),
            Err(failure) => Err(failure),
        };
    }
    let is_message = kind.starts_with("application/json");
    let body = response.bytes().await.unwrap_or_default();
    let mut seen = seen;
    match serde_json::from_slice::<Value>(&body) {
        Ok(answer) if is_message && answer.get("jsonrpc").is_some() => {
            seen(&answer);
            output::print_plain(&answer.to_string())
        }
        _ if status.is_success() => Ok(()),
        Ok(problem) if problem["detail"].is_string() => {
            let detail = problem["detail"].as_str().unwrap_or_default();
            let remedy = problem["remedy"].as_str().map(str::to_owned);
            refuse(message, &Failure::new(detail).with_remedy(remedy))
        }
        _ => {
            let said = String::from_utf8_lossy(&body);
            refuse(
                message,
                &Failure::new(format!("the stack answered {status}: {}", said.trim())),
            )
        }
    }
}

/// Tells the agent of each event, and says whether the stream was ended as streams are.
async fn events(response: Response, mut seen: impl FnMut(&Value)) -> Outcome<bool> {
    let mut reader = EventReader::default();
    let mut bytes = response.bytes_stream();
    while let Some(piece) = bytes.next().await {
        let Ok(piece) = piece else {
            return Ok(false);
        };
        for event in reader.push(&piece) {
            // An event that only says from where to go on says nothing.
            if let Ok(answer) = serde_json::from_str::<Value>(&event.data) {
                seen(&answer);
                output::print_plain(&answer.to_string())?;
            }
        }
    }
    Ok(true)
}

/// Tells the agent why there is no answer, where it wants one.
fn refuse(message: &Message, reason: &Failure) -> Outcome {
    let Failure::Said {
        message: said,
        remedy,
        ..
    } = reason
    else {
        return Ok(());
    };
    let words = match remedy {
        Some(remedy) => format!("{said}; {remedy}"),
        None => said.clone(),
    };
    match message.id() {
        Some(id) if message.is_request() => output::print_plain(&failure(Some(id), FAILED, &words)),
        _ => {
            output::note(&words);
            Ok(())
        }
    }
}
