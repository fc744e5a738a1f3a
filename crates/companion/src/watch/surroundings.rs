//! Finds out who else is there, when somebody looks.

use futures_util::{StreamExt, stream};

use super::Shared;
use crate::local::LocalContainer;
use crate::observation::Neighbour;

/// So many containers are asked of at once.
const AT_ONCE: usize = 8;
/// So many neighbours are looked at for what they listen on.
const LISTENED_TO: usize = 24;

impl Shared {
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
    pub(super) fn listen_to(&self, neighbours: Vec<(Neighbour, Option<u32>)>) -> Vec<Neighbour> {
        let local = self.engine.is_local();
        let mut listened = 0;
        neighbours
            .into_iter()
            .map(|(mut neighbour, pid)| {
                let pid = pid.filter(|_| local && neighbour.running && listened < LISTENED_TO);
                let found = pid.and_then(|pid| LocalContainer::find(pid, &neighbour.id));
                if let Some(ports) = found.and_then(|container| container.ports()) {
                    listened += 1;
                    neighbour.ports = ports;
                }
                neighbour
            })
            .collect()
    }
}
