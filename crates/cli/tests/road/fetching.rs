//! What steps get from elsewhere: fetched before, compared with the project's locks; then they have no network.

use serde_json::{Value, json};

use crate::world::World;

#[test]
fn every_package_is_one_that_the_lock_names() {
    let mut world = World::with_own_cache();
    let project = world.example("express");
    let report = world.ergon(["build", project.path(), "--json"]).json();
    let supply = &report["supplies"][0];
    assert_eq!(supply["how"], "fetched", "{report:#}");
    assert_eq!(supply["locks"], json!(["package-lock.json"]));
    let packages = supply["packages"].as_array().unwrap();
    assert!(packages.len() > 50, "{}", packages.len());
    assert!(packages.iter().all(|package| package["named"] == true));
    // Each is in the provenance, with its digest.
    let output = format!("oci:{}", world.path("layout").display());
    world
        .ergon(["build", project.path(), "--output", &output])
        .succeeds();
    let digest = packages[0]["digest"]
        .as_str()
        .unwrap()
        .trim_start_matches("sha256:");
    assert!(
        contains(&world.path("layout"), digest),
        "the provenance names {digest}"
    );
}

#[test]
fn a_script_that_wants_the_network_is_named() {
    let mut world = World::with_own_cache();
    let script = "node -e \"require('https').get('https://registry.npmjs.org/ms', answer => answer.resume())\"";
    let package = json!({
        "name": "wants", "version": "1.0.0",
        "scripts": { "postinstall": script, "start": "node index.js" }
    });
    let lock = json!({
        "name": "wants", "version": "1.0.0", "lockfileVersion": 3, "requires": true,
        "packages": { "": { "name": "wants", "version": "1.0.0", "hasInstallScript": true } }
    });
    let manifest = json!({
        "manifest_version": "1.0",
        "applications": { "web": {
            "type": "node", "language": "javascript", "build_commands": ["npm ci"], "run_command": "npm start"
        } },
        "containers": { "web": {
            "base_image": "node:18-slim", "applications": ["web"], "ports": [3000]
        } }
    });
    let project = world.written(&[
        ("ergon.json", &manifest.to_string()),
        ("package.json", &package.to_string()),
        ("package-lock.json", &lock.to_string()),
        ("index.js", "require('http').createServer((_, answer) => answer.end()).listen(process.env.PORT || 3000);\n"),
    ]);
    let report = world.ergon(["build", project.path(), "--json"]).json();
    assert_eq!(report["supplies"][0]["how"], "network", "{report:#}");
    let reasons = report["unpinned"].as_array().unwrap();
    let reason = reasons
        .iter()
        .filter_map(Value::as_str)
        .find(|reason| reason.contains("carried out with the network"));
    assert!(
        reason.is_some_and(|reason| reason.contains("npm ci")),
        "{reasons:?}"
    );

    world.ergon(["lock", project.path()]).succeeds();
    let refused = world.ergon(["build", project.path(), "--locked"]).run();
    assert_eq!(refused.code, Some(1), "{}", refused.stderr);
    assert!(
        refused.stderr.contains("carried out with the network"),
        "{}",
        refused.stderr
    );
}

/// Whether a blob of a layout holds this text, as it is or in base64.
fn contains(layout: &std::path::Path, text: &str) -> bool {
    use base64::Engine as _;
    let blobs = std::fs::read_dir(layout.join("blobs/sha256")).unwrap();
    blobs.flatten().any(|blob| {
        let content = std::fs::read(blob.path()).unwrap();
        let envelope: Option<Value> = serde_json::from_slice(&content).ok();
        let payload = envelope.and_then(|envelope| {
            let payload = envelope["payload"].as_str()?.to_owned();
            base64::prelude::BASE64_STANDARD.decode(payload).ok()
        });
        payload.is_some_and(|payload| String::from_utf8_lossy(&payload).contains(text))
    })
}
