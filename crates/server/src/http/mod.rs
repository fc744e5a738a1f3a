//! The HTTP face: routes, who may use them, problem documents, streams, the UI.

pub mod authenticate;
mod connection;
mod distribution;
pub mod document;
pub mod extract;
mod failures;
pub mod file_frames;
mod guard;
pub mod hosts;
pub mod problem;
mod routes;
pub mod serve;
pub mod streams;
mod ui;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state, map_response};
use tower_http::trace::TraceLayer;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouterExt};

use crate::stack::Stack;

/// The largest body a request may have, in bytes.
const LARGEST_BODY: usize = 1 << 20;

/// The whole face, ready to be served.
pub fn router(stack: &Stack) -> Router {
    let mut api = OpenApiRouter::<Stack>::default();
    for entry in routes::table() {
        let decide = from_fn_with_state((stack.clone(), entry.action), guard::decide);
        api = api.routes(entry.route.map(|route| route.route_layer(decide)));
    }
    let api = Router::from(api)
        .fallback(ui::serve)
        .method_not_allowed_fallback(ui::method_not_allowed)
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .layer(from_fn_with_state(stack.clone(), guard::check_host))
        .layer(map_response(guard::add_headers));
    // Bodies of the registry are as large as images are, and what it answers is not for browsers.
    let registry =
        distribution::router().layer(from_fn_with_state(stack.clone(), guard::check_host));
    api.merge(registry)
        .layer(from_fn(guard::carry_out))
        .layer(TraceLayer::new_for_http())
        .with_state(stack.clone())
}
