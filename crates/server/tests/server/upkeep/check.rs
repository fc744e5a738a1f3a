//! Content that is not what it should be is found, set aside and, where the cache has it, healed.

use std::fs;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use reqwest::Method;
use serde_json::{Value, json};

use super::pushing::{digest, image, index, path};
use crate::containers::{project, serve};
use crate::world::World;

/// Changes one bit, and leaves length and time as they were.
fn flip(path: &Path) {
    let file = fs::File::options()
        .read(true)
        .write(true)
        .open(path)
        .unwrap();
    let modified = file.metadata().unwrap().modified().unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, 3).unwrap();
    file.write_all_at(&[byte[0] ^ 16], 3).unwrap();
    file.set_modified(modified).unwrap();
}

fn found<'c>(check: &'c Value, digest: &str) -> &'c Value {
    let damaged = check["damaged"].as_array().unwrap();
    let found = damaged.iter().find(|damage| damage["digest"] == digest);
    found.unwrap_or_else(|| panic!("{digest} is not in {check:#}"))
}

#[tokio::test]
async fn flipped_bits_short_files_and_missing_ones_are_found_and_told_with_whose_they_are() {
    let world = World::new().await;
    let door = &*world;
    assert_eq!(door.check().await["found"], 0);
    door.push_image(
        "app",
        Some("1"),
        b"{\"a\":1}",
        &[b"a whole layer", b"flipped layer"],
    )
    .await;
    let child = image(b"{\"a\":1}", &[b"a whole layer", b"flipped layer"], None);
    door.push("app", Some("all"), &index(&[&child])).await;
    door.push_image(
        "other",
        Some("x"),
        b"{\"b\":1}",
        &[b"short layer", b"missing layer"],
    )
    .await;
    let rotten = door.push_image("other", Some("y"), b"{\"c\":1}", &[]).await;
    let at = |content: &[u8]| path(&world.data(), &digest(content));
    flip(&at(b"flipped layer"));
    flip(&path(&world.data(), &rotten));
    let short = fs::File::options()
        .write(true)
        .open(at(b"short layer"))
        .unwrap();
    short.set_len(4).unwrap();
    fs::remove_file(at(b"missing layer")).unwrap();

    let check = door.check().await;
    assert_eq!(
        (&check["found"], &check["healed"]),
        (&json!(4), &json!(0)),
        "{check:#}"
    );
    let flipped = found(&check, &digest(b"flipped layer"));
    assert_eq!(flipped["state"], "rotten");
    assert_eq!(
        flipped["repositories"],
        json!([{ "name": "app", "tags": ["1", "all"] }])
    );
    assert_eq!(flipped["builds"], json!([]));
    let short = found(&check, &digest(b"short layer"));
    assert_eq!(short["state"], "rotten");
    assert_eq!(
        short["repositories"],
        json!([{ "name": "other", "tags": ["x"] }])
    );
    let missing = found(&check, &digest(b"missing layer"));
    assert_eq!(
        (&missing["state"], missing.get("quarantined")),
        (&json!("missing"), None)
    );
    assert_eq!(
        missing["repositories"],
        json!([{ "name": "other", "tags": ["x"] }])
    );
    let manifest = found(&check, &rotten);
    assert_eq!(
        manifest["repositories"],
        json!([{ "name": "other", "tags": ["y"] }])
    );

    // It lies in the quarantine, and nobody gets it.
    for damage in [flipped, short, manifest] {
        let aside = Path::new(damage["quarantined"].as_str().unwrap());
        assert!(aside.starts_with(world.data().join("quarantine/sha256")));
        assert!(aside.is_file());
        assert!(!path(&world.data(), damage["digest"].as_str().unwrap()).exists());
    }
    for lost in [&b"flipped layer"[..], b"short layer", b"missing layer"] {
        for method in [Method::GET, Method::HEAD] {
            for repository in ["app", "other"] {
                let blob = format!("/v2/{repository}/blobs/{}", digest(lost));
                assert_eq!(door.status(method.clone(), &blob).await, 404);
            }
        }
    }
    assert_eq!(door.status(Method::GET, "/v2/other/manifests/y").await, 404);
    let events = world.get("/api/v1/events").await;
    let told = events["items"].as_array().unwrap().iter();
    let told = told.filter(|event| event["type"] == "dev.ergon.registry.damaged");
    assert_eq!(told.count(), 4);

    // What is lost is told again, until somebody brings it.
    assert_eq!(door.check().await["found"], 4);
    door.push_image(
        "app",
        Some("1"),
        b"{\"a\":1}",
        &[b"a whole layer", b"flipped layer"],
    )
    .await;
    door.push_image(
        "other",
        Some("x"),
        b"{\"b\":1}",
        &[b"short layer", b"missing layer"],
    )
    .await;
    door.push_image("other", Some("y"), b"{\"c\":1}", &[]).await;
    assert_eq!(door.check().await["found"], 0);
    assert!(door.is_whole("app", "all").await && door.is_whole("other", "x").await);
    world.end().await;
}

#[tokio::test]
async fn what_the_build_cache_has_whole_is_healed_and_builds_are_told() {
    let world = World::new().await;
    let (folder, name) = project(&world, "healed", &serve(), &[]).await;
    let job = world
        .post("/api/v1/runs", json!({ "folder": folder }))
        .await
        .success();
    let job = world.ended(&job).await;
    assert_eq!(job["state"], "succeeded", "{job:#}");
    let image = job["result"]["image_digest"].as_str().unwrap();
    let manifest: Value =
        serde_json::from_slice(&fs::read(path(&world.data(), image)).unwrap()).unwrap();
    let layers = manifest["layers"].as_array().unwrap();
    let layer = layers.last().unwrap()["digest"].as_str().unwrap();
    let own = path(&world.data(), layer);
    // Its own file, as on another disk: else the cache's would be changed with it.
    let content = fs::read(&own).unwrap();
    fs::remove_file(&own).unwrap();
    fs::write(&own, &content).unwrap();
    flip(&own);

    let check = world.check().await;
    assert_eq!(
        (&check["found"], &check["healed"]),
        (&json!(1), &json!(1)),
        "{check:#}"
    );
    let damage = found(&check, layer);
    assert_eq!(damage["builds"], json!([job["result"]["build_hash"]]));
    assert_eq!(damage["repositories"][0]["name"], json!(name.0));
    assert_eq!(fs::read(&own).unwrap(), content);
    assert!(world.is_whole(&name.0, image).await);
    assert_eq!(world.check().await["found"], 0);

    // A file that the cache shares is damaged there too.
    flip(&own);
    let check = world.check().await;
    assert_eq!(
        (&check["found"], &check["healed"]),
        (&json!(1), &json!(0)),
        "{check:#}"
    );
    world.end().await;
}

#[tokio::test]
async fn pushes_go_on_while_everything_is_read() {
    let world = World::new().await;
    let door = &*world;
    door.push_image("app", Some("big"), b"{}", &[&vec![7; 40 << 20]])
        .await;
    let path = "/api/v1/registry-upkeep/check";
    let request = door.request(Method::POST, path).json(&json!({}));
    let check = async { request.send().await.unwrap().text().await.unwrap() };
    let pushes = async {
        for number in 0..20 {
            let layer = format!("layer {number}");
            let tag = number.to_string();
            door.push_image("app", Some(&tag), b"{}", &[layer.as_bytes()])
                .await;
        }
    };
    let (told, ()) = tokio::join!(check, pushes);
    let told = super::pushing::events(&told);
    let (name, end) = told.last().unwrap();
    assert_eq!(
        (name.as_str(), &end["found"]),
        ("end", &json!(0)),
        "{end:#}"
    );
    assert!(told.iter().any(|(name, _)| name == "progress"));
    for number in 0..20 {
        assert!(door.is_whole("app", &number.to_string()).await);
    }
    world.end().await;
}
