//! The browser UI, embedded; a plain page where it was not built.

use axum::extract::State;
use axum::http::{Method, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use rust_embed::{Embed, EmbeddedFile};

use super::problem::Failure;
use crate::authorize::Action;
use crate::stack::Stack;

/// What Vite built. Absent in a build without the UI.
#[derive(Embed)]
#[folder = "../../web/dist"]
#[allow_missing = true]
struct Files;

/// Everything that is no route: the UI's files; a page of the UI, where there is no such file.
pub async fn serve(State(_): State<Stack>, method: Method, uri: Uri) -> Response {
    let path = uri.path();
    if path == "/api" || path.starts_with("/api/") {
        return Failure::new(StatusCode::NOT_FOUND, format!("there is no route {path}"))
            .with_remedy("/api/openapi.json lists the routes")
            .into_response();
    }
    if !matches!(method, Method::GET | Method::HEAD) {
        return method_not_allowed(method, uri).await;
    }
    // It is the same for everybody, and says nothing of the stack: what it shows, it asks for.
    const { assert!(Action::ReadInterface.is_open()) }
    let name = path.trim_start_matches('/');
    if let Some(file) = Files::get(name).filter(|_| !name.is_empty()) {
        return answer(name, file);
    }
    if name.starts_with("assets/") {
        return Failure::new(StatusCode::NOT_FOUND, format!("the UI has no file {path}"))
            .with_remedy("reload the page; the stack may have been updated")
            .into_response();
    }
    match Files::get("index.html") {
        Some(file) => answer("index.html", file),
        None => (StatusCode::OK, Html(WITHOUT_UI)).into_response(),
    }
}

/// A route that exists, asked for in a way it does not know.
pub async fn method_not_allowed(method: Method, uri: Uri) -> Response {
    Failure::new(
        StatusCode::METHOD_NOT_ALLOWED,
        format!("{} does not take {method}", uri.path()),
    )
    .with_remedy("/api/openapi.json lists the routes")
    .into_response()
}

fn answer(name: &str, file: EmbeddedFile) -> Response {
    // Vite puts a hash of its content into the name of every file in this folder.
    let caching = if name.starts_with("assets/") {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let kind = media_type(name);
    (
        [
            (header::CONTENT_TYPE, kind),
            (header::CACHE_CONTROL, caching),
        ],
        file.data,
    )
        .into_response()
}

/// The types of the files a build of the UI can hold.
fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

const WITHOUT_UI: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
<meta name=\"viewport\" content=\"width=device-width\"><title>Ergon</title>\
<h1>Ergon is up</h1><p>This binary was built without its browser UI. Build it with <code>make build</code>, \
or <code>npm ci &amp;&amp; npm run build</code> in <code>web/</code> and then <code>cargo build</code>.</p>\
<p>Everything works from the command line: <code>ergon --help</code>, <code>aish list</code>.</p></html>\n";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_a_script() {
        assert_eq!(
            media_type("assets/index-1f.js"),
            "text/javascript; charset=utf-8"
        );
        assert_eq!(media_type("mystery"), "application/octet-stream");
    }
}
