//! Builds that are made a second time because somebody asked, in a real engine.

use std::path::Path;
use std::process::Command;

use ergon_oci::ConfigChange;
use ergon_pack::{Cache, Options, Silent, prepare};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::containers::{project, serve};
use crate::world::World;

/// Builds and runs a folder; its build hash, and the job.
async fn built(world: &World, folder: &Path) -> (String, Value) {
    let job = world
        .post("/api/v1/runs", json!({ "folder": folder }))
        .await;
    let job = world.ended(&job.success()).await;
    assert_eq!(job["state"], "succeeded", "{job:#}");
    (job["build_hash"].as_str().unwrap().to_owned(), job)
}

/// Asks for the build to be made a second time; the job as it then is.
async fn ask(world: &World, hash: &str) -> Value {
    let job = world
        .post(&format!("/api/v1/builds/{hash}/verify"), json!({}))
        .await;
    assert_eq!(job.status, 202, "{:#}", job.body);
    job.success()
}

async fn build(world: &World, hash: &str) -> Value {
    world.get(&format!("/api/v1/builds/{hash}")).await
}

#[tokio::test]
async fn a_build_made_a_second_time_is_proven_and_keeps_the_log_of_its_first() {
    let world = World::new().await;
    let (folder, _name) = project(&world, "proven", &serve(), &["echo made > made"]).await;
    let (hash, run) = built(&world, &folder).await;
    assert_eq!(build(&world, &hash).await.get("verification"), None);

    // By the beginning of its hash, as every build is named.
    let job = world.ended(&ask(&world, &hash[..12]).await).await;
    assert_eq!(
        (&job["state"], &job["kind"], &job["build_hash"]),
        (&json!("succeeded"), &json!("verify"), &json!(hash)),
        "{job:#}"
    );
    assert_eq!(job.get("result"), None, "nothing was started");
    let steps: Vec<(&str, bool)> = job["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| (step["name"].as_str().unwrap(), step["again"] == true))
        .collect();
    assert_eq!(
        steps,
        [
            ("source", false),
            ("base", false),
            ("image", false),
            ("build", true),
            ("image", true),
            ("verify", true),
        ]
    );

    let build = build(&world, &hash).await;
    assert_eq!(build["reproducibility"], "proven", "{build:#}");
    assert_eq!(build["pinned"], false, "what floats still does");
    assert_eq!(
        (&build["job_id"], &build["verify_job_id"]),
        (&run["id"], &job["id"])
    );
    assert_eq!(build["cached"], false, "{build:#}");
    let verification = &build["verification"];
    let image = &verification["images"][0];
    assert_eq!(image["comparison"]["equal"], true, "{verification:#}");
    assert_eq!(image["first"], image["second"]);
    let zone = verification["conditions"]
        .as_array()
        .unwrap()
        .iter()
        .find(|condition| condition["name"] == "time zone");
    assert_eq!(zone.unwrap()["second"], "EST5EDT", "{verification:#}");
    let subject = json!(format!("build/{hash}"));
    let events = world.get("/api/v1/events").await;
    let told = |kind: &str| {
        let mut events = events["items"].as_array().unwrap().iter();
        events.any(|event| event["type"] == kind && event["subject"] == subject)
    };
    assert!(told("dev.ergon.build.verifying") && told("dev.ergon.build.verified"));
    world.end().await;
}

#[tokio::test]
async fn a_build_that_comes_out_differently_says_where_why_and_what_mends_it() {
    let world = World::new().await;
    let (folder, _name) = project(&world, "differs", &serve(), &["date > when"]).await;
    let (hash, _) = built(&world, &folder).await;
    let job = world.ended(&ask(&world, &hash).await).await;
    assert_eq!(job["state"], "failed", "{job:#}");
    assert_eq!(
        job["error"],
        "built again, it came out with 1 difference; the first: `app/when` (a time)"
    );
    assert!(
        job["remedy"]
            .as_str()
            .unwrap()
            .contains("SOURCE_DATE_EPOCH"),
        "{job:#}"
    );
    let build = build(&world, &hash).await;
    assert_eq!(
        (&build["reproducibility"], &build["state"]),
        (&json!("failed"), &json!("succeeded"))
    );
    let image = &build["verification"]["images"][0];
    assert_ne!(image["first"], image["second"]);
    let difference = &image["comparison"]["differences"][0];
    assert_eq!(
        (
            &difference["path"],
            &difference["what"],
            &difference["line"],
            &difference["step"]
        ),
        (
            &json!("app/when"),
            &json!("content"),
            &json!(1),
            &json!("RUN date > when")
        )
    );

    // The same build found again is still what was measured.
    built(&world, &folder).await;
    let again = self::build(&world, &hash).await;
    assert_eq!(again["reproducibility"], "failed");
    assert_eq!(again["verification"], build["verification"]);
    world.end().await;
}

#[tokio::test]
async fn what_is_no_longer_there_is_not_built_a_second_time() {
    let world = World::new().await;
    let (folder, _name) = project(&world, "moved", &serve(), &[]).await;
    let (hash, run) = built(&world, &folder).await;
    let before = build(&world, &hash).await;
    std::fs::write(folder.join("index.html"), "<h1>Changed</h1>\n").unwrap();
    let job = world.ended(&ask(&world, &hash).await).await;
    assert_eq!(job["state"], "failed", "{job:#}");
    let (error, remedy) = (job["error"].as_str().unwrap(), job["remedy"].to_string());
    let source = &before["source_digest"].as_str().unwrap()[..19];
    assert!(
        error.contains("is no longer what was built: its source was")
            && error.contains(source)
            && !error.contains("manifest"),
        "{error}"
    );
    assert!(
        remedy.contains(&format!("ergon build --verify {}", folder.display())),
        "{remedy}"
    );
    let after = build(&world, &hash).await;
    assert_eq!(
        (&after["reproducibility"], &after["verify_job_id"]),
        (&before["reproducibility"], &job["id"])
    );
    assert_eq!(after.get("verification"), None);
    assert_eq!(
        world.get("/api/v1/builds").await["items"]
            .as_array()
            .unwrap()
            .len(),
        1,
        "what is there now was not built unasked"
    );

    // Nor what the stack does not know any more, or never did.
    let project = run["project_id"].as_str().unwrap();
    world
        .delete(&format!("/api/v1/projects/{project}"))
        .await
        .success();
    let refused = async |hash: &str, status| {
        let path = format!("/api/v1/builds/{hash}/verify");
        world.post(&path, json!({})).await.problem(status)
    };
    let forgotten = refused(&hash, 409).await;
    assert!(
        forgotten["remedy"]
            .as_str()
            .unwrap()
            .contains("ergon build --verify"),
        "{forgotten:#}"
    );
    refused(&"0".repeat(64), 404).await;
    world.end().await;
}

#[tokio::test]
async fn a_second_build_is_one_job_and_leaves_nothing_when_it_is_cancelled() {
    let world = World::new().await;
    // In UTC it is quick.
    let slow = "[ \"$TZ\" = UTC ] || { echo once more; sleep 300; }";
    let (folder, _name) = project(&world, "halfway", &serve(), &[slow]).await;
    let (hash, _) = built(&world, &folder).await;
    let before = build(&world, &hash).await;
    let job = ask(&world, &hash).await;
    world.printed(&job, "once more").await;
    assert_eq!(ask(&world, &hash).await["id"], job["id"]);
    let path = format!("/api/v1/jobs/{}/cancel", job["id"].as_str().unwrap());
    world.post(&path, json!({})).await.success();
    assert_eq!(world.ended(&job).await["state"], "cancelled");
    let after = build(&world, &hash).await;
    assert_eq!(
        (
            &after["state"],
            &after["reproducibility"],
            after.get("verification")
        ),
        (&json!("succeeded"), &before["reproducibility"], None)
    );
    let left = std::fs::read_dir(world.folder.path().join("cache/verifications")).unwrap();
    assert_eq!(left.count(), 0);
    world.end().await;
}

#[tokio::test]
async fn what_came_to_nothing_is_not_built_a_second_time() {
    let world = World::new().await;
    let (folder, _name) = project(&world, "nothing", &serve(), &["exit 7"]).await;
    let job = world
        .post("/api/v1/runs", json!({ "folder": folder }))
        .await;
    let job = world.ended(&job.success()).await;
    let hash = job["build_hash"].as_str().unwrap();
    let refused = world
        .post(&format!("/api/v1/builds/{hash}/verify"), json!({}))
        .await
        .problem(409);
    assert!(
        refused["detail"].as_str().unwrap().contains("is failed"),
        "{refused:#}"
    );
    world.end().await;
}

#[tokio::test]
async fn a_build_for_another_platform_is_made_a_second_time_for_that_one() {
    const BASE: &str = "server.test/base:1";
    const OTHER: &str = "linux/s390x";
    let world = World::new().await;
    let manifest = json!({
        "manifest_version": "1.0",
        "applications": { "page": { "type": "files", "language": "shell", "run_command": "sh serve.sh" } },
        "containers": { "page": { "base_image": BASE, "applications": ["page"] } }
    });
    let folder = world.folder(
        "other",
        &[("ergon.json", &manifest.to_string()), ("page.txt", "page")],
    );
    let cache = Cache::open(world.folder.path().join("cache")).unwrap();
    let root = Command::new("tar")
        .args([
            "--create",
            "--owner=0",
            "--group=0",
            "--mtime=@0",
            "--directory",
        ])
        .arg(&folder)
        .arg("page.txt")
        .output()
        .unwrap();
    let (name, change) = (BASE.parse().unwrap(), ConfigChange::default());
    let now = jiff::Timestamp::now();
    cache
        .bases()
        .import_rootfs(root.stdout.as_slice(), &name, &change, 0, OTHER, now)
        .unwrap();
    let options = Options {
        platform: Some(OTHER.parse().unwrap()),
        ..Options::default()
    };
    let prepared = prepare(&folder, &cache, None, options, &Silent)
        .await
        .unwrap();
    let cancel = CancellationToken::new();
    let built = ergon_pack::build(&prepared, &cache, None, &Silent, &cancel).await;
    let hash = built.unwrap().record.build_hash.to_string();

    world.project(&folder).await;
    let record = json!({ "build_hash": hash, "folder": folder });
    assert_eq!(
        world.post("/api/v1/builds", record).await.success()["platform"],
        OTHER
    );
    let job = world.ended(&ask(&world, &hash).await).await;
    assert_eq!(job["state"], "succeeded", "{job:#}");
    let build = build(&world, &hash).await;
    assert_eq!(
        (&build["reproducibility"], &build["platform"]),
        (&json!("proven"), &json!(OTHER))
    );
    world.end().await;
}
