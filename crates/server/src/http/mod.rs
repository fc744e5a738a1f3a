//! The HTTP face: routes, who may use them, problem documents, streams, the UI.

pub mod authenticate;
mod connection;
mod distribution;
pub mod document;
pub mod extract;
mod failures;
pub mod file_frames;
pub mod guard;
pub mod hosts;
pub mod limits;
pub mod peer;
pub mod problem;
mod pulse;
pub mod recorded;
mod routes;
mod seats;
pub mod serve;
mod steady;
pub mod streams;
mod ui;

use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state, map_response};
use axum::{Extension, Router};
use tower_http::trace::TraceLayer;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouterExt};

use crate::authorize::Action;
use crate::mcp::{Endpoint, Inside};
use crate::stack::Stack;

/// The largest body a request may have, in bytes.
const LARGEST_BODY: usize = 1 << 20;

/// The whole face, ready to be served.
pub fn router(stack: &Stack) -> Router {
    let inside = Inside::new(routes(stack).with_state(stack.clone()));
    let api = routes(stack)
        .layer(Extension(Endpoint::new(stack, inside)))
        .fallback(ui::serve)
        .method_not_allowed_fallback(ui::method_not_allowed)
        .layer(from_fn_with_state(stack.clone(), guard::check_host))
        .layer(map_response(guard::add_headers));
    // Bodies of the registry are as large as images are, and what it answers is not for browsers.
    let registry = distribution::router()
        .layer(from_fn_with_state(stack.clone(), guard::check_host))
        .layer(from_fn(guard::carry_out));
    let all = api.merge(registry);
    let all = match stack.tls() {
        Some(_) => all.layer(from_fn_with_state(stack.clone(), guard::insist_on_tls)),
        None => all,
    };
    all.layer(TraceLayer::new_for_http())
        .with_state(stack.clone())
}

/// Every route of the table, each behind its decision.
fn routes(stack: &Stack) -> Router<Stack> {
    let mut api = OpenApiRouter::<Stack>::default();
    for entry in routes::table() {
        let decide = from_fn_with_state((stack.clone(), entry.action), guard::decide);
        let carries_out = !matches!(entry.action, Action::UseMcp | Action::UseToolServer);
        api = api.routes(entry.route.map(|route| {
            let route = route.route_layer(decide);
            // Whoever hangs up on a call has cancelled it; what the call asks for is carried out by the route it asks.
            if carries_out {
                route.layer(from_fn(guard::carry_out))
            } else {
                route
            }
        }));
    }
    Router::from(api).layer(DefaultBodyLimit::max(LARGEST_BODY))
}
