//! Mirrors: what is fetched from a registry elsewhere, and what becomes of it when that is away or not as it should be.

mod misbehaving;
mod upstream;

use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use futures_util::StreamExt as _;
use reqwest::{Method, Response};
use serde_json::json;
use tokio::sync::Notify;

use crate::world::{World, read};
use upstream::{Image, Upstream, digest, pieces};

/// A stack with a mirror `far` of an upstream, whose tags are asked for again after so many seconds.
async fn mirror_of(upstream: &Upstream, fresh_seconds: u64) -> World {
    let world = World::new().await;
    let wanted = json!({ "name": "far", "url": upstream.url(), "fresh_seconds": fresh_seconds });
    world.post("/api/v1/upstreams", wanted).await.success();
    world
}

async fn get(world: &World, path: &str) -> Response {
    let request = world.request(Method::GET, path);
    request.send().await.unwrap()
}

async fn content(world: &World, path: &str) -> Vec<u8> {
    let response = get(world, path).await;
    assert_eq!(response.status(), 200, "{path}");
    response.bytes().await.unwrap().to_vec()
}

/// Pulls an image as clients do: the manifest of the tag, then what it names.
async fn pull(world: &World, tag: &str, image: &Image) {
    let manifest = content(world, &format!("/v2/far/team/app/manifests/{tag}")).await;
    assert_eq!(manifest, image.manifest);
    for (blob, length) in [
        (&image.config, None),
        (&image.layer, Some(image.content.len())),
    ] {
        let bytes = content(world, &format!("/v2/far/team/app/blobs/{blob}")).await;
        assert_eq!(&digest(&bytes), blob);
        assert!(length.is_none_or(|length| length == bytes.len()));
    }
}

#[tokio::test]
async fn what_was_pulled_once_is_served_while_the_upstream_is_away() {
    let upstream = Upstream::start().await;
    let image = upstream.image("team/app", "1", 3_000_000, 1);
    let world = mirror_of(&upstream, 0).await;
    pull(&world, "1", &image).await;
    let path = format!("/v2/far/team/app/manifests/{}", image.digest);
    assert_eq!(content(&world, &path).await, image.manifest);
    assert_eq!(upstream.asked("GET /v2/team/app/blobs/"), 2);
    let response = get(&world, "/v2/far/team/app/manifests/1").await;
    assert!(!response.headers().contains_key("warning"));

    upstream.stop().await;
    pull(&world, "1", &image).await;
    let response = get(&world, "/v2/far/team/app/manifests/1").await;
    let warning = response.headers()["warning"].to_str().unwrap().to_owned();
    let year = jiff::Timestamp::now().to_string()[..4].to_owned();
    assert!(
        warning.starts_with("110 ergon ") && warning.contains(&format!("said at {year}-")),
        "{warning}"
    );
    let tags = world.get("/v2/far/team/app/tags/list").await;
    assert_eq!(tags["tags"], json!(["1"]));
    let response = get(&world, "/v2/far/team/app/manifests/2").await;
    assert_eq!(response.status(), 502);
    // It outlives the stack.
    let world = World::over(world.end().await).await;
    pull(&world, "1", &image).await;
    world.end().await;
}

#[tokio::test]
async fn a_tag_is_asked_for_again_with_a_head_and_fetched_when_it_moved() {
    let upstream = Upstream::start().await;
    let first = upstream.image("team/app", "1", 10, 1);
    let world = mirror_of(&upstream, 0).await;
    pull(&world, "1", &first).await;
    pull(&world, "1", &first).await;
    assert_eq!(upstream.asked("GET /v2/team/app/manifests/"), 1);
    assert_eq!(upstream.asked("HEAD /v2/team/app/manifests/1"), 1);
    let second = upstream.image("team/app", "1", 11, 2);
    pull(&world, "1", &second).await;
    let old = format!("/v2/far/team/app/manifests/{}", first.digest);
    assert_eq!(content(&world, &old).await, first.manifest);
    let tag = get(&world, "/v2/far/team/app/manifests/none").await;
    assert_eq!(tag.status(), 404);
    world.end().await;
}

#[tokio::test]
async fn a_fresh_tag_is_not_asked_for() {
    let upstream = Upstream::start().await;
    let image = upstream.image("team/app", "1", 10, 1);
    let world = mirror_of(&upstream, 3600).await;
    pull(&world, "1", &image).await;
    pull(&world, "1", &image).await;
    assert_eq!(upstream.asked("HEAD"), 0);
    assert_eq!(upstream.asked("GET"), 3);
    world.end().await;
}

#[tokio::test]
async fn two_who_ask_at_once_fetch_once_and_are_sent_what_comes() {
    let upstream = Upstream::start().await;
    let image = upstream.image("team/app", "1", 4_000_000, 1);
    let rest = Arc::new(Notify::new());
    let (half, waiting) = (image.content.clone(), Arc::clone(&rest));
    let layer = format!("GET /v2/team/app/blobs/{}", image.layer);
    let line = layer.clone();
    upstream.instead(move |question| {
        (question.line == line).then(|| {
            let (first, second) = half.split_at(2_000_000);
            let (first, second) = (first.to_vec(), second.to_vec());
            let waiting = Arc::clone(&waiting);
            let later = futures_util::stream::once(async move {
                waiting.notified().await;
                Ok(second)
            });
            pieces(futures_util::stream::iter([Ok(first)]).chain(later))
        })
    });
    let world = mirror_of(&upstream, 3600).await;
    content(&world, "/v2/far/team/app/manifests/1").await;
    let path = format!("/v2/far/team/app/blobs/{}", image.layer);
    let mut first = get(&world, &path).await;
    let mut second = get(&world, &path).await;
    assert_eq!(first.headers()["content-length"], "4000000");
    let mut early = Vec::new();
    for response in [&mut first, &mut second] {
        // The upstream still holds the other half back.
        early.push(response.chunk().await.unwrap().unwrap().to_vec());
    }
    rest.notify_one();
    for (mut bytes, response) in early.into_iter().zip([first, second]) {
        bytes.extend_from_slice(&response.bytes().await.unwrap());
        assert!(bytes == image.content);
    }
    assert_eq!(upstream.asked(&layer), 1);
    let part = world.request(Method::GET, &path);
    let part = part.header("range", "bytes=10-19").send().await.unwrap();
    assert_eq!(part.status(), 206);
    assert_eq!(part.bytes().await.unwrap(), image.content[10..20]);
    world.end().await;
}

#[tokio::test]
async fn nobody_pushes_into_a_mirror() {
    let upstream = Upstream::start().await;
    let image = upstream.image("team/app", "1", 10, 1);
    let world = mirror_of(&upstream, 0).await;
    let pushes = [
        (Method::PUT, "/v2/far/team/app/manifests/2".to_owned()),
        (Method::POST, "/v2/far/team/app/blobs/uploads/".to_owned()),
        (
            Method::POST,
            format!("/v2/far/other/blobs/uploads/?mount={}", image.layer),
        ),
    ];
    for (method, path) in pushes {
        let answer = read(world.request(method, &path).body(image.manifest.clone())).await;
        assert_eq!(answer.status, 405, "{path}");
        assert_eq!(answer.body["errors"][0]["code"], "UNSUPPORTED");
    }
    assert_eq!(upstream.asked(""), 0);
    world.end().await;
}

#[tokio::test]
async fn a_client_that_was_told_to_ask_here_names_the_registry_it_means() {
    let upstream = Upstream::start().await;
    let image = upstream.image("team/app", "1", 10, 1);
    let world = World::new().await;
    let wanted = json!({ "name": "far", "url": upstream.url(), "registry": "registry.example" });
    world.post("/api/v1/upstreams", wanted).await.success();
    let path = "/v2/team/app/manifests/1?ns=registry.example";
    assert_eq!(content(&world, path).await, image.manifest);
    let path = format!("/v2/team/app/blobs/{}?ns=registry.example", image.layer);
    assert_eq!(content(&world, &path).await, image.content);
    // The same repository, whatever it is called.
    let path = "/v2/far/team/app/manifests/1";
    assert_eq!(content(&world, path).await, image.manifest);
    assert_eq!(upstream.asked("GET /v2/team/app/manifests/"), 1);
    // Of another registry nothing of ours is given.
    let answer = read(world.request(Method::GET, "/v2/team/app/manifests/1?ns=other.example"));
    let answer = answer.await;
    assert_eq!(answer.status, 404);
    assert_eq!(answer.body["errors"][0]["code"], "NAME_UNKNOWN");
    let push = world.request(Method::PUT, "/v2/team/app/manifests/1?ns=registry.example");
    assert_eq!(read(push.body("{}")).await.status, 405);
    world.end().await;
}

#[tokio::test]
async fn a_blob_that_is_not_held_is_only_asked_about() {
    let upstream = Upstream::start().await;
    let image = upstream.image("team/app", "1", 1234, 1);
    let world = mirror_of(&upstream, 3600).await;
    let path = format!("/v2/far/team/app/blobs/{}", image.layer);
    let head = world.request(Method::HEAD, &path).send().await.unwrap();
    assert_eq!(head.headers()["content-length"], "1234");
    assert_eq!(upstream.asked("GET"), 0);
    let none = format!("/v2/far/team/app/blobs/{}", digest(b"nothing"));
    let head = world.request(Method::HEAD, &none).send().await.unwrap();
    assert_eq!(head.status(), 404);
    assert_eq!(get(&world, &none).await.status(), 404);
    world.end().await;
}

#[tokio::test]
async fn what_is_said_about_an_image_is_asked_of_the_upstream() {
    let upstream = Upstream::start().await;
    let image = upstream.image("team/app", "1", 10, 1);
    let index = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [{ "mediaType": upstream::MANIFEST, "digest": image.digest, "size": 7 }],
    });
    let content = serde_json::to_vec(&index).unwrap();
    let kind = "application/vnd.oci.image.index.v1+json";
    let path = format!("/v2/team/app/referrers/{}", image.digest);
    upstream.put(&path, kind, &content);
    let world = mirror_of(&upstream, 0).await;
    let path = format!("/v2/far/team/app/referrers/{}", image.digest);
    assert_eq!(world.get(&path).await, index);
    upstream.stop().await;
    assert_eq!(world.get(&path).await["manifests"], json!([]));
    world.end().await;
}

#[tokio::test]
async fn the_password_is_in_one_file_that_nobody_else_may_read() {
    const PASSWORD: &str = "hidden-in-one-file";
    let upstream = Upstream::start().await;
    let image = upstream.image("team/app", "1", 10, 1);
    upstream.instead(|question| {
        let is_known = question.headers.contains_key("authorization");
        (!is_known).then(|| {
            let mut response = upstream::status(401);
            let challenge = "Basic realm=\"far\"".parse().unwrap();
            response.headers_mut().insert("www-authenticate", challenge);
            response
        })
    });
    let world = World::new().await;
    let wanted =
        json!({ "name": "far", "url": upstream.url(), "user": "reader", "password": PASSWORD });
    let added = world.post("/api/v1/upstreams", wanted).await.success();
    assert_eq!(added["user"], "reader");
    let world = World::over(world.end().await).await;
    pull(&world, "1", &image).await;
    let listed = world.get("/api/v1/upstreams").await;
    assert_eq!(listed["items"][0]["tags"], 1);
    assert!(!listed.to_string().contains(PASSWORD));
    let secret = world.data().join("upstreams/far");
    assert_eq!(std::fs::read_to_string(&secret).unwrap(), PASSWORD);
    let mode = std::fs::metadata(&secret).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    for file in ["ergon.db", "ergon.db-wal"] {
        let Ok(bytes) = std::fs::read(world.data().join(file)) else {
            continue;
        };
        let found = bytes
            .windows(PASSWORD.len())
            .any(|part| part == PASSWORD.as_bytes());
        assert!(!found, "{file} holds the password");
    }
    assert_eq!(world.delete("/api/v1/upstreams/far").await.status, 204);
    assert!(!secret.exists());
    let path = "/v2/far/team/app/manifests/1";
    assert_eq!(get(&world, path).await.status(), 404);
    world.delete("/api/v1/upstreams/far").await.problem(404);
    world.end().await;
}

#[tokio::test]
async fn what_cannot_be_an_upstream_is_refused_and_says_why() {
    let world = World::new().await;
    let add = |wanted| world.post("/api/v1/upstreams", wanted);
    for wrong in [
        json!({ "name": "a/b", "url": "https://registry.example" }),
        json!({ "name": "..", "url": "https://registry.example" }),
        json!({ "name": "Far", "url": "https://registry.example" }),
        json!({ "name": "far", "url": "registry.example" }),
        json!({ "name": "far", "url": "https://registry.example/path" }),
        json!({ "name": "far", "url": "https://registry.example", "user": "reader" }),
        json!({ "name": "far", "url": "http://registry.example", "user": "reader", "password": "x" }),
    ] {
        add(wrong).await.problem(400);
    }
    let wrong = json!({ "name": "far", "url": "https://reader:hidden@registry.example" });
    let problem = add(wrong).await.problem(400);
    assert!(!problem.to_string().contains("hidden"));
    let good = json!({ "name": "far", "url": "https://registry.example" });
    add(good.clone()).await.success();
    add(good).await.problem(409);
    add(json!({ "name": "near", "url": "https://registry.example" }))
        .await
        .problem(409);
    let blob = digest(b"mine");
    let push = format!("/v2/own/app/blobs/uploads/?digest={blob}");
    let pushed = read(world.request(Method::POST, &push).body("mine")).await;
    assert_eq!(pushed.status, 201);
    add(json!({ "name": "own", "url": "https://other.example" }))
        .await
        .problem(409);
    world.end().await;
}

#[tokio::test]
async fn tidying_up_leaves_what_a_mirror_holds_and_checking_does_not_miss_what_nobody_asked_for() {
    let upstream = Upstream::start().await;
    let image = upstream.image("team/app", "1", 10, 1);
    let world = mirror_of(&upstream, 0).await;
    // By its digest, as what pins its bases does, and without its blobs.
    let path = format!("/v2/far/team/app/manifests/{}", digest(&image.manifest));
    assert_eq!(content(&world, &path).await, image.manifest);
    assert_eq!(world.collect(0, false).await["manifests"], 0);
    assert_eq!(world.check().await["found"], 0);
    assert_eq!(content(&world, &path).await, image.manifest);
    // A mirror that is removed lets go of it.
    assert_eq!(world.delete("/api/v1/upstreams/far").await.status, 204);
    assert_eq!(world.collect(0, false).await["contents"], 1);
    world.end().await;
}
