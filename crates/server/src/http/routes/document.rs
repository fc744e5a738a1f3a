//! Whether the stack is there, and what its API looks like.

use axum::Json;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::http::document;

/// Whether the stack serves requests. Open to everybody.
#[utoipa::path(get, path = "/healthz", operation_id = "health", tag = "stack",
    responses((status = 200, body = String, content_type = "text/plain")))]
pub async fn health() -> Response {
    ([(header::CACHE_CONTROL, "no-store")], "ok\n").into_response()
}

/// This document.
#[utoipa::path(get, path = "/api/openapi.json", operation_id = "openapi", tag = "stack",
    responses((status = 200, body = serde_json::Value)))]
pub async fn openapi() -> Json<utoipa::openapi::OpenApi> {
    Json(document::openapi())
}
