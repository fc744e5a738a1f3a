//! Images as one archive: out of one stack, into another.

use std::collections::BTreeMap;
use std::io::Read as _;

use ergon_oci::Image;
use ergon_oci::referrers::Artifact;
use reqwest::Method;
use serde_json::{Value, json};

use crate::lineage::{built, cache, page, text};
use crate::world::{Answer, World, read};

/// A stack with an image that something is attached to; its build.
async fn with_image(world: &World) -> Value {
    let folder = page(world, "shop").await;
    let build = built(world, &folder).await;
    let cache = cache(world);
    let digest = text(&build["images"][0]["image_digest"]).parse().unwrap();
    let artifact = Artifact {
        artifact_type: "application/vnd.test.note",
        media_type: "text/plain",
        content: b"looked at",
        annotations: BTreeMap::new(),
    };
    let image = Image::load(cache.blobs(), &digest).unwrap();
    cache.referrers().add(&image, &artifact).unwrap();
    // Recorded again, it is served with what is attached by now.
    built(world, &folder).await
}

async fn export(world: &World, references: &str) -> Vec<u8> {
    let path = format!("/api/v1/archive?references={references}");
    let answer = world.request(Method::GET, &path).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    answer.bytes().await.unwrap().to_vec()
}

async fn import(world: &World, archive: Vec<u8>) -> Answer {
    read(world.request(Method::POST, "/api/v1/archive").body(archive)).await
}

/// What a tar has: paths and contents.
type Files = Vec<(String, Vec<u8>)>;

fn files(archive: &[u8]) -> Files {
    let mut tar = tar::Archive::new(archive);
    let entries = tar.entries().unwrap();
    let files = entries.map(|entry| {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().to_str().unwrap().to_owned();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        (path, content)
    });
    files.collect()
}

fn packed(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (path, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, path, content.as_slice())
            .unwrap();
    }
    tar.into_inner().unwrap()
}

#[tokio::test]
async fn an_image_goes_from_one_stack_to_another_with_what_is_attached_to_it() {
    let here = World::new().await;
    let build = with_image(&here).await;
    let tag = text(&build["images"][0]["tags"][0]).to_owned();
    let digest = text(&build["images"][0]["image_digest"]).to_owned();
    let archive = export(&here, &tag).await;
    let by_build = export(&here, &text(&build["build_hash"])[..12]).await;
    assert_eq!(files(&archive).len(), files(&by_build).len());
    let names: Vec<String> = files(&archive).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names[..2], ["oci-layout", "index.json"]);

    let there = World::new().await;
    let taken = import(&there, archive.clone()).await;
    assert_eq!(taken.status, 201, "{:#}", taken.body);
    let (repository, short) = tag.rsplit_once(':').unwrap();
    let image = json!({ "repository": repository, "digest": digest, "tags": [short] });
    assert_eq!(taken.body["items"], json!([image]));

    let manifest = there
        .request(Method::GET, &format!("/v2/{repository}/manifests/{short}"))
        .send()
        .await
        .unwrap();
    assert_eq!(manifest.headers()["docker-content-digest"], digest.as_str());
    let referrers = there
        .get(&format!("/v2/{repository}/referrers/{digest}"))
        .await;
    let kinds: Vec<&str> = referrers["manifests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|referrer| text(&referrer["artifactType"]))
        .collect();
    assert_eq!(kinds, ["application/vnd.test.note"]);

    // Nothing was lost or added on the way: the same selection is the same archive.
    assert_eq!(export(&there, &tag).await, archive);
    assert_eq!(import(&there, archive).await.status, 201, "once more");
    let missing = "/api/v1/archive?references=nothing-of-the-kind";
    read(there.request(Method::GET, missing)).await.problem(404);
    here.end().await;
    there.end().await;
}

#[tokio::test]
async fn of_an_archive_that_is_not_whole_nothing_is_kept() {
    let here = World::new().await;
    let build = with_image(&here).await;
    let whole = files(&export(&here, text(&build["images"][0]["tags"][0])).await);
    let is_layer = |(_, content): &&(String, Vec<u8>)| content.starts_with(&[0x1f, 0x8b]);
    let layer = whole.iter().find(is_layer).unwrap().0.clone();
    let layer = whole.iter().position(|(name, _)| *name == layer).unwrap();
    let changed = |change: &dyn Fn(&mut Files)| {
        let mut files = whole.clone();
        change(&mut files);
        packed(&files)
    };
    let there = World::new().await;
    for (what, archive) in [
        ("is damaged", changed(&|files| files[layer].1[0] ^= 1)),
        (
            "which is not in it",
            changed(&|files| drop(files.remove(layer))),
        ),
        ("no index.json", changed(&|files| drop(files.remove(1)))),
        (
            "has no place",
            changed(&|files| files[0].0 = "blobs/sha256/x/y".to_owned()),
        ),
        (
            "is not a digest",
            changed(&|files| files[layer].0 = "blobs/sha256/abc".to_owned()),
        ),
        (
            "has no images",
            changed(&|files| files[1].1 = b"{\"schemaVersion\":2}".to_vec()),
        ),
        ("cannot be read", b"no tar at all".repeat(100)),
    ] {
        let refused = import(&there, archive).await.problem(400);
        assert!(
            text(&refused["detail"]).contains(what),
            "{what}: {refused:#}"
        );
    }
    let catalog = there.get("/v2/_catalog").await;
    assert_eq!(catalog["repositories"], json!([]));
    let blobs = there.data().join("blobs");
    let left: usize = ["", "sha256", "sha512"]
        .iter()
        .map(|folder| std::fs::read_dir(blobs.join(folder)).unwrap().count())
        .sum();
    assert_eq!(left, 2, "the two folders and nothing in them");
    assert_eq!(import(&there, packed(&whole)).await.status, 201);
    here.end().await;
    there.end().await;
}
