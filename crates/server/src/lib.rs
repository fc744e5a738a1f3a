//! The server: routes, sign-in, live events, the web UI, and the wiring of every room below.
//!
//! [`run`] turns a machine into a stack: it opens the data folder, brings back what the last process
//! left, watches containers, takes on jobs and serves the API until it is told to end. `http` is its
//! face; `authorize` is the one place where it is decided who may do what; `projects`, `jobs`,
//! `registry`, `containers` and `companions` are what it does, and know nothing of HTTP. [`api`] holds
//! the types that go over the wire; [`openapi`] describes them.

mod a2a;
mod access;
pub mod api;
mod approvals;
mod audit;
mod authorize;
mod companions;
mod containers;
mod data_folder;
mod distribution;
mod engine_link;
mod entropy;
mod events;
mod http;
mod identity;
mod jobs;
mod labels;
mod mcp;
mod messages;
mod model;
mod people;
mod policies;
mod projects;
mod registry;
mod roster;
mod secrets;
mod sessions;
mod sign_in;
mod solutions;
mod stack;
mod start;
mod start_error;
mod tls;
mod upkeep;
mod upstreams;
mod watch;
mod words;

pub use audit::AuditLogError;
pub use audit::offline::verify_folder as verify_audit_folder;
pub use ergon_companion::redact::hide_known;
pub use ergon_hermes::{Allowance, AllowanceError};
pub use ergon_store::{plain_json, steers};
pub use events::KeepEvents;
pub use http::document::openapi;
pub use http::hosts::{HostName, ParseHostNameError};
pub use http::limits::ConnectionLimits;
pub use identity::{Authority, AuthorityError};
pub use model::{ModelConfig, ModelConfigError, ModelFormat, ModelLimits, ModelPrice};
pub use secrets::{SecretsConfig, VaultConfig, VaultError};
pub use start::{Config, Ready, run, serve};
pub use start_error::StartError;
pub use tls::TlsSource;
