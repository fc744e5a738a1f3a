//! Explanations by a language model, where one is configured. An answer never waits for one longer than it is told
//! to, which is not at all unless the owner says otherwise; what comes later is there the next time somebody asks.
//!
//! What is sent and what is kept is decided in `ergon_companion::model`; here it is brought there and back, within
//! limits: so many requests, tokens and money a day, one conversation for the same findings, two at a time.

mod anthropic;
mod breaker;
mod client;
mod explain;
mod ledger;
mod openai;
mod settings;
mod sse;
mod wire;

#[cfg(test)]
mod tests;

pub use client::AskError;
pub use explain::{Explainer, Told, payload};
pub use settings::{ModelConfig, ModelConfigError, ModelFormat, ModelLimits, ModelPrice};
