//! What the registry tells of where something came from and what came of it.

use std::path::{Path, PathBuf};
use std::process::Command;

use ergon_oci::ConfigChange;
use ergon_pack::{Cache, Options, Silent, prepare};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::world::World;

const BASE: &str = "server.test/base:1";

/// A git work tree with one page on a base of one file, known as a project.
pub async fn page(world: &World, name: &str) -> PathBuf {
    let manifest = json!({
        "manifest_version": "1.0",
        "applications": { name: { "type": "files", "language": "shell", "run_command": "sh serve.sh" } },
        "containers": { name: { "base_image": BASE, "applications": [name] } }
    });
    let folder = world.folder(
        name,
        &[
            ("ergon.json", &manifest.to_string()),
            ("page.txt", "first"),
            ("serve.sh", "true"),
        ],
    );
    git(&folder, &["init", "--quiet", "--initial-branch=main"]);
    commit(&folder);
    import_base(world, &folder);
    world.project(&folder).await;
    folder
}

pub fn cache(world: &World) -> Cache {
    Cache::open(world.folder.path().join("cache")).unwrap()
}

fn import_base(world: &World, folder: &Path) {
    let root = Command::new("tar")
        .args(["--create", "--owner=0", "--group=0", "--mtime=@0"])
        .args(["--directory", folder.to_str().unwrap(), "serve.sh"])
        .output()
        .unwrap();
    let (name, change) = (BASE.parse().unwrap(), ConfigChange::default());
    let now = jiff::Timestamp::now();
    let platform = ergon_pack::platform();
    cache(world)
        .bases()
        .import_rootfs(root.stdout.as_slice(), &name, &change, 0, &platform, now)
        .unwrap();
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    let who = ["-c", "user.name=Test", "-c", "user.email=test@test.invalid"];
    let output = Command::new("git")
        .args(who)
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(output.status.success(), "git {arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Commits everything; the commit.
pub fn commit(folder: &Path) -> String {
    git(folder, &["add", "--all"]);
    git(
        folder,
        &["commit", "--quiet", "--allow-empty", "--message=page"],
    );
    git(folder, &["rev-parse", "HEAD"])
}

/// Builds a folder with the cache the stack has, and has it remembered.
pub async fn built(world: &World, folder: &Path) -> Value {
    let cache = cache(world);
    let prepared = prepare(folder, &cache, None, Options::default(), &Silent)
        .await
        .unwrap();
    let cancel = CancellationToken::new();
    let built = ergon_pack::build(&prepared, &cache, None, &Silent, &cancel).await;
    let hash = built.unwrap().record.build_hash.to_string();
    let record = json!({ "build_hash": hash, "folder": folder });
    world.post("/api/v1/builds", record).await.success()
}

pub fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// What the registry says of a reference.
async fn shown(world: &World, reference: &str) -> Value {
    let reference = reference.replace('/', "%2F");
    world.get(&format!("/api/v1/registry/{reference}")).await
}

#[tokio::test]
async fn whatever_a_build_was_made_of_leads_to_it_and_to_what_else_came_of_it() {
    let world = World::new().await;
    let folder = page(&world, "page").await;
    let first_commit = git(&folder, &["rev-parse", "HEAD"]);
    let first = built(&world, &folder).await;
    std::fs::write(folder.join("page.txt"), "second").unwrap();
    commit(&folder);
    let second = built(&world, &folder).await;
    let hash = |build: &Value| text(&build["build_hash"]).to_owned();

    let source = shown(&world, text(&first["source_digest"])).await;
    assert_eq!(
        (&source["kind"], &source["count"], &source["also"]),
        (&json!("source"), &json!(1), &json!([first_commit]))
    );
    assert_eq!(source["builds"][0]["build_hash"], json!(hash(&first)));
    let of_commit = shown(&world, &first_commit[..9]).await;
    assert_eq!(
        (&of_commit["kind"], &of_commit["name"]),
        (&json!("commit"), &json!(first_commit))
    );
    assert_eq!(of_commit["builds"][0]["build_hash"], json!(hash(&first)));

    let base = &first["bases"][0];
    for reference in [BASE, text(&base["digest"]), &text(&base["digest"])[7..19]] {
        let found = shown(&world, reference).await;
        assert_eq!(
            (&found["kind"], &found["count"]),
            (&json!("base"), &json!(2)),
            "{reference}"
        );
        let newest = &found["builds"][0]["build_hash"];
        assert_eq!(newest, &json!(hash(&second)), "newest first");
    }

    // The base's layer is in both images, the page's in one; an engine's image id is the image.
    let digest = text(&second["images"][0]["image_digest"]).parse().unwrap();
    let image = ergon_oci::Image::load(cache(&world).blobs(), &digest).unwrap();
    for (layer, count) in [(0, 2), (image.layers().len() - 1, 1)] {
        let found = shown(&world, &image.layers()[layer].digest.to_string()).await;
        assert_eq!(
            (&found["kind"], &found["count"]),
            (&json!("layer"), &json!(count))
        );
    }
    let by_id = shown(&world, &image.config_digest().to_string()).await;
    assert_eq!(
        (&by_id["kind"], &by_id["build_hash"]),
        (&json!("build"), &second["build_hash"])
    );
    world.end().await;
}

#[tokio::test]
async fn what_changed_since_the_build_before_is_said_by_input_field_and_layer() {
    let world = World::new().await;
    let folder = page(&world, "changing").await;
    let first = built(&world, &folder).await;
    assert_eq!(first.get("changes"), None, "it is the first");
    std::fs::write(folder.join("page.txt"), "second").unwrap();
    let manifest = std::fs::read_to_string(folder.join("ergon.json")).unwrap();
    let manifest = manifest.replace("sh serve.sh", "sh -e serve.sh");
    std::fs::write(folder.join("ergon.json"), manifest).unwrap();
    let second = built(&world, &folder).await;

    let changes = &second["changes"];
    assert_eq!(changes["before"], first["build_hash"]);
    let what: Vec<&str> = changes["inputs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| text(&change["what"]))
        .collect();
    assert_eq!(
        what,
        [
            "source",
            "commit",
            "manifest /applications/changing/run_command"
        ]
    );
    assert_eq!(
        changes["inputs"][2]["after"],
        json!("sh -e serve.sh"),
        "{changes:#}"
    );
    let image = &changes["images"][0];
    let fresh = image["new_layers"].as_array().unwrap();
    assert_eq!((fresh.len(), &fresh[0]["layer"]), (1, &image["layers"]));

    // The same the other way round, and by the beginnings of the hashes.
    let (old, new) = (text(&first["build_hash"]), text(&second["build_hash"]));
    let back = format!("/api/v1/builds/{}/changes?since={}", &old[..12], &new[..12]);
    let back = world.get(&back).await;
    assert_eq!(back["inputs"][2]["before"], json!("sh -e serve.sh"));
    let nothing = format!("/api/v1/builds/{new}/changes?since={new}");
    assert_eq!(world.get(&nothing).await["inputs"], json!([]));
    world.end().await;
}

#[tokio::test]
async fn builds_of_an_ergon_that_kept_no_names_are_found_after_a_start() {
    let world = World::new().await;
    let folder = page(&world, "old").await;
    let build = built(&world, &folder).await;
    let folder = world.end().await;
    let database = folder.path().join("data/ergon.db");
    let forgotten = Command::new("python3")
        .args(["-c", "import sqlite3,sys; c=sqlite3.connect(sys.argv[1]); c.execute('DELETE FROM build_names'); c.commit()"])
        .arg(&database)
        .status()
        .unwrap();
    assert!(forgotten.success());
    let world = World::over(folder).await;
    let found = shown(&world, BASE).await;
    assert_eq!(found["builds"][0]["build_hash"], build["build_hash"]);
    world.end().await;
}
