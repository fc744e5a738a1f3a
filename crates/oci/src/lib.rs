//! Images: layers, configurations, where they are kept and how they travel.
//!
//! [`Blobs`] keeps content by digest; [`layer`] writes and reads file systems; [`assemble()`] puts
//! layers and a configuration together to an [`Image`], and images of several platforms to an [`Index`]. [`bases`] remembers what base names mean,
//! [`referrers`] what is attached to an image; [`layout`] and [`archive`] are the two forms in which images travel as files, and
//! [`distribution`] is the client of registries, [`registry`] what a server of the same protocol has to know. Everything here is synchronous but the last;
//! nothing here knows of engines, manifests of projects or the store. The same inputs give the
//! same bits on every machine: [`ENCODING`] names the rules, and changes when the bits do.

pub mod archive;
mod assemble;
pub mod bases;
mod blobs;
mod content_digest;
mod credentials;
pub mod distribution;
mod error;
mod files;
mod image;
mod index;
pub mod layer;
pub mod layout;
pub mod model;
mod reference;
pub mod referrers;
pub mod registry;

pub use assemble::{ConfigChange, assemble};
pub use blobs::{BlobWriter, Blobs, touch};
pub use content_digest::{Algorithm, ContentDigest, Hasher, ParseContentDigestError};
pub use error::Error;
pub use files::{open_regular, read_whole};
pub use image::Image;
pub use index::Index;
pub use layer::Layer;
pub use reference::{ParseReferenceError, Reference};
pub use referrers::Referrers;

/// The version of the rules by which we write tar, gzip, configuration and manifest.
///
/// An input of every build hash. It changes when, and only when, the bits they give change.
pub const ENCODING: &str = "1";
