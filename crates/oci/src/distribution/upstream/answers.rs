//! What an upstream answers: bodies that are not let grow without end, and refusals in our words.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use jiff::Timestamp;
use reqwest::header::{CONTENT_LENGTH, HeaderMap, RETRY_AFTER};
use reqwest::{Response, StatusCode};

use super::super::chain;
use crate::content_digest::ContentDigest;
use crate::error::quoted;

/// Longer than this nobody is told to wait.
const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// Why an upstream did not give what it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UpstreamError {
    #[error("cannot reach {host}: {reason}")]
    Unreachable {
        host: String,
        reason: String,
        /// It was waited for in vain.
        took_long: bool,
    },
    /// It has no such thing.
    #[error("{host} has nothing of that name")]
    Unknown { host: String },
    #[error("{host} does not let us pull: {reason}")]
    Denied { host: String, reason: String },
    /// It was asked too often.
    #[error("{host} was asked too often, and says to wait")]
    Busy {
        host: String,
        wait: Option<Duration>,
    },
    /// It answered with something else than what was asked for.
    #[error("{host} failed: {reason}")]
    Failed {
        host: String,
        /// HTTP's; 0 where there is none.
        status: u16,
        reason: String,
    },
}

/// A blob on its way here.
#[derive(Debug)]
pub struct BlobBody {
    response: Response,
    host: String,
}

impl BlobBody {
    pub(super) fn new(response: Response, host: String) -> Self {
        Self { response, host }
    }

    /// How long it says that it is, in bytes.
    pub fn length(&self) -> Option<u64> {
        let length = self.response.headers().get(CONTENT_LENGTH)?;
        length.to_str().ok()?.parse().ok()
    }

    /// The next piece; `None` at its end.
    pub async fn next(&mut self) -> Result<Option<Bytes>, UpstreamError> {
        let piece = self.response.chunk().await;
        piece.map_err(|error| broken_off(&self.host, &error))
    }
}

/// The digest that a registry says an answer has.
pub(super) fn content_digest(response: &Response) -> Option<ContentDigest> {
    let said = response.headers().get("docker-content-digest")?;
    said.to_str().ok()?.parse().ok()
}

/// A whole body, if it is no longer than that.
pub(super) async fn read_limited(
    mut response: Response,
    most: u64,
    host: &str,
) -> Result<Bytes, UpstreamError> {
    let mut content = BytesMut::new();
    while let Some(piece) = response
        .chunk()
        .await
        .map_err(|error| broken_off(host, &error))?
    {
        content.extend_from_slice(&piece);
        if content.len() as u64 > most {
            return Err(UpstreamError::Failed {
                host: host.to_owned(),
                status: 0,
                reason: format!("what it sends is longer than {most} bytes"),
            });
        }
    }
    Ok(content.freeze())
}

/// An answer that is a success, or why it is none.
pub(super) fn refused(response: Response, host: &str) -> Result<Response, UpstreamError> {
    let host = host.to_owned();
    let status = response.status();
    match status {
        StatusCode::OK => Ok(response),
        StatusCode::NOT_FOUND => Err(UpstreamError::Unknown { host }),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(UpstreamError::Denied {
            host,
            reason: format!("it answered {status}"),
        }),
        StatusCode::TOO_MANY_REQUESTS => Err(UpstreamError::Busy {
            host,
            wait: wait(response.headers(), Timestamp::now()),
        }),
        _ => Err(UpstreamError::Failed {
            host,
            status: status.as_u16(),
            reason: format!("it answered {status}"),
        }),
    }
}

/// How long to wait, in seconds or until a date.
fn wait(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let said = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = if let Ok(seconds) = said.parse() {
        Duration::from_secs(seconds)
    } else {
        let date = jiff::fmt::rfc2822::parse(said).ok()?.timestamp();
        Duration::try_from(date.duration_since(now)).unwrap_or_default()
    };
    Some(wait.min(LONGEST_WAIT))
}

fn broken_off(host: &str, error: &reqwest::Error) -> UpstreamError {
    UpstreamError::Failed {
        host: host.to_owned(),
        status: 0,
        reason: format!("what it sends broke off: {}", quoted(&chain(error))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_to_wait_is_said_in_seconds_or_as_a_date() {
        let now: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
        let said = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, text.parse().unwrap());
            wait(&headers, now)
        };
        assert_eq!(said("7"), Some(Duration::from_secs(7)));
        assert_eq!(
            said("Sat, 21 Nov 2026 12:00:30 GMT"),
            Some(Duration::from_secs(30))
        );
        assert_eq!(said("Sat, 21 Nov 2026 11:00:00 GMT"), Some(Duration::ZERO));
        assert_eq!(said("999999999"), Some(LONGEST_WAIT));
        assert_eq!(said("soon"), None);
        assert_eq!(wait(&HeaderMap::new(), now), None);
    }
}
