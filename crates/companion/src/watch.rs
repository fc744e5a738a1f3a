//! Follows all containers at once: one stream of events, one inventory, one slow look at memory.

mod counting;
mod memory;
mod neighbours;
mod surroundings;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ergon_engine::{ContainerState, Engine, EngineError, EngineEvent};
use futures_util::StreamExt;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use crate::local::LocalContainer;
use crate::logs::Logs;
use crate::observation::Sight;
use crate::observe::observe_state;
use crate::series::Keeper;
use crate::{COMPANION_LABEL, Grain, Happening, History, Mark, Observation, Point, Subject};
use memory::Memory;

/// How far back an engine is asked for what happened before we came. It remembers far less.
const BEFORE: SignedDuration = SignedDuration::from_hours(24);
/// So many changes may wait for their reader.
const WAITING: usize = 1024;
/// An event reaches us no later than this after the state has changed.
const EVENT_DELAY: Duration = Duration::from_millis(750);
/// The engine tells that a stop is done so soon after the death it caused.
const STOP_DELAY: Duration = Duration::from_millis(150);

/// How to watch.
#[derive(Clone, Debug)]
pub struct WatchOptions {
    /// Containers that carry this label are watched without being told.
    pub label: String,
    /// Changes up to then were told in an earlier life; absent: changes are told from now on.
    pub told_until: Option<Timestamp>,
    /// How often is counted what a container uses.
    pub sample_every: Duration,
    /// Where what was counted is kept; absent: it is not.
    pub history_folder: Option<PathBuf>,
}

impl Default for WatchOptions {
    fn default() -> Self {
        Self {
            label: COMPANION_LABEL.to_owned(),
            told_until: None,
            sample_every: Duration::from_secs(1),
            history_folder: None,
        }
    }
}

/// Something that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    Container {
        time: Timestamp,
        id: String,
        name: String,
        kind: ChangeKind,
    },
    /// The engine does not answer any more, and why. Told once.
    EngineAway { reason: String },
    /// The engine answers again; what happened meanwhile follows as far as it still knows.
    EngineBack,
}

/// What changed about a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// It is there: found when looking around, or just created.
    Found,
    Happened(Happening),
    /// It has the name that the change carries.
    Renamed,
    /// The engine does not know it any more.
    Removed,
}

/// Watches all containers; dropping it ends that.
#[derive(Debug)]
pub struct Watcher {
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    engine: Engine,
    heard: Mutex<surroundings::Heard>,
    memory: Mutex<Memory>,
    logs: Logs,
    keeper: Option<Arc<Keeper>>,
    /// Containers were added that nobody has looked at.
    added: Notify,
    /// Counts what was taken in, so that one can wait for more.
    progress: watch::Sender<u64>,
}

impl Watcher {
    /// Starts watching. Changes come in the order in which they happened to each container.
    pub fn start(engine: Engine, options: WatchOptions) -> (Self, mpsc::Receiver<Change>) {
        let (changes, receiver) = mpsc::channel(WAITING);
        let shared = Arc::new(Shared {
            engine,
            heard: Mutex::default(),
            memory: Mutex::default(),
            logs: Logs::default(),
            keeper: options
                .history_folder
                .clone()
                .map(Keeper::new)
                .map(Arc::new),
            added: Notify::new(),
            progress: watch::Sender::new(0),
        });
        let told_until = options.told_until.unwrap_or_else(Timestamp::now);
        let run = Run {
            shared: Arc::clone(&shared),
            options,
            told_until,
            changes,
        };
        (
            Self {
                shared,
                task: tokio::spawn(run.forever()),
            },
            receiver,
        )
    }

    /// Watches a container that does not carry the label.
    pub fn watch(&self, id: &str, name: &str) {
        if self.shared.memory().add(id, name) {
            self.shared.added.notify_one();
        }
    }

    /// Forgets a container.
    pub fn forget(&self, id: &str) {
        self.shared.memory().remove(id);
        self.shared.logs.forget(id);
    }

    /// What happened to a container, as far as it was watched.
    pub fn history(&self, id: &str) -> History {
        self.shared.memory().history(id)
    }

    /// What a container used from `since` to `until`, and what happened to it; nothing where it is not kept.
    pub fn series(
        &self,
        name: &str,
        grain: Grain,
        since: Timestamp,
        until: Timestamp,
    ) -> (Vec<Point>, Vec<Mark>) {
        let Some(keeper) = &self.shared.keeper else {
            return (Vec::new(), Vec::new());
        };
        let read = keeper
            .points(name, grain, since.as_second(), until.as_second())
            .and_then(|points| Ok((points, keeper.marks(name)?)));
        read.unwrap_or_else(|error| {
            tracing::debug!(%error, container = name, "nothing is remembered of a container");
            (Vec::new(), Vec::new())
        })
    }

    /// Looks at a container, with what is remembered of it.
    pub async fn observe(&self, subject: &Subject) -> Observation {
        let id = &subject.container_id;
        match self.shared.engine.inspect(id).await {
            Ok(state) => {
                self.catch_up(&state).await;
                self.shared.ask_of_neighbours().await;
                let neighbours = self.shared.memory().neighbours.of(&state);
                let history = self.history(id);
                let acquaintance = self.shared.memory().acquaintance(id);
                let mut observation = observe_state(
                    &self.shared.engine,
                    subject,
                    &history,
                    &acquaintance,
                    Timestamp::now(),
                    state,
                )
                .await;
                observation.neighbours = self.shared.listen_to(neighbours);
                if let Some(digest) = self.shared.logs.digest(id, Timestamp::now()) {
                    observation.log_digest = Some(digest);
                }
                if let Some(keeper) = self.shared.keeper.clone() {
                    let (name, time) = (observation.subject.container.clone(), observation.time);
                    // Files, behind a lock that a slow disk holds.
                    let past = tokio::task::spawn_blocking(move || keeper.past(&name, time)).await;
                    observation.past = past.ok().and_then(Result::ok).unwrap_or_default();
                }
                self.shared.memory().learn(id, &observation);
                observation
            }
            Err(error) => {
                let sight = if error.is_not_found() {
                    Sight::Gone
                } else {
                    Sight::Blind(error.to_string())
                };
                Observation::empty(Timestamp::now(), subject.clone(), sight, self.history(id))
            }
        }
    }

    /// Waits until the events that explain a fresh death have arrived.
    async fn catch_up(&self, state: &ContainerState) {
        let Some(end) = state
            .finished_at
            .filter(|_| !state.is_running() && state.started_at.is_some())
        else {
            return;
        };
        let watched = self.shared.memory().knows(&state.id);
        if !watched || Timestamp::now().duration_since(end) > SignedDuration::from_secs(5) {
            return;
        }
        self.wait_until(EVENT_DELAY, || self.history(&state.id).saw_death(end))
            .await;
        let history = self.history(&state.id);
        let happened = |what: &dyn Fn(&Happening) -> bool| {
            history.last_life().any(|moment| what(&moment.what))
        };
        if happened(&|what| matches!(what, Happening::Killed { signal: 2 | 15 })) {
            let stopped = || {
                self.history(&state.id)
                    .last_life()
                    .any(|moment| moment.what == Happening::Stopped)
            };
            self.wait_until(STOP_DELAY, stopped).await;
        }
    }

    async fn wait_until(&self, patience: Duration, done: impl Fn() -> bool) {
        let mut progress = self.shared.progress.subscribe();
        let waiting = async { while !done() && progress.changed().await.is_ok() {} };
        // What did not come in time is done without.
        let _ = timeout(patience, waiting).await;
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.task.abort();
        if let Some(keeper) = &self.shared.keeper {
            keeper.flush();
        }
    }
}

impl Shared {
    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The one task.
struct Run {
    shared: Arc<Shared>,
    options: WatchOptions,
    told_until: Timestamp,
    changes: mpsc::Sender<Change>,
}

impl Run {
    async fn forever(self) {
        if let Some(keeper) = &self.shared.keeper
            && let Err(error) = keeper.begin()
        {
            tracing::warn!(%error, "what containers use cannot be remembered");
        }
        let mut away = false;
        let mut pause = Duration::from_millis(200);
        loop {
            let reason = match self.follow(&mut away).await {
                Ok(()) => {
                    pause = Duration::from_millis(200);
                    "the stream of events ended".to_owned()
                }
                Err(error) => error.to_string(),
            };
            if !away {
                tracing::warn!(%reason, "the container engine went away");
                self.tell(Change::EngineAway { reason }).await;
                away = true;
            }
            sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(5));
        }
    }

    /// Follows the engine until it goes away.
    async fn follow(&self, away: &mut bool) -> Result<(), EngineError> {
        let connected = Timestamp::now();
        let since = self
            .shared
            .memory()
            .resume(connected)
            .unwrap_or(connected - BEFORE);
        // The stream remembers for us what happens while we look around.
        let mut events = self.shared.engine.events(Some(since));
        self.look_around().await?;
        if std::mem::take(away) {
            tracing::info!("the container engine is back");
            self.tell(Change::EngineBack).await;
        }
        let mut ticks = interval(self.options.sample_every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut keeping: Option<JoinHandle<()>> = None;
        loop {
            tokio::select! {
                event = events.next() => match event {
                    Some(event) => self.take_in(event?).await,
                    None => return Ok(()),
                },
                () = self.shared.added.notified() => self.look_at_new().await,
                _ = ticks.tick() => {
                    // A disk that does not answer holds up nobody; what is counted meanwhile is not kept.
                    let is_free = keeping.as_ref().is_none_or(JoinHandle::is_finished);
                    let counts = self.sample(is_free);
                    if is_free {
                        keeping = self.keep(counts);
                    }
                }
            }
        }
    }

    /// The inventory: who carries the label, and who of those we know is still there.
    async fn look_around(&self) -> Result<(), EngineError> {
        let all = self.shared.engine.list(&[], true).await?;
        self.shared
            .memory()
            .neighbours
            .are(all.into_iter().map(|container| container.id));
        for container in self
            .shared
            .engine
            .list(&[(&self.options.label, "")], true)
            .await?
        {
            if self.shared.memory().add(&container.id, &container.name) {
                self.tell_of(
                    &container.id,
                    &container.name,
                    Timestamp::now(),
                    ChangeKind::Found,
                )
                .await;
            }
        }
        let ids = self.shared.memory().ids();
        for id in ids {
            self.look_at(&id).await?;
        }
        Ok(())
    }

    async fn look_at_new(&self) {
        let ids = self.shared.memory().unseen();
        for id in ids {
            if let Err(error) = self.look_at(&id).await {
                tracing::debug!(%error, container = %id, "a container could not be looked at");
            }
        }
    }

    async fn look_at(&self, id: &str) -> Result<(), EngineError> {
        match self.shared.engine.inspect(id).await {
            Ok(state) => {
                let local = state
                    .pid
                    .filter(|_| self.shared.engine.is_local())
                    .and_then(|pid| LocalContainer::find(pid, &state.id))
                    .map(|local| {
                        let gauges = local.gauges();
                        (local, gauges)
                    });
                self.shared.logs.follow(&self.shared.engine, &state);
                let mut memory = self.shared.memory();
                if let Some(watched) = memory.get_mut(id) {
                    watched.name.clone_from(&state.name);
                    watched.seen = true;
                    watched.local = local;
                    watched.sample();
                }
                Ok(())
            }
            Err(error) if error.is_not_found() => {
                let removed = self.shared.memory().remove(id);
                self.shared.logs.forget(id);
                if let Some(watched) = removed {
                    self.tell_of(id, &watched.name, Timestamp::now(), ChangeKind::Removed)
                        .await;
                }
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Takes in one event, and tells what it changes.
    async fn take_in(&self, event: EngineEvent) {
        let labelled = event.attributes.contains_key(&self.options.label);
        let news = self.shared.memory().take_in(&event, labelled);
        for kind in news {
            if kind == ChangeKind::Removed {
                self.shared.logs.forget(&event.id);
            }
            if matches!(kind, ChangeKind::Happened(Happening::Started)) {
                // It has a new first process now. A container that is gone already tells so by itself.
                if let Err(error) = self.look_at(&event.id).await {
                    tracing::debug!(%error, container = %event.id, "a container could not be looked at");
                }
            }
            if event.time > self.told_until {
                self.tell_of(&event.id, event.name(), event.time, kind)
                    .await;
            }
        }
        self.shared.progress.send_modify(|count| *count += 1);
    }

    async fn tell_of(&self, id: &str, name: &str, time: Timestamp, kind: ChangeKind) {
        self.tell(Change::Container {
            time,
            id: id.to_owned(),
            name: name.to_owned(),
            kind,
        })
        .await;
    }

    async fn tell(&self, change: Change) {
        // Nobody listens: then nobody wants to know.
        let _ = self.changes.send(change).await;
    }
}
