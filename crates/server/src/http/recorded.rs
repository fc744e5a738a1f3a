//! Requests that are written down: an id for each, the digest of its body, and its outcome.

use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;
use http_body_util::BodyExt as _;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::audit::{Asked, Outcome};
use crate::authorize::{Circumstances, Decided};
use crate::stack::Stack;

/// Tells whoever asked under which id it is written down.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Under which id a request is written down, and what was decided of it: for handlers that find out themselves whether
/// it is a change, or something more.
#[derive(Clone, Debug)]
pub struct Recording {
    pub id: String,
    pub circumstances: Circumstances,
    pub decided: Decided,
}

/// The id of a request. They sort by time.
pub fn new_request_id() -> String {
    Uuid::now_v7().to_string()
}

/// Says in an answer which request it is the answer to.
pub fn name(response: &mut Response, id: &str) {
    if let Ok(value) = HeaderValue::from_str(id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
}

/// Has a change carried out whose beginning is written down, and writes down how it ended.
pub async fn carry_out(
    stack: &Stack,
    asked: Asked<'_>,
    begun: u64,
    request: Request,
    handler: impl AsyncFnOnce(Request) -> Response,
) -> Response {
    let (request, digest) = hashed(request);
    let response = handler(request).await;
    let outcome = Outcome {
        status: response.status().as_u16(),
        body: digest.read().filter(|_| !asked.action.brings_a_secret()),
    };
    stack.audit().ended(asked, begun, outcome).await;
    response
}

/// What was read of a body.
#[derive(Clone, Default)]
struct BodyDigest(Arc<Mutex<Read>>);

#[derive(Default)]
struct Read {
    hash: Sha256,
    bytes: u64,
}

/// The request, with its body hashed as it is read.
fn hashed(request: Request) -> (Request, BodyDigest) {
    let digest = BodyDigest::default();
    let reader = digest.clone();
    let request = request.map(|body| {
        Body::new(body.map_frame(move |frame| {
            if let Some(data) = frame.data_ref() {
                let mut read = reader.0.lock().unwrap_or_else(PoisonError::into_inner);
                read.hash.update(data);
                read.bytes += data.len() as u64;
            }
            frame
        }))
    });
    (request, digest)
}

impl BodyDigest {
    /// The SHA-256 of what was read; nothing where there was nothing to read.
    fn read(&self) -> Option<String> {
        let read = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (read.bytes > 0).then(|| hex::encode(read.hash.clone().finalize()))
    }
}
