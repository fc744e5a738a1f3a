//! What works with no stack running, and writes nothing into the folder it looks at.

use serde_json::Value;

use crate::image_registry::Registry;
use crate::world::{World, contents, docker, examples, http_get};

#[test]
fn looking_at_a_folder_writes_nothing_into_it() {
    let world = World::new();
    for example in ["fastapi", "express", "go-hello"] {
        let folder = world.plain_example(example);
        let before = contents(&folder);
        let dir = folder.to_str().unwrap();
        world.ergon(["detect", dir]).succeeds();
        world.ergon(["detect", dir, "--json"]).succeeds();
        world.ergon(["dockerfile", dir]).succeeds();
        world.ergon(["manifest", "hash", dir]).succeeds();
        world.ergon(["manifest", "check", dir]).succeeds();
        assert_eq!(contents(&folder), before, "{example}");
    }
}

#[test]
fn the_ignore_file_of_a_dockerfile_can_be_printed() {
    let world = World::new();
    let folder = world.plain_example("fastapi");
    let printed = world.ergon(["dockerfile", folder.to_str().unwrap(), "--ignore-file"]);
    let text = printed.succeeds();
    assert!(text.stdout.contains("**/.git\n"), "{}", text.stdout);
    assert!(text.stdout.contains("\nDockerfile\n"), "{}", text.stdout);
}

#[test]
fn detection_says_what_it_found_as_one_object() {
    let world = World::new();
    let found = world
        .ergon([
            "detect",
            examples().join("fastapi").to_str().unwrap(),
            "--json",
        ])
        .json();
    assert!(
        found["manifest"]["applications"]
            .as_object()
            .is_some_and(|applications| applications.len() == 1)
    );
    let facts = found["facts"].as_array().unwrap();
    assert!(
        facts
            .iter()
            .all(|fact| fact["from"].is_string() && fact["confidence"].is_string())
    );
    assert!(found["questions"].is_array());
}

#[test]
fn the_committed_manifests_of_the_examples_are_right_and_what_detection_says() {
    let world = World::new();
    for example in ["fastapi", "express", "go-hello"] {
        let folder = world.plain_example(example);
        let dir = folder.to_str().unwrap();
        let checked = world.ergon(["manifest", "check", dir, "--json"]).json();
        assert_eq!(checked["valid"], true, "{checked}");
        let written = world.ergon(["manifest", "init", dir]).succeeds();
        assert!(
            written.stdout.contains("is so already"),
            "{example}: {}",
            written.stdout
        );
    }
}

#[test]
fn an_unknown_folder_ends_in_what_to_write_by_hand() {
    let world = World::new();
    let folder = examples().join("unknown");
    let dir = folder.to_str().unwrap();
    let before = contents(&folder);

    let told = world.ergon(["detect", dir]).ends_with(2);
    assert!(told.stdout.contains("Looked for:"), "{}", told.stdout);
    assert!(told.stdout.contains("package.json"), "{}", told.stdout);
    assert!(told.stdout.contains("\"run_command\""), "{}", told.stdout);

    let found = world.ergon(["detect", dir, "--json"]).ends_with(2).json();
    assert_eq!(found["manifest"]["applications"], serde_json::json!({}));

    for command in ["build", "dockerfile"] {
        let refused = world.ergon([command, dir]).ends_with(2);
        assert!(
            refused.stderr.contains("ergon detect"),
            "{}",
            refused.stderr
        );
    }
    assert_eq!(contents(&folder), before);
}

#[test]
fn what_is_written_by_hand_as_told_is_a_manifest() {
    let world = World::new();
    let told = world
        .ergon(["detect", examples().join("unknown").to_str().unwrap()])
        .ends_with(2);
    let start = told.stdout.find("  {").unwrap();
    let end = told.stdout.rfind('}').unwrap();
    let file = world.path("ergon.json");
    std::fs::write(&file, &told.stdout[start..=end]).unwrap();
    world
        .ergon(["manifest", "check", file.to_str().unwrap()])
        .succeeds();
}

#[test]
fn a_wrong_manifest_is_shown_with_every_place() {
    let world = World::new();
    let file = world.path("ergon.json");
    let text = r#"{
  "manifest_version": "1.0",
  "applications": {
    "web": { "type": "fastapi", "language": "python", "run_comand": "x" }
  },
  "containers": {
    "web": {
      "base_image": "python:3.11-slim",
      "applications": ["web"],
      "port": 8000
    }
  }
}
"#;
    std::fs::write(&file, text).unwrap();
    let told = world
        .ergon(["manifest", "check", "ergon.json"])
        .ends_with(1);
    insta::assert_snapshot!(told.stdout, @r#"
    × ergon.json:4:55  applications.web.run_comand is not a field
      │   "web": { "type": "fastapi", "language": "python", "run_comand": "x" }
      │                                                     ──────────── did you mean `run_command`?

    × ergon.json:10:7  containers.web.port is not a field
      │   "port": 8000
      │   ────── did you mean `ports`, a list?  "ports": [8000]
    "#);
    let checked = world
        .ergon(["manifest", "check", "ergon.json", "--json"])
        .ends_with(1)
        .json();
    assert_eq!(checked["problems"].as_array().unwrap().len(), 2);
    assert_eq!(checked["problems"][1]["line"], 10);
}

#[test]
fn two_copies_of_a_python_service_built_at_two_times_are_one_image() {
    built_twice("fastapi");
}

#[test]
fn two_copies_of_a_node_service_built_at_two_times_are_one_image() {
    built_twice("express");
}

#[test]
fn two_copies_of_a_compiled_service_built_at_two_times_are_one_image() {
    built_twice("go-hello");
}

fn built_twice(example: &str) {
    // The first may have been built by an earlier test, or yesterday: the bits are the same.
    let worlds = [World::new(), World::with_own_cache()];
    let reports = worlds.each_ref().map(|world| {
        let folder = world.plain_example(example);
        let before = contents(&folder);
        let report = world
            .ergon(["build", folder.to_str().unwrap(), "--json"])
            .json();
        assert_eq!(contents(&folder), before);
        without_referrers(report)
    });
    assert_eq!(reports[1]["cached"], false, "{}", reports[1]);
    for field in ["build_hash", "image_digest", "images", "reproducibility"] {
        assert_eq!(reports[0][field], reports[1][field], "{field}");
    }
    let folder = examples().join(example);
    let hashed = worlds[0]
        .ergon(["manifest", "hash", folder.to_str().unwrap(), "--json"])
        .json();
    assert_eq!(hashed["build_hash"], reports[0]["build_hash"]);
}

/// A report without what is attached to its images, which says when and by whom each was built.
fn without_referrers(mut report: Value) -> Value {
    for image in report["images"].as_array_mut().unwrap() {
        let referrers = image.as_object_mut().unwrap().remove("referrers");
        assert!(referrers.is_some(), "{image}");
    }
    report
}

#[test]
fn an_unchanged_build_is_only_looked_up() {
    let world = World::new();
    let dir = examples().join("fastapi");
    let dir = dir.to_str().unwrap();
    world.ergon(["build", dir]).succeeds();
    let again = world.ergon(["build", dir, "--json"]).json();
    assert_eq!(again["cached"], true);
    for field in ["build_hash", "image_digest", "image", "reproducibility"] {
        assert!(again[field].is_string(), "{field} in {again}");
    }
    let image = again["image"].as_str().unwrap();
    assert!(
        docker(["image", "inspect", "--format", "{{.Config.Labels}}", image])
            .contains("dev.ergon.build.hash")
    );
}

#[test]
fn a_build_can_be_taken_along_as_an_oci_layout() {
    let world = World::new();
    let dir = examples().join("fastapi");
    let layout = world.path("layout");
    let output = format!("oci:{}", layout.display());
    let report = world
        .ergon([
            "build",
            dir.to_str().unwrap(),
            "--json",
            "--output",
            &output,
        ])
        .json();
    let index: Value =
        serde_json::from_slice(&std::fs::read(layout.join("index.json")).unwrap()).unwrap();
    assert_eq!(index["manifests"][0]["digest"], report["image_digest"]);
    let hex = report["image_digest"]
        .as_str()
        .unwrap()
        .strip_prefix("sha256:")
        .unwrap();
    assert!(layout.join("blobs/sha256").join(hex).is_file());
}

#[test]
fn pushing_sends_what_was_built_where_the_manifest_says() {
    let mut world = World::new();
    let project = world.example("express");
    let registry = Registry::start(&world);
    let path = project.folder.join("ergon.json");
    let mut manifest: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    manifest["packaging"]["registry"] = format!("{}/team", registry.address).into();
    std::fs::write(&path, manifest.to_string()).unwrap();

    let pushed = world.ergon(["push", project.path(), "--json"]).json();
    let sent = &pushed["items"][0];
    let hash = world
        .ergon(["manifest", "hash", project.path(), "--json"])
        .json();
    let tag = &hash["build_hash"]
        .as_str()
        .unwrap()
        .trim_start_matches("sha256:")[..12];
    let expected = format!("{}/team/{}:{tag}", registry.address, project.container);
    assert_eq!(sent["reference"], expected.as_str());
    let served = http_get(
        &registry.address,
        &format!("/v2/team/{}/tags/list", project.container),
    );
    assert!(served.1.contains(tag), "{served:?}");
    let again = world.ergon(["push", project.path(), "--json"]).json();
    assert_eq!(again["items"][0]["bytes_sent"], 0);
}

#[test]
fn a_manifest_that_names_no_registry_is_not_pushed() {
    let world = World::new();
    let folder = world.plain_example("express");
    let refused = world.ergon(["push", folder.to_str().unwrap()]).ends_with(1);
    assert!(
        refused.stderr.contains("\"registry\""),
        "{}",
        refused.stderr
    );
}

#[test]
fn locking_pins_what_floats_and_says_what_moved() {
    let world = World::new();
    let folder = world.plain_example("fastapi");
    let dir = folder.to_str().unwrap();
    let _ = std::fs::remove_file(folder.join("ergon.lock.json"));
    let refused = world.ergon(["build", dir, "--locked"]).ends_with(1);
    assert!(refused.stderr.contains("ergon lock"), "{}", refused.stderr);

    let locked = world.ergon(["lock", dir, "--json"]).json();
    assert!(!locked["changes"].as_array().unwrap().is_empty());
    let report = world.ergon(["build", dir, "--json", "--locked"]).json();
    assert_eq!(report["reproducibility"], "unproven");
    let again = world.ergon(["lock", dir]).succeeds();
    assert!(again.stdout.contains("nothing moved"), "{}", again.stdout);
}

#[test]
fn a_reader_that_leaves_is_no_failure() {
    use std::process::Stdio;

    let world = World::new();
    let mut program = world.ergon(["manifest", "schema"]);
    program.0.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = program.0.spawn().unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    assert!(ended.status.success());
    assert_eq!(String::from_utf8(ended.stderr).unwrap(), "");
}
