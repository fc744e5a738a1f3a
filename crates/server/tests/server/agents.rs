//! Companions for agents of others: cards and messages of the Agent2Agent protocol, and a tool for each companion.

use reqwest::{Method, header};
use serde_json::{Value, json};

use crate::mcp::{alone, call, names, result};
use crate::messages::{Companion, knowing, own_name, whole};
use crate::people::person;
use crate::world::{Answer, Door, World, read};

fn message(text: &str) -> Value {
    json!({ "messageId": "m-1", "role": "ROLE_USER", "parts": [{ "text": text }] })
}

fn request(method: &str, message: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": "r-1", "method": method, "params": { "message": message } })
}

async fn ask(world: &Door, name: &str, body: Value) -> Answer {
    let path = format!("/api/v1/companions/{name}/a2a");
    read(world.request(Method::POST, &path).json(&body)).await
}

async fn tools_of(world: &Door) -> Vec<String> {
    let tools = result(world, "tools/list", json!({})).await;
    let asks = names(&tools["tools"])
        .into_iter()
        .filter(|name| name.ends_with("/ask"));
    asks.map(str::to_owned).collect()
}

#[tokio::test]
async fn cards_say_where_one_speaks_to_whom_under_the_name_one_asked() {
    let world = knowing(&[("West-CI", 9)]).await;
    let stack = own_name(&world).await;
    let card = world.get("/.well-known/agent-card.json").await;
    assert_eq!(card["name"], stack.as_str());
    let skills = names(&card["skills"]);
    assert!(skills.contains(&"Ask") && skills.contains(&"build") && skills.contains(&"Companions"));
    let way = &card["supportedInterfaces"][0];
    assert_eq!(
        (&way["protocolBinding"], &way["protocolVersion"]),
        (&json!("JSONRPC"), &json!("1.0"))
    );
    let url = format!("{}/api/v1/companions/{stack}/a2a", world.url);
    assert_eq!(way["url"], url.as_str());
    let path = "/api/v1/companions/west-ci/.well-known/agent-card.json";
    let port = world.authority().split(':').nth(1).unwrap();
    let host = format!("localhost:{port}");
    let asked = world.request(Method::GET, path).header(header::HOST, &host);
    let card = read(asked).await.success();
    let url = format!("http://{host}/api/v1/companions/West-CI/a2a");
    assert_eq!(card["supportedInterfaces"][0]["url"], url.as_str());
    read(world.request(
        Method::GET,
        "/api/v1/companions/nobody/.well-known/agent-card.json",
    ))
    .await
    .problem(404);
    for path in ["/.well-known/agent-card.json", path] {
        read(world.anonymous(Method::GET, path)).await.problem(401);
    }
    world.end().await;
}

#[tokio::test]
async fn a_message_of_another_agent_goes_the_way_of_all_messages() {
    let world = World::new().await;
    let stack = own_name(&world).await;
    let mut said = message("how are you?");
    said["contextId"] = json!("c-1");
    let answer = ask(&world, &stack, request("SendMessage", &said))
        .await
        .success();
    let reply = &answer["result"]["message"];
    assert_eq!(
        (&answer["id"], &reply["contextId"]),
        (&json!("r-1"), &json!("c-1")),
        "{answer:#}"
    );
    assert_eq!(reply["role"], "ROLE_AGENT");
    assert!(
        reply["parts"][0]["text"]
            .as_str()
            .unwrap()
            .starts_with("I'm "),
        "{answer:#}"
    );
    assert_eq!(world.exchange("answered").await["to"], stack.as_str());
    let older = json!({
        "kind": "message", "messageId": "m", "role": "user",
        "parts": [{ "kind": "text", "text": "how are you?" }],
    });
    let answer = ask(&world, &stack, request("message/send", &older))
        .await
        .success();
    assert_eq!(answer["result"]["parts"][0]["kind"], "text", "{answer:#}");
    let path = format!("/api/v1/companions/{stack}/a2a");
    let streamed = world
        .request(Method::POST, &path)
        .json(&request("SendStreamingMessage", &said))
        .send()
        .await
        .unwrap();
    assert_eq!(streamed.headers()["content-type"], "text/event-stream");
    let text = streamed.text().await.unwrap();
    let data = text
        .lines()
        .find_map(|line| line.strip_prefix("data: "))
        .unwrap();
    let event: Value = serde_json::from_str(data).unwrap();
    assert_eq!(event["result"]["message"]["contextId"], "c-1", "{event:#}");
    world.end().await;
}

#[tokio::test]
async fn what_another_agent_may_not_say_is_refused_in_its_protocol() {
    let world = knowing(&[("west-ci", 9)]).await;
    let stack = own_name(&world).await;
    let code = async |body: Value| {
        let answer = ask(&world, &stack, body).await.success();
        answer["error"]["code"].clone()
    };
    for (body, wanted) in [
        (json!({}), -32600),
        (json!([]), -32600),
        (
            json!({ "jsonrpc": "2.0", "id": {}, "method": "SendMessage" }),
            -32600,
        ),
        (request("Fly", &message("x")), -32601),
        (request("SendMessage", &json!("x")), -32602),
        (request("SendMessage", &message(" ")), -32602),
        (
            request("SendMessage", &message(&"x".repeat(40 << 10))),
            -32602,
        ),
        (request("GetTask", &message("x")), -32001),
    ] {
        let shown: String = body.to_string().chars().take(80).collect();
        assert_eq!(code(body).await, wanted, "{shown}");
    }
    // Nobody is there.
    let away = ask(&world, "west-ci", request("SendMessage", &message("x")))
        .await
        .success();
    assert_eq!(away["error"]["code"], -32603, "{away:#}");
    assert!(away["error"]["data"][0]["metadata"]["remedy"].is_string());
    ask(&world, "nobody", request("SendMessage", &message("x")))
        .await
        .problem(404);
    let path = format!("/api/v1/companions/{stack}/a2a");
    let post = || {
        world
            .request(Method::POST, &path)
            .header("content-type", "application/json")
    };
    for body in [b"{".to_vec(), vec![b'['; 100_000], vec![0xff, 0xfe, b'"']] {
        read(post().body(body)).await.problem(400);
    }
    read(post().body(vec![b' '; 2 << 20])).await.problem(413);
    let newer = post().header("a2a-version", "9.0");
    let answer = read(newer.body(request("SendMessage", &message("x")).to_string()))
        .await
        .success();
    assert_eq!(answer["error"]["code"], -32009);
    let body = request("SendMessage", &message("x"));
    read(world.anonymous(Method::POST, &path).json(&body))
        .await
        .problem(401);
    // A viewer asks this stack's own, and nobody else.
    let viewer = person(&world, "vera", &["viewer"]).await;
    ask(&viewer, &stack, body.clone()).await.success();
    ask(&viewer, "west-ci", body).await.problem(403);
    world.end().await;
}

#[tokio::test]
async fn each_companion_is_a_tool_and_what_it_says_is_marked() {
    let near = Companion::answering(|message| async move {
        whole(&json!({ "response": format!("You said {}.", message["message"]) }))
    })
    .await;
    let world = knowing(&[("West-CI", near.port), ("east-ci", 9)]).await;
    let stack = own_name(&world).await;
    let listed = tools_of(&world).await;
    assert!(
        listed.is_sorted_by_key(|name| name.to_lowercase()),
        "{listed:?}"
    );
    let own = format!("{stack}/ask");
    for name in ["West-CI/ask", "east-ci/ask", &own] {
        assert!(
            listed.iter().any(|listed| listed == name),
            "{name}: {listed:?}"
        );
    }
    let asked = call(&world, "west-ci/ask", json!({ "message": "hello" })).await;
    assert_eq!(asked["isError"], false, "{asked:#}");
    let mark = asked["content"][0]["text"].as_str().unwrap();
    assert!(
        mark.contains("`West-CI`") && mark.contains("not an instruction"),
        "{mark}"
    );
    assert_eq!(asked["structuredContent"]["content"], "You said \"hello\".");
    let wrong = call(&world, "west-ci/ask", json!({ "content": "hello" })).await;
    assert_eq!(wrong["isError"], true, "{wrong:#}");
    let away = call(&world, "east-ci/ask", json!({ "message": "hello" })).await;
    assert_eq!(away["isError"], true, "{away:#}");
    let viewer = person(&world, "vera", &["viewer"]).await;
    assert_eq!(
        tools_of(&viewer).await,
        [own],
        "only those she may speak to"
    );
    let refused = call(&viewer, "west-ci/ask", json!({ "message": "hello" })).await;
    assert_eq!(refused["isError"], true, "{refused:#}");
    world.end().await;
}

#[tokio::test]
async fn a_server_of_tools_keeps_its_name_for_itself() {
    let world = knowing(&[("Far", 9)]).await;
    assert!(tools_of(&world).await.contains(&"Far/ask".to_owned()));
    let server = json!({ "name": "far", "url": "http://127.0.0.1:9/mcp" });
    world.post("/api/v1/tool-servers", server).await.success();
    assert!(!tools_of(&world).await.contains(&"Far/ask".to_owned()));
    let asked = call(&world, "far/ask", json!({ "message": "hello" })).await;
    let text = asked["content"][0]["text"].as_str().unwrap();
    assert!(text.contains("the server `far`"), "{text}");
    world.end().await;
}

#[tokio::test]
async fn whoever_listens_is_told_that_there_is_another_companion() {
    let world = World::new().await;
    let wanted = json!({ "notifications": { "toolsListChanged": true } });
    let response = alone(&world, "subscriptions/listen", wanted)
        .send()
        .await
        .unwrap();
    let mut stream = crate::mcp::Listened::to(response);
    stream.until("acknowledged").await;
    let record = json!({ "name": "west-ci", "type": "external", "port": 9 });
    world.post("/api/registry/register", record).await.success();
    stream.until("notifications/tools/list_changed").await;
    world.end().await;
}
