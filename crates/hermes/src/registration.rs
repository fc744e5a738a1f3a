//! What somebody sends to be in the directory, and what of it can be a record.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::address::{Host, HostError, MessageFormat, Protocol};
use crate::directory::{Details, Kind, Record};
use crate::name::{Name, NameError};

/// The lease of a record that says nothing of it, in seconds.
pub const DEFAULT_TTL: u32 = 60;
/// The longest lease, in seconds: whoever is gone is not listed for longer than a day.
const LONGEST_TTL: u32 = 24 * 60 * 60;
/// So many entries may a list or an object of a registration have.
const MOST_ENTRIES: usize = 64;
/// The longest text in a registration, in bytes.
const LONGEST_TEXT: usize = 1024;

/// Be in the directory.
///
/// One form for everybody: a stack sends `host`, `port`, `protocol`, a companion of this machine `port` alone,
/// a container's `socket`; what is not known is left out.
#[derive(Clone, Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Registration {
    /// 2 to 63 letters, digits, `-`, `_` and `.`; names that differ by case only are one.
    pub name: String,
    /// `tekton` (or `stack`), `external`, `container`, `project`, `tool`, `terminal`.
    #[serde(rename = "type")]
    pub kind: String,
    /// A host name or an IP address. Absent beside a port: this machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Absent beside a host: what the protocol's is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<Protocol>,
    /// Which stack it is, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stack_id: Option<String>,
    /// `resources`, `tools`, `prompts`: paths on its server.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub mcp_endpoints: BTreeMap<String, String>,
    /// The path that takes messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_endpoint: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_format: Option<MessageFormat>,
    /// What is sent along with each message. Kept sealed, and never shown.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// What it can: a list of words, or an object that has `specialties` among others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub capabilities: Option<Capabilities>,
    /// The unix socket it listens on, on this machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub socket: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container_id: Option<String>,
    /// Its process on this machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// A tool's program with its arguments. It is started for each message, which it is given on its standard input.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// The path that says how it is: anything but a status below 400 is not well. Absent: that it can be connected to is enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health_endpoint: Option<String>,
    /// What it is there for, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// How it shares with other stacks, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub federation: Option<Map<String, Value>>,
    /// Without a heartbeat its record lives so many seconds: 1 to 86400; absent: 60.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl: Option<u32>,
    /// The lease that an earlier registration was given: who has it may change where the name leads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<String>,
}

/// What somebody can, in one of two forms.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Capabilities {
    List(Vec<String>),
    Object(Map<String, Value>),
}

/// Why a registration cannot be a record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegistrationError {
    #[error("`{name}` cannot be a name: {reason}")]
    Name { name: String, reason: NameError },
    #[error("`{0}` is no type: tekton (or stack), external, container, project, tool, terminal")]
    Kind(String),
    #[error("`{host}` is no host: {reason}")]
    Host { host: String, reason: HostError },
    #[error("0 is no port")]
    Port,
    #[error(
        "`{field}` is no path on a server: it begins with `/` and holds no space, `#` or control character"
    )]
    Path { field: &'static str },
    #[error("`socket` is no absolute path")]
    Socket,
    #[error("a {0} says where it is in one way: `socket`, or `host` and `port`, or `command`")]
    SeveralAddresses(&'static str),
    #[error("only a tool has a `command`")]
    Command,
    #[error("`ttl` is 1 to 86400 seconds")]
    Ttl,
    #[error("`{0}` has more than 64 entries")]
    TooMany(&'static str),
    #[error("`{0}` holds a text that is longer than 1024 bytes, or a control character")]
    Text(&'static str),
    #[error("`{0}` is no header that can be sent along")]
    Header(String),
}

impl Registration {
    /// The record it makes. Its headers are not in it: whoever keeps it seals them.
    pub fn record(&self) -> Result<Record, RegistrationError> {
        let name: Name = self.name.parse().map_err(|reason| self.no_name(reason))?;
        if name.is_reserved() {
            return Err(self.no_name(NameError::Reserved));
        }
        let kind = Kind::from_word(&self.kind)
            .ok_or_else(|| RegistrationError::Kind(shortened(&self.kind)))?;
        let ttl = self.ttl.unwrap_or(DEFAULT_TTL);
        if !(1..=LONGEST_TTL).contains(&ttl) {
            return Err(RegistrationError::Ttl);
        }
        self.check_texts()?;
        self.check_headers()?;
        let host = match &self.host {
            Some(host) => Some(
                host.parse::<Host>()
                    .map_err(|reason| RegistrationError::Host {
                        host: shortened(host),
                        reason,
                    })?,
            ),
            None => None,
        };
        if self.port == Some(0) {
            return Err(RegistrationError::Port);
        }
        let has_server = host.is_some() || self.port.is_some();
        let addresses = [has_server, self.socket.is_some(), !self.command.is_empty()];
        if addresses.into_iter().filter(|&there| there).count() > 1 {
            return Err(RegistrationError::SeveralAddresses(kind.word()));
        }
        if !self.command.is_empty() && kind != Kind::Tool {
            return Err(RegistrationError::Command);
        }
        if self
            .socket
            .as_ref()
            .is_some_and(|socket| !socket.is_absolute())
        {
            return Err(RegistrationError::Socket);
        }
        let (capabilities, about) = match self.capabilities.clone() {
            Some(Capabilities::List(list)) => (list, Map::new()),
            Some(Capabilities::Object(object)) => (Vec::new(), object),
            None => (Vec::new(), Map::new()),
        };
        let details = Details {
            capabilities,
            specialties: words_of(about.get("specialties")),
            about,
            socket: self.socket.clone(),
            container_id: self.container_id.clone(),
            stack_id: self.stack_id.clone(),
            pid: self.pid,
            host,
            port: self.port,
            protocol: self.protocol,
            message_endpoint: self.message_endpoint.clone(),
            message_format: self.message_format,
            mcp_endpoints: self.mcp_endpoints.clone(),
            health_endpoint: self.health_endpoint.clone(),
            command: self.command.clone(),
            purpose: self.purpose.clone(),
            federation: self.federation.clone(),
            ttl: Some(ttl),
            ..Details::default()
        };
        Ok(Record::new(String::from(name), kind, details))
    }

    fn no_name(&self, reason: NameError) -> RegistrationError {
        RegistrationError::Name {
            name: shortened(&self.name),
            reason,
        }
    }

    fn check_texts(&self) -> Result<(), RegistrationError> {
        let paths = [
            ("message_endpoint", self.message_endpoint.as_ref()),
            ("health_endpoint", self.health_endpoint.as_ref()),
        ];
        let paths = paths
            .into_iter()
            .filter_map(|(field, path)| Some((field, path?)))
            .chain(
                self.mcp_endpoints
                    .values()
                    .map(|path| ("mcp_endpoints", path)),
            );
        for (field, path) in paths {
            if !is_path(path) {
                return Err(RegistrationError::Path { field });
            }
        }
        for (field, text) in [
            ("stack_id", &self.stack_id),
            ("container_id", &self.container_id),
            ("purpose", &self.purpose),
        ] {
            if text.as_ref().is_some_and(|text| !is_plain(text)) {
                return Err(RegistrationError::Text(field));
            }
        }
        if !self.command.iter().all(|word| is_plain(word)) {
            return Err(RegistrationError::Text("command"));
        }
        let (entries, plain) = match &self.capabilities {
            Some(Capabilities::List(list)) => (list.len(), list.iter().all(|word| is_plain(word))),
            Some(Capabilities::Object(object)) => (object.len(), object.iter().all(is_plain_entry)),
            None => (0, true),
        };
        if !plain {
            return Err(RegistrationError::Text("capabilities"));
        }
        if let Some(federation) = &self.federation
            && !federation.iter().all(is_plain_entry)
        {
            return Err(RegistrationError::Text("federation"));
        }
        let counts = [
            ("capabilities", entries),
            ("mcp_endpoints", self.mcp_endpoints.len()),
            ("headers", self.headers.len()),
            ("command", self.command.len()),
            ("federation", self.federation.as_ref().map_or(0, Map::len)),
        ];
        match counts.into_iter().find(|(_, count)| *count > MOST_ENTRIES) {
            Some((field, _)) => Err(RegistrationError::TooMany(field)),
            None => Ok(()),
        }
    }

    fn check_headers(&self) -> Result<(), RegistrationError> {
        let is_sendable = |name: &str, value: &str| {
            let plain =
                |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
            !name.is_empty()
                && name.bytes().all(plain)
                && !OURS.contains(&name.to_ascii_lowercase().as_str())
                && value.len() <= 8 * LONGEST_TEXT
                && value.bytes().all(|byte| (b' '..=b'~').contains(&byte))
        };
        match self
            .headers
            .iter()
            .find(|(name, value)| !is_sendable(name, value))
        {
            Some((name, _)) => Err(RegistrationError::Header(shortened(name))),
            None => Ok(()),
        }
    }
}

/// Headers that say how a request is read: none that somebody else writes.
const OURS: [&str; 8] = [
    "connection",
    "content-length",
    "content-type",
    "expect",
    "host",
    "te",
    "transfer-encoding",
    "upgrade",
];

fn is_path(text: &str) -> bool {
    text.starts_with('/')
        && !text.starts_with("//")
        && text.len() <= LONGEST_TEXT
        && text.bytes().all(|byte| {
            byte.is_ascii_graphic() && !matches!(byte, b'#' | b'\\' | b'"' | b'<' | b'>')
        })
}

fn is_plain(text: &str) -> bool {
    text.len() <= LONGEST_TEXT && !text.chars().any(char::is_control)
}

fn is_plain_entry((key, value): (&String, &Value)) -> bool {
    is_plain(key) && is_plain_value(value, 4)
}

/// Whether a value is as deep as `depth` at most, and all its texts are plain.
fn is_plain_value(value: &Value, depth: usize) -> bool {
    match value {
        Value::String(text) => is_plain(text),
        Value::Array(items) => {
            depth > 0
                && items.len() <= MOST_ENTRIES
                && items.iter().all(|item| is_plain_value(item, depth - 1))
        }
        Value::Object(object) => {
            depth > 0
                && object.len() <= MOST_ENTRIES
                && object
                    .iter()
                    .all(|(key, item)| is_plain(key) && is_plain_value(item, depth - 1))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
    }
}

fn words_of(value: Option<&Value>) -> Vec<String> {
    let words = value.and_then(Value::as_array).into_iter().flatten();
    words
        .filter_map(|word| Some(word.as_str()?.to_owned()))
        .collect()
}

/// What was sent, as far as a message should repeat it.
fn shortened(text: &str) -> String {
    text.chars()
        .filter(|letter| !letter.is_control())
        .take(80)
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::address::Address;

    fn registration(value: Value) -> Registration {
        serde_json::from_value(value).unwrap()
    }

    fn record(value: Value) -> Result<Record, RegistrationError> {
        registration(value).record()
    }

    #[test]
    fn a_stack_is_taken_as_it_writes_itself() {
        let record = record(json!({
            "name": "tekton-west-coast", "type": "tekton", "host": "tekton-west.company.com", "port": 443,
            "protocol": "https", "stack_id": "uuid",
            "mcp_endpoints": { "resources": "/mcp/resources", "tools": "/mcp/tools", "prompts": "/mcp/prompts" },
            "message_endpoint": "/api/federated/message", "message_format": "tekton_federated",
            "headers": { "X-Tekton-Stack": "west-coast", "Authorization": "Bearer shared-secret" },
            "capabilities": { "version": "1.0", "ci_count": 17, "specialties": ["nlp", "vision", "robotics"] }
        }))
        .unwrap();
        assert_eq!(record.kind, Kind::Tekton);
        assert_eq!(record.details.specialties, ["nlp", "vision", "robotics"]);
        assert_eq!(record.details.about["ci_count"], 17);
        let Address::Http(server) = record.details.address() else {
            panic!("{record:?}");
        };
        assert_eq!(
            server.to_string(),
            "https://tekton-west.company.com:443/api/federated/message"
        );
        assert!(
            !serde_json::to_string(&record.details)
                .unwrap()
                .contains("shared-secret")
        );
    }

    #[test]
    fn the_short_local_form_is_this_machine() {
        let record = record(json!({
            "name": "numa", "type": "external", "port": 8001, "message_endpoint": "/chat", "message_format": "json_simple"
        }))
        .unwrap();
        let Address::Http(server) = record.details.address() else {
            panic!("{record:?}");
        };
        assert_eq!(server.to_string(), "http://127.0.0.1:8001/chat");
        assert_eq!(record.details.ttl, Some(DEFAULT_TTL));
    }

    #[test]
    fn a_container_has_a_socket_and_a_terminal_an_inbox() {
        let container = record(json!({
            "name": "web-ci", "type": "container", "socket": "/run/ci_1.sock", "container_id": "1", "pid": 4711,
            "capabilities": ["debug", "optimize"]
        }))
        .unwrap();
        assert_eq!(
            container.details.address(),
            Address::Socket("/run/ci_1.sock".into())
        );
        assert_eq!(container.details.capabilities, ["debug", "optimize"]);
        let terminal = record(json!({ "name": "desk", "type": "terminal" })).unwrap();
        assert_eq!(terminal.details.address(), Address::Inbox);
        let tool =
            record(json!({ "name": "wc", "type": "tool", "command": ["wc", "-w"] })).unwrap();
        assert_eq!(
            tool.details.address(),
            Address::Command(vec!["wc".to_owned(), "-w".to_owned()])
        );
    }

    #[test]
    fn what_cannot_be_is_refused_and_says_what() {
        let base = json!({ "name": "web-ci", "type": "external" });
        for (change, expected) in [
            (json!({ "name": "a/b" }), "cannot be a name"),
            (json!({ "name": "List" }), "means something else"),
            (json!({ "type": "robot" }), "is no type"),
            (json!({ "host": "a:80" }), "is no host"),
            (json!({ "port": 0 }), "no port"),
            (json!({ "ttl": 0 }), "1 to 86400"),
            (json!({ "ttl": 86401 }), "1 to 86400"),
            (json!({ "message_endpoint": "chat" }), "no path"),
            (json!({ "message_endpoint": "//elsewhere/chat" }), "no path"),
            (json!({ "health_endpoint": "/a b" }), "no path"),
            (
                json!({ "mcp_endpoints": { "tools": "http://x" } }),
                "no path",
            ),
            (json!({ "socket": "ci.sock" }), "no absolute path"),
            (json!({ "socket": "/ci.sock", "port": 80 }), "in one way"),
            (json!({ "command": ["sh"] }), "only a tool"),
            (json!({ "purpose": "\u{1b}[2J" }), "control character"),
            (json!({ "capabilities": ["x".repeat(2000)] }), "longer than"),
            (json!({ "capabilities": vec!["x"; 65] }), "more than 64"),
            (
                json!({ "capabilities": { "a": { "b": { "c": { "d": { "e": {} } } } } } }),
                "capabilities",
            ),
            (json!({ "headers": { "Host": "elsewhere" } }), "no header"),
            (json!({ "headers": { "X-A": "b\r\nX-C: d" } }), "no header"),
            (json!({ "headers": { "": "b" } }), "no header"),
        ] {
            let mut sent = base.clone();
            for (key, value) in change.as_object().unwrap() {
                sent[key] = value.clone();
            }
            let error = record(sent).unwrap_err().to_string();
            assert!(error.contains(expected), "{change}: {error}");
        }
    }
}
