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

/// Secrets in all the places where a container has them. None of them is to be seen anywhere.
const PLANTED: [&str; 7] = [
    "planted-in-a-variable",
    "planted-in-a-url",
    "planted-in-an-argument",
    "planted-in-the-log",
    "cGxhbnRlZC1pbi1hLWtleQ",
    "planted-in-a-file",
    "planted-in-a-secret-file",
];

#[test]
fn a_bundle_and_a_look_inside_show_what_there_is_and_no_secret() {
    let mut world = World::new();
    let name = format!("road-inside-{}", std::process::id());
    world.will_remove(&name);
    let [variable, url, argument, log, key, file, hidden] = PLANTED;
    let line = format!(
        "mkdir -p /app /run/secrets; echo 'name = shop\npassword = {file}' > /app/shop.ini; \
         echo {hidden} > /run/secrets/db; ln -s /run/secrets/db /app/innocent; \
         echo 'connect with password={log}'; echo '-----BEGIN PRIVATE KEY-----'; echo {key}; \
         echo '-----END PRIVATE KEY-----'; exec perl -MIO::Socket::INET -e \
         '$s = IO::Socket::INET->new(LocalPort => 8123, Listen => 1) or die; sleep 600' -- --password={argument}"
    );
    let set_variable = format!("DB_PASSWORD={variable}");
    let set_url = format!("DATABASE_URL=postgres://shop:{url}@db/shop");
    docker([
        "run",
        "--detach",
        "--name",
        &name,
        "--env",
        &set_variable,
        "--env",
        &set_url,
        "debian:bookworm-slim",
        "sh",
        "-c",
        &line,
    ]);
    let _stack = world.up();
    world.ergon(["companion", "launch", &name]).succeeds();
    let companion = format!("{name}-ci");
    let listens = |inside: &serde_json::Value| {
        let mut sockets = inside["sockets"].as_array().unwrap().iter();
        sockets.any(|socket| socket["local"] == "*:8123")
    };
    let mut told = Vec::new();
    eventually("the program to listen", || {
        let inside = world
            .ergon(["companion", "look", &companion, "--json"])
            .json();
        let is_there = listens(&inside);
        told.push(inside.to_string());
        is_there.then_some(())
    });
    let bundle = world
        .ergon(["companion", "debug", &companion, "--output", "-"])
        .json();
    assert!(listens(&bundle), "{bundle:#}");
    let processes = bundle["processes"].as_array().unwrap();
    let command = processes[0]["command"].as_str().unwrap();
    assert!(command.contains("--password=•••"), "{command}");
    let names = bundle["environment"].as_array().unwrap();
    assert!(
        names.contains(&serde_json::json!("DB_PASSWORD")),
        "{names:?}"
    );
    let log = bundle["container"]["log"].as_array().unwrap();
    assert!(
        log.contains(&serde_json::json!("connect with password=•••")),
        "{log:?}"
    );
    told.push(bundle.to_string());

    let look = |path: &str| world.ergon(["companion", "look", &companion, path]);
    for (path, says) in [
        ("/app", "shop.ini"),
        ("/app/shop.ini", "name = shop"),
        ("/app/innocent", "looks like a secret"),
        ("/run/secrets/db", "looks like a secret"),
        ("/proc/1/environ", "the kernel's"),
        ("/../../etc/os-release", "bookworm"),
    ] {
        let shown = look(path).succeeds().stdout;
        assert!(shown.contains(says), "{path}: {shown}");
        told.push(shown);
    }
    let missing = look("/nowhere").ends_with(1);
    assert!(
        missing.stderr.contains("nothing is at /nowhere"),
        "{}",
        missing.stderr
    );
    look("etc").ends_with(1);
    // Where it does not run, the engine is asked.
    docker(["stop", "--time", "0", &name]);
    let shown = look("/app/shop.ini").succeeds().stdout;
    assert!(shown.contains("name = shop"), "{shown}");
    told.push(shown);
    told.push(look("/app/innocent").succeeds().stdout);
    for secret in PLANTED {
        let seen = told.iter().find(|text| text.contains(secret));
        assert!(seen.is_none(), "{secret} in {seen:?}");
    }
}
