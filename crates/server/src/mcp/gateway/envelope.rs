//! What a message to a server is about, read so that everybody who reads it reads the same.
//!
//! Which tool a message calls decides whether it is passed on. One that two readers could take for two different messages (a
//! key that comes twice or in other letters, several messages at once, what is not quite JSON) is therefore passed on by nobody.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value, json};

/// The keys of a message, and of its parameters, that say what it is about.
const OF_MESSAGE: [&str; 6] = ["jsonrpc", "id", "method", "params", "result", "error"];
const OF_PARAMETERS: [&str; 2] = ["name", "_meta"];

/// Not JSON, and not one message: as the protocol numbers them.
const NO_JSON: i32 = -32700;
const NO_MESSAGE: i32 = -32600;

/// What is looked at of a message.
#[derive(Debug, Default, PartialEq)]
pub struct Envelope {
    pub id: Value,
    pub method: String,
    /// The tool that is called, where one is.
    pub tool: Option<String>,
}

/// Why nobody gets a message.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unclear {
    #[error("it is not JSON that everybody reads alike: {0}")]
    NoJson(String),
    #[error("it is not one message: {0}")]
    NoMessage(String),
}

impl Unclear {
    /// The same as the protocol says it.
    pub fn answer(&self) -> Value {
        let code = match self {
            Self::NoJson(_) => NO_JSON,
            Self::NoMessage(_) => NO_MESSAGE,
        };
        json!({ "jsonrpc": "2.0", "id": null, "error": { "code": code, "message": self.to_string() } })
    }
}

impl Envelope {
    pub fn read(body: &[u8]) -> Result<Self, Unclear> {
        let read = serde_json::from_slice(body);
        let Exact(message) = read.map_err(|error| Unclear::NoJson(error.to_string()))?;
        let Value::Object(message) = message else {
            let why = "messages come one by one, each an object";
            return Err(Unclear::NoMessage(why.to_owned()));
        };
        exactly(&message, &OF_MESSAGE)?;
        let parameters = message.get("params").and_then(Value::as_object);
        if let Some(parameters) = parameters {
            exactly(parameters, &OF_PARAMETERS)?;
        }
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        let method = text(message.get("method")).unwrap_or_default();
        let tool = text(parameters.and_then(|parameters| parameters.get("name")));
        Ok(Self {
            id: message.get("id").cloned().unwrap_or_default(),
            tool: tool.filter(|_| method == "tools/call"),
            method,
        })
    }
}

/// Refuses keys that some readers take for others: theirs are the same in any letters.
fn exactly(object: &Map<String, Value>, known: &[&str]) -> Result<(), Unclear> {
    let is_other = |key: &&String| {
        known
            .iter()
            .any(|known| key.eq_ignore_ascii_case(known) && key != known)
    };
    match object.keys().find(is_other) {
        None => Ok(()),
        Some(key) => Err(Unclear::NoMessage(format!("`{key}` is in other letters"))),
    }
}

/// A JSON value in which no key comes twice.
struct Exact(Value);

impl<'de> Deserialize<'de> for Exact {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader).map(Self)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(Exact(value)) = items.next_element()? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some((key, Exact(value))) = entries.next_entry::<String, Exact>()? {
            if object.contains_key(&key) {
                return Err(A::Error::custom(format!("the key `{key}` comes twice")));
            }
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Envelope, Unclear> {
        Envelope::read(text.as_bytes())
    }

    #[test]
    fn a_message_says_what_it_is_about() {
        let call = r#"{ "jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": { "name": "a", "arguments": { "name": "b", "Name": 1.5 } } }"#;
        let envelope = read(call).unwrap();
        assert_eq!(
            (envelope.id, envelope.method.as_str(), envelope.tool),
            (json!(7), "tools/call", Some("a".to_owned()))
        );
        let prompt = r#"{ "id": "x", "method": "prompts/get", "params": { "name": "a" } }"#;
        assert_eq!(read(prompt).unwrap().tool, None);
        let answer = r#"{ "jsonrpc": "2.0", "id": 1, "result": {} }"#;
        assert_eq!(read(answer).unwrap().method, "");
    }

    #[test]
    fn what_could_be_two_messages_is_none() {
        for unclear in [
            r#"{ "method": "tools/list", "method": "tools/call", "params": { "name": "a" } }"#,
            r#"{ "method": "tools/call", "params": { "name": "a", "name": "b" } }"#,
            r#"{ "method": "tools/call", "params": { "name": "b" }, "params": { "name": "a" } }"#,
            "{ \"method\": \"tools/list\", \"m\\u0065thod\": \"tools/call\" }",
            r#"{ "method": "tools/list", "Method": "tools/call", "params": { "name": "a" } }"#,
            r#"{ "method": "tools/call", "params": { "name": "a", "NAME": "b" } }"#,
            r#"[{ "method": "tools/call", "params": { "name": "a" } }]"#,
            r#"{ "method": "tools/call", "params": { "name": "a" }, }"#,
            r#"{ "method": "tools/call" } { "method": "tools/list" }"#,
            "\"tools/call\"",
            "",
        ] {
            let error = read(unclear).expect_err(unclear);
            assert!(error.answer()["error"]["code"].is_i64());
        }
        let deep = "[".repeat(100_000);
        assert!(matches!(read(&deep), Err(Unclear::NoJson(_))));
    }
}
