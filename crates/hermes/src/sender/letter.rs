//! A message on its way.

use std::time::Duration;

/// A letter passes through so many stacks at most.
pub const MOST_STACKS: usize = 3;

/// A message on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// The same each time it is tried: whoever gets it twice can tell.
    pub id: String,
    /// Who says it, for whoever reads it; never a credential.
    pub from: String,
    pub content: String,
    /// Whom it is for where it goes, if not whoever opens: a companion of another stack.
    pub to: Option<String>,
    /// No answer is waited for longer.
    pub patience: Duration,
    /// The stacks it came through, the first one first.
    pub path: Vec<String>,
}
