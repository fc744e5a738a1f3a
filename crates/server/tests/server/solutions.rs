//! Solutions: kept once, never modified, measured, and not removed while something depends on them.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::lineage::{built, page, text};
use crate::world::{World, read};

const SOLUTIONS: &str = "/api/v1/solutions";

/// A configuration that is to be kept.
fn limits(version: &str) -> Value {
    json!({
        "name": "limits", "version": version, "kind": "configuration",
        "description": "What our sites allow", "configuration": { "memory": "256 MiB" }, "keywords": ["site"]
    })
}

async fn keep(world: &World, solution: &Value) -> Value {
    world.post(SOLUTIONS, solution.clone()).await.success()
}

fn state<'a>(solution: &'a Value, standard: &str) -> &'a str {
    let mut standards = solution["standards"].as_array().unwrap().iter();
    let found = standards.find(|one| one["name"] == standard).unwrap();
    text(&found["state"])
}

#[tokio::test]
async fn a_version_is_kept_once_and_the_highest_is_shown() {
    let world = World::new().await;
    let first = keep(&world, &limits("0.9.0")).await;
    keep(&world, &limits("0.10.0")).await;
    keep(&world, &limits("0.11.0-rc.1")).await;
    let again = world.post(SOLUTIONS, limits("0.9.0")).await.problem(409);
    assert!(text(&again["detail"]).contains("limits@0.9.0"), "{again:#}");

    let highest = world.get("/api/v1/solutions/limits").await;
    assert_eq!(highest["version"], "0.11.0-rc.1");
    assert_eq!(
        highest["versions"],
        json!(["0.11.0-rc.1", "0.10.0", "0.9.0"])
    );
    let old = world.get("/api/v1/solutions/limits@0.9.0").await;
    assert_eq!(old["digest"], first["digest"]);
    assert_ne!(old["digest"], highest["digest"]);
    assert_eq!(old["meets_standards"], true);

    let mut other = limits("1.0.0");
    other["kind"] = json!("tool");
    other["build"] = json!("abcd");
    other.as_object_mut().unwrap().remove("configuration");
    world.post(SOLUTIONS, other).await.problem(404);
    world.end().await;
}

#[tokio::test]
async fn what_is_no_solution_is_refused_with_the_reason() {
    let world = World::new().await;
    let with = |name: &str, value: Value| {
        let mut solution = limits("1.0.0");
        solution[name] = value;
        solution
    };
    for (wrong, status) in [
        (with("name", json!("../x")), 400),
        (with("version", json!("1.0")), 400),
        (with("kind", json!("thing")), 400),
        (with("description", json!(" ")), 400),
        (with("build", json!("4f1c")), 400),
        (with("kind", json!("container")), 400),
        (with("needs", json!(["limits@1.0.0"])), 400),
        (with("needs", json!(["database"])), 400),
        (with("needs", json!(["database@1.0.0"])), 409),
        (with("colour", json!("red")), 422),
    ] {
        world.post(SOLUTIONS, wrong).await.problem(status);
    }
    assert_eq!(world.get(SOLUTIONS).await["items"], json!([]));
    world.end().await;
}

#[tokio::test]
async fn what_something_depends_on_is_not_removed_and_the_refusal_says_what() {
    let world = World::new().await;
    keep(&world, &limits("1.0.0")).await;
    let mut site = limits("1.0.0");
    site["name"] = json!("site");
    site["needs"] = json!(["limits@1.0.0"]);
    keep(&world, &site).await;
    let shown = world.get("/api/v1/solutions/limits").await;
    assert_eq!(shown["dependents"][0]["name"], "site@1.0.0");

    let refused = world.delete("/api/v1/solutions/limits@1.0.0").await;
    let refused = refused.problem(409);
    assert!(
        text(&refused["detail"]).contains("solution site@1.0.0 needs it"),
        "{refused:#}"
    );
    world.delete("/api/v1/solutions/site").await.problem(400);
    for name in ["site@1.0.0", "limits@1.0.0"] {
        let gone = read(world.request(Method::DELETE, &format!("{SOLUTIONS}/{name}"))).await;
        assert_eq!(gone.status, StatusCode::NO_CONTENT, "{name}");
    }
    world
        .delete("/api/v1/solutions/limits@1.0.0")
        .await
        .problem(404);
    world.end().await;
}

#[tokio::test]
async fn a_finished_project_becomes_a_solution_that_is_measured() {
    let world = World::new().await;
    let folder = page(&world, "shop").await;
    let import = "/api/v1/projects/shop/solutions";
    let early = world.post(import, json!({})).await.problem(409);
    assert!(text(&early["detail"]).contains("no build"), "{early:#}");

    let build = built(&world, &folder).await;
    let wanted = json!({ "keywords": ["web"], "description": "Sells things" });
    let kept = world.post(import, wanted).await.success();
    assert_eq!(
        (&kept["name"], &kept["version"], &kept["build_hash"]),
        (&json!("shop"), &json!("0.1.0"), &build["build_hash"])
    );
    assert_eq!(kept["source_digest"], build["source_digest"]);
    assert_eq!(kept["commit"], build["commit"]);
    for (standard, expected) in [
        ("pinned", "not-met"),
        ("proven", "not-met"),
        ("sbom", "not-met"),
        ("non-root", "met"),
        ("health-check", "not-met"),
        ("no-known-secret", "met"),
    ] {
        assert_eq!(state(&kept, standard), expected, "{standard}: {kept:#}");
    }
    let same = world.post(import, json!({})).await.problem(409);
    assert!(text(&same["detail"]).contains("shop@0.1.0"), "{same:#}");

    // What was written into the source by mistake is in a layer of the next version.
    let key = format!("{}{}", "AKIA", "ABCDEFGH2345672Q");
    std::fs::write(folder.join("settings.txt"), format!("a\nkey={key}\n")).unwrap();
    built(&world, &folder).await;
    let leaky = world.post(import, json!({})).await.success();
    assert_eq!(leaky["version"], "0.2.0");
    assert_eq!(state(&leaky, "no-known-secret"), "not-met");
    let secret = &leaky["secrets"][0];
    assert_eq!(
        (&secret["kind"], &secret["line"]),
        (&json!("AWS access key"), &json!(2))
    );
    assert!(text(&secret["path"]).ends_with("settings.txt"));
    assert!(!leaky.to_string().contains(&key), "it is never said");
    let before = world.get("/api/v1/solutions/shop@0.1.0").await;
    assert_eq!(state(&before, "no-known-secret"), "met");

    let found = |words: &str| format!("{SOLUTIONS}?words={words}");
    for (words, count) in [("SELLS+shop", 1), ("shop", 1), ("nothing", 0)] {
        let list = world.get(&found(words)).await;
        assert_eq!(list["items"].as_array().unwrap().len(), count, "{words}");
    }
    let meets = world
        .get(&format!("{SOLUTIONS}?meets_standards=true"))
        .await;
    assert_eq!(meets["items"], json!([]));
    world.end().await;
}
