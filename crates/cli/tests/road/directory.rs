//! Registering as the guide shows it: exactly what is written there is run.

use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::world::{World, eventually};

const GUIDE: &str = include_str!("../../../../docs/directory.md");

/// What the guide has to run in this language.
fn snippet(language: &str) -> &'static str {
    let begin = format!("```{language}\n");
    let (_, rest) = GUIDE.split_once(&begin).unwrap();
    rest.split_once("```").unwrap().0
}

/// Ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn run(world: &World, program: &str, text: &str) -> Running {
    let read = |name: &str| std::fs::read_to_string(world.data().join(name)).unwrap();
    let child = Command::new(program)
        .args(["-c", text])
        .env("ERGON_URL", read("endpoint").trim())
        .env("ERGON_TOKEN", read("token").trim())
        .stdin(Stdio::null())
        // What it started for itself may outlive it for a moment.
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    Running(child.unwrap())
}

fn listed(world: &World, name: &str) -> Option<Value> {
    let list = world
        .ergon(["companion", "list", "--query", name, "--json"])
        .json();
    list["items"].as_array().unwrap().first().cloned()
}

#[test]
fn a_program_registers_in_ten_lines_of_python() {
    let world = World::new();
    let _stack = world.up();
    assert!(snippet("python").lines().count() <= 10);
    let _program = run(&world, "python3", snippet("python"));
    let entry = eventually("numa to be listed", || listed(&world, "numa"));
    assert_eq!(entry["address"], "http://127.0.0.1:8001/chat");
}

#[test]
fn a_script_registers_in_ten_lines_of_shell_and_is_gone_with_its_end() {
    let world = World::new();
    let _stack = world.up();
    assert!(snippet("sh").lines().count() <= 10);
    let program = run(&world, "sh", snippet("sh"));
    eventually("echo to be listed", || listed(&world, "echo"));
    let ended = Command::new("kill")
        .arg(program.0.id().to_string())
        .status();
    assert!(ended.unwrap().success());
    eventually("echo to have left", || {
        listed(&world, "echo").is_none().then_some(())
    });
}

#[test]
fn a_companion_is_registered_and_removed_by_hand() {
    let world = World::new();
    let _stack = world.up();
    let file = world.path("numa.json");
    std::fs::write(
        &file,
        r#"{ "name": "numa", "type": "terminal", "purpose": "to be listed" }"#,
    )
    .unwrap();
    let file = file.to_str().unwrap();
    let said = world
        .ergon(["companion", "register", file])
        .succeeds()
        .stdout;
    assert!(said.contains("numa is at its inbox for 60 s"), "{said}");
    let list = world
        .ergon(["companion", "list", "--type", "terminal"])
        .succeeds()
        .stdout;
    assert!(list.contains("numa") && list.lines().count() == 2, "{list}");
    std::fs::write(file, r#"{ "name": "numa", "type": "tool" }"#).unwrap();
    let refused = world.ergon(["companion", "register", file]).ends_with(1);
    assert!(
        refused.stderr.contains("is held by a terminal companion"),
        "{}",
        refused.stderr
    );
    world.ergon(["companion", "deregister", "NUMA"]).succeeds();
    world
        .ergon(["companion", "deregister", "numa"])
        .ends_with(1);
    let refused = world
        .ergon(["companion", "list", "--type", "robot"])
        .ends_with(1);
    assert!(refused.stderr.contains("terminal"), "{}", refused.stderr);
}
