//! With a model: what one is sent, and what is kept of what it says.
//!
//! A model is asked after the companion has answered by itself, and changes nothing about that answer. It is shown
//! the question, the findings and their evidence, without secrets and with pseudonyms for names ([`Sealed`]); it may
//! call [`TOOLS`], which only tell; and of what it says, sentences are kept that cite what it was shown and say nothing
//! else. What it says is text for a person, never an instruction to anything here and never an approval.
//!
//! Nothing here sends anything: a [`Conversation`] decides what the next request says, others bring it there.

mod check;
mod conversation;
mod egress;
mod payload;
mod thought;
mod tools;

pub use conversation::{Caps, Conversation, Next, Silence};
pub use egress::Sealed;
pub use payload::{Call, Payload, Said, Turn, Usage};
pub use thought::{Sentence, Thought, is_worth_asking, key};
pub use tools::{TOOLS, Tool};
