//! Detect: from a source tree to an analysis, a manifest, a plan and a Dockerfile.
//!
//! Everything but [`disk`] is pure over a [`FileTree`]: the same tree gives the same answer.

pub mod analysis;
pub mod disk;
pub mod dockerignore;
pub mod memory;
pub mod plan;
pub mod tree;
