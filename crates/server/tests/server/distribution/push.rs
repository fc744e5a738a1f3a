//! Push: blobs in one piece, blobs that another repository has, manifests.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::json;

use super::{
    BYTES, CONFIG, INDEX, LAYER, MANIFEST, descriptor, index, manifest, noise, sha256, sha512, with,
};
use crate::world::World;

#[tokio::test]
async fn a_blob_is_pushed_with_post_and_put() {
    let world = World::new().await;
    let content = noise(70_000, 1);
    let digest = sha256(&content);
    let location = world.begin("team/app").await;
    let put = world.close(&location, &digest, &content).await.with(201);
    assert_eq!(put.header("docker-content-digest"), Some(&*digest));
    assert_eq!(world.pull(&put.location()).await.with(200).body, content);
    world.end().await;
}

#[tokio::test]
async fn a_blob_is_pushed_with_a_single_post() {
    let world = World::new().await;
    for (content, seed) in [(noise(70_000, 2), 2), (Vec::new(), 0), (b"{}".to_vec(), 0)] {
        for digest in [sha256(&content), sha512(&content)] {
            let path = format!("/v2/team/app/blobs/uploads/?digest={digest}");
            let request = world.ask(Method::POST, &path).header("content-type", BYTES);
            let reply = world.reply(request.body(content.clone())).await.with(201);
            assert_eq!(
                reply.header("docker-content-digest"),
                Some(&*digest),
                "{seed}"
            );
            assert_eq!(world.pull(&reply.location()).await.with(200).body, content);
        }
    }
    world.end().await;
}

#[tokio::test]
async fn a_blob_is_known_by_sha512_where_its_client_says_so() {
    let world = World::new().await;
    let content = noise(70_000, 3);
    let digest = sha512(&content);
    // Named when the upload begins, as the specification wants it, and only when it is closed.
    for query in ["?digest-algorithm=sha512", ""] {
        let path = format!("/v2/team/app/blobs/uploads/{query}");
        let begun = world.reply(world.ask(Method::POST, &path)).await.with(202);
        let sent = world
            .piece(&begun.location(), "0-69999", &content)
            .await
            .with(202);
        let put = world.close(&sent.location(), &digest, b"").await.with(201);
        assert_eq!(put.header("docker-content-digest"), Some(&*digest));
        let path = format!("/v2/team/app/blobs/{digest}");
        let pulled = world.pull(&path).await.with(200);
        assert_eq!(pulled.header("docker-content-digest"), Some(&*digest));
        assert_eq!(pulled.body, content);
        world.remove(&path).await.with(202);
    }
    let path = "/v2/team/app/blobs/uploads/?digest-algorithm=md5";
    world.reply(world.ask(Method::POST, path)).await.with(400);
    world.end().await;
}

#[tokio::test]
async fn a_blob_of_another_repository_is_mounted() {
    let world = World::new().await;
    let digest = world.blob("from", b"mounted").await;
    for query in [
        format!("mount={digest}&from=from"),
        format!("mount={digest}"),
    ] {
        let path = with("/v2/to/blobs/uploads/", &query);
        let reply = world.reply(world.ask(Method::POST, &path)).await.with(201);
        assert_eq!(reply.header("docker-content-digest"), Some(&*digest));
        let there = reply.location();
        assert_eq!(there, format!("/v2/to/blobs/{digest}"));
        assert_eq!(world.pull(&there).await.with(200).body, b"mounted");
        world.remove(&there).await.with(202);
    }
    world.end().await;
}

#[tokio::test]
async fn what_cannot_be_mounted_begins_an_upload() {
    let world = World::new().await;
    world.blob("from", b"there").await;
    let content = b"not there";
    let digest = sha256(content);
    let there = sha256(b"there");
    for query in [
        format!("mount={digest}&from=from"),
        format!("mount={digest}&from=nobody"),
        format!("mount={digest}"),
        format!("mount={there}&from=nobody"),
    ] {
        let path = with("/v2/to/blobs/uploads/", &query);
        let reply = world.reply(world.ask(Method::POST, &path)).await.with(202);
        if query.contains(&digest) {
            let put = world.close(&reply.location(), &digest, content).await;
            let there = put.with(201).location();
            world.remove(&there).await.with(202);
        }
    }
    for query in ["mount=sha256:x&from=from", "mount=&from=from"] {
        let path = with("/v2/to/blobs/uploads/", query);
        let reply = world.reply(world.ask(Method::POST, &path)).await;
        reply.refused(400, "DIGEST_INVALID");
    }
    // A name that none can be is one that nobody has.
    let path = with("/v2/to/blobs/uploads/", &format!("mount={there}&from=.."));
    world.reply(world.ask(Method::POST, &path)).await.with(202);
    world.end().await;
}

#[tokio::test]
async fn a_manifest_is_kept_byte_for_byte() {
    let world = World::new().await;
    for content in [&b"{}"[..], b"layer"] {
        world.blob("team/app", content).await;
    }
    let small = manifest(b"{}", &[b"layer"]);
    // Fields nobody knows, spaces, and an order of its own: all of it is its digest.
    let text = format!(
        " {{ \"later\": [1.50, \"\\u00e4\"],\n\t{}",
        &small.to_string()[1..]
    );
    let digest = sha256(text.as_bytes());
    let put = world.put_manifest("team/app", "odd", text.as_bytes()).await;
    let put = put.with(201);
    assert_eq!(put.header("docker-content-digest"), Some(&*digest));
    let there = put.location();
    let pulled = world.pull(&there).await.with(200);
    assert_eq!(pulled.body, text.as_bytes());
    assert_eq!(pulled.header("content-type"), Some(MANIFEST));
    let pulled = world.pull("/v2/team/app/manifests/odd").await.with(200);
    assert_eq!(pulled.body, text.as_bytes());
    world.end().await;
}

#[tokio::test]
async fn a_manifest_is_pushed_by_digest_with_tags_beside_it() {
    let world = World::new().await;
    let content = world.image("team/app", "", "tags beside it").await;
    let tags: Vec<String> = (0..10).map(|number| format!("v{number}")).collect();
    for digest in [sha256(&content), sha512(&content)] {
        let query = tags.iter().map(|tag| format!("tag={tag}"));
        let query = query.collect::<Vec<_>>().join("&");
        let path = format!("{digest}?{query}");
        let put = world.put_manifest("team/app", &path, &content).await;
        let put = put.with(201);
        assert_eq!(put.header("docker-content-digest"), Some(&*digest));
        let said = put.headers.get_all("oci-tag").iter();
        let said = said.flat_map(|value| value.to_str().unwrap().split(','));
        let mut said: Vec<_> = said.map(str::trim).collect();
        said.sort_unstable();
        assert_eq!(said, tags);
        for tag in &tags {
            let path = format!("/v2/team/app/manifests/{tag}");
            let pulled = world.pull(&path).await.with(200);
            assert_eq!(pulled.header("docker-content-digest"), Some(&*digest));
            assert_eq!(pulled.body, content);
            world.remove(&path).await.with(202);
        }
    }
    let path = format!("{}?tag=good&tag=.bad", sha256(&content));
    let put = world.put_manifest("team/app", &path, &content).await;
    put.with(400);
    world.pull("/v2/team/app/manifests/good").await.with(404);
    world.end().await;
}

#[tokio::test]
async fn what_a_manifest_refers_to_is_said_and_need_not_be_there() {
    let world = World::new().await;
    let subject = descriptor(MANIFEST, b"never pushed");
    world.blob("team/app", b"{\"text\":\"refers\"}").await;
    world.blob("team/app", b"refers").await;
    let mut referring = manifest(b"{\"text\":\"refers\"}", &[b"refers"]);
    referring["subject"] = subject.clone();
    let referring = referring.to_string().into_bytes();
    let put = world.put_manifest("team/app", "about", &referring).await;
    let put = put.with(201);
    assert_eq!(put.header("oci-subject"), subject["digest"].as_str());
    // One that refers to nothing says so by saying nothing.
    let plain = world.image("team/app", "", "plain").await;
    let put = world.put_manifest("team/app", "plain", &plain).await;
    assert_eq!(put.with(201).header("oci-subject"), None);
    world.end().await;
}

#[tokio::test]
async fn a_tag_that_is_pushed_again_means_the_new_manifest() {
    let world = World::new().await;
    let old = world.image("team/app", "latest", "old").await;
    let new = world.image("team/app", "latest", "new").await;
    assert_eq!(world.pull("/v2/team/app/manifests/latest").await.body, new);
    let path = format!("/v2/team/app/manifests/{}", sha256(&old));
    assert_eq!(world.pull(&path).await.with(200).body, old);
    // The same again is no change.
    let put = world.put_manifest("team/app", "latest", &new).await;
    put.with(201);
    world.end().await;
}

#[tokio::test]
async fn a_manifest_of_what_is_not_there_is_refused_and_says_what() {
    let world = World::new().await;
    world.blob("team/app", b"{}").await;
    world.blob("other", b"elsewhere").await;
    let image = manifest(b"{}", &[b"elsewhere", b"missing"]).to_string();
    let body = world
        .put_manifest("team/app", "1", image.as_bytes())
        .await
        .refused(404, "MANIFEST_BLOB_UNKNOWN")
        .to_string();
    for missing in [&b"elsewhere"[..], b"missing"] {
        assert!(body.contains(&sha256(missing)), "{body}");
    }
    assert!(!body.contains(&sha256(b"{}")), "{body}");
    let both = index(&[b"missing"]).to_string();
    let put = world.put_manifest("team/app", "2", both.as_bytes()).await;
    put.refused(404, "MANIFEST_BLOB_UNKNOWN");
    for tag in ["1", "2"] {
        let path = format!("/v2/team/app/manifests/{tag}");
        world.pull(&path).await.with(404);
    }
    world.end().await;
}

#[tokio::test]
async fn layers_that_may_not_be_passed_on_need_not_be_there() {
    let world = World::new().await;
    world.blob("team/app", b"{}").await;
    let mut image = manifest(b"{}", &[]);
    image["layers"] = json!([descriptor(
        "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
        b"kept elsewhere"
    )]);
    let image = image.to_string().into_bytes();
    world.put_manifest("team/app", "1", &image).await.with(201);
    world.end().await;
}

#[tokio::test]
async fn every_kind_of_manifest_is_kept() {
    let world = World::new().await;
    let image = world.image("team/app", "1", "kinds").await;
    let docker = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": descriptor("application/vnd.docker.container.image.v1+json", b"{\"text\":\"kinds\"}"),
        "layers": [descriptor("application/vnd.docker.image.rootfs.diff.tar.gzip", b"kinds")],
    });
    let list = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.docker.distribution.manifest.list.v2+json",
        "manifests": [descriptor("application/vnd.docker.distribution.manifest.v2+json", docker.to_string().as_bytes())],
    });
    let nested = json!({
        "schemaVersion": 2, "mediaType": INDEX,
        "manifests": [descriptor(INDEX, index(&[&image]).to_string().as_bytes())],
    });
    let mut artifact = manifest(b"{\"text\":\"kinds\"}", &[]);
    artifact["config"] = descriptor("application/vnd.oci.empty.v1+json", b"{\"text\":\"kinds\"}");
    artifact["artifactType"] = json!("application/x");
    for (tag, document) in [
        ("docker", docker),
        ("list", list),
        ("index", index(&[&image])),
        ("nested", nested),
        ("empty", index(&[])),
        ("artifact", artifact),
    ] {
        let content = document.to_string().into_bytes();
        world
            .put_manifest("team/app", tag, &content)
            .await
            .with(201);
        let pulled = world.pull(&format!("/v2/team/app/manifests/{tag}")).await;
        assert_eq!(
            pulled.header("content-type"),
            document["mediaType"].as_str()
        );
        assert_eq!(pulled.with(200).body, content);
    }
    world.end().await;
}

#[tokio::test]
async fn a_manifest_of_four_megabytes_is_taken_and_one_of_far_more_is_too_large() {
    let world = World::new().await;
    let annotations = |length: usize| {
        let text = json!({ "text": "a".repeat(length) });
        BTreeMap::from([("annotations", text)])
    };
    let large = world
        .image_with("team/app", "large", "large", &annotations(4_000_000))
        .await;
    assert!(large.len() > 4_000_000);
    let pulled = world.pull("/v2/team/app/manifests/large").await.with(200);
    assert_eq!(pulled.body, large);
    let mut larger = manifest(b"{\"text\":\"large\"}", &[b"large"]);
    larger["annotations"] = json!({ "text": "a".repeat(8 << 20) });
    let larger = larger.to_string().into_bytes();
    let put = world.put_manifest("team/app", "larger", &larger).await;
    put.with(413);
    world.pull("/v2/team/app/manifests/larger").await.with(404);
    world.end().await;
}

#[tokio::test]
async fn what_is_no_manifest_is_refused() {
    let world = World::new().await;
    world.blob("team/app", b"{}").await;
    let good = manifest(b"{}", &[]);
    let mut untyped = good.clone();
    untyped.as_object_mut().unwrap().remove("mediaType");
    let mut old = good.clone();
    old["schemaVersion"] = json!(1);
    let mut wrong = good.clone();
    wrong["config"]["digest"] = json!("md5:00");
    let mut negative = good.clone();
    negative["config"]["size"] = json!(-1);
    let mut lying = good.clone();
    lying["config"]["size"] = json!(3);
    for text in [
        String::new(),
        "{".to_owned(),
        "[]".to_owned(),
        "null".to_owned(),
        "{}".to_owned(),
        "\u{0}".to_owned(),
        "[".repeat(100_000),
        old.to_string(),
        wrong.to_string(),
        negative.to_string(),
    ] {
        let shown: String = text.chars().take(100).collect();
        let put = world.put_manifest("team/app", "1", text.as_bytes()).await;
        assert_eq!(put.status, 400, "{shown}");
        put.refused(400, "MANIFEST_INVALID");
    }
    let put = world
        .put_manifest("team/app", "1", lying.to_string().as_bytes())
        .await;
    assert_eq!(put.status, 400, "a size that is not the blob's");
    // Sent as one thing and calling itself another.
    let path = "/v2/team/app/manifests/1";
    for kind in [INDEX, "text/plain", LAYER, CONFIG] {
        let request = world.ask(Method::PUT, path).header("content-type", kind);
        let put = world.reply(request.body(good.to_string())).await;
        put.refused(400, "MANIFEST_INVALID");
    }
    world.pull(path).await.with(404);
    // Parameters of the type say nothing, and where the manifest does not say what it is, the type does.
    for (tag, document) in [("typed", &good), ("untyped", &untyped)] {
        let request = world
            .ask(Method::PUT, &format!("/v2/team/app/manifests/{tag}"))
            .header("content-type", format!("{MANIFEST}; charset=utf-8"));
        world
            .reply(request.body(document.to_string()))
            .await
            .with(201);
        let pulled = world.pull(&format!("/v2/team/app/manifests/{tag}")).await;
        assert_eq!(pulled.with(200).header("content-type"), Some(MANIFEST));
    }
    world.end().await;
}

#[tokio::test]
async fn what_does_not_match_its_digest_is_refused() {
    let world = World::new().await;
    let content = world.image("team/app", "1", "matched").await;
    for digest in [sha256(b"another"), sha512(b"another")] {
        let put = world.put_manifest("team/app", &digest, &content).await;
        put.refused(400, "DIGEST_INVALID");
        let path = format!("/v2/team/app/manifests/{digest}");
        world.pull(&path).await.with(404);

        let location = world.begin("team/app").await;
        let put = world.close(&location, &digest, b"not another").await;
        put.refused(400, "DIGEST_INVALID");
        let path = format!("/v2/team/app/blobs/uploads/?digest={digest}");
        let request = world.ask(Method::POST, &path).body("not another");
        world.reply(request).await.refused(400, "DIGEST_INVALID");
        let path = format!("/v2/team/app/blobs/{digest}");
        world.pull(&path).await.with(404);
    }
    for digest in [
        "sha256:x",
        "sha256:",
        "",
        "md5:d41d8cd98f00b204e9800998ecf8427e",
        "sha256",
        &sha256(b"x").to_uppercase(),
        &format!("{}0", sha256(b"x")),
    ] {
        let location = world.begin("team/app").await;
        let put = world.close(&location, digest, b"x").await;
        put.refused(400, "DIGEST_INVALID");
    }
    let location = world.begin("team/app").await;
    let put = world
        .reply(world.ask(Method::PUT, &location).body("x"))
        .await;
    put.refused(400, "DIGEST_INVALID");
    world.end().await;
}
