//! What cannot be done is one clear sentence and what to do.

use std::net::TcpListener;

use crate::world::{World, examples};

#[test]
fn no_stack_is_said_with_the_folder_and_the_remedy() {
    let world = World::new();
    let expected = format!(
        "no stack is running for {}; start one with `ergon up`",
        world.data().display()
    );
    for arguments in [vec!["status"], vec!["project", "list"], vec!["run", "."]] {
        let refused = world.ergon(&arguments).ends_with(1);
        assert_eq!(
            refused.stderr.trim_end(),
            format!("error: {expected}"),
            "{arguments:?}"
        );
        assert!(refused.stdout.is_empty());
    }
    let refused = world.aish(["list"]).ends_with(1);
    assert_eq!(refused.stderr.trim_end(), format!("error: {expected}"));
}

#[test]
fn a_stack_that_died_is_as_none() {
    let world = World::new();
    world.up().kill();
    let refused = world.ergon(["status"]).ends_with(1);
    assert!(
        refused.stderr.contains("no stack is running for"),
        "{}",
        refused.stderr
    );
    world.ergon(["token"]).succeeds();
}

#[test]
fn a_wrong_token_is_said_with_where_to_get_the_right_one() {
    let world = World::new();
    let _stack = world.up();
    let url = std::fs::read_to_string(world.data().join("endpoint")).unwrap();
    let refused = world
        .ergon(["status"])
        .env("ERGON_URL", url.trim())
        .env("ERGON_TOKEN", "wrong")
        .ends_with(1);
    assert!(refused.stderr.contains("ergon token"), "{}", refused.stderr);
    let token = world.ergon(["token"]).succeeds().stdout;
    let elsewhere = World::new();
    let told = elsewhere
        .ergon(["status", "--json"])
        .env("ERGON_URL", url.trim())
        .env("ERGON_TOKEN", token.trim())
        .json();
    assert_eq!(told["principal"], "owner");
}

#[test]
fn the_token_is_the_last_line_and_never_in_a_link() {
    let world = World::new();
    let stack = world.up();
    let token = world.ergon(["token"]).succeeds().stdout;
    let token = token.lines().last().unwrap();
    assert!(token.len() >= 32);
    assert!(!stack.greeting.contains(token));
    let link = world.ergon(["link"]).succeeds().stdout;
    assert!(link.contains("/#code=") && !link.contains(token), "{link}");
}

#[test]
fn a_data_folder_has_one_stack() {
    let world = World::new();
    let stack = world.up();
    let refused = world.ergon(["up", "--listen", "127.0.0.1:0"]).ends_with(1);
    let said = redacted(&world, &refused.stderr).replace(&stack.process().to_string(), "PROCESS");
    insta::assert_snapshot!(said, @r"
    error: the data folder DATA is in use by process PROCESS
     help: use that stack (`ergon status`), stop it (`kill PROCESS`), or choose another folder with --data
    ");
}

#[test]
fn a_busy_port_is_named() {
    let world = World::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let refused = world.ergon(["up", "--listen", &address]).ends_with(1);
    let port = listener.local_addr().unwrap().port().to_string();
    insta::assert_snapshot!(refused.stderr.replace(&port, "7411"), @r"
    error: 127.0.0.1:7411 is in use by another program
     help: choose another port with --listen 127.0.0.1:PORT (0 takes a free one), or see who listens: ss -ltnp sport = :7411
    ");
}

#[test]
fn a_wrong_address_is_a_matter_of_usage() {
    let world = World::new();
    let refused = world.ergon(["up", "--listen", "nonsense"]).ends_with(2);
    assert!(refused.stderr.contains("--listen"), "{}", refused.stderr);
}

#[test]
fn without_docker_there_is_no_build_in_it_and_it_says_so() {
    let world = World::with_own_cache();
    let folder = examples().join("fastapi");
    let refused = world
        .ergon(["build", "--sandbox", "engine", folder.to_str().unwrap()])
        .env("DOCKER_HOST", "unix:///nonexistent/docker.sock")
        .ends_with(1);
    let said = refused
        .stderr
        .lines()
        .skip_while(|line| !line.starts_with("error:"))
        .collect::<Vec<_>>()
        .join("\n");
    insta::assert_snapshot!(said, @r"
    error: step `pip install --no-cache-dir -r requirements.txt` needs a container engine: no container engine was found (looked at /nonexistent/docker.sock)
     help: Install one (`dev/setup`, or apt-get install docker.io), start it, or point DOCKER_HOST at one.
    ");
}

#[test]
fn without_docker_the_stack_comes_up_and_says_what_it_lacks() {
    let world = World::new();
    let _stack = world.up_with(&[("DOCKER_HOST", "unix:///nonexistent/docker.sock")]);
    let status = world.ergon(["status", "--json"]).json();
    assert_eq!(status["engine_reachable"], false, "{status}");
    let refused = world
        .ergon(["run", examples().join("fastapi").to_str().unwrap()])
        .ends_with(1);
    assert!(refused.stderr.contains("engine"), "{}", refused.stderr);
    assert!(refused.stderr.contains("help:"), "{}", refused.stderr);
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let world = World::new();
    for command in ["detect", "build", "dockerfile", "lock"] {
        let refused = world.ergon([command, "/nonexistent"]).ends_with(1);
        assert!(
            refused.stderr.contains("/nonexistent cannot be opened"),
            "{command}: {}",
            refused.stderr
        );
    }
}

#[test]
fn a_full_disk_is_said_to_be_full() {
    // Only root can make a disk so small.
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let world = World::new();
    let small = world.path("small");
    std::fs::create_dir(&small).unwrap();
    let on_small_disk = |size: &str, arguments: &[&str]| {
        let script = format!("mount -t tmpfs -o size={size} none \"$0\" && exec \"$@\"");
        let small = small.to_str().unwrap();
        let program = [
            "--mount",
            "sh",
            "-c",
            &script,
            small,
            env!("CARGO_BIN_EXE_ergon"),
        ];
        let arguments = program.into_iter().chain(arguments.iter().copied());
        world
            .program("unshare", arguments)
            .env("XDG_CACHE_HOME", small)
            .env("ERGON_DATA", format!("{small}/data"))
            .ends_with(1)
            .stderr
    };
    let example = examples().join("express");
    for said in [
        on_small_disk("8k", &["up", "--listen", "127.0.0.1:0"]),
        on_small_disk("1m", &["build", example.to_str().unwrap()]),
    ] {
        let is_said = ["disk is full", "no space"]
            .iter()
            .any(|words| said.contains(words));
        assert!(is_said, "{said}");
        assert!(
            said.contains("help:") && !said.contains("panicked"),
            "{said}"
        );
    }
}

fn redacted(world: &World, text: &str) -> String {
    text.replace(world.data().to_str().unwrap(), "DATA")
}

#[test]
fn a_docker_socket_that_may_not_be_read_is_named_with_what_to_do() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt as _;

    // Only root can become somebody who may not read it.
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let world = World::new();
    let cache = world.path("nobodys-cache");
    for folder in [world.path("."), cache.clone()] {
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o777)).unwrap();
    }
    // Where the tests are built may be a folder that nobody else can enter.
    let ergon = world.path("ergon");
    std::fs::copy(env!("CARGO_BIN_EXE_ergon"), &ergon).unwrap();
    let arguments = ["base", "import", "debian:bookworm-slim"];
    let mut program = world
        .program(ergon.to_str().unwrap(), arguments)
        .env("XDG_CACHE_HOME", cache);
    program.0.uid(65534).gid(65534);
    let refused = program.ends_with(1);
    insta::assert_snapshot!(refused.stderr, @r"
    error: permission denied on the container engine's socket /var/run/docker.sock
     help: Join the socket's group and sign in again: `sudo usermod -aG docker $USER`; or use rootless Podman.
    ");
}
