//! Builds as a caller sees them: identity over a synthetic base, and steps in a real engine.

#![allow(clippy::unwrap_used, reason = "a test says why by where it fails")]

mod attest;
mod bounds;
mod cache;
mod engine;
mod hostile;
mod identity;
mod lock;
mod platforms;
mod readers;
mod verify;
mod world;
