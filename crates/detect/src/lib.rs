//! Detect: from a source tree to an analysis, a manifest, a plan and a Dockerfile.
//!
//! [`analyse`] looks at a [`tree::FileTree`] and says what it is, with the file and line of each claim;
//! every language is one file under `ecosystem/`. [`plan::plan`] turns a manifest into the steps that make
//! its images; a build carries them out, [`dockerfile::render`] writes them down. Everything but [`disk`]
//! is pure over the tree: the same tree gives the same answer.

pub mod analysis;
mod answered;
mod claims;
mod declared;
mod detection;
pub mod disk;
pub mod dockerfile;
pub mod dockerignore;
mod document;
mod ecosystem;
mod environment;
mod headline;
mod members;
pub mod memory;
mod names;
pub mod plan;
mod relations;
mod scan;
mod services;
mod sources;
pub mod tree;
mod version_files;
mod versions;
mod web_server;

pub use detection::analyse;
pub use headline::headline;
