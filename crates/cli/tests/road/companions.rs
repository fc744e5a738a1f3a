//! Companions of containers that Ergon did not start, and of what was there before it.

use crate::world::{World, docker, eventually};

#[test]
fn a_container_that_ergon_did_not_start_is_given_a_companion() {
    let mut world = World::new();
    let name = format!("road-stranger-{}", std::process::id());
    world.will_remove(&name);
    docker([
        "run",
        "--detach",
        "--name",
        &name,
        "debian:bookworm-slim",
        "sleep",
        "600",
    ]);
    let _stack = world.up();
    let companion = format!("{name}-mind");
    world
        .ergon([
            "companion",
            "launch",
            "--container",
            &name,
            "--name",
            &companion,
        ])
        .succeeds();
    let list = world.ergon(["companion", "list", "--json"]).json();
    let entry = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|entry| entry["name"] == companion.as_str())
        .unwrap();
    let socket = std::path::Path::new(entry["socket"].as_str().unwrap());
    let id = docker(["inspect", "--format", "{{.Id}}", &name]);
    assert_eq!(
        socket.file_name().unwrap().to_str().unwrap(),
        format!("ci_{}.sock", &id[..12])
    );
    assert!(socket.exists());

    let containers = world.aish(["list", "type", "container", "json"]).json();
    let named = |list: &serde_json::Value| {
        let items = list["items"].as_array().unwrap();
        items
            .iter()
            .any(|entry| entry["name"] == companion.as_str())
    };
    assert!(named(&containers));
    assert!(!named(
        &world.aish(["list", "type", "stack", "json"]).json()
    ));
    let status = world.aish(["status", "--json"]).json();
    assert!(status["up"].as_u64().unwrap() >= 2, "{status}");
    let refused = world.aish(["list", "type", "wizard"]).ends_with(2);
    assert!(
        refused.stderr.contains("there is no type wizard"),
        "{}",
        refused.stderr
    );

    let reply = world.aish([&companion, "how are you?", "--json"]).json();
    assert!(!reply["content"].as_str().unwrap().is_empty());
    docker(["rm", "--force", &name]);
    eventually("the companion to leave", || {
        let list = world.aish(["list"]).succeeds();
        (!list.stdout.contains(&companion)).then_some(())
    });
    eventually("its socket to go", || (!socket.exists()).then_some(()));
}
