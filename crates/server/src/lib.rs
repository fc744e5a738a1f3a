//! The server: routes, sign-in, live events, the web UI, and the wiring of every room below.

pub mod api;
