//! The main road: up, run, ask, look, kill, remove, down — for each example.

use serde_json::Value;

use crate::world::{Project, Stack, World, contents, docker, eventually, http_get};

#[test]
fn a_python_service_goes_all_the_way() {
    walk("fastapi");
}

#[test]
fn a_node_service_goes_all_the_way() {
    walk("express");
}

#[test]
fn a_compiled_service_goes_all_the_way() {
    walk("go-hello");
}

fn walk(example: &str) {
    let mut world = World::new();
    let project = world.example(example);
    let before = contents(&project.folder);
    let stack = world.up();
    assert!(stack.greeting.contains("/#code="), "{}", stack.greeting);

    let ran = run(&world, &project);
    assert_eq!(contents(&project.folder), before);
    ask(&world, &project, &ran);
    look(&world, &project, &ran);
    survive_a_kill(&world, &project);
    leave(&world, &project);
    drain(stack);
}

/// Runs the folder and gets an answer from the program.
fn run(world: &World, project: &Project) -> Value {
    let ran = world.ergon(["run", project.path(), "--json"]).json();
    assert_eq!(ran["state"], "healthy", "{ran}");
    assert_eq!(ran["container"], project.container.as_str());
    assert_eq!(ran["companion"], project.companion.as_str());
    for field in ["build_hash", "image_digest", "image", "reproducibility"] {
        assert!(ran[field].is_string(), "{field} in {ran}");
    }
    let port = &ran["ports"][0];
    let address = format!("{}:{}", port["address"].as_str().unwrap(), port["host"]);
    let (status, _) = http_get(&address, "/");
    assert_eq!(status, 200);
    ran
}

/// Asks the companion in every way there is.
fn ask(world: &World, project: &Project, ran: &Value) {
    let reply = world
        .aish([&project.companion, "What's your status?", "--json"])
        .json();
    assert!(!reply["content"].as_str().unwrap().is_empty());
    assert!(
        reply["findings"].is_array() && !reply["evidence"].as_array().unwrap().is_empty(),
        "{reply}"
    );
    let piped = world
        .aish([&project.companion.to_uppercase()])
        .run_with_input("how are you?\n");
    assert_eq!(piped.code, Some(0), "{}", piped.stderr);
    assert!(!piped.stdout.is_empty());

    let everybody = world.aish(["list", "--json"]).json();
    let entry = companion(&everybody, &project.companion).unwrap();
    assert_eq!(entry["type"], "container");
    assert!(
        everybody["items"]
            .as_array()
            .unwrap()
            .iter()
            .any(|companion| companion["type"] == "tekton")
    );
    let team = world.aish(["team-chat", "anyone unwell?"]).succeeds();
    assert!(team.stdout.contains(&project.companion), "{}", team.stdout);

    let stranger = world.aish(["nobody-ci", "hello"]).ends_with(1);
    assert!(stranger.stdout.is_empty());
    assert!(
        stranger.stderr.contains(&project.companion),
        "{}",
        stranger.stderr
    );
    assert_eq!(
        ran["containers"][0]["companion"],
        project.companion.as_str()
    );
}

/// Finds it in every list.
fn look(world: &World, project: &Project, ran: &Value) {
    let containers = world.ergon(["container", "list", "--json"]).json();
    assert!(
        containers["items"]
            .as_array()
            .unwrap()
            .iter()
            .any(|entry| entry["name"] == project.container.as_str())
    );
    let shown = world
        .ergon(["container", "show", &project.container, "--json"])
        .json();
    assert!(!shown["services"].as_array().unwrap().is_empty(), "{shown}");
    world
        .ergon(["container", "show", &project.container])
        .succeeds();

    let hash = ran["build_hash"].as_str().unwrap();
    let prefix = hash.trim_start_matches("sha256:").get(..8).unwrap();
    let entry = world.ergon(["registry", "show", prefix, "--json"]).json();
    assert_eq!(entry["build_hash"], hash);
    assert_eq!(entry["containers"][0]["name"], project.container.as_str());
    let builds = world.ergon(["registry", "list"]).succeeds();
    assert!(
        builds
            .stdout
            .contains(hash.trim_start_matches("sha256:").get(..12).unwrap())
    );

    let jobs = world.ergon(["job", "list", "--json"]).json();
    let job = jobs["items"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(jobs["items"][0]["state"], "succeeded");
    world.ergon(["job", "show", &job]).succeeds();
    world.ergon(["job", "log", &job]).succeeds();
    let events = world.ergon(["events", "--json"]).json();
    assert!(
        events["items"]
            .as_array()
            .unwrap()
            .iter()
            .any(|event| event["specversion"] == "1.0")
    );
}

/// Kills the program; its companion says why it is gone.
fn survive_a_kill(world: &World, project: &Project) {
    docker(["kill", &project.container]);
    let said = eventually("the companion to say why", || {
        let reply = world
            .aish([&project.companion, "what happened?", "--json"])
            .json();
        let content = reply["content"].as_str().unwrap().to_owned();
        content.contains("137").then_some(content)
    });
    assert!(
        said.contains("signal 9") && said.contains("Not out of memory"),
        "{said}"
    );
    world
        .ergon(["container", "start", &project.container])
        .succeeds();
    eventually("the container to run again", || {
        let shown = world
            .ergon(["container", "show", &project.container, "--json"])
            .json();
        (shown["state"] == "running").then_some(())
    });
}

/// Removes the container; its companion leaves the directory.
fn leave(world: &World, project: &Project) {
    world
        .ergon(["container", "remove", &project.container])
        .succeeds();
    eventually("the companion to leave", || {
        let everybody = world.aish(["list", "--json"]).json();
        companion(&everybody, &project.companion)
            .is_none()
            .then_some(())
    });
}

fn drain(stack: Stack<'_>) {
    assert_eq!(stack.get("/healthz").0, 200);
    let ended = stack.terminate();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

fn companion<'a>(everybody: &'a Value, name: &str) -> Option<&'a Value> {
    everybody["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|companion| companion["name"] == name)
}

#[test]
fn a_project_is_added_shown_run_and_forgotten() {
    let mut world = World::new();
    let project = world.example("express");
    let _stack = world.up();
    let added = world
        .ergon(["project", "add", project.path(), "--name", "shop"])
        .succeeds();
    assert!(added.stdout.contains("shop is added"), "{}", added.stdout);
    let list = world.ergon(["project", "list"]).succeeds();
    assert!(list.stdout.contains("shop"), "{}", list.stdout);
    let shown = world.ergon(["project", "show", "shop", "--json"]).json();
    assert_eq!(shown["location"], project.path());
    world.ergon(["project", "remove", "shop"]).succeeds();
    let empty = world.ergon(["project", "list"]).succeeds();
    assert!(empty.stdout.contains("No projects yet"), "{}", empty.stdout);
    assert!(project.folder.join("server.js").exists());
}

#[test]
fn a_container_that_is_down_comes_back_at_its_address() {
    let mut first = World::new();
    let down = first.example("express");
    let _stack = first.up();
    let before = first.ergon(["run", down.path(), "--json"]).json()["ports"].clone();
    docker(["kill", &down.container]);

    // Somebody else's program wants the same port while nobody listens there.
    let mut second = World::new();
    let other = second.example("express");
    let _other_stack = second.up();
    let taken = second.ergon(["run", other.path(), "--json"]).json()["ports"].clone();
    assert_ne!(taken[0]["host"], before[0]["host"]);

    first
        .ergon(["container", "start", &down.container])
        .succeeds();
    let shown = first
        .ergon(["container", "show", &down.container, "--json"])
        .json();
    assert_eq!(shown["ports"], before);
}

#[test]
fn a_program_that_stops_at_once_is_said_to_have_with_its_last_words() {
    let mut world = World::new();
    let project = world.example("express");
    std::fs::write(
        project.folder.join("server.js"),
        "console.error('no licence found'); process.exit(3);",
    )
    .unwrap();
    let _stack = world.up();
    let failed = world.ergon(["run", project.path(), "--json"]).ends_with(1);
    let told = failed.json();
    assert!(told["error"].as_str().unwrap().contains('3'), "{told}");
    assert_eq!(told["state"], "exited", "{told}");
    assert_eq!(told["container"], project.container.as_str());
    assert!(
        failed.stderr.contains("no licence found"),
        "{}",
        failed.stderr
    );
    assert!(failed.stderr.contains("ergon job log"), "{}", failed.stderr);
}

#[test]
fn a_step_that_fails_is_shown_with_what_it_wrote_last() {
    let mut world = World::new();
    let project = world.example("express");
    let path = project.folder.join("ergon.json");
    let mut manifest: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    for application in manifest["applications"]
        .as_object_mut()
        .unwrap()
        .values_mut()
    {
        application["build_commands"] = serde_json::json!(["echo the cause >&2; exit 7"]);
    }
    std::fs::write(&path, manifest.to_string()).unwrap();
    let _stack = world.up();
    for command in ["build", "run"] {
        let failed = world.ergon([command, project.path()]).ends_with(1);
        assert!(
            failed.stderr.contains("      the cause"),
            "{command}: {}",
            failed.stderr
        );
        let error = failed
            .stderr
            .lines()
            .find(|line| line.starts_with("error:"))
            .unwrap();
        assert!(error.ends_with("exit code 7"), "{command}: {error}");
    }
}
