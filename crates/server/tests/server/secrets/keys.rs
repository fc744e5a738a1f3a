//! What secrets are sealed under: kept, changed, and missed where it is gone.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ergon_server::{SecretsConfig, StartError};
use ergon_store::Store;
use reqwest::Method;
use serde_json::json;

use super::{WORD, set};
use crate::crash;
use crate::world::{Door, World, config, read};

/// The key in the data folder, as any program that speaks age reads it.
fn identities(data: &Path) -> Vec<age::x25519::Identity> {
    let text = fs::read_to_string(data.join("secrets.age-key")).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.parse().unwrap()).collect()
}

/// What all versions in the store say, opened from outside.
async fn opened(data: &Path) -> Vec<String> {
    let store = Store::open(&data.join("ergon.db")).await.unwrap();
    let keys = identities(data);
    let rows = store.secret_versions(None).await.unwrap();
    store.close().await;
    let open = |sealed: &str| {
        let sealed = STANDARD.decode(sealed).unwrap();
        let said = keys.iter().find_map(|key| age::decrypt(key, &sealed).ok());
        let said = String::from_utf8(said.expect("it opens")).unwrap();
        // What it is for stands in three lines before it.
        said.splitn(4, '\n').last().unwrap().to_owned()
    };
    let sealed = rows.iter().filter_map(|row| row.sealed.as_deref());
    sealed.map(open).collect()
}

async fn refused(folder: &Path, secrets: SecretsConfig) -> StartError {
    let config = ergon_server::Config {
        secrets,
        ..config(folder)
    };
    let shutdown = tokio_util::sync::CancellationToken::new();
    let served = ergon_server::serve(config, shutdown, |_| panic!("it started"));
    served.await.unwrap_err()
}

fn behind(file: &Path) -> SecretsConfig {
    SecretsConfig {
        passphrase_file: Some(file.to_owned()),
        vault: None,
    }
}

#[tokio::test]
async fn a_changed_key_opens_everything_and_the_old_one_nothing() {
    let world = World::new().await;
    for name in ["a", "b"] {
        set(&world, name, WORD).await.success();
        set(&world, name, &format!("{WORD}-2")).await.success();
    }
    let before = world.get("/api/v1/secret-key").await;
    assert_eq!(
        (&before["kind"], &before["sealed"]),
        (&json!("file"), &json!(4))
    );
    let rotated = world
        .post("/api/v1/secret-key/rotate", json!(null))
        .await
        .success();
    assert_ne!(rotated["public"], before["public"]);
    assert_eq!(rotated["sealed"], 4);
    let data = world.data();
    assert_eq!(identities(&data).len(), 1);
    let folder = world.end().await;
    let mut said = opened(&data).await;
    said.sort();
    let newer = format!("{WORD}-2");
    assert_eq!(said, [WORD, WORD, &newer, &newer]);
    World::over(folder).await.end().await;
}

#[tokio::test]
async fn a_stack_that_is_killed_while_its_key_changes_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut expected = Vec::new();
    for round in 0..6_u64 {
        let mut child = crash::start(folder.path());
        let door = Door::of(&data);
        for number in 0..4 {
            let (name, value) = (
                format!("s{round}-{number}"),
                format!("{WORD}-{round}-{number}"),
            );
            let path = format!("/api/v1/secrets/{name}");
            let request = door.request(Method::PUT, &path);
            read(request.json(&json!({ "value": value })))
                .await
                .success();
            expected.push(value);
        }
        let rotating = door
            .request(Method::POST, "/api/v1/secret-key/rotate")
            .send();
        // Each time at another moment of it.
        let moment = std::time::Duration::from_millis(round * 7);
        let _ = tokio::time::timeout(moment, rotating).await;
        child.kill().unwrap();
        child.wait().unwrap();
        let mut said = opened(&data).await;
        said.sort();
        expected.sort();
        assert_eq!(said, expected, "after round {round}");
    }
    // The next start ends what was begun.
    let world = World::over(folder).await;
    assert_eq!(identities(&data).len(), 1);
    let _folder = world.end().await;
    assert_eq!(opened(&data).await.len(), expected.len());
}

#[tokio::test]
async fn a_key_under_a_passphrase_wants_it_at_each_start() {
    let folder = tempfile::tempdir().unwrap();
    let right = folder.path().join("right");
    let wrong = folder.path().join("wrong");
    fs::write(&right, "correct horse battery\n").unwrap();
    fs::write(&wrong, "staple\n").unwrap();
    let start = |folder: tempfile::TempDir| {
        let config = ergon_server::Config {
            secrets: behind(&right),
            ..config(folder.path())
        };
        World::with(folder, config)
    };
    let world = start(folder).await;
    set(&world, "a", WORD).await.success();
    let key = world.get("/api/v1/secret-key").await;
    assert_eq!(key["kind"], "passphrase");
    let data = world.data();
    let folder = world.end().await;
    let kept = fs::read(data.join("secrets.age-key")).unwrap();
    assert!(kept.starts_with(b"age-encryption.org/v1\n-> scrypt "));
    let error = refused(folder.path(), SecretsConfig::default()).await;
    assert!(
        error.to_string().contains("is under a passphrase"),
        "{error}"
    );
    assert!(error.remedy().unwrap().contains("--passphrase-file"));
    let error = refused(folder.path(), behind(&wrong)).await;
    assert!(error.to_string().contains("does not open"), "{error}");
    assert!(!error.to_string().contains("staple"));
    let error = refused(folder.path(), behind(Path::new("/nowhere/at/all"))).await;
    assert!(error.to_string().contains("/nowhere/at/all"), "{error}");
    assert_eq!(fs::read(data.join("secrets.age-key")).unwrap(), kept);
    start(folder).await.end().await;
}

#[tokio::test]
async fn a_key_that_is_gone_or_anothers_is_said_at_the_start() {
    let world = World::new().await;
    set(&world, "a", WORD).await.success();
    let data = world.data();
    let folder = world.end().await;
    let file = data.join("secrets.age-key");
    let kept = fs::read(&file).unwrap();
    fs::remove_file(&file).unwrap();
    let error = refused(folder.path(), SecretsConfig::default()).await;
    assert!(error.to_string().contains("is not there"), "{error}");
    assert!(!file.exists(), "no other key takes its place");
    let other = age::x25519::Identity::generate();
    let text = age::secrecy::ExposeSecret::expose_secret(&other.to_string()).to_owned();
    fs::write(&file, text).unwrap();
    let error = refused(folder.path(), SecretsConfig::default()).await;
    assert!(error.to_string().contains("is not the one"), "{error}");
    fs::write(&file, "garbage").unwrap();
    let error = refused(folder.path(), SecretsConfig::default()).await;
    assert!(error.to_string().contains("damaged"), "{error}");
    fs::write(&file, kept).unwrap();
    World::over(folder).await.end().await;
}
