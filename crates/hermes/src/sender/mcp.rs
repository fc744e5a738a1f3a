//! The way to a server of the Model Context Protocol: a call of the tool that takes messages.
//!
//! The stateless revision is spoken first; whoever does not understand it is greeted as the older one asks for. Which
//! tool and which of its arguments a message is for is looked up each time: a server may have changed its mind.

use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, StreamExt as _};
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use reqwest::{Response, StatusCode};
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::answer::Collected;
use super::error::SendError;
use super::http::{Door, broken};
use super::letter::Letter;
use super::pieces::{Form, Raw, Reader};
use super::text;
use super::way::Way;

/// The revision that knows no sessions, and the one before it.
const STATELESS: &str = "2026-07-28";
const WITH_SESSIONS: &str = "2025-11-25";
/// Tools that take messages, as people call them; else the only one that could.
const TOOLS: [&str; 6] = ["send_message", "message", "chat", "ask", "talk", "say"];
/// Arguments that hold messages.
const ARGUMENTS: [&str; 8] = [
    "message", "content", "text", "question", "prompt", "query", "input", "msg",
];
const SESSION: &str = "mcp-session-id";

/// The way to a server of the Model Context Protocol.
pub struct Mcp {
    door: Door,
}

/// How a server is spoken to.
enum Manner {
    Stateless,
    /// The session it gave, if it gives any.
    Session(Option<HeaderValue>),
}

/// Why a request has no result.
enum Unanswered {
    /// The server speaks the older revision only, as far as can be seen.
    Older,
    Error(SendError),
}

impl From<SendError> for Unanswered {
    fn from(error: SendError) -> Self {
        Self::Error(error)
    }
}

impl From<Unanswered> for SendError {
    fn from(unanswered: Unanswered) -> Self {
        match unanswered {
            Unanswered::Error(error) => error,
            Unanswered::Older => Self::Broken("it does not speak this protocol".to_owned()),
        }
    }
}

/// One conversation with a server.
struct Conversation<'a> {
    door: &'a Door,
    letter: &'a Letter,
    manner: Manner,
    /// The number of the last request.
    number: u64,
}

/// A tool that takes messages, and in which argument.
#[derive(Debug, PartialEq, Eq)]
struct Tool {
    name: String,
    argument: String,
    takes_sender: bool,
}

impl Mcp {
    pub fn new(door: Door) -> Self {
        Self { door }
    }

    async fn converse(&self, letter: &Letter, answer: &mut Collected) -> Result<(), SendError> {
        let mut server = Conversation {
            door: &self.door,
            letter,
            manner: Manner::Stateless,
            number: 0,
        };
        let tools = match server.ask("tools/list", Map::new(), answer).await {
            Err(Unanswered::Older) => {
                server.greet(answer).await?;
                server.ask("tools/list", Map::new(), answer).await?
            }
            other => other?,
        };
        let tool = pick(&tools)
            .ok_or_else(|| SendError::Refused("it has no tool that takes a message".to_owned()))?;
        let mut arguments = Map::new();
        arguments.insert(tool.argument, json!(letter.content));
        if tool.takes_sender {
            arguments.insert("from".to_owned(), json!(letter.from));
        }
        let call = json!({ "name": tool.name, "arguments": arguments });
        let call = call.as_object().cloned().unwrap_or_default();
        let result = server.ask("tools/call", call, answer).await?;
        let said = said(&result);
        if result.get("isError").and_then(Value::as_bool) == Some(true) {
            return Err(SendError::Refused(text::shortened(&said)));
        }
        answer.take_whole(said, result);
        Ok(())
    }
}

impl Conversation<'_> {
    /// Greets a server as the older revision has it.
    async fn greet(&mut self, answer: &mut Collected) -> Result<(), SendError> {
        self.manner = Manner::Session(None);
        let hello = json!({
            "protocolVersion": WITH_SESSIONS, "capabilities": {}, "clientInfo": who(),
        });
        let hello = hello.as_object().cloned().unwrap_or_default();
        self.ask("initialize", hello, answer).await?;
        let body = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        let response = self.post("notifications/initialized", None, &body).await?;
        match response.status() {
            status if status.is_success() => Ok(()),
            status => Err(SendError::Status {
                status: status.as_u16(),
                reason: None,
            }),
        }
    }

    /// Asks one thing, and returns the result.
    async fn ask(
        &mut self,
        method: &str,
        mut parameters: Map<String, Value>,
        answer: &mut Collected,
    ) -> Result<Value, Unanswered> {
        self.number += 1;
        if matches!(self.manner, Manner::Stateless) {
            let meta = json!({
                "io.modelcontextprotocol/protocolVersion": STATELESS,
                "io.modelcontextprotocol/clientInfo": who(),
                "io.modelcontextprotocol/clientCapabilities": {},
            });
            parameters.insert("_meta".to_owned(), meta);
        }
        let name = parameters
            .get("name")
            .and_then(Value::as_str)
            .map(str::to_owned);
        let body = json!({
            "jsonrpc": "2.0", "id": self.number, "method": method, "params": parameters,
        });
        let response = self.post(method, name.as_deref(), &body).await?;
        let status = response.status();
        let is_first = matches!(self.manner, Manner::Stateless) && self.number == 1;
        // Servers before it answer what they do not understand with a refusal; which one, they do not agree on.
        let is_refusal = matches!(
            status,
            StatusCode::BAD_REQUEST
                | StatusCode::NOT_FOUND
                | StatusCode::METHOD_NOT_ALLOWED
                | StatusCode::NOT_ACCEPTABLE
                | StatusCode::UNPROCESSABLE_ENTITY
        );
        if is_first && is_refusal {
            return Err(Unanswered::Older);
        }
        if !status.is_success() {
            return Err(SendError::Status {
                status: status.as_u16(),
                reason: None,
            }
            .into());
        }
        if let (Manner::Session(session), "initialize") = (&mut self.manner, method) {
            *session = response.headers().get(SESSION).cloned();
        }
        let reply = self.reply(response, answer).await?;
        if let Some(error) = reply.get("error") {
            if is_first {
                return Err(Unanswered::Older);
            }
            let reason = text::said(error).unwrap_or_else(|| "it failed".to_owned());
            return Err(SendError::Refused(text::shortened(&reason)).into());
        }
        reply
            .get("result")
            .cloned()
            .ok_or_else(|| SendError::Broken("an answer came without a result".to_owned()).into())
    }

    async fn post(
        &self,
        method: &str,
        name: Option<&str>,
        body: &Value,
    ) -> Result<Response, SendError> {
        let mut request = self.door.request(self.letter).await?;
        request = request.header(ACCEPT, "application/json, text/event-stream");
        match &self.manner {
            Manner::Stateless => {
                request = request
                    .header("mcp-protocol-version", STATELESS)
                    .header("mcp-method", method);
                if let Some(name) = name.and_then(|name| HeaderValue::from_str(name).ok()) {
                    request = request.header("mcp-name", name);
                }
            }
            Manner::Session(session) => {
                if method != "initialize" {
                    request = request.header("mcp-protocol-version", WITH_SESSIONS);
                }
                if let Some(session) = session {
                    request = request.header(SESSION, session.clone());
                }
            }
        }
        self.door.send(request.json(body)).await
    }

    /// The reply to the last request, among whatever else a server says.
    async fn reply(&self, response: Response, answer: &mut Collected) -> Result<Value, SendError> {
        let kind = response.headers().get(CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let is_stream = kind.starts_with("text/event-stream");
        let mut reader = Reader::new(Form::Events);
        let mut whole = Vec::new();
        let mut pieces = response.bytes_stream();
        while let Some(piece) = pieces.next().await {
            let piece = piece.map_err(|error| broken(&error))?;
            answer.count(piece.len())?;
            if !is_stream {
                whole.extend_from_slice(&piece);
                continue;
            }
            for raw in reader.feed(&piece).map_err(|_| SendError::TooLong)? {
                if let Some(reply) = self.own(raw) {
                    return Ok(reply);
                }
            }
        }
        if is_stream {
            return Err(SendError::Broken(
                "the stream ended without a reply".to_owned(),
            ));
        }
        serde_json::from_slice(&whole)
            .map_err(|_| SendError::Broken("what came is not JSON".to_owned()))
    }

    /// The document, where it replies to the last request.
    fn own(&self, raw: Raw) -> Option<Value> {
        let Raw::Document { data, .. } = raw else {
            return None;
        };
        let value: Value = serde_json::from_str(&data).ok()?;
        (value.get("id").and_then(Value::as_u64) == Some(self.number)).then_some(value)
    }
}

impl Way for Mcp {
    fn bring<'a>(
        &'a self,
        letter: &'a Letter,
        _deadline: Instant,
        answer: &'a mut Collected,
    ) -> BoxFuture<'a, Result<(), SendError>> {
        self.converse(letter, answer).boxed()
    }
}

fn who() -> Value {
    json!({ "name": "ergon", "version": env!("CARGO_PKG_VERSION") })
}

/// What a tool answered, in text.
fn said(result: &Value) -> String {
    let content = result.get("content").and_then(text::said);
    content
        .filter(|content| !content.is_empty())
        .unwrap_or_else(|| {
            let structured = result.get("structuredContent");
            structured.and_then(text::said).unwrap_or_default()
        })
}

/// The tool that takes messages: by its name, else the only one that could.
fn pick(tools: &Value) -> Option<Tool> {
    let tools = tools.get("tools")?.as_array()?;
    let fitting: Vec<Tool> = tools.iter().filter_map(fitting).collect();
    let named = TOOLS
        .iter()
        .find_map(|name| fitting.iter().position(|tool| tool.name == *name));
    match (named, fitting.len()) {
        (Some(place), _) => fitting.into_iter().nth(place),
        (None, 1) => fitting.into_iter().next(),
        (None, _) => None,
    }
}

/// A tool that needs one text and nothing else, as far as its schema says.
fn fitting(tool: &Value) -> Option<Tool> {
    let name = tool.get("name")?.as_str()?;
    let schema = tool.get("inputSchema")?;
    let properties = schema.get("properties")?.as_object()?;
    let is_text = |name: &str| {
        let kind = properties
            .get(name)
            .and_then(|property| property.get("type"));
        kind.and_then(Value::as_str) == Some("string")
    };
    let required: Vec<&str> = schema
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .filter(|name| *name != "from")
        .collect();
    let argument = match required.as_slice() {
        [] => ARGUMENTS.into_iter().find(|name| is_text(name))?,
        [only] if is_text(only) => only,
        _ => return None,
    };
    Some(Tool {
        name: name.to_owned(),
        argument: argument.to_owned(),
        takes_sender: argument != "from" && is_text("from"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tool(name: &str, properties: &Value, required: &Value) -> Value {
        json!({ "name": name, "inputSchema": { "type": "object", "properties": properties, "required": required } })
    }

    fn picked(tools: Vec<Value>) -> Option<(String, String, bool)> {
        let tool = pick(&json!({ "tools": tools }))?;
        Some((tool.name, tool.argument, tool.takes_sender))
    }

    #[test]
    fn the_tool_that_takes_messages_is_found() {
        let text = json!({ "type": "string" });
        let echo = tool("echo", &json!({ "word": text }), &json!(["word"]));
        let chat = tool(
            "chat",
            &json!({ "prompt": text, "from": text }),
            &json!(["prompt"]),
        );
        let add = tool("add", &json!({ "a": { "type": "number" } }), &json!(["a"]));
        let two = tool(
            "message",
            &json!({ "to": text, "text": text }),
            &json!(["to", "text"]),
        );
        let found = |name: &str, argument: &str, sender| {
            Some((name.to_owned(), argument.to_owned(), sender))
        };
        assert_eq!(
            picked(vec![echo.clone(), chat.clone()]),
            found("chat", "prompt", true)
        );
        assert_eq!(
            picked(vec![add.clone(), echo.clone()]),
            found("echo", "word", false)
        );
        assert_eq!(picked(vec![add, two]), None);
        let other = tool("other", &json!({ "query": text }), &json!([]));
        assert_eq!(picked(vec![other.clone()]), found("other", "query", false));
        assert_eq!(
            picked(vec![echo, other]),
            None,
            "one of them is as good as the other"
        );
        for nonsense in [
            json!({}),
            json!({ "name": "ask" }),
            json!({ "name": "ask", "inputSchema": 7 }),
            json!(null),
        ] {
            assert_eq!(picked(vec![nonsense]), None);
        }
    }
}
