//! Failures as problem documents (RFC 9457). The only place where errors learn of HTTP.

use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use ergon_store::plain_json;

use crate::api::Problem;

/// Why a request is not answered as it was hoped.
#[derive(Debug)]
pub struct Failure {
    status: StatusCode,
    detail: String,
    remedy: Option<String>,
    /// When to try again.
    retry_after: Option<Duration>,
    /// The cursor with which to go on.
    begin_after: Option<u64>,
}

/// Says with which cursor to go on, to whoever has one that is gone.
const BEGIN_AFTER: HeaderName = HeaderName::from_static("ergon-begin-after");

impl Failure {
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            status,
            detail: detail.into(),
            remedy: None,
            retry_after: None,
            begin_after: None,
        }
    }

    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// What went wrong inside is for the log; outside it is only said that it did.
    pub fn internal(error: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(error, "a request failed");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the stack failed to answer this request",
        )
        .with_remedy("what `ergon up` printed says why; try again once it is put right")
    }

    #[must_use]
    pub fn with_remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// Says after how long it is worth another try.
    #[must_use]
    pub fn retry_after(mut self, after: Duration) -> Self {
        self.retry_after = Some(after);
        self
    }

    /// Says with which cursor to go on.
    #[must_use]
    pub fn begin_after(mut self, cursor: u64) -> Self {
        self.begin_after = Some(cursor);
        self
    }

    #[must_use]
    pub fn with_optional_remedy(mut self, remedy: Option<String>) -> Self {
        self.remedy = remedy.or(self.remedy);
        self
    }
}

impl Failure {
    /// The same that was said before.
    pub fn of(problem: Problem) -> Self {
        let status = StatusCode::from_u16(problem.status);
        Self::new(
            status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            problem.detail,
        )
        .with_optional_remedy(problem.remedy)
    }

    /// The document.
    pub fn into_problem(self) -> Problem {
        Problem {
            kind: "about:blank".to_owned(),
            title: self
                .status
                .canonical_reason()
                .unwrap_or("Problem")
                .to_owned(),
            status: self.status.as_u16(),
            detail: self.detail,
            remedy: self.remedy,
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = self.status;
        let (retry_after, begin_after) = (self.retry_after, self.begin_after);
        // It quotes names as they were asked for, and is read on terminals as it comes.
        let body = plain_json(serde_json::to_string(&self.into_problem()).unwrap_or_default());
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        if let Some(after) = retry_after {
            // A part of a second is a second to whoever counts them.
            headers.insert(header::RETRY_AFTER, HeaderValue::from(after.as_secs() + 1));
        }
        if let Some(cursor) = begin_after {
            headers.insert(BEGIN_AFTER, HeaderValue::from(cursor));
        }
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"ergon\""),
            );
        }
        response
    }
}
