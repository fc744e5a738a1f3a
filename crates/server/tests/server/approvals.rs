//! What was proposed is done once, to the container it was made for, while that is as it was; or not at all.

use ergon_engine::testing::{self, TestContainer};
use ergon_engine::{ContainerSpec, Engine, Status};
use ergon_store::Store;
use futures_util::StreamExt;
use reqwest::Method;
use serde_json::{Value, json};

use crate::crash;
use crate::world::{Answer, Door, PATIENCE, World};

const SERVE: &str = "trap 'exit 0' TERM; while true; do sleep 1 & wait; done";

/// A container with a companion, stopped by `docker kill`.
pub async fn killed(world: &World, engine: &Engine) -> TestContainer {
    let container = TestContainer::run(engine, "gate", SERVE).await;
    let launch = json!({ "container": container.name, "name": companion(&container) });
    let launched = world.post("/api/v1/companions/launch", launch).await;
    launched.success();
    // Who is not watched yet is not told of.
    world
        .until(&format!("/api/v1/containers/{}", container.name), |seen| {
            seen["state"] == "running"
        })
        .await;
    engine.kill(&container.id, "SIGKILL").await.unwrap();
    container
}

fn companion(container: &TestContainer) -> String {
    let name = &container.name;
    format!("gate-{}-ci", &name[name.len() - 12..])
}

async fn say(world: &World, container: &TestContainer, message: &str) -> Value {
    let path = format!("/api/v1/companions/{}/message", companion(container));
    world
        .post(&path, json!({ "content": message }))
        .await
        .success()
}

/// The proposal to start again, as the companion offers it when asked what happened.
pub async fn offered(world: &World, container: &TestContainer) -> Value {
    let reply = say(world, container, "what happened?").await;
    let offer = &reply["offers"][0];
    let line = format!("I can start again:  {}", offer["command"].as_str().unwrap());
    assert!(
        reply["content"].as_str().unwrap().contains(&line),
        "{reply:#}"
    );
    let code = offer["code"].as_str().unwrap();
    world.get(&format!("/api/v1/proposals/{code}")).await
}

async fn approve(door: &Door, proposal: &Value) -> Answer {
    let path = format!(
        "/api/v1/proposals/{}/approve",
        proposal["code"].as_str().unwrap()
    );
    door.post(&path, json!({ "digest": proposal["digest"] }))
        .await
}

pub async fn is(engine: &Engine, container: &TestContainer) -> Status {
    engine.inspect(&container.id).await.unwrap().status
}

#[tokio::test]
async fn what_was_killed_is_started_again_once_however_many_approve_it_at_once() {
    let (world, engine) = (World::new().await, testing::engine().await);
    let container = killed(&world, &engine).await;
    let proposal = offered(&world, &container).await;
    assert_eq!(
        offered(&world, &container).await["code"],
        proposal["code"],
        "it is kept once"
    );
    assert_eq!(
        proposal["commands"],
        json!([["docker", "start", container.id]])
    );
    assert_eq!(proposal["undo"], json!([["docker", "stop", container.id]]));

    let both = tokio::join!(approve(&world, &proposal), approve(&world, &proposal));
    let (yes, no) = if both.0.status.is_success() {
        both
    } else {
        (both.1, both.0)
    };
    let done = yes.success();
    assert_eq!(
        (&done["state"], &done["decided_by"]),
        (&json!("done"), &json!("owner")),
        "{done:#}"
    );
    no.problem(409);
    approve(&world, &proposal).await.problem(409);
    assert_eq!(is(&engine, &container).await, Status::Running);
    let events = world.get("/api/v1/events").await;
    let subject = json!(format!("proposal/{}", proposal["code"].as_str().unwrap()));
    let told: Vec<&str> = events["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| event["subject"] == subject)
        .map(|event| event["type"].as_str().unwrap().rsplit('.').next().unwrap())
        .collect();
    assert_eq!(told, ["done", "begun", "approved", "made"]);
    world.end().await;
}

#[tokio::test]
async fn what_is_not_as_it_was_is_left_alone() {
    let (world, engine) = (World::new().await, testing::engine().await);
    let container = killed(&world, &engine).await;
    let proposal = offered(&world, &container).await;
    let mut other = proposal.clone();
    other["digest"] = json!("sha256:00");
    let refused = approve(&world, &other).await.problem(409);
    assert!(
        refused["detail"]
            .as_str()
            .unwrap()
            .contains("not what was approved"),
        "{refused:#}"
    );

    // Started and killed once more: stopped as before, and yet another state.
    engine.start(&container.id).await.unwrap();
    engine.kill(&container.id, "SIGKILL").await.unwrap();
    let answer = approve(&world, &proposal).await;
    if answer.status.is_success() {
        assert_eq!(answer.body["state"], "withdrawn", "{:#}", answer.body);
    } else {
        // The stack saw it first, and took the proposal back.
        answer.problem(409);
    }
    assert_eq!(is(&engine, &container).await, Status::Exited);
    assert_ne!(offered(&world, &container).await["code"], proposal["code"]);
    world.end().await;
}

#[tokio::test]
async fn another_container_of_the_same_name_is_not_meant() {
    let (world, engine) = (World::new().await, testing::engine().await);
    let container = killed(&world, &engine).await;
    let proposal = offered(&world, &container).await;
    engine.remove(&container.id, true, true).await.unwrap();
    let spec = ContainerSpec {
        name: container.name.clone(),
        image: testing::busybox(&engine).await.to_owned(),
        cmd: testing::shell(SERVE),
        ..ContainerSpec::default()
    };
    let other = engine.create_container(&spec).await.unwrap();
    let ended = approve(&world, &proposal).await.success();
    assert_eq!(ended["state"], "withdrawn", "{ended:#}");
    let state = engine.inspect(&other).await.unwrap();
    assert_eq!(state.status, Status::Created);
    engine.remove(&other, true, true).await.unwrap();
    world.end().await;
}

#[tokio::test]
async fn words_to_a_companion_approve_nothing() {
    let (world, engine) = (World::new().await, testing::engine().await);
    let container = killed(&world, &engine).await;
    let proposal = offered(&world, &container).await;
    let code = proposal["code"].as_str().unwrap();
    for words in [
        format!("ergon approvals approve {code}"),
        format!("approve {code}"),
        "yes, start again".to_owned(),
        "start".to_owned(),
    ] {
        say(&world, &container, &words).await;
        assert_eq!(is(&engine, &container).await, Status::Exited, "{words}");
    }
    let path = format!("/api/v1/proposals/{code}/approve");
    let nobody = world.anonymous(Method::POST, &path);
    let body = json!({ "digest": proposal["digest"] });
    let answer = crate::world::read(nobody.json(&body)).await;
    answer.problem(401);
    let denied = world
        .post(&format!("/api/v1/proposals/{code}/deny"), json!({}))
        .await;
    assert_eq!(denied.success()["state"], "denied");
    approve(&world, &proposal).await.problem(409);
    assert_eq!(is(&engine, &container).await, Status::Exited);
    world.end().await;
}

/// What a stack leaves that has ended: its folder, its store, and what it offered for a container.
async fn left_by(
    world: World,
    container: &TestContainer,
) -> (tempfile::TempDir, Store, ergon_store::ProposalRow) {
    let code = offered(&world, container).await["code"]
        .as_str()
        .unwrap()
        .to_owned();
    let folder = world.end().await;
    let store = Store::open(&folder.path().join("data/ergon.db"))
        .await
        .unwrap();
    let row = store.proposal(&code).await.unwrap().unwrap();
    (folder, store, row)
}

/// What a stack leaves that is killed after the approval, and after the beginning.
#[tokio::test]
async fn what_a_crash_interrupted_is_said_and_never_begun_again() {
    let (world, engine) = (World::new().await, testing::engine().await);
    let container = killed(&world, &engine).await;
    let (folder, store, mut row) = left_by(world, &container).await;
    let code = row.code.clone();
    let event = || ergon_store::NewEvent::new("dev.ergon.test", "test", json!({}));
    let digest = row.digest.clone();
    let mut change = store.change(event()).await.unwrap();
    let now = ergon_store::now();
    let decided = change.decide_proposal(&code, &digest, "approved", "owner", now);
    assert!(decided.await.unwrap());
    // Another one got as far as to begin.
    row.code = "BEGUN".to_owned();
    change.add_proposal(&row).await.unwrap();
    let decided = change.decide_proposal("BEGUN", &digest, "approved", "owner", now);
    assert!(decided.await.unwrap());
    assert!(change.begin_proposal("BEGUN", now).await.unwrap());
    change.commit().await.unwrap();
    store.close().await;

    let world = World::over(folder).await;
    for (code, said) in [
        (code.as_str(), "nothing was done"),
        ("BEGUN", "does not show"),
    ] {
        let proposal = world.get(&format!("/api/v1/proposals/{code}")).await;
        assert_eq!(proposal["state"], "interrupted", "{proposal:#}");
        assert!(
            proposal["outcome"].as_str().unwrap().contains(said),
            "{proposal:#}"
        );
        approve(&world, &proposal).await.problem(409);
    }
    assert_eq!(is(&engine, &container).await, Status::Exited);
    world.end().await;
}

/// Ends after a while the first time, and never again: so long it takes to see that starting it helped.
const ONCE: &str = "test -e /begun && exec sleep 1000; touch /begun; sleep 6; exit 3";

#[tokio::test]
async fn a_stack_that_is_killed_at_work_has_done_it_at_most_once_and_the_next_one_says_so() {
    let (world, engine) = (World::new().await, testing::engine().await);
    let container = TestContainer::run(&engine, "gate", ONCE).await;
    let launch = json!({ "container": container.name, "name": companion(&container) });
    let launched = world.post("/api/v1/companions/launch", launch).await;
    launched.success();
    world
        .until("/api/v1/proposals", |list| list["items"] != json!([]))
        .await;
    let folder = world.end().await;

    let mut child = crash::start(folder.path());
    let door = || Door::of(&folder.path().join("data"));
    let ask = async |content: &str| {
        let path = format!("/api/v1/companions/{}/message", companion(&container));
        let reply = door().post(&path, json!({ "content": content })).await;
        let code = reply.success()["offers"][0]["code"].clone();
        let path = format!("/api/v1/proposals/{}", code.as_str().unwrap());
        (path.clone(), door().get(&path).await)
    };
    // Nobody waits for these answers: the stack is killed before it has any.
    let approve_later = |proposal: Value, door: Door| {
        tokio::spawn(async move {
            let path = format!("/api/v1/proposals/{}", proposal["code"].as_str().unwrap());
            let request = door.request(Method::POST, &format!("{path}/approve"));
            drop(
                request
                    .json(&json!({ "digest": proposal["digest"] }))
                    .send()
                    .await,
            );
        })
    };
    let since = jiff::Timestamp::now();
    let mut happenings = engine.events(Some(since));
    let (start, proposal) = ask("start").await;
    assert_eq!(proposal["action"], "start", "{proposal:#}");
    let first = approve_later(proposal, door());
    let started = async {
        while let Some(event) = happenings.next().await {
            let event = event.unwrap();
            if event.id == container.id && event.action == "start" {
                break;
            }
        }
    };
    tokio::time::timeout(PATIENCE, started)
        .await
        .expect("it is started");
    // One thing at a time is done to a container: this one is approved, and waits.
    let (stop, proposal) = ask("stop").await;
    assert_eq!(proposal["action"], "stop", "{proposal:#}");
    let second = approve_later(proposal, door());
    door()
        .until(&stop, |seen| seen["state"] == "approved")
        .await;
    assert_eq!(door().get(&start).await["state"], "running");

    child.kill().unwrap();
    child.wait().unwrap();
    first.await.unwrap();
    second.await.unwrap();

    let world = World::over(folder).await;
    for (path, said) in [
        (&start, "the engine shows that it was done"),
        (&stop, "nothing was done, and the approval is used up"),
    ] {
        let proposal = world.get(path).await;
        assert_eq!(proposal["state"], "interrupted", "{proposal:#}");
        let outcome = proposal["outcome"].as_str().unwrap();
        assert!(outcome.contains(said), "{outcome}");
        approve(&world, &proposal).await.problem(409);
    }
    // A mark after everything that the stacks may have done to it.
    engine.kill(&container.id, "SIGKILL").await.unwrap();
    let mut done = Vec::new();
    let mut happenings = engine.events(Some(since));
    let until_killed = async {
        while let Some(event) = happenings.next().await {
            let event = event.unwrap();
            let counts = ["start", "stop", "kill", "die"].contains(&event.action.as_str());
            if event.id == container.id && counts {
                done.push(event.action.clone());
                if event.action == "die" {
                    break;
                }
            }
        }
    };
    tokio::time::timeout(PATIENCE, until_killed)
        .await
        .expect("it ends");
    assert_eq!(done, ["start", "kill", "die"]);
    world.end().await;
}

/// A proposal that somebody changed where it is kept is not what its digest says.
#[tokio::test]
async fn what_was_changed_where_it_is_kept_is_not_carried_out() {
    let (world, engine) = (World::new().await, testing::engine().await);
    let container = killed(&world, &engine).await;
    let (folder, store, mut row) = left_by(world, &container).await;
    row.code = "FORGED".to_owned();
    row.content["steps"] = json!([{ "do": "stop" }]);
    let event = ergon_store::NewEvent::new("dev.ergon.test", "test", json!({}));
    let mut change = store.change(event).await.unwrap();
    change.add_proposal(&row).await.unwrap();
    change.commit().await.unwrap();
    store.close().await;
    let world = World::over(folder).await;
    let forged = world.get("/api/v1/proposals/FORGED").await;
    assert_eq!(
        forged["commands"],
        json!([]),
        "what it is is not shown as if it could be approved"
    );
    approve(&world, &forged).await.problem(409);
    assert_eq!(is(&engine, &container).await, Status::Exited);
    world.end().await;
}

#[tokio::test]
async fn a_guard_rail_stands_in_so_often_and_no_oftener() {
    let (world, engine) = (World::new().await, testing::engine().await);
    let container = TestContainer::run(&engine, "gate", SERVE).await;
    let launch = json!({ "container": container.name, "name": companion(&container) });
    world
        .post("/api/v1/companions/launch", launch)
        .await
        .success();
    let rail = |action: &str| json!({ "action": action, "container": container.name, "times": 1, "within_seconds": 3600 });
    let added = world.post("/api/v1/guard-rails", rail("start")).await;
    let name = added.success()["name"].as_str().unwrap().to_owned();
    for refused in ["remove", "recreate", "start+remove", ""] {
        let answer = world.post("/api/v1/guard-rails", rail(refused)).await;
        answer.problem(400);
    }
    let path = format!("/api/v1/containers/{}", container.name);
    world.until(&path, |seen| seen["state"] == "running").await;

    // Words alone let nothing pass, whatever guard-rail there is.
    engine
        .stop(&container.id, std::time::Duration::from_secs(5))
        .await
        .unwrap();
    say(&world, &container, "start").await;
    assert_eq!(is(&engine, &container).await, Status::Exited);
    engine.start(&container.id).await.unwrap();

    engine.kill(&container.id, "SIGKILL").await.unwrap();
    let mine = |list: &Value| -> Vec<Value> {
        let items = list["items"].as_array().unwrap().iter();
        let mine = items.filter(|item| {
            item["container"] == json!(container.name)
                && item["why"][0]["finding"] == "exited.killed"
        });
        mine.cloned().collect()
    };
    let all = world
        .until("/api/v1/proposals?all=true", |list| {
            mine(list)
                .first()
                .is_some_and(|first| first["state"] == "done")
        })
        .await;
    let first = mine(&all).remove(0);
    assert_eq!(
        first["decided_by"],
        json!(format!("guard-rail {name}")),
        "{first:#}"
    );
    assert_eq!(is(&engine, &container).await, Status::Running);

    // The second time somebody is asked.
    engine.kill(&container.id, "SIGKILL").await.unwrap();
    let all = world
        .until("/api/v1/proposals?all=true", |list| mine(list).len() == 2)
        .await;
    assert_eq!(mine(&all)[0]["state"], "open", "{all:#}");
    assert_eq!(is(&engine, &container).await, Status::Exited);
    world.end().await;
}

#[tokio::test]
async fn what_does_not_help_is_undone_and_said() {
    let (world, engine) = (World::new().await, testing::engine().await);
    let container = TestContainer::run(&engine, "gate", "sleep 1; exit 3").await;
    let launch = json!({ "container": container.name, "name": companion(&container) });
    world
        .post("/api/v1/companions/launch", launch)
        .await
        .success();
    let all = world
        .until("/api/v1/proposals", |list| {
            !list["items"].as_array().unwrap().is_empty()
        })
        .await;
    let ended = approve(&world, &all["items"][0]).await.success();
    assert_eq!(ended["state"], "undone", "{ended:#}");
    let said = ended["outcome"].as_str().unwrap();
    assert!(
        said.contains("did not help") && said.contains("somebody has to look"),
        "{said}"
    );
    world.end().await;
}

/// Somebody with a name of their own, who may approve.
async fn operator(world: &World, name: &str) -> Door {
    let wanted = json!({ "name": name, "roles": ["operator"] });
    world.post("/api/v1/people", wanted).await.success();
    let path = format!("/api/v1/people/{name}/tokens");
    let added = world.post(&path, json!({})).await.success();
    world.with_token(added["secret"].as_str().unwrap())
}

async fn rule(world: &World, body: Value) -> Answer {
    let request = world.request(Method::PUT, "/api/v1/approval-rules");
    crate::world::read(request.json(&body)).await
}

#[tokio::test]
async fn what_needs_two_people_is_done_when_the_second_says_so_and_not_before() {
    let (world, engine) = (World::new().await, testing::engine().await);
    let container = killed(&world, &engine).await;
    let proposal = offered(&world, &container).await;
    assert_eq!(proposal["approvals_needed"], 1);
    for wrong in [
        json!({ "approvals": 0 }),
        json!({ "approvals": 11 }),
        json!({ "approvals": 2, "class": "wild" }),
        json!({ "approvals": 2, "container": "" }),
    ] {
        rule(&world, wrong).await.problem(400);
    }
    // It holds for what is open already.
    rule(&world, json!({ "approvals": 2 })).await.success();
    let ada = operator(&world, "ada").await;
    let bob = operator(&world, "bob").await;
    // Who approves does not say how many have to.
    let lowered = ada.request(Method::PUT, "/api/v1/approval-rules");
    crate::world::read(lowered.json(&json!({ "approvals": 1 })))
        .await
        .problem(403);
    let waits = approve(&ada, &proposal).await.success();
    assert_eq!(
        (&waits["state"], &waits["approved_by"]),
        (&json!("open"), &json!(["ada"]))
    );
    let again = approve(&ada, &proposal).await.success();
    assert_eq!(again["approved_by"], json!(["ada"]), "one has one voice");
    assert_ne!(is(&engine, &container).await, Status::Running);
    // A robot is nobody who looks at things.
    let robot = json!({ "name": "ci", "roles": ["operator"] });
    let robot = world.post("/api/v1/robots", robot).await.success();
    let robot = world.with_token(robot["secret"].as_str().unwrap());
    approve(&robot, &proposal).await.problem(403);
    let other = json!({ "code": proposal["code"], "digest": "0".repeat(64) });
    approve(&bob, &other).await.problem(409);
    let done = approve(&bob, &proposal).await.success();
    assert_eq!(
        (&done["state"], &done["decided_by"]),
        (&json!("done"), &json!("ada, bob"))
    );
    assert_eq!(is(&engine, &container).await, Status::Running);
    approve(&bob, &proposal).await.problem(409);
    world.end().await;
}

#[tokio::test]
async fn whoever_cannot_wait_says_why_and_somebody_else_looks_at_it_afterwards() {
    let (world, engine) = (World::new().await, testing::engine().await);
    let container = killed(&world, &engine).await;
    let proposal = offered(&world, &container).await;
    rule(&world, json!({ "approvals": 3, "class": "safe" }))
        .await
        .success();
    let (ada, bob) = (operator(&world, "ada").await, operator(&world, "bob").await);
    let code = proposal["code"].as_str().unwrap();
    let path = format!("/api/v1/proposals/{code}/override");
    let wanted = |reason: &str| json!({ "digest": proposal["digest"], "reason": reason });
    ada.post(&path, wanted("  ")).await.problem(400);
    let other = json!({ "digest": "0".repeat(64), "reason": "customers wait" });
    ada.post(&path, other).await.problem(409);
    let done = ada.post(&path, wanted("customers wait")).await.success();
    assert_eq!(done["state"], "done");
    assert_eq!(is(&engine, &container).await, Status::Running);
    ada.post(&path, wanted("customers wait")).await.problem(409);
    let overrides = world.get("/api/v1/overrides").await;
    assert_eq!(overrides["items"][0]["reason"], "customers wait");
    assert!(overrides["items"][0]["reviewed_by"].is_null());
    let review = format!("/api/v1/overrides/{code}/review");
    let said = json!({ "review": "it was right" });
    ada.post(&review, said.clone()).await.problem(403);
    let reviewed = bob.post(&review, said.clone()).await.success();
    assert_eq!(reviewed["reviewed_by"], "bob");
    world.post(&review, said.clone()).await.problem(409);
    bob.post("/api/v1/overrides/XXX/review", said)
        .await
        .problem(404);
    let audited = world.get("/api/v1/audit?action=OverrideProposal").await;
    assert_eq!(audited["items"][0]["principal"], "ada");
    world.end().await;
}
