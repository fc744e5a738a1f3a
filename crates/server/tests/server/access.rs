//! Robots, how repositories are kept, and names of this machine: the API of it.

use reqwest::{Method, header};
use serde_json::{Value, json};

use crate::world::{Answer, World, read};

async fn add(world: &World, robot: Value) -> Answer {
    world.post("/api/v1/robots", robot).await
}

#[tokio::test]
async fn a_robots_secret_is_shown_once_and_nowhere_else() {
    let world = World::new().await;
    let wanted =
        json!({ "name": "ci", "about": "builds", "allow": ["team/*:pull,push"], "days": 30 });
    let added = add(&world, wanted).await;
    assert_eq!(added.status, 201);
    let secret = added.body["secret"].as_str().unwrap().to_owned();
    assert_eq!(secret.len(), 43);
    let shown = world.get("/api/v1/robots/ci").await;
    assert_eq!(
        (&shown["about"], &shown["allow"], &shown["expired"]),
        (
            &json!("builds"),
            &json!(["team/*:pull,push"]),
            &json!(false)
        )
    );
    assert!(shown["expires_at"].is_string());
    let list = world.get("/api/v1/robots").await;
    assert_eq!(list["items"], json!([shown]));
    let events = world.get("/api/v1/events").await;
    for seen in [shown, list, events] {
        assert!(!seen.to_string().contains(&secret), "{seen:#}");
    }
    let rotated = world.post("/api/v1/robots/ci/secret", json!({})).await;
    assert_ne!(rotated.success()["secret"], secret.as_str());
    assert_eq!(world.delete("/api/v1/robots/ci").await.status, 204);
    for request in [
        world.request(Method::GET, "/api/v1/robots/ci"),
        world.request(Method::POST, "/api/v1/robots/ci/secret"),
        world.request(Method::DELETE, "/api/v1/robots/ci"),
    ] {
        read(request).await.problem(404);
    }
    world.end().await;
}

#[tokio::test]
async fn a_robot_that_cannot_be_is_refused_with_why() {
    let world = World::new().await;
    add(&world, json!({ "name": "ci", "allow": ["a:pull"] }))
        .await
        .success();
    for (robot, status) in [
        (json!({ "name": "ci", "allow": ["a:pull"] }), 409),
        (json!({ "name": "ergon", "allow": ["a:pull"] }), 400),
        (json!({ "name": "CI", "allow": ["a:pull"] }), 400),
        (json!({ "name": "x", "allow": [] }), 400),
        (json!({ "name": "x", "allow": ["a:fly"] }), 400),
        (json!({ "name": "x", "allow": ["a"] }), 400),
        (json!({ "name": "x", "allow": ["A:pull"] }), 400),
        (json!({ "name": "x", "allow": ["a:pull"], "days": 0 }), 400),
    ] {
        let name = robot.to_string();
        let problem = add(&world, robot).await.problem(status);
        assert!(problem["detail"].as_str().unwrap().len() > 20, "{name}");
    }
    world.end().await;
}

#[tokio::test]
async fn a_robots_secret_opens_nothing_but_the_registry() {
    let world = World::new().await;
    let added = add(&world, json!({ "name": "ci", "allow": ["*:*"] })).await;
    let secret = added.success()["secret"].as_str().unwrap().to_owned();
    let as_bearer = world.anonymous(Method::GET, "/api/v1/robots");
    read(as_bearer.bearer_auth(&secret)).await.problem(401);
    let as_basic = world.anonymous(Method::GET, "/api/v1/robots");
    read(as_basic.basic_auth("ci", Some(&secret)))
        .await
        .problem(401);
    world.end().await;
}

#[tokio::test]
async fn a_repository_is_kept_as_its_owner_says_also_before_its_first_image() {
    let world = World::new().await;
    let path = "/api/v1/repositories/team%2Fapp";
    read(world.request(Method::GET, path)).await.problem(404);
    let set = |body: Value| read(world.request(Method::PATCH, path).json(&body));
    let made = set(json!({ "immutable_tags": true })).await.success();
    assert_eq!(
        (
            &made["name"],
            &made["immutable_tags"],
            &made["anonymous_pull"]
        ),
        (&json!("team/app"), &json!(true), &json!(false))
    );
    // What is not said stays as it is.
    let changed = set(json!({ "anonymous_pull": true })).await.success();
    assert_eq!(changed["immutable_tags"], true);
    assert_eq!(world.get(path).await, changed);
    let list = world.get("/api/v1/repositories").await;
    assert_eq!(list["items"], json!([changed]));
    let rest = world.get("/api/v1/repositories?after=team/app").await;
    assert_eq!(rest["items"], json!([]));
    let wrong = world.request(Method::PATCH, "/api/v1/repositories/Team");
    read(wrong.json(&json!({}))).await.problem(400);
    world.end().await;
}

#[tokio::test]
async fn the_stack_is_asked_under_the_names_it_was_given_and_no_others() {
    let world = World::named(&["registry.example.com", "node-1"]).await;
    let port = world.authority().split(':').nth(1).unwrap();
    for host in ["registry.example.com", "NODE-1", "localhost"] {
        let request = world
            .request(Method::GET, "/api/v1/robots")
            .header(header::HOST, format!("{host}:{port}"));
        read(request).await.success();
    }
    for host in ["example.com", "node-2", "a.registry.example.com"] {
        let request = world
            .request(Method::GET, "/api/v1/robots")
            .header(header::HOST, format!("{host}:{port}"));
        let problem = read(request).await.problem(421);
        assert!(problem["remedy"].as_str().unwrap().contains("--host"));
    }
    world.end().await;
}
