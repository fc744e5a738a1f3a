//! The road from a folder to a container with a companion, in a real engine.

use std::path::{Path, PathBuf};
use std::process::Command;

use ergon_engine::{ContainerSpec, testing};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;

use crate::world::World;

/// Removes what a test left in the engine, also when it fails.
pub struct Leftovers(pub String);

impl Drop for Leftovers {
    fn drop(&mut self) {
        let ids = |arguments: &[&str]| {
            let output = Command::new("docker").args(arguments).output().unwrap();
            String::from_utf8_lossy(&output.stdout)
                .split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        let label = format!("label=dev.ergon.container={}", self.0);
        for id in ids(&["ps", "-aq", "--filter", &label]) {
            ids(&["rm", "-fv", &id]);
        }
        for id in ids(&["images", "-q", &self.0]) {
            ids(&["rmi", "-f", &id]);
        }
    }
}

/// A web server out of busybox, under a name of its own.
pub async fn project(
    world: &World,
    purpose: &str,
    run_command: &str,
    build_commands: &[&str],
) -> (PathBuf, Leftovers) {
    let engine = testing::engine().await;
    let base = testing::busybox(&engine).await;
    let name = testing::unique(purpose);
    let port = port();
    let manifest = json!({
        "manifest_version": "1.0",
        "applications": { &name: {
            "type": "files", "language": "shell", "build_commands": build_commands, "run_command": run_command,
            "ports": [port], "health": { "path": "/index.html" }
        } },
        "containers": { &name: {
            "base_image": base, "applications": [&name], "ports": [port], "ci_capabilities": ["monitor"]
        } }
    });
    let folder = world.folder(
        &name,
        &[
            ("ergon.json", &manifest.to_string()),
            ("index.html", "<h1>Hello</h1>\n"),
        ],
    );
    (folder, Leftovers(name))
}

/// Tests run at the same time; each has a port of its own to publish.
fn port() -> u16 {
    20_000 + u16::try_from(std::process::id() % 10_000).unwrap()
}

pub fn serve() -> String {
    // As process 1 a program is asked to end in vain unless it listens.
    format!(
        "sh -c 'trap \"exit 0\" TERM; httpd -f -p {} -h /app & wait'",
        port()
    )
}

async fn run(world: &World, folder: &Path) -> Value {
    let job = world
        .post("/api/v1/runs", json!({ "folder": folder }))
        .await;
    assert_eq!(job.status, 202);
    world.ended(&job.success()).await
}

#[tokio::test]
async fn a_run_ends_with_a_healthy_container_and_a_companion_that_answers() {
    let world = World::new().await;
    let (folder, name) = project(&world, "road", &serve(), &[]).await;
    let before = std::fs::read_to_string(folder.join("ergon.json")).unwrap();
    let job = run(&world, &folder).await;
    assert_eq!(job["state"], "succeeded", "{job:#}");
    let steps: Vec<&str> = job["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        steps,
        [
            "source",
            "base",
            "image",
            "container",
            "companion",
            "health"
        ]
    );
    assert_eq!(
        std::fs::read_to_string(folder.join("ergon.json")).unwrap(),
        before
    );

    let result = &job["result"];
    assert_eq!(
        (&result["container"], &result["companion"]),
        (&json!(name.0), &json!(format!("{}-ci", name.0)))
    );
    assert_eq!(
        (&result["state"], &result["cached"]),
        (&json!("healthy"), &json!(false))
    );
    let published = &result["ports"][0];
    assert_eq!(
        (&published["container"], &published["address"]),
        (&json!(port()), &json!("127.0.0.1"))
    );
    let page = world
        .client
        .get(format!("http://127.0.0.1:{}/", published["host"]))
        .send()
        .await
        .unwrap();
    assert_eq!(page.text().await.unwrap(), "<h1>Hello</h1>\n");

    // The chain: from the container back to the build, from the build to the container.
    let build = world
        .get(&format!(
            "/api/v1/builds/{}",
            result["build_hash"].as_str().unwrap()
        ))
        .await;
    assert_eq!(build["images"][0]["image_digest"], result["image_digest"]);
    assert_eq!(build["containers"][0]["name"], json!(name.0));
    assert_eq!(build["job_id"], job["id"]);
    let short = &result["image_digest"].as_str().unwrap()[7..19];
    assert_eq!(
        world.get(&format!("/api/v1/registry/{short}")).await["build_hash"],
        result["build_hash"]
    );
    let tag = result["image"].as_str().unwrap();
    assert_eq!(
        world.get(&format!("/api/v1/registry/{tag}")).await["kind"],
        "build"
    );
    let manifest = build["manifest_digest"].as_str().unwrap();
    assert_eq!(
        world.get(&format!("/api/v1/registry/{manifest}")).await["kind"],
        "manifest"
    );
    let blob = world
        .data()
        .join("blobs/sha256")
        .join(&result["image_digest"].as_str().unwrap()[7..]);
    assert!(blob.exists(), "the registry holds the image itself");

    let companion = json!(format!("{}-ci", name.0));
    let reply = world
        .post(
            &format!("/api/v1/companions/{}-ci/message", name.0),
            json!({ "content": "how are you?" }),
        )
        .await
        .success();
    assert_eq!(reply["from"], companion);
    assert_eq!(reply["findings"], json!([]), "{reply:#}");
    let container = world.get(&format!("/api/v1/containers/{}", name.0)).await;
    assert_eq!(
        (&container["state"], &container["companion"]),
        (&json!("running"), &companion)
    );
    assert_eq!(
        container["services"][0]["ports"],
        json!([port()]),
        "{container:#}"
    );

    // The same again: nothing is built, the container is another one under the same name.
    let again = run(&world, &folder).await;
    assert_eq!(again["result"]["cached"], true, "{again:#}");
    assert_eq!(again["result"]["container"], json!(name.0));
    assert_eq!(again["result"]["ports"], result["ports"]);
    assert_ne!(
        world.get(&format!("/api/v1/containers/{}", name.0)).await["id"],
        container["id"]
    );
    world.end().await;
}

#[tokio::test]
async fn the_companion_is_on_its_socket_says_why_it_died_and_leaves_with_the_container() {
    let world = World::new().await;
    let (folder, name) = project(&world, "life", &serve(), &[]).await;
    let job = run(&world, &folder).await;
    assert_eq!(job["state"], "succeeded", "{job:#}");
    let companion = format!("{}-ci", name.0);
    let mine = |list: &Value| {
        list["items"]
            .as_array()
            .unwrap()
            .iter()
            .find(|entry| entry["name"] == json!(companion))
            .cloned()
    };
    let entry = mine(&world.get("/api/v1/companions").await).unwrap();
    let socket = PathBuf::from(entry["socket"].as_str().unwrap());
    let id = entry["container_id"].as_str().unwrap();
    assert_eq!(
        socket,
        world
            .data()
            .join("run")
            .join(format!("ci_{}.sock", &id[..12]))
    );
    assert_eq!(
        (&entry["capabilities"], &entry["health"]),
        (&json!(["monitor"]), &json!("up"))
    );
    let answer = said_on(&socket, "status").await;
    assert_eq!(answer["from"], json!(companion));

    let engine = testing::engine().await;
    engine.kill(id, "SIGKILL").await.unwrap();
    let path = format!("/api/v1/containers/{}", name.0);
    world
        .until(&path, |container| container["wellness"] == "stopped")
        .await;
    let reply = world
        .post(
            &format!("/api/v1/companions/{companion}/message"),
            json!({ "content": "what happened?" }),
        )
        .await
        .success();
    assert!(
        reply["content"].as_str().unwrap().contains("signal 9"),
        "{reply:#}"
    );
    let told = |list: &Value, kind: &str| {
        let subject = json!(format!("container/{}", name.0));
        list["items"]
            .as_array()
            .unwrap()
            .iter()
            .any(|event| event["type"] == kind && event["subject"] == subject)
    };
    world
        .until("/api/v1/events", |events| {
            told(events, "dev.ergon.container.died")
        })
        .await;
    world
        .until("/api/v1/events", |events| {
            told(events, "dev.ergon.container.changed")
        })
        .await;

    let started = world
        .post(&format!("{path}/start"), json!({}))
        .await
        .success();
    assert_eq!(started["state"], "running");
    world
        .until(&path, |container| container["wellness"] == "well")
        .await;

    // Removed behind our back.
    engine.remove(id, true, true).await.unwrap();
    world
        .until("/api/v1/companions", |list| mine(list).is_none())
        .await;
    assert!(!socket.exists());
    world
        .until("/api/v1/events", |events| {
            told(events, "dev.ergon.container.removed")
        })
        .await;
    world.end().await;
}

#[tokio::test]
async fn a_container_that_does_not_come_up_says_why() {
    let world = World::new().await;
    let (folder, name) = project(
        &world,
        "dies",
        "sh -c 'echo I need a database >&2; exit 3'",
        &[],
    )
    .await;
    let job = run(&world, &folder).await;
    assert_eq!(job["state"], "failed", "{job:#}");
    assert!(job["error"].as_str().unwrap().contains('3'), "{job:#}");
    assert!(
        job["remedy"]
            .as_str()
            .unwrap()
            .contains(&format!("aish {}-ci", name.0)),
        "{job:#}"
    );
    assert_eq!(job["result"]["state"], "exited");
    let log = world
        .get(&format!("/api/v1/jobs/{}/log", job["id"].as_str().unwrap()))
        .await;
    assert!(log.to_string().contains("I need a database"), "{log:#}");
    world.end().await;
}

#[tokio::test]
async fn a_step_that_fails_ends_the_job_with_its_lines() {
    let world = World::new().await;
    let (folder, _name) = project(
        &world,
        "step",
        &serve(),
        &["echo one; echo no such thing; exit 7"],
    )
    .await;
    let job = run(&world, &folder).await;
    assert_eq!(job["state"], "failed");
    assert!(
        job["error"].as_str().unwrap().contains("exit code 7"),
        "{job:#}"
    );
    let failed: Vec<&Value> = job["steps"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|step| step["state"] == "failed")
        .collect();
    assert_eq!(failed.len(), 1, "{job:#}");
    let builds = world.get("/api/v1/builds").await;
    assert_eq!(
        (
            &builds["items"][0]["state"],
            &builds["items"][0]["build_hash"]
        ),
        (&json!("failed"), &job["build_hash"])
    );
    let log = world
        .get(&format!("/api/v1/jobs/{}/log", job["id"].as_str().unwrap()))
        .await;
    let lines: Vec<&str> = log["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line["text"].as_str().unwrap())
        .collect();
    assert_eq!(lines, ["one", "no such thing"]);
    world.end().await;
}

#[tokio::test]
async fn a_job_is_cancelled_while_it_builds_and_while_it_waits() {
    let world = World::new().await;
    let (folder, _name) = project(&world, "cancel", &serve(), &["echo begun; sleep 300"]).await;
    let first = world
        .post("/api/v1/runs", json!({ "folder": folder }))
        .await
        .success();
    let second = world
        .post("/api/v1/runs", json!({ "folder": folder }))
        .await
        .success();
    let path = |job: &Value| format!("/api/v1/jobs/{}", job["id"].as_str().unwrap());
    world.printed(&first, "begun").await;
    assert_eq!(
        world.get(&path(&second)).await["state"],
        "queued",
        "one job of a project at a time"
    );
    let project = world
        .get(&format!(
            "/api/v1/projects/{}",
            first["project_id"].as_str().unwrap()
        ))
        .await;
    assert!(project["active_job"].is_object());
    let busy = world
        .delete(&format!(
            "/api/v1/projects/{}",
            first["project_id"].as_str().unwrap()
        ))
        .await;
    busy.problem(409);

    let cancelled = world
        .post(&format!("{}/cancel", path(&second)), json!({}))
        .await
        .success();
    assert_eq!(cancelled["state"], "cancelled");
    world
        .post(&format!("{}/cancel", path(&first)), json!({}))
        .await
        .success();
    let first = world.ended(&first).await;
    assert_eq!(first["state"], "cancelled", "{first:#}");
    assert_eq!(
        world.get("/api/v1/builds").await["items"][0]["state"],
        "cancelled"
    );
    world.end().await;
}

#[tokio::test]
async fn a_hand_off_writes_the_manifest_and_is_remembered() {
    let world = World::new().await;
    let (folder, name) = project(&world, "handoff", &serve(), &[]).await;
    let id = world.project(&folder).await;
    let before = std::fs::read_to_string(folder.join("ergon.json")).unwrap();
    let job = world
        .post(&format!("/api/projects/{id}/docker/handoff"), json!({}))
        .await;
    assert_eq!(job.status, 202);
    let job = world.ended(&job.success()).await;
    assert_eq!(
        (&job["state"], &job["kind"]),
        (&json!("succeeded"), &json!("handoff")),
        "{job:#}"
    );
    assert_eq!(
        std::fs::read_to_string(folder.join("ergon.json")).unwrap(),
        before,
        "what is there is used as it is"
    );
    let project = world.get(&format!("/api/v1/projects/{id}")).await;
    assert!(
        project["manifest_digest"]
            .as_str()
            .unwrap()
            .starts_with("sha256:")
    );
    assert!(project["docker_config"].is_object());
    assert_eq!(project["containers"][0]["name"], json!(name.0));
    assert_eq!(project["last_build"]["state"], "succeeded");
    world.end().await;
}

#[tokio::test]
async fn a_name_that_somebody_else_has_is_left_to_them() {
    let world = World::new().await;
    let (folder, name) = project(&world, "taken", &serve(), &[]).await;
    let engine = testing::engine().await;
    let spec = ContainerSpec {
        name: name.0.clone(),
        image: testing::busybox(&engine).await.to_owned(),
        cmd: testing::shell("sleep 600"),
        labels: [("dev.ergon.container".to_owned(), name.0.clone())].into(),
        ..ContainerSpec::default()
    };
    let stranger = engine.create_container(&spec).await.unwrap();
    engine.start(&stranger).await.unwrap();
    let job = run(&world, &folder).await;
    assert_eq!(job["state"], "succeeded", "{job:#}");
    let suffix = &job["project_id"].as_str().unwrap()[..4];
    assert_eq!(
        job["result"]["container"],
        json!(format!("{}-{suffix}", name.0))
    );
    assert!(engine.inspect(&stranger).await.unwrap().is_running());

    // A companion for the stranger: the name is the manifest's, so it has to be another one.
    let launch = async |companion: &str| {
        world
            .post(
                "/api/v1/companions/launch",
                json!({ "container": name.0, "name": companion }),
            )
            .await
    };
    let taken = launch(&format!("{}-ci", name.0)).await.problem(409);
    assert!(
        taken["detail"].as_str().unwrap().contains("held by"),
        "{taken}"
    );
    launch("../evil").await.problem(400);
    let other = format!("{}-other", name.0);
    assert_eq!(launch(&other).await.success()["health"], "up");
    launch(&other).await.problem(409);
    let reply = world
        .post(
            &format!("/api/v1/companions/{other}/message"),
            json!({ "content": "how are you?" }),
        )
        .await
        .success();
    assert_eq!(reply["from"], json!(other));
    let removed = world
        .delete(&format!("/api/v1/containers/{}", name.0))
        .await;
    assert_eq!(removed.status, 204);
    assert!(engine.inspect(&stranger).await.unwrap_err().is_not_found());
    world
        .post(
            &format!("/api/v1/companions/{other}/message"),
            json!({ "content": "?" }),
        )
        .await
        .problem(404);
    world.end().await;
}

/// What somebody answers on their socket.
async fn said_on(socket: &Path, content: &str) -> Value {
    let stream = UnixStream::connect(socket).await.unwrap();
    let (read, mut write) = stream.into_split();
    let line = format!("{}\n", json!({ "from": "test", "content": content }));
    write.write_all(line.as_bytes()).await.unwrap();
    let mut answer = String::new();
    BufReader::new(read).read_line(&mut answer).await.unwrap();
    serde_json::from_str(&answer).unwrap()
}
