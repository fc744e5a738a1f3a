//! Proposals come when there is a need, go when it is over, and come again with it.

use ergon_engine::testing::{self, TestContainer, shell};
use ergon_engine::{ContainerSpec, Engine, RestartPolicy, Status};
use serde_json::{Value, json};

use crate::world::World;

/// A container with a companion.
async fn watched(world: &World, engine: &Engine, spec: ContainerSpec) -> TestContainer {
    let container = TestContainer::create(engine, "need", spec).await;
    let suffix = &container.name[container.name.len() - 12..];
    let launch = json!({ "container": container.name, "name": format!("need-{suffix}-ci") });
    let launched = world.post("/api/v1/companions/launch", launch).await;
    launched.success();
    engine.start(&container.id).await.unwrap();
    container
}

/// The proposals about a finding of the container, the newest first.
fn about(list: &Value, container: &TestContainer, finding: &str) -> Vec<Value> {
    let is_about = |item: &&Value| {
        let mut why = item["why"].as_array().unwrap().iter();
        item["container"] == json!(container.name) && why.any(|reason| reason["finding"] == finding)
    };
    let items = list["items"].as_array().unwrap().iter();
    items.filter(is_about).cloned().collect()
}

/// Waits until the newest of them is in that state.
async fn newest(world: &World, container: &TestContainer, finding: &str, state: &str) -> Value {
    let is_so = |list: &Value| {
        let found = about(list, container, finding);
        found.first().is_some_and(|first| first["state"] == state)
    };
    let all = world.until("/api/v1/proposals?all=true", is_so).await;
    about(&all, container, finding).remove(0)
}

#[tokio::test]
async fn what_is_not_found_any_more_is_withdrawn_and_proposed_anew_when_it_is() {
    let (world, engine) = (World::new().await, testing::engine().await);
    // What lies in shared memory is memory in use.
    let script = "trap 'dd if=/dev/zero of=/dev/shm/x bs=1M count=60 2>/dev/null' USR1; trap 'rm /dev/shm/x' USR2; \
                  trap 'exit 0' TERM; while true; do sleep 1 & wait; done";
    let spec = ContainerSpec {
        cmd: shell(script),
        memory: Some(64 << 20),
        ..ContainerSpec::default()
    };
    let container = watched(&world, &engine, spec).await;
    let path = format!("/api/v1/containers/{}", container.name);
    world.until(&path, |seen| seen["state"] == "running").await;
    let finding = "memory.near_limit";

    engine.kill(&container.id, "SIGUSR1").await.unwrap();
    let first = newest(&world, &container, finding, "open").await;
    assert_eq!(first["action"], "limit-memory", "{first:#}");
    engine.kill(&container.id, "SIGUSR2").await.unwrap();
    let gone = newest(&world, &container, finding, "withdrawn").await;
    assert_eq!(gone["code"], first["code"]);
    let outcome = gone["outcome"].as_str().unwrap();
    assert!(
        outcome.contains("nothing is found of memory.near_limit any more"),
        "{outcome}"
    );

    engine.kill(&container.id, "SIGUSR1").await.unwrap();
    let second = newest(&world, &container, finding, "open").await;
    assert_ne!(second["code"], first["code"]);
    world.end().await;
}

#[tokio::test]
async fn a_loop_that_was_ended_and_begins_again_is_proposed_to_be_ended_again() {
    let (world, engine) = (World::new().await, testing::engine().await);
    let spec = ContainerSpec {
        cmd: shell("sleep 0.2; exit 3"),
        restart: RestartPolicy::Always,
        ..ContainerSpec::default()
    };
    let container = watched(&world, &engine, spec).await;
    // At first the runbook proposes it; when that is used up, the companion does, and has to a second time.
    let mut proposed = Vec::new();
    for origin in ["runbook:restart-loop", "companion", "companion"] {
        let open = newest(&world, &container, "restart.loop", "open").await;
        let stop = json!({ "action": "stop", "origin": origin });
        assert_eq!(
            json!({ "action": open["action"], "origin": open["origin"] }),
            stop
        );
        let code = open["code"].as_str().unwrap().to_owned();
        assert!(!proposed.contains(&code), "{code} of {proposed:?}");
        let path = format!("/api/v1/proposals/{code}/approve");
        let done = world.post(&path, json!({ "digest": open["digest"] })).await;
        assert_eq!(done.success()["state"], "done");
        let state = engine.inspect(&container.id).await.unwrap();
        assert_eq!(state.status, Status::Exited);
        proposed.push(code);
        engine.start(&container.id).await.unwrap();
    }
    world.end().await;
}

#[tokio::test]
async fn what_is_wasteful_is_told_and_proposed_only_to_those_who_ask() {
    let (world, engine) = (World::new().await, testing::engine().await);
    let serve = "trap 'exit 0' TERM; while true; do sleep 1 & wait; done";
    let spec = ContainerSpec {
        cmd: shell(serve),
        env: [("LOG_LEVEL".to_owned(), "debug".to_owned())].into(),
        ..ContainerSpec::default()
    };
    let container = watched(&world, &engine, spec).await;
    let path = format!("/api/v1/containers/{}", container.name);
    let seen = world.until(&path, |seen| seen["state"] == "running").await;
    assert_eq!(seen["findings"], json!([]), "{seen:#}");
    let suffix = &container.name[container.name.len() - 12..];
    let path = format!("/api/v1/companions/need-{suffix}-ci/message");
    let ask = async |content: &str| {
        world
            .post(&path, json!({ "content": content }))
            .await
            .success()
    };
    let reply = ask("optimize").await;
    let found: Vec<&str> = reply["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["id"].as_str().unwrap())
        .collect();
    assert_eq!(found, ["memory.unlimited", "log.debug"], "{reply:#}");
    let content = reply["content"].as_str().unwrap();
    assert!(
        content.contains("too early to say whether my memory limit fits"),
        "{content}"
    );
    assert_eq!(ask("status").await["findings"], json!([]));
    let all = world.get("/api/v1/proposals?all=true").await;
    assert_eq!(
        about(&all, &container, "memory.unlimited"),
        [] as [Value; 0]
    );
    world.end().await;
}
