//! The directory over HTTP: who comes, who is there, who goes.

use std::net::TcpListener;

use ergon_hermes_client::{Registration, Stack, Standing};
use futures_util::StreamExt;
use reqwest::{Method, header};
use serde_json::{Value, json};

use crate::events::read_events;
use crate::world::{Answer, Door, PATIENCE, World, read};

/// As the seeds' stacks write themselves.
fn stack() -> Value {
    json!({
        "name": "tekton-west-coast", "type": "tekton", "host": "tekton-west.company.com", "port": 443, "protocol": "https",
        "stack_id": "uuid",
        "mcp_endpoints": { "resources": "/mcp/resources", "tools": "/mcp/tools", "prompts": "/mcp/prompts" },
        "message_endpoint": "/api/federated/message", "message_format": "tekton_federated",
        "headers": { "X-Tekton-Stack": "west-coast", "Authorization": "Bearer shared-secret" },
        "capabilities": { "version": "1.0", "ci_count": 17, "specialties": ["nlp", "vision", "robotics"] }
    })
}

fn listen() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}

/// Somebody of this machine, who answers on this port.
fn numa(listener: &TcpListener) -> Value {
    let port = listener.local_addr().unwrap().port();
    json!({
        "name": "numa", "type": "external", "port": port, "message_endpoint": "/chat", "message_format": "json_simple",
        "capabilities": ["chat", "memory"], "purpose": "remembers things"
    })
}

async fn register(door: &Door, registration: Value) -> Answer {
    door.post("/api/registry/register", registration).await
}

fn names(list: &Value) -> Vec<&str> {
    let items = list["items"].as_array().unwrap().iter();
    items.map(|item| item["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_stack_registers_as_it_writes_itself_and_its_secrets_are_never_shown() {
    let world = World::new().await;
    let answer = register(&world, stack()).await;
    assert_eq!(answer.status, 201);
    let registered = answer.success();
    assert_eq!(
        registered["address"],
        "https://tekton-west.company.com:443/api/federated/message"
    );
    assert_eq!(
        (&registered["ttl"], &registered["heartbeat_every"]),
        (&json!(60), &json!(20.0))
    );
    assert_eq!(registered["lease"].as_str().unwrap().len(), 32);
    assert_eq!(
        registered["specialties"],
        json!(["nlp", "vision", "robotics"])
    );
    assert_eq!(registered["registered_by"], "owner");
    let again = register(&world, stack()).await;
    assert_eq!(again.status, 200);
    assert_eq!(again.body["lease"], registered["lease"]);
    let mut everything = String::new();
    for path in [
        "/api/registry",
        "/api/v1/companions",
        "/api/registry/TEKTON-west-coast",
        "/api/v1/events",
    ] {
        everything.push_str(&world.get(path).await.to_string());
    }
    everything.push_str(&registered.to_string());
    assert!(everything.contains("tekton-west-coast"));
    for secret in ["shared-secret", "X-Tekton-Stack"] {
        assert!(!everything.contains(secret), "{secret} is shown");
    }
    world.end().await;
}

#[tokio::test]
async fn those_who_are_wanted_are_found() {
    let (world, listener) = (World::new().await, listen());
    register(&world, stack()).await.success();
    register(&world, numa(&listener)).await.success();
    for (query, wanted) in [
        ("type=external", vec!["numa"]),
        ("type=external&capability=CHAT", vec!["numa"]),
        ("capability=ci_count", vec!["tekton-west-coast"]),
        ("specialty=Vision", vec!["tekton-west-coast"]),
        ("q=REMEMBERS", vec!["numa"]),
        ("q=west.company", vec!["tekton-west-coast"]),
        ("health=stale", vec![]),
        ("q=nobody%20says%20this", vec![]),
    ] {
        let found = world.get(&format!("/api/registry?{query}")).await;
        assert_eq!(names(&found), wanted, "{query}");
    }
    let everybody = world.get("/api/registry").await;
    let companions = world.get("/api/v1/companions").await;
    assert_eq!(names(&everybody), names(&companions));
    let numa = world.get("/api/registry?health=up&type=external").await;
    assert_eq!(names(&numa), ["numa"]);
    let stacks = world.get("/api/registry?type=stack").await;
    assert_eq!(names(&stacks).len(), 2, "this stack is one, too");
    let ask = |query| read(world.request(Method::GET, query));
    let problem = ask("/api/registry?type=robot").await.problem(400);
    assert!(
        problem["remedy"].as_str().unwrap().contains("external"),
        "{problem}"
    );
    ask("/api/registry?health=fine").await.problem(400);
    let problem = ask("/api/registry/nobody").await.problem(404);
    assert!(
        problem["remedy"].as_str().unwrap().contains("numa"),
        "{problem}"
    );
    world.end().await;
}

#[tokio::test]
async fn a_name_that_is_taken_says_by_whom() {
    let (world, listener) = (World::new().await, listen());
    register(&world, numa(&listener)).await.success();
    let mut other = numa(&listener);
    other["type"] = json!("tool");
    let problem = register(&world, other).await.problem(409);
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("/chat since 20"), "{detail}");
    assert!(detail.contains("s left"), "{detail}");
    // This stack's own is nobody else's to have or to send away.
    let own = world.get("/api/registry?type=tekton").await;
    let own = names(&own)[0].to_owned();
    let mut pretender = stack();
    pretender["name"] = json!(own);
    register(&world, pretender).await.problem(409);
    world
        .delete(&format!("/api/registry/{own}"))
        .await
        .problem(409);
    let path = format!("/api/registry/{own}/heartbeat");
    world.post(&path, json!({})).await.problem(409);
    world.end().await;
}

#[tokio::test]
async fn who_is_there_says_so_and_who_leaves_is_gone() {
    let (world, listener) = (World::new().await, listen());
    let lease = register(&world, numa(&listener)).await.success()["lease"].clone();
    let beat = || world.request(Method::POST, "/api/registry/Numa/heartbeat");
    let before = cursor(&world).await;
    let answer = read(beat()).await.success();
    assert_eq!(
        (&answer["ttl"], &answer["heartbeat_every"]),
        (&json!(60), &json!(20.0))
    );
    read(beat().json(&json!({ "lease": lease })))
        .await
        .success();
    read(beat().json(&json!({ "lease": "0".repeat(32) })))
        .await
        .problem(409);
    read(beat().json(&json!({ "lease": 1 }))).await.problem(422);
    read(beat().body("x")).await.problem(415);
    assert_eq!(cursor(&world).await, before, "a heartbeat is no event");
    assert_eq!(world.delete("/api/registry/NUMA").await.status, 204);
    world.delete("/api/registry/numa").await.problem(404);
    let problem = read(beat()).await.problem(404);
    assert!(
        problem["remedy"].as_str().unwrap().contains("register"),
        "{problem}"
    );
    world.end().await;
}

async fn cursor(world: &World) -> i64 {
    let events = world.get("/api/v1/events").await;
    let newest = events["items"][0]["id"].as_str().unwrap();
    newest.parse().unwrap()
}

#[tokio::test]
async fn the_watch_goes_on_where_it_broke_off() {
    let (world, listener) = (World::new().await, listen());
    let live = world.stream("/api/registry/watch", None).await;
    // What is not about the directory is not in it.
    world.project(&world.folder("one", &[])).await;
    register(&world, numa(&listener)).await.success();
    world.delete("/api/registry/numa").await;
    let seen = read_events(live, "change", 3).await;
    let kinds: Vec<_> = seen
        .iter()
        .map(|(_, event)| event["type"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        [
            "dev.ergon.companion.registered",
            "dev.ergon.companion.registered",
            "dev.ergon.companion.left"
        ]
    );
    let address = seen[1].1["data"]["address"].as_str().unwrap();
    assert!(address.ends_with("/chat"), "{address}");
    let resumed = world.stream("/api/registry/watch", Some(&seen[0].0)).await;
    assert_eq!(read_events(resumed, "change", 2).await, seen[1..]);
    let path = format!("/api/registry/watch?after={}", seen[1].0);
    let resumed = world.stream(&path, None).await;
    assert_eq!(read_events(resumed, "change", 1).await, seen[2..]);
    read(world.request(Method::GET, "/api/registry/watch?after=x"))
        .await
        .problem(400);
    world.end().await;
}

#[tokio::test]
async fn a_lease_that_ends_is_told() {
    let (world, listener) = (World::new().await, listen());
    let live = world.stream("/api/registry/watch", None).await;
    let mut short = numa(&listener);
    short["ttl"] = json!(1);
    register(&world, short).await.success();
    let mut text = String::new();
    let mut stream = live.bytes_stream();
    while !text.contains("dev.ergon.companion.expired") {
        let chunk = tokio::time::timeout(PATIENCE, stream.next()).await;
        text.push_str(std::str::from_utf8(&chunk.unwrap().unwrap().unwrap()).unwrap());
    }
    read(world.request(Method::GET, "/api/registry/numa"))
        .await
        .problem(404);
    world.end().await;
}

#[tokio::test]
async fn what_cannot_be_registered_is_refused_and_nothing_breaks() {
    let (world, listener) = (World::new().await, listen());
    let post = || world.request(Method::POST, "/api/registry/register");
    let raw = |body: Vec<u8>| {
        post()
            .header(header::CONTENT_TYPE, "application/json")
            .body(body)
    };
    for (body, status) in [
        (b"{".to_vec(), 400),
        (b"[]".to_vec(), 422),
        (b"\xff\xfe\"name\"".to_vec(), 400),
        (b"{\"name\":\"\xff\",\"type\":\"external\"}".to_vec(), 400),
        ("[".repeat(100_000).into_bytes(), 422),
        (
            format!("{{\"name\":\"{}\"}}", "x".repeat(2 << 20)).into_bytes(),
            413,
        ),
    ] {
        let sample = String::from_utf8_lossy(&body[..body.len().min(20)]).into_owned();
        let answer = read(raw(body)).await;
        assert_eq!(answer.status, status, "{sample} {:#}", answer.body);
        answer.problem(status);
    }
    read(post().body("name=numa")).await.problem(415);
    for (change, status) in [
        (json!({ "name": "../x" }), 400),
        (json!({ "name": "team-chat" }), 400),
        (json!({ "name": 7 }), 422),
        (json!({ "port": 70_000 }), 422),
        (json!({ "port": 0 }), 400),
        (json!({ "host": "a:b@c" }), 400),
        (json!({ "ttl": 0 }), 400),
        (json!({ "headers": { "X": "a\r\nb" } }), 400),
        (json!({ "capabilities": vec!["x".repeat(1000); 60] }), 413),
        (json!({ "protocol": "ftp" }), 422),
    ] {
        let mut registration = numa(&listener);
        for (key, value) in change.as_object().unwrap() {
            registration[key] = value.clone();
        }
        let problem = register(&world, registration).await.problem(status);
        assert!(problem["remedy"].is_string(), "{problem}");
    }
    register(&world, numa(&listener)).await.success();
    world.end().await;
}

#[tokio::test]
async fn nobody_registers_without_a_token() {
    let (world, listener) = (World::new().await, listen());
    let post = world.anonymous(Method::POST, "/api/registry/register");
    read(post.json(&numa(&listener))).await.problem(401);
    for (method, path) in [
        (Method::GET, "/api/registry"),
        (Method::GET, "/api/registry/watch"),
        (Method::GET, "/api/registry/numa"),
        (Method::DELETE, "/api/registry/numa"),
        (Method::POST, "/api/registry/numa/heartbeat"),
    ] {
        read(world.anonymous(method, path)).await.problem(401);
    }
    world.end().await;
}

#[tokio::test]
async fn what_was_registered_is_there_after_the_stack_was_started_again() {
    let (world, listener) = (World::new().await, listen());
    let lease = register(&world, numa(&listener)).await.success()["lease"].clone();
    let world = World::over(world.end().await).await;
    let found = world.get("/api/registry/numa").await;
    assert_eq!(found["health"], "up");
    let mut moved = numa(&listener);
    moved["port"] = json!(10);
    moved["lease"] = lease.clone();
    assert_eq!(register(&world, moved).await.success()["lease"], lease);
    world.end().await;
}

/// Reads a stream until it has told of this so often.
async fn told(
    stream: &mut (impl futures_util::Stream<Item = reqwest::Result<axum::body::Bytes>> + Unpin),
    what: &str,
    times: usize,
) {
    let mut text = String::new();
    while text.matches(what).count() < times {
        let chunk = tokio::time::timeout(PATIENCE, stream.next()).await;
        text.push_str(std::str::from_utf8(&chunk.unwrap().unwrap().unwrap()).unwrap());
    }
}

#[tokio::test]
async fn a_program_with_the_client_stays_there_by_itself_and_leaves_with_its_presence() {
    let world = World::new().await;
    let mut live = world
        .stream("/api/registry/watch", None)
        .await
        .bytes_stream();
    let listener = listen();
    let registration = Registration::new("numa", "external")
        .port(listener.local_addr().unwrap().port())
        .ttl(1);
    let presence = Stack::at(&world.url, &world.token).unwrap();
    let presence = presence.register(registration).await.unwrap();
    // Somebody else sends it away; its next heartbeat brings it back.
    world.delete("/api/registry/numa").await;
    told(&mut live, "companion.registered", 2).await;
    presence.leave().await.unwrap();
    read(world.request(Method::GET, "/api/registry/numa"))
        .await
        .problem(404);
    let stack = Stack::at(&world.url, &world.token).unwrap();
    let presence = stack
        .register(Registration::new("numa", "terminal"))
        .await
        .unwrap();
    drop(presence);
    told(&mut live, "companion.left", 2).await;
    let refused = Stack::at(&world.url, &world.token).unwrap();
    let refused = refused.register(Registration::new("a/b", "external")).await;
    assert!(
        refused
            .unwrap_err()
            .to_string()
            .contains("cannot be a name")
    );
    world.end().await;
}

#[tokio::test]
async fn a_program_with_the_client_outlives_its_stack() {
    let world = World::new().await;
    let stack = Stack::of_folder(&world.data());
    let registration = Registration::new("numa", "terminal").ttl(1);
    let presence = stack.register(registration).await.unwrap();
    let mut standing = presence.standing();
    let folder = world.end().await;
    let away = standing.wait_for(|standing| matches!(standing, Standing::Away(_)));
    tokio::time::timeout(PATIENCE, away).await.unwrap().unwrap();
    let world = World::over(folder).await;
    let there = standing.wait_for(|standing| matches!(standing, Standing::There { .. }));
    tokio::time::timeout(PATIENCE, there)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(world.get("/api/registry/numa").await["type"], "terminal");
    presence.leave().await.unwrap();
    world.end().await;
}
