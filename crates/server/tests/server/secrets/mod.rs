//! Secrets: what goes in comes out nowhere, and what seals it can be changed at any moment.

mod keys;
mod used;
mod vault;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{Answer, World, read};

/// What no file, answer or event may hold.
pub const WORD: &str = "tr0ub4dor-and-3-more";

/// Sets a secret.
pub async fn set(world: &World, name: &str, value: &str) -> Answer {
    let request = world.request(Method::PUT, &format!("/api/v1/secrets/{name}"));
    read(request.json(&json!({ "value": value }))).await
}

/// Whether any file below a folder holds a text.
pub fn is_anywhere(folder: &std::path::Path, text: &str) -> Option<std::path::PathBuf> {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let entry = entry.unwrap();
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                let bytes = std::fs::read(entry.path()).unwrap();
                if bytes
                    .windows(text.len())
                    .any(|part| part == text.as_bytes())
                {
                    return Some(entry.path());
                }
            }
        }
    }
    None
}

#[tokio::test]
async fn what_a_secret_says_goes_in_and_comes_out_nowhere() {
    let world = World::new().await;
    let first = set(&world, "db-password", WORD).await;
    assert_eq!(first.status, 201);
    let again = read(
        world
            .request(Method::PUT, "/api/v1/secrets/db-password")
            .json(&json!({ "value": format!("{WORD}2"), "note": "of the shop", "days": 30 })),
    )
    .await;
    assert_eq!(again.status, 200);
    let secret = again.success();
    assert_eq!(secret["version"], 2);
    assert_eq!(secret["note"], "of the shop");
    assert_eq!(secret["expired"], false);
    assert_eq!(secret["changed_by"], "owner");
    let mut seen = String::new();
    for path in [
        "/api/v1/secrets",
        "/api/v1/secrets/db-password",
        "/api/v1/secrets/db-password/versions",
        "/api/v1/secret-key",
        "/api/v1/events",
        "/api/v1/audit",
    ] {
        seen.push_str(&world.get(path).await.to_string());
    }
    assert!(seen.contains("db-password") && seen.contains("dev.ergon.secret.set"));
    for form in [WORD.to_owned(), STANDARD.encode(WORD), hex::encode(WORD)] {
        assert!(!seen.contains(&form), "{seen}");
    }
    let folder = world.end().await;
    for form in [WORD.to_owned(), STANDARD.encode(WORD)] {
        assert_eq!(is_anywhere(folder.path(), &form), None);
    }
}

#[tokio::test]
async fn the_digest_of_a_body_with_a_secret_in_it_is_not_written_down() {
    let world = World::new().await;
    set(&world, "db-password", WORD).await.success();
    let folder = world.folder("app", &[("main.py", "print(1)\n")]);
    world.project(&folder).await;
    let log = world.get("/api/v1/audit").await;
    let entry = |action: &str| {
        let entries = log["items"].as_array().unwrap();
        let found = entries.iter().find(|entry| entry["action"] == action);
        found.unwrap().clone()
    };
    let set = entry("SetSecret");
    assert_eq!(
        (&set["kind"], &set["name"]),
        (&json!("Secret"), &json!("db-password"))
    );
    assert_eq!(set["status"], 201);
    assert!(set["body"].is_null(), "{set:#}");
    assert!(entry("AddProject")["body"].is_string());
    world.end().await;
}

#[tokio::test]
async fn what_is_no_secret_is_refused_and_said_back_by_nobody() {
    let world = World::new().await;
    for name in [
        "Upper",
        "under_score",
        "-a",
        "a-",
        "a--b",
        "2fa",
        "a.b",
        "..%2f..%2fetc%2fpasswd",
        "a%00b",
        "a%0ab",
        &"a".repeat(64),
    ] {
        let problem = set(&world, name, WORD).await.problem(400);
        assert!(!problem.to_string().contains(WORD), "{problem:#}");
    }
    let path = "/api/v1/secrets/a";
    for (body, status) in [
        (json!({}), 400),
        (json!({ "value": "" }), 400),
        (json!({ "value": WORD, "value_base64": "YQ==" }), 400),
        (json!({ "value_base64": "no base64!" }), 400),
        (json!({ "value": WORD, "days": 0 }), 400),
        (json!({ "value": WORD, "days": 100_000 }), 400),
        (json!({ "value": WORD, "note": "a\nb" }), 400),
        (json!({ "value": WORD, "note": "a".repeat(201) }), 400),
        (json!({ "value": [WORD] }), 422),
        (json!({ "value": "x".repeat((64 << 10) + 1) }), 413),
        (json!({ "value": "x".repeat(2 << 20) }), 413),
    ] {
        let problem = read(world.request(Method::PUT, path).json(&body))
            .await
            .problem(status);
        assert!(!problem.to_string().contains(WORD), "{problem:#}");
    }
    // In a URL it is nobody's: the route knows no query.
    let in_url = world.request(Method::PUT, &format!("{path}?value={WORD}"));
    read(in_url.json(&json!({}))).await.problem(400);
    assert_eq!(world.get("/api/v1/secrets").await["items"], json!([]));
    for good in [
        json!({ "value": "x".repeat(64 << 10) }),
        json!({ "value": "a\0b\r\nc" }),
        json!({ "value_base64": "/w==" }),
    ] {
        read(world.request(Method::PUT, path).json(&good))
            .await
            .success();
    }
    world.end().await;
}

#[tokio::test]
async fn versions_are_counted_destroyed_one_by_one_and_only_so_many_kept() {
    let world = World::new().await;
    for _ in 0..23 {
        set(&world, "a", WORD).await.success();
    }
    let versions = world.get("/api/v1/secrets/a/versions").await;
    let states: Vec<&str> = versions["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|version| version["state"].as_str().unwrap())
        .collect();
    assert_eq!(states[0], "current");
    assert!(states[1..20].iter().all(|state| *state == "superseded"));
    assert_eq!(states[20..], ["destroyed"; 3]);
    let destroy = |version: u64| {
        let body = json!({ "version": version });
        world.post("/api/v1/secrets/a/destroy", body)
    };
    destroy(23).await.problem(409);
    destroy(1).await.problem(404);
    destroy(99).await.problem(404);
    destroy(u64::MAX).await.problem(404);
    assert_eq!(destroy(22).await.status, 204);
    destroy(22).await.problem(404);
    assert_eq!(world.delete("/api/v1/secrets/a").await.status, 204);
    world.delete("/api/v1/secrets/a").await.problem(404);
    // A name that is used again begins anew, and nothing of before is granted.
    assert_eq!(set(&world, "a", WORD).await.success()["version"], 1);
    world.end().await;
}

#[tokio::test]
async fn nobody_may_use_a_secret_until_somebody_says_so() {
    let world = World::new().await;
    let folder = world.folder("shop", &[("main.py", "print(1)\n")]);
    let project = world.project(&folder).await;
    let secret = set(&world, "a", WORD).await.success();
    assert_eq!(secret["grants"], json!([]));
    let grant = |body: Value| world.post("/api/v1/secrets/a/grants", body);
    for (body, status) in [
        (json!({ "kind": "site", "project": "shop" }), 400),
        (json!({ "kind": "container", "project": "shop" }), 400),
        (
            json!({ "kind": "project", "project": "shop", "part": "web" }),
            400,
        ),
        (
            json!({ "kind": "container", "project": "shop", "part": "../x" }),
            400,
        ),
        (json!({ "kind": "project", "project": "other" }), 404),
        (json!({ "kind": "project" }), 422),
    ] {
        grant(body).await.problem(status);
    }
    grant(json!({ "kind": "project", "project": "shop" }))
        .await
        .success();
    grant(json!({ "kind": "container", "project": "shop", "part": "web" }))
        .await
        .success();
    let granted = grant(json!({ "kind": "build", "project": project }))
        .await
        .success();
    let kinds: Vec<_> = granted["grants"].as_array().unwrap().iter().collect();
    assert_eq!(kinds.len(), 3);
    assert!(kinds.iter().all(|grant| grant["project"] == "shop"
        && grant["project_id"] == json!(project)
        && grant["granted_by"] == "owner"));
    let revoke = "/api/v1/secrets/a/grants?kind=project&project=shop";
    let left = world.delete(revoke).await.success();
    assert_eq!(left["grants"].as_array().unwrap().len(), 2);
    world.delete(revoke).await.problem(404);
    // What is gone may come back under its name as somebody else.
    let gone = world.delete(&format!("/api/v1/projects/{project}")).await;
    assert_eq!(gone.status, 204);
    world.project(&folder).await;
    let secret = world.get("/api/v1/secrets/a").await;
    assert_eq!(secret["grants"], json!([]));
    world.end().await;
}
