//! Projects: added, looked at, generated for, saved into, forgotten.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::world::World;

const MAIN: &str = "import os\nfrom fastapi import FastAPI\n\napp = FastAPI()\nLEVEL = os.environ[\"DATABASE_URL\"]\n";
const REQUIREMENTS: &str = "fastapi==0.115.0\nuvicorn==0.30.0\n";
const PYTHON: [(&str, &str); 2] = [("main.py", MAIN), ("requirements.txt", REQUIREMENTS)];

/// Every file of a folder with its content.
fn content(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().unwrap().is_file())
        .map(|entry| {
            (
                entry.file_name().into_string().unwrap(),
                std::fs::read(entry.path()).unwrap(),
            )
        })
        .collect();
    files.sort();
    files
}

#[tokio::test]
async fn a_folder_becomes_a_project_with_a_companion() {
    let world = World::new().await;
    let folder = world.folder("My Shop", &PYTHON);
    let project = world
        .post("/api/v1/projects", json!({ "location": folder }))
        .await;
    assert_eq!(project.status, 201);
    let project = project.success();
    assert_eq!(project["name"], "My Shop");
    assert_eq!(project["companion"], "my-shop-project");
    assert!(
        project["framework"]
            .as_str()
            .unwrap()
            .starts_with("FastAPI"),
        "{project}"
    );
    assert!(
        project["language"].as_str().unwrap().starts_with("Python"),
        "{project}"
    );
    assert_eq!(project.get("problem"), None);

    assert_eq!(world.get("/api/v1/projects").await["items"][0], project);
    assert_eq!(world.get("/api/v1/projects/My%20Shop").await, project);
    let reply = world
        .post(
            "/api/v1/companions/MY-shop-project/message",
            json!({ "content": "which language?" }),
        )
        .await;
    let reply = reply.success();
    assert_eq!(reply["from"], "my-shop-project");
    assert!(
        reply["content"].as_str().unwrap().contains("Python"),
        "{reply}"
    );
    assert!(
        reply["evidence"]
            .as_array()
            .unwrap()
            .iter()
            .any(|evidence| evidence["text"]
                .as_str()
                .unwrap()
                .contains("requirements.txt:1")),
        "{reply}"
    );

    assert_eq!(world.delete("/api/v1/projects/My%20Shop").await.status, 204);
    assert_eq!(world.get("/api/v1/projects").await["items"], json!([]));
    let left = world.get("/api/v1/companions").await;
    assert!(
        left["items"]
            .as_array()
            .unwrap()
            .iter()
            .all(|companion| companion["type"] != "project"),
        "{left}"
    );
    assert!(
        folder.join("main.py").exists(),
        "its folder is left as it is"
    );
    world.end().await;
}

#[tokio::test]
async fn a_project_is_known_once_and_by_one_name() {
    let world = World::new().await;
    let (one, other) = (
        world.folder("a/app", &PYTHON),
        world.folder("b/app", &PYTHON),
    );
    world.project(&one).await;
    let again = world
        .post("/api/v1/projects", json!({ "location": one }))
        .await
        .problem(409);
    assert!(
        again["detail"].as_str().unwrap().contains("`app`"),
        "{again}"
    );
    let link = world.folder.path().join("link");
    std::os::unix::fs::symlink(&one, &link).unwrap();
    world
        .post("/api/v1/projects", json!({ "location": link }))
        .await
        .problem(409);
    let taken = json!({ "location": other, "name": "app" });
    world.post("/api/v1/projects", taken).await.problem(409);
    let second = world
        .post("/api/v1/projects", json!({ "location": other }))
        .await
        .success();
    assert_eq!(second["name"], "app-2");
    world.end().await;
}

#[tokio::test]
async fn a_location_that_is_none_says_what_would_be() {
    let world = World::new().await;
    let refused = async |location: &str, status| {
        let problem = world
            .post("/api/v1/projects", json!({ "location": location }))
            .await
            .problem(status);
        assert!(problem["remedy"].is_string(), "{location}: {problem}");
    };
    for location in [
        "",
        "relative/path",
        "http://host/x",
        "ext::sh -c id",
        "--upload-pack=x",
        "https://a:b@host/x",
        "https://host/x?token=y",
    ] {
        refused(location, 400).await;
    }
    refused("/nonexistent/folder", 422).await;
    refused("/", 422).await;
    refused("/proc/self", 422).await;
    refused("/etc/hostname", 422).await;
    assert_eq!(world.get("/api/v1/projects").await["items"], json!([]));
    world.end().await;
}

fn git(folder: &Path, arguments: &[&str]) {
    let status = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(arguments)
        .status()
        .unwrap();
    assert!(status.success(), "git {arguments:?}");
}

#[tokio::test]
async fn a_repository_is_cloned_and_its_clone_goes_with_the_project() {
    let world = World::new().await;
    let work = world.folder("work", &PYTHON);
    git(&work, &["init", "-q", "-b", "trunk"]);
    git(&work, &["add", "."]);
    git(
        &work,
        &[
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@t",
            "commit",
            "-qm",
            "one",
        ],
    );
    let bare = world.folder.path().join("shop.git");
    git(
        &work,
        &["clone", "-q", "--bare", ".", bare.to_str().unwrap()],
    );
    let project = world
        .post(
            "/api/v1/projects",
            json!({ "location": bare, "name": "shop" }),
        )
        .await
        .success();
    let clone = Path::new(project["folder"].as_str().unwrap());
    assert!(clone.starts_with(world.data().join("projects")) && clone.join("main.py").exists());
    assert!(
        project["git"].as_str().unwrap().starts_with("trunk@"),
        "{project}"
    );
    world.delete("/api/v1/projects/shop").await.success();
    assert!(!clone.exists());
    assert!(bare.exists());
    world.end().await;
}

#[tokio::test]
async fn generating_answers_six_questions_and_writes_nothing() {
    let world = World::new().await;
    let folder = world.folder(
        "app",
        &[
            ("main.py", MAIN),
            ("requirements.txt", REQUIREMENTS),
            ("Dockerfile", "FROM mine\n"),
        ],
    );
    let id = world.project(&folder).await;
    let before = content(&folder);
    let generated = world
        .post(&format!("/api/projects/{id}/docker/generate"), json!({}))
        .await
        .success();
    assert_eq!(content(&folder), before);
    assert_eq!(
        (&generated["project_id"], &generated["project_name"]),
        (&json!(id), &json!("app"))
    );
    assert_eq!(generated["saved_to"], Value::Null);
    assert_eq!(generated["existing_dockerfile"], "FROM mine\n");
    assert_eq!(generated["existing_dockerignore"], Value::Null);
    assert!(
        generated["dockerfile"]
            .as_str()
            .unwrap()
            .contains("FROM python:"),
        "{generated:#}"
    );
    let topics: Vec<&str> = generated["answers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|answer| answer["topic"].as_str().unwrap())
        .collect();
    assert_eq!(
        topics,
        [
            "language",
            "dependencies",
            "build",
            "run",
            "ports",
            "environment"
        ]
    );
    let environment = generated["answers"][5]["facts"].to_string();
    assert!(
        environment.contains("DATABASE_URL") && environment.contains("main.py:5"),
        "{environment}"
    );

    // Lines point at facts that are there, and the line is there as well.
    let facts: Vec<u64> = generated["answers"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|answer| answer["facts"].as_array().unwrap())
        .map(|fact| fact["id"].as_u64().unwrap())
        .collect();
    let lines = generated["dockerfile"].as_str().unwrap().lines().count() as u64;
    let pointers = generated["line_facts"].as_array().unwrap();
    assert!(!pointers.is_empty());
    for pointer in pointers {
        assert!((1..=lines).contains(&pointer["line"].as_u64().unwrap()));
        assert!(
            pointer["facts"]
                .as_array()
                .unwrap()
                .iter()
                .all(|fact| facts.contains(&fact.as_u64().unwrap()))
        );
    }
    world.end().await;
}

#[tokio::test]
async fn saving_never_replaces_what_differs_unless_told() {
    let world = World::new().await;
    let folder = world.folder("app", &PYTHON);
    let id = world.project(&folder).await;
    let generated = world
        .post(&format!("/api/projects/{id}/docker/generate"), json!({}))
        .await
        .success();
    let save = async |dockerfile: &str, overwrite: bool| {
        let body = json!({ "dockerfile": dockerfile, "dockerignore": generated["dockerignore"], "overwrite": overwrite });
        world
            .post(&format!("/api/projects/{id}/docker/save"), body)
            .await
    };
    let dockerfile = generated["dockerfile"].as_str().unwrap();
    let saved = save(dockerfile, false).await.success();
    assert_eq!(saved["written"], json!([".dockerignore", "Dockerfile"]));
    assert_eq!(
        save(dockerfile, false).await.success()["written"],
        json!([])
    );
    assert_eq!(
        std::fs::read_to_string(folder.join("Dockerfile")).unwrap(),
        dockerfile
    );

    let problem = save("FROM other\n", false).await.problem(409);
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .starts_with("Dockerfile in "),
        "{problem}"
    );
    assert_eq!(
        std::fs::read_to_string(folder.join("Dockerfile")).unwrap(),
        dockerfile
    );
    save("FROM other\n", true).await.success();
    assert_eq!(
        std::fs::read_to_string(folder.join("Dockerfile")).unwrap(),
        "FROM other\n"
    );

    let project = world.get(&format!("/api/v1/projects/{id}")).await;
    assert_eq!(
        project["docker_config"]["saved_to"],
        json!(folder.join("Dockerfile"))
    );
    world.end().await;
}

#[tokio::test]
async fn a_folder_that_says_nothing_is_a_project_that_says_why() {
    let world = World::new().await;
    let folder = world.folder("empty", &[("notes.txt", "hello")]);
    let id = world.project(&folder).await;
    let project = world.get(&format!("/api/v1/projects/{id}")).await;
    assert!(project["problem"].is_string(), "{project}");
    let problem = world
        .post(&format!("/api/projects/{id}/docker/generate"), json!({}))
        .await
        .problem(422);
    assert!(
        problem["remedy"].as_str().unwrap().contains("ergon.json"),
        "{problem}"
    );
    world.end().await;
}
