//! One request to a model, and its answer. Nothing is tried again: whoever asks next does that.

use std::time::Duration;

use ergon_companion::model::{Payload, Said};
use futures_util::StreamExt as _;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Response, StatusCode};

use super::settings::ModelConfig;
use super::sse::Events;
use super::wire::{self, Answer, Wrong};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Between one piece of an answer and the next.
const READ_TIMEOUT: Duration = Duration::from_secs(20);
/// More bytes are no answer.
const LONGEST_ANSWER: usize = 1 << 20;
/// No other side is left alone for longer, however long it asks for.
const LONGEST_RETRY: Duration = Duration::from_hours(1);

/// Why a model did not answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    #[error("the model cannot be reached: {0}")]
    Unreachable(String),
    #[error("the model took longer than {0:?}")]
    TooSlow(Duration),
    #[error("the model refuses the key it was shown, or wants one")]
    Unauthorized,
    #[error("the model has too much to do")]
    Busy {
        /// As it asks for.
        again_in: Option<Duration>,
    },
    #[error("the model answered with status {0}")]
    Status(u16),
    #[error("the model answered with something that is no answer: {0}")]
    Answer(&'static str),
    #[error("the model failed: {0}")]
    Failed(String),
}

impl AskError {
    /// What a person can do about it.
    pub fn remedy(&self) -> Option<&'static str> {
        match self {
            Self::Unreachable(_) => Some("see whether it runs, and whether --model-url is right"),
            Self::Unauthorized => Some("put its key into the file of --model-key-file"),
            Self::Status(404) => {
                Some("see whether --model-url, --model-format and --model are right")
            }
            Self::Answer(_) => Some("see whether --model-format is right"),
            Self::TooSlow(_) | Self::Busy { .. } | Self::Status(_) | Self::Failed(_) => None,
        }
    }
}

impl AskError {
    /// Whether nothing was done for it that costs something.
    pub fn is_free(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::Unauthorized | Self::Busy { .. } | Self::Status(_) => true,
            Self::TooSlow(_) | Self::Answer(_) | Self::Failed(_) => false,
        }
    }
}

impl From<Wrong> for AskError {
    fn from(wrong: Wrong) -> Self {
        match wrong {
            Wrong::Json => Self::Answer("it is not JSON"),
            Wrong::Format => Self::Answer("it has another format"),
            Wrong::BrokenOff => Self::Answer("it broke off"),
            Wrong::TooLong => Self::Answer("it is too long"),
            Wrong::Told(word) if word.contains("overloaded") || word.contains("rate_limit") => {
                Self::Busy { again_in: None }
            }
            Wrong::Told(word) => Self::Failed(word),
        }
    }
}

/// Speaks to one model.
#[derive(Debug)]
pub struct Client {
    http: reqwest::Client,
    config: ModelConfig,
}

impl Client {
    pub fn new(config: ModelConfig) -> Result<Self, AskError> {
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("ergon/", env!("CARGO_PKG_VERSION")))
            // Neither key nor question follow anybody to somewhere else.
            .redirect(Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT);
        if config.is_here() {
            builder = builder.no_proxy();
        }
        if config.url.scheme() == "http" {
            builder = builder.tls_certs_only([]);
        }
        let http = builder
            .build()
            .map_err(|error| AskError::Unreachable(cause(&error)))?;
        Ok(Self { http, config })
    }

    pub fn config(&self) -> &ModelConfig {
        &self.config
    }

    pub async fn ask(&self, payload: &Payload) -> Result<Said, AskError> {
        let deadline = self.config.limits.deadline;
        tokio::time::timeout(deadline, self.ask_patiently(payload))
            .await
            .map_err(|_| AskError::TooSlow(deadline))?
    }

    async fn ask_patiently(&self, payload: &Payload) -> Result<Said, AskError> {
        let body = wire::body(&self.config, payload).to_string();
        let request = self
            .http
            .post(self.config.url.clone())
            .headers(wire::headers(&self.config))
            .body(body);
        let response = request.send().await.map_err(|error| failed(&error))?;
        match response.status() {
            status if status.is_success() => self.read(response).await,
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(AskError::Unauthorized),
            // 529 is how Anthropic says it.
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => Err(busy(&response)),
            status if status.as_u16() == 529 => Err(busy(&response)),
            status => Err(AskError::Status(status.as_u16())),
        }
    }

    async fn read(&self, response: Response) -> Result<Said, AskError> {
        let kind = response.headers().get(CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let is_stream = kind.starts_with("text/event-stream");
        let mut answer = Answer::new(self.config.format);
        let mut events = Events::default();
        let mut whole = Vec::new();
        let mut length = 0;
        let mut pieces = response.bytes_stream();
        while let Some(piece) = pieces.next().await {
            let piece = piece.map_err(|error| failed(&error))?;
            length += piece.len();
            if length > LONGEST_ANSWER {
                return Err(Wrong::TooLong.into());
            }
            if !is_stream {
                whole.extend_from_slice(&piece);
                continue;
            }
            for event in events.feed(&piece).map_err(|_| Wrong::TooLong)? {
                if answer.take(&event)? {
                    return Ok(answer.finish()?);
                }
            }
        }
        if !is_stream {
            answer.take_all(&whole)?;
        } else if let Some(event) = events.end() {
            answer.take(&event)?;
        }
        Ok(answer.finish()?)
    }
}

fn busy(response: &Response) -> AskError {
    let seconds = response.headers().get(RETRY_AFTER);
    let seconds = seconds.and_then(|seconds| seconds.to_str().ok()?.trim().parse().ok());
    AskError::Busy {
        again_in: seconds.map(|seconds| Duration::from_secs(seconds).min(LONGEST_RETRY)),
    }
}

fn failed(error: &reqwest::Error) -> AskError {
    if error.is_timeout() && !error.is_connect() {
        AskError::TooSlow(READ_TIMEOUT)
    } else if error.is_body() || error.is_decode() {
        AskError::Answer("it broke off")
    } else {
        AskError::Unreachable(cause(error))
    }
}

/// The innermost reason. The outer ones name the URL again.
fn cause(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
