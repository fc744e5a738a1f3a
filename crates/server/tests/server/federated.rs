//! Messages that other stacks pass on: taken once, in bounds, and answered in the form they came in.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use reqwest::Method;
use serde_json::{Value, json};

use crate::messages::{Companion, knowing, own_name, whole};
use crate::people::person;
use crate::world::{Answer, Door, World, read};

const PATH: &str = "/api/federated/message";

async fn pass(world: &Door, body: Value) -> Answer {
    world.post(PATH, body).await
}

#[tokio::test]
async fn a_message_of_another_stack_is_answered_in_its_form() {
    let world = World::new().await;
    let stack = own_name(&world).await;
    let said = json!({
        "id": "letter-1", "from": "numa", "to": stack, "message": "how are you?",
        "path": ["west-coast"], "deadline_ms": 5000, "priority": { "unknown": [1, 2] },
    });
    let reply = pass(&world, said).await.success();
    assert_eq!(
        (&reply["id"], &reply["from"]),
        (&json!("letter-1"), &json!(stack)),
        "{reply:#}"
    );
    assert_eq!(reply["state"], "answered");
    assert!(
        reply["response"].as_str().unwrap().starts_with("I'm "),
        "{reply:#}"
    );
    let here = reply["stack_id"].as_str().unwrap();
    let exchange = world.exchange("answered").await;
    // Nobody far away speaks in the name of somebody here.
    assert_eq!(
        (&exchange["from"], &exchange["principal"]),
        (&json!("owner/numa"), &json!("owner"))
    );
    // Without a name it is for the stack, whichever way that is said.
    for to in [
        json!(null),
        json!(""),
        json!(here),
        json!(format!("{here}/{stack}")),
    ] {
        let reply = pass(&world, json!({ "message": "how are you?", "to": to }))
            .await
            .success();
        assert_eq!(reply["from"], stack.as_str(), "{to}");
    }
    world.end().await;
}

#[tokio::test]
async fn a_message_goes_on_to_another_stack_with_what_is_left_of_its_time() {
    let there = Companion::answering(|message| async move {
        whole(&json!({ "response": message.to_string() }))
    })
    .await;
    let world = World::new().await;
    let record = json!({
        "name": "tekton-europe", "type": "tekton", "port": there.port, "ttl": 3600,
        "message_endpoint": PATH, "message_format": "tekton_federated",
    });
    world.post("/api/registry/register", record).await.success();
    let said = json!({
        "id": "letter-1", "from": "numa", "to": "tekton-europe/athena", "message": "hello",
        "path": ["west-coast"], "deadline_ms": 5000,
    });
    let reply = pass(&world, said).await.success();
    let passed: Value = serde_json::from_str(reply["response"].as_str().unwrap()).unwrap();
    assert_eq!(
        (&passed["id"], &passed["to"]),
        (&json!("letter-1"), &json!("athena")),
        "{passed:#}"
    );
    assert_eq!(passed["path"], json!(["west-coast", reply["stack_id"]]));
    let left = passed["deadline_ms"].as_u64().unwrap();
    assert!((1..=5000).contains(&left), "{left}");
    // Three stacks are as far as one goes: this would be the fourth.
    let far = json!({ "to": "tekton-europe", "message": "hello", "path": ["a", "b", "c"] });
    pass(&world, far).await.problem(502);
    world.end().await;
}

#[tokio::test]
async fn what_comes_twice_is_said_once() {
    let heard = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&heard);
    let near = Companion::answering(move |message| {
        // Its health is looked at, too.
        let said = message["message"].is_string();
        let number = count.fetch_add(usize::from(said), Ordering::Relaxed);
        async move { whole(&json!({ "response": format!("{number}") })) }
    })
    .await;
    let world = knowing(&[("west-ci", near.port), ("east-ci", 9)]).await;
    let said = |id: &str, text: &str| json!({ "id": id, "to": "west-ci", "message": text, "from": "numa" });
    let first = pass(&world, said("k1", "hello")).await.success();
    let mut again = said("k1", "hello");
    again["deadline_ms"] = json!(900);
    again["path"] = json!(["west-coast"]);
    assert_eq!(pass(&world, again).await.success(), first);
    assert_eq!(heard.load(Ordering::Relaxed), 1);
    let other = pass(&world, said("k1", "something else"))
        .await
        .problem(422);
    assert!(other["remedy"].is_string(), "{other:#}");
    let in_header = world
        .request(Method::POST, PATH)
        .header("idempotency-key", "k1");
    let in_header = in_header.json(&json!({ "to": "west-ci", "message": "hello", "from": "numa" }));
    assert_eq!(read(in_header).await.success(), first);
    let two = world
        .request(Method::POST, PATH)
        .header("idempotency-key", "k2");
    read(two.json(&said("k1", "hello"))).await.problem(400);
    // Somebody else's key is another one.
    let ada = person(&world, "ada", &["developer"]).await;
    pass(&ada, said("k1", "hello")).await.success();
    assert_eq!(heard.load(Ordering::Relaxed), 2);
    // Who was away may be there the next time.
    let away = json!({ "id": "k3", "to": "east-ci", "message": "hello" });
    pass(&world, away.clone()).await.problem(503);
    pass(&world, away).await.problem(503);
    world.end().await;
}

#[tokio::test]
async fn what_took_too_long_is_not_said_again() {
    let heard = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&heard);
    let slow = Companion::answering(move |message| {
        count.fetch_add(
            usize::from(message["message"].is_string()),
            Ordering::Relaxed,
        );
        std::future::pending()
    })
    .await;
    let world = knowing(&[("slow-ci", slow.port)]).await;
    let said = json!({ "id": "k1", "to": "slow-ci", "message": "hello", "deadline_ms": 300 });
    for _ in 0..2 {
        pass(&world, said.clone()).await.problem(504);
    }
    assert_eq!(heard.load(Ordering::Relaxed), 1);
    world.end().await;
}

#[tokio::test]
async fn what_went_in_a_circle_or_too_far_is_refused() {
    let world = World::new().await;
    let here = pass(&world, json!({ "message": "x" })).await.success()["stack_id"].clone();
    for path in [
        json!([here]),
        json!(["a", here, "b"]),
        json!(["a", "b", "c", "d"]),
    ] {
        let said = json!({ "message": "x", "path": path });
        pass(&world, said).await.problem(508);
    }
    let said = json!({ "message": "x", "path": ["a", "b", "c"] });
    pass(&world, said).await.success();
    world.end().await;
}

#[tokio::test]
async fn what_is_no_message_of_a_stack_is_refused() {
    let world = World::new().await;
    for (body, status) in [
        (json!({}), 422),
        (json!([]), 422),
        (json!("hello"), 422),
        (json!({ "message": 7 }), 422),
        (json!({ "message": "x", "to": 7 }), 422),
        (json!({ "message": "x", "from": [] }), 422),
        (json!({ "message": "x", "path": "a" }), 422),
        (json!({ "message": "x", "path": [1] }), 422),
        (json!({ "message": "x", "deadline_ms": -1 }), 422),
        (json!({ "message": "x", "deadline_ms": "soon" }), 422),
        (json!({ "message": "x", "deadline_ms": 0 }), 504),
        (json!({ "message": " " }), 400),
        (json!({ "message": "x".repeat(33 << 10) }), 413),
        (json!({ "message": "x", "from": "a\nb" }), 400),
        (json!({ "message": "x", "from": "x".repeat(201) }), 400),
        (json!({ "message": "x", "path": [""] }), 400),
        (json!({ "message": "x", "path": ["x".repeat(201)] }), 400),
        (json!({ "message": "x", "id": "a b" }), 400),
        (json!({ "message": "x", "id": "" }), 400),
        (json!({ "message": "x", "to": "nobody" }), 404),
        (json!({ "message": "x", "to": "../../etc" }), 404),
    ] {
        let shown: String = body.to_string().chars().take(80).collect();
        let answer = pass(&world, body).await;
        assert_eq!(answer.status, status, "{shown}: {:#}", answer.body);
        answer.problem(status);
    }
    let post = || {
        world
            .request(Method::POST, PATH)
            .header("content-type", "application/json")
    };
    let deep = "[".repeat(5000) + &"]".repeat(5000);
    let with = |field: &str| format!("{{\"message\":\"x\",\"{field}\":{deep}}}");
    // What is not known is let be, however it looks, and is kept nowhere.
    read(post().body(with("more"))).await.success();
    for field in ["path", "to", "id", "deadline_ms"] {
        read(post().body(with(field))).await.problem(422);
    }
    for body in [
        b"{".to_vec(),
        b"{\"message\":\"\xff\xfe\"}".to_vec(),
        b"\xff\xfe{\x00\"\x00".to_vec(),
        b"\x1f\x8b\x08\x00".to_vec(),
    ] {
        read(post().body(body)).await.problem(400);
    }
    read(post().body(vec![b' '; 2 << 20])).await.problem(413);
    let text = world
        .request(Method::POST, PATH)
        .header("content-type", "text/plain");
    read(text.body("{\"message\":\"x\"}")).await.problem(415);
    world.end().await;
}

#[tokio::test]
async fn only_who_may_pass_messages_on_and_only_to_whom_they_may_speak() {
    let world = World::new().await;
    let said = json!({ "message": "how are you?" });
    read(world.anonymous(Method::POST, PATH).json(&said))
        .await
        .problem(401);
    let viewer = person(&world, "vera", &["viewer"]).await;
    pass(&viewer, said.clone()).await.problem(403);
    let developer = person(&world, "ada", &["developer"]).await;
    pass(&developer, said.clone()).await.success();
    let name = own_name(&world).await;
    let text = format!(
        "forbid (principal, action == Ergon::Action::\"SendMessage\", resource == Ergon::Companion::\"{name}\");"
    );
    let policy = world.request(Method::PUT, "/api/v1/policies/quiet");
    read(policy.json(&json!({ "text": text }))).await.success();
    pass(&developer, said).await.problem(403);
    world.end().await;
}
