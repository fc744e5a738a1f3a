//! Upstreams that are not as they should be: nothing of what is wrong is kept, and nobody is given it as right.

use std::sync::Mutex;

use axum::body::Body;
use axum::http::HeaderValue;
use axum::response::Response as Answer;
use base64::Engine as _;
use futures_util::stream;
use reqwest::Method;
use serde_json::json;

use super::upstream::{Image, Upstream, pieces, status};
use super::{content, get, mirror_of, pull};
use crate::world::{World, read};

/// What the upstream sends for one blob, and what becomes of it.
async fn blob_instead(
    length: usize,
    answer: impl Fn(&Image) -> Answer + Send + Sync + 'static,
) -> (World, Upstream, String) {
    let upstream = Upstream::start().await;
    let image = upstream.image("team/app", "1", length, 1);
    let path = format!("/v2/far/team/app/blobs/{}", image.layer);
    let line = format!("GET /v2/team/app/blobs/{}", image.layer);
    upstream.instead(move |question| (question.line == line).then(|| answer(&image)));
    let world = mirror_of(&upstream, 3600).await;
    content(&world, "/v2/far/team/app/manifests/1").await;
    (world, upstream, path)
}

/// Nothing is left of it, and once the upstream is as it should be, so is the mirror.
async fn heals(world: World, upstream: Upstream, path: &str) {
    let uploads = std::fs::read_dir(world.data().join("uploads")).unwrap();
    assert_eq!(uploads.count(), 0, "what was wrong was kept");
    upstream.as_it_should();
    content(&world, path).await;
    world.end().await;
}

async fn is_refused(world: &World, path: &str) {
    let answer = read(world.request(Method::GET, path)).await;
    assert_eq!(answer.status, 502, "{:#}", answer.body);
    let said = answer.body["errors"][0]["message"].as_str().unwrap();
    assert!(said.contains("`far`"), "{said}");
}

#[tokio::test]
async fn content_with_another_digest_is_refused() {
    let other = |image: &Image| Answer::new(Body::from(vec![0; image.content.len()]));
    let (world, upstream, path) = blob_instead(1000, other).await;
    is_refused(&world, &path).await;
    heals(world, upstream, &path).await;
}

#[tokio::test]
async fn content_with_another_digest_that_is_sent_as_it_comes_never_becomes_whole() {
    let other = |image: &Image| Answer::new(Body::from(vec![0; image.content.len()]));
    let (world, upstream, path) = blob_instead(3_000_000, other).await;
    let response = get(&world, &path).await;
    assert_eq!(response.headers()["content-length"], "3000000");
    assert!(response.bytes().await.is_err());
    heals(world, upstream, &path).await;
}

#[tokio::test]
async fn a_body_that_breaks_off_is_refused() {
    let short = |image: &Image| {
        let half = image.content[..500].to_vec();
        let broken = Err(std::io::Error::other("gone"));
        pieces(stream::iter([Ok(half), broken]))
    };
    let (world, upstream, path) = blob_instead(1000, short).await;
    is_refused(&world, &path).await;
    heals(world, upstream, &path).await;
}

#[tokio::test]
async fn a_body_that_is_shorter_than_the_manifest_says_is_refused() {
    let short = |image: &Image| Answer::new(Body::from(image.content[..999].to_vec()));
    let (world, upstream, path) = blob_instead(1000, short).await;
    is_refused(&world, &path).await;
    let short = |image: &Image| pieces(stream::iter([Ok(image.content[..999].to_vec())]));
    let (second, behind, at) = blob_instead(1000, short).await;
    is_refused(&second, &at).await;
    heals(second, behind, &at).await;
    heals(world, upstream, &path).await;
}

#[tokio::test]
async fn a_body_without_end_is_not_followed() {
    let endless = |_: &Image| pieces(stream::repeat_with(|| Ok(vec![0; 64 * 1024])));
    let (world, upstream, path) = blob_instead(3_000_000, endless).await;
    assert!(get(&world, &path).await.bytes().await.is_err());
    heals(world, upstream, &path).await;
}

#[tokio::test]
async fn a_manifest_without_end_is_not_followed() {
    let upstream = Upstream::start().await;
    upstream.instead(|question| {
        let is_manifest = question.line.contains("/manifests/");
        is_manifest.then(|| pieces(stream::repeat_with(|| Ok(vec![b' '; 64 * 1024]))))
    });
    let world = mirror_of(&upstream, 0).await;
    is_refused(&world, "/v2/far/team/app/manifests/1").await;
    world.end().await;
}

#[tokio::test]
async fn a_manifest_that_is_not_what_was_asked_for_is_refused() {
    let upstream = Upstream::start().await;
    let image = upstream.image("team/app", "1", 10, 1);
    let other = upstream.image("team/app", "2", 10, 2);
    let world = mirror_of(&upstream, 0).await;
    let path = format!("/v2/team/app/manifests/{}", image.digest);
    upstream.put(&path, super::upstream::MANIFEST, &other.manifest);
    is_refused(
        &world,
        &format!("/v2/far/team/app/manifests/{}", image.digest),
    )
    .await;
    for wrong in [
        "{",
        "[]",
        "<html>",
        r#"{"schemaVersion":1,"mediaType":"x"}"#,
    ] {
        upstream.put("/v2/team/app/manifests/3", "text/html", wrong.as_bytes());
        is_refused(&world, "/v2/far/team/app/manifests/3").await;
    }
    // What it says its digest is and what it is are two.
    let manifest = image.manifest.clone();
    upstream.instead(move |question| {
        question.line.ends_with("/manifests/1").then(|| {
            let mut answer = Answer::new(Body::from(manifest.clone()));
            let digest = HeaderValue::from_str(&other.digest).unwrap();
            answer.headers_mut().insert("docker-content-digest", digest);
            answer
        })
    });
    is_refused(&world, "/v2/far/team/app/manifests/1").await;
    world.end().await;
}

#[tokio::test]
async fn an_upstream_that_wants_to_be_left_alone_is() {
    let upstream = Upstream::start().await;
    let image = upstream.image("team/app", "1", 10, 1);
    let world = mirror_of(&upstream, 0).await;
    pull(&world, "1", &image).await;
    upstream.instead(|_| {
        let mut answer = status(429);
        let wait = HeaderValue::from_static("40");
        answer.headers_mut().insert("retry-after", wait);
        Some(answer)
    });
    let before = upstream.asked("");
    let response = get(&world, "/v2/far/team/app/manifests/other").await;
    assert_eq!(response.status(), 429);
    assert_eq!(response.headers()["retry-after"], "40");
    for _ in 0..3 {
        let response = get(&world, "/v2/far/team/app/manifests/other").await;
        assert_eq!(response.status(), 429);
        let wait: u64 = response.headers()["retry-after"]
            .to_str()
            .unwrap()
            .parse()
            .unwrap();
        assert!((30..=40).contains(&wait), "{wait}");
        let response = get(&world, "/v2/far/team/app/manifests/1").await;
        assert_eq!(response.status(), 200);
        assert!(response.headers().contains_key("warning"));
    }
    assert_eq!(upstream.asked(""), before + 1);
    world.end().await;
}

#[tokio::test]
async fn a_redirect_is_followed_without_the_password() {
    let upstream = Upstream::start().await;
    let elsewhere = Upstream::start().await;
    let image = upstream.image("team/app", "1", 2_000_000, 1);
    elsewhere.put("/there", "application/octet-stream", &image.content);
    let line = format!("GET /v2/team/app/blobs/{}", image.layer);
    let place = format!("{}/there", elsewhere.url());
    upstream.instead(move |question| {
        if !question.headers.contains_key("authorization") {
            let mut answer = status(401);
            let challenge = HeaderValue::from_static("Basic realm=\"far\"");
            answer.headers_mut().insert("www-authenticate", challenge);
            return Some(answer);
        }
        (question.line == line).then(|| {
            let mut answer = status(307);
            let place = HeaderValue::from_str(&place).unwrap();
            answer.headers_mut().insert("location", place);
            answer
        })
    });
    elsewhere.instead(|question| {
        let was_sent = question.headers.contains_key("authorization");
        was_sent.then(|| status(500))
    });
    let world = World::new().await;
    let wanted =
        json!({ "name": "far", "url": upstream.url(), "user": "reader", "password": "hidden" });
    world.post("/api/v1/upstreams", wanted).await.success();
    pull(&world, "1", &image).await;
    assert_eq!(elsewhere.asked("GET /there"), 1);
    // One that leads to itself is not followed for ever.
    upstream.instead(|question| {
        let mut answer = status(307);
        let path = question.line.split(' ').nth(1).unwrap();
        let place = HeaderValue::from_str(path).unwrap();
        answer.headers_mut().insert("location", place);
        Some(answer)
    });
    is_refused(&world, "/v2/far/team/app/manifests/2").await;
    assert!(upstream.asked("GET /v2/team/app/manifests/2") < 10);
    world.end().await;
}

#[tokio::test]
async fn a_token_is_taken_where_the_upstream_gives_them_and_used_while_it_is_good() {
    let upstream = Upstream::start().await;
    let image = upstream.image("team/app", "1", 10, 1);
    let realm = format!("{}/token", upstream.url());
    let scope = Mutex::new(String::new());
    upstream.instead(move |question| {
        let shown = question.headers.get("authorization");
        let shown = shown.map_or("", |shown| shown.to_str().unwrap());
        if question.line.starts_with("GET /token?") {
            scope.lock().unwrap().clone_from(&question.line);
            let right = base64::engine::general_purpose::STANDARD.encode("reader:hidden");
            if shown != format!("Basic {right}") {
                return Some(status(401));
            }
            assert!(
                question
                    .line
                    .contains("scope=repository%3Ateam%2Fapp%3Apull")
            );
            assert!(question.line.contains("service=far"));
            return Some(Answer::new(Body::from(
                r#"{"token":"good","expires_in":300}"#,
            )));
        }
        (shown != "Bearer good").then(|| {
            let mut answer = status(401);
            let challenge = format!("Bearer realm=\"{realm}\",service=\"far\"");
            let challenge = HeaderValue::from_str(&challenge).unwrap();
            answer.headers_mut().insert("www-authenticate", challenge);
            answer
        })
    });
    let world = World::new().await;
    let add = |password| json!({ "name": "far", "url": upstream.url(), "user": "reader", "password": password });
    world
        .post("/api/v1/upstreams", add("wrong"))
        .await
        .success();
    let answer = read(world.request(Method::GET, "/v2/far/team/app/manifests/1")).await;
    assert_eq!(answer.status, 403);
    assert_eq!(answer.body["errors"][0]["code"], "DENIED");
    assert!(!answer.body.to_string().contains("wrong"));
    assert_eq!(world.delete("/api/v1/upstreams/far").await.status, 204);
    world
        .post("/api/v1/upstreams", add("hidden"))
        .await
        .success();
    let before = upstream.asked("GET /token");
    pull(&world, "1", &image).await;
    assert_eq!(upstream.asked("GET /token"), before + 1);
    world.end().await;
}
