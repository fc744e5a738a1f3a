//! The stack and its companions, as agents of the Agent2Agent protocol meet them (revision 1.0, and 0.3 for older ones).
//!
//! `card` says who somebody is and what they can, `wire` reads what is asked and writes the answer; neither does any I/O.
//! A message goes the one way that all messages go. There are no tasks: whoever is asked answers, or says why not.

mod card;
mod wire;

pub use card::{card, stack_card};
pub use wire::{Asked, VERSION_HEADER, answer, read, refusal};
