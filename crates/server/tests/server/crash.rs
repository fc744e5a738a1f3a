//! What a killed stack leaves behind, the next one puts right.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use ergon_engine::{Engine, testing};
use futures_util::StreamExt;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::containers::{Leftovers, project, serve};
use crate::world::{Door, PATIENCE, World, config, read};

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

/// So many register at a time, and so many have to be in before the stack is killed, once and again.
const AT_A_TIME: usize = 16;
const BEFORE: [usize; 3] = [300, 700, 1200];

/// What the stack said is done.
#[derive(Default)]
struct Acknowledged {
    more: Arc<Notify>,
    came: BTreeSet<String>,
    left: BTreeSet<String>,
    said: BTreeSet<String>,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stack_that_is_killed_under_load_has_everything_it_said_is_done() {
    let folder = tempfile::tempdir().unwrap();
    let acknowledged = Arc::new(Mutex::new(Acknowledged::default()));
    let more = Arc::clone(&acknowledged.lock().unwrap().more);
    let mut names = 0..;
    for enough in BEFORE {
        let mut child = start(folder.path());
        let door = Arc::new(Door::of(&folder.path().join("data")));
        let desk = door.request(Method::PUT, "/api/v1/terminals/desk");
        read(desk).await.success();
        let mut callers: Vec<_> = (names.by_ref().take(AT_A_TIME))
            .map(|caller| {
                tokio::spawn(register(
                    Arc::clone(&door),
                    Arc::clone(&acknowledged),
                    caller,
                ))
            })
            .collect();
        let caller = names.next().unwrap();
        callers.push(tokio::spawn(say(door, Arc::clone(&acknowledged), caller)));
        while acknowledged.lock().unwrap().came.len() < enough {
            more.notified().await;
        }
        // Nobody waits for an answer: requests are on their way.
        child.kill().unwrap();
        assert_eq!(child.wait().unwrap().signal(), Some(9));
        for caller in callers {
            caller.await.unwrap();
        }
    }
    let world = World::over(folder).await;
    let there = world.get("/api/registry?type=terminal").await;
    let there: BTreeSet<String> = (there["items"].as_array().unwrap().iter())
        .map(|record| record["name"].as_str().unwrap().to_owned())
        .collect();
    let inbox = world.get("/api/v1/inboxes/desk").await.to_string();
    let acknowledged = std::mem::take(&mut *acknowledged.lock().unwrap());
    let lost: Vec<_> = acknowledged.came.difference(&there).collect();
    assert!(lost.is_empty(), "of {}: {lost:?}", acknowledged.came.len());
    let back: Vec<_> = acknowledged.left.intersection(&there).collect();
    assert!(back.is_empty(), "of {}: {back:?}", acknowledged.left.len());
    assert!(!acknowledged.left.is_empty() && !acknowledged.said.is_empty());
    for said in &acknowledged.said {
        assert!(inbox.contains(&format!("\"{said}\"")), "{said} is lost");
    }
    world.end().await;
}

/// Registers one after the other until nobody answers; every fourth leaves again.
async fn register(door: Arc<Door>, acknowledged: Arc<Mutex<Acknowledged>>, caller: usize) {
    for number in 0.. {
        let name = format!("load-{caller}-{number}");
        let record = json!({ "name": name, "type": "terminal", "ttl": 3600 });
        let asked = door.request(Method::POST, "/api/registry/register");
        match asked.json(&record).send().await {
            Ok(answer) => assert!(answer.status().is_success(), "{}", answer.status()),
            Err(_) => return,
        }
        if number % 4 > 0 {
            let mut acknowledged = acknowledged.lock().unwrap();
            acknowledged.came.insert(name);
            acknowledged.more.notify_one();
            continue;
        }
        let path = format!("/api/registry/{name}");
        match door.request(Method::DELETE, &path).send().await {
            Ok(answer) => assert!(answer.status().is_success(), "{}", answer.status()),
            Err(_) => return,
        }
        acknowledged.lock().unwrap().left.insert(name);
    }
}

/// Puts messages into an inbox until nobody answers.
async fn say(door: Arc<Door>, acknowledged: Arc<Mutex<Acknowledged>>, caller: usize) {
    // An inbox takes no more than 500.
    for number in 0..150 {
        let said = format!("message-{caller}-{number}");
        let asked = door.request(Method::POST, "/api/v1/companions/desk/message");
        match asked.json(&json!({ "content": said })).send().await {
            Ok(answer) => assert!(answer.status().is_success(), "{}", answer.status()),
            Err(_) => return,
        }
        acknowledged.lock().unwrap().said.insert(said);
    }
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
