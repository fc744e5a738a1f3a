//! Images outside the cache, as the tools of others read them.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::image_registry::Registry;
use crate::tools::{is_here, tool};
use crate::world::{World, docker};

/// Debian's package of the image specification.
const SCHEMAS: &str = "/usr/share/gocode/src/github.com/opencontainers/image-spec/schema";

/// A page in every form that is a file.
pub struct Built {
    pub report: Value,
    pub layout: PathBuf,
    pub archive: PathBuf,
}

impl Built {
    pub fn in_world(world: &World, text: &str) -> Self {
        Self::of(world, &world.page("page", text))
    }

    pub fn of(world: &World, folder: &Path) -> Self {
        let (layout, archive) = (world.path("out/layout"), world.path("out/page.tar"));
        let report = world
            .ergon(["build", folder.to_str().unwrap(), "--json"])
            .arg(format!("--output=oci:{}", layout.display()))
            .arg(format!("--output=docker-archive:{}", archive.display()))
            .json();
        Self {
            report,
            layout,
            archive,
        }
    }

    pub fn tag(&self) -> &str {
        self.report["image"].as_str().unwrap()
    }

    /// Of the configuration, from the layout.
    pub fn image_id(&self) -> String {
        let digest = self.report["image_digest"].as_str().unwrap();
        let manifest = std::fs::read(self.layout.join("blobs").join(digest.replace(':', "/")));
        let manifest: Value = serde_json::from_slice(&manifest.unwrap()).unwrap();
        manifest["config"]["digest"].as_str().unwrap().to_owned()
    }

    pub fn oci(&self) -> String {
        format!("oci:{}:{}", self.layout.display(), self.tag())
    }

    fn docker_archive(&self) -> String {
        format!("docker-archive:{}", self.archive.display())
    }
}

#[test]
fn skopeo_reads_the_layout_and_the_archive() {
    if !is_here("skopeo", &["--version"]) {
        return;
    }
    let world = World::with_busybox_only();
    let built = Built::in_world(&world, "skopeo\n");
    let inspected = |what: &str, more: &[&str]| -> Value {
        let arguments = ["inspect"].iter().chain(more).copied().chain([what]);
        serde_json::from_str(&tool("skopeo", arguments)).unwrap()
    };
    let seen = inspected(&built.oci(), &[]);
    assert_eq!(seen["Digest"], built.report["image_digest"]);
    let config = inspected(&built.oci(), &["--config"]);
    assert_eq!(config, inspected(&built.docker_archive(), &["--config"]));
    // Every layer is read, and its digests are compared, on the way into another form.
    let policy = ["--insecure-policy", "copy", "--quiet"];
    for (from, name) in [(built.oci(), "a"), (built.docker_archive(), "b")] {
        let copy = format!("docker-archive:{}:page:{name}", world.path(name).display());
        tool(
            "skopeo",
            policy.iter().copied().chain([from.as_str(), &copy]),
        );
        let layout = format!("oci:{}", world.path(&format!("{name}.oci")).display());
        tool(
            "skopeo",
            policy.iter().copied().chain([copy.as_str(), &layout]),
        );
        assert_eq!(
            inspected(&layout, &["--config"])["rootfs"],
            config["rootfs"]
        );
    }
}

#[test]
fn umoci_unpacks_the_layout() {
    if !is_here("umoci", &["--version"]) {
        return;
    }
    let world = World::with_busybox_only();
    let built = Built::in_world(&world, "umoci\n");
    // Names in a layout may have a colon, and umoci's may not: a layout of another name.
    let image = built.oci();
    let renamed = world.path("renamed");
    let index = built.layout.join("index.json");
    let text = std::fs::read_to_string(index)
        .unwrap()
        .replace(built.tag(), "page");
    tool(
        "cp",
        ["-r".as_ref(), built.layout.as_os_str(), renamed.as_os_str()],
    );
    std::fs::write(renamed.join("index.json"), text).unwrap();
    let bundle = world.path("bundle");
    let name = format!("{}:page", renamed.display());
    tool(
        "umoci",
        [
            "unpack",
            "--rootless",
            "--image",
            &name,
            bundle.to_str().unwrap(),
        ],
    );
    let page = bundle.join("rootfs/app/page.txt");
    assert_eq!(
        std::fs::read_to_string(&page).unwrap(),
        "umoci\n",
        "{image}"
    );
    let modified = page.metadata().unwrap().modified().unwrap();
    let epoch = modified
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    assert_eq!(epoch, 315_532_800);
    let runtime: Value =
        serde_json::from_slice(&std::fs::read(bundle.join("config.json")).unwrap()).unwrap();
    assert_eq!(runtime["process"]["cwd"], "/app");
    assert!(bundle.join("rootfs/bin/sh").symlink_metadata().is_ok());
}

#[test]
fn docker_loads_the_archive_as_the_image_it_is() {
    let mut world = World::with_busybox_only();
    // A name of its own: other tests load pages too.
    let name = format!("road-page-{}", std::process::id());
    world.will_remove(&name);
    let folder = world.page("page", "docker\n");
    let manifest = folder.join("ergon.json");
    let text = std::fs::read_to_string(&manifest).unwrap();
    let text = text.replace(
        "\"containers\": {\n    \"page\"",
        &format!("\"containers\": {{\n    \"{name}\""),
    );
    std::fs::write(&manifest, text).unwrap();
    let built = Built::of(&world, &folder);
    docker(["rmi", "--force", built.tag()]);
    let loaded = docker(["load", "--input", built.archive.to_str().unwrap()]);
    assert!(loaded.contains(built.tag()), "{loaded}");
    let id = docker(["image", "inspect", "--format", "{{.Id}}", built.tag()]);
    assert_eq!(id.trim(), built.image_id());
    let said = docker([
        "run",
        "--rm",
        "--network",
        "none",
        built.tag(),
        "cat",
        "/app/page.txt",
    ]);
    assert_eq!(said.trim(), "docker");
}

#[test]
fn everything_in_a_layout_is_as_the_specifications_schemas_say() {
    if !is_here("python3", &["-c", "import jsonschema"]) || !is_here("ls", &[SCHEMAS]) {
        return;
    }
    let world = crate::platforms::world();
    let built = Built::in_world(&world, "schemas\n");
    let both = world
        .ergon(["build", "pages/page", "--json", "--output=oci:out/layout"])
        .arg("--platform=linux/amd64,linux/arm64")
        .json();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/road/oci_schemas.py");
    let checked = tool(
        "python3",
        [
            script.as_os_str(),
            SCHEMAS.as_ref(),
            built.layout.as_os_str(),
        ],
    );
    let mut expected = vec!["oci-layout".to_owned(), "index.json".to_owned()];
    expected.push(built.image_id());
    let index = both["indexes"][0]["digest"].as_str().unwrap();
    expected.push(format!("index {index}"));
    for image in both["images"].as_array().unwrap() {
        let digest = image["image_digest"].as_str().unwrap();
        expected.push(format!("manifest {digest}"));
    }
    for expected in expected {
        assert!(checked.contains(&expected), "{checked}");
    }
}

#[test]
fn several_outputs_hold_the_same_image_and_one_may_be_a_registry() {
    let world = World::with_busybox_only();
    let registry = Registry::start(&world);
    let folder = world.page("page", "registry\n");
    let there = format!("{}/team/page:7", registry.address);
    let built = world
        .ergon(["build", folder.to_str().unwrap(), "--json"])
        .arg(format!("--output=docker://{there}"))
        .arg("--output=docker-archive:page.tar")
        .arg("--output=oci:layout")
        .json();
    world.ergon(["diff", &there, "oci:layout"]).succeeds();
    let wrong = world
        .ergon(["build", ".", "--output", "page.tar"])
        .ends_with(2);
    assert!(
        wrong.stderr.contains("docker-archive:FILE"),
        "{}",
        wrong.stderr
    );
    assert!(built["image_digest"].is_string());
}
