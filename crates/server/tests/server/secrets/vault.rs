//! A vault that speaks KV v2, and what happens when it does not do what it should.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use ergon_server::{SecretsConfig, VaultConfig};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::{WORD, is_anywhere, set};
use crate::world::{World, config};

const TOKEN: &str = "hvs.CAESIJ-of-the-vault";

/// How the vault behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mood {
    Well,
    Sealed,
    Slow,
    Redirects,
    Failing,
    NoJson,
    Endless,
    /// Says a version was written that is none.
    Lying,
}

struct Inside {
    mood: Mood,
    token: String,
    /// By path below the mount; none: destroyed.
    kept: HashMap<String, Vec<Option<Value>>>,
    asked: Vec<String>,
}

struct MockVault {
    address: SocketAddr,
    inside: Arc<Mutex<Inside>>,
    task: JoinHandle<()>,
}

impl MockVault {
    async fn start() -> Self {
        let inside = Arc::new(Mutex::new(Inside {
            mood: Mood::Well,
            token: TOKEN.to_owned(),
            kept: HashMap::new(),
            asked: Vec::new(),
        }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = Router::new().fallback(answer).with_state(inside.clone());
        let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self {
            address,
            inside,
            task,
        }
    }

    fn be(&self, mood: Mood) {
        self.inside.lock().unwrap().mood = mood;
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.inside.lock().unwrap().asked)
    }
}

impl Drop for MockVault {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn said(status: u16, body: Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap();
    (status, axum::Json(body)).into_response()
}

async fn answer(
    State(inside): State<Arc<Mutex<Inside>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mood = inside.lock().unwrap().mood;
    if mood == Mood::Slow {
        std::future::pending::<()>().await;
    }
    let mut inside = inside.lock().unwrap();
    inside.asked.push(format!("{method} {uri}"));
    match mood {
        Mood::Sealed => return said(503, json!({ "errors": ["Vault is sealed"] })),
        Mood::Failing => return said(500, json!({ "errors": ["internal error"] })),
        Mood::NoJson => return (StatusCode::OK, format!("<html>{TOKEN}")).into_response(),
        Mood::Endless => return Response::new(Body::from(vec![b' '; 2 << 20])),
        Mood::Redirects => {
            let elsewhere = [("location", "http://127.0.0.1:1/v1/elsewhere")];
            return (StatusCode::TEMPORARY_REDIRECT, elsewhere).into_response();
        }
        Mood::Well | Mood::Slow | Mood::Lying => {}
    }
    if headers
        .get("x-vault-token")
        .map(axum::http::HeaderValue::as_bytes)
        != Some(inside.token.as_bytes())
    {
        return said(403, json!({ "errors": ["permission denied"] }));
    }
    let path = uri.path().to_owned();
    if path == "/v1/auth/token/lookup-self" {
        return said(200, json!({ "data": { "policies": ["ergon"] } }));
    }
    let Some((what, name)) = path
        .strip_prefix("/v1/kv/team/")
        .and_then(|rest| rest.split_once('/'))
    else {
        return said(404, json!({ "errors": ["no handler for route"] }));
    };
    let versions = inside.kept.entry(name.to_owned()).or_default();
    let sent: Value = serde_json::from_slice(&body).unwrap_or_default();
    match (method.as_str(), what) {
        ("POST", "data") => {
            versions.push(Some(sent["data"].clone()));
            let number = if mood == Mood::Lying {
                0
            } else {
                versions.len()
            };
            said(
                200,
                json!({ "request_id": "1", "data": {
                "created_time": "2026-11-22T06:00:00Z", "deletion_time": "", "destroyed": false, "version": number,
            } }),
            )
        }
        ("POST", "destroy") => {
            for number in sent["versions"].as_array().unwrap() {
                let index = usize::try_from(number.as_u64().unwrap()).unwrap() - 1;
                versions[index] = None;
            }
            StatusCode::NO_CONTENT.into_response()
        }
        ("DELETE", "metadata") => {
            inside.kept.remove(name);
            StatusCode::NO_CONTENT.into_response()
        }
        _ => said(405, json!({ "errors": ["unsupported operation"] })),
    }
}

fn with_vault(folder: &std::path::Path, address: &str) -> ergon_server::Config {
    // Requests need to know how TLS is done.
    drop(crate::world::client());
    let token_file = folder.join("vault-token");
    if !token_file.exists() {
        std::fs::write(&token_file, format!("{TOKEN}\n")).unwrap();
    }
    ergon_server::Config {
        secrets: SecretsConfig {
            passphrase_file: None,
            vault: Some(VaultConfig {
                address: address.parse().unwrap(),
                token_file,
                mount: "kv/team".to_owned(),
            }),
        },
        ..config(folder)
    }
}

async fn world(vault: &MockVault) -> World {
    let folder = tempfile::tempdir().unwrap();
    let config = with_vault(folder.path(), &format!("http://{}", vault.address));
    World::with(folder, config).await
}

#[tokio::test]
async fn values_are_in_the_vault_and_names_in_the_store() {
    let vault = MockVault::start().await;
    let world = world(&vault).await;
    set(&world, "a", WORD).await.success();
    set(&world, "a", "another-value").await.success();
    let key = world.get("/api/v1/secret-key").await;
    assert_eq!(
        (&key["kind"], &key["in_vault"], &key["sealed"]),
        (&json!("vault"), &json!(2), &json!(0))
    );
    assert!(key["public"].is_null() && !world.data().join("secrets.age-key").exists());
    world
        .post("/api/v1/secret-key/rotate", json!(null))
        .await
        .problem(409);
    let destroyed = world.post("/api/v1/secrets/a/destroy", json!({ "version": 1 }));
    assert_eq!(destroyed.await.status, 204);
    {
        let inside = vault.inside.lock().unwrap();
        let kept: Vec<_> = inside.kept.values().collect();
        assert_eq!(kept.len(), 1);
        assert!(kept[0][0].is_none() && kept[0][1].is_some());
    }
    assert_eq!(world.delete("/api/v1/secrets/a").await.status, 204);
    assert!(vault.inside.lock().unwrap().kept.is_empty());
    let asked = vault.asked();
    let begins = |line: &str, begin: &str| line.starts_with(begin) && line.ends_with("/a");
    let stack = |what: &str| format!("{what} /v1/kv/team/");
    assert!(
        begins(&asked[1], &format!("{}data/ergon/", stack("POST"))),
        "{asked:?}"
    );
    assert!(
        begins(&asked[4], &format!("{}metadata/ergon/", stack("DELETE"))),
        "{asked:?}"
    );
    let folder = world.end().await;
    for form in [WORD, "dHIwdWI0ZG9y"] {
        assert_eq!(is_anywhere(&folder.path().join("data"), form), None);
    }
}

#[tokio::test]
async fn a_vault_that_does_not_do_its_work_is_named_and_nothing_is_kept_by_halves() {
    let vault = MockVault::start().await;
    let world = world(&vault).await;
    for (mood, status, why) in [
        (Mood::Sealed, 503, "sealed"),
        (Mood::Failing, 503, "status 500"),
        (Mood::NoJson, 502, "something else"),
        (Mood::Endless, 502, "too long"),
        (Mood::Redirects, 502, "somewhere else"),
        (Mood::Lying, 502, "no number"),
    ] {
        vault.be(mood);
        let problem = set(&world, "a", WORD).await.problem(status);
        let text = problem.to_string();
        assert!(
            problem["detail"].as_str().unwrap().contains(why),
            "{mood:?}: {problem:#}"
        );
        assert!(!text.contains(WORD) && !text.contains(TOKEN), "{problem:#}");
        assert_eq!(world.get("/api/v1/secrets").await["items"], json!([]));
    }
    vault.be(Mood::Well);
    // The token is read anew, so that whoever renews it need not tell anybody.
    "another".clone_into(&mut vault.inside.lock().unwrap().token);
    set(&world, "a", WORD).await.problem(502);
    std::fs::write(world.folder.path().join("vault-token"), "another").unwrap();
    set(&world, "a", WORD).await.success();
    std::fs::write(world.folder.path().join("vault-token"), "bad\u{1}token").unwrap();
    set(&world, "a", WORD).await.problem(503);
    std::fs::write(world.folder.path().join("vault-token"), "another").unwrap();
    // What is to be forgotten there is not forgotten here alone.
    vault.be(Mood::Sealed);
    world.delete("/api/v1/secrets/a").await.problem(503);
    assert_eq!(world.get("/api/v1/secrets/a").await["version"], 1);
    world.end().await;
}

#[tokio::test]
async fn a_vault_that_hangs_is_waited_for_and_then_away() {
    let vault = MockVault::start().await;
    let world = world(&vault).await;
    vault.be(Mood::Slow);
    let problem = set(&world, "a", WORD).await.problem(503);
    assert!(problem["detail"].as_str().unwrap().contains("took longer"));
    world.end().await;
}

#[tokio::test]
async fn a_token_that_is_refused_is_said_at_the_start_and_a_vault_that_is_away_is_waited_for() {
    let vault = MockVault::start().await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("vault-token"), "wrong").unwrap();
    let url = format!("http://{}", vault.address);
    let shutdown = tokio_util::sync::CancellationToken::new();
    let refused = ergon_server::serve(with_vault(folder.path(), &url), shutdown, |_| {
        panic!("it started")
    });
    let error = refused.await.unwrap_err();
    assert!(error.to_string().contains("refuses the token"), "{error}");
    assert!(error.remedy().unwrap().contains("policy"));
    // A port that nobody listens on.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let away = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let config = with_vault(folder.path(), &away);
    let world = World::with(folder, config).await;
    set(&world, "a", WORD).await.problem(503);
    world.end().await;
}
