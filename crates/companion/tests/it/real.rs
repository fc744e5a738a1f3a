//! Companions of real containers.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ergon_companion::dialogue::answer;
use ergon_companion::observation::{MemorySource, Observation, Outcome, ProcessSource, Sight};
use ergon_companion::{History, Meant, Subject, Wellness, diagnose, observe};
use ergon_engine::testing::{TestContainer, engine, shell};
use ergon_engine::{ContainerSpec, Engine, EngineError, EventStream, LogQuery, Publish};
use futures_util::StreamExt;
use jiff::Timestamp;
use tokio::net::{TcpListener, UnixStream};

pub fn subject(container: &TestContainer) -> Subject {
    Subject {
        companion: "test-ci".to_owned(),
        container_id: container.id.clone(),
        container: container.name.clone(),
        ..Subject::default()
    }
}

async fn look(engine: &Engine, subject: &Subject) -> Observation {
    observe(engine, subject, &History::default(), Timestamp::now()).await
}

/// Waits for a line that the container prints when it is ready.
pub async fn ready(engine: &Engine, container: &TestContainer) {
    let mut lines = engine.logs(
        &container.id,
        LogQuery {
            tail: None,
            since: None,
            follow: true,
        },
    );
    while let Some(line) = lines.next().await {
        if line.expect("a line").text() == "ready" {
            return;
        }
    }
    panic!("the container ended before it was ready");
}

/// Waits until the engine says that something happened to the container.
async fn heard(events: &mut EventStream, container: &TestContainer, action: &str) {
    while let Some(event) = events.next().await {
        let event = event.expect("an event");
        if event.id == container.id && event.action == action {
            return;
        }
    }
    panic!("the engine's events ended before `{action}`");
}

fn manifest(port: u16) -> ergon_manifest::Manifest {
    serde_json::from_value(serde_json::json!({
        "manifest_version": "1.0",
        "applications": {"page": {
            "type": "static", "language": "none", "ports": [port], "health": {"path": "/"},
            "env": {"DATABASE_URL": {"required": true, "from": "main.py:9"}},
        }},
        "containers": {"page": {"base_image": "scratch", "applications": ["page"], "ports": [port]}},
    }))
    .expect("a manifest")
}

fn meant(port: u16) -> Meant {
    Meant {
        manifest: manifest(port),
        manifest_digest: None,
        container: "page".to_owned(),
        build_hash: "sha256:4f1c09ab77e2".to_owned(),
        image_digest: "sha256:8be2".to_owned(),
        image_id: None,
    }
}

#[tokio::test]
async fn a_web_server_is_found_asked_and_well() {
    let engine = engine().await;
    let spec = ContainerSpec {
        cmd: shell("httpd -p 8000 -h /www; echo ready; sleep 600"),
        user: Some("65532:65532".to_owned()),
        env: BTreeMap::from([("API_TOKEN".to_owned(), "very-secret-token".to_owned())]),
        publish: vec![Publish {
            container: 8000,
            address: IpAddr::from([127, 0, 0, 1]),
            host: None,
        }],
        memory: Some(64 << 20),
        ..ContainerSpec::default()
    };
    let container = TestContainer::create(&engine, "web", spec).await;
    engine.start(&container.id).await.expect("started");
    ready(&engine, &container).await;
    let mut subject = subject(&container);
    subject.meant = Some(meant(8000));
    let observation = look(&engine, &subject).await;

    assert_eq!(observation.processes_from, ProcessSource::Proc);
    let services: Vec<(&str, &str, &[u16])> = observation
        .services
        .iter()
        .map(|service| {
            (
                service.name.as_str(),
                service.role.as_str(),
                &service.ports[..],
            )
        })
        .collect();
    assert_eq!(services, [("httpd", "web server", &[8000][..])]);
    let memory = observation.memory.as_ref().expect("memory");
    assert!(
        matches!(&memory.source, MemorySource::Cgroup(folder) if folder.contains(&container.id)),
        "{memory:?}"
    );
    assert_eq!((memory.limit, memory.oom_kills), (Some(64 << 20), Some(0)));
    assert!(memory.used > 0 && memory.used < 64 << 20);
    assert!(
        observation
            .processor
            .is_some_and(|nanoseconds| nanoseconds > 0)
    );
    let probe = observation.probe.as_ref().expect("a probe");
    assert_eq!(probe.outcome, Outcome::Status(200));
    assert_eq!(observation.log.len(), 1);

    let diagnosis = diagnose(&observation);
    assert_eq!(diagnosis.wellness, Wellness::Well);
    assert_eq!(diagnosis.findings.len(), 1, "{:?}", diagnosis.findings);
    let reply = answer(
        "How are you? Which services? Your environment?",
        &observation,
    );
    assert!(
        reply
            .content
            .starts_with("I'm well. httpd answers GET / in "),
        "{}",
        reply.content
    );
    assert!(
        reply
            .content
            .contains("DATABASE_URL is not set, and main.py:9 needs it"),
        "{}",
        reply.content
    );
    let everything = serde_json::to_string(&reply).expect("JSON");
    assert!(!everything.contains("very-secret-token"), "{everything}");
}

#[tokio::test]
async fn a_port_that_is_not_the_manifests_is_found() {
    let engine = engine().await;
    let container = TestContainer::run(
        &engine,
        "port",
        "httpd -p 127.0.0.1:8000 -h /www; echo ready; sleep 600",
    )
    .await;
    ready(&engine, &container).await;
    let mut subject = subject(&container);
    let later = |mut observation: Observation| {
        // A container that has had its time to start.
        observation.time += jiff::SignedDuration::from_secs(60);
        diagnose(&observation)
            .findings
            .into_iter()
            .map(|finding| finding.id)
            .collect::<Vec<_>>()
    };
    subject.meant = Some(meant(8000));
    assert_eq!(
        later(look(&engine, &subject).await),
        ["port.loopback", "env.missing", "user.differs"]
    );
    subject.meant = Some(meant(9000));
    assert_eq!(
        later(look(&engine, &subject).await),
        ["port.closed", "env.missing", "user.differs"]
    );
}

#[tokio::test]
async fn docker_kill_is_named_even_when_asked_at_once() {
    let engine = engine().await;
    let container = TestContainer::run(&engine, "kill", "echo ready; sleep 600").await;
    ready(&engine, &container).await;
    let (watcher, _changes) =
        ergon_companion::Watcher::start(engine.clone(), ergon_companion::WatchOptions::default());
    watcher.watch(&container.id, &container.name);
    crate::watch::until_sampled(&watcher, &container.id).await;
    engine.kill(&container.id, "SIGKILL").await.expect("killed");
    engine.wait(&container.id).await.expect("ended");
    let reply = answer(
        "what happened?",
        &watcher.observe(&subject(&container)).await,
    );
    let text = &reply.content;
    assert!(
        text.contains("process 1 was killed by signal 9 (exit 137), by `docker kill`"),
        "{text}"
    );
    assert!(
        text.contains("Not out of memory: the kernel counted no OOM kill, and I used "),
        "{text}"
    );
    assert!(
        text.contains("Nothing restarts me (restart policy is \"no\")"),
        "{text}"
    );
}

#[tokio::test]
async fn docker_stop_is_no_accident() {
    let engine = engine().await;
    let container = TestContainer::run(
        &engine,
        "stop",
        "trap 'exit 0' TERM; echo ready; while true; do sleep 0.1; done",
    )
    .await;
    ready(&engine, &container).await;
    let (watcher, _changes) =
        ergon_companion::Watcher::start(engine.clone(), ergon_companion::WatchOptions::default());
    watcher.watch(&container.id, &container.name);
    crate::watch::until_sampled(&watcher, &container.id).await;
    engine
        .stop(&container.id, std::time::Duration::from_secs(10))
        .await
        .expect("stopped");
    let observation = watcher.observe(&subject(&container)).await;
    let diagnosis = diagnose(&observation);
    assert_eq!(diagnosis.wellness, Wellness::Stopped);
    assert_eq!(
        diagnosis.sentence,
        "I was stopped because somebody asked the engine to (exit 0)."
    );
    assert_eq!(diagnosis.findings[0].severity, "info");
}

#[tokio::test]
async fn want_of_memory_is_named_also_for_a_child() {
    let engine = engine().await;
    // To print the last line of an endless one, `tail` keeps all of it; process 1 goes on.
    let spec = ContainerSpec {
        cmd: shell("tail /dev/zero; echo ready; sleep 600"),
        memory: Some(8 << 20),
        ..ContainerSpec::default()
    };
    let container = TestContainer::create(&engine, "oom", spec).await;
    engine.start(&container.id).await.expect("started");
    ready(&engine, &container).await;
    let observation = look(&engine, &subject(&container)).await;
    let state = observation.state().expect("seen");
    assert!(state.is_running());
    let ids: Vec<String> = diagnose(&observation)
        .findings
        .into_iter()
        .map(|finding| finding.id)
        .collect();
    assert_eq!(ids, ["memory.out"]);

    // The engine hears of it a moment later, and would not hear of it after the container's end.
    let spec = ContainerSpec {
        cmd: shell(
            "trap 'exit 137' USR1; trap 'tail /dev/zero' USR2; echo ready; while true; do sleep 0.05; done",
        ),
        memory: Some(8 << 20),
        ..ContainerSpec::default()
    };
    let container = TestContainer::create(&engine, "oom", spec).await;
    let mut events = engine.events(Some(Timestamp::now()));
    engine.start(&container.id).await.expect("started");
    // The engine listens for want of memory from when the container has started, and not a moment before.
    ready(&engine, &container).await;
    engine.kill(&container.id, "SIGUSR2").await.expect("told");
    heard(&mut events, &container, "oom").await;
    engine.kill(&container.id, "SIGUSR1").await.expect("told");
    assert_eq!(engine.wait(&container.id).await.expect("ended"), 137);
    // Nobody watched, and the engine knows all the same.
    let reply = answer(
        "why did you die?",
        &look(&engine, &subject(&container)).await,
    );
    assert!(
        reply
            .content
            .contains("because memory ran out: the limit is 8 MB"),
        "{}",
        reply.content
    );
}

#[tokio::test]
async fn a_command_that_does_not_exist_is_told() {
    let engine = engine().await;
    let spec = ContainerSpec {
        cmd: vec!["no-such-program".to_owned()],
        ..ContainerSpec::default()
    };
    let container = TestContainer::create(&engine, "nope", spec).await;
    let error = engine.start(&container.id).await.expect_err("cannot start");
    assert!(
        matches!(error, EngineError::CommandNotStartable(_)),
        "{error}"
    );
    let reply = answer("status", &look(&engine, &subject(&container)).await);
    let text = &reply.content;
    assert!(
        text.starts_with(
            "I could not start (exit 127: the command was not found): \"no-such-program\""
        ),
        "{text}"
    );

    // The shell's own 127.
    let container = TestContainer::run(&engine, "nope", "no-such-program").await;
    assert_eq!(engine.wait(&container.id).await.expect("ended"), 127);
    let reply = answer("what happened", &look(&engine, &subject(&container)).await);
    let text = &reply.content;
    assert!(
        text.contains(
            "(exit 127: the command was not found), because there is no program no-such-program"
        ),
        "{text}"
    );
    assert!(
        reply
            .evidence
            .iter()
            .any(|evidence| evidence.text == "sh: no-such-program: not found"),
        "{reply:?}"
    );
}

#[tokio::test]
async fn a_container_that_is_gone_is_gone() {
    let engine = engine().await;
    let container = TestContainer::run(&engine, "gone", "sleep 600").await;
    engine
        .remove(&container.id, true, true)
        .await
        .expect("removed");
    assert_eq!(look(&engine, &subject(&container)).await.sight, Sight::Gone);
}

/// The engine behind a TCP port, as one on another machine would be.
async fn faraway(engine: &Engine) -> Engine {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("bound").port();
    let socket = engine.endpoint().to_owned();
    tokio::spawn(async move {
        while let Ok((mut guest, _)) = listener.accept().await {
            let mut engine = UnixStream::connect(&socket).await.expect("the engine");
            tokio::spawn(
                async move { tokio::io::copy_bidirectional(&mut guest, &mut engine).await },
            );
        }
    });
    Engine::connect_to(&format!("tcp://127.0.0.1:{port}"))
        .await
        .expect("connected")
}

#[tokio::test]
async fn an_engine_elsewhere_is_asked_for_what_cannot_be_seen_here() {
    let engine = engine().await;
    let spec = ContainerSpec {
        cmd: shell("httpd -p 8000 -h /www; echo ready; sleep 600"),
        publish: vec![Publish {
            container: 8000,
            address: IpAddr::from([127, 0, 0, 1]),
            host: None,
        }],
        ..ContainerSpec::default()
    };
    let container = TestContainer::create(&engine, "far", spec).await;
    engine.start(&container.id).await.expect("started");
    ready(&engine, &container).await;
    let mut subject = subject(&container);
    subject.meant = Some(meant(8000));
    let observation = look(&faraway(&engine).await, &subject).await;

    assert_eq!(observation.processes_from, ProcessSource::Engine);
    assert_eq!(observation.services[0].name, "httpd");
    let memory = observation.memory.as_ref().expect("memory");
    assert_eq!(
        (&memory.source, memory.oom_kills),
        (&MemorySource::Engine, None)
    );
    assert_eq!(observation.listeners, None);
    let probe = observation.probe.as_ref().expect("a probe");
    assert_eq!(
        (probe.target.address.as_str(), &probe.outcome),
        ("127.0.0.1", &Outcome::Status(200))
    );
    let reply = answer("services, memory, ports", &observation);
    assert!(
        reply.content.contains("as the engine lists them"),
        "{}",
        reply.content
    );
    assert!(
        reply.content.contains("I cannot read my sockets."),
        "{}",
        reply.content
    );
    assert!(
        reply
            .evidence
            .iter()
            .any(|evidence| evidence.text.contains("by the engine's statistics"))
    );
}
