//! Content management: tags, manifests and blobs go when they are told to.

use super::{index, sha256};
use crate::world::World;

#[tokio::test]
async fn a_deleted_tag_is_gone_and_its_manifest_stays() {
    let world = World::new().await;
    let manifest = world.image("team/app", "1", "kept").await;
    world
        .put_manifest("team/app", "2", &manifest)
        .await
        .with(201);
    world.remove("/v2/team/app/manifests/1").await.with(202);
    let gone = world.pull("/v2/team/app/manifests/1").await;
    gone.refused(404, "MANIFEST_UNKNOWN");
    for name in ["2", &sha256(&manifest)] {
        let path = format!("/v2/team/app/manifests/{name}");
        assert_eq!(world.pull(&path).await.with(200).body, manifest);
    }
    let again = world.remove("/v2/team/app/manifests/1").await;
    again.refused(404, "MANIFEST_UNKNOWN");
    world.end().await;
}

#[tokio::test]
async fn a_deleted_manifest_takes_its_tags_along() {
    let world = World::new().await;
    let manifest = world.image("team/app", "1", "gone").await;
    world
        .put_manifest("team/app", "2", &manifest)
        .await
        .with(201);
    let other = world.image("team/app", "3", "kept").await;
    let path = format!("/v2/team/app/manifests/{}", sha256(&manifest));
    world.remove(&path).await.with(202);
    for name in ["1", "2", &sha256(&manifest)] {
        let path = format!("/v2/team/app/manifests/{name}");
        world.pull(&path).await.refused(404, "MANIFEST_UNKNOWN");
    }
    world.remove(&path).await.refused(404, "MANIFEST_UNKNOWN");
    assert_eq!(
        world.pull("/v2/team/app/manifests/3").await.with(200).body,
        other
    );
    let list = world.pull("/v2/team/app/tags/list").await.with(200);
    assert_eq!(list.json()["tags"], serde_json::json!(["3"]));
    world.end().await;
}

#[tokio::test]
async fn what_is_in_a_repository_that_is_not_there_cannot_be_deleted() {
    let world = World::new().await;
    for path in [
        "/v2/nobody/manifests/1".to_owned(),
        format!("/v2/nobody/manifests/{}", sha256(b"x")),
        format!("/v2/nobody/blobs/{}", sha256(b"x")),
    ] {
        world.remove(&path).await.with(404);
    }
    world.end().await;
}

#[tokio::test]
async fn a_deleted_blob_is_gone_at_once_from_this_repository_only() {
    let world = World::new().await;
    let digest = world.blob("one", b"shared").await;
    world.blob("two", b"shared").await;
    let path = format!("/v2/one/blobs/{digest}");
    world.remove(&path).await.with(202);
    world.pull(&path).await.refused(404, "BLOB_UNKNOWN");
    world.head(&path).await.with(404);
    world.remove(&path).await.refused(404, "BLOB_UNKNOWN");
    let other = world.pull(&format!("/v2/two/blobs/{digest}")).await;
    assert_eq!(other.with(200).body, b"shared");
    // And it can come back.
    world.blob("one", b"shared").await;
    assert_eq!(world.pull(&path).await.with(200).body, b"shared");
    world.end().await;
}

#[tokio::test]
async fn what_is_deleted_stays_deleted_after_a_restart_and_the_rest_stays() {
    let world = World::new().await;
    let gone = world.image("team/app", "gone", "gone").await;
    let kept = world.image("team/app", "kept", "kept").await;
    let both = index(&[&kept]).to_string().into_bytes();
    world
        .put_manifest("team/app", "both", &both)
        .await
        .with(201);
    let path = format!("/v2/team/app/manifests/{}", sha256(&gone));
    world.remove(&path).await.with(202);
    let world = World::over(world.end().await).await;
    world.pull(&path).await.refused(404, "MANIFEST_UNKNOWN");
    assert_eq!(
        world
            .pull("/v2/team/app/manifests/kept")
            .await
            .with(200)
            .body,
        kept
    );
    assert_eq!(
        world
            .pull("/v2/team/app/manifests/both")
            .await
            .with(200)
            .body,
        both
    );
    let layer = world
        .pull(&format!("/v2/team/app/blobs/{}", sha256(b"kept")))
        .await;
    assert_eq!(layer.with(200).body, b"kept");
    world.end().await;
}

#[tokio::test]
async fn what_a_tag_that_stays_needs_cannot_be_taken_away() {
    let world = World::new().await;
    let image = world.image("fixed", "part", "a part").await;
    let whole = index(&[&image]).to_string();
    world
        .put_manifest("fixed", "1", whole.as_bytes())
        .await
        .with(201);
    world.remove("/v2/fixed/manifests/part").await.with(202);
    let set = serde_json::json!({ "immutable_tags": true });
    let changed = world
        .request(reqwest::Method::PATCH, "/api/v1/repositories/fixed")
        .json(&set)
        .send()
        .await
        .unwrap();
    assert!(changed.status().is_success(), "{changed:?}");
    let part = sha256(&image);
    world
        .remove(&format!("/v2/fixed/manifests/{part}"))
        .await
        .refused(403, "DENIED");
    let parts: serde_json::Value = serde_json::from_slice(&image).unwrap();
    let layer = parts["layers"][0]["digest"].as_str().unwrap();
    world
        .remove(&format!("/v2/fixed/blobs/{layer}"))
        .await
        .refused(403, "DENIED");
    world
        .pull(&format!("/v2/fixed/manifests/{part}"))
        .await
        .with(200);
}

#[tokio::test]
async fn what_a_client_pushed_is_found_by_whatever_it_is_called() {
    let world = World::new().await;
    let image = world.image("team/app", "release-1.0", "pushed").await;
    let digest = sha256(&image);
    for reference in [
        digest.clone(),
        digest["sha256:".len()..][..10].to_owned(),
        "release-1.0".to_owned(),
        "team%2Fapp:release-1.0".to_owned(),
    ] {
        let found = world.get(&format!("/api/v1/registry/{reference}")).await;
        assert_eq!(found["kind"], "pushed", "{reference}: {found}");
        assert_eq!(found["digest"], *digest, "{reference}");
        assert_eq!(found["places"][0]["repository"], "team/app");
        assert_eq!(found["places"][0]["tags"][0], "release-1.0");
    }
    let parts: serde_json::Value = serde_json::from_slice(&image).unwrap();
    let layer = parts["layers"][0]["digest"].as_str().unwrap();
    let found = world.get(&format!("/api/v1/registry/{layer}")).await;
    assert_eq!(
        (&found["kind"], &found["repositories"][0]),
        (&"blob".into(), &"team/app".into())
    );
}
