//! Other people's clients of registries and engines: what Ergon sends is what they take.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::image_registry::Registry;
use crate::outputs::Built;
use crate::platforms::{self, BOTH, image, page};
use crate::tools::{is_here, tool_in};
use crate::world::{BUSYBOX, World};

/// Where `dev/setup` puts what comes from PyPI.
fn clients() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools/clients")
}

/// Python with what `dev/setup` puts there, and what came of it.
pub fn python(arguments: &[&str]) -> Output {
    let mut command = Command::new("python3");
    let command = command.env("PYTHONPATH", clients()).args(arguments);
    command.output().unwrap()
}

/// Whether oras is here; says loudly where it is not.
#[expect(clippy::print_stderr, reason = "a test that was skipped says so")]
pub fn oras_is_here() -> bool {
    let found = python(&["-c", "import oras.client"]).status.success();
    if !found {
        eprintln!("SKIPPED: no oras here; dev/setup --test installs it (from PyPI)");
    }
    found
}

/// A page for two platforms in a registry, and what the build said.
fn sent(world: &World, registry: &Registry) -> (String, Value) {
    let folder = page(world, "page", BUSYBOX, &BOTH);
    let there = format!("{}/team/page", registry.address);
    let report = world
        .ergon(["build", folder.to_str().unwrap(), "--json"])
        .arg(format!("--output=docker://{there}:1"))
        .json();
    (there, report)
}

#[test]
fn what_is_attached_is_found_and_checked_by_oras_sigstore_and_in_toto() {
    let needed =
        "import oras.client, sigstore_models, securesystemslib.signer, in_toto_attestation";
    if !python(&["-c", needed]).status.success() {
        eprintln!("SKIPPED: no oras and sigstore here; dev/setup --test installs them (from PyPI)");
        return;
    }
    let world = platforms::world();
    let registry = Registry::start(&world);
    let (there, report) = sent(&world, &registry);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/road/attestations.py");
    let key = world.data().join("signing.pub");
    let check = |digest: &str, key: &Path| {
        python(&[
            script.to_str().unwrap(),
            &there,
            digest,
            key.to_str().unwrap(),
        ])
    };
    let predicates = [
        "https://cyclonedx.org/bom",
        "https://slsa.dev/provenance/v1",
        "https://spdx.dev/Document",
    ];
    // As an OCI referrer, as cosign attaches it since 2.5, and as it did before.
    let forms = ["att", "bundle", "envelope"];
    let expected: Vec<String> = forms
        .iter()
        .flat_map(|form| predicates.map(|predicate| format!("{form} {predicate}")))
        .collect();
    for platform in BOTH {
        let digest = image(&report, platform)["image_digest"].as_str().unwrap();
        let checked = check(digest, &key);
        let said = String::from_utf8_lossy(&checked.stderr);
        assert!(checked.status.success(), "{said}");
        let printed = String::from_utf8(checked.stdout).unwrap();
        let mut printed: Vec<&str> = printed.lines().collect();
        printed.sort_unstable();
        assert_eq!(printed, expected);
    }
    // With another key it is not so.
    let other = world.path("other.pub");
    let elsewhere = ["build", "pages/page", "--data", "elsewhere"];
    world.ergon(elsewhere).succeeds();
    std::fs::copy(world.path("elsewhere/signing.pub"), &other).unwrap();
    let digest = report["image_digest"].as_str().unwrap();
    let refused = check(digest, &other);
    assert!(!refused.status.success());
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(said.contains("VerificationError"), "{said}");
}

#[test]
#[ignore = "podman is large: make test-all"]
fn podman_loads_runs_and_pulls() {
    if !is_here("podman", &["--version"]) || !is_here("runc", &["--version"]) {
        return;
    }
    let world = platforms::world();
    let (root, state) = (world.path("podman"), world.path("podman-state"));
    let own = [
        "--root",
        root.to_str().unwrap(),
        "--runroot",
        state.to_str().unwrap(),
        "--storage-driver=vfs",
        "--cgroup-manager=cgroupfs",
        "--runtime=runc",
    ];
    let podman =
        |arguments: &[&str]| tool_in(&world.path(""), "podman", own.iter().chain(arguments));
    let built = Built::in_world(&world, "podman\n");
    for file in ["out/page.tar", "out/layout"] {
        podman(&["load", "--quiet", "--input", file]);
    }
    for name in [built.tag(), "localhost/out/layout"] {
        let id = podman(&["image", "inspect", "--format", "{{.Id}}", name]);
        assert_eq!(format!("sha256:{}", id.trim()), built.image_id());
    }
    // Limits of the machine itself, where that may not raise them.
    let run = ["run", "--rm", "--network=none", "--ulimit=nofile=512:512"];
    let run = run
        .iter()
        .copied()
        .chain(["--ulimit=nproc=512:512", built.tag()]);
    let run: Vec<&str> = run.chain(["cat", "/app/page.txt"]).collect();
    assert_eq!(podman(&run), "podman\n");

    let registry = Registry::start(&world);
    let (there, report) = sent(&world, &registry);
    for platform in BOTH {
        let architecture = platform.strip_prefix("linux/").unwrap();
        let name = format!("{there}:1");
        let pull = ["pull", "--quiet", "--tls-verify=false", "--arch"];
        podman(&[&pull[..], &[architecture, &name]].concat());
        let label = r#"{{index .Labels "dev.ergon.build.hash"}}"#;
        let hash = podman(&["image", "inspect", "--format", label, &name]);
        assert_eq!(hash.trim(), image(&report, platform)["build_hash"]);
    }
}

#[test]
#[ignore = "buildah is large: make test-all"]
fn buildah_starts_from_layouts_and_registries() {
    if !is_here("buildah", &["--version"]) {
        return;
    }
    let world = platforms::world();
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
    let container = buildah(&["from", "--quiet", &layout]);
    let digest = [
        "inspect",
        "--format",
        "{{.FromImageDigest}}",
        container.trim(),
    ];
    assert_eq!(buildah(&digest).trim(), built.report["image_digest"]);
    let run = [
        "run",
        "--isolation=chroot",
        container.trim(),
        "cat",
        "/app/page.txt",
    ];
    assert_eq!(buildah(&run), "buildah\n");

    let registry = Registry::start(&world);
    let (there, report) = sent(&world, &registry);
    for platform in BOTH {
        let architecture = platform.strip_prefix("linux/").unwrap();
        let name = format!("docker://{there}:1");
        let from = [
            "from",
            "--quiet",
            "--tls-verify=false",
            "--arch",
            architecture,
        ];
        let container = buildah(&[&from[..], &[&name]].concat());
        let digest = [
            "inspect",
            "--format",
            "{{.FromImageDigest}}",
            container.trim(),
        ];
        let wanted = &image(&report, platform)["image_digest"];
        assert_eq!(buildah(&digest).trim(), wanted);
    }
}
