//! Builds that are made twice: those that must come out the same, and one that cannot.

use serde_json::{Value, json};

use crate::world::{Project, World};

#[test]
fn python_with_wheels_is_proven() {
    let mut world = World::with_own_cache();
    let project = world.example("fastapi");
    proven(&world, &project);
}

#[test]
fn node_is_proven() {
    let mut world = World::with_own_cache();
    let project = world.example("express");
    proven(&world, &project);
}

#[test]
fn cpp_is_proven() {
    let mut world = World::new();
    let project = world.ecosystem("cpp");
    proven(&world, &project);
}

#[test]
#[ignore = "compiles Go's own library twice: `make test-all`"]
fn go_is_proven() {
    let mut world = World::with_own_cache();
    let project = world.example("go-hello");
    proven(&world, &project);
}

#[test]
#[ignore = "takes minutes: `make test-all`"]
fn every_other_ecosystem_is_proven() {
    for ecosystem in ["java", "php", "ruby", "rust", "static"] {
        let mut world = World::new();
        let project = world.ecosystem(ecosystem);
        proven(&world, &project);
    }
}

/// What is built with this command over Python's image, and has come out the same twice.
fn command_is_proven(packages: &[&str], commands: &[&str]) {
    let mut world = World::new();
    let manifest = json!({
        "manifest_version": "1.0",
        "applications": { "web": {
            "type": "python", "language": "python", "system_packages": packages,
            "build_commands": commands, "run_command": "python3 -m http.server 8000"
        } },
        "containers": { "web": {
            "base_image": "python:3.11-slim", "applications": ["web"], "ports": [8000]
        } }
    });
    let project = world.written(&[("ergon.json", &manifest.to_string())]);
    proven(&world, &project);
}

#[test]
#[ignore = "takes minutes: `make test-all`"]
fn an_extension_in_c_is_proven() {
    command_is_proven(
        &["gcc", "libc6-dev"],
        &["pip install --no-binary :all: markupsafe==2.1.5"],
    );
}

#[test]
#[ignore = "takes minutes: `make test-all`"]
fn packages_of_the_system_are_proven() {
    command_is_proven(&["nginx-light", "jq"], &["useradd --create-home someone"]);
}

#[test]
#[ignore = "takes minutes: `make test-all`"]
fn pythons_other_managers_are_proven() {
    command_is_proven(
        &[],
        &[
            "pip install uv==0.9.7 && uv pip install --system flask==3.0.3 && rm -rf /tmp/.cache",
            "pip install poetry==1.8.5",
        ],
    );
}

#[test]
fn what_takes_the_clock_fails_and_is_named() {
    let mut world = World::with_own_cache();
    let manifest = json!({
        "manifest_version": "1.0",
        "applications": { "web": {
            "type": "python", "language": "python",
            "build_commands": ["date > built && echo steady > steady", "tar cf pages.tar built"],
            "run_command": "python3 -m http.server 8000"
        } },
        "containers": { "web": {
            "base_image": "python:3.11-slim", "applications": ["web"], "ports": [8000]
        } }
    });
    let project = world.written(&[("ergon.json", &manifest.to_string())]);
    let ended = world
        .ergon(["build", project.path(), "--verify", "--json"])
        .run();
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(report["reproducibility"], "failed");
    let differences = report["differences"].as_array().unwrap();
    let of = |path: &str| {
        let found = differences
            .iter()
            .find(|difference| difference["path"] == path);
        found.unwrap_or_else(|| panic!("{path} in {report}"))
    };
    assert_eq!(of("app/built")["cause"], "a time");
    assert_eq!(
        of("app/built")["step"],
        "RUN date > built && echo steady > steady"
    );
    assert_eq!(
        of("app/pages.tar")["cause"],
        "an archive of files that differ"
    );
    assert_eq!(differences.len(), 2, "{report}");

    // It is remembered, and said by whoever looks at it again.
    let again = world.ergon(["build", project.path(), "--json"]).json();
    assert_eq!(again["reproducibility"], "failed");
    assert_eq!(again["cached"], true);
}

#[test]
fn two_images_are_compared_by_any_name() {
    let mut world = World::with_own_cache();
    let project = world.written(&[("index.html", "<h1>One</h1>\n"), ("ergon.json", SITE)]);
    let first = world.ergon(["build", project.path(), "--json"]).json();
    let layout = world.path("layout");
    let output = format!("oci:{}", layout.display());
    std::fs::write(project.folder.join("index.html"), "<h1>Two</h1>\n").unwrap();
    let second = world
        .ergon(["build", project.path(), "--json", "--output", &output])
        .json();
    let tag = first["image"].as_str().unwrap();
    let ended = world.ergon(["diff", tag, &output, "--json"]).run();
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    let page = &report["differences"][0];
    assert_eq!(
        (&page["path"], &page["line"]),
        (&json!("app/index.html"), &json!(1))
    );
    assert_eq!(page["second"], "<h1>Two</h1>");

    let hash = second["build_hash"].as_str().unwrap();
    let same = world.ergon(["diff", &hash[..12], &output]).succeeds();
    assert!(same.stdout.contains("the same image"), "{}", same.stdout);
    let nothing = world.ergon(["diff", "nowhere.invalid/x:1", tag]).run();
    assert_eq!(nothing.code, Some(1));
    assert!(
        nothing.stderr.contains("there is no image"),
        "{}",
        nothing.stderr
    );
}

const SITE: &str = r#"{
  "manifest_version": "1.0",
  "applications": { "web": { "type": "files", "language": "shell", "run_command": "sleep 1000" } },
  "containers": { "web": { "base_image": "debian:bookworm-slim", "applications": ["web"] } }
}
"#;

fn proven(world: &World, project: &Project) {
    let report = world
        .ergon(["build", project.path(), "--verify", "--json"])
        .json();
    assert_eq!(report["reproducibility"], "proven", "{report:#}");
    assert_eq!(report["differences"], json!([]));
    let conditions = report["verification"]["conditions"].as_array().unwrap();
    for name in ["clock", "folder", "umask", "locale", "time zone"] {
        assert!(
            conditions.iter().any(|condition| condition["name"] == name),
            "{name} in {conditions:?}"
        );
    }
}
