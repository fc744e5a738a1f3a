//! Yes to a proposal through an agent: a client that can ask a person does, and what they say counts.

use ergon_engine::testing::{self, TestContainer};
use ergon_engine::{Engine, Status};
use reqwest::{Method, RequestBuilder, StatusCode, header};
use serde_json::{Value, json};

use crate::approvals::{is, killed, offered};
use crate::mcp::{Listened, NEWEST, OLDER, messages, post};
use crate::world::World;

/// A call of the tool by a client of the newest revision that can ask; with what a person said, where it was asked.
fn call(world: &World, proposal: &Value, digest: &Value, said: Option<Value>) -> RequestBuilder {
    let mut params = json!({
        "name": "approve_proposal",
        "arguments": { "code": proposal["code"], "digest": digest },
        "_meta": {
            "io.modelcontextprotocol/protocolVersion": NEWEST,
            "io.modelcontextprotocol/clientInfo": { "name": "test", "version": "1" },
            "io.modelcontextprotocol/clientCapabilities": { "elicitation": { "form": {} } },
        },
    });
    if let Some(said) = said {
        params["inputResponses"] = json!({ "approval": said });
    }
    post(world, NEWEST)
        .header("mcp-method", "tools/call")
        .header("mcp-name", "approve_proposal")
        .json(&json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params }))
}

async fn result(request: RequestBuilder) -> Value {
    let answer = messages(request.send().await.unwrap()).await.pop().unwrap();
    assert!(answer["result"].is_object(), "{answer:#}");
    answer["result"].clone()
}

/// A proposal to start a container again.
async fn proposed(world: &World, engine: &Engine) -> (TestContainer, Value) {
    let container = killed(world, engine).await;
    let proposal = offered(world, &container).await;
    (container, proposal)
}

#[tokio::test]
async fn a_person_is_shown_what_would_be_done_and_nothing_is_done_before_they_tick_it() {
    let (world, engine) = (World::new().await, testing::engine().await);
    let (container, proposal) = proposed(&world, &engine).await;
    let digest = &proposal["digest"];
    let asked = result(call(&world, &proposal, digest, None)).await;
    assert_eq!(asked["resultType"], "input_required", "{asked:#}");
    let question = &asked["inputRequests"]["approval"];
    assert_eq!(question["method"], "elicitation/create");
    let text = question["params"]["message"].as_str().unwrap();
    for shown in [
        format!("docker start {}", container.id),
        format!("docker stop {}", container.id),
        digest.as_str().unwrap().to_owned(),
    ] {
        assert!(text.contains(&shown), "{text}");
    }
    let schema = &question["params"]["requestedSchema"];
    assert_eq!(
        schema["properties"]["approve"]["type"], "boolean",
        "{schema:#}"
    );

    for said in [
        json!({ "action": "decline" }),
        json!({ "action": "cancel" }),
        json!({ "action": "accept" }),
        json!({ "action": "accept", "content": {} }),
        json!({ "action": "accept", "content": { "approve": false } }),
        json!({ "action": "accept", "content": { "approve": "true" } }),
        json!({ "action": "yes", "content": { "approve": true } }),
        json!("yes"),
    ] {
        let refused = result(call(&world, &proposal, digest, Some(said.clone()))).await;
        assert_eq!(refused["isError"], true, "{said}: {refused:#}");
    }
    let yes = json!({ "action": "accept", "content": { "approve": true } });
    let other = json!(format!("sha256:{:064}", 0));
    let changed = result(call(&world, &proposal, &other, Some(yes.clone()))).await;
    assert_eq!(changed["isError"], true, "{changed:#}");
    assert_eq!(is(&engine, &container).await, Status::Exited);

    let done = result(call(&world, &proposal, digest, Some(yes.clone()))).await;
    assert_eq!(done["structuredContent"]["state"], "done", "{done:#}");
    assert_eq!(is(&engine, &container).await, Status::Running);
    let again = result(call(&world, &proposal, digest, Some(yes))).await;
    assert_eq!(again["isError"], true, "{again:#}");
    world.end().await;
}

#[tokio::test]
async fn an_older_client_is_asked_while_its_call_waits() {
    let (world, engine) = (World::new().await, testing::engine().await);
    let (container, proposal) = proposed(&world, &engine).await;
    let hello = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": OLDER, "capabilities": { "elicitation": {} }, "clientInfo": { "name": "test", "version": "1" },
    } });
    let response = post(&world, OLDER).json(&hello).send().await.unwrap();
    let session = response.headers()["mcp-session-id"]
        .to_str()
        .unwrap()
        .to_owned();
    let say = |message: Value| {
        let said = post(&world, OLDER).header("mcp-session-id", &session);
        said.json(&message).send()
    };
    let ready = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    assert_eq!(say(ready).await.unwrap().status(), StatusCode::ACCEPTED);
    for (approves, state) in [(false, Status::Exited), (true, Status::Running)] {
        let arguments = json!({ "code": proposal["code"], "digest": proposal["digest"] });
        let params = json!({ "name": "approve_proposal", "arguments": arguments });
        let asked = json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": params });
        let mut answer = Listened::to(say(asked).await.unwrap());
        let seen = answer.until("elicitation/create").await;
        let question = seen.lines().filter_map(|line| line.strip_prefix("data:"));
        let question = question.filter_map(|data| serde_json::from_str::<Value>(data).ok());
        let question = question
            .into_iter()
            .find(|message| message["method"] == "elicitation/create");
        let id = question.unwrap()["id"].clone();
        assert_eq!(is(&engine, &container).await, Status::Exited);
        let content = json!({ "action": "accept", "content": { "approve": approves } });
        let said = say(json!({ "jsonrpc": "2.0", "id": id, "result": content })).await;
        assert_eq!(said.unwrap().status(), StatusCode::ACCEPTED);
        let seen = answer.until("\"result\"").await;
        assert_eq!(seen.contains("\"isError\":true"), !approves, "{seen}");
        assert_eq!(is(&engine, &container).await, state);
    }
    let end = world.request(Method::DELETE, "/mcp");
    let end = end
        .header("mcp-session-id", &session)
        .header(header::ACCEPT, "application/json");
    assert_eq!(end.send().await.unwrap().status(), StatusCode::ACCEPTED);
    world.end().await;
}
