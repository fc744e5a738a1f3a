use std::net::SocketAddr;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use ergon_store::SEAL_KEY;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;

use super::*;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(30);

struct World {
    folder: TempDir,
    store: Store,
    directory: Directory,
}

impl World {
    async fn new() -> Self {
        Self::limited(Limits::default()).await
    }

    async fn limited(limits: Limits) -> Self {
        Self::over(tempfile::tempdir().unwrap(), limits).await
    }

    async fn over(folder: TempDir, limits: Limits) -> Self {
        let store = Store::open(&folder.path().join("ergon.db")).await.unwrap();
        let counter = |start: u8| {
            let count = AtomicU8::new(start);
            move || count.fetch_add(1, Ordering::Relaxed)
        };
        let (nonces, leases) = (counter(rand_start(&folder)), counter(0));
        let directory = Directory::open(Parts {
            store: store.clone(),
            reach: Reach::new([], SocketAddr::from(([127, 0, 0, 1], 1))),
            sealer: Sealer::new([7; SEAL_KEY], move || [nonces(); 24]),
            lease_ids: Box::new(move || [leases(); 16]),
            pace: Pace {
                every: Duration::from_millis(5),
                apart: Duration::from_millis(1),
                ..Pace::default()
            },
            limits,
        });
        Self {
            directory: directory.await.unwrap(),
            store,
            folder,
        }
    }

    /// What another process sees after this one was killed: nothing is written at the end.
    async fn again(self) -> Self {
        let Self { folder, .. } = self;
        Self::over(folder, Limits::default()).await
    }

    async fn register(&self, change: Value) -> Result<Registered, DirectoryError> {
        self.directory
            .register(&registration(change), "owner")
            .await
    }

    /// The kinds of all events so far.
    async fn told(&self) -> Vec<String> {
        let events = self.store.events_after(0, 1000).await.unwrap();
        let kinds = events
            .iter()
            .map(|event| event.kind.trim_start_matches("dev.ergon."));
        kinds.map(str::to_owned).collect()
    }

    /// Waits for an event of this kind, and returns what it says.
    async fn until(&self, kind: &str) -> Value {
        let mut newest = self.store.watch();
        let found = async {
            loop {
                newest.borrow_and_update();
                let events = self.store.events_after(0, 1000).await.unwrap();
                if let Some(event) = events.into_iter().find(|event| event.kind == kind) {
                    return event.data;
                }
                newest.changed().await.unwrap();
            }
        };
        let found = tokio::time::timeout(PATIENCE, found).await;
        found.unwrap_or_else(|_| panic!("{kind} was never told"))
    }
}

/// Nonces of a directory over the same folder begin elsewhere.
fn rand_start(folder: &TempDir) -> u8 {
    if folder.path().join("ergon.db-wal").exists() {
        128
    } else {
        0
    }
}

fn registration(change: Value) -> Registration {
    let mut sent = json!({ "name": "numa", "type": "external", "port": 9 });
    for (key, value) in change.as_object().unwrap() {
        sent[key] = value.clone();
    }
    serde_json::from_value(sent).unwrap()
}

fn container(name: &str, id: &str) -> Record {
    let details = Details {
        container_id: Some(id.to_owned()),
        container: Some("web".to_owned()),
        ..Details::default()
    };
    Record::new(name, Kind::Container, details)
}

#[tokio::test]
async fn names_are_found_regardless_of_case() {
    let world = World::new().await;
    world.register(json!({ "name": "Numa" })).await.unwrap();
    assert_eq!(world.directory.find("nUMA").unwrap().name, "Numa");
    world.directory.deregister("NUMA").await.unwrap();
    assert!(world.directory.find("numa").is_none());
    let error = world.directory.deregister("numa").await.unwrap_err();
    assert!(matches!(error, DirectoryError::NotFound { .. }));
    assert_eq!(
        world.told().await,
        ["companion.registered", "companion.left"]
    );
}

#[tokio::test]
async fn a_name_that_somebody_else_holds_is_refused_and_says_who() {
    let world = World::new().await;
    world
        .directory
        .welcome(container("web-ci", "1"))
        .await
        .unwrap();
    world
        .directory
        .welcome(container("web-ci", "1"))
        .await
        .unwrap();
    for error in [
        world
            .directory
            .welcome(container("WEB-CI", "2"))
            .await
            .unwrap_err(),
        world
            .register(json!({ "name": "web-CI" }))
            .await
            .unwrap_err(),
        world
            .register(json!({ "name": "web-ci", "type": "container", "container_id": "1" }))
            .await
            .unwrap_err(),
    ] {
        let text = error.to_string();
        assert!(
            text.contains("is held by a container companion (web)"),
            "{text}"
        );
        assert!(text.contains("this stack's own"), "{text}");
    }
    let error = world.directory.deregister("web-ci").await.unwrap_err();
    assert!(matches!(error, DirectoryError::Own { .. }), "{error}");
    let error = world.directory.heartbeat("web-ci", None).unwrap_err();
    assert!(matches!(error, DirectoryError::Own { .. }), "{error}");
}

#[tokio::test]
async fn of_two_who_want_a_name_at_once_one_gets_it() {
    let world = World::new().await;
    let (one, other) = tokio::join!(
        world.register(json!({ "stack_id": "a" })),
        world.register(json!({ "stack_id": "b" }))
    );
    assert!(one.is_ok() != other.is_ok());
    assert_eq!(world.told().await.len(), 1);
}

#[tokio::test]
async fn renewing_the_same_record_is_no_change() {
    let world = World::new().await;
    let headers = json!({ "headers": { "X-Key": "secret" } });
    let first = world.register(headers.clone()).await.unwrap();
    let again = world.register(headers).await.unwrap();
    assert_eq!((first.is_new, again.is_new), (true, false));
    assert_eq!(first.lease, again.lease);
    assert_eq!(world.told().await.len(), 1);
    world
        .register(json!({ "headers": { "X-Key": "other" } }))
        .await
        .unwrap();
    assert_eq!(world.told().await[1..], ["companion.changed"]);
    assert_eq!(world.directory.headers("numa").unwrap()["X-Key"], "other");
}

#[tokio::test]
async fn who_still_answers_at_the_old_place_keeps_the_name_unless_the_lease_is_shown() {
    let world = World::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let first = world.register(json!({ "port": port })).await.unwrap();
    let elsewhere = json!({ "port": 9 });
    let error = world.register(elsewhere.clone()).await.unwrap_err();
    assert!(
        error.to_string().contains(&format!("127.0.0.1:{port}")),
        "{error}"
    );
    assert!(error.remedy().unwrap().contains("lease"), "{error}");
    let wrong = json!({ "port": 9, "lease": "0".repeat(32) });
    // The first lease is all zeros, too, but for its length in the next line.
    assert_eq!(first.lease, "0".repeat(32));
    assert!(
        world
            .register(json!({ "port": 9, "lease": "00" }))
            .await
            .is_err()
    );
    let moved = world.register(wrong).await.unwrap();
    assert_eq!(moved.lease, first.lease, "it is the same somebody");
    drop(listener);
    // Nobody listens on port 9: a program that was started again somewhere else needs to show nothing.
    let restarted = world.register(json!({ "port": port })).await.unwrap();
    assert_ne!(
        restarted.lease, first.lease,
        "the program before it has lost its lease"
    );
    let error = world
        .directory
        .heartbeat("numa", Some(&first.lease))
        .unwrap_err();
    assert!(
        matches!(error, DirectoryError::OtherLease { .. }),
        "{error}"
    );
    world
        .directory
        .heartbeat("numa", Some(&restarted.lease))
        .unwrap();
    world.directory.heartbeat("numa", None).unwrap();
}

#[tokio::test]
async fn what_was_answered_is_there_after_a_kill() {
    let world = World::new().await;
    let headers =
        json!({ "headers": { "Authorization": "Bearer shared-secret" }, "purpose": "to be asked" });
    let before = world.register(headers).await.unwrap();
    let path = world.folder.path().to_owned();
    let world = world.again().await;
    let found = world.directory.find("numa").unwrap();
    assert_eq!(found.details.purpose.as_deref(), Some("to be asked"));
    assert_eq!(found.registered_by(), Some("owner"));
    assert!(found.lease_ends_at().unwrap() > ergon_store::now() + 50_000);
    assert_eq!(
        world.directory.headers("numa").unwrap()["Authorization"],
        "Bearer shared-secret"
    );
    let renewed = world
        .register(json!({ "port": 10, "lease": before.lease }))
        .await
        .unwrap();
    assert_eq!(renewed.lease, before.lease);
    for file in ["ergon.db", "ergon.db-wal"] {
        let bytes = std::fs::read(path.join(file)).unwrap_or_default();
        let secret = b"shared-secret";
        assert!(!bytes.windows(secret.len()).any(|window| window == secret));
    }
}

#[tokio::test]
async fn many_at_once_are_all_durable_with_one_event_each() {
    let world = World::new().await;
    let registered = (0..300).map(|number| {
        let directory = world.directory.clone();
        let registration = registration(json!({ "name": format!("numa-{number}") }));
        tokio::spawn(async move { directory.register(&registration, "owner").await })
    });
    for registered in registered.collect::<Vec<_>>() {
        assert!(registered.await.unwrap().unwrap().is_new);
    }
    assert_eq!(world.told().await.len(), 300);
    let listed = world.again().await.directory.list();
    assert_eq!(listed.len(), 300);
    assert!(listed.is_sorted_by_key(|present| present.key()));
}

#[tokio::test]
async fn one_caller_fills_their_own_share_and_nobody_elses() {
    let world = World::limited(Limits {
        of_one: 3,
        in_all: 4,
        ..Limits::default()
    })
    .await;
    let register = async |name: &str, by: &str| {
        let registration = registration(json!({ "name": name }));
        world.directory.register(&registration, by).await
    };
    for name in ["aa", "bb", "cc", "aa"] {
        register(name, "one").await.unwrap();
    }
    let error = register("dd", "one").await.unwrap_err();
    assert!(
        matches!(error, DirectoryError::TooMany { most: 3, .. }),
        "{error}"
    );
    register("dd", "other").await.unwrap();
    let error = register("ee", "other").await.unwrap_err();
    assert!(matches!(error, DirectoryError::Full(_)), "{error}");
    // This stack's own always have room, and who leaves makes some.
    world
        .directory
        .welcome(container("web-ci", "1"))
        .await
        .unwrap();
    world.directory.dismiss("web-ci").await.unwrap();
    world.directory.deregister("bb").await.unwrap();
    register("ff", "one").await.unwrap();
}

/// What this process has in memory, in bytes.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = resident.unwrap().trim().trim_end_matches("kB").trim();
    kib.parse::<usize>().unwrap() << 10
}

#[tokio::test]
async fn a_million_registrations_of_one_caller_end_at_a_bound_and_take_no_memory() {
    let world = World::limited(Limits {
        of_one: 100,
        ..Limits::default()
    })
    .await;
    let mut registration = registration(json!({ "purpose": "x".repeat(500) }));
    let mut before = 0;
    let mut let_in = 0;
    for number in 0..1_000_000 {
        registration.name = format!("numa-{number}");
        match world.directory.register(&registration, "one").await {
            Ok(_) => let_in += 1,
            Err(error) => {
                assert!(
                    matches!(error, DirectoryError::TooMany { most: 100, .. }),
                    "{error}"
                );
                assert!(error.remedy().unwrap().contains("deregister"), "{error}");
            }
        }
        if number == 1_000 {
            before = resident();
        }
    }
    assert_eq!((let_in, world.told().await.len()), (100, 100));
    let grown = resident().saturating_sub(before);
    assert!(grown < 4 << 20, "{grown} bytes more");
    registration.name = "numa-7".to_owned();
    let renewed = world.directory.register(&registration, "one").await;
    assert!(!renewed.unwrap().is_new, "who is there already may go on");
}

#[tokio::test]
async fn records_take_no_more_memory_than_there_is_for_them() {
    let world = World::limited(Limits {
        bytes: 4096,
        ..Limits::default()
    })
    .await;
    let mut refused = None;
    for number in 0..20 {
        let change = json!({ "name": format!("numa-{number}"), "purpose": "x".repeat(500) });
        refused = refused.or(world.register(change).await.err());
    }
    assert!(
        matches!(refused, Some(DirectoryError::Full(_))),
        "{refused:?}"
    );
    let large = json!({ "about": {}, "capabilities": vec!["x".repeat(1000); 60] });
    let error = world.register(large).await.unwrap_err();
    assert!(matches!(error, DirectoryError::TooLarge { .. }), "{error}");
}

#[tokio::test]
async fn who_falls_silent_is_stale_and_then_gone() {
    let world = World::new().await;
    let keeping = world.directory.clone();
    let keeping = tokio::spawn(async move { keeping.keep_leases().await });
    world.register(json!({ "ttl": 1 })).await.unwrap();
    let since = Instant::now();
    let told = world.until("dev.ergon.companion.health").await;
    assert_eq!(
        (&told["from"], &told["to"]),
        (&json!("up"), &json!("stale"))
    );
    world.directory.heartbeat("numa", None).unwrap();
    assert_eq!(
        world
            .directory
            .find("numa")
            .unwrap()
            .health()
            .unwrap()
            .state,
        State::Up
    );
    world.until("dev.ergon.companion.expired").await;
    let took = since.elapsed();
    assert!(
        took > Duration::from_millis(1600),
        "the heartbeat counts: {took:?}"
    );
    assert!(
        took < Duration::from_millis(2700),
        "within a second: {took:?}"
    );
    assert!(world.directory.find("numa").is_none());
    keeping.abort();
}

#[tokio::test]
async fn who_does_not_answer_is_down_and_comes_back() {
    let world = World::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let health = || world.directory.find("numa").unwrap().health().unwrap();
    world.register(json!({ "port": port })).await.unwrap();
    let keeping = world.directory.clone();
    let keeping = tokio::spawn(async move { keeping.keep_checking().await });
    let until = async |state: State| {
        let mut newest = world.store.watch();
        let reached = async {
            while health().state != state {
                newest.changed().await.unwrap();
            }
        };
        let reached = tokio::time::timeout(PATIENCE, reached).await;
        assert!(reached.is_ok(), "{:?} and never {state:?}", health());
    };
    drop(listener);
    until(State::Down).await;
    assert!(
        health().reason.contains("cannot be reached"),
        "{}",
        health().reason
    );
    let _listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    until(State::Up).await;
    let told: Vec<_> = world.told().await;
    assert_eq!(
        told,
        [
            "companion.registered",
            "companion.health",
            "companion.health",
            "companion.health"
        ]
    );
    keeping.abort();
}

#[tokio::test]
async fn who_is_out_of_reach_is_listed_and_not_checked() {
    let world = World::new().await;
    let registered = world
        .register(json!({ "host": "192.0.2.1" }))
        .await
        .unwrap();
    let (reach, pace) = (&world.directory.0.reach, Pace::default());
    let looked = check::look(reach, &registered.present.details, &pace);
    let health::Checked::Not(reason) = looked.await else {
        panic!("it was checked");
    };
    assert_eq!(reason, "not checked: outside of what this stack may reach");
    // Whether it left its place cannot be known, so nobody else gets the name without the lease.
    let moved = json!({ "host": "192.0.2.1", "port": 10 });
    assert!(world.register(moved).await.is_err());
}
