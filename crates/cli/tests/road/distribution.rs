//! The registry of a stack, judged by the official conformance suite and used by other people's clients.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::clients::{oras_is_here, python};
use crate::outputs::Built;
use crate::tools::{is_here, tool, tool_in};
use crate::world::{Stack, World};

/// Names the program that `conformance/` of opencontainers/distribution-spec is built into.
const SUITE: &str = "ERGON_DISTRIBUTION_CONFORMANCE";

/// What the suite can be asked for and is off unless it is; everything but SPARSE is on.
const CATEGORIES: [&str; 4] = [
    "OCI_API_BLOBS_DIGEST_HEADER",
    "OCI_API_BLOBS_UPLOAD_CANCEL",
    "OCI_API_MANIFESTS_DIGEST_HEADER",
    "OCI_API_MANIFESTS_TAG_PARAM",
];

/// Where the registry of a stack is, and what opens it.
pub struct Place {
    pub address: String,
    pub token: String,
    /// With what clients of registries read as credentials.
    credentials: PathBuf,
}

impl Place {
    pub fn of(world: &World, _stack: &Stack<'_>) -> Self {
        let read = |name: &str| std::fs::read_to_string(world.data().join(name)).unwrap();
        let address = read("endpoint").trim().replace("http://", "");
        let token = read("token").trim().to_owned();
        let folder = world.path("credentials");
        std::fs::create_dir_all(&folder).unwrap();
        let credentials = folder.join("config.json");
        let auth = json!({ "auths": { &address: { "auth": base64(&format!("ergon:{token}")) } } });
        std::fs::write(&credentials, auth.to_string()).unwrap();
        Self {
            address,
            token,
            credentials,
        }
    }

    fn user(&self) -> String {
        format!("ergon:{}", self.token)
    }

    fn authfile(&self) -> String {
        format!("--authfile={}", self.credentials.display())
    }
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

#[test]
fn the_official_conformance_suite_finds_nothing() {
    let Some(suite) = std::env::var_os(SUITE) else {
        eprintln!("SKIPPED: {SUITE} names no program; CONTRIBUTING.md says how the suite is built");
        return;
    };
    let world = World::new();
    let stack = world.up();
    let place = Place::of(&world, &stack);
    let mut command = Command::new(suite);
    command
        .current_dir(world.path(""))
        .env("OCI_CONFIGURATION", "/dev/null")
        .env("OCI_RESULTS_DIR", world.path("results"))
        .env("OCI_LOG", "error")
        .env("OCI_TLS", "disabled")
        .env("OCI_REGISTRY", &place.address)
        .env("OCI_USERNAME", "ergon")
        .env("OCI_PASSWORD", &place.token)
        .envs(CATEGORIES.map(|category| (category, "true")));
    let output = command.output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    let count = |what: &str| {
        let lines = printed
            .lines()
            .skip_while(|line| !line.starts_with("OCI Conformance Result"));
        let mut counts = lines.filter_map(|line| line.trim().split_once("..."));
        let (_, count) = counts
            .find(|(name, _)| name.trim_end_matches('.') == what)
            .unwrap();
        count
            .trim_start_matches(['.', ':', ' '])
            .parse::<u32>()
            .unwrap()
    };
    let wrong: Vec<&str> = printed
        .lines()
        .filter(|line| line.contains(": FAIL") || line.contains(": Skip") || line.contains("  - "))
        .collect();
    assert_eq!(
        (count("FAIL"), count("Error"), count("Skip")),
        (0, 0, 0),
        "{wrong:#?}"
    );
    assert!(
        printed.contains("OCI Conformance Result: Pass"),
        "{printed}"
    );
    assert!(count("Total") > 900, "{printed}");
}

#[test]
fn docker_pushes_and_pulls() {
    if !is_here("docker", &["version"]) {
        return;
    }
    let world = World::with_busybox_only();
    let stack = world.up();
    let place = Place::of(&world, &stack);
    let image = format!("{}/team/docker:1", place.address);
    let config = format!("--config={}", place.credentials.parent().unwrap().display());
    let docker = |arguments: &[&str]| {
        let arguments = [config.as_str()]
            .into_iter()
            .chain(arguments.iter().copied());
        tool("docker", arguments).trim().to_owned()
    };
    let removed = Removed(&image);
    let tar = world.path("busybox.tar");
    let id = docker(&["import", tar.to_str().unwrap(), &image]);
    docker(&["push", "--quiet", &image]);
    docker(&["rmi", "--force", &image]);
    docker(&["pull", "--quiet", &image]);
    assert_eq!(
        docker(&["image", "inspect", "--format", "{{.Id}}", &image]),
        id
    );
    // Nobody else's credentials do.
    let refused = Command::new("docker")
        .args(["push", &image])
        .output()
        .unwrap();
    assert!(!refused.status.success());
    drop(removed);
}

/// An image that the engine has no more once a test ends.
pub struct Removed<'name>(pub &'name str);

impl Drop for Removed<'_> {
    fn drop(&mut self) {
        let _ = Command::new("docker")
            .args(["rmi", "--force", self.0])
            .output();
    }
}

#[test]
fn docker_logs_in_with_a_token() {
    if !is_here("docker", &["version"]) {
        return;
    }
    let world = World::new();
    let stack = world.up();
    let place = Place::of(&world, &stack);
    let config = format!("--config={}", world.path("docker").display());
    let login = |password: &str| {
        let login = ["login", "--username=ergon", "--password-stdin"];
        let program = world.program("docker", [config.as_str()].into_iter().chain(login));
        program.arg(&place.address).run_with_input(password)
    };
    assert_ne!(login("wrong").code, Some(0));
    let ended = login(&place.token);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

#[test]
fn skopeo_copies_lists_inspects_and_deletes() {
    if !is_here("skopeo", &["--version"]) {
        return;
    }
    let world = World::with_busybox_only();
    let stack = world.up();
    let place = Place::of(&world, &stack);
    let built = Built::in_world(&world, "skopeo\n");
    let there = format!("docker://{}/team/skopeo", place.address);
    let digest = built.report["image_digest"].as_str().unwrap();
    let user = place.user();
    let skopeo = |arguments: &[&str]| tool("skopeo", arguments);
    let target = ["--dest-tls-verify=false", "--dest-creds", &user];
    let source = ["--src-tls-verify=false", "--src-creds", &user];
    let one = ["--tls-verify=false", "--creds", &user];
    let copy = ["--insecure-policy", "copy", "--quiet"];
    for tag in ["1", "2"] {
        let to = format!("{there}:{tag}");
        skopeo(&[&copy[..], &target, &[&built.oci(), &to]].concat());
    }
    // As Docker has it: another manifest for the same layers.
    let (from, to) = (built.oci(), format!("{there}:docker"));
    skopeo(&[&copy[..], &target, &["--format=v2s2", &from, &to]].concat());
    let tags = skopeo(&[&["list-tags"][..], &one, &[&there]].concat());
    let tags: Value = serde_json::from_str(&tags).unwrap();
    assert_eq!(tags["Tags"], json!(["1", "2", "docker"]));
    let named = format!("{there}:1");
    let seen = skopeo(&[&["inspect"][..], &one, &[&named]].concat());
    let seen: Value = serde_json::from_str(&seen).unwrap();
    assert_eq!(seen["Digest"], digest);
    // Within the registry, nothing has to be sent again; out of it, all of it is checked.
    let other = format!("docker://{}/other/skopeo:1", place.address);
    skopeo(&[&copy[..], &source, &target, &[&named, &other]].concat());
    let layout = format!("oci:{}:pulled", world.path("pulled").display());
    let by_digest = format!("docker://{}/other/skopeo@{digest}", place.address);
    skopeo(&[&copy[..], &source, &[&by_digest, &layout]].concat());
    let pulled = skopeo(&["inspect", &layout]);
    let pulled: Value = serde_json::from_str(&pulled).unwrap();
    assert_eq!(pulled["Digest"], digest);
    skopeo(&[&["delete"][..], &one, &[&named]].concat());
    let gone = ["inspect", "--tls-verify=false", "--creds", &user, &named];
    let gone = Command::new("skopeo").args(gone).output().unwrap();
    assert!(!gone.status.success());
    skopeo(&[&["inspect"][..], &one, &[&other]].concat());
}

#[test]
fn two_clients_push_on_one_tag_at_once_and_one_of_them_has_it() {
    if !is_here("skopeo", &["--version"]) {
        return;
    }
    let world = World::with_busybox_only();
    let stack = world.up();
    let place = Place::of(&world, &stack);
    let user = place.user();
    let there = format!("docker://{}/team/contested", place.address);
    let layouts: Vec<(PathBuf, String)> = ["one", "two"]
        .map(|name| {
            let layout = world.path(&format!("contested/{name}"));
            let page = world.page(name, name);
            let report = world
                .ergon(["build", page.to_str().unwrap(), "--json"])
                .arg(format!("--output=oci:{}", layout.display()))
                .json();
            let digest = report["image_digest"].as_str().unwrap().to_owned();
            (layout, digest)
        })
        .into();
    for _ in 0..5 {
        let mut pushes: Vec<_> = layouts
            .iter()
            .map(|(layout, _)| {
                let from = format!("oci:{}", layout.display());
                let to = format!("{there}:latest");
                let copy = [
                    "--insecure-policy",
                    "copy",
                    "--quiet",
                    "--dest-tls-verify=false",
                ];
                let arguments = [&copy[..], &["--dest-creds", &user, &from, &to]].concat();
                world.program("skopeo", arguments).spawn()
            })
            .collect();
        for push in &mut pushes {
            assert!(push.wait().unwrap().success());
        }
        let one = ["--tls-verify=false", "--creds", &user];
        let inspect = |name: &str| -> Value {
            let seen = tool("skopeo", [&["inspect"][..], &one, &[name]].concat());
            serde_json::from_str(&seen).unwrap()
        };
        let digests: Vec<&str> = layouts.iter().map(|(_, digest)| digest.as_str()).collect();
        assert_ne!(digests[0], digests[1]);
        let latest = inspect(&format!("{there}:latest"));
        let latest = latest["Digest"].as_str().unwrap();
        assert!(digests.contains(&latest), "{latest} is none of {digests:?}");
        for digest in digests {
            inspect(&format!("{there}@{digest}"));
        }
    }
}

#[test]
fn oras_pushes_and_pulls_an_artifact() {
    if !oras_is_here() {
        return;
    }
    let world = World::new();
    let stack = world.up();
    let place = Place::of(&world, &stack);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/road/artifact.py");
    let folder = world.path("artifact");
    std::fs::create_dir_all(&folder).unwrap();
    let said = python(&[
        script.to_str().unwrap(),
        &place.address,
        &place.token,
        folder.to_str().unwrap(),
    ]);
    let printed = String::from_utf8_lossy(&said.stdout);
    let why = String::from_utf8_lossy(&said.stderr);
    assert!(said.status.success(), "{printed}{why}");
    assert_eq!(printed.trim(), "text ['1', '2']");
}

#[test]
#[ignore = "podman is large: make test-all"]
fn podman_logs_in_pushes_and_pulls() {
    if !is_here("podman", &["--version"]) {
        return;
    }
    let world = World::with_busybox_only();
    let stack = world.up();
    let place = Place::of(&world, &stack);
    let (root, state) = (world.path("podman"), world.path("podman-state"));
    let own = [
        "--root",
        root.to_str().unwrap(),
        "--runroot",
        state.to_str().unwrap(),
        "--storage-driver=vfs",
        "--cgroup-manager=cgroupfs",
    ];
    let podman =
        |arguments: &[&str]| tool_in(&world.path(""), "podman", own.iter().chain(arguments));
    let built = Built::in_world(&world, "podman\n");
    podman(&["load", "--quiet", "--input", "out/page.tar"]);
    let there = format!("{}/team/podman:1", place.address);
    let login = [
        "login",
        "--username=ergon",
        "--password-stdin",
        "--tls-verify=false",
    ];
    let authfile = format!("--authfile={}", world.path("podman.json").display());
    let program = world.program("podman", own.iter().chain(&login));
    let login = program.arg(&authfile).arg(&place.address);
    let login = login.run_with_input(&place.token);
    assert_eq!(login.code, Some(0), "{}", login.stderr);
    let insecure = ["--quiet", "--tls-verify=false", &authfile];
    podman(&[&["push"][..], &insecure, &[built.tag(), &there]].concat());
    podman(&["rmi", "--all", "--force"]);
    podman(&[&["pull"][..], &insecure, &[&there]].concat());
    let id = podman(&["image", "inspect", "--format", "{{.Id}}", &there]);
    assert_eq!(format!("sha256:{}", id.trim()), built.image_id());
}

#[test]
#[ignore = "buildah is large: make test-all"]
fn buildah_pushes_and_starts_from_what_it_pushed() {
    if !is_here("buildah", &["--version"]) {
        return;
    }
    let world = World::with_busybox_only();
    let stack = world.up();
    let place = Place::of(&world, &stack);
    let (root, state) = (world.path("buildah"), world.path("buildah-state"));
    let own = [
        "--root",
        root.to_str().unwrap(),
        "--runroot",
        state.to_str().unwrap(),
        "--storage-driver=vfs",
    ];
    let buildah =
        |arguments: &[&str]| tool_in(&world.path(""), "buildah", own.iter().chain(arguments));
    let built = Built::in_world(&world, "buildah\n");
    let layout = format!("oci:out/layout:{}", built.tag());
    let authfile = place.authfile();
    let insecure = ["--quiet", "--tls-verify=false", &authfile];
    let there = format!("docker://{}/team/buildah:1", place.address);
    let container = buildah(&["from", "--quiet", &layout]);
    let committed = [
        "commit",
        "--quiet",
        "--format=oci",
        container.trim(),
        "changed",
    ];
    buildah(&committed);
    buildah(&[&["push"][..], &insecure, &["changed", &there]].concat());
    let again = buildah(&[&["from"][..], &insecure, &[&there]].concat());
    let run = [
        "run",
        "--isolation=chroot",
        again.trim(),
        "cat",
        "/app/page.txt",
    ];
    assert_eq!(buildah(&run), "buildah\n");
}
