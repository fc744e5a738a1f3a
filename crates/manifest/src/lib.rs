//! The manifest: what is to be built and run, written down in `ergon.json`.
//!
//! This room holds the schema, the validation, the canonical form and the digests.
//! Nothing here does I/O: text comes in, values and errors with positions go out.

mod canonical;
mod digest;
mod model;

pub use canonical::{CanonicalError, canonical_json};
pub use digest::{Digest, ParseDigestError};
pub use model::{
    Application, Container, EnvironmentVariable, Health, Manifest, Packaging, Project, Runtime,
    MANIFEST_VERSION, NamedEpoch, SourceDateEpoch, Tagging, Tier,
};
