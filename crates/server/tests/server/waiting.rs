//! Messages for whoever is away, inboxes, and people who sit in.

use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};

use crate::messages::{Companion, knowing, whole};
use crate::world::{World, read};

#[tokio::test]
async fn messages_wait_for_whoever_is_away_and_arrive_in_order() {
    let port = Companion::saying("x").await.leave().await;
    let world = knowing(&[("west-ci", port)]).await;
    world
        .say("west-ci", json!({ "content": "now" }))
        .await
        .problem(503);
    for content in ["one", "two", "three"] {
        let message = json!({ "content": content, "later": true, "terminal": "desk" });
        let delivery = world.say("west-ci", message).await;
        assert_eq!(delivery.status, 202);
        assert_eq!(delivery.body["state"], "waiting");
    }
    let waiting = world.get("/api/v1/messages?state=waiting").await;
    assert_eq!(waiting["items"].as_array().unwrap().len(), 3);

    let heard = Arc::new(std::sync::Mutex::new(Vec::new()));
    let hears = Arc::clone(&heard);
    let _back = Companion::at(port, move |message: Value| {
        if message["message"].is_string() {
            hears.lock().unwrap().push(message["message"].clone());
        }
        let said = format!("heard {}", message["message"].as_str().unwrap_or_default());
        async move { whole(&json!({ "response": said })) }
    })
    .await;
    // What waits is there after an end, too, and is looked after first.
    let world = World::over(world.end().await).await;
    world
        .until("/api/v1/messages", |list| {
            list["items"].as_array().unwrap().is_empty()
        })
        .await;
    assert_eq!(*heard.lock().unwrap(), ["one", "two", "three"]);
    // The answers are where they were asked for.
    let inbox = world
        .until("/api/v1/inboxes/desk", |inbox| inbox["messages"] == 3)
        .await;
    assert_eq!(
        world.get("/api/v1/exchanges?outcome=waiting").await["items"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
    world
        .until("/api/v1/exchanges?outcome=answered", |page| {
            page["items"].as_array().unwrap().len() == 3
        })
        .await;
    assert_eq!(inbox["items"][2]["content"], "heard three");
    assert_eq!(inbox["items"][2]["from"], "west-ci");
    world.end().await;
}

#[tokio::test]
async fn what_is_refused_is_given_up_with_its_reason_and_can_be_tried_again() {
    let port = Companion::saying("x").await.leave().await;
    let world = knowing(&[("west-ci", port)]).await;
    let message = json!({ "content": "x", "later": true });
    world.say("west-ci", message).await.success();
    let refusing = Companion::at(port, |_| async { whole(&json!({ "error": "not today" })) }).await;
    let world = World::over(world.end().await).await;
    let dead = world
        .until("/api/v1/messages?state=dead", |list| {
            !list["items"].as_array().unwrap().is_empty()
        })
        .await;
    assert_eq!(dead["items"][0]["reason"], "not today");
    let id = dead["items"][0]["id"].as_str().unwrap().to_owned();

    refusing.leave().await;
    let _back = Companion::at(port, |_| async { whole(&json!({ "response": "well" })) }).await;
    let retry = format!("/api/v1/messages/{id}/retry");
    assert_eq!(
        world.post(&retry, json!({})).await.success()["state"],
        "waiting"
    );
    world
        .until("/api/v1/messages", |list| {
            list["items"].as_array().unwrap().is_empty()
        })
        .await;
    world.post(&retry, json!({})).await.problem(404);
    world
        .delete(&format!("/api/v1/messages/{id}"))
        .await
        .problem(404);
    world.end().await;
}

#[tokio::test]
async fn only_so_much_waits_for_one() {
    let port = Companion::saying("x").await.leave().await;
    let world = knowing(&[("west-ci", port)]).await;
    let message = json!({ "content": "x".repeat(30 << 10), "later": true });
    let mut kept = 0;
    let problem = loop {
        let answer = world.say("west-ci", message.clone()).await;
        if !answer.status.is_success() {
            break answer.problem(507);
        }
        kept += 1;
        assert!(kept < 100);
    };
    assert_eq!(kept, (1 << 20) / (30 << 10));
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .contains("too much waits")
    );
    let waiting = world.get("/api/v1/messages").await;
    let id = waiting["items"][0]["id"].as_str().unwrap().to_owned();
    world
        .delete(&format!("/api/v1/messages/{id}"))
        .await
        .success();
    world.say("west-ci", message).await.success();
    world.end().await;
}

#[tokio::test]
async fn a_terminal_keeps_its_messages_until_they_are_read() {
    let world = World::new().await;
    assert_eq!(world.get("/api/v1/forwards").await["items"], json!([]));
    read(world.request(Method::PUT, "/api/v1/terminals/Desk"))
        .await
        .success();
    let delivery = world
        .say("desk", json!({ "content": "hello", "terminal": "sofa" }))
        .await;
    assert_eq!(
        (delivery.status.as_u16(), &delivery.body["state"]),
        (202, &json!("kept"))
    );
    world
        .say("DESK", json!({ "content": "again" }))
        .await
        .success();

    let world = World::over(world.end().await).await;
    let inbox = world.get("/api/v1/inboxes/desk").await;
    assert_eq!(
        (&inbox["unread"], &inbox["messages"]),
        (&json!(2), &json!(2))
    );
    assert_eq!(inbox["items"][0]["from"], "sofa");
    assert_eq!(inbox["items"][1]["from"], "owner");
    let first = json!({ "up_to": inbox["items"][0]["id"] });
    let inbox = world
        .post("/api/v1/inboxes/desk/read", first)
        .await
        .success();
    assert_eq!(inbox["unread"], 1);
    world
        .post("/api/v1/inboxes/desk/read", json!({ "up_to": "x" }))
        .await
        .problem(404);
    assert_eq!(
        world.delete("/api/v1/inboxes/desk").await.success()["removed"],
        1
    );
    assert_eq!(
        world
            .delete("/api/v1/inboxes/desk?unread=true")
            .await
            .success()["removed"],
        1
    );
    read(world.request(Method::GET, "/api/v1/inboxes/nobody"))
        .await
        .problem(404);
    world.delete("/api/v1/terminals/desk").await.success();
    world.delete("/api/v1/terminals/desk").await.problem(404);
    world.end().await;
}

#[tokio::test]
async fn a_person_sits_in_for_a_companion() {
    let companion = Companion::saying("I am the machine").await;
    let world = knowing(&[("west-ci", companion.port)]).await;
    let forward = |companion: &str, terminal: &str| {
        let path = format!("/api/v1/forwards/{companion}");
        world
            .request(Method::PUT, &path)
            .json(&json!({ "terminal": terminal }))
    };
    let added = read(forward("WEST-ci", "desk")).await.success();
    assert_eq!(
        (&added["companion"], &added["terminal"]),
        (&json!("west-ci"), &json!("desk"))
    );
    read(forward("nobody", "desk")).await.problem(404);
    read(forward("desk", "sofa")).await.problem(409);
    read(forward("west-ci", "west-ci")).await.problem(409);

    let delivery = world.say("west-ci", json!({ "content": "help" })).await;
    assert_eq!(
        (delivery.status.as_u16(), &delivery.body["state"]),
        (202, &json!("forwarded"))
    );
    assert!(delivery.body["sentence"].as_str().unwrap().contains("desk"));
    let inbox = world.get("/api/v1/inboxes/desk").await;
    assert_eq!(inbox["items"][0]["meant_for"], "west-ci");
    assert_eq!(world.exchange("forwarded").await["way"], "inbox");

    world.delete("/api/v1/forwards/West-CI").await.success();
    world.delete("/api/v1/forwards/west-ci").await.problem(404);
    let reply = world
        .say("west-ci", json!({ "content": "help" }))
        .await
        .success();
    assert_eq!(reply["content"], "I am the machine");
    world.end().await;
}

#[tokio::test]
async fn what_waits_is_brought_as_soon_as_somebody_says_they_are_back() {
    let port = Companion::saying("x").await.leave().await;
    let world = knowing(&[("west-ci", port)]).await;
    world
        .say("west-ci", json!({ "content": "x", "later": true }))
        .await
        .success();
    let _back = Companion::at(port, |_| async { whole(&json!({ "response": "well" })) }).await;
    // Nobody waits for the next look: registering anew is heard.
    let record = json!({
        "name": "west-ci", "type": "external", "port": port, "message_endpoint": "/talk", "ttl": 3600,
        "purpose": "back again",
    });
    world.post("/api/registry/register", record).await.success();
    let empty = |list: &Value| list["items"].as_array().unwrap().is_empty();
    world.until("/api/v1/messages", empty).await;
    world.end().await;
}
