//! Policies of a stack's own: kept only when they are good, in force at once, and never without a way back.

use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{Answer, World, read};

async fn put(world: &World, name: &str, text: &str) -> Answer {
    let path = format!("/api/v1/policies/{name}");
    let request = world
        .request(Method::PUT, &path)
        .json(&json!({ "text": text }));
    read(request).await
}

async fn explain(world: &World, question: Value) -> Value {
    world
        .post("/api/v1/policy-questions", question)
        .await
        .success()
}

#[tokio::test]
async fn what_forbids_is_in_force_at_once_says_so_and_can_be_taken_back() {
    let world = World::new().await;
    let text = r#"@id("hands-off") forbid (principal, action == Ergon::Action::"RemoveRobot", resource == Ergon::Robot::"web");"#;
    put(&world, "ours", text).await.success();
    let problem = world.delete("/api/v1/robots/web").await.problem(403);
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("ours/hands-off"), "{detail}");
    world.delete("/api/v1/robots/other").await.problem(404);
    let denied = world.get("/api/v1/audit?decision=deny").await;
    assert_eq!(denied["items"][0]["policy"], "ours/hands-off");
    let question = json!({ "principal": "owner", "action": "RemoveRobot", "resource": "web" });
    let answer = explain(&world, question).await;
    assert_eq!(answer["allowed"], false);
    assert!(
        answer["texts"][0].as_str().unwrap().contains("forbid"),
        "{answer}"
    );
    assert_eq!(world.delete("/api/v1/policies/ours").await.status, 204);
    world.delete("/api/v1/robots/web").await.problem(404);
    world.end().await;
}

#[tokio::test]
async fn what_has_a_fault_is_not_kept_and_says_where() {
    let world = World::new().await;
    let wrong = "permit (principal, action, resource);\nforbid (principal, acton, resource);";
    let problem = put(&world, "ours", wrong).await.problem(422);
    assert!(
        problem["detail"].as_str().unwrap().contains("line 2"),
        "{problem}"
    );
    world
        .post("/api/v1/policy-checks", json!({ "text": wrong }))
        .await
        .success();
    for name in ["owner", "Ours", "a b", "anybody"] {
        let status = put(&world, name, "permit (principal, action, resource);")
            .await
            .status;
        assert!(status == 400 || status == 409, "{name}: {status}");
    }
    assert!(
        world.get("/api/v1/policies").await["items"]
            .as_array()
            .unwrap()
            .iter()
            .all(|text| text["shipped"] == true)
    );
    let schema = world.get("/api/v1/policy-schema").await;
    assert!(
        schema["schema"]
            .as_str()
            .unwrap()
            .contains("RemoveContainer")
    );
    world.end().await;
}

#[tokio::test]
async fn an_owner_who_locked_everybody_out_lets_everybody_in_again() {
    let world = World::new().await;
    put(&world, "oops", "forbid (principal, action, resource);")
        .await
        .success();
    world
        .post(
            "/api/v1/robots",
            json!({ "name": "ci", "allow": ["a:pull"] }),
        )
        .await
        .problem(403);
    let folder = world.end().await;
    // Also after a restart.
    let world = World::over(folder).await;
    world
        .post(
            "/api/v1/robots",
            json!({ "name": "ci", "allow": ["a:pull"] }),
        )
        .await
        .problem(403);
    world.get("/api/v1/policies").await;
    assert_eq!(world.delete("/api/v1/policies/oops").await.status, 204);
    world
        .post(
            "/api/v1/robots",
            json!({ "name": "ci", "allow": ["a:pull"] }),
        )
        .await
        .success();
    world.end().await;
}

#[tokio::test]
async fn policies_are_put_to_the_test_before_they_are_in_force() {
    let world = World::new().await;
    let cases = json!([
        { "principal": "role:viewer", "action": "ListContainers", "allowed": true },
        { "principal": "role:viewer", "action": "RemoveContainer", "resource": "web", "allowed": false },
        { "principal": "role:night-watch", "action": "StopContainer", "resource": "web", "allowed": true },
        { "principal": "nobody", "action": "ListContainers", "allowed": false },
    ]);
    let now = json!({ "cases": cases });
    let result = world.post("/api/v1/policy-trials", now).await.success();
    assert_eq!(result["unexpected"], json!([2]), "{result}");
    let text = r#"permit (principal in Ergon::Role::"night-watch", action == Ergon::Action::"StopContainer", resource);"#;
    let then = json!({ "cases": cases, "policies": [{ "name": "nights", "text": text }] });
    let result = world.post("/api/v1/policy-trials", then).await.success();
    assert_eq!(result["unexpected"], json!([]), "{result}");
    assert_eq!(result["answers"][2]["policies"], json!(["nights/1"]));
    for (question, status) in [
        (
            json!({ "principal": "role:viewer", "action": "ReadMinds" }),
            400,
        ),
        (
            json!({ "principal": "nobody-at-all", "action": "ListJobs" }),
            400,
        ),
        (
            json!({ "principal": "robot:none", "action": "ListJobs" }),
            400,
        ),
        (
            json!({ "principal": "owner", "action": "ListJobs", "channel": "pigeon" }),
            400,
        ),
        (
            json!({ "principal": "owner", "action": "ListJobs", "means": "charm" }),
            400,
        ),
    ] {
        world
            .post("/api/v1/policy-questions", question)
            .await
            .problem(status);
    }
    world.end().await;
}
