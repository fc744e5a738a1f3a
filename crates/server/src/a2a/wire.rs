//! What is asked in the Agent2Agent protocol over JSON-RPC, and what is answered.

use axum::http::HeaderName;
use serde_json::{Map, Value, json};

use crate::api::Problem;

/// In which revision of the protocol somebody speaks.
pub const VERSION_HEADER: HeaderName = HeaderName::from_static("a2a-version");
/// The longest id of a message or a conversation, in bytes.
const LONGEST_ID: usize = 200;

/// In which words an answer is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Revision 1.0.
    Newest,
    /// Revision 0.3.
    Older,
}

/// A message that somebody is asked to take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// What the answer is known again by.
    pub id: Value,
    pub dialect: Dialect,
    /// The answer is wanted as a stream.
    pub streams: bool,
    pub content: String,
    /// The conversation it belongs to, as whoever asks calls it.
    pub context: Option<String>,
}

/// Why something that is asked cannot be done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("this is no request of JSON-RPC 2.0: {0}")]
    Request(&'static str),
    #[error("there is no method `{0}`")]
    Method(String),
    #[error("{0}")]
    Parameters(&'static str),
    #[error("nothing here is a task: who is asked answers at once")]
    NoTask,
    #[error("nobody is notified by push")]
    NoPush,
    #[error("`{0}` is not done here")]
    Unsupported(String),
    #[error("a message is text here, in parts that are text")]
    ContentType,
    #[error("there is one card, for everybody")]
    NoOtherCard,
    #[error("the revision `{0}` is not spoken here; 1.0 and 0.3 are")]
    Version(String),
}

impl Fault {
    /// The protocol's number for it.
    const fn code(&self) -> i32 {
        match self {
            Self::Request(_) => -32600,
            Self::Method(_) => -32601,
            Self::Parameters(_) => -32602,
            Self::NoTask => -32001,
            Self::NoPush => -32003,
            Self::Unsupported(_) => -32004,
            Self::ContentType => -32005,
            Self::NoOtherCard => -32007,
            Self::Version(_) => -32009,
        }
    }

    /// The answer that says so.
    pub fn answer(&self, id: &Value) -> Value {
        let error = json!({ "code": self.code(), "message": self.to_string() });
        json!({ "jsonrpc": "2.0", "id": id, "error": error })
    }
}

/// Reads what is asked. With a fault comes the id under which to say so.
pub fn read(body: &Value, version: Option<&str>) -> Result<Asked, (Value, Fault)> {
    let id = match &body["id"] {
        id @ (Value::String(_) | Value::Number(_)) => id.clone(),
        _ => Value::Null,
    };
    understood(body, &id, version).map_err(|fault| (id, fault))
}

fn understood(body: &Value, id: &Value, version: Option<&str>) -> Result<Asked, Fault> {
    if body["jsonrpc"] != "2.0" {
        return Err(Fault::Request("`jsonrpc` is not \"2.0\""));
    }
    if id.is_null() {
        return Err(Fault::Request("`id` is no text and no number"));
    }
    let method = body["method"].as_str();
    let method = method.ok_or(Fault::Request("`method` is no text"))?;
    if let Some(version) = version.map(str::trim).filter(|version| !version.is_empty()) {
        let is_spoken = |known: &str| {
            version == known
                || version
                    .strip_prefix(known)
                    .is_some_and(|rest| rest.starts_with('.'))
        };
        if !is_spoken("1.0") && !is_spoken("0.3") {
            return Err(Fault::Version(shortened(version)));
        }
    }
    let (dialect, streams) = match method {
        "SendMessage" => (Dialect::Newest, false),
        "SendStreamingMessage" => (Dialect::Newest, true),
        "message/send" => (Dialect::Older, false),
        "message/stream" => (Dialect::Older, true),
        "GetTask" | "CancelTask" | "SubscribeToTask" | "tasks/get" | "tasks/cancel"
        | "tasks/resubscribe" => return Err(Fault::NoTask),
        "ListTasks" => return Err(Fault::Unsupported(method.to_owned())),
        "GetExtendedAgentCard" | "agent/getAuthenticatedExtendedCard" => {
            return Err(Fault::NoOtherCard);
        }
        push if push.contains("ushNotificationConfig") => return Err(Fault::NoPush),
        unknown => return Err(Fault::Method(shortened(unknown))),
    };
    let parameters = body["params"].as_object();
    let parameters = parameters.ok_or(Fault::Parameters("`params` is no object"))?;
    takes_text(parameters)?;
    let message = parameters.get("message").and_then(Value::as_object);
    let message = message.ok_or(Fault::Parameters("`params.message` is no object"))?;
    text_id(message, "messageId")?.ok_or(Fault::Parameters("`messageId` is missing"))?;
    if text_id(message, "taskId")?.is_some() {
        return Err(Fault::NoTask);
    }
    let user = match dialect {
        Dialect::Newest => "ROLE_USER",
        Dialect::Older => "user",
    };
    if message.get("role").is_none_or(|role| role != user) {
        return Err(Fault::Parameters("`role` is not that of a user"));
    }
    Ok(Asked {
        id: id.clone(),
        dialect,
        streams,
        content: content(message)?,
        context: text_id(message, "contextId")?,
    })
}

/// The text of a message.
fn content(message: &Map<String, Value>) -> Result<String, Fault> {
    let parts = message.get("parts").and_then(Value::as_array);
    let parts = parts.filter(|parts| !parts.is_empty());
    let parts = parts.ok_or(Fault::Parameters("`parts` is no list of parts"))?;
    let mut texts = Vec::new();
    for part in parts {
        match part.get("text") {
            Some(Value::String(text)) => texts.push(text.as_str()),
            Some(_) => return Err(Fault::Parameters("the `text` of a part is no text")),
            None if part.is_object() => return Err(Fault::ContentType),
            None => return Err(Fault::Parameters("a part is no object")),
        }
    }
    Ok(texts.join("\n"))
}

/// Whether whoever asks takes text for an answer.
fn takes_text(parameters: &Map<String, Value>) -> Result<(), Fault> {
    let modes = parameters
        .get("configuration")
        .and_then(|wanted| wanted.get("acceptedOutputModes"));
    let Some(modes) = modes.and_then(Value::as_array) else {
        return Ok(());
    };
    let is_text = |mode: &Value| {
        let mode = mode.as_str().and_then(|mode| mode.split(';').next());
        matches!(
            mode.map(str::trim),
            Some("text/plain" | "text/*" | "*/*" | "text")
        )
    };
    if modes.is_empty() || modes.iter().any(is_text) {
        return Ok(());
    }
    Err(Fault::ContentType)
}

/// An id that is a text; an empty one is none.
fn text_id(message: &Map<String, Value>, name: &str) -> Result<Option<String>, Fault> {
    match message.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(id)) if id.is_empty() => Ok(None),
        Some(Value::String(id)) if id.len() <= LONGEST_ID && !id.contains(char::is_control) => {
            Ok(Some(id.clone()))
        }
        Some(_) => Err(Fault::Parameters("an id is a text of 200 bytes at most")),
    }
}

/// What somebody answered. `id` is the answer's own.
pub fn answer(
    asked: &Asked,
    id: &str,
    from: &str,
    content: &str,
    more: Map<String, Value>,
) -> Value {
    let mut metadata = more;
    metadata.insert("dev.ergon/from".to_owned(), json!(from));
    let context = asked.context.as_deref().unwrap_or(id);
    let result = match asked.dialect {
        Dialect::Newest => json!({ "message": {
            "messageId": id, "contextId": context, "role": "ROLE_AGENT",
            "parts": [{ "text": content, "mediaType": "text/plain" }], "metadata": metadata,
        } }),
        Dialect::Older => json!({
            "kind": "message", "messageId": id, "contextId": context, "role": "agent",
            "parts": [{ "kind": "text", "text": content }], "metadata": metadata,
        }),
    };
    json!({ "jsonrpc": "2.0", "id": asked.id, "result": result })
}

/// Why nobody answered, in the protocol's form.
pub fn refusal(asked: &Asked, problem: &Problem) -> Value {
    let code = if (400..500).contains(&problem.status) && problem.status != 403 {
        -32602
    } else {
        -32603
    };
    let reason = problem.title.to_ascii_uppercase().replace([' ', '-'], "_");
    let mut metadata = Map::from_iter([("status".to_owned(), json!(problem.status.to_string()))]);
    if let Some(remedy) = &problem.remedy {
        metadata.insert("remedy".to_owned(), json!(remedy));
    }
    let why = json!({
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": reason, "domain": "ergon.dev", "metadata": metadata,
    });
    let error = json!({ "code": code, "message": problem.detail, "data": [why] });
    json!({ "jsonrpc": "2.0", "id": asked.id, "error": error })
}

fn shortened(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, message: &Value) -> Value {
        json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": { "message": message } })
    }

    fn message(role: &str) -> Value {
        json!({ "messageId": "m", "role": role, "parts": [{ "text": "how" }, { "text": "are you?" }] })
    }

    #[test]
    fn both_revisions_are_read_and_answered_in_their_own_words() {
        let newest = read(&request("SendMessage", &message("ROLE_USER")), Some("1.0")).unwrap();
        assert_eq!(newest.content, "how\nare you?");
        assert!(!newest.streams);
        let said = answer(&newest, "a", "web-ci", "well", Map::new());
        assert_eq!(said["id"], 7);
        assert_eq!(said["result"]["message"]["role"], "ROLE_AGENT");
        assert_eq!(said["result"]["message"]["parts"][0]["text"], "well");
        let older = read(&request("message/stream", &message("user")), None).unwrap();
        assert!(older.streams);
        let said = answer(&older, "a", "web-ci", "well", Map::new());
        assert_eq!(said["result"]["kind"], "message");
        assert_eq!(said["result"]["metadata"]["dev.ergon/from"], "web-ci");
    }

    #[test]
    fn what_is_not_done_has_its_own_number() {
        let user = message("ROLE_USER");
        for (method, code) in [
            ("GetTask", -32001),
            ("tasks/cancel", -32001),
            ("CreateTaskPushNotificationConfig", -32003),
            ("tasks/pushNotificationConfig/set", -32003),
            ("ListTasks", -32004),
            ("GetExtendedAgentCard", -32007),
            ("Nothing", -32601),
        ] {
            let (id, fault) = read(&request(method, &user), None).unwrap_err();
            assert_eq!((fault.code(), id), (code, json!(7)), "{method}");
        }
        let (_, fault) = read(&request("SendMessage", &user), Some("2.0")).unwrap_err();
        assert_eq!(fault.code(), -32009);
        assert!(read(&request("SendMessage", &user), Some("1.0.3")).is_ok());
    }

    #[test]
    fn what_is_no_message_says_why() {
        let with = |key: &str, value: Value| {
            let mut message = message("ROLE_USER");
            message[key] = value;
            read(&request("SendMessage", &message), None).map_err(|(_, fault)| fault.code())
        };
        for (key, value, code) in [
            ("messageId", json!(""), -32602),
            ("messageId", json!(7), -32602),
            ("messageId", json!("x".repeat(300)), -32602),
            ("role", json!("ROLE_AGENT"), -32602),
            ("role", json!(1), -32602),
            ("parts", json!([]), -32602),
            ("parts", json!("text"), -32602),
            ("parts", json!([7]), -32602),
            ("parts", json!([{ "text": 7 }]), -32602),
            ("parts", json!([{ "url": "http://x/" }]), -32005),
            ("parts", json!([{ "data": {} }]), -32005),
            ("taskId", json!("t"), -32001),
            ("contextId", json!("\u{0}"), -32602),
        ] {
            assert_eq!(with(key, value.clone()), Err(code), "{key} {value}");
        }
        assert!(with("unknown", json!({ "a": [1] })).is_ok(), "it is let be");
        for body in [
            json!(null),
            json!([]),
            json!({ "jsonrpc": "1.0" }),
            json!({ "jsonrpc": "2.0" }),
        ] {
            assert!(read(&body, None).is_err(), "{body}");
        }
        let mut wants_pictures = request("SendMessage", &message("ROLE_USER"));
        wants_pictures["params"]["configuration"] = json!({ "acceptedOutputModes": ["image/png"] });
        assert_eq!(
            read(&wants_pictures, None).unwrap_err().1,
            Fault::ContentType
        );
    }
}
