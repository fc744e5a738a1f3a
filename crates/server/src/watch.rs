//! Follows the engine, so that each container of ours has its companion for as long as it is there.

use std::time::Duration;

use ergon_companion::{COMPANION_LABEL, Change, ChangeKind, Happening, WatchOptions, Watcher};
use ergon_store::{ContainerRow, ProjectId, now};
use serde_json::json;

use crate::containers::{Intent, event};
use crate::labels;
use crate::stack::Stack;

/// How often is asked whose time has come to be looked at.
const BEAT: Duration = Duration::from_millis(500);

/// Watches until the stack ends. Without an engine it waits for one.
pub async fn run(stack: Stack) {
    let Some(engine) = stack.engine_link().wait(stack.shutdown()).await else {
        return;
    };
    let options = WatchOptions {
        history_folder: Some(stack.data().history()),
        ..WatchOptions::default()
    };
    let (watcher, mut changes) = Watcher::start(engine, options);
    for (id, name) in stack.containers().ids() {
        watcher.watch(&id, &name);
    }
    stack.crew().set_watcher(Some(watcher));
    loop {
        tokio::select! {
            () = stack.shutdown().cancelled() => break,
            change = changes.recv() => match change {
                Some(change) => take_in(&stack, change).await,
                None => break,
            },
        }
    }
    stack.crew().set_watcher(None);
}

/// Looks at containers whose time has come, until the stack ends. A container that does not answer
/// holds up no news of the others.
pub async fn look_around(stack: Stack) {
    let mut beat = tokio::time::interval(BEAT);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stack.shutdown().cancelled() => break,
            _ = beat.tick() => stack.containers().look_around().await,
        }
    }
}

async fn take_in(stack: &Stack, change: Change) {
    match change {
        Change::EngineAway { reason } => {
            tracing::warn!(reason, "the container engine is away");
            stack.engine_link().look_again().await;
            tell_of_engine(stack, "dev.ergon.engine.away", &reason).await;
        }
        Change::EngineBack => {
            stack.engine_link().look_again().await;
            tell_of_engine(stack, "dev.ergon.engine.back", "").await;
        }
        Change::Container { id, name, kind, .. } => {
            if let Err(error) = container_changed(stack, &id, &name, kind).await {
                tracing::error!(
                    container = name,
                    error,
                    "a container's change could not be taken in"
                );
            }
        }
    }
}

async fn tell_of_engine(stack: &Stack, kind: &'static str, reason: &str) {
    for (id, _) in stack.containers().ids() {
        stack.containers().stir(&id);
    }
    let told = ergon_store::NewEvent::new(kind, "stack/engine", json!({ "reason": reason }));
    if let Err(error) = stack.tell(told).await {
        tracing::error!(%error, "the engine's state could not be told");
    }
}

async fn container_changed(
    stack: &Stack,
    id: &str,
    name: &str,
    kind: ChangeKind,
) -> Result<(), String> {
    let containers = stack.containers();
    match kind {
        ChangeKind::Found => found(stack, id).await?,
        ChangeKind::Renamed => containers
            .rename(id, name)
            .await
            .map_err(|error| error.to_string())?,
        ChangeKind::Removed => containers
            .leave(id)
            .await
            .map_err(|error| error.to_string())?,
        ChangeKind::Happened(happening) => {
            let Some(row) = containers.known(id) else {
                return Ok(());
            };
            containers.stir(id);
            let (kind, data) = told(&happening);
            stack
                .tell(event(kind, &row.name, data))
                .await
                .map_err(|error| error.to_string())?;
        }
    }
    Ok(())
}

/// A container that carries a companion's label: ours gets its companion, others are none of our business.
async fn found(stack: &Stack, id: &str) -> Result<(), String> {
    if stack.containers().known(id).is_some() {
        return Ok(());
    }
    let engine = stack.engine().map_err(|error| error.to_string())?;
    let state = match engine.inspect(id).await {
        Ok(state) => state,
        Err(error) if error.is_not_found() => return Ok(()),
        Err(error) => return Err(error.to_string()),
    };
    let label = |key: &str| state.labels.get(key).cloned();
    if label(labels::STACK).as_deref() != Some(stack.id().as_str()) {
        stack.crew().ignore(id);
        return Ok(());
    }
    // The job that makes a container gives it its companion; this is for one whose job did not get that far.
    if stack.jobs().is_making(&state.name) {
        return Ok(());
    }
    let Some(companion) = label(COMPANION_LABEL) else {
        return Ok(());
    };
    let intent = Intent {
        manifest_digest: label(labels::MANIFEST_DIGEST).unwrap_or_default(),
        container: label(labels::CONTAINER).unwrap_or_default(),
        build_hash: label(labels::BUILD_HASH).unwrap_or_default(),
        image_digest: label(labels::IMAGE_DIGEST).unwrap_or_default(),
        image_id: Some(state.image_id.clone()),
        image: state.image.clone(),
        capabilities: Vec::new(),
        secrets: label(labels::SECRETS)
            .map(|names| names.split(',').map(str::to_owned).collect())
            .unwrap_or_default(),
        secrets_in: label(labels::SECRETS_IN),
    };
    let row = ContainerRow {
        id: state.id.clone(),
        name: state.name.clone(),
        companion,
        project_id: label(labels::PROJECT).map(ProjectId::named),
        meant: serde_json::to_value(intent).unwrap_or_default(),
        created_at: now(),
    };
    stack
        .containers()
        .adopt(row)
        .await
        .map_err(|error| error.to_string())
}

/// What happened, as an event.
fn told(happening: &Happening) -> (&'static str, serde_json::Value) {
    match happening {
        Happening::Started => ("dev.ergon.container.started", json!({})),
        Happening::Died { exit_code } => (
            "dev.ergon.container.died",
            json!({ "exit_code": exit_code }),
        ),
        Happening::Killed { signal } => ("dev.ergon.container.killed", json!({ "signal": signal })),
        Happening::Stopped => ("dev.ergon.container.stopped", json!({})),
        Happening::OutOfMemory => ("dev.ergon.container.out-of-memory", json!({})),
        Happening::Paused => ("dev.ergon.container.paused", json!({})),
        Happening::Unpaused => ("dev.ergon.container.unpaused", json!({})),
        Happening::Health(health) => ("dev.ergon.container.health", json!({ "health": health })),
    }
}
