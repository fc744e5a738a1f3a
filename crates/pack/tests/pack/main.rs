//! Builds as a caller sees them: identity over a synthetic base, and steps in a real engine.

mod engine;
mod identity;
mod world;
