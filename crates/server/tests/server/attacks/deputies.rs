//! What agents and servers of tools are talked into: they may do what whoever speaks through them may, and nothing else.

use serde_json::{Value, json};

use super::By::{Nobody, Owner, Viewer};
use super::{Attack, By, Target, as_bearer, attack};
use crate::mcp::{names, result};

const NEWEST: &str = "2026-07-28";

/// A message of the newest revision, as it is written.
fn message(what: &str, by: By, method: &str, params: &Value) -> Attack {
    let mut params = params.clone();
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": NEWEST,
        "io.modelcontextprotocol/clientInfo": { "name": "test", "version": "1" },
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let mut made = attack(what, by, "POST /mcp", &[200, 400, 403, 404])
        .head("accept: application/json, text/event-stream")
        .head(format!("mcp-protocol-version: {NEWEST}"))
        .head(format!("mcp-method: {method}"));
    if let Some(subject) = params
        .get("name")
        .or(params.get("uri"))
        .and_then(Value::as_str)
        && subject.is_ascii()
        && !subject.contains(char::is_control)
    {
        made = made.head(format!("mcp-name: {subject}"));
    }
    made.json(&json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }))
}

fn call(what: &str, by: By, tool: &str, arguments: Value) -> Attack {
    message(
        what,
        by,
        "tools/call",
        &json!({ "name": tool, "arguments": arguments }),
    )
}

/// Whether the answer to a call is a refusal: an error of the protocol, or of the tool.
fn is_refused(status: u16, text: &str) -> bool {
    status >= 400 || text.contains("\"error\"") || text.contains("\"isError\":true")
}

#[tokio::test]
async fn a_viewers_agent_changes_nothing_with_any_tool() {
    let target = Target::new().await;
    let token = target.shown[&Viewer].clone();
    let token = token.trim().rsplit_once(' ').unwrap().1.to_owned();
    let viewer = as_bearer(&target.world, &token);
    let tools = result(&target.world, "tools/list", json!({})).await;
    let mut changing = Vec::new();
    for tool in tools["tools"].as_array().unwrap() {
        let reads = tool["annotations"]["readOnlyHint"] == true;
        let name = tool["name"].as_str().unwrap();
        let says = matches!(name, "send_message" | "ask_team") || name.ends_with("/ask");
        if reads || says {
            continue;
        }
        let required = tool["inputSchema"]["required"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let properties = &tool["inputSchema"]["properties"];
        let arguments: serde_json::Map<String, Value> = required
            .iter()
            .map(|name| {
                let name = name.as_str().unwrap();
                (name.to_owned(), made_up(&properties[name]))
            })
            .collect();
        changing.push((
            tool["name"].as_str().unwrap().to_owned(),
            Value::Object(arguments),
        ));
    }
    assert!(changing.len() > 25, "{changing:?}");
    let mut attacks = Vec::new();
    for (tool, arguments) in &changing {
        attacks.push(call(tool, Viewer, tool, arguments.clone()));
    }
    for attack in &attacks {
        let (status, text) = target.send(attack).await;
        assert!(is_refused(status, &text), "{}: {text}", attack.what);
    }
    target.withstands(attacks).await;
    // Nor is any of them shown to whoever may not use it, as one that would work.
    let theirs = result(&viewer, "tools/list", json!({})).await;
    assert!(names(&theirs["tools"]).len() <= names(&tools["tools"]).len());
    target.world.end().await;
}

/// Something of the kind that a schema asks for.
fn made_up(schema: &Value) -> Value {
    match schema["type"].as_str() {
        Some("integer" | "number") => json!(1),
        Some("boolean") => json!(true),
        Some("array") => json!(["x"]),
        Some("object") => json!({}),
        _ => schema["enum"]
            .get(0)
            .cloned()
            .unwrap_or_else(|| json!("nobody-has-this")),
    }
}

#[tokio::test]
async fn no_message_is_taken_for_what_it_is_not() {
    let target = Target::new().await;
    let approve = json!({ "code": "abcdef", "digest": "sha256:00" });
    let add = json!({ "name": "mallory", "roles": ["owner"] });
    let mut attacks = vec![
        call("a name in large letters", Viewer, "Add_Person", add.clone()),
        call("a name with a space", Viewer, "add_person ", add.clone()),
        call("a name with a tab", Viewer, "add_person\t", add.clone()),
        call(
            "a name of another server",
            Viewer,
            "ergon/add_person",
            add.clone(),
        ),
        call(
            "a name that leads elsewhere",
            Viewer,
            "list_projects/../add_person",
            add.clone(),
        ),
        call(
            "a name with a byte that ends texts",
            Viewer,
            "add_person\0",
            add.clone(),
        ),
        call(
            "a tool that no model is given",
            Owner,
            "put_policy",
            json!({ "name": "x", "text": "permit(principal, action, resource);" }),
        ),
        call(
            "a tool that no model is given",
            Owner,
            "set_secret",
            json!({ "name": "crown", "value": "x" }),
        ),
        call(
            "a tool that no model is given",
            Owner,
            "add_tool_server",
            json!({ "name": "x", "command": ["/bin/sh", "-c", "id"] }),
        ),
        call(
            "a tool that no model is given",
            Owner,
            "register",
            json!({ "name": "xx", "type": "tool", "command": ["/bin/sh"] }),
        ),
        call(
            "a proposal that is none",
            Owner,
            "approve_proposal",
            approve.clone(),
        ),
        call(
            "a tool that no model is given",
            Owner,
            "override_proposal",
            approve.clone(),
        ),
        call(
            "claims among the arguments",
            Viewer,
            "remove_project",
            json!({ "id": "x", "principal": "owner", "authorization": "Bearer x", "_meta": { "principal": "owner" } }),
        ),
        call(
            "a header among the arguments",
            Viewer,
            "list_people",
            json!({ "headers": { "authorization": "Bearer x" } }),
        ),
        call(
            "a path among the arguments",
            Viewer,
            "read_project",
            json!({ "id": "../people" }),
        ),
        call(
            "a path among the arguments",
            Viewer,
            "read_project",
            json!({ "id": "x/../../people" }),
        ),
        call(
            "a path among the arguments",
            Viewer,
            "read_project",
            json!({ "id": "..%2fpeople" }),
        ),
        call(
            "a query among the arguments",
            Viewer,
            "read_project",
            json!({ "id": "x?as=owner#" }),
        ),
        call(
            "a line among the arguments",
            Viewer,
            "read_project",
            json!({ "id": "x\r\nauthorization: Bearer x" }),
        ),
        call(
            "arguments that are a text",
            Viewer,
            "list_projects",
            json!("x"),
        ),
        call(
            "arguments of great depth",
            Viewer,
            "read_project",
            json!({ "id": deep(60) }),
        ),
        message(
            "another method",
            Viewer,
            "tools/call ",
            &json!({ "name": "list_people", "arguments": {} }),
        ),
        message(
            "a method of the other side",
            Viewer,
            "sampling/createMessage",
            &json!({ "messages": [], "maxTokens": 1 }),
        ),
        message(
            "a method of the other side",
            Viewer,
            "elicitation/create",
            &json!({ "message": "x", "requestedSchema": {} }),
        ),
        message(
            "a prompt with a way out",
            Viewer,
            "prompts/get",
            &json!({ "name": "why_unwell", "arguments": { "container": "../../people" } }),
        ),
    ];
    for address in [
        "ergon://people",
        "ergon://secrets/crown",
        "ergon://secrets/crown/value",
        "ergon://projects/../people",
        "ergon://projects/%2e%2e%2fpeople",
        "ergon://projects/x%2f..%2f..%2fpeople",
        "ergon://projects/..%2fsecrets%2fcrown/manifest",
        "ergon://audit",
        "ERGON://people",
        "file:///etc/passwd",
        "http://127.0.0.1:1/",
        "http://169.254.169.254/latest/meta-data/",
        "ergon://",
        "data:text/plain,x",
    ] {
        attacks.push(message(
            "a resource that is none",
            Viewer,
            "resources/read",
            &json!({ "uri": address }),
        ));
    }
    // What the head says and what the body says have to be the same, or whoever reads the head is fooled.
    let mut other = call(
        "another name in the head",
        Owner,
        "list_projects",
        json!({}),
    );
    for line in &mut other.head {
        if line.starts_with("mcp-name") {
            *line = "mcp-name: list_people".to_owned();
        }
    }
    other.answers = vec![400];
    attacks.push(other);
    let mut other = call(
        "another method in the head",
        Owner,
        "list_projects",
        json!({}),
    );
    for line in &mut other.head {
        if line.starts_with("mcp-method") {
            *line = "mcp-method: tools/list".to_owned();
        }
    }
    other.answers = vec![400];
    attacks.push(other);
    for (what, body) in [
        (
            "many at once",
            json!([{ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": "add_person", "arguments": add } }]),
        ),
        (
            "no version",
            json!({ "id": 1, "method": "tools/call", "params": { "name": "add_person", "arguments": add } }),
        ),
        (
            "an answer nobody asked for",
            json!({ "jsonrpc": "2.0", "id": 1, "result": { "action": "accept", "content": { "approve": true } } }),
        ),
        (
            "an id of great depth",
            json!({ "jsonrpc": "2.0", "id": deep(60), "method": "tools/list" }),
        ),
    ] {
        let made = attack(what, Viewer, "POST /mcp", &[200, 202, 400, 403, 404, 415])
            .head("accept: application/json, text/event-stream")
            .head("mcp-protocol-version: 2025-11-25");
        attacks.push(made.json(&body));
    }
    for session in [
        "x",
        "../../x",
        "00000000-0000-0000-0000-000000000000",
        &"a".repeat(5_000),
    ] {
        let list = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {} });
        let made = attack(
            "a session that nobody has",
            Viewer,
            "POST /mcp",
            &[400, 404],
        )
        .head("accept: application/json, text/event-stream")
        .head("mcp-protocol-version: 2025-11-25")
        .head(format!("mcp-session-id: {session}"));
        attacks.push(made.json(&list));
    }
    for line in [
        "POST /mcp",
        "GET /mcp",
        "DELETE /mcp",
        "POST /mcp/servers/far",
        "GET /mcp/tools",
        "GET /mcp/resources",
    ] {
        attacks.push(attack("nobody", Nobody, line, &[401]));
    }
    for line in [
        "POST /mcp",
        "GET /mcp",
        "DELETE /mcp",
        "POST /mcp/servers/far",
    ] {
        let page = attack("a page of another site with a token", Owner, line, &[403]);
        attacks.push(page.head("origin: http://evil.example"));
    }
    target.withstands(attacks).await;
    target.world.end().await;
}

fn deep(levels: usize) -> Value {
    (0..levels).fold(json!("x"), |inside, _| json!([inside]))
}
