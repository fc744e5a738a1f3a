//! A container's log, read as it is written: secrets out, stack traces together, lines into templates.

mod book;
mod drain;
mod follow;
mod level;
mod mask;
mod tally;
mod trace;

pub(crate) use book::LogBook;
pub(crate) use follow::{Logs, plain};
