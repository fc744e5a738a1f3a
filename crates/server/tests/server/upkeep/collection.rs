//! What goes, and what stays.

use std::process::Command;

use ergon_engine::{ContainerSpec, testing};
use reqwest::Method;
use serde_json::json;

use super::pushing::{digest, image, index, path};
use crate::containers::{project, serve};
use crate::world::World;

#[tokio::test]
async fn what_a_tag_an_index_or_a_referrer_needs_stays_and_the_rest_goes() {
    let world = World::new().await;
    let door = &*world;
    let old = door
        .push_image("app", Some("1"), b"{\"old\":1}", &[b"shared", b"only old"])
        .await;
    let new = door
        .push_image("app", Some("1"), b"{\"new\":1}", &[b"shared", b"only new"])
        .await;
    let child = door
        .push_image("app", None, b"{\"child\":1}", &[b"of the child"])
        .await;
    let of_child = image(b"{\"child\":1}", &[b"of the child"], None);
    door.push("app", Some("both"), &index(&[&of_child])).await;
    door.push_blob("app", b"{}").await;
    let signature = image(b"{}", &[b"shared"], Some(&of_child));
    let signature = door.push("app", None, &signature).await;
    let of_old = image(
        b"{}",
        &[b"shared"],
        Some(&image(b"{\"old\":1}", &[b"shared", b"only old"], None)),
    );
    let of_old = door.push("app", None, &of_old).await;
    door.push_blob("app", b"nobody names it").await;

    // What came lately stays, whoever needs it.
    let nothing = door.collect(3600, false).await;
    assert_eq!(
        (
            &nothing["manifests"],
            &nothing["blobs"],
            &nothing["contents"]
        ),
        (&json!(0), &json!(0), &json!(0))
    );
    let plan = door.collect(0, true).await;
    assert_eq!(
        (&plan["manifests"], &plan["blobs"], &plan["contents"]),
        (&json!(2), &json!(3), &json!(5)),
        "{plan:#}"
    );
    assert!(door.is_whole("app", &old).await, "nothing went yet");

    let mut done = door.collect(0, false).await;
    assert_eq!(done["dry_run"], false);
    done["dry_run"] = json!(true);
    // The uploads' folder was looked at, too.
    assert_eq!(done, plan);
    let bytes = "only old".len() + "{\"old\":1}".len() + "nobody names it".len();
    assert!(done["bytes"].as_u64().unwrap() > bytes as u64);
    for gone in [&old, &of_old] {
        let manifest = format!("/v2/app/manifests/{gone}");
        assert_eq!(door.status(Method::GET, &manifest).await, 404);
        assert!(!path(&world.data(), gone).exists());
    }
    for gone in ["only old", "nobody names it"] {
        let gone = digest(gone.as_bytes());
        let blob = format!("/v2/app/blobs/{gone}");
        assert_eq!(door.status(Method::HEAD, &blob).await, 404);
        assert!(!path(&world.data(), &gone).exists());
    }
    for kept in ["1", "both", &new, &child, &signature] {
        assert!(door.is_whole("app", kept).await, "{kept}");
    }
    let again = door.collect(0, false).await;
    assert_eq!(
        (&again["manifests"], &again["contents"]),
        (&json!(0), &json!(0))
    );

    // What was taken away can be pushed again.
    door.push_image(
        "app",
        Some("old"),
        b"{\"old\":1}",
        &[b"shared", b"only old"],
    )
    .await;
    assert!(door.is_whole("app", "old").await);
    world.end().await;
}

#[tokio::test]
async fn content_goes_only_once_no_repository_has_it() {
    let world = World::new().await;
    let door = &*world;
    door.push_blob("one", b"layer").await;
    // As clients ask before they push; once the manifest is there, this keeps nothing any more.
    let asked = format!("/v2/one/blobs/{}", digest(b"layer"));
    assert_eq!(door.status(Method::HEAD, &asked).await, 200);
    let first = door.push_image("one", Some("1"), b"{}", &[b"layer"]).await;
    door.push_image("two", Some("1"), b"{}", &[b"layer"]).await;
    let remove = format!("/v2/one/manifests/{first}");
    assert_eq!(door.status(Method::DELETE, &remove).await, 202);
    let done = door.collect(0, false).await;
    assert_eq!(
        (&done["blobs"], &done["contents"]),
        (&json!(2), &json!(0)),
        "{done:#}"
    );
    assert!(door.is_whole("two", "1").await);
    let remove = format!("/v2/two/manifests/{first}");
    assert_eq!(door.status(Method::DELETE, &remove).await, 202);
    let done = door.collect(0, false).await;
    assert_eq!(
        (&done["blobs"], &done["contents"]),
        (&json!(2), &json!(3)),
        "{done:#}"
    );
    assert!(!path(&world.data(), &digest(b"layer")).exists());
    world.end().await;
}

#[tokio::test]
async fn a_tag_that_moved_leaves_its_manifest_for_as_long_as_it_is_young() {
    let world = World::new().await;
    let door = &*world;
    let old = door.push_image("app", Some("1"), b"{\"a\":1}", &[]).await;
    // As if it had been pushed long ago.
    let long_ago =
        "UPDATE registry_manifests SET pushed_at = 1; UPDATE registry_blobs SET linked_at = 1;";
    let sqlite = Command::new("python3")
        .args([
            "-c",
            "import sqlite3,sys; sqlite3.connect(sys.argv[1]).executescript(sys.argv[2])",
        ])
        .arg(world.data().join("ergon.db"))
        .arg(long_ago)
        .status()
        .unwrap();
    assert!(sqlite.success());
    door.push_image("app", Some("1"), b"{\"b\":1}", &[]).await;
    let done = door.collect(3600, false).await;
    assert_eq!(done["manifests"], 0, "{done:#}");
    assert!(door.is_whole("app", &old).await);
    let tag = door.status(Method::DELETE, "/v2/app/manifests/1").await;
    assert_eq!(tag, 202);
    assert_eq!(door.collect(3600, false).await["manifests"], 0);
    assert_eq!(door.collect(0, false).await["manifests"], 2);
    world.end().await;
}

#[tokio::test]
async fn what_was_half_written_when_a_process_was_killed_goes_and_what_cannot_be_told_stays() {
    let world = World::new().await;
    let door = &*world;
    let kept = door.push_image("app", Some("1"), b"{}", &[b"layer"]).await;
    door.push_blob("app", b"nobody names it").await;
    let half = world.data().join("blobs/sha256/.unfinished-abc");
    std::fs::write(&half, "half").unwrap();
    let old = std::time::SystemTime::now() - std::time::Duration::from_hours(25);
    let file = std::fs::File::options().write(true).open(&half).unwrap();
    file.set_modified(old).unwrap();
    std::fs::write(world.data().join("blobs/sha256/.unfinished-new"), "half").unwrap();

    // A manifest that is not there any more names nobody knows what.
    let manifest = path(&world.data(), &kept);
    let content = std::fs::read(&manifest).unwrap();
    std::fs::remove_file(&manifest).unwrap();
    let done = door.collect(0, false).await;
    assert_eq!(
        (&done["blobs"], &done["unfinished"]),
        (&json!(0), &json!(1)),
        "{done:#}"
    );
    assert!(
        done["notes"][0].as_str().unwrap().contains(&kept),
        "{done:#}"
    );
    assert!(!half.exists() && world.data().join("blobs/sha256/.unfinished-new").exists());
    std::fs::write(&manifest, content).unwrap();
    assert_eq!(door.collect(0, false).await["blobs"], 1);
    assert!(door.is_whole("app", "1").await);
    world.end().await;
}

#[tokio::test]
async fn what_was_built_stays_though_no_repository_has_it() {
    let world = World::new().await;
    let (folder, name) = project(&world, "collected", &serve(), &[]).await;
    let job = world
        .post("/api/v1/runs", json!({ "folder": folder }))
        .await
        .success();
    let job = world.ended(&job).await;
    assert_eq!(job["state"], "succeeded", "{job:#}");
    let image = job["result"]["image_digest"].as_str().unwrap();
    let manifest = format!("/v2/{}/manifests/{image}", name.0);
    assert!(world.is_whole(&name.0, image).await);
    // Nobody serves it any more; the build and what was attested of it are still there.
    assert_eq!(world.status(Method::DELETE, &manifest).await, 202);
    let done = world.collect(0, false).await;
    assert_eq!(
        (&done["manifests"], &done["contents"]),
        (&json!(0), &json!(0)),
        "{done:#}"
    );
    assert!(path(&world.data(), image).exists());
    assert_eq!(world.check().await["found"], 0);
    world.end().await;
}

#[tokio::test]
async fn an_image_of_a_container_stays_whoever_made_it() {
    let engine = testing::engine().await;
    let base = testing::busybox(&engine).await;
    let id = engine.image_id(base).await.unwrap().unwrap();
    let config = config_of(base, &id);
    let world = World::new().await;
    let door = &*world;
    // As a container runs it that was pulled by its digest, or whose tag has moved on since.
    let pulled = door
        .push_image("elsewhere", None, &config, &[b"layer"])
        .await;
    let other = door.push_image("elsewhere", None, b"{}", &[b"layer"]).await;
    let name = testing::unique("runs");
    let spec = ContainerSpec {
        name: name.clone(),
        image: base.to_owned(),
        cmd: vec!["sleep".to_owned(), "600".to_owned()],
        ..ContainerSpec::default()
    };
    let container = engine.create_container(&spec).await.unwrap();
    let done = door.collect(0, false).await;
    let kept = door.is_whole("elsewhere", &pulled).await;
    engine.remove(&container, true, true).await.unwrap();
    assert!(kept, "{done:#}");
    assert_eq!(done["repositories"][0]["manifest_digests"], json!([other]));
    world.end().await;
}

/// The configuration of an image of the engine, whose digest is the image's id.
fn config_of(image: &str, id: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().join("image.tar");
    let saved = Command::new("docker")
        .args(["save", "-o"])
        .arg(&archive)
        .arg(image)
        .status()
        .unwrap();
    assert!(saved.success());
    let unpacked = Command::new("tar")
        .arg("-xf")
        .arg(&archive)
        .arg("-C")
        .arg(folder.path())
        .status()
        .unwrap();
    assert!(unpacked.success());
    let hex = id.strip_prefix("sha256:").unwrap();
    let names = [format!("{hex}.json"), format!("blobs/sha256/{hex}")];
    let found = names
        .iter()
        .find_map(|name| std::fs::read(folder.path().join(name)).ok());
    let config = found.unwrap();
    assert_eq!(digest(&config), id);
    config
}
