//! Collecting while others push, and a stack that is killed while it collects.

use std::cell::Cell;
use std::os::unix::process::ExitStatusExt as _;

use futures_util::StreamExt as _;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;

use super::pushing::{digest, image, index};
use crate::crash::start;
use crate::world::{Door, World};

/// So many push at once.
const PUSHERS: usize = 4;
/// So often each, and on until something was collected beside them.
const PUSHES: usize = 25;
/// Whoever collects gets a moment to itself long before so many.
const PUSHES_AT_MOST: usize = 5000;
/// So many tags each has: what they meant before is collected.
const TAGS: usize = 3;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_that_was_acknowledged_is_lost_to_pushes_beside_it() {
    let world = World::new().await;
    let door = &*world;
    let is_over = Cell::new(false);
    let has_collected = Cell::new(false);
    let pushing = async {
        let pushers = (0..PUSHERS).map(|pusher| push_again_and_again(door, pusher, &has_collected));
        let acknowledged = join_all(pushers).await;
        is_over.set(true);
        acknowledged
    };
    let collecting = async {
        let (mut manifests, mut contents) = (0, 0);
        while !is_over.get() {
            let done = door.collect(0, false).await;
            manifests += done["manifests"].as_u64().unwrap();
            contents += done["contents"].as_u64().unwrap();
            has_collected.set(manifests > 0 && contents > 0);
        }
        (manifests, contents)
    };
    let (acknowledged, (manifests, contents)) = tokio::join!(pushing, collecting);
    assert!(
        has_collected.get(),
        "it collected beside them: {manifests}, {contents}"
    );
    for (pusher, tags) in acknowledged.into_iter().enumerate() {
        let repository = format!("app{}", pusher % 2);
        for (tag, meant) in tags {
            assert!(door.is_whole(&repository, &tag).await, "{repository}:{tag}");
            assert!(door.is_whole(&repository, &meant).await);
        }
    }
    assert_eq!(door.check().await["found"], 0);
    world.end().await;
}

/// Pushes images of layers that others push too, by themselves and in indexes. A push that is refused because
/// something was collected before it was named is done once more, as clients do. Returns what tags mean.
async fn push_again_and_again(
    door: &Door,
    pusher: usize,
    has_collected: &Cell<bool>,
) -> Vec<(String, String)> {
    let repository = format!("app{}", pusher % 2);
    let mut meant = Vec::new();
    for push in 0..PUSHES_AT_MOST {
        if push >= PUSHES && has_collected.get() {
            break;
        }
        let tag = format!("{pusher}-{}", push % TAGS);
        let config = format!("{{\"pusher\":{pusher},\"push\":{push}}}");
        let shared = format!("layer {}", push % 5);
        let own = format!("layer of {pusher} {push}");
        let layers = [shared.as_bytes(), own.as_bytes()];
        let manifest = image(config.as_bytes(), &layers, None);
        let list = index(&[&manifest]);
        loop {
            for blob in layers.iter().chain([&config.as_bytes()]) {
                let path = format!("/v2/{repository}/blobs/{}", digest(blob));
                if door.status(Method::HEAD, &path).await != 200 {
                    door.push_blob(&repository, blob).await;
                }
            }
            let in_list = push % 2 == 0;
            let first = (!in_list).then_some(tag.as_str());
            let mut status = door.try_push(&repository, first, &manifest).await;
            if in_list && status == 201 {
                status = door.try_push(&repository, Some(&tag), &list).await;
            }
            if status == 201 {
                let digest = digest(if in_list { &list } else { &manifest }.as_bytes());
                meant.retain(|(known, _)| *known != tag);
                meant.push((tag, digest));
                break;
            }
            assert_eq!(
                status, 404,
                "refused for what is missing, and for nothing else"
            );
        }
    }
    meant
}

#[tokio::test]
async fn a_client_that_was_told_that_a_blob_is_there_can_name_it() {
    let world = World::new().await;
    let door = &*world;
    door.push_image("app", Some("1"), b"{}", &[b"layer"]).await;
    door.push_image("app", Some("1"), b"{\"other\":1}", &[])
        .await;
    for blob in [&b"layer"[..], b"{}"] {
        let path = format!("/v2/app/blobs/{}", digest(blob));
        assert_eq!(door.status(Method::HEAD, &path).await, 200);
    }
    let done = door.collect(0, false).await;
    assert_eq!(
        (&done["manifests"], &done["blobs"]),
        (&json!(1), &json!(0)),
        "{done:#}"
    );
    let manifest = image(b"{}", &[b"layer"], None);
    door.push("app", Some("2"), &manifest).await;
    assert!(door.is_whole("app", "2").await);
    world.end().await;
}

#[tokio::test]
async fn a_stack_that_is_killed_while_it_collects_loses_nothing() {
    // A world only for its folders.
    let folder = World::new().await.end().await;
    let data = folder.path().join("data");
    let mut child = start(folder.path());
    let door = Door::of(&data);
    for number in 0..60 {
        let config = format!("{{\"number\":{number}}}");
        let layer = format!("layer {number}");
        let tag = if number % 3 == 0 { "kept" } else { "moved" };
        let repository = format!("app{}", number % 7);
        door.push_image(
            &repository,
            Some(tag),
            config.as_bytes(),
            &[layer.as_bytes(), b"shared"],
        )
        .await;
    }
    let path = "/api/v1/registry-upkeep/collection";
    let answer = door
        .request(Method::POST, path)
        .json(&json!({ "grace_seconds": 0 }))
        .send()
        .await
        .unwrap();
    let mut stream = answer.bytes_stream();
    let plan = stream.next().await.unwrap().unwrap();
    assert!(plan.starts_with(b"event: plan"));
    child.kill().unwrap();
    assert_eq!(child.wait().unwrap().signal(), Some(9));

    let world = World::over(folder).await;
    for number in 0..7 {
        for tag in ["kept", "moved"] {
            assert!(world.is_whole(&format!("app{number}"), tag).await);
        }
    }
    assert_eq!(world.check().await["found"], 0);
    world.collect(0, false).await;
    let done = world.collect(0, false).await;
    assert_eq!(
        (&done["manifests"], &done["contents"]),
        (&json!(0), &json!(0))
    );
    let files = std::fs::read_dir(data.join("blobs/sha256"))
        .unwrap()
        .count();
    assert_eq!(
        files,
        14 * 3 + 1,
        "two images of each, and the layer that all share"
    );
    world.end().await;
}
