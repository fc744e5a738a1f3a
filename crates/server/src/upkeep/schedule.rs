//! When the registry is tidied up by itself.

use std::time::Duration;

use ergon_store::now;
use tokio::sync::mpsc;

use super::{COLLECTION, Upkeep};
use crate::distribution::{GRACE, Rule};
use crate::stack::Stack;

/// It is done so often.
const EVERY: Duration = Duration::from_hours(24);
/// A stack that has just started has other things to do.
const AFTER_START: Duration = Duration::from_mins(10);

/// Tidies up once a day, until the stack ends.
pub async fn run(stack: Stack) {
    let mut pause = match stack.store().upkeep(COLLECTION).await {
        Ok(last) => until_next(last.map(|(time, _)| time), now()),
        Err(error) => {
            tracing::error!(%error, "when the registry was tidied up last cannot be read");
            EVERY
        }
    };
    loop {
        tokio::select! {
            () = stack.shutdown().cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
        let rule = Rule {
            grace: GRACE,
            dry_run: false,
        };
        // Nobody listens.
        let (sender, _) = mpsc::channel(1);
        let upkeep = Upkeep::new(&stack);
        let work = upkeep.collect_now(rule, &sender);
        super::finish(&stack, &sender, work, false).await;
        pause = EVERY;
    }
}

/// How long to wait. Times are milliseconds since 1970.
fn until_next(last: Option<i64>, now: i64) -> Duration {
    let Some(last) = last else { return AFTER_START };
    // A clock that was put back is no reason to wait longer than a whole turn.
    let since = Duration::from_millis(u64::try_from(now.saturating_sub(last)).unwrap_or_default());
    EVERY.saturating_sub(since).max(AFTER_START)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_done_once_a_day_whenever_the_stack_was_started() {
        let hour = 3_600_000;
        assert_eq!(until_next(None, 0), AFTER_START);
        assert_eq!(until_next(Some(0), 4 * hour), Duration::from_hours(20));
        assert_eq!(until_next(Some(0), 24 * hour), AFTER_START);
        assert_eq!(until_next(Some(0), 1000 * hour), AFTER_START);
        assert_eq!(until_next(Some(5 * hour), 0), EVERY, "a clock put back");
    }
}
