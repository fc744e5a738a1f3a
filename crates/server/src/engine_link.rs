//! The connection to the container engine, which may be away.

use std::time::Duration;

use ergon_engine::{Engine, EngineError};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How often an engine that is away is looked for.
const RETRY: Duration = Duration::from_secs(2);

/// The connection to the engine, as it is at the moment.
#[derive(Debug)]
pub struct EngineLink {
    state: watch::Sender<State>,
}

#[derive(Clone, Debug)]
enum State {
    Reachable { engine: Engine, description: String },
    Away(EngineError),
}

impl EngineLink {
    /// Tries once; without an engine the stack runs all the same, and says so.
    pub async fn open() -> Self {
        let state = connect().await.unwrap_or_else(|error| {
            tracing::warn!(%error, "no container engine; nothing can be started until there is one");
            State::Away(error)
        });
        Self {
            state: watch::Sender::new(state),
        }
    }

    /// The engine, or why there is none.
    pub fn engine(&self) -> Result<Engine, EngineError> {
        match &*self.state.borrow() {
            State::Reachable { engine, .. } => Ok(engine.clone()),
            State::Away(error) => Err(error.clone()),
        }
    }

    /// The engine in one line, or why there is none.
    pub fn describe(&self) -> Result<String, String> {
        match &*self.state.borrow() {
            State::Reachable { description, .. } => Ok(description.clone()),
            State::Away(error) => Err(error.to_string()),
        }
    }

    /// Waits until there is an engine; none once the stack ends.
    pub async fn wait(&self, shutdown: &CancellationToken) -> Option<Engine> {
        loop {
            if let Ok(engine) = self.engine() {
                return Some(engine);
            }
            tokio::select! {
                () = shutdown.cancelled() => return None,
                () = tokio::time::sleep(RETRY) => self.look_again().await,
            }
        }
    }

    /// Connects anew, and takes what comes of it for the state.
    pub async fn look_again(&self) {
        let state = connect().await.unwrap_or_else(State::Away);
        self.state.send_replace(state);
    }
}

async fn connect() -> Result<State, EngineError> {
    let engine = Engine::connect().await?;
    let description = engine.describe().await?.to_string();
    Ok(State::Reachable {
        engine,
        description,
    })
}
