//! Runbooks of a project: read from its folder, carried out so often, and said when that is used up.

use ergon_engine::testing;
use serde_json::{Value, json};

use crate::containers::{project, serve};
use crate::world::World;

const AGAIN: &str = "name: again
about: Starts it again
trigger: [exited.killed]
steps: [start]
at_most: { times: 1, within_seconds: 3600 }
advice: Find out who kills it.
";

/// The third line is wrong.
const WRONG: &str = "name: wrong
about: Nothing
triggers: [exited.killed]
steps: [start]
at_most: { times: 1, within_seconds: 3600 }
advice: None.
";

fn trial<'a>(trials: &'a Value, name: &str) -> &'a Value {
    let mut items = trials["items"].as_array().unwrap().iter();
    let found = items.find(|trial| trial["name"] == name);
    found.unwrap_or_else(|| panic!("{name} is not among {trials:#}"))
}

#[tokio::test]
async fn a_projects_runbook_does_it_so_often_and_then_says_that_it_is_used_up() {
    let (world, engine) = (World::new().await, testing::engine().await);
    let (folder, name) = project(&world, "book", &serve(), &[]).await;
    std::fs::create_dir(folder.join("runbooks")).unwrap();
    std::fs::write(folder.join("runbooks/again.yaml"), AGAIN).unwrap();
    std::fs::write(folder.join("runbooks/wrong.yaml"), WRONG).unwrap();
    let run = world.post("/api/v1/runs", json!({ "folder": folder }));
    let job = world.ended(&run.await.success()).await;
    assert_eq!(job["state"], "succeeded", "{job:#}");
    let container = world.get(&format!("/api/v1/containers/{}", name.0)).await;
    let id = container["id"].as_str().unwrap().to_owned();
    let dry_run = format!("/api/v1/containers/{}/runbooks", name.0);

    let trials = world.get(&dry_run).await;
    assert_eq!(trial(&trials, "again")["would"], "nothing", "{trials:#}");
    let wrong = trial(&trials, "runbooks/wrong.yaml");
    assert_eq!(wrong["would"], "unreadable");
    let reason = wrong["reason"].as_str().unwrap();
    assert!(
        reason.contains("triggers") && reason.contains("line 3"),
        "{reason}"
    );

    engine.kill(&id, "SIGKILL").await.unwrap();
    let mine = |list: &Value, state: &str| -> Option<Value> {
        let mut items = list["items"].as_array()?.iter();
        let mine = |item: &&Value| {
            item["container_id"] == json!(id)
                && item["origin"] == "runbook:again"
                && item["state"] == state
        };
        items.find(mine).cloned()
    };
    let all = "/api/v1/proposals?all=true";
    let list = world.until(all, |list| mine(list, "open").is_some()).await;
    let proposal = mine(&list, "open").unwrap();
    let path = format!("/api/v1/proposals/{}", proposal["code"].as_str().unwrap());
    let body = json!({ "digest": proposal["digest"] });
    let approved = world.post(&format!("{path}/approve"), body).await;
    let done = approved.success();
    assert_eq!(done["state"], "done", "{done:#}");

    engine.kill(&id, "SIGKILL").await.unwrap();
    let used_up = |list: &Value| -> Vec<Value> {
        let items = list["items"].as_array().unwrap().iter();
        let mine = |item: &&Value| {
            item["type"] == "dev.ergon.runbook.used-up" && item["data"]["container_id"] == json!(id)
        };
        items.filter(mine).cloned().collect()
    };
    let events = world
        .until("/api/v1/events", |list| !used_up(list).is_empty())
        .await;
    let told = &used_up(&events)[0];
    assert_eq!(told["subject"], format!("runbook/again/{}", name.0));
    assert_eq!(told["data"]["advice"], "Find out who kills it.");
    assert_eq!(
        trial(&world.get(&dry_run).await, "again")["would"],
        "escalate"
    );

    // However often one looks, also after a restart of the stack.
    let world = World::over(world.end().await).await;
    let ask = json!({ "content": "what happened?" });
    let path = format!("/api/v1/companions/{}-ci/message", name.0);
    for _ in 0..2 {
        world.post(&path, ask.clone()).await.success();
    }
    let events = world.get("/api/v1/events").await;
    assert_eq!(used_up(&events).len(), 1, "it is said once");
    assert!(mine(&world.get(all).await, "open").is_none());
    world.end().await;
}
