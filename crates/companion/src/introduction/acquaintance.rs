//! Who asks a container's services, and how long a look waits for what they say.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ergon_engine::{ContainerState, Engine};
use jiff::Timestamp;
use tokio::time::timeout;

use super::{Introductions, ask};
use crate::FoundService;
use crate::observation::Certificate;

/// No look waits longer for services to say who they are; what comes later is known at the next look.
const PATIENCE: Duration = Duration::from_millis(350);

/// What one container's services said, for all who look at it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Acquaintance {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    said: Mutex<Introductions>,
    /// Held by whoever asks, so that nothing is asked twice.
    asking: Arc<tokio::sync::Mutex<()>>,
}

impl Acquaintance {
    fn said(&self) -> MutexGuard<'_, Introductions> {
        self.shared
            .said
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Asks the services who they are, where they have not said so yet; returns the certificates they showed.
pub(crate) async fn introduced(
    engine: &Engine,
    state: &ContainerState,
    acquaintance: &Acquaintance,
    services: &mut [FoundService],
    now: Timestamp,
) -> Vec<Certificate> {
    let asking = Arc::clone(&acquaintance.shared.asking);
    match Arc::clone(&asking).try_lock_owned() {
        Ok(turn) => {
            let questions = acquaintance
                .said()
                .questions(state.started_at, services, now);
            if !questions.is_empty() {
                let (engine, state, all) = (engine.clone(), state.clone(), acquaintance.clone());
                // It goes on where nobody waits any more.
                let asking = tokio::spawn(async move {
                    let heard = ask(&engine, &state, questions).await;
                    all.said().take_in(heard, now);
                    drop(turn);
                });
                let _ = timeout(PATIENCE, asking).await;
            }
        }
        Err(_) => drop(timeout(PATIENCE, asking.lock()).await),
    }
    acquaintance.said().tell(services)
}
