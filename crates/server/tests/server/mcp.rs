//! What agents have of a stack: the same as everybody, by the same rules.

use std::pin::Pin;

use axum::body::Bytes;
use futures_util::{Stream, StreamExt as _};
use reqwest::{Method, RequestBuilder, Response, StatusCode, header};
use serde_json::{Value, json};

use crate::containers::{project, serve};
use crate::world::{Door, PATIENCE, World, read};

pub const NEWEST: &str = "2026-07-28";
pub const OLDER: &str = "2025-11-25";

/// A message that stands alone, as the newest revision has them.
pub fn alone(world: &Door, method: &str, params: Value) -> RequestBuilder {
    let mut params = params;
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": NEWEST,
        "io.modelcontextprotocol/clientInfo": { "name": "test", "version": "1" },
        "io.modelcontextprotocol/clientCapabilities": {},
        "progressToken": 7,
    });
    let mut request = post(world, NEWEST).header("mcp-method", method);
    let subject = params.get("name").or(params.get("uri"));
    if let Some(subject) = subject.and_then(Value::as_str) {
        request = request.header("mcp-name", subject);
    }
    request.json(&json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }))
}

pub fn post(world: &Door, version: &str) -> RequestBuilder {
    world
        .request(Method::POST, "/mcp")
        .header(header::ACCEPT, "application/json, text/event-stream")
        .header("mcp-protocol-version", version)
}

/// The messages of an answer, whichever way it was given.
pub async fn messages(response: Response) -> Vec<Value> {
    assert_eq!(response.status(), StatusCode::OK);
    let kind = response.headers()[header::CONTENT_TYPE]
        .to_str()
        .unwrap()
        .to_owned();
    let body = response.text().await.unwrap();
    if kind.starts_with("application/json") {
        return vec![serde_json::from_str(&body).unwrap()];
    }
    let data = body.lines().filter_map(|line| line.strip_prefix("data:"));
    data.filter_map(|data| serde_json::from_str(data).ok())
        .collect()
}

/// The result of a message that stands alone.
pub async fn result(world: &Door, method: &str, params: Value) -> Value {
    let response = alone(world, method, params).send().await.unwrap();
    let answer = messages(response).await.pop().unwrap();
    assert!(answer["result"].is_object(), "{answer:#}");
    answer["result"].clone()
}

pub async fn call(world: &Door, tool: &str, arguments: Value) -> Value {
    result(
        world,
        "tools/call",
        json!({ "name": tool, "arguments": arguments }),
    )
    .await
}

/// An answer that comes piece by piece.
pub struct Listened {
    pieces: Pin<Box<dyn Stream<Item = reqwest::Result<Bytes>> + Send>>,
    seen: String,
}

impl Listened {
    pub fn to(response: Response) -> Self {
        assert_eq!(response.status(), StatusCode::OK);
        Self {
            pieces: Box::pin(response.bytes_stream()),
            seen: String::new(),
        }
    }

    /// Everything that came until a text did.
    pub async fn until(&mut self, text: &str) -> String {
        while !self.seen.contains(text) {
            let piece = tokio::time::timeout(PATIENCE, self.pieces.next()).await;
            let piece = piece
                .expect("it comes in time")
                .expect("it has not ended")
                .unwrap();
            self.seen.push_str(&String::from_utf8_lossy(&piece));
        }
        self.seen.clone()
    }
}

pub fn names(list: &Value) -> Vec<&str> {
    let items = list.as_array().unwrap().iter();
    items.map(|item| item["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn nobody_speaks_without_a_token() {
    let world = World::new().await;
    for method in [Method::POST, Method::GET, Method::DELETE] {
        read(world.anonymous(method, "/mcp")).await.problem(401);
    }
    for path in ["/mcp/tools", "/mcp/resources", "/mcp/prompts"] {
        read(world.anonymous(Method::GET, path)).await.problem(401);
    }
    world.end().await;
}

#[tokio::test]
async fn a_page_of_another_site_is_refused_also_with_a_token() {
    let world = World::new().await;
    let asked = alone(&world, "tools/list", json!({}));
    read(asked.header(header::ORIGIN, "http://evil.example"))
        .await
        .problem(403);
    let asked = alone(&world, "tools/list", json!({}));
    read(asked.header(header::HOST, "evil.example"))
        .await
        .problem(421);
    let asked = alone(&world, "tools/list", json!({}));
    let own = asked
        .header(header::ORIGIN, &world.url)
        .send()
        .await
        .unwrap();
    assert_eq!(own.status(), StatusCode::OK);
    world.end().await;
}

#[tokio::test]
async fn the_newest_revision_needs_no_session() {
    let world = World::new().await;
    let found = result(&world, "server/discover", json!({})).await;
    let server = &found["_meta"]["io.modelcontextprotocol/serverInfo"];
    assert_eq!(server["name"], "ergon", "{found:#}");
    let versions = found["supportedVersions"].as_array().unwrap();
    assert!(
        versions.contains(&json!(NEWEST)) && versions.contains(&json!(OLDER)),
        "{found:#}"
    );
    for capability in ["tools", "resources", "prompts", "completions"] {
        assert!(
            found["capabilities"][capability].is_object(),
            "{capability}"
        );
    }
    let tools = result(&world, "tools/list", json!({})).await;
    assert_eq!(tools["cacheScope"], "private");
    assert!(tools["ttlMs"].as_u64().unwrap() > 0);
    let listed = names(&tools["tools"]);
    let own: Vec<_> = listed.iter().filter(|name| !name.contains('/')).collect();
    assert!(own.is_sorted(), "always in the same order");
    assert!(listed.contains(&"run_folder") && listed.contains(&"approve_proposal"));
    world.end().await;
}

#[tokio::test]
async fn an_older_client_has_a_session() {
    let world = World::new().await;
    let hello = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": OLDER, "capabilities": {}, "clientInfo": { "name": "test", "version": "1" },
    } });
    let response = post(&world, OLDER).json(&hello).send().await.unwrap();
    let session = response.headers()["mcp-session-id"]
        .to_str()
        .unwrap()
        .to_owned();
    let answer = messages(response).await.pop().unwrap();
    assert_eq!(answer["result"]["protocolVersion"], OLDER);
    let say = |message: Value| {
        post(&world, OLDER)
            .header("mcp-session-id", &session)
            .json(&message)
    };
    let ready = say(json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
    assert_eq!(ready.send().await.unwrap().status(), StatusCode::ACCEPTED);
    let list = say(json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/list" }))
        .send()
        .await
        .unwrap();
    let answer = messages(list).await.pop().unwrap();
    assert!(names(&answer["result"]["tools"]).contains(&"list_projects"));
    let end = world
        .request(Method::DELETE, "/mcp")
        .header("mcp-session-id", &session);
    assert_eq!(end.send().await.unwrap().status(), StatusCode::ACCEPTED);
    let gone = say(json!({ "jsonrpc": "2.0", "id": 3, "method": "tools/list" }));
    assert_eq!(gone.send().await.unwrap().status(), StatusCode::NOT_FOUND);
    world.end().await;
}

#[tokio::test]
async fn a_tool_does_what_its_route_does() {
    let world = World::new().await;
    let folder = world.folder(
        "app",
        &[
            ("requirements.txt", "flask\n"),
            ("app.py", "import flask\n"),
        ],
    );
    let added = call(&world, "add_project", json!({ "location": folder })).await;
    assert_eq!(added["isError"], false, "{added:#}");
    let id = added["structuredContent"]["id"].as_str().unwrap();
    let project = world.get(&format!("/api/v1/projects/{id}")).await;
    assert_eq!(project["name"], "app");
    let read = call(&world, "project", json!({ "id": "app" })).await;
    assert_eq!(read["structuredContent"], project);
    let text: Value = serde_json::from_str(read["content"][0]["text"].as_str().unwrap()).unwrap();
    assert_eq!(
        text, project,
        "for those who do not read structured content"
    );
    let removed = call(&world, "remove_project", json!({ "id": "app" })).await;
    assert_eq!(
        (&removed["isError"], &removed["structuredContent"]),
        (&json!(false), &Value::Null)
    );
    assert_eq!(world.get("/api/v1/projects").await["items"], json!([]));
    world.end().await;
}

#[tokio::test]
async fn a_problem_is_a_tools_error_with_what_to_do() {
    let world = World::new().await;
    let missing = call(&world, "project", json!({ "id": "nothing" })).await;
    assert_eq!(missing["isError"], true);
    let problem = read(world.request(Method::GET, "/api/v1/projects/nothing"))
        .await
        .problem(404);
    let text = missing["content"][0]["text"].as_str().unwrap();
    assert!(text.contains(problem["detail"].as_str().unwrap()), "{text}");
    let remedy = problem["remedy"].as_str().unwrap_or_default();
    assert!(text.contains(remedy), "{text}");
    for (tool, arguments) in [
        ("project", json!({})),
        ("project", json!({ "id": "" })),
        ("project", json!({ "id": "a", "more": 1 })),
        ("project", json!({ "id": { "a": 1 } })),
        ("add_project", json!({ "location": 7 })),
        ("add_project", json!({})),
        ("run_folder", json!({ "folder": "/", "wait": "no" })),
    ] {
        let wrong = call(&world, tool, arguments.clone()).await;
        assert_eq!(wrong["isError"], true, "{tool} {arguments} {wrong:#}");
    }
    world.end().await;
}

#[tokio::test]
async fn what_cannot_be_a_message_is_refused() {
    let world = World::new().await;
    let unknown = alone(
        &world,
        "tools/call",
        json!({ "name": "nothing", "arguments": {} }),
    );
    let answer: Value = unknown.send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["error"]["code"], -32602, "{answer:#}");
    let garbage = |body: &'static str| {
        post(&world, NEWEST)
            .header(header::CONTENT_TYPE, "application/json")
            .body(body)
    };
    for body in ["", "{", "[]", "null", "7", "{\"jsonrpc\":\"1.0\"}", "\u{0}"] {
        let status = garbage(body).send().await.unwrap().status();
        assert!(status.is_client_error(), "{body}: {status}");
    }
    let deep = post(&world, NEWEST)
        .header(header::CONTENT_TYPE, "application/json")
        .body("[".repeat(100_000));
    assert!(deep.send().await.unwrap().status().is_client_error());
    let large = post(&world, NEWEST)
        .header(header::CONTENT_TYPE, "application/json")
        .body(format!("\"{}\"", "x".repeat(2 << 20)));
    assert_eq!(
        large.send().await.unwrap().status(),
        StatusCode::PAYLOAD_TOO_LARGE
    );
    let text = post(&world, NEWEST)
        .header(header::CONTENT_TYPE, "text/plain")
        .body("{}");
    assert_eq!(
        text.send().await.unwrap().status(),
        StatusCode::UNSUPPORTED_MEDIA_TYPE
    );
    let kind = alone(&world, "tools/list", json!({})).header("mcp-method", "tools/call");
    assert!(
        kind.send().await.unwrap().status().is_client_error(),
        "the head says what the body does not"
    );
    world.end().await;
}

#[tokio::test]
async fn resources_say_what_the_api_says() {
    let world = World::new().await;
    let folder = world.folder(
        "app",
        &[
            ("requirements.txt", "flask\n"),
            ("app.py", "import flask\n"),
        ],
    );
    world.project(&folder).await;
    let listed = result(&world, "resources/list", json!({})).await;
    let uris: Vec<&str> = listed["resources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["uri"].as_str().unwrap())
        .collect();
    assert!(
        uris.contains(&"ergon://projects") && uris.contains(&"ergon://projects/app"),
        "{uris:?}"
    );
    let templates = result(&world, "resources/templates/list", json!({})).await;
    assert!(names(&templates["resourceTemplates"]).contains(&"manifest"));
    let manifest = result(
        &world,
        "resources/read",
        json!({ "uri": "ergon://projects/app/manifest" }),
    )
    .await;
    let text = manifest["contents"][0]["text"].as_str().unwrap();
    let manifest: Value = serde_json::from_str(text).unwrap();
    assert!(manifest["containers"]["app"].is_object(), "{manifest:#}");
    for uri in [
        "ergon://projects/nothing",
        "ergon://nothing",
        "file:///etc/passwd",
    ] {
        let answer = alone(&world, "resources/read", json!({ "uri": uri }))
            .send()
            .await
            .unwrap();
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer["error"]["code"], -32602, "{uri}: {answer:#}");
    }
    world.end().await;
}

#[tokio::test]
async fn prompts_are_told_with_what_they_are_about() {
    let world = World::new().await;
    let folder = world.folder("app", &[("requirements.txt", "flask\n")]);
    world.project(&folder).await;
    let listed = result(&world, "prompts/list", json!({})).await;
    let listed = names(&listed["prompts"]);
    assert!(
        listed.contains(&"why-unwell") && listed.contains(&"package-project"),
        "{listed:?}"
    );
    let prompt = json!({ "name": "what-changed", "arguments": { "project": "app" } });
    let told = result(&world, "prompts/get", prompt).await;
    assert!(
        told["messages"][0]["content"]["text"]
            .as_str()
            .unwrap()
            .contains("project `app`")
    );
    assert_eq!(
        told["messages"][1]["content"]["resource"]["uri"],
        "ergon://projects/app"
    );
    let complete = json!({
        "ref": { "type": "ref/prompt", "name": "what-changed" },
        "argument": { "name": "project", "value": "A" },
    });
    let completed = result(&world, "completion/complete", complete).await;
    assert_eq!(completed["completion"]["values"], json!(["app"]));
    for wrong in [
        json!({ "name": "nothing" }),
        json!({ "name": "what-changed" }),
    ] {
        let answer: Value = alone(&world, "prompts/get", wrong)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        assert_eq!(answer["error"]["code"], -32602, "{answer:#}");
    }
    world.end().await;
}

#[tokio::test]
async fn whoever_listens_is_told_what_changed() {
    let world = World::new().await;
    let wanted = json!({ "notifications": {
        "resourcesListChanged": true, "resourceSubscriptions": ["ergon://projects", "file:///etc/passwd"],
    } });
    let response = alone(&world, "subscriptions/listen", wanted)
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let mut stream = Listened::to(response);
    let accepted = stream.until("acknowledged").await;
    assert!(
        !accepted.contains("passwd"),
        "only what there can be is accepted: {accepted}"
    );
    let folder = world.folder("app", &[("requirements.txt", "flask\n")]);
    world.project(&folder).await;
    stream.until("notifications/resources/list_changed").await;
    stream.until("notifications/resources/updated").await;
    world.end().await;
}

#[tokio::test]
async fn the_seeds_paths_say_the_same_as_the_protocol() {
    let world = World::new().await;
    let tools = result(&world, "tools/list", json!({})).await;
    let plain = world.get("/mcp/tools").await;
    assert_eq!(names(&plain["items"]), names(&tools["tools"]));
    let prompts = result(&world, "prompts/list", json!({})).await;
    assert_eq!(
        names(&world.get("/mcp/prompts").await["items"]),
        names(&prompts["prompts"])
    );
    let there = result(&world, "resources/list", json!({})).await;
    let templates = result(&world, "resources/templates/list", json!({})).await;
    let all = [
        names(&there["resources"]),
        names(&templates["resourceTemplates"]),
    ]
    .concat();
    assert_eq!(names(&world.get("/mcp/resources").await["items"]), all);
    world.end().await;
}

#[tokio::test]
async fn a_job_that_fails_is_a_tools_error_and_one_that_is_not_waited_for_is_a_job() {
    let world = World::new().await;
    let folder = world.folder("app", &[("nothing.txt", "nothing to run\n")]);
    // Nothing can be built of it.
    let failed = call(&world, "run_folder", json!({ "folder": folder })).await;
    assert_eq!(failed["isError"], true, "{failed:#}");
    let begun = call(
        &world,
        "run_folder",
        json!({ "folder": folder, "wait": false }),
    )
    .await;
    let job = &begun["structuredContent"];
    assert_eq!(
        (&begun["isError"], job["id"].is_string()),
        (&json!(false), true),
        "{begun:#}"
    );
    let ended = world.ended(job).await;
    let followed = call(&world, "follow_job", json!({ "id": job["id"] })).await;
    let text = followed["content"][0]["text"].as_str().unwrap();
    assert!(text.contains(ended["error"].as_str().unwrap()), "{text}");
    world.end().await;
}

#[tokio::test]
async fn whoever_hangs_up_on_a_job_has_cancelled_it() {
    let world = World::new().await;
    let (folder, _name) = project(&world, "mcp-cancel", &serve(), &["echo begun; sleep 300"]).await;
    let run = json!({ "name": "run_folder", "arguments": { "folder": folder } });
    let response = alone(&world, "tools/call", run).send().await.unwrap();
    let mut stream = Listened::to(response);
    let told = stream.until("begun").await;
    assert!(
        told.contains("notifications/progress") && told.contains("\"progressToken\":7"),
        "{told}"
    );
    drop(stream);
    let job = world.get("/api/v1/jobs").await["items"][0].clone();
    assert_eq!(world.ended(&job).await["state"], "cancelled");
    world.end().await;
}
