//! Secrets in containers and build steps, in a real engine: there for whoever may have them, and nowhere else.

use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ergon_engine::testing;
use serde_json::{Value, json};

use super::{is_anywhere, set};
use crate::containers::{Leftovers, serve};
use crate::world::World;

const WORD: &str = "c0rrect-horse-battery";

fn docker(arguments: &[&str]) -> String {
    let output = Command::new("docker").args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A web server that needs secrets, and what it is called.
async fn project(
    world: &World,
    purpose: &str,
    secrets: Value,
    build_commands: &[&str],
    says: &str,
) -> (PathBuf, Leftovers) {
    let (folder, name) = crate::containers::project(
        world,
        purpose,
        &format!("{says} {}", serve()),
        build_commands,
    )
    .await;
    let path = folder.join("ergon.json");
    let mut manifest: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    manifest["applications"][&name.0]["secrets"] = secrets;
    std::fs::write(path, manifest.to_string()).unwrap();
    (folder, name)
}

async fn run(world: &World, folder: &Path) -> Value {
    let job = world
        .post("/api/v1/runs", json!({ "folder": folder }))
        .await;
    world.ended(&job.success()).await
}

async fn grant(world: &World, secret: &str, body: Value) {
    let path = format!("/api/v1/secrets/{secret}/grants");
    world.post(&path, body).await.success();
}

async fn log_of(world: &World, job: &Value) -> String {
    let path = format!("/api/v1/jobs/{}/log", job["id"].as_str().unwrap());
    world.get(&path).await.to_string()
}

#[tokio::test]
async fn a_container_has_its_secrets_and_only_where_it_may() {
    let world = World::new().await;
    let needs = json!({ "db-password": {}, "api-key": { "env": "API_KEY" } });
    let says = "echo file $(cat /run/secrets/db-password) variable $API_KEY;";
    let (folder, name) = project(&world, "secrets", needs, &[], says).await;
    let container = name.0.as_str();
    // Nobody has it, nobody may have it, and then it is there.
    let job = run(&world, &folder).await;
    assert_eq!(job["state"], "failed");
    assert!(
        job["error"].as_str().unwrap().contains("there is none"),
        "{job:#}"
    );
    set(&world, "db-password", WORD).await.success();
    set(&world, "api-key", &format!("{WORD}-2")).await.success();
    let job = run(&world, &folder).await;
    assert_eq!(job["state"], "failed");
    assert!(
        job["error"].as_str().unwrap().contains("may not use"),
        "{job:#}"
    );
    let remedy = job["remedy"].as_str().unwrap();
    assert!(remedy.starts_with("ergon secret grant "), "{remedy}");
    assert_eq!(
        docker(&["ps", "-aq", "--filter", &format!("name={container}")]),
        ""
    );
    let project = job["project_id"].as_str().unwrap();
    for secret in ["db-password", "api-key"] {
        let one = json!({ "kind": "container", "project": project, "part": container });
        grant(&world, secret, one).await;
    }
    let job = run(&world, &folder).await;
    assert_eq!(job["state"], "succeeded", "{job:#}");

    // The program has them.
    let cat = ["exec", container, "cat", "/run/secrets/db-password"];
    assert_eq!(docker(&cat), WORD);
    let logs = docker(&["logs", container]);
    assert!(
        logs.contains(&format!("file {WORD} variable {WORD}-2")),
        "{logs}"
    );
    // Nobody else does in there, and nobody changes them.
    let listed = docker(&["exec", container, "ls", "-ln", "/run/secrets"]);
    let writing = ["exec", container, "sh", "-c", "echo x > /run/secrets/x"];
    assert!(
        !Command::new("docker")
            .args(writing)
            .output()
            .unwrap()
            .status
            .success()
    );
    if rustix::process::geteuid().is_root() {
        assert!(
            listed.contains("-r--------") && listed.contains("65532"),
            "{listed}"
        );
    }
    // The engine tells of the variable, and not of the file.
    let inspected = docker(&["inspect", container]);
    assert!(!inspected.contains(&format!("{WORD}\"")), "{inspected}");
    assert!(inspected.contains(&format!("API_KEY={WORD}-2")));
    let image = job["result"]["image"].as_str().unwrap();
    assert!(!docker(&["inspect", image]).contains(WORD));

    // What the stack tells of it hides both.
    let seen = world.get(&format!("/api/v1/containers/{container}")).await;
    assert!(
        seen["log"].to_string().contains("file ••• variable •••"),
        "{seen:#}"
    );
    let question = json!({ "content": "what do your logs say?" });
    let companion = seen["companion"].as_str().unwrap();
    let path = format!("/api/v1/companions/{companion}/messages");
    let asked = world.post(&path, question);
    assert!(!asked.await.body.to_string().contains(WORD));
    for text in [seen.to_string(), log_of(&world, &job).await] {
        assert!(!text.contains(WORD), "{text}");
    }
    assert_eq!(is_anywhere(world.folder.path(), WORD), None);

    // A new version is there from the next start on, and not without a grant.
    set(&world, "db-password", "an0ther-horse").await.success();
    let restart = format!("/api/v1/containers/{container}/restart");
    world.post(&restart, json!(null)).await.success();
    assert_eq!(docker(&cat), "an0ther-horse");
    let bound = docker(&[
        "inspect",
        "--format",
        "{{(index .Mounts 0).Source}}",
        container,
    ]);
    let bound = Path::new(bound.trim()).to_owned();
    assert!(bound.is_dir());
    let revoke = format!(
        "/api/v1/secrets/db-password/grants?kind=container&project={project}&part={container}"
    );
    world.delete(&revoke).await.success();
    world.post(&restart, json!(null)).await.problem(409);
    // What ran before goes on while what is to take its place may not.
    assert_eq!(run(&world, &folder).await["state"], "failed");
    assert_eq!(docker(&cat), "an0ther-horse");
    let removed = world
        .delete(&format!("/api/v1/containers/{container}"))
        .await;
    assert_eq!(removed.status, 204);
    assert!(!bound.exists(), "nothing is left in memory");
    world.end().await;
}

#[tokio::test]
async fn a_build_step_reads_its_secret_and_leaves_nothing_of_it() {
    let world = World::new().await;
    let needs = json!({ "npm-token": { "during": "build" } });
    let reads = "test \"$(cat /dev/secrets/npm-token)\" && echo token $(cat /dev/secrets/npm-token) > /dev/stderr && echo $(cat /dev/secrets/npm-token | tr a-z A-Z | wc -c) > length";
    let (folder, name) = project(&world, "built", needs, &[reads], "").await;
    set(&world, "npm-token", WORD).await.success();
    let job = run(&world, &folder).await;
    assert!(
        job["error"].as_str().unwrap().contains("may not use"),
        "{job:#}"
    );
    let project = job["project_id"].as_str().unwrap();
    // To run with it is something else than to build with it.
    grant(
        &world,
        "npm-token",
        json!({ "kind": "project", "project": project }),
    )
    .await;
    assert_eq!(run(&world, &folder).await["state"], "failed");
    grant(
        &world,
        "npm-token",
        json!({ "kind": "build", "project": project }),
    )
    .await;
    let job = run(&world, &folder).await;
    assert_eq!(job["state"], "succeeded", "{job:#}");
    let log = log_of(&world, &job).await;
    assert!(log.contains("token •••") && !log.contains(WORD), "{log}");
    // It is in no layer, not even as a place it once was mounted at, and in no cache.
    let container = name.0.as_str();
    let listed = docker(&[
        "exec",
        container,
        "sh",
        "-c",
        "ls /dev/secrets /run/secrets 2>&1; true",
    ]);
    assert!(!listed.contains("npm-token"), "{listed}");
    assert_eq!(is_anywhere(world.folder.path(), WORD), None);
    let saved = Command::new("docker")
        .args(["save", job["result"]["image"].as_str().unwrap()])
        .output()
        .unwrap();
    for form in [WORD.to_owned(), STANDARD.encode(WORD)] {
        let found = saved
            .stdout
            .windows(form.len())
            .any(|part| part == form.as_bytes());
        assert!(!found, "{form}");
    }
    world.end().await;
}

#[tokio::test]
async fn a_build_step_that_writes_a_secret_down_is_no_build() {
    let world = World::new().await;
    let needs = json!({ "npm-token": { "during": "build" } });
    let writes = "echo \"//registry/:_authToken=$(cat /dev/secrets/npm-token)\" > .npmrc";
    let (folder, _name) = project(&world, "leaves", needs, &[writes], "").await;
    set(&world, "npm-token", WORD).await.success();
    let id = world.project(&folder).await;
    grant(
        &world,
        "npm-token",
        json!({ "kind": "build", "project": id }),
    )
    .await;
    let job = run(&world, &folder).await;
    assert_eq!(job["state"], "failed", "{job:#}");
    let error = job["error"].as_str().unwrap();
    assert!(
        error.contains("left the secret `npm-token` in app/.npmrc"),
        "{error}"
    );
    assert_eq!(
        is_anywhere(world.folder.path(), WORD),
        None,
        "nothing of it was kept"
    );
    world.end().await;
}

#[tokio::test]
async fn another_projects_container_of_the_same_name_may_not() {
    let world = World::new().await;
    let engine = testing::engine().await;
    let base = testing::busybox(&engine).await;
    let name = testing::unique("same");
    let manifest = json!({
        "manifest_version": "1.0",
        "applications": { &name: {
            "type": "files", "language": "shell", "run_command": "sleep 1",
            "secrets": { "db-password": {} }
        } },
        "containers": { &name: { "base_image": base, "applications": [&name] } }
    });
    let files = [("ergon.json", manifest.to_string())];
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(name, text)| (*name, text.as_str()))
        .collect();
    let (one, other) = (world.folder("one", &files), world.folder("other", &files));
    let one = world.project(&one).await;
    set(&world, "db-password", WORD).await.success();
    let body = json!({ "kind": "container", "project": one, "part": &name });
    grant(&world, "db-password", body).await;
    let job = run(&world, &other).await;
    assert!(
        job["error"].as_str().unwrap().contains("may not use"),
        "{job:#}"
    );
    world.end().await;
}
