//! Pull: manifests, blobs, and whether they are there.

use reqwest::Method;

use super::{INDEX, MANIFEST, index, noise, sha256, sha512};
use crate::world::World;

#[tokio::test]
async fn the_base_says_that_the_protocol_is_spoken() {
    let world = World::new().await;
    for path in ["/v2/", "/v2"] {
        let base = world.pull(path).await.with(200);
        assert_eq!(
            base.header("docker-distribution-api-version"),
            Some("registry/2.0")
        );
        world.head(path).await.with(200);
    }
    world.end().await;
}

#[tokio::test]
async fn a_manifest_is_given_by_tag_and_by_digest_as_it_was_pushed() {
    let world = World::new().await;
    let manifest = world.image("team/app", "1.0", "pulled").await;
    let digest = sha256(&manifest);
    for name in ["1.0", &digest] {
        let path = format!("/v2/team/app/manifests/{name}");
        let length = manifest.len().to_string();
        for reply in [world.pull(&path).await, world.head(&path).await] {
            let reply = reply.with(200);
            assert_eq!(reply.header("content-type"), Some(MANIFEST));
            assert_eq!(reply.header("docker-content-digest"), Some(&*digest));
            assert_eq!(reply.header("content-length"), Some(&*length));
        }
        assert_eq!(world.pull(&path).await.body, manifest);
        assert_eq!(world.head(&path).await.body, b"");
    }
    world.end().await;
}

#[tokio::test]
async fn a_manifest_that_is_not_there_is_404() {
    let world = World::new().await;
    world.image("team/app", "1.0", "there").await;
    let unknown = sha256(b"unknown");
    for path in [
        "/v2/team/app/manifests/2.0",
        &format!("/v2/team/app/manifests/{unknown}"),
        &format!("/v2/team/app/manifests/{}", sha512(b"unknown")),
    ] {
        world.pull(path).await.refused(404, "MANIFEST_UNKNOWN");
        assert_eq!(world.head(path).await.with(404).body, b"");
    }
    // An attempt to pull from a repository that is not there must be 404.
    let reply = world.pull("/v2/nobody/manifests/1.0").await.with(404);
    let code = reply.json()["errors"][0]["code"].clone();
    assert!(
        code == "NAME_UNKNOWN" || code == "MANIFEST_UNKNOWN",
        "{code}"
    );
    // What another repository has is not here.
    let digest = sha256(&world.image("other", "1", "elsewhere").await);
    let path = format!("/v2/team/app/manifests/{digest}");
    world.pull(&path).await.refused(404, "MANIFEST_UNKNOWN");
    world.end().await;
}

#[tokio::test]
async fn a_client_that_names_what_it_accepts_is_given_what_there_is() {
    let world = World::new().await;
    let image = world.image("team/app", "image", "accepted").await;
    let both = index(&[&image]).to_string().into_bytes();
    world
        .put_manifest("team/app", "index", &both)
        .await
        .with(201);
    for (tag, kind) in [("image", MANIFEST), ("index", INDEX)] {
        let path = format!("/v2/team/app/manifests/{tag}");
        for accept in [
            kind.to_owned(),
            format!("{MANIFEST}, {INDEX};q=0.5"),
            "*/*".to_owned(),
            "application/*".to_owned(),
        ] {
            let request = world.ask(Method::GET, &path).header("accept", &accept);
            let reply = world.reply(request).await.with(200);
            assert_eq!(reply.header("content-type"), Some(kind), "{accept}");
        }
        let bare = world.pull(&path).await.with(200);
        assert_eq!(bare.header("content-type"), Some(kind));
    }
    world.end().await;
}

#[tokio::test]
async fn a_blob_is_given_and_its_length_and_digest_said() {
    let world = World::new().await;
    let content = noise(100_000, 1);
    let digest = world.blob("team/app", &content).await;
    let path = format!("/v2/team/app/blobs/{digest}");
    for reply in [world.pull(&path).await, world.head(&path).await] {
        let reply = reply.with(200);
        assert_eq!(reply.header("docker-content-digest"), Some(&*digest));
        assert_eq!(reply.header("content-length"), Some("100000"));
        assert_eq!(reply.header("accept-ranges"), Some("bytes"));
    }
    assert_eq!(world.pull(&path).await.body, content);
    assert_eq!(world.head(&path).await.body, b"");
    world.end().await;
}

#[tokio::test]
async fn a_blob_that_the_repository_has_not_is_404() {
    let world = World::new().await;
    let digest = world.blob("team/app", b"ours").await;
    for path in [
        format!("/v2/team/app/blobs/{}", sha256(b"unknown")),
        format!("/v2/other/blobs/{digest}"),
        format!("/v2/team/blobs/{digest}"),
    ] {
        world.pull(&path).await.refused(404, "BLOB_UNKNOWN");
        assert_eq!(world.head(&path).await.with(404).body, b"");
    }
    world.end().await;
}

#[tokio::test]
async fn a_range_of_a_blob_is_given() {
    let world = World::new().await;
    let content = noise(2048, 2);
    let digest = world.blob("team/app", &content).await;
    let path = format!("/v2/team/app/blobs/{digest}");
    for (asked, given, said) in [
        ("bytes=500-1499", 500..1500, "bytes 500-1499/2048"),
        ("bytes=500-", 500..2048, "bytes 500-2047/2048"),
        ("bytes=-500", 1548..2048, "bytes 1548-2047/2048"),
        ("bytes=-5000", 0..2048, "bytes 0-2047/2048"),
        ("bytes=2000-5000", 2000..2048, "bytes 2000-2047/2048"),
        ("bytes=0-0", 0..1, "bytes 0-0/2048"),
        ("bytes=2047-2047", 2047..2048, "bytes 2047-2047/2048"),
    ] {
        let request = world.ask(Method::GET, &path).header("range", asked);
        let reply = world.reply(request).await.with(206);
        assert_eq!(reply.header("content-range"), Some(said), "{asked}");
        assert_eq!(
            reply.header("content-length"),
            Some(&*given.len().to_string())
        );
        assert_eq!(reply.header("docker-content-digest"), Some(&*digest));
        assert_eq!(reply.body, content[given], "{asked}");
    }
    // A unit that nobody knows is as no range at all.
    let request = world.ask(Method::GET, &path).header("range", "lines=1-2");
    assert_eq!(world.reply(request).await.with(200).body, content);
    world.end().await;
}

#[tokio::test]
async fn a_range_that_cannot_be_given_is_416() {
    let world = World::new().await;
    let digest = world.blob("team/app", &noise(2048, 3)).await;
    let path = format!("/v2/team/app/blobs/{digest}");
    for asked in [
        "bytes=500-0",
        "bytes=5000-10000",
        "bytes=2048-",
        "bytes=-0",
        "bytes=-",
        "bytes=",
        "bytes=a-b",
        "bytes=0-10,5-20",
        "bytes=0-1,1-2,2-3,3-4",
    ] {
        let request = world.ask(Method::GET, &path).header("range", asked);
        let reply = world.reply(request).await.with(416);
        assert_eq!(
            reply.header("content-range"),
            Some("bytes */2048"),
            "{asked}"
        );
    }
    world.end().await;
}

#[tokio::test]
async fn nobody_gets_in_without_a_credential_and_every_refusal_says_how() {
    let world = World::new().await;
    let digest = sha256(&world.image("team/app", "1", "kept").await);
    for (method, path) in [
        (Method::GET, "/v2/".to_owned()),
        (Method::GET, "/v2/_catalog".to_owned()),
        (Method::GET, "/v2/team/app/tags/list".to_owned()),
        (Method::HEAD, "/v2/team/app/manifests/1".to_owned()),
        (Method::GET, "/v2/team/app/manifests/1".to_owned()),
        (Method::PUT, "/v2/team/app/manifests/2".to_owned()),
        (Method::DELETE, format!("/v2/team/app/manifests/{digest}")),
        (Method::GET, format!("/v2/team/app/blobs/{digest}")),
        (Method::HEAD, format!("/v2/team/app/blobs/{digest}")),
        (Method::DELETE, format!("/v2/team/app/blobs/{digest}")),
        (Method::GET, format!("/v2/team/app/referrers/{digest}")),
        (Method::POST, "/v2/team/app/blobs/uploads/".to_owned()),
        (Method::PATCH, "/v2/team/app/blobs/uploads/1".to_owned()),
        (Method::PUT, "/v2/team/app/blobs/uploads/1".to_owned()),
        (Method::GET, "/v2/team/app/blobs/uploads/1".to_owned()),
        (Method::DELETE, "/v2/team/app/blobs/uploads/1".to_owned()),
        (Method::GET, "/v2/nobody/manifests/1".to_owned()),
    ] {
        let bare = world.anonymous(method.clone(), &path);
        let wrong = world.anonymous(method.clone(), &path);
        let wrong = wrong.basic_auth("ergon", Some("wrong"));
        let bearer = world.anonymous(method.clone(), &path).bearer_auth("wrong");
        for request in [bare, wrong, bearer] {
            let reply = world.reply(request).await.with(401);
            let challenge = reply.header("www-authenticate");
            assert!(challenge.is_some(), "{method} {path}");
            if method != Method::HEAD {
                reply.refused(401, "UNAUTHORIZED");
            }
        }
    }
    world.end().await;
}
