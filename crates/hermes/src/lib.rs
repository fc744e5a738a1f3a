//! Hermes: who is there, and how a message reaches them.
//!
//! The [`Directory`] lists companions and stacks by name; [`send`] brings a message to one over its
//! unix socket and its answer back. For this stack the server registers and removes records
//! itself; what a companion answers, and who may ask, is not decided here.

mod directory;
mod sender;

pub use directory::{Details, Directory, DirectoryError, Kind, Record};
pub use sender::{SendError, send};
