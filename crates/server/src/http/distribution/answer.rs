//! Answers, put together.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use ergon_oci::registry::{Code, Refusal};

use super::Failure;

pub const CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");
pub const SUBJECT: HeaderName = HeaderName::from_static("oci-subject");
pub const TAG: HeaderName = HeaderName::from_static("oci-tag");
pub const FILTERS: HeaderName = HeaderName::from_static("oci-filters-applied");
pub const UPLOAD_ID: HeaderName = HeaderName::from_static("docker-upload-uuid");
const API_VERSION: HeaderName = HeaderName::from_static("docker-distribution-api-version");

/// An answer with this status and nothing else.
pub fn status(status: StatusCode) -> Response {
    with_body(status, Body::empty())
}

pub fn with_body(status: StatusCode, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(API_VERSION, HeaderValue::from_static("registry/2.0"));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    // What was pushed is no page, whatever it says it is.
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; sandbox; frame-ancestors 'none'"),
    );
    response
}

/// Sets a header to a text of ours. What cannot stand in a header is left out.
pub fn set(response: &mut Response, name: HeaderName, value: impl AsRef<str>) {
    if let Ok(value) = HeaderValue::from_str(value.as_ref()) {
        response.headers_mut().insert(name, value);
    }
}

pub fn json(body: Vec<u8>) -> Response {
    let mut response = with_body(StatusCode::OK, body);
    set(&mut response, header::CONTENT_TYPE, "application/json");
    response
}

/// `{}`: this is a registry.
pub fn empty_object() -> Response {
    json(b"{}".to_vec())
}

/// Why not, in the protocol's words.
pub fn refused(failure: Failure, is_head: bool) -> Response {
    let (refusal, challenge) = match failure {
        Failure::Refused(refusal) => (refusal, None),
        Failure::Unauthorized { challenge, message } => {
            let refusal = Refusal::new(401, Code::Unauthorized, message);
            (refusal, Some(challenge))
        }
    };
    let code = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = if is_head { Vec::new() } else { refusal.body() };
    let mut response = with_body(code, body);
    set(&mut response, header::CONTENT_TYPE, "application/json");
    if let Some(challenge) = challenge {
        set(&mut response, header::WWW_AUTHENTICATE, challenge);
    }
    let busy = (code == StatusCode::TOO_MANY_REQUESTS).then_some(1);
    if let Some(seconds) = refusal.retry_after.or(busy) {
        set(&mut response, header::RETRY_AFTER, seconds.to_string());
    }
    response
}
