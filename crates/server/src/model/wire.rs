//! What both formats have in common.

use ergon_companion::model::{Payload, Said};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

use super::settings::{ModelConfig, ModelFormat};
use super::{anthropic, openai};

/// More calls at once are none.
pub const MOST_CALLS: usize = 32;
/// More text is no answer, in bytes.
const LONGEST_TEXT: usize = 64 << 10;
/// A longer word is no reason.
const LONGEST_REASON: usize = 60;

/// What is wrong with an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wrong {
    Json,
    Format,
    /// It has no end.
    BrokenOff,
    TooLong,
    /// The other side says that it failed, in one word.
    Told(String),
}

impl Wrong {
    /// What the other side calls its failure. A sentence of it is not shown: it may quote what was sent, or a key.
    pub fn told(error: &Value) -> Self {
        let names = [&error["type"], &error["code"], error];
        let word = names.into_iter().filter_map(Value::as_str).find(|word| {
            let is_word = |byte: u8| byte.is_ascii_lowercase() || matches!(byte, b'_' | b'.');
            (1..=LONGEST_REASON).contains(&word.len()) && word.bytes().all(is_word)
        });
        Self::Told(word.unwrap_or("an error without a name").to_owned())
    }
}

/// Adds to a text, to a point.
pub fn push(text: &mut String, more: &str) -> Result<(), Wrong> {
    if text.len() + more.len() > LONGEST_TEXT {
        return Err(Wrong::TooLong);
    }
    text.push_str(more);
    Ok(())
}

/// No tool takes anything.
pub fn parameters() -> Value {
    json!({ "type": "object", "properties": {}, "additionalProperties": false })
}

/// An answer as far as it has come.
#[derive(Debug)]
pub enum Answer {
    Openai(openai::Answer),
    Anthropic(anthropic::Answer),
}

impl Answer {
    pub fn new(format: ModelFormat) -> Self {
        match format {
            ModelFormat::Openai => Self::Openai(openai::Answer::default()),
            ModelFormat::Anthropic => Self::Anthropic(anthropic::Answer::default()),
        }
    }

    /// Takes an event; true after the last one.
    pub fn take(&mut self, data: &str) -> Result<bool, Wrong> {
        match self {
            Self::Openai(answer) => answer.take(data),
            Self::Anthropic(answer) => answer.take(data),
        }
    }

    /// Takes an answer that came in one piece.
    pub fn take_all(&mut self, content: &[u8]) -> Result<(), Wrong> {
        let content: Value = serde_json::from_slice(content).map_err(|_| Wrong::Json)?;
        match self {
            Self::Openai(answer) => answer.take_all(&content),
            Self::Anthropic(answer) => answer.take_all(&content),
        }
    }

    pub fn finish(self) -> Result<Said, Wrong> {
        match self {
            Self::Openai(answer) => answer.finish(),
            Self::Anthropic(answer) => answer.finish(),
        }
    }
}

/// The body of a request, to the last byte.
pub fn body(config: &ModelConfig, payload: &Payload) -> Value {
    match config.format {
        ModelFormat::Openai => {
            let host = config.url.host_str().unwrap_or_default();
            openai::body(payload, &config.name, host)
        }
        ModelFormat::Anthropic => anthropic::body(payload, &config.name),
    }
}

/// The headers of a request. The key is marked, so that it is shown nowhere.
pub fn headers(config: &ModelConfig) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let mut insert = |name: HeaderName, value: String| {
        if let Ok(mut value) = HeaderValue::from_str(&value) {
            value.set_sensitive(true);
            headers.insert(name, value);
        }
    };
    match (config.format, &config.key) {
        (ModelFormat::Openai, Some(key)) => {
            insert(AUTHORIZATION, format!("Bearer {}", key.reveal()));
        }
        (ModelFormat::Anthropic, Some(key)) => {
            insert(
                HeaderName::from_static("x-api-key"),
                key.reveal().to_owned(),
            );
        }
        (_, None) => {}
    }
    if config.format == ModelFormat::Anthropic {
        let version = HeaderValue::from_static(anthropic::VERSION);
        headers.insert(HeaderName::from_static("anthropic-version"), version);
    }
    headers
}
