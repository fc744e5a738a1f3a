//! The feed of events, kept in bounds: the oldest go, and whoever is behind them is told where to begin.

use std::time::Duration;

use ergon_store::{StoreError, now};

use crate::stack::Stack;

/// What is kept of the feed.
#[derive(Clone, Copy, Debug)]
pub struct KeepEvents {
    /// The latest so many.
    pub most: u32,
    /// None that is older.
    pub age: Duration,
}

impl Default for KeepEvents {
    fn default() -> Self {
        Self {
            most: 100_000,
            age: Duration::from_hours(30 * 24),
        }
    }
}

/// What is too old is looked for so often.
const EVERY: Duration = Duration::from_hours(1);
/// A store that cannot be written to is tried again after so long.
const PAUSE: Duration = Duration::from_mins(1);

/// Forgets what is not kept, until the stack ends.
pub async fn run(stack: Stack, keep: KeepEvents) {
    // So many more than are kept may there be: nobody looks after each.
    let slack = i64::from(keep.most / 10).max(1);
    let mut newest = stack.store().watch();
    loop {
        let pause = match trim(&stack, keep).await {
            Ok(()) => EVERY,
            Err(error) => {
                tracing::error!(%error, "events that are not kept could not be forgotten");
                PAUSE
            }
        };
        let enough = *newest.borrow_and_update() + slack;
        let grown = newest.wait_for(|newest| *newest >= enough);
        tokio::select! {
            () = stack.shutdown().cancelled() => return,
            () = tokio::time::sleep(pause) => {}
            _ = grown => {}
        }
    }
}

async fn trim(stack: &Stack, keep: KeepEvents) -> Result<(), StoreError> {
    let age = i64::try_from(keep.age.as_millis()).unwrap_or(i64::MAX);
    loop {
        let mut change = stack.store().unobserved().await?;
        let gone = change
            .trim_events(keep.most.into(), now().saturating_sub(age))
            .await?;
        change.commit().await?;
        if gone == 0 {
            return Ok(());
        }
    }
}
