//! What is counted of real containers.

use std::collections::BTreeMap;
use std::time::Duration;

use ergon_companion::observation::{ConnectionState, Disk, Observation};
use ergon_companion::{COMPANION_LABEL, Grain, MarkKind, Point, WatchOptions, Watcher};
use ergon_engine::testing::{TestContainer, engine, shell, unique};
use ergon_engine::{ContainerSpec, Engine, Network};
use jiff::{SignedDuration, Timestamp};
use tokio::time::timeout;

use crate::real::{ready, subject};

const PATIENCE: Duration = Duration::from_secs(20);

fn spec(line: &str) -> ContainerSpec {
    let labels = BTreeMap::from([(COMPANION_LABEL.to_owned(), "test-ci".to_owned())]);
    ContainerSpec {
        cmd: shell(line),
        labels,
        ..ContainerSpec::default()
    }
}

async fn start(engine: &Engine, purpose: &str, spec: ContainerSpec) -> TestContainer {
    let container = TestContainer::create(engine, purpose, spec).await;
    engine.start(&container.id).await.expect("started");
    container
}

/// Looks until what is looked for is there.
async fn look_until(
    watcher: &Watcher,
    container: &TestContainer,
    seen: impl Fn(&Observation) -> bool,
) -> Observation {
    let subject = subject(container);
    let looking = async {
        loop {
            let observation = watcher.observe(&subject).await;
            if seen(&observation) {
                return observation;
            }
            // tidy(sleep-in-test): what the kernel counts has no event to await
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, looking).await.expect("it is seen")
}

#[tokio::test]
async fn a_container_that_is_made_to_wait_is_seen_waiting() {
    let engine = engine().await;
    let limited = ContainerSpec {
        millicpus: Some(100),
        pids: Some(50),
        shared_memory: Some(1 << 20),
        anonymous_volumes: vec!["/data".to_owned()],
        ..spec("dd if=/dev/zero of=/dev/shm/full bs=1k count=800; while :; do :; done")
    };
    let container = start(&engine, "busy", limited).await;
    let (watcher, _changes) = Watcher::start(engine.clone(), WatchOptions::default());
    let observation = look_until(&watcher, &container, |observation| {
        let processor = observation.signals.processor.as_ref();
        processor
            .and_then(|processor| processor.throttled_share)
            .is_some_and(|share| share > 5000)
    })
    .await;

    let signals = &observation.signals;
    let processor = signals.processor.as_ref().expect("its processor time");
    assert_eq!(processor.quota, Some(100_000_000));
    assert!(processor.throttled > 0 && processor.used > 0);
    assert!(
        processor
            .share
            .is_some_and(|share| (300..2000).contains(&share)),
        "a tenth of a processor: {processor:?}"
    );
    let tasks = signals.tasks.expect("its tasks");
    assert_eq!((tasks.now, tasks.limit), (1, Some(50)));
    let disk = |mount: &str| -> &Disk {
        let found = signals.disks.iter().find(|disk| disk.mount == mount);
        found.unwrap_or_else(|| panic!("{mount} is missing: {:?}", signals.disks))
    };
    let shared = disk("/dev/shm");
    assert_eq!((shared.kind.as_str(), shared.size), ("tmpfs", 1 << 20));
    assert_eq!(shared.free, (1 << 20) - (800 << 10));
    assert!(disk("/").size > 0 && !disk("/data").read_only);
    assert!(signals.disks.iter().all(|disk| disk.mount != "/etc/hosts"));
    let fullest = &signals.descriptors[0];
    assert!(fullest.open >= 3 && fullest.limit.is_some(), "{fullest:?}");
    assert!(signals.traffic.is_some());
    assert_eq!(signals.connections, []);
}

#[tokio::test]
async fn who_talks_to_whom_is_seen_on_both_sides() {
    let engine = engine().await;
    let network = unique("signals");
    engine.ensure_network(&network).await.expect("a network");
    let on_network = |line: &str, alias: &str| ContainerSpec {
        network: Network::Named(network.clone()),
        aliases: vec![alias.to_owned()],
        ..spec(line)
    };
    let server = start(
        &engine,
        "server",
        on_network("nc -l -p 7000 -e sleep 600 & echo ready; sleep 600", "back"),
    )
    .await;
    ready(&engine, &server).await;
    let (watcher, _changes) = Watcher::start(engine.clone(), WatchOptions::default());
    // It comes after the watcher, which has to hear of it.
    let client = start(
        &engine,
        "client",
        on_network("until sleep 600 | nc back 7000; do :; done", "front"),
    )
    .await;

    let observation = look_until(&watcher, &client, |observation| {
        let connections = &observation.signals.connections;
        connections
            .iter()
            .any(|connection| connection.state == ConnectionState::Established)
            && observation.neighbours.iter().any(|other| other.running)
    })
    .await;
    let connection = &observation.signals.connections[0];
    assert_eq!(connection.remote.1, 7000);
    let owner = connection.pid.expect("its owner");
    assert!(
        observation
            .processes
            .iter()
            .any(|process| process.pid == owner && process.name == "nc")
    );
    let neighbour = &observation.neighbours[0];
    assert_eq!(observation.neighbours.len(), 1, "{neighbour:?}");
    assert_eq!(neighbour.name, server.name);
    assert!(neighbour.names.contains(&"back".to_owned()));
    assert_eq!(neighbour.addresses, [connection.remote.0]);
    assert_eq!(neighbour.companion.as_deref(), Some("test-ci"));

    engine.kill(&server.id, "SIGKILL").await.expect("killed");
    let observation = look_until(&watcher, &client, |observation| {
        observation.neighbours.iter().any(|other| !other.running)
    })
    .await;
    let neighbour = &observation.neighbours[0];
    assert_eq!(neighbour.exit_code, Some(137));
    assert!(neighbour.stopped_at.is_some() && neighbour.names.contains(&"back".to_owned()));

    drop((server, client));
    engine.remove_network(&network).await.expect("removed");
}

/// Waits until so many seconds of a container's memory are known.
async fn until_kept(watcher: &Watcher, name: &str, since: Timestamp, count: usize) -> Vec<Point> {
    let kept = async {
        loop {
            let until = Timestamp::now();
            let (points, _) = watcher.series(name, Grain::Second, since, until);
            if points.len() >= count {
                return points;
            }
            // tidy(sleep-in-test): the second that is waited for has no event to await
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, kept).await.expect("it is kept")
}

#[tokio::test]
async fn what_a_container_used_is_known_to_the_next_watcher_and_to_the_next_container() {
    let engine = engine().await;
    let folder = tempfile::tempdir().expect("a folder");
    let watch = || {
        let options = WatchOptions {
            history_folder: Some(folder.path().join("history")),
            sample_every: Duration::from_millis(250),
            ..WatchOptions::default()
        };
        Watcher::start(engine.clone(), options)
    };
    let begin = Timestamp::now() - SignedDuration::from_secs(1);
    let first = start(&engine, "kept", spec("while :; do :; done")).await;
    let (watcher, _changes) = watch();
    let points = until_kept(&watcher, &first.name, begin, 2).await;
    assert!(
        points
            .iter()
            .all(|point| point.memory > 0 && point.processor > 1000),
        "{points:?}"
    );
    let observation = watcher.observe(&subject(&first)).await;
    assert!(observation.past.seconds.len() >= 2 && !observation.past.minutes.is_empty());
    drop(watcher);

    // Another container under the same name: a deployment.
    let name = first.name.clone();
    engine.remove(&first.id, true, true).await.expect("removed");
    let spec = ContainerSpec {
        name: name.clone(),
        image: ergon_engine::testing::busybox(&engine).await.to_owned(),
        ..spec("sleep 600")
    };
    let id = engine.create_container(&spec).await.expect("created");
    let second = TestContainer { id, name };
    engine.start(&second.id).await.expect("started");
    let (watcher, _changes) = watch();
    let known = points.len();
    let points = until_kept(&watcher, &second.name, begin, known + 2).await;
    assert!(
        points.first().is_some_and(|point| point.processor > 1000),
        "the first one's seconds are still there"
    );
    let (_, marks) = watcher.series(&second.name, Grain::Minute, begin, Timestamp::now());
    let kinds: Vec<MarkKind> = marks.iter().map(|mark| mark.kind).collect();
    assert!(kinds.contains(&MarkKind::Deployed), "{kinds:?}");
    assert!(kinds.contains(&MarkKind::Started), "{kinds:?}");
}
