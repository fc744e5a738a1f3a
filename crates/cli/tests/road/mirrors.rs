//! Mirrors of a real registry that asks for a login: what was pulled through a stack is served and builds while that
//! registry is away.

use std::path::{Path, PathBuf};

use crate::image_registry::Registry;
use crate::tools::{is_here, tool};
use crate::world::World;
use serde_json::json;

const PASSWORD: &str = "open-sesame-7319";
/// `road:open-sesame-7319`, as Docker's configuration keeps it.
const ENCODED: &str = "cm9hZDpvcGVuLXNlc2FtZS03MzE5";
/// The same as a registry keeps it: bcrypt.
const HTPASSWD: &str = "road:$2b$05$abcdefghijklmnopqrstuuAijl20DtL1SBhJRhn8itRjuyzarBYay\n";

/// A registry that asks, with the image of a page in it.
fn upstream(world: &World) -> Registry {
    let passwords = world.path("htpasswd");
    std::fs::write(&passwords, HTPASSWD).unwrap();
    let asking = format!(
        "auth: {{ htpasswd: {{ realm: road, path: {} }} }}\n",
        passwords.display()
    );
    let registry = Registry::start_with(world, &asking);
    let docker = world.path("docker");
    std::fs::create_dir_all(&docker).unwrap();
    let configuration = json!({ "auths": { &registry.address: { "auth": ENCODED } } });
    std::fs::write(docker.join("config.json"), configuration.to_string()).unwrap();
    world.page("page", "mirrored\n");
    world
        .ergon(["build", "pages/page", "--output"])
        .arg(format!("docker://{}/team/page:1", registry.address))
        .env("DOCKER_CONFIG", docker)
        .succeeds();
    registry
}

/// A project over the upstream's image.
fn project(world: &World, registry: &Registry) -> PathBuf {
    let folder = world.page("over", "over it\n");
    let path = folder.join("ergon.json");
    let manifest = std::fs::read_to_string(&path).unwrap();
    let base = format!("{}/team/page:1", registry.address);
    let manifest = manifest.replace(crate::world::BUSYBOX, &base);
    std::fs::write(&path, manifest).unwrap();
    folder
}

/// Builds it with nothing in the cache and without a login, and says which image came of it.
fn build(world: &World, folder: &Path, cache: &str) -> String {
    let built = world
        .ergon(["build", folder.to_str().unwrap(), "--json"])
        .env("XDG_CACHE_HOME", world.path(cache))
        .env("DOCKER_CONFIG", world.path("nothing"))
        .json();
    built["image_digest"].as_str().unwrap().to_owned()
}

#[test]
fn a_stack_keeps_serving_and_building_while_its_upstream_is_away() {
    let world = World::with_busybox_only();
    let registry = upstream(&world);
    let folder = project(&world, &registry);
    let stack = world.up();
    let added = world
        .ergon(["registry", "upstream", "add", "far"])
        .arg(format!("http://{}", registry.address))
        .arg("--user=road")
        .arg("--password-stdin")
        .arg("--fresh=0")
        .arg("--json")
        .run_with_input(&format!("{PASSWORD}\n"));
    assert_eq!(added.code, Some(0), "{}", added.stderr);
    assert_eq!(added.json()["registry"], registry.address.as_str());

    let first = build(&world, &folder, "first");
    let bases = world
        .ergon(["base", "list", "--json"])
        .env("XDG_CACHE_HOME", world.path("first"))
        .json();
    assert_eq!(bases["items"][0]["via"], "far");
    assert_eq!(bases["items"][0]["registry"], registry.address.as_str());
    assert!(bases["items"][0]["held_since"].is_string());

    let address = registry.address.clone();
    drop(registry);
    assert_eq!(build(&world, &folder, "second"), first);
    let listed = world.ergon(["registry", "upstream", "list"]).succeeds();
    assert!(listed.stdout.contains(&address), "{}", listed.stdout);
    assert!(listed.stdout.contains("1 tag"), "{}", listed.stdout);
    if is_here("skopeo", &["--version"]) {
        let endpoint = std::fs::read_to_string(world.data().join("endpoint")).unwrap();
        let token = std::fs::read_to_string(world.data().join("token")).unwrap();
        let image = format!(
            "docker://{}/far/team/page:1",
            endpoint.trim().replace("http://", "")
        );
        let layout = format!("oci:{}", world.path("copied").display());
        let credentials = format!("--src-creds=ergon:{}", token.trim());
        let arguments = [
            "copy",
            "--src-tls-verify=false",
            &credentials,
            &image,
            &layout,
        ];
        tool("skopeo", arguments);
        let push = [
            "copy",
            "--dest-tls-verify=false",
            &format!("--dest-creds=ergon:{}", token.trim()),
            &layout,
            &image,
        ];
        let refused = std::process::Command::new("skopeo").args(push).output();
        let refused = String::from_utf8(refused.unwrap().stderr).unwrap();
        assert!(refused.contains("nobody pushes into a mirror"), "{refused}");
    }
    let ended = stack.terminate();
    for said in [&ended.stderr, &added.stdout, &added.stderr, &listed.stdout] {
        assert!(
            !said.contains(PASSWORD) && !said.contains(ENCODED),
            "{said}"
        );
    }
}
