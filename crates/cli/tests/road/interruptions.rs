//! What is cut off in the middle leaves nothing half-written.

use crate::world::{World, contents, docker, eventually, signal};

#[test]
fn a_stack_killed_in_a_build_comes_back_with_its_companions() {
    let mut world = World::with_own_cache();
    let running = world.example("express");
    let building = world.example("fastapi");
    let stack = world.up();
    world.ergon(["run", running.path(), "--json"]).json();

    let mut cut_off = world.ergon(["run", building.path()]).spawn();
    eventually("the build to be at work", || {
        let jobs = world.ergon(["job", "list", "--json"]).json();
        let steps = jobs["items"][0]["steps"].as_array().unwrap();
        steps
            .iter()
            .any(|step| step["name"] == "install" && step["state"] == "running")
            .then_some(())
    });
    stack.kill();
    assert!(!cut_off.wait().unwrap().success());

    let _again = world.up();
    let jobs = world.ergon(["job", "list", "--json"]).json();
    assert_eq!(jobs["items"][0]["state"], "interrupted", "{jobs}");
    eventually("the companion to be back", || {
        let list = world.aish(["list", "--json"]).json();
        list["items"]
            .as_array()
            .unwrap()
            .iter()
            .any(|entry| entry["name"] == running.companion.as_str())
            .then_some(())
    });
    world.aish([&running.companion, "how are you?"]).succeeds();
    let whole = world.ergon(["run", building.path(), "--json"]).json();
    assert_eq!(whole["state"], "healthy");
}

#[test]
fn ctrl_c_cancels_a_run_and_says_so() {
    let mut world = World::with_own_cache();
    let project = world.example("express");
    let _stack = world.up();
    let child = world.ergon(["run", project.path()]).spawn();
    eventually("the run to be at work", || {
        let jobs = world.ergon(["job", "list", "--json"]).json();
        let steps = jobs["items"][0]["steps"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        steps
            .iter()
            .any(|step| step["name"] == "install" && step["state"] == "running")
            .then_some(())
    });
    signal(&child, "INT");
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(1));
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(said.contains("interrupted"), "{said}");
    eventually("the job to be cancelled", || {
        let jobs = world.ergon(["job", "list", "--json"]).json();
        (jobs["items"][0]["state"] == "cancelled").then_some(())
    });
}

#[test]
fn ctrl_c_in_a_build_leaves_nothing_half_written() {
    use std::io::{BufRead as _, BufReader};

    let world = World::with_own_cache();
    let folder = world.plain_example("express");
    let before = contents(&folder);
    let mut child = world
        .ergon(["build", folder.to_str().unwrap(), "--verbose"])
        .spawn();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
    // The first line a step wrote.
    assert!(said.by_ref().any(|line| line.unwrap().starts_with("    ")));
    signal(&child, "INT");
    let rest: Vec<String> = said.map(Result::unwrap).collect();
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert!(
        rest.iter().any(|line| line.contains("cancelled")),
        "{rest:?}"
    );
    assert_eq!(contents(&folder), before);
    assert_eq!(
        std::fs::read_dir(world.path("cache/ergon/builds"))
            .unwrap()
            .count(),
        0
    );
    eventually("the step's container to be gone", || {
        // Other tests have their own, for a while.
        let steps = docker([
            "ps",
            "--all",
            "--quiet",
            "--filter",
            "label=dev.ergon.build-step",
        ]);
        steps.is_empty().then_some(())
    });
    world.ergon(["build", folder.to_str().unwrap()]).succeeds();
}
