//! Finds out who else is there, when somebody looks.

use std::collections::HashMap;
use std::sync::{MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};

use super::Shared;
use crate::local::LocalContainer;
use crate::observation::Neighbour;

/// So many containers are asked of at once.
const AT_ONCE: usize = 8;
/// So many neighbours are looked at for what they listen on.
const LISTENED_TO: usize = 24;

/// What a neighbour listens on is looked at no more often.
const HEARD_FOR: Duration = Duration::from_secs(15);

/// When it was looked at, as which process, and the ports.
pub(super) type Heard = HashMap<String, (Instant, u32, Vec<u16>)>;

impl Shared {
    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks the engine of containers whose state is not known, or not any more.
    pub(super) async fn ask_of_neighbours(&self) {
        let questions = self.memory().neighbours.questions();
        let asked = stream::iter(questions).map(|question| async move {
            let state = self.engine.inspect(&question.id).await;
            (question, state)
        });
        let mut answers = std::pin::pin!(asked.buffer_unordered(AT_ONCE));
        while let Some((question, state)) = answers.next().await {
            let mut memory = self.memory();
            match state {
                Ok(state) => memory.neighbours.learn(&question, &state),
                Err(error) if error.is_not_found() => memory.neighbours.remove(&question.id),
                // It is asked again with the next look.
                Err(error) => {
                    tracing::debug!(%error, container = %question.id, "a neighbour could not be looked at");
                }
            }
        }
    }

    /// Finds out on which ports neighbours listen, where that can be seen from here.
    ///
    /// The kernel goes through all connections of the machine for it, so that a look that was had just now is enough.
    pub(super) fn listen_to(&self, neighbours: Vec<(Neighbour, Option<u32>)>) -> Vec<Neighbour> {
        let local = self.engine.is_local();
        let mut listened = 0;
        neighbours
            .into_iter()
            .map(|(mut neighbour, pid)| {
                let pid = pid.filter(|_| local && neighbour.running && listened < LISTENED_TO);
                let Some(pid) = pid else { return neighbour };
                if let Some(ports) = self
                    .heard()
                    .get(&neighbour.id)
                    .filter(|(at, of, _)| *of == pid && at.elapsed() < HEARD_FOR)
                {
                    neighbour.ports.clone_from(&ports.2);
                    return neighbour;
                }
                let found = LocalContainer::find(pid, &neighbour.id);
                if let Some(ports) = found.and_then(|container| container.ports()) {
                    listened += 1;
                    let mut heard = self.heard();
                    heard.retain(|_, (at, ..)| at.elapsed() < HEARD_FOR);
                    heard.insert(neighbour.id.clone(), (Instant::now(), pid, ports.clone()));
                    neighbour.ports = ports;
                }
                neighbour
            })
            .collect()
    }
}
