//! Builds that are made twice: those that must come out the same, and one that cannot.

use serde_json::{Value, json};

use crate::world::{Project, World, ecosystems};

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

/// A project whose dependencies are locked, by ecosystem.
fn locked_is_proven(name: &str) {
    let mut world = World::new();
    let folder = world.path(&format!("projects/{name}"));
    World::copy(&ecosystems().join("../locked").join(name), &folder);
    if !folder.join("ergon.json").exists() {
        world
            .ergon(["manifest", "init", folder.to_str().unwrap()])
            .succeeds();
    }
    let project = world.adopt(folder);
    proven(&world, &project);
}

#[test]
#[ignore = "takes minutes: `make test-all`"]
fn pnpm_is_proven() {
    locked_is_proven("pnpm");
}

#[test]
#[ignore = "compiles, and takes minutes: `make test-all`"]
fn a_native_module_of_node_is_proven() {
    // Its headers are Debian's; what npm would fetch from elsewhere for that is not there.
    locked_is_proven("native");
}

#[test]
#[ignore = "takes minutes: `make test-all`"]
fn uv_is_proven() {
    locked_is_proven("uv");
}

#[test]
#[ignore = "takes minutes: `make test-all`"]
fn poetry_is_proven() {
    locked_is_proven("poetry");
}

#[test]
#[ignore = "its base is made for `make test-all` only"]
fn composer_is_proven() {
    // With a suffix of its own: Debian's Composer makes one up otherwise, each time another.
    locked_is_proven("composer");
}

#[test]
#[ignore = "compiles: `make test-all`"]
fn bundler_with_an_extension_in_c_is_proven() {
    locked_is_proven("bundler");
}

/// A manifest that runs commands over Python's image.
fn commands(commands: &[&str]) -> String {
    manifest("python:3.11-slim", "python", &[], commands)
}

fn manifest(base: &str, language: &str, packages: &[&str], commands: &[&str]) -> String {
    json!({
        "manifest_version": "1.0",
        "applications": { "web": {
            "type": language, "language": language, "system_packages": packages,
            "build_commands": commands, "run_command": "sleep 1000"
        } },
        "containers": { "web": { "base_image": base, "applications": ["web"] } }
    })
    .to_string()
}

/// Whether a second build runs in namespaces, where directories can be told in another order.
#[expect(clippy::print_stderr, reason = "a test that is passed over says so")]
fn namespaces_are_here() -> bool {
    let here = rustix::process::geteuid().is_root();
    if !here {
        eprintln!("SKIPPED: sandboxes of namespaces are tested as root");
    }
    here
}

/// What is built with this command over Python's image, and has come out the same twice.
fn command_is_proven(packages: &[&str], commands: &[&str]) {
    let mut world = World::new();
    let manifest = manifest("python:3.11-slim", "python", packages, commands);
    let project = world.written(&[("ergon.json", &manifest)]);
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
    let manifest = commands(&[
        "date > built && echo steady > steady",
        "tar cf pages.tar built",
    ]);
    let project = world.written(&[("ergon.json", &manifest)]);
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

/// Three ways to tell what is in a folder, and one that sorts.
const LISTINGS: [&str; 5] = [
    "mkdir -p made/sub && cd made && touch one two three four sub/x sub/y sub/z",
    "ls -U made > listed",
    "find made > found",
    "python3 -c 'import os; print(os.listdir(\"made\"))' > told",
    "find made | LC_ALL=C sort > sorted",
];

#[test]
fn what_takes_the_order_of_a_directory_fails_and_is_named() {
    if !namespaces_are_here() {
        return;
    }
    let mut world = World::with_own_cache();
    let project = world.written(&[("ergon.json", &commands(&LISTINGS))]);
    let ended = world
        .ergon(["build", project.path(), "--verify", "--json"])
        .run();
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    let differences = report["differences"].as_array().unwrap();
    let said: Vec<(&str, &str)> = differences
        .iter()
        .map(|difference| {
            assert!(difference["fix"].as_str().unwrap().starts_with("sort what"));
            (
                difference["path"].as_str().unwrap(),
                difference["cause"].as_str().unwrap(),
            )
        })
        .collect();
    let order = "order of a directory";
    let expected = [
        ("app/listed", order),
        ("app/found", order),
        ("app/told", order),
    ];
    assert_eq!(said, expected, "{report:#}");

    let sorted = [LISTINGS[0], LISTINGS[4]];
    let project = world.written(&[("ergon.json", &commands(&sorted))]);
    proven(&world, &project);
}

#[test]
fn a_large_directory_is_told_whole_the_other_way_round() {
    if !namespaces_are_here() {
        return;
    }
    let mut world = World::with_own_cache();
    // More than one call tells; by two programs at once; to be begun again; and while it shrinks.
    let project = world.written(&[(
        "ergon.json",
        &commands(&[
            "mkdir many && cd many && seq 1 9000 | xargs touch",
            "(find many | wc -l > count) & python3 -c 'import os; print(len(set(os.listdir(\"many\"))))' > set; wait; ls many | md5sum > sum",
            "rm -r many",
        ]),
    )]);
    proven(&world, &project);
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
    let second = |name: &str| {
        let mut named = conditions.iter().filter(|one| one["name"] == name);
        let condition = named.next();
        condition.unwrap_or_else(|| panic!("{name} in {conditions:?}"))["second"].as_str()
    };
    for name in ["clock", "folder", "umask", "locale", "time zone"] {
        assert!(second(name).is_some(), "{name} in {conditions:?}");
    }
    if rustix::process::geteuid().is_root() {
        // Made in the engine, made again in namespaces: one digest from both sandboxes.
        assert_eq!(second("sandbox"), Some("Linux namespaces"));
        assert_eq!(second("order of directories"), Some("reversed"));
    }
}
