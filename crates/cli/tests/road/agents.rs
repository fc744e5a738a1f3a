//! Agents of others: the official clients of the Model Context Protocol and of Agent2Agent, as people use them.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::world::World;

fn tools(kind: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../target/tools")
        .join(kind)
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/road/agents")
        .join(name)
}

/// What a client says once it has found everything as it should be.
fn finds(world: &World, command: &mut Command) -> String {
    let ended = command.env("ERGON_DATA", world.data()).output().unwrap();
    let said = String::from_utf8_lossy(&ended.stdout).into_owned();
    let complained = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{said}{complained}");
    said
}

#[test]
fn the_python_client_uses_the_stack_in_both_revisions() {
    let packages = tools("agents-python");
    if !packages.join("mcp").is_dir() {
        eprintln!(
            "SKIPPED: no Python client of MCP here; dev/setup --test installs it (mcp on PyPI)"
        );
        return;
    }
    let world = World::new();
    let _stack = world.up();
    let mut command = Command::new("python3");
    command
        .arg(script("agent.py"))
        .arg(env!("CARGO_BIN_EXE_ergon"));
    let said = finds(&world, command.env("PYTHONPATH", packages));
    assert!(said.contains("auto ") && said.contains("legacy "), "{said}");
}

#[test]
fn the_python_client_of_agent2agent_finds_the_cards_and_is_answered() {
    let packages = tools("agents-a2a");
    if !packages.join("a2a").is_dir() {
        eprintln!(
            "SKIPPED: no Python client of Agent2Agent here; dev/setup --test installs it (a2a-sdk on PyPI)"
        );
        return;
    }
    let world = World::new();
    let _stack = world.up();
    let read = |name: &str| std::fs::read_to_string(world.data().join(name)).unwrap();
    let mut command = Command::new("python3");
    command
        .arg(script("agent2agent.py"))
        .arg(read("endpoint").trim())
        .arg(read("token").trim());
    let said = finds(&world, command.env("PYTHONPATH", packages));
    for way in ["streaming ", "whole ", "older "] {
        assert!(said.contains(way), "{said}");
    }
}

#[test]
fn the_typescript_client_and_the_inspector_use_the_stack() {
    let packages = tools("agents-node");
    let programs = packages.join("node_modules/.bin");
    if !programs.join("mcp-inspector").exists() {
        eprintln!(
            "SKIPPED: no TypeScript client of MCP here; dev/setup --test installs it (from npm)"
        );
        return;
    }
    let world = World::new();
    let _stack = world.up();
    let read = |name: &str| std::fs::read_to_string(world.data().join(name)).unwrap();
    let path = std::env::join_paths(
        std::iter::once(programs.clone())
            .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
    );
    let path = path.unwrap();
    // A module is looked for beside whoever imports it.
    let agent = packages.join("agent.mjs");
    std::fs::copy(script("agent.mjs"), &agent).unwrap();
    let mut command = Command::new(programs.join("node"));
    command
        .arg(agent)
        .arg(env!("CARGO_BIN_EXE_ergon"))
        .arg(format!("{}/mcp", read("endpoint").trim()))
        .arg(read("token").trim());
    let said = finds(&world, command.env("PATH", &path));
    assert!(said.contains("stdio ") && said.contains("http "), "{said}");
    let mut command = Command::new(programs.join("mcp-inspector"));
    command
        .args([
            "--cli",
            env!("CARGO_BIN_EXE_ergon"),
            "mcp",
            "--method",
            "tools/call",
        ])
        .args(["--tool-name", "list_projects"]);
    let said = finds(&world, command.env("PATH", &path));
    let answer: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(answer["structuredContent"]["items"], serde_json::json!([]));
}
