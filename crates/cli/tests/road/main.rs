//! The road a new user walks, from `ergon up` to a companion that answers, with the real programs
//! and a real Docker Engine. Every test has a data folder, project copies and container names of
//! its own; what it starts in Docker is gone when it ends.

#![expect(
    clippy::unwrap_used,
    reason = "a step of a test that cannot be taken says where"
)]

mod agents;
mod alone;
mod cache;
mod clients;
mod companions;
mod credentials;
mod demanding;
mod directory;
mod distribution;
mod ecosystems;
mod fetching;
mod hardened;
mod help;
mod image_registry;
mod interruptions;
mod judged;
mod logins;
mod messages;
mod mirrors;
mod outputs;
mod platforms;
mod proof;
mod refusals;
mod sandboxes;
mod tools;
mod walk;
mod world;
