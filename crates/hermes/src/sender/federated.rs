//! The way to another stack.
//!
//! What is sent can be known again (`id`), says how long its answer is waited for (`deadline_ms`), and which stacks it
//! came through (`path`): one that finds itself there refuses it, and nothing goes further than three stacks.

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::json;
use tokio::time::Instant;

use super::answer::Collected;
use super::error::SendError;
use super::http::Door;
use super::letter::{Letter, MOST_STACKS};
use super::way::Way;

/// The way to another stack.
pub struct Federated {
    door: Door,
    /// This stack's id.
    here: String,
}

impl Federated {
    pub fn new(door: Door, here: String) -> Self {
        Self { door, here }
    }

    /// The stacks the letter came through once it leaves this one.
    fn path(&self, letter: &Letter) -> Result<Vec<String>, SendError> {
        if letter.path.contains(&self.here) {
            return Err(SendError::Circle);
        }
        if letter.path.len() >= MOST_STACKS {
            return Err(SendError::TooFar(letter.path.len()));
        }
        let mut path = letter.path.clone();
        path.push(self.here.clone());
        Ok(path)
    }
}

impl Way for Federated {
    fn bring<'a>(
        &'a self,
        letter: &'a Letter,
        deadline: Instant,
        answer: &'a mut Collected,
    ) -> BoxFuture<'a, Result<(), SendError>> {
        async move {
            let left = deadline.saturating_duration_since(Instant::now());
            let body = json!({
                "id": letter.id,
                "from": letter.from,
                "to": letter.to,
                "message": letter.content,
                "path": self.path(letter)?,
                "deadline_ms": u64::try_from(left.as_millis()).unwrap_or(u64::MAX),
            });
            self.door.post(letter, &body, answer).await
        }
        .boxed()
    }

    fn knows_letters_again(&self) -> bool {
        true
    }
}
