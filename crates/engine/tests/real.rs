//! Against the engine of this machine.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use ergon_engine::testing::{TestContainer, busybox, engine, shell, unique};
use ergon_engine::{
    Bind, ContainerSpec, EngineError, EngineEvent, LogQuery, LogSource, LogStream, Network,
    Publish, RestartPolicy, Status,
};
use futures_util::StreamExt;

const NOW: Duration = Duration::from_secs(0);

async fn texts(mut lines: LogStream) -> Vec<(LogSource, String)> {
    let mut texts = Vec::new();
    while let Some(line) = lines.next().await {
        let line = line.expect("a line");
        texts.push((line.source, line.text()));
    }
    texts
}

fn running(line: &str) -> ContainerSpec {
    ContainerSpec {
        cmd: shell(line),
        ..ContainerSpec::default()
    }
}

#[tokio::test]
async fn the_engine_says_what_it_is() {
    let engine = engine().await;
    let info = engine.describe().await.expect("described");
    assert!(
        ["Docker", "Podman"].contains(&info.name.as_str()),
        "{info:?}"
    );
    assert!(
        info.version
            .chars()
            .next()
            .is_some_and(|c| c.is_ascii_digit()),
        "{info:?}"
    );
    assert!(info.api_version.starts_with("1."), "{info:?}");
    assert!(["v1", "v2"].contains(&info.cgroup.as_str()), "{info:?}");
    assert!(
        !info.storage_driver.is_empty() && !info.architecture.is_empty(),
        "{info:?}"
    );
}

#[tokio::test]
async fn no_line_of_a_short_lived_container_is_lost() {
    let engine = engine().await;
    let container = TestContainer::create(
        &engine,
        "short",
        running("echo out; echo err >&2; printf unfinished; exit 3"),
    )
    .await;
    let attached = engine.attach(&container.id).await.expect("attached");
    engine.start(&container.id).await.expect("started");
    let mut lines = texts(attached).await;
    lines.sort_by(|a, b| a.1.cmp(&b.1));
    let expected = [
        (LogSource::Stderr, "err"),
        (LogSource::Stdout, "out"),
        (LogSource::Stdout, "unfinished"),
    ];
    assert_eq!(
        lines,
        expected.map(|(source, text)| (source, text.to_owned()))
    );
    assert_eq!(engine.wait(&container.id).await.expect("its code"), 3);

    let state = engine.inspect(&container.name).await.expect("inspected");
    assert_eq!(
        (state.status, state.exit_code, state.pid),
        (Status::Exited, Some(3), None)
    );
    // Which of the two the engine writes down first is its own affair when they are this close.
    assert!(state.started_at.is_some() && state.finished_at.is_some());

    let tail = engine.logs(
        &container.id,
        LogQuery {
            tail: Some(1),
            since: None,
            follow: false,
        },
    );
    assert_eq!(
        texts(tail).await,
        [(LogSource::Stdout, "unfinished".to_owned())]
    );
}

#[tokio::test]
async fn what_a_spec_asks_for_is_what_the_container_is() {
    let engine = engine().await;
    let folder = std::env::temp_dir();
    let spec = ContainerSpec {
        entrypoint: Some(vec!["/bin/sh".to_owned()]),
        cmd: vec!["-c".to_owned(), "echo ready; sleep 600".to_owned()],
        env: BTreeMap::from([("NAME".to_owned(), "a=b c".to_owned())]),
        workdir: Some("/www".to_owned()),
        user: Some("1000:1000".to_owned()),
        hostname: Some("ergon".to_owned()),
        labels: BTreeMap::from([("dev.ergon.test".to_owned(), "yes".to_owned())]),
        binds: vec![Bind {
            host: folder.to_string_lossy().into_owned(),
            container: "/host".to_owned(),
            readonly: true,
        }],
        anonymous_volumes: vec!["/tmp".to_owned()],
        publish: vec![Publish {
            container: 8000,
            address: IpAddr::from([127, 0, 0, 1]),
            host: None,
        }],
        memory: Some(64 << 20),
        pids: Some(32),
        init: true,
        restart: RestartPolicy::OnFailure(Some(2)),
        ..ContainerSpec::default()
    };
    let container = TestContainer::create(&engine, "spec", spec).await;
    assert_eq!(
        engine
            .inspect(&container.id)
            .await
            .expect("inspected")
            .exit_code,
        None
    );
    engine.start(&container.id).await.expect("started");
    engine
        .start(&container.id)
        .await
        .expect("starting a running container is nothing");

    let state = engine.inspect(&container.name).await.expect("inspected");
    assert_eq!(state.id, container.id);
    assert_eq!(state.name, container.name);
    assert!(state.is_running() && state.pid.is_some() && state.exit_code.is_none());
    assert_eq!(state.command, ["/bin/sh", "-c", "echo ready; sleep 600"]);
    assert_eq!(state.env.get("NAME").map(String::as_str), Some("a=b c"));
    assert_eq!(
        state.labels.get("dev.ergon.test").map(String::as_str),
        Some("yes")
    );
    assert_eq!(
        (state.user.as_str(), state.workdir.as_str()),
        ("1000:1000", "/www")
    );
    assert_eq!(state.memory_limit, Some(64 << 20));
    assert_eq!(state.restart_policy, RestartPolicy::OnFailure(Some(2)));
    assert_eq!(state.exposed, [8000]);
    assert_eq!(
        (state.ports[0].container, state.ports[0].address.as_str()),
        (8000, "127.0.0.1")
    );
    assert!(state.ports[0].host > 0);
    assert!(
        state.networks.contains_key("bridge"),
        "{:?}",
        state.networks
    );

    // Started is not yet its program: the engine's init is process 1, and that not at once either.
    let mut log = engine.logs(
        &container.id,
        LogQuery {
            tail: None,
            since: None,
            follow: true,
        },
    );
    assert!(log.next().await.is_some(), "it is ready");
    let rows = engine.top(&container.id).await.expect("processes");
    assert!(
        rows.iter().any(|row| row.command.contains("sleep 600")),
        "{rows:?}"
    );
    let usage = engine.stats_once(&container.id).await.expect("statistics");
    assert!(
        usage.memory.is_some_and(|bytes| bytes < 64 << 20),
        "{usage:?}"
    );

    let listed = engine
        .list(&[("dev.ergon.test", "yes")], false)
        .await
        .expect("a list");
    assert!(
        listed
            .iter()
            .any(|one| one.id == container.id && one.status == Status::Running)
    );

    engine.stop(&container.id, NOW).await.expect("stopped");
    let listed = engine
        .list(&[("dev.ergon.test", "")], false)
        .await
        .expect("a list");
    assert!(listed.iter().all(|one| one.id != container.id));
    let listed = engine
        .list(&[("dev.ergon.test", "")], true)
        .await
        .expect("a list");
    assert!(
        listed
            .iter()
            .any(|one| one.id == container.id && one.status == Status::Exited)
    );
}

#[tokio::test]
async fn a_container_without_network_has_no_address() {
    let engine = engine().await;
    let spec = ContainerSpec {
        network: Network::None,
        ..running("sleep 600")
    };
    let container = TestContainer::create(&engine, "alone", spec).await;
    engine.start(&container.id).await.expect("started");
    let state = engine.inspect(&container.id).await.expect("inspected");
    assert!(state.networks.is_empty(), "{:?}", state.networks);
    assert_eq!(state.network_mode, "none");
}

#[tokio::test]
async fn events_since_a_moment_tell_the_whole_story() {
    let engine = engine().await;
    let container = TestContainer::create(&engine, "story", running("sleep 600")).await;
    let state = engine.inspect(&container.id).await.expect("inspected");
    let mut live = engine.events(state.created_at);
    engine.start(&container.id).await.expect("started");
    engine.kill(&container.id, "SIGKILL").await.expect("killed");
    assert_eq!(engine.wait(&container.id).await.expect("its code"), 137);
    let own = |event: &EngineEvent| event.id == container.id && event.kind == "container";
    let story = |event: &EngineEvent| own(event).then(|| event.action.clone());

    let mut told = Vec::new();
    let mut last = None;
    while !told.contains(&"die".to_owned()) {
        let event = live
            .next()
            .await
            .expect("the stream goes on")
            .expect("an event");
        if own(&event) {
            if event.action == "die" {
                assert_eq!(event.exit_code(), Some(137));
            }
            if event.action == "kill" {
                assert_eq!(event.signal(), Some(9));
            }
            assert_eq!(event.name(), container.name);
            last = Some(event.time);
        }
        told.extend(story(&event));
    }
    told.retain(|action| ["create", "start", "kill", "die"].contains(&action.as_str()));
    assert!(
        told.ends_with(&["start", "kill", "die"].map(str::to_owned)),
        "{told:?}"
    );

    // A reader who comes back gets the last event again, and nothing before it.
    let mut again = engine.events(last);
    let first = loop {
        let event = again
            .next()
            .await
            .expect("the stream goes on")
            .expect("an event");
        if own(&event) {
            break event;
        }
    };
    assert_eq!((first.action.as_str(), Some(first.time)), ("die", last));
}

#[tokio::test]
async fn files_go_in_and_come_out_and_a_commit_keeps_them() {
    let engine = engine().await;
    let container = TestContainer::create(&engine, "files", running("true")).await;
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_mode(0o640);
    header.set_uid(1000);
    header.set_size(6);
    archive
        .append_data(&mut header, "note.txt", &b"hello\n"[..])
        .expect("in memory");
    let archive = archive.into_inner().expect("in memory");
    engine
        .upload(&container.id, "/www", Bytes::from(archive))
        .await
        .expect("uploaded");

    let bytes = engine
        .download(&container.id, "/www/note.txt")
        .collect()
        .await
        .expect("downloaded");
    let mut archive = tar::Archive::new(&bytes[..]);
    let entry = archive
        .entries()
        .expect("a tar")
        .next()
        .expect("an entry")
        .expect("a good one");
    let header = entry.header();
    assert_eq!(
        (
            header.size().ok(),
            header.uid().ok(),
            header.mode().ok().map(|m| m & 0o777)
        ),
        (Some(6), Some(1000), Some(0o640))
    );

    let missing = engine
        .download(&container.id, "/nothing")
        .collect()
        .await
        .expect_err("not there");
    assert!(missing.is_not_found(), "{missing}");

    let image = engine.commit(&container.id).await.expect("committed");
    let name = format!("{}:1", unique("image"));
    engine.tag_image(&image, &name).await.expect("tagged");
    let info = engine.image(&name).await.expect("asked").expect("there");
    assert_eq!((info.id.as_str(), info.layers.len()), (image.as_str(), 2));

    // Out and in again under the same name.
    let saved = engine.save_image(&name).collect().await.expect("saved");
    engine.remove_image(&name, true).await.expect("removed");
    assert_eq!(engine.image_id(&name).await.expect("asked"), None);
    let loaded = engine
        .load_image_from(std::io::Cursor::new(saved))
        .await
        .expect("loaded");
    assert_eq!(loaded, [name.as_str()]);
    assert_eq!(engine.image_id(&name).await.expect("asked"), Some(image));
    engine.remove_image(&name, true).await.expect("removed");
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let engine = engine().await;
    let name = unique("nobody");
    for error in [
        engine.inspect(&name).await.map(drop),
        engine.start(&name).await,
        engine.stop(&name, NOW).await,
        engine.kill(&name, "SIGKILL").await,
        engine.remove(&name, true, true).await,
        engine.wait(&name).await.map(drop),
        engine.attach(&name).await.map(drop),
        engine.top(&name).await.map(drop),
        engine.remove_image(&name, false).await,
        engine.inspect("../../images/json?x=").await.map(drop),
        engine
            .create_container(&ContainerSpec {
                image: name.clone(),
                ..ContainerSpec::default()
            })
            .await
            .map(drop),
    ] {
        let error = error.expect_err("not there");
        assert!(error.is_not_found(), "{error:?}");
    }
    assert_eq!(engine.image_id(&name).await.expect("asked"), None);
}

#[tokio::test]
async fn a_taken_name_says_who_has_it() {
    let engine = engine().await;
    let container = TestContainer::create(&engine, "taken", running("true")).await;
    let image = busybox(&engine).await.to_owned();
    let spec = ContainerSpec {
        name: container.name.clone(),
        image,
        ..ContainerSpec::default()
    };
    let error = engine.create_container(&spec).await.expect_err("taken");
    let expected = EngineError::NameTaken {
        name: container.name.clone(),
        holder: container.id[..12].to_owned(),
    };
    assert_eq!(error, expected);
}

#[tokio::test]
async fn a_taken_port_says_who_has_it() {
    let engine = engine().await;
    let address = IpAddr::from([127, 0, 0, 1]);
    let publish = |host| {
        vec![Publish {
            container: 8000,
            address,
            host,
        }]
    };
    let first = TestContainer::create(
        &engine,
        "port",
        ContainerSpec {
            publish: publish(None),
            ..running("sleep 600")
        },
    )
    .await;
    engine.start(&first.id).await.expect("started");
    let port = engine.inspect(&first.id).await.expect("inspected").ports[0].host;
    let second = ContainerSpec {
        publish: publish(Some(port)),
        ..running("sleep 600")
    };
    let second = TestContainer::create(&engine, "port", second).await;
    let error = engine.start(&second.id).await.expect_err("taken");
    let expected = EngineError::PortTaken {
        address: format!("127.0.0.1:{port}"),
        holder: Some(first.name.clone()),
    };
    assert_eq!(error, expected);

    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port of our own");
    let port = listener.local_addr().expect("bound").port();
    let third = ContainerSpec {
        publish: publish(Some(port)),
        ..running("sleep 600")
    };
    let third = TestContainer::create(&engine, "port", third).await;
    let error = engine.start(&third.id).await.expect_err("taken");
    assert_eq!(
        error,
        EngineError::PortTaken {
            address: format!("127.0.0.1:{port}"),
            holder: None
        }
    );
}

#[tokio::test]
async fn a_command_that_does_not_exist_is_said_plainly() {
    let engine = engine().await;
    let spec = ContainerSpec {
        cmd: vec!["no-such-program".to_owned()],
        ..ContainerSpec::default()
    };
    let container = TestContainer::create(&engine, "nope", spec).await;
    let error = engine.start(&container.id).await.expect_err("cannot start");
    assert!(
        matches!(&error, EngineError::CommandNotStartable(reason) if reason.contains("no-such-program")),
        "{error:?}"
    );
    let state = engine.inspect(&container.id).await.expect("inspected");
    assert_eq!(state.exit_code, Some(127));
    assert!(
        state
            .error
            .is_some_and(|error| error.contains("no-such-program"))
    );
}

#[tokio::test]
async fn a_network_is_made_once() {
    let engine = engine().await;
    let name = unique("net");
    let id = engine.ensure_network(&name).await.expect("made");
    assert_eq!(
        engine.ensure_network(&name).await.expect("there already"),
        id
    );
    let spec = ContainerSpec {
        network: Network::Named(name.clone()),
        aliases: vec!["web".to_owned()],
        ..running("sleep 600")
    };
    let container = TestContainer::create(&engine, "net", spec).await;
    engine.start(&container.id).await.expect("started");
    let state = engine.inspect(&container.id).await.expect("inspected");
    assert!(state.networks.contains_key(&name), "{:?}", state.networks);
    engine
        .remove(&container.id, true, true)
        .await
        .expect("removed");
    engine.remove_network(&name).await.expect("removed");
}

#[tokio::test]
async fn limits_change_while_the_container_goes_on_and_change_back() {
    let engine = engine().await;
    let mut spec = running("sleep 60");
    spec.memory = Some(64 << 20);
    spec.millicpus = Some(500);
    let container = TestContainer::create(&engine, "limits", spec).await;
    engine.start(&container.id).await.unwrap();
    let limits = async || {
        let state = engine.inspect(&container.id).await.unwrap();
        assert!(state.is_running());
        (
            state.memory_limit,
            state.memory_and_swap,
            state.processor_limit,
        )
    };
    let before = limits().await;
    assert_eq!(before, (Some(64 << 20), Some(64 << 20), Some(500_000_000)));
    engine
        .limit_memory(&container.id, 128 << 20, 128 << 20)
        .await
        .unwrap();
    engine
        .limit_processors(&container.id, 750_000_000)
        .await
        .unwrap();
    assert_eq!(
        limits().await,
        (Some(128 << 20), Some(128 << 20), Some(750_000_000))
    );
    engine
        .limit_memory(&container.id, 64 << 20, 64 << 20)
        .await
        .unwrap();
    engine
        .limit_processors(&container.id, 500_000_000)
        .await
        .unwrap();
    assert_eq!(limits().await, before);
}
