//! The image room against the world: its own golden digests, a real engine, a real registry.

mod archives;
mod bases;
mod engine;
mod images;
mod layers;
mod layouts;
mod registry;
mod support;
