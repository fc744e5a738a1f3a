//! The manifest: what is to be built and run, written down in `ergon.json`.
//!
//! [`check`] turns text into a [`Document`] or says everything that is wrong with it, each problem with
//! its place and what would be right. It reads in four passes, each a file: `syntax` (strict JSON),
//! `values` (what is digested), `structure` (fields and their types; `grammar` and `image` have the rules for texts),
//! `relations` (what names point at). [`Manifest`] is the typed result; [`Document::digest`] is its
//! identity; [`json_schema`] describes it to editors.
//!
//! Nothing here does I/O: text comes in, values and problems with positions go out.

mod canonical;
mod diagnostic;
mod digest;
mod document;
mod fields;
mod grammar;
mod image;
mod model;
mod order;
mod platform;
mod relations;
mod schema;
mod structure;
mod suggestion;
mod syntax;
mod values;
mod written;

pub use canonical::{CanonicalError, canonical_json};
pub use diagnostic::{Diagnostic, code::ALL as DIAGNOSTIC_CODES};
pub use digest::{Digest, ParseDigestError};
pub use document::{Document, check, to_pretty_json};
pub use grammar::is_secret_name;
pub use model::{
    Application, Container, EnvironmentVariable, Health, MANIFEST_VERSION, Manifest, NamedEpoch,
    Packaging, Project, Runtime, SecretTime, SecretUse, SourceDateEpoch, Tagging, Tier,
};
pub use platform::{ParsePlatformError, PlatformName};
pub use schema::json_schema;
