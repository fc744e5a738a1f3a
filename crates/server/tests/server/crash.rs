//! What a killed stack leaves behind, the next one puts right.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command};

use ergon_engine::testing;
use serde_json::{Value, json};

use crate::containers::{Leftovers, project, serve};
use crate::world::{PATIENCE, World, client, config};

/// Where the stack of another process keeps its folders.
const FOLDER: &str = "ERGON_TEST_STACK";

/// No test: what the other process runs.
#[tokio::test]
async fn a_stack_of_its_own_process() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    ergon_server::run(config(Path::new(&folder)), |_| {})
        .await
        .unwrap();
}

fn start(folder: &Path) -> Child {
    let arguments = [
        "--exact",
        "crash::a_stack_of_its_own_process",
        "--nocapture",
    ];
    Command::new(std::env::current_exe().unwrap())
        .args(arguments)
        .env(FOLDER, folder)
        .spawn()
        .unwrap()
}

async fn read(path: &Path) -> String {
    let begun = std::time::Instant::now();
    loop {
        if let Ok(text) = std::fs::read_to_string(path) {
            return text.trim().to_owned();
        }
        assert!(begun.elapsed() < PATIENCE, "{} never came", path.display());
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_killed_stack_leaves_a_store_that_opens_and_containers_that_get_their_companions_back() {
    // A world only for its folders and projects.
    let world = World::new().await;
    let (serving, name) = project(&world, "survivor", &serve(), &[]).await;
    let (building, other) = project(&world, "victim", "httpd -f", &["echo begun; sleep 300"]).await;
    let _names: [&Leftovers; 2] = [&name, &other];
    let folder = world.end().await;

    let mut child = start(folder.path());
    let (http, url) = (client(), read(&folder.path().join("data/endpoint")).await);
    let token = read(&folder.path().join("data/token")).await;
    let get = async |path: String| -> Value {
        http.get(format!("{url}{path}"))
            .bearer_auth(&token)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap()
    };
    let run = async |folder: &Path| -> Value {
        let request = http
            .post(format!("{url}/api/v1/runs"))
            .bearer_auth(&token)
            .json(&json!({ "folder": folder }));
        request.send().await.unwrap().json().await.unwrap()
    };
    let until = async |path: String, wanted: &dyn Fn(&Value) -> bool| {
        let begun = std::time::Instant::now();
        while !wanted(&get(path.clone()).await) {
            assert!(begun.elapsed() < PATIENCE, "{path}");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    let (served, broken) = (run(&serving).await, run(&building).await);
    let path = |job: &Value| format!("/api/v1/jobs/{}", job["id"].as_str().unwrap());
    until(path(&served), &|job| job["state"] == "succeeded").await;
    until(format!("{}/log", path(&broken)), &|log| {
        log.to_string().contains("begun")
    })
    .await;

    child.kill().unwrap();
    assert_eq!(child.wait().unwrap().signal(), Some(9));

    let world = World::over(folder).await;
    assert_eq!(world.get(&path(&served)).await["state"], "succeeded");
    let broken = world.get(&path(&broken)).await;
    assert_eq!(broken["state"], "interrupted", "{broken:#}");
    assert!(broken["error"].is_string() && broken["remedy"].is_string());
    assert!(
        broken["steps"]
            .as_array()
            .unwrap()
            .iter()
            .all(|step| step["state"] != "running"),
        "{broken:#}"
    );
    let build = world
        .get(&format!(
            "/api/v1/builds/{}",
            broken["build_hash"].as_str().unwrap()
        ))
        .await;
    assert_eq!(build["state"], "interrupted");

    let reply = world
        .post(
            &format!("/api/v1/companions/{}-ci/message", name.0),
            json!({ "content": "how are you?" }),
        )
        .await;
    assert_eq!(reply.success()["findings"], json!([]));
    let container = world.get(&format!("/api/v1/containers/{}", name.0)).await;
    assert_eq!(container["state"], "running");

    // Nobody waits for the step any more, so it goes.
    let engine = testing::engine().await;
    let begun = std::time::Instant::now();
    let is_left = async || {
        let steps = engine
            .list(&[("dev.ergon.build-step", "true")], true)
            .await
            .unwrap();
        let owner = format!(":{}", child.id());
        steps.iter().any(|step| {
            step.labels
                .get("dev.ergon.build-step.owner")
                .is_some_and(|label| label.ends_with(&owner))
        })
    };
    while is_left().await {
        assert!(
            begun.elapsed() < PATIENCE,
            "a step's container stays behind"
        );
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    world.end().await;
}

#[tokio::test]
async fn a_stack_that_is_told_to_end_ends_well_with_work_under_way() {
    let world = World::new().await;
    let (folder, _name) = project(&world, "ending", "httpd -f", &["echo begun; sleep 300"]).await;
    let job = world
        .post("/api/v1/runs", json!({ "folder": folder }))
        .await
        .success();
    let path = format!("/api/v1/jobs/{}", job["id"].as_str().unwrap());
    world
        .until(&format!("{path}/log"), |log| {
            log.to_string().contains("begun")
        })
        .await;
    let world = World::over(world.end().await).await;
    assert_eq!(world.get(&path).await["state"], "interrupted");
    world.end().await;
}
