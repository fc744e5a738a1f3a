//! What somebody says of themselves.

use serde_json::{Map, Value};

/// What somebody says of themselves. docs/directory.md says what there is to say.
#[derive(Clone, Debug, PartialEq)]
pub struct Registration(Map<String, Value>);

impl Registration {
    /// A name, and what one is: `external`, `tool`, `tekton`, …
    pub fn new(name: &str, kind: &str) -> Self {
        Self(Map::new()).with("name", name).with("type", kind)
    }

    /// Where it listens on this machine.
    #[must_use]
    pub fn port(self, port: u16) -> Self {
        self.with("port", port)
    }

    /// The path that takes messages.
    #[must_use]
    pub fn message_endpoint(self, path: &str) -> Self {
        self.with("message_endpoint", path)
    }

    /// The path that says how it is.
    #[must_use]
    pub fn health_endpoint(self, path: &str) -> Self {
        self.with("health_endpoint", path)
    }

    /// Without a heartbeat it is listed for so many seconds.
    #[must_use]
    pub fn ttl(self, seconds: u32) -> Self {
        self.with("ttl", seconds)
    }

    /// Anything else: `capabilities`, `host`, `headers`, …
    #[must_use]
    pub fn with(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.0.insert(field.to_owned(), value.into());
        self
    }

    pub(crate) fn name(&self) -> &str {
        self.0
            .get("name")
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    pub(crate) fn as_json(&self) -> Value {
        Value::Object(self.0.clone())
    }
}
