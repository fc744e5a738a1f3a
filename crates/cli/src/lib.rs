//! The `ergon` and `aish` commands: parse, call the API, print.
//!
//! [`commands`] has one file per noun. What talks to a stack goes through [`client`] and knows
//! nothing of how it is printed; what is printed comes as text out of [`report`], which does no
//! I/O. Data goes to standard output ([`output`]), what happens meanwhile to standard error
//! ([`progress`]). A command ends in an [`Outcome`]: why it failed, what to do, which exit code.

mod address;
pub mod aish;
mod board;
mod bridge;
#[cfg(test)]
mod canned;
mod client;
pub mod commands;
mod completion;
mod doctor;
mod failure;
mod folders;
mod follow;
mod output;
mod progress;
mod report;
mod sse;
mod start;
mod style;
mod table;
mod words;

pub use failure::{Code, Failure, Outcome};
