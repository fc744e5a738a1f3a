//! The server's side of the Distribution protocol, version 1.1: what a request asks for, what a pushed manifest
//! names, which part of a blob is meant, and how a refusal is worded. All of it pure; the server does it.
//!
//! The protocol is the OCI Distribution Specification (`spec.md` of opencontainers/distribution-spec).

mod endpoint;
mod names;
mod pushed;
mod range;
mod refusal;

pub use endpoint::{Endpoint, TagOrDigest};
pub use names::{NameError, RepositoryName, Tag};
pub use pushed::{Needs, PushedManifest};
pub use range::{NotARange, chunk_range, requested_range};
pub use refusal::{Code, Refusal};
