//! What a killed stack leaves behind, the next one puts right.

use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use ergon_engine::{Engine, testing};
use futures_util::StreamExt;
use serde_json::{Value, json};

use crate::containers::{Leftovers, project, serve};
use crate::world::{Door, PATIENCE, World, config};

/// Where the stack of another process keeps its folders.
const FOLDER: &str = "ERGON_TEST_STACK";
/// What it prints once it serves.
const READY: &str = "the stack serves";

/// No test: what the other process runs.
#[tokio::test]
async fn a_stack_of_its_own_process() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    ergon_server::run(config(Path::new(&folder)), |_| println!("{READY}"))
        .await
        .unwrap();
}

/// Starts that process, and returns once its stack serves.
pub fn start(folder: &Path) -> Child {
    serve_in(Command::new("env"), folder)
}

/// The same as a program that another one becomes.
pub fn serve_in(mut other: Command, folder: &Path) -> Child {
    let arguments = [
        "--exact",
        "crash::a_stack_of_its_own_process",
        "--nocapture",
    ];
    let mut child = other
        .arg(std::env::current_exe().unwrap())
        .args(arguments)
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(
        lines.any(|line| line.unwrap().ends_with(READY)),
        "it ended before it served"
    );
    child
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
    let door = Door::of(&folder.path().join("data"));
    let run = async |folder: &Path| {
        door.post("/api/v1/runs", json!({ "folder": folder }))
            .await
            .success()
    };
    let (served, broken) = (run(&serving).await, run(&building).await);
    let path = |job: &Value| format!("/api/v1/jobs/{}", job["id"].as_str().unwrap());
    assert_eq!(door.ended(&served).await["state"], "succeeded");
    door.printed(&broken, "begun").await;
    let engine = testing::engine().await;
    let step = step_of(&engine, child.id()).await;

    child.kill().unwrap();
    assert_eq!(child.wait().unwrap().signal(), Some(9));

    let mut happenings = engine.events(Some(jiff::Timestamp::now()));
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
    let gone = async {
        while let Some(event) = happenings.next().await {
            let event = event.unwrap();
            if event.id == step && event.action == "destroy" {
                break;
            }
        }
    };
    tokio::time::timeout(PATIENCE, gone)
        .await
        .expect("the step's container is removed");
    world.end().await;
}

/// The container of the step that a process waits for.
async fn step_of(engine: &Engine, process: u32) -> String {
    let owner = format!(":{process}");
    let steps = engine
        .list(&[(ergon_pack::STEP_LABEL, "true")], true)
        .await
        .unwrap();
    let mut ours = steps
        .into_iter()
        .filter(|step| step.labels.values().any(|label| label.ends_with(&owner)));
    ours.next().unwrap().id
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
    world.printed(&job, "begun").await;
    let world = World::over(world.end().await).await;
    assert_eq!(world.get(&path).await["state"], "interrupted");
    world.end().await;
}
