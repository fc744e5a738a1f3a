//! Images for several platforms, as the tools of others read them.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::image_registry::Registry;
use crate::tools::{is_here, tool};
use crate::world::{BUSYBOX, World, docker};

pub const BOTH: [&str; 2] = ["linux/amd64", "linux/arm64"];

/// A world whose base is there for both: the same files, said to be for another processor.
pub fn world() -> World {
    let world = World::with_busybox_only();
    let tar = world.path("busybox.tar");
    for platform in BOTH {
        let import = ["base", "import", BUSYBOX, tar.to_str().unwrap()];
        world
            .ergon(import)
            .arg(format!("--platform={platform}"))
            .succeeds();
    }
    world
}

/// A page that names the platforms in its manifest.
pub fn page(world: &World, name: &str, base: &str, platforms: &[&str]) -> PathBuf {
    let folder = world.page(name, "platforms\n");
    let path = folder.join("ergon.json");
    let manifest = std::fs::read_to_string(&path).unwrap();
    let mut manifest: Value = serde_json::from_str(&manifest).unwrap();
    manifest["containers"]["page"]["base_image"] = json!(base);
    manifest["packaging"] = json!({ "platforms": platforms });
    std::fs::write(&path, manifest.to_string()).unwrap();
    folder
}

fn inspected(what: &str, architecture: &str, more: &[&str]) -> Value {
    let arguments = ["--override-arch", architecture, "inspect"];
    let arguments = arguments.iter().chain(more).copied().chain([what]);
    serde_json::from_str(&tool("skopeo", arguments)).unwrap()
}

/// The digest of a platform's image, by what the build says.
pub fn image<'a>(report: &'a Value, platform: &str) -> &'a Value {
    let mut images = report["images"].as_array().unwrap().iter();
    images.find(|image| image["platform"] == platform).unwrap()
}

#[test]
fn one_index_names_the_images_of_every_platform_in_layouts_and_registries() {
    if !is_here("skopeo", &["--version"]) {
        return;
    }
    let mut world = world();
    let registry = Registry::start(&world);
    let folder = page(&world, "page", BUSYBOX, &BOTH);
    // A name of its own: what the engine holds of other pages is not asked for.
    let name = format!("road-platforms-{}", std::process::id());
    world.will_remove(&name);
    let path = folder.join("ergon.json");
    let manifest = std::fs::read_to_string(&path).unwrap();
    let renamed = manifest.replacen(
        "\"containers\":{\"page\"",
        &format!("\"containers\":{{\"{name}\""),
        1,
    );
    assert_ne!(renamed, manifest);
    std::fs::write(&path, renamed).unwrap();
    let there = format!("{}/team/page:1", registry.address);
    let report = world
        .ergon(["build", folder.to_str().unwrap(), "--json"])
        .arg("--output=oci:out")
        .arg("--output=docker-archive:page.tar")
        .arg(format!("--output=docker://{there}"))
        .json();
    let index = &report["indexes"][0];
    let layout = format!(
        "oci:{}:{}",
        world.path("out").display(),
        index["tags"][0].as_str().unwrap()
    );
    for platform in BOTH {
        let architecture = platform.strip_prefix("linux/").unwrap();
        let built = image(&report, platform);
        for (what, more) in [
            (layout.clone(), &[][..]),
            (format!("docker://{there}"), &["--tls-verify=false"]),
        ] {
            let seen = inspected(&what, architecture, more);
            assert_eq!(seen["Architecture"], architecture, "{what}");
            assert_eq!(seen["Digest"], index["digest"], "{what}");
            assert_eq!(
                seen["Labels"]["dev.ergon.build.hash"], built["build_hash"],
                "{what}"
            );
        }
        let here = format!("docker-archive:{}", world.path("page.tar").display());
        let kept = inspected(&here, architecture, &[]);
        assert_eq!(kept["Architecture"], "amd64", "only one fits");
    }
    // The engine holds what runs here, and is not in the way of anything else.
    for (platform, held) in BOTH.into_iter().zip([true, false]) {
        let tag = image(&report, platform)["image"].as_str().unwrap();
        let ids = docker(["images", "--quiet", tag]);
        assert_eq!(!ids.is_empty(), held, "{tag}");
    }
    // Each image has what is said of it, wherever the index went.
    for what in [there.as_str(), "oci:out"] {
        let checked = world.ergon(["verify", what, "--json"]).json();
        assert_eq!(checked["holds"], true, "{checked:#}");
        assert_eq!(checked["image_digest"], index["digest"]);
        for (image, platform) in checked["images"].as_array().unwrap().iter().zip(BOTH) {
            assert_eq!(image["platform"], platform);
            let signed = image["checks"].as_array().unwrap().iter();
            let signed = signed.filter(|check| check["outcome"] == "holds").count();
            assert_eq!(signed, 6, "{image:#}");
        }
    }
    let tag = index["tags"][0].as_str().unwrap();
    world.ergon(["diff", tag, &there]).succeeds();
    // Bit for bit the same the next time.
    let again = world
        .ergon(["build", folder.to_str().unwrap(), "--json"])
        .json();
    assert_eq!(again["indexes"], report["indexes"]);
    assert_eq!(again["cached"], true);
}

#[test]
fn a_base_of_a_registry_is_taken_for_each_platform_and_refused_where_it_is_not_made_for_it() {
    let world = world();
    let registry = Registry::start(&world);
    let base = format!("{}/base/page:1", registry.address);
    let folder = page(&world, "base", BUSYBOX, &BOTH);
    let below = world
        .ergon(["build", folder.to_str().unwrap(), "--json"])
        .arg(format!("--output=docker://{base}"))
        .json();
    let folder = page(&world, "above", &base, &["linux/arm64/v8", "linux/amd64"]);
    world.ergon(["lock", folder.to_str().unwrap()]).succeeds();
    let lock: Value =
        serde_json::from_slice(&std::fs::read(folder.join("ergon.lock.json")).unwrap()).unwrap();
    for platform in BOTH {
        let digest = &image(&below, platform)["image_digest"];
        assert_eq!(&lock["bases"][platform][&base], digest);
    }
    let above = world
        .ergon(["build", folder.to_str().unwrap(), "--json", "--locked"])
        .json();
    assert_eq!(above["reproducibility"], "unproven");

    let refused = |folder: &Path, platform: &str| {
        let arguments = ["build", folder.to_str().unwrap(), "--platform", platform];
        world.ergon(arguments).ends_with(1).stderr
    };
    let said = refused(&folder, "linux/s390x");
    let offered =
        format!("{base} is not there for linux/s390x, only for linux/amd64 and linux/arm64");
    assert!(said.contains(&offered), "{said}");
    // One that is imported here: what it is held for.
    let said = refused(&world.page("held", "held\n"), "linux/riscv64");
    let offered =
        format!("{BUSYBOX} is not there for linux/riscv64, only for linux/amd64 and linux/arm64");
    assert!(said.contains(&offered), "{said}");
    let wrong = world
        .ergon([
            "build",
            folder.to_str().unwrap(),
            "--platform",
            "amd64,linux/arm64",
        ])
        .ends_with(2);
    assert!(
        wrong.stderr.contains("did you mean \"linux/amd64\"?"),
        "{}",
        wrong.stderr
    );
}

#[test]
fn a_push_sends_every_platform_under_each_tag() {
    let world = world();
    let registry = Registry::start(&world);
    let folder = page(&world, "page", BUSYBOX, &BOTH);
    let path = folder.join("ergon.json");
    let manifest = std::fs::read_to_string(&path).unwrap();
    let mut manifest: Value = serde_json::from_str(&manifest).unwrap();
    manifest["packaging"]["registry"] = json!(format!("{}/team", registry.address));
    manifest["packaging"]["tagging"] = json!("git-sha");
    std::fs::write(&path, manifest.to_string()).unwrap();
    let folder = folder.to_str().unwrap();
    let git = |arguments: &[&str]| tool("git", ["-C", folder].iter().chain(arguments));
    git(&["init", "--quiet"]);
    git(&["add", "--all"]);
    let identity = ["-c", "user.name=road", "-c", "user.email=road@road.test"];
    git(&[&identity[..], &["commit", "--quiet", "--message=page"]].concat());
    let pushed = world.ergon(["push", folder, "--json"]).json();
    let items = pushed["items"].as_array().unwrap();
    assert_eq!(items.len(), 2, "{pushed:#}");
    assert_eq!(items[0]["image_digest"], items[1]["image_digest"]);
    for item in items {
        let name = item["reference"].as_str().unwrap();
        let checked = world.ergon(["verify", name, "--json"]).json();
        assert_eq!(checked["image_digest"], item["image_digest"]);
        assert_eq!(checked["images"].as_array().unwrap().len(), 2);
    }
}

#[test]
fn a_step_is_refused_for_another_processor_before_anything_is_built() {
    let world = world();
    let folder = page(&world, "page", BUSYBOX, &BOTH);
    let path = folder.join("ergon.json");
    let manifest = std::fs::read_to_string(&path).unwrap();
    let mut manifest: Value = serde_json::from_str(&manifest).unwrap();
    manifest["applications"]["page"]["build_commands"] = json!(["cat page.txt > other.txt"]);
    std::fs::write(&path, manifest.to_string()).unwrap();
    let said = world
        .ergon(["build", folder.to_str().unwrap()])
        .ends_with(1)
        .stderr;
    for part in [
        "linux/arm64",
        "`cat page.txt > other.txt`",
        "page cannot be built",
    ] {
        assert!(said.contains(part), "{said}");
    }
    assert!(!said.contains("build for linux/amd64"), "{said}");
}
