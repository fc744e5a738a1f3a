//! Turns: of those who want the same, one fetches it, and the others find it there.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

/// From so many turns on, those that nobody waits for are forgotten.
const MANY: usize = 256;

/// One at a time for each name.
#[derive(Debug, Default)]
pub struct OneAtATime {
    turns: Mutex<HashMap<String, Weak<AsyncMutex<()>>>>,
}

impl OneAtATime {
    /// Waits until nobody else has the turn of this name.
    pub async fn turn(&self, name: String) -> OwnedMutexGuard<()> {
        let turn = {
            let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
            if turns.len() >= MANY {
                turns.retain(|_, turn| turn.strong_count() > 0);
            }
            if let Some(turn) = turns.get(&name).and_then(Weak::upgrade) {
                turn
            } else {
                let turn = Arc::default();
                turns.insert(name, Arc::downgrade(&turn));
                turn
            }
        };
        turn.lock_owned().await
    }
}
