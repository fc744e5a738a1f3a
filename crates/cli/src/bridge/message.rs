//! Messages of the Model Context Protocol, as far as a bridge has to understand them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

const VERSION: &str = "io.modelcontextprotocol/protocolVersion";

/// What an agent said.
#[derive(Clone, Debug)]
pub struct Message(Value);

impl Message {
    /// A line, if it is JSON.
    pub fn read(line: &str) -> Result<Self, String> {
        serde_json::from_str(line)
            .map(Self)
            .map_err(|error| error.to_string())
    }

    pub fn method(&self) -> Option<&str> {
        self.0["method"].as_str()
    }

    /// What its answer is to carry; absent: it wants none.
    pub fn id(&self) -> Option<&Value> {
        self.0.get("id").filter(|id| !id.is_null())
    }

    /// Whether it wants an answer.
    pub fn is_request(&self) -> bool {
        self.method().is_some() && self.id().is_some()
    }

    /// The revision a request stands under by itself; absent: under its session's.
    pub fn version(&self) -> Option<&str> {
        self.0["params"]["_meta"][VERSION].as_str()
    }

    /// What is called, got or read, which a request says in its head too.
    pub fn subject(&self) -> Option<&str> {
        let params = &self.0["params"];
        match self.method()? {
            "tools/call" | "prompts/get" => params["name"].as_str(),
            "resources/read" => params["uri"].as_str(),
            _ => None,
        }
    }

    /// The request that is not wanted any more.
    pub fn cancelled(&self) -> Option<&Value> {
        (self.method()? == "notifications/cancelled").then(|| &self.0["params"]["requestId"])
    }

    pub fn json(&self) -> &Value {
        &self.0
    }
}

/// What an agent is told where no stack answers it.
pub fn failure(id: Option<&Value>, code: i32, message: &str) -> String {
    json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": message } }).to_string()
}

/// A value as it may stand in the head of a request: what is not plain is encoded, as the protocol says.
pub fn in_head(value: &str) -> String {
    let is_plain = value
        .bytes()
        .all(|byte| (0x20..0x7f).contains(&byte) || byte == b'\t');
    let has_blank_ends = value.trim_matches([' ', '\t']) != value;
    let looks_encoded = value.starts_with("=?base64?") && value.ends_with("?=");
    if is_plain && !has_blank_ends && !looks_encoded {
        return value.to_owned();
    }
    format!("=?base64?{}?=", STANDARD.encode(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_says_in_its_head_what_it_is_about() {
        let call = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"container","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}"#;
        let call = Message::read(call).unwrap();
        assert!(call.is_request());
        assert_eq!(
            (call.version(), call.subject()),
            (Some("2026-07-28"), Some("container"))
        );
        let read = Message::read(
            r#"{"id":"a","method":"resources/read","params":{"uri":"ergon://jobs"}}"#,
        )
        .unwrap();
        assert_eq!(
            (read.version(), read.subject()),
            (None, Some("ergon://jobs"))
        );
    }

    #[test]
    fn a_notification_wants_no_answer() {
        let cancelled =
            Message::read(r#"{"method":"notifications/cancelled","params":{"requestId":7}}"#)
                .unwrap();
        assert!(!cancelled.is_request());
        assert_eq!(cancelled.cancelled(), Some(&json!(7)));
    }

    #[test]
    fn what_is_not_plain_is_encoded() {
        assert_eq!(in_head("ergon://projects/a"), "ergon://projects/a");
        assert_eq!(in_head("größe"), "=?base64?Z3LDtsOfZQ==?=");
        assert_eq!(in_head(" a"), "=?base64?IGE=?=");
        assert_eq!(in_head("a\nb"), "=?base64?YQpi?=");
    }
}
