//! The image room against the world: its own golden digests, a real engine, a real registry.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "helpers of tests are tests"
)]

mod archives;
mod bases;
mod bounds;
mod engine;
mod images;
mod layers;
mod layouts;
mod referrers;
mod registry;
mod support;
mod unpacking;
