//! Companions that are servers of the Model Context Protocol, of both revisions, and bad ones.

use ergon_hermes::{MessageFormat, SendError};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;

use crate::companions::{Server, answer, endless, letter, request, send};

const JSON: &str = "application/json";

/// A server that answers each request with what it is told, given its head and body.
async fn server(answers: impl Fn(&str, &Value) -> String + Send + 'static) -> Server {
    Server::doing(async move |listener| {
        while let Ok((mut stream, _)) = listener.accept().await {
            let asked = request(&mut stream).await;
            let (head, body) = asked.split_once("\r\n\r\n").unwrap();
            let said = answers(&head.to_lowercase(), &serde_json::from_str(body).unwrap());
            let said = said.replacen("\r\n", "\r\nconnection: close\r\n", 1);
            let _ = stream.write_all(said.as_bytes()).await;
        }
        Vec::new()
    })
    .await
}

fn result(asked: &Value, result: &Value) -> String {
    let body = json!({ "jsonrpc": "2.0", "id": asked["id"], "result": result });
    answer("200 OK", JSON, &body.to_string())
}

fn tools() -> Value {
    let text = json!({ "type": "string" });
    json!({ "tools": [
        { "name": "remove_everything", "inputSchema": { "type": "object", "properties": {} } },
        { "name": "chat", "inputSchema": { "type": "object", "properties": { "prompt": text, "from": text }, "required": ["prompt"] } },
    ] })
}

fn reply(asked: &Value) -> Value {
    assert_eq!(asked["params"]["name"], "chat");
    let arguments = &asked["params"]["arguments"];
    let text = format!("{} said {}", arguments["from"], arguments["prompt"]);
    json!({ "content": [{ "type": "text", "text": text }] })
}

#[tokio::test]
async fn a_stateless_server_is_asked_for_the_tool_that_takes_messages() {
    let server = server(|head, asked| {
        assert!(head.contains("mcp-protocol-version: 2026-07-28"), "{head}");
        let meta = &asked["params"]["_meta"];
        assert_eq!(
            meta["io.modelcontextprotocol/protocolVersion"],
            "2026-07-28"
        );
        let method = asked["method"].as_str().unwrap();
        assert!(head.contains(&format!("mcp-method: {method}")), "{head}");
        if method == "tools/list" {
            return result(asked, &tools());
        }
        assert!(head.contains("mcp-name: chat"), "{head}");
        result(asked, &reply(asked))
    })
    .await;
    let got = send(server.details(MessageFormat::Mcp), &letter("hello")).await;
    assert_eq!(got.unwrap().content, "\"alice\" said \"hello\"");
}

#[tokio::test]
async fn an_older_server_is_greeted_first_and_may_stream_its_reply() {
    let server = server(|head, asked| {
        if !head.contains("mcp-session-id: s-1") && asked["method"] != "initialize" {
            return answer("400 Bad Request", JSON, "{}");
        }
        match asked["method"].as_str().unwrap() {
            "initialize" => result(asked, &json!({ "protocolVersion": "2025-11-25" })).replacen(
                "\r\n",
                "\r\nMcp-Session-Id: s-1\r\n",
                1,
            ),
            "notifications/initialized" => {
                "HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n".to_owned()
            }
            "tools/list" => result(asked, &tools()),
            _ => {
                assert!(head.contains("mcp-protocol-version: 2025-11-25"), "{head}");
                let progress =
                    json!({ "jsonrpc": "2.0", "method": "notifications/progress", "params": {} });
                let other =
                    json!({ "jsonrpc": "2.0", "id": 99, "result": { "content": "not yours" } });
                let own = json!({ "jsonrpc": "2.0", "id": asked["id"], "result": reply(asked) });
                endless(
                    "text/event-stream",
                    &format!("data: {progress}\n\ndata: {other}\n\ndata: {own}\n\n"),
                )
            }
        }
    })
    .await;
    let got = send(server.details(MessageFormat::Mcp), &letter("hello")).await;
    assert_eq!(got.unwrap().content, "\"alice\" said \"hello\"");
}

#[tokio::test]
async fn a_tool_that_fails_or_is_not_there_refuses() {
    let failing = server(|_, asked| match asked["method"].as_str().unwrap() {
        "tools/list" => result(asked, &tools()),
        _ => result(
            asked,
            &json!({ "isError": true, "content": [{ "type": "text", "text": "not today" }] }),
        ),
    })
    .await;
    let error = send(failing.details(MessageFormat::Mcp), &letter("x")).await;
    assert_eq!(error, Err(SendError::Refused("not today".to_owned())));
    let empty = server(|_, asked| result(asked, &json!({ "tools": [] }))).await;
    let error = send(empty.details(MessageFormat::Mcp), &letter("x")).await;
    let none = "it has no tool that takes a message".to_owned();
    assert_eq!(error, Err(SendError::Refused(none)));
}

#[tokio::test]
async fn what_does_not_speak_the_protocol_is_not_understood() {
    for said in [
        answer("404 Not Found", "text/html", "<h1>"),
        answer("200 OK", JSON, "[]"),
        answer("200 OK", JSON, "{"),
        endless("text/event-stream", "data: {\"id\":7}\n\n"),
    ] {
        let server = server(move |_, _| said.clone()).await;
        let error = send(server.details(MessageFormat::Mcp), &letter("x"))
            .await
            .unwrap_err();
        let is_plain = matches!(
            error,
            SendError::Broken(_) | SendError::Status { status: 404, .. }
        );
        assert!(is_plain, "{error}");
    }
    let endless =
        server(|_, _| endless("text/event-stream", &"data: {\"id\":7}\n\n".repeat(80_000))).await;
    let error = send(endless.details(MessageFormat::Mcp), &letter("x")).await;
    assert_eq!(error, Err(SendError::TooLong));
}
