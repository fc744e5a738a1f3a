//! Watching real containers.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ergon_companion::{
    COMPANION_LABEL, Change, ChangeKind, Ending, Happening, WatchOptions, Watcher,
};
use ergon_engine::testing::{TestContainer, engine, shell};
use ergon_engine::{ContainerSpec, Engine};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc::Receiver;
use tokio::time::{Instant, timeout};

const PATIENCE: Duration = Duration::from_secs(20);

/// Waits until the watcher has looked at a running container.
pub async fn until_sampled(watcher: &Watcher, id: &str) {
    let sampled = async {
        while watcher.history(id).last_sample.is_none() {
            // tidy(sleep-in-test): the watcher's own memory has no event to await
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, sampled).await.expect("it is looked at");
}

fn labelled(line: &str) -> ContainerSpec {
    let labels = BTreeMap::from([(COMPANION_LABEL.to_owned(), "test-ci".to_owned())]);
    ContainerSpec {
        cmd: shell(line),
        labels,
        ..ContainerSpec::default()
    }
}

/// The next changes of one container; others run their tests at the same time.
async fn changes_of(
    id: &str,
    changes: &mut Receiver<Change>,
    last: &ChangeKind,
) -> Vec<ChangeKind> {
    let mut seen = Vec::new();
    while seen.last() != Some(last) {
        let change = timeout(PATIENCE, changes.recv())
            .await
            .unwrap_or_else(|_| panic!("only {seen:?}"));
        match change.expect("the watcher goes on") {
            Change::Container { id: of, kind, .. } if of == id => seen.push(kind),
            _ => {}
        }
    }
    seen
}

async fn engine_change(changes: &mut Receiver<Change>) -> Change {
    loop {
        let change = timeout(PATIENCE, changes.recv())
            .await
            .expect("a change")
            .expect("the watcher goes on");
        if !matches!(change, Change::Container { .. }) {
            return change;
        }
    }
}

#[tokio::test]
async fn a_labelled_container_is_followed_from_birth_to_removal() {
    let engine = engine().await;
    let (watcher, mut changes) = Watcher::start(engine.clone(), WatchOptions::default());
    let container = TestContainer::create(&engine, "life", labelled("exit 3")).await;
    engine.start(&container.id).await.expect("started");
    let died = ChangeKind::Happened(Happening::Died { exit_code: 3 });
    let started = ChangeKind::Happened(Happening::Started);
    assert_eq!(
        changes_of(&container.id, &mut changes, &died).await,
        [ChangeKind::Found, started, died]
    );
    engine
        .remove(&container.id, true, true)
        .await
        .expect("removed");
    assert_eq!(
        changes_of(&container.id, &mut changes, &ChangeKind::Removed).await,
        [ChangeKind::Removed]
    );
    assert_eq!(watcher.history(&container.id).moments().count(), 0);
}

#[tokio::test]
async fn a_watcher_that_comes_later_learns_what_the_engine_remembers_and_tells_it_once() {
    let engine = engine().await;
    let container = TestContainer::create(&engine, "later", labelled("sleep 600")).await;
    engine.start(&container.id).await.expect("started");
    engine.kill(&container.id, "SIGKILL").await.expect("killed");
    engine.wait(&container.id).await.expect("ended");
    let ended = engine
        .inspect(&container.id)
        .await
        .expect("inspected")
        .finished_at
        .expect("a time");

    let (watcher, mut changes) = Watcher::start(engine.clone(), WatchOptions::default());
    assert_eq!(
        changes_of(&container.id, &mut changes, &ChangeKind::Found).await,
        [ChangeKind::Found]
    );
    let caught_up = async {
        while !watcher.history(&container.id).saw_death(ended) {
            // tidy(sleep-in-test): the watcher's own memory has no event to await
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, caught_up)
        .await
        .expect("the engine remembers");
    let history = watcher.history(&container.id);
    assert!(history.covers(ended));
    assert!(
        history
            .moments()
            .any(|moment| moment.what == Happening::Killed { signal: 9 })
    );

    // One that was told until before that, tells it.
    let told_until = Some(
        engine
            .inspect(&container.id)
            .await
            .expect("inspected")
            .created_at
            .expect("a time"),
    );
    let options = WatchOptions {
        told_until,
        ..WatchOptions::default()
    };
    let (_watcher, mut changes) = Watcher::start(engine, options);
    let died = ChangeKind::Happened(Happening::Died { exit_code: 137 });
    let seen = changes_of(&container.id, &mut changes, &died).await;
    assert!(
        seen.contains(&ChangeKind::Happened(Happening::Killed { signal: 9 })),
        "{seen:?}"
    );
}

/// A door to the engine that can be shut.
struct Door {
    path: PathBuf,
    task: tokio::task::JoinHandle<()>,
}

impl Door {
    fn open(path: &Path, engine_socket: String) -> Self {
        Self::slow(path, engine_socket, Duration::ZERO)
    }

    /// A door behind which news of the engine's events waits for a while.
    fn slow(path: &Path, engine_socket: String, delay: Duration) -> Self {
        let listener = UnixListener::bind(path).expect("a socket");
        let task = tokio::spawn(async move {
            let mut guests = tokio::task::JoinSet::new();
            while let Ok((mut guest, _)) = listener.accept().await {
                let engine_socket = engine_socket.clone();
                guests.spawn(async move {
                    let mut engine = UnixStream::connect(engine_socket)
                        .await
                        .expect("the engine");
                    let mut request = vec![0; 4096];
                    let length = guest.read(&mut request).await.unwrap_or(0);
                    let _ = engine.write_all(&request[..length]).await;
                    if !delay.is_zero()
                        && String::from_utf8_lossy(&request[..length]).contains("/events?")
                    {
                        let (queue, mut waiting) = tokio::sync::mpsc::unbounded_channel();
                        let reader = async move {
                            let mut news = vec![0; 4096];
                            while let Ok(length @ 1..) = engine.read(&mut news).await {
                                let _ =
                                    queue.send((Instant::now() + delay, news[..length].to_vec()));
                            }
                        };
                        let writer = async {
                            while let Some((due, news)) = waiting.recv().await {
                                tokio::time::sleep_until(due).await;
                                let _ = guest.write_all(&news).await;
                            }
                        };
                        tokio::join!(reader, writer);
                        return;
                    }
                    let _ = tokio::io::copy_bidirectional(&mut guest, &mut engine).await;
                });
            }
        });
        Self {
            path: path.to_owned(),
            task,
        }
    }

    async fn shut(self) {
        self.task.abort();
        let _ = self.task.await;
        std::fs::remove_file(&self.path).expect("shut");
    }
}

#[tokio::test]
async fn what_happens_while_the_engine_is_away_is_told_when_it_is_back() {
    let engine = engine().await;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("engine.sock");
    let door = Door::open(&path, engine.endpoint().to_owned());
    let through = Engine::connect_to(&format!("unix://{}", path.display()))
        .await
        .expect("connected");
    let (watcher, mut changes) = Watcher::start(through, WatchOptions::default());
    let container = TestContainer::create(&engine, "away", labelled("sleep 600")).await;
    engine.start(&container.id).await.expect("started");
    let started = ChangeKind::Happened(Happening::Started);
    changes_of(&container.id, &mut changes, &started).await;

    door.shut().await;
    assert!(matches!(
        engine_change(&mut changes).await,
        Change::EngineAway { .. }
    ));
    engine.kill(&container.id, "SIGKILL").await.expect("killed");
    engine.wait(&container.id).await.expect("ended");
    let door = Door::open(&path, engine.endpoint().to_owned());
    assert_eq!(engine_change(&mut changes).await, Change::EngineBack);
    let died = ChangeKind::Happened(Happening::Died { exit_code: 137 });
    let killed = ChangeKind::Happened(Happening::Killed { signal: 9 });
    assert_eq!(
        changes_of(&container.id, &mut changes, &died).await,
        [killed, died]
    );
    let end = engine
        .inspect(&container.id)
        .await
        .expect("inspected")
        .finished_at
        .expect("a time");
    assert!(watcher.history(&container.id).covers(end));
    door.shut().await;
}

#[tokio::test]
async fn an_answer_waits_for_the_event_that_explains_a_fresh_death() {
    let engine = engine().await;
    let container = TestContainer::create(&engine, "fresh", labelled("sleep 600")).await;
    engine.start(&container.id).await.expect("started");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("engine.sock");
    let door = Door::slow(
        &path,
        engine.endpoint().to_owned(),
        Duration::from_millis(500),
    );
    let through = Engine::connect_to(&format!("unix://{}", path.display()))
        .await
        .expect("connected");
    let options = WatchOptions {
        label: "dev.ergon.test.none".to_owned(),
        ..WatchOptions::default()
    };
    let (watcher, _changes) = Watcher::start(through, options);
    watcher.watch(&container.id, &container.name);
    until_sampled(&watcher, &container.id).await;
    engine.kill(&container.id, "SIGKILL").await.expect("killed");
    engine.wait(&container.id).await.expect("ended");
    let observation = watcher.observe(&crate::real::subject(&container)).await;
    let ending = Ending::of(observation.state().expect("seen"), &observation.history);
    assert_eq!(
        ending,
        Some(Ending::KilledByRequest {
            exit_code: 137,
            signal: 9
        })
    );
    door.shut().await;
}
