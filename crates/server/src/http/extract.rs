//! What handlers take from a request; what cannot be taken is a problem document.

use std::time::Duration;

use axum::Json;
use axum::body::{Bytes, to_bytes};
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{Extensions, StatusCode, header};
use http_body_util::LengthLimitError;
use hyper::body::Body as _;
use serde::de::DeserializeOwned;

use super::problem::Failure;
use super::{LARGEST_BODY, steady};

/// The longest name that anything may have in a path.
const LONGEST_NAME: usize = 512;

/// Whoever takes longer to send a body is not waited for, unless their connection says otherwise.
const PATIENCE: Duration = Duration::from_secs(30);

/// For how long a connection waits for a body.
#[derive(Clone, Copy, Debug)]
pub struct BodyPatience(pub Duration);

/// A JSON body.
pub struct Body<T>(pub T);

/// A JSON body, or none.
pub struct OptionalBody<T>(pub Option<T>);

/// The one parameter of a path: a name, an id, a reference.
pub struct Name(pub String);

/// The query.
pub struct Parameters<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        // Whoever announces too much need not be waited for.
        if announced(&request).is_some_and(|length| length > LARGEST_BODY) {
            return Err(too_large());
        }
        let patience = patience(request.extensions());
        let read = Json::<T>::from_request(request, state);
        let Ok(read) = tokio::time::timeout(patience, read).await else {
            return Err(late());
        };
        match read {
            Ok(Json(value)) => Ok(Self(value)),
            Err(rejection) if steady::is_stalled(&rejection) => Err(late()),
            Err(JsonRejection::MissingJsonContentType(_)) => Err(Failure::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "the body is not marked as JSON",
            )
            .with_remedy("send it with Content-Type: application/json")),
            Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                Err(too_large())
            }
            Err(rejection) => {
                let reason = deepest(&rejection);
                Err(Failure::new(
                    rejection.status(),
                    format!("the body is not what this route takes: {reason}"),
                )
                .with_remedy("/api/openapi.json says what it takes"))
            }
        }
    }
}

/// How long a body is going to be, where its sender says so.
fn announced(request: &Request) -> Option<usize> {
    let length = request.headers().get(header::CONTENT_LENGTH)?;
    length.to_str().ok()?.parse().ok()
}

fn too_large() -> Failure {
    Failure::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "the body is larger than 1 MiB",
    )
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for OptionalBody<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        if request.body().is_end_stream() {
            return Ok(Self(None));
        }
        let Body(value) = Body::from_request(request, state).await?;
        Ok(Self(Some(value)))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Name {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let Path(name) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|rejection| {
                Failure::bad_request(format!("the path is not UTF-8: {}", deepest(&rejection)))
            })?;
        if name.len() > LONGEST_NAME || name.chars().any(char::is_control) {
            return Err(Failure::bad_request("the path holds what cannot be a name"));
        }
        Ok(Self(name))
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Parameters<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let Query(parameters) =
            Query::<T>::from_request_parts(parts, state)
                .await
                .map_err(|rejection| {
                    Failure::bad_request(format!(
                        "the query is not what this route takes: {}",
                        deepest(&rejection)
                    ))
                })?;
        Ok(Self(parameters))
    }
}

/// A request with its whole body, for those who read it themselves: within the same bounds as every other.
pub async fn gathered(request: Request) -> Result<(Parts, Bytes), Failure> {
    if announced(&request).is_some_and(|length| length > LARGEST_BODY) {
        return Err(too_large());
    }
    let (parts, body) = request.into_parts();
    let read = to_bytes(body, LARGEST_BODY);
    match tokio::time::timeout(patience(&parts.extensions), read).await {
        Ok(Ok(body)) => Ok((parts, body)),
        Err(_) => Err(late()),
        Ok(Err(error)) if steady::is_stalled(&error) => Err(late()),
        Ok(Err(error)) if has_too_much(&error) => Err(too_large()),
        Ok(Err(_)) => Err(Failure::bad_request("the body broke off")),
    }
}

fn patience(extensions: &Extensions) -> Duration {
    let patience = extensions.get::<BodyPatience>();
    patience.map_or(PATIENCE, |patience| patience.0)
}

fn late() -> Failure {
    Failure::new(StatusCode::REQUEST_TIMEOUT, steady::Stalled.to_string())
}

fn has_too_much(error: &(dyn std::error::Error + 'static)) -> bool {
    let source = error.source();
    error.is::<LengthLimitError>() || source.is_some_and(has_too_much)
}

/// The innermost reason; the outer ones only repeat that something failed.
fn deepest(error: &dyn std::error::Error) -> String {
    let mut reason = error;
    while let Some(source) = reason.source() {
        reason = source;
    }
    reason.to_string()
}
