//! Who did what is written down, and cannot be changed without being seen.

use std::fs;

use reqwest::{Method, header};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::world::{World, read};

async fn listed(world: &World, query: &str) -> Vec<Value> {
    let page = world.get(&format!("/api/v1/audit{query}")).await;
    page["items"].as_array().unwrap().clone()
}

async fn verified(world: &World) -> Value {
    world
        .post("/api/v1/audit/verification", json!({}))
        .await
        .success()
}

#[tokio::test]
async fn a_change_is_written_down_with_who_what_and_what_came_of_it() {
    let world = World::new().await;
    let body = json!({ "name": "ci", "allow": ["a:pull"] }).to_string();
    let request = world
        .request(Method::POST, "/api/v1/robots")
        .header(header::CONTENT_TYPE, "application/json")
        .body(body.clone());
    let response = request.send().await.unwrap();
    let id = response.headers()["x-request-id"]
        .to_str()
        .unwrap()
        .to_owned();
    assert_eq!(response.status(), 201);
    let entries = listed(&world, &format!("?request={id}")).await;
    let [entry] = &entries[..] else {
        panic!("{entries:#?}");
    };
    for (field, expected) in [
        ("principal", json!("owner")),
        ("channel", json!("http")),
        ("action", json!("AddRobot")),
        ("decision", json!("allow")),
        ("status", json!(201)),
        ("body", json!(hex::encode(Sha256::digest(body)))),
    ] {
        assert_eq!(entry[field], expected, "{field}");
    }
    world.delete("/api/v1/robots/none").await.problem(404);
    let entries = listed(&world, "?action=RemoveRobot").await;
    assert_eq!(
        (&entries[0]["name"], &entries[0]["status"]),
        (&json!("none"), &json!(404))
    );
    assert_eq!(verified(&world).await["good"], true);
}

#[tokio::test]
async fn a_denial_is_written_down_and_an_allowed_read_is_not() {
    let world = World::new().await;
    let before = world.get("/api/v1/audit").await["size"].clone();
    world.get("/api/v1/projects").await;
    assert_eq!(world.get("/api/v1/audit").await["size"], before);
    let denied = world.anonymous(Method::GET, "/api/v1/projects/secret");
    read(denied).await.problem(401);
    let entries = listed(&world, "?decision=identify").await;
    assert_eq!(
        (
            &entries[0]["principal"],
            &entries[0]["action"],
            &entries[0]["name"]
        ),
        (&json!("nobody"), &json!("ReadProject"), &json!("secret"))
    );
    let tricked = world
        .anonymous(Method::POST, "/api/v1/session")
        .header(header::ORIGIN, "http://elsewhere")
        .json(&json!({ "code": "x" }));
    read(tricked).await.problem(403);
    let entries = listed(&world, "?decision=deny").await;
    assert_eq!(entries[0]["action"], "SignIn");
}

#[tokio::test]
async fn to_be_registered_is_a_change_and_to_stay_so_is_none() {
    let world = World::new().await;
    let numa =
        |port: u16| json!({ "name": "numa", "type": "external", "port": port, "purpose": "tests" });
    world
        .post("/api/registry/register", numa(1))
        .await
        .success();
    let entries = listed(&world, "?action=RegisterCompanion").await;
    assert_eq!(
        (&entries[0]["name"], &entries[0]["status"]),
        (&json!("numa"), &json!(201))
    );
    let before = world.get("/api/v1/audit").await["size"].clone();
    world
        .post("/api/registry/register", numa(1))
        .await
        .success();
    world
        .post("/api/registry/numa/heartbeat", json!({}))
        .await
        .success();
    assert_eq!(world.get("/api/v1/audit").await["size"], before);
    // Nobody answers at the old place, so the name may lead elsewhere.
    world
        .post("/api/registry/register", numa(2))
        .await
        .success();
    let entries = listed(&world, "?action=RegisterCompanion").await;
    assert_eq!((entries.len(), &entries[0]["status"]), (2, &json!(200)));
    let refused = json!({ "name": "numa", "type": "tool", "command": ["true"] });
    world
        .post("/api/registry/register", refused)
        .await
        .problem(409);
    let entries = listed(&world, "?action=RegisterCompanion").await;
    assert_eq!(entries[0]["status"], 409);
}

#[tokio::test]
async fn being_refused_again_and_again_fills_no_disk() {
    let world = World::new().await;
    for _ in 0..100 {
        read(world.anonymous(Method::GET, "/api/v1/projects"))
            .await
            .problem(401);
    }
    let entries = listed(&world, "?action=ListProjects").await;
    assert_eq!(entries.len(), 20);
    // The rest are counted, at the end of the stack at the latest.
    let folder = world.end().await;
    let world = World::over(folder).await;
    let entries = listed(&world, "?action=ListProjects&limit=1").await;
    assert_eq!(entries[0]["count"], 80);
}

#[tokio::test]
async fn what_robots_push_and_are_denied_is_written_down() {
    let world = World::new().await;
    let robot = json!({ "name": "ci", "allow": ["team/app:pull,push"] });
    let robot = world.post("/api/v1/robots", robot).await.success();
    let secret = robot["secret"].as_str().unwrap();
    for (name, status) in [("team/app", 404), ("other/app", 401)] {
        let request = world
            .anonymous(
                Method::DELETE,
                &format!("/v2/{name}/manifests/sha256:{}", "0".repeat(64)),
            )
            .basic_auth("ci", Some(secret));
        let answered = request.send().await.unwrap();
        assert_ne!(answered.status(), 202, "{status}");
    }
    let entries = listed(&world, "?channel=registry").await;
    assert!(
        entries
            .iter()
            .any(|entry| entry["principal"] == "robot:ci" && entry["decision"] == "deny"),
        "{entries:#?}"
    );
    let put = world
        .request(Method::PUT, "/v2/team/app/manifests/latest")
        .header(
            header::CONTENT_TYPE,
            "application/vnd.oci.image.manifest.v1+json",
        )
        .body("{}");
    put.send().await.unwrap();
    let entries = listed(&world, "?action=PushImage").await;
    assert_eq!(
        (&entries[0]["name"], &entries[0]["decision"]),
        (&json!("team/app"), &json!("allow"))
    );
    assert_eq!(entries[0]["body"], hex::encode(Sha256::digest("{}")));
}

#[tokio::test]
async fn what_was_changed_in_the_files_is_named() {
    let world = World::new().await;
    for name in ["one", "two", "three"] {
        let robot = json!({ "name": name, "allow": ["a:pull"] });
        world.post("/api/v1/robots", robot).await.success();
    }
    let kept = world.get("/api/v1/audit/checkpoint").await;
    let path = world.data().join("audit/open/000000000000");
    let text = fs::read_to_string(&path).unwrap();
    let wanted = text.lines().nth(2).unwrap();
    let folder = world.end().await;
    let path = folder
        .path()
        .join(path.strip_prefix(folder.path()).unwrap());
    fs::write(
        &path,
        text.replace(wanted, &wanted.replace("AddRobot", "ReadRobot")),
    )
    .unwrap();
    let world = World::over(folder).await;
    let report = verified(&world).await;
    assert_eq!(report["good"], false);
    let problems = report["problems"].to_string();
    assert!(
        problems.contains("entry 2 is not what it was"),
        "{problems}"
    );
    assert!(kept["key"].as_str().unwrap().starts_with("ergon/"));
    let wrong = json!({ "checkpoints": ["nothing of the kind"] });
    world
        .post("/api/v1/audit/verification", wrong)
        .await
        .problem(400);
}

#[tokio::test]
async fn entries_go_out_as_they_are_kept_and_as_ocsf() {
    let world = World::new().await;
    let robot = json!({ "name": "ci", "allow": ["a:pull"] });
    world.post("/api/v1/robots", robot).await.success();
    let lines = async |query: &str| {
        let request = world.request(Method::GET, &format!("/api/v1/audit/export{query}"));
        let text = request.send().await.unwrap().text().await.unwrap();
        let parsed: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        parsed
    };
    let kept = lines("").await;
    assert_eq!(kept[0]["previous"], "0".repeat(64));
    assert_eq!(kept[1]["sequence"], 1);
    let events = lines("?format=ocsf&from=1").await;
    assert_eq!(events.len(), kept.len() - 1);
    assert_eq!(events[0]["class_uid"], 6003);
    let wrong = world.request(Method::GET, "/api/v1/audit/export?format=xml");
    read(wrong).await.problem(400);
}

#[tokio::test]
async fn what_cannot_be_written_down_is_not_done() {
    let world = World::new().await;
    // Where the log's tiles belong stands something else.
    let tiles = world.data().join("audit/tile");
    let _ = fs::remove_dir_all(&tiles);
    fs::write(&tiles, "").unwrap();
    let robot = |name: String| json!({ "name": name, "allow": ["a:pull"] });
    let mut number = 0;
    let refused = loop {
        let answer = world
            .post("/api/v1/robots", robot(format!("ci-{number}")))
            .await;
        if answer.status == 503 {
            break answer;
        }
        answer.success();
        number += 1;
        assert!(number < 2000, "the log was never found to be broken");
    };
    let problem = refused.problem(503);
    assert!(
        problem["detail"].as_str().unwrap().contains("audit log"),
        "{problem}"
    );
    let robots = world.get("/api/v1/robots").await;
    assert_eq!(robots["items"].as_array().unwrap().len(), number);
}

#[tokio::test]
async fn old_entries_are_removed_and_the_rest_is_still_proven() {
    let world = World::new().await;
    for _ in 0..140 {
        world.delete("/api/v1/robots/none").await.problem(404);
    }
    let kept = world
        .post("/api/v1/audit/forget", json!({ "older_than_days": 1 }))
        .await
        .success();
    assert_eq!(kept["first"], 0, "nothing is a day old");
    let kept = world
        .post("/api/v1/audit/forget", json!({ "older_than_days": 0 }))
        .await
        .success();
    assert_eq!(kept["first"], 256);
    let report = verified(&world).await;
    assert_eq!(
        (&report["good"], &report["first"]),
        (&json!(true), &json!(256)),
        "{report}"
    );
    let by = listed(&world, "?action=ForgetAuditEntries").await;
    assert_eq!(by[0]["principal"], "owner");
}
