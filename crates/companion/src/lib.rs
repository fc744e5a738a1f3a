//! The companion: one mind per container.

mod reply;

pub use reply::{Evidence, Finding, FoundService, Reply};
