//! Content discovery: tags, repositories, referrers.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};

use super::{CONFIG, INDEX, MANIFEST, Reply, descriptor, sha256, sha512};
use crate::world::{Door, World};

/// The target of `Link: <…>; rel="next"`, as a path.
fn next(reply: &Reply) -> Option<String> {
    let link = reply.header("link")?;
    let (target, relation) = link.split_once('>').unwrap();
    assert!(relation.contains("rel=\"next\""), "{link}");
    let target = target.strip_prefix('<').unwrap();
    let path = match target.split_once("://") {
        Some((_, rest)) => &rest[rest.find('/').unwrap()..],
        None => target,
    };
    Some(path.to_owned())
}

/// Everything that a paged list holds, and how many pages it took.
async fn all(door: &Door, path: &str, field: &str) -> (Vec<String>, usize) {
    let (mut found, mut pages, mut path) = (Vec::new(), 0, Some(path.to_owned()));
    while let Some(asked) = path {
        let reply = door.pull(&asked).await.with(200);
        path = next(&reply);
        let items = reply.json()[field].as_array().unwrap().clone();
        found.extend(items.iter().map(|item| item.as_str().unwrap().to_owned()));
        pages += 1;
        assert!(pages < 100, "it never ends");
    }
    (found, pages)
}

async fn tags(door: &Door, query: &str) -> (Vec<String>, Reply) {
    let reply = door
        .pull(&format!("/v2/team/app/tags/list{query}"))
        .await
        .with(200);
    let body = reply.json();
    assert_eq!(body["name"], "team/app");
    let tags = body["tags"].as_array().unwrap();
    let tags = tags.iter().map(|tag| tag.as_str().unwrap().to_owned());
    (tags.collect(), reply)
}

/// In bytewise order.
const TAGS: [&str; 7] = ["1.0", "1.10", "1.9", "Beta", "_x", "alpha", "beta"];

async fn tagged() -> World {
    let world = World::new().await;
    let manifest = world.image("team/app", "beta", "tagged").await;
    for tag in TAGS.iter().rev() {
        let put = world.put_manifest("team/app", tag, &manifest).await;
        put.with(201);
    }
    world
}

#[tokio::test]
async fn tags_are_listed_in_order() {
    let world = tagged().await;
    let (found, reply) = tags(&world, "").await;
    assert_eq!(found, TAGS);
    assert_eq!(reply.header("content-type"), Some("application/json"));
    world.end().await;
}

#[tokio::test]
async fn a_part_of_the_tags_is_listed_and_a_link_leads_on() {
    let world = tagged().await;
    let (found, reply) = tags(&world, "?n=3").await;
    assert_eq!(found, TAGS[..3]);
    assert!(next(&reply).is_some());
    let (found, reply) = tags(&world, "?n=3&last=1.9").await;
    assert_eq!(found, TAGS[3..6], "`last` itself is not in the list");
    assert!(next(&reply).is_some());
    let (found, reply) = tags(&world, "?n=3&last=alpha").await;
    assert_eq!((found.len(), next(&reply)), (1, None));
    // Without `n` it is all that follow, and `last` need not be a tag that is there.
    assert_eq!(tags(&world, "?last=1.5").await.0, TAGS[2..]);
    assert_eq!(tags(&world, "?last=zzz").await.0, [""; 0]);
    let (found, reply) = tags(&world, "?n=0").await;
    assert_eq!((found.len(), next(&reply)), (0, None));
    for size in [1, 2, 3, 7, 8, 1000] {
        let path = format!("/v2/team/app/tags/list?n={size}");
        let (found, pages) = all(&world, &path, "tags").await;
        assert_eq!(found, TAGS, "{size}");
        assert_eq!(pages, TAGS.len().div_ceil(size), "{size}");
    }
    world.end().await;
}

#[tokio::test]
async fn a_number_of_tags_that_is_none_is_refused() {
    let world = tagged().await;
    for query in ["?n=-1", "?n=x", "?n=1.5", "?n=99999999999999999999"] {
        let reply = world.pull(&format!("/v2/team/app/tags/list{query}")).await;
        assert!(
            reply.status == 400 || (query.len() > 10 && reply.status == 200),
            "{query} {reply:?}"
        );
    }
    world.end().await;
}

#[tokio::test]
async fn tags_of_a_repository_that_is_not_there_are_404() {
    let world = World::new().await;
    let reply = world.pull("/v2/nobody/tags/list").await;
    reply.refused(404, "NAME_UNKNOWN");
    // One that has blobs and no tag has an empty list.
    world.image("only/digests", "", "untagged").await;
    let reply = world.pull("/v2/only/digests/tags/list").await.with(200);
    assert_eq!(reply.json()["tags"], json!([]));
    world.end().await;
}

#[tokio::test]
async fn repositories_are_listed_in_order_and_in_pages() {
    let world = World::new().await;
    let names = ["a", "a/b", "b", "c/d/e", "z-1"];
    for name in names.iter().rev() {
        world.image(name, "1", name).await;
    }
    for size in [1, 2, 5, 6] {
        let (found, pages) = all(&world, &format!("/v2/_catalog?n={size}"), "repositories").await;
        assert_eq!(found, names);
        assert_eq!(pages, names.len().div_ceil(size));
    }
    let reply = world.pull("/v2/_catalog?last=b").await.with(200);
    assert_eq!(reply.json()["repositories"], json!(["c/d/e", "z-1"]));
    world.end().await;
}

/// Says something about a manifest: what is pushed, as it is listed.
async fn referrer(door: &Door, subject: &Value, kind: Option<&str>, text: &str) -> Value {
    let mut more = BTreeMap::from([
        ("subject", subject.clone()),
        ("annotations", json!({ "text": text })),
    ]);
    if let Some(kind) = kind {
        more.insert("artifactType", json!(kind));
    }
    let manifest = door.image_with("team/app", "", text, &more).await;
    let mut listed = descriptor(MANIFEST, &manifest);
    listed["artifactType"] = json!(kind.unwrap_or(CONFIG));
    listed["annotations"] = json!({ "text": text });
    listed
}

async fn referrers(door: &Door, digest: &str, query: &str) -> (Vec<Value>, Reply) {
    let path = format!("/v2/team/app/referrers/{digest}{query}");
    let reply = door.pull(&path).await.with(200);
    assert_eq!(reply.header("content-type"), Some(INDEX));
    let body = reply.json();
    assert_eq!(
        (&body["schemaVersion"], &body["mediaType"]),
        (&json!(2), &json!(INDEX))
    );
    let mut listed = body["manifests"].as_array().unwrap().clone();
    listed.sort_by_key(|entry| entry["annotations"]["text"].as_str().map(str::to_owned));
    (listed, reply)
}

#[tokio::test]
async fn what_refers_to_a_manifest_is_listed_with_its_type_and_annotations() {
    let world = World::new().await;
    let image = world.image("team/app", "1", "subject").await;
    let digest = sha256(&image);
    assert_eq!(referrers(&world, &digest, "").await.0, [Value::Null; 0]);
    let subject = descriptor(MANIFEST, &image);
    let first = referrer(&world, &subject, Some("application/x.sbom"), "a").await;
    let second = referrer(&world, &subject, Some("application/x.signature"), "b").await;
    // Without a type of its own it has its configuration's.
    let third = referrer(&world, &subject, None, "c").await;
    // An index says something as well; without a type it has none.
    let index = json!({
        "schemaVersion": 2, "mediaType": INDEX, "manifests": [], "subject": subject,
        "annotations": { "text": "d" },
    });
    let index = index.to_string().into_bytes();
    let put = world
        .put_manifest("team/app", &sha256(&index), &index)
        .await;
    assert_eq!(put.with(201).header("oci-subject"), Some(&*digest));
    let mut fourth = descriptor(INDEX, &index);
    fourth["annotations"] = json!({ "text": "d" });
    let (listed, _) = referrers(&world, &digest, "").await;
    assert_eq!(listed, [first.clone(), second, third, fourth]);

    let (listed, reply) = referrers(&world, &digest, "?artifactType=application/x.sbom").await;
    assert_eq!(listed, [first]);
    assert_eq!(reply.header("oci-filters-applied"), Some("artifactType"));
    let (listed, reply) = referrers(&world, &digest, "?artifactType=application/none").await;
    assert_eq!(listed, [Value::Null; 0]);
    assert_eq!(reply.header("oci-filters-applied"), Some("artifactType"));
    world.end().await;
}

#[tokio::test]
async fn a_subject_may_come_after_what_refers_to_it_or_never() {
    let world = World::new().await;
    let config = b"{\"text\":\"late\"}";
    let late = super::manifest(config, &[b"late"]).to_string().into_bytes();
    let subject = descriptor(MANIFEST, &late);
    let entry = referrer(&world, &subject, Some("application/x"), "early").await;
    let digest = sha256(&late);
    let (listed, _) = referrers(&world, &digest, "").await;
    assert_eq!(listed, std::slice::from_ref(&entry));
    world.image("team/app", "late", "late").await;
    assert_eq!(referrers(&world, &digest, "").await.0, [entry]);
    world.end().await;
}

#[tokio::test]
async fn referrers_of_what_nobody_knows_are_an_empty_list_and_never_404() {
    let world = World::new().await;
    for path in [
        format!("/v2/nobody/referrers/{}", sha256(b"x")),
        format!("/v2/nobody/referrers/{}", sha512(b"x")),
    ] {
        let reply = world.pull(&path).await.with(200);
        assert_eq!(reply.json()["manifests"], json!([]));
    }
    let reply = world.pull("/v2/nobody/referrers/sha256:x").await;
    reply.refused(400, "DIGEST_INVALID");
    // What refers to it in another repository does not refer to it here.
    let image = world.image("team/app", "1", "subject").await;
    referrer(&world, &descriptor(MANIFEST, &image), None, "a").await;
    let path = format!("/v2/other/referrers/{}", sha256(&image));
    assert_eq!(world.pull(&path).await.json()["manifests"], json!([]));
    world.end().await;
}

#[tokio::test]
async fn what_was_deleted_refers_to_nothing() {
    let world = World::new().await;
    let image = world.image("team/app", "1", "subject").await;
    let entry = referrer(&world, &descriptor(MANIFEST, &image), None, "a").await;
    let path = format!(
        "/v2/team/app/manifests/{}",
        entry["digest"].as_str().unwrap()
    );
    world.remove(&path).await.with(202);
    assert_eq!(
        referrers(&world, &sha256(&image), "").await.0,
        [Value::Null; 0]
    );
    world.end().await;
}

#[tokio::test]
async fn lists_are_asked_for_and_nothing_else() {
    let world = tagged().await;
    for path in ["/v2/_catalog", "/v2/team/app/tags/list", "/v2/"] {
        for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH] {
            let reply = world.reply(world.ask(method, path)).await;
            reply.refused(405, "UNSUPPORTED");
        }
    }
    world.end().await;
}
