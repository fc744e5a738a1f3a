//! What every way to somebody has in common.

use futures_util::future::BoxFuture;
use tokio::time::Instant;

use super::answer::Collected;
use super::error::SendError;
use super::letter::Letter;

/// A way to somebody.
pub trait Way: Send + Sync {
    /// Brings a letter there once, and collects what is answered. The caller sees to the deadline; it is passed on to
    /// those who can make use of it.
    fn bring<'a>(
        &'a self,
        letter: &'a Letter,
        deadline: Instant,
        answer: &'a mut Collected,
    ) -> BoxFuture<'a, Result<(), SendError>>;

    /// Whether whoever is there does nothing twice for a letter that comes twice.
    fn knows_letters_again(&self) -> bool {
        false
    }
}
