//! Addresses that would have the stack ask where whoever names them cannot.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::By::{Developer, Owner, Viewer};
use super::{Attack, Target, attack};

/// Places that are nobody's server, written so that a filter may overlook them.
const PLACES: [&str; 24] = [
    "169.254.169.254",
    "[::ffff:169.254.169.254]",
    "[::ffff:a9fe:a9fe]",
    "[64:ff9b::a9fe:a9fe]",
    "[2002:a9fe:a9fe::]",
    "[fd00:ec2::254]",
    "[fe80::1]",
    "0.0.0.0",
    "[::]",
    "255.255.255.255",
    "224.0.0.1",
    "10.0.0.1",
    "192.168.0.1",
    "172.16.0.1",
    "100.100.100.200",
    "2852039166",
    "0xa9fea9fe",
    "0251.0376.0251.0376",
    "169.254.43518",
    "169.254.169.254.",
    "metadata.google.internal",
    "169.254.169.254.nip.io",
    "\u{ff11}69.254.169.254",
    "①⑥⑨.254.169.254",
];

#[tokio::test]
async fn nobody_has_the_stack_ask_where_it_was_not_told_it_may() {
    let target = Target::new().await;
    let world = &target.world;
    let mut names = Vec::new();
    for (number, place) in PLACES.into_iter().enumerate() {
        let name = format!("far-{number}");
        let host = place.trim_matches(['[', ']']);
        let registered = world
            .post("/api/registry/register", json!({ "name": name, "type": "external", "host": host, "port": 80, "message_endpoint": "/latest/meta-data/" }))
            .await;
        assert!(
            !registered.status.is_server_error(),
            "{place}: {:#}",
            registered.body
        );
        if registered.status.is_success() {
            names.push((place, name));
        } else {
            registered.problem(400);
        }
    }
    assert!(names.len() > 10, "{names:?}");
    for (place, name) in names {
        // Refused by its reach, before anything is sent: not by whoever might be there.
        let said = world
            .post(
                &format!("/api/v1/companions/{name}/message"),
                json!({ "content": "hello" }),
            )
            .await;
        assert!(
            said.status.is_client_error() || said.status == 503 || said.status == 502,
            "{place}: {:#}",
            said.body
        );
        let why = said.body["detail"].as_str().unwrap();
        assert!(
            why.contains("reach") || why.contains("resolve") || why.contains("no address"),
            "{place}: {why}"
        );
        assert_eq!(
            world.delete(&format!("/api/registry/{name}")).await.status,
            204
        );
    }
    for place in PLACES {
        let added = world
            .post(
                "/api/v1/tool-servers",
                json!({ "name": "far", "url": format!("http://{place}/mcp") }),
            )
            .await;
        if added.status.is_success() {
            assert_ne!(added.body["health"], "up", "{place}");
            assert_eq!(world.delete("/api/v1/tool-servers/far").await.status, 204);
        } else {
            added.problem(400);
        }
    }
    target.world.end().await;
}

#[tokio::test]
async fn an_address_that_is_no_address_is_refused() {
    let target = Target::new().await;
    let mut attacks: Vec<Attack> = Vec::new();
    let external = |change: Value| {
        let mut registration = json!({ "name": "far", "type": "external", "host": "127.0.0.1", "port": 80, "message_endpoint": "/x" });
        for (name, value) in change.as_object().unwrap() {
            registration[name] = value.clone();
        }
        registration
    };
    for (what, change) in [
        ("a host with a user", json!({ "host": "x@169.254.169.254" })),
        ("a host with a port", json!({ "host": "127.0.0.1:2375" })),
        ("a host with a path", json!({ "host": "127.0.0.1/x" })),
        ("a host with a query", json!({ "host": "127.0.0.1?x" })),
        ("a host with a fragment", json!({ "host": "127.0.0.1#x" })),
        ("a host with a line", json!({ "host": "127.0.0.1\r\nx: y" })),
        ("a host with a space", json!({ "host": "127.0.0.1 x" })),
        ("a host with a zone", json!({ "host": "fe80::1%eth0" })),
        (
            "a path that is another host",
            json!({ "message_endpoint": "//evil.example/x" }),
        ),
        (
            "a path that is an address",
            json!({ "message_endpoint": "http://evil.example/x" }),
        ),
        (
            "a path with a user",
            json!({ "message_endpoint": "@evil.example/x" }),
        ),
        (
            "a path with a line",
            json!({ "message_endpoint": "/x HTTP/1.1\r\nhost: evil\r\n\r\n" }),
        ),
        (
            "a path with a back slash",
            json!({ "message_endpoint": "\\\\evil.example\\x" }),
        ),
        (
            "a health check elsewhere",
            json!({ "health_endpoint": "http://169.254.169.254/" }),
        ),
        ("a protocol of files", json!({ "protocol": "file" })),
        ("a protocol of texts", json!({ "protocol": "gopher" })),
        (
            "a header with a line",
            json!({ "headers": { "x": "a\r\nhost: evil" } }),
        ),
        (
            "a header that is the host",
            json!({ "headers": { "host": "evil.example" } }),
        ),
        (
            "a header that is a length",
            json!({ "headers": { "content-length": "0" } }),
        ),
        (
            "a header that is a coding",
            json!({ "headers": { "transfer-encoding": "chunked" } }),
        ),
        (
            "a header name with a line",
            json!({ "headers": { "x\r\ny": "z" } }),
        ),
    ] {
        attacks.push(
            attack(what, Owner, "POST /api/registry/register", &[400, 422]).json(&external(change)),
        );
    }
    for url in [
        "file:///etc/passwd",
        "ftp://127.0.0.1/",
        "gopher://127.0.0.1:25/_HELO",
        "unix:///var/run/docker.sock",
        "http://owner:x@127.0.0.1/",
        "//127.0.0.1/",
        "http://",
        "javascript:alert(1)",
        "http://127.0.0.1:99999/",
        "http://127.0.0.1\r\nhost: x/",
    ] {
        for path in ["/api/v1/tool-servers", "/api/v1/upstreams"] {
            attacks.push(
                attack(url, Owner, format!("POST {path}"), &[400, 422])
                    .json(&json!({ "name": "far", "url": url })),
            );
        }
    }
    // Nor does anybody but an owner name such a server, or a program of this machine.
    for by in [Viewer, Developer] {
        let command = json!({ "name": "shell", "command": ["/bin/sh", "-c", "id"] });
        attacks.push(attack("a program", by, "POST /api/v1/tool-servers", &[403]).json(&command));
        let tool = json!({ "name": "shell", "type": "tool", "command": ["/bin/sh", "-c", "id"] });
        attacks.push(attack("a program", by, "POST /api/registry/register", &[403]).json(&tool));
        let socket = json!({ "name": "engine", "type": "external", "socket": "/var/run/docker.sock", "message_endpoint": "/containers/create" });
        attacks.push(
            attack(
                "the socket of the engine",
                by,
                "POST /api/registry/register",
                &[403],
            )
            .json(&socket),
        );
        let upstream = json!({ "name": "far", "url": "http://169.254.169.254" });
        attacks.push(
            attack(
                "a mirror of the inside",
                by,
                "POST /api/v1/upstreams",
                &[403],
            )
            .json(&upstream),
        );
    }
    target.withstands(attacks).await;
    target.world.end().await;
}

#[tokio::test]
async fn a_server_that_sends_elsewhere_is_not_followed() {
    let target = Target::new().await;
    let asked = Arc::new(AtomicUsize::new(0));
    let inner = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let inside = inner.local_addr().unwrap();
    let seen = Arc::clone(&asked);
    tokio::spawn(async move {
        while inner.accept().await.is_ok() {
            seen.fetch_add(1, Ordering::SeqCst);
        }
    });
    for status in [301, 302, 303, 307, 308] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let place = format!("http://{inside}/secret");
        let redirect = move || async move {
            let status = axum::http::StatusCode::from_u16(status).unwrap();
            (status, [("location", place)])
        };
        let router = axum::Router::new().fallback(redirect);
        tokio::spawn(async move { axum::serve(listener, router).await });
        let world = &target.world;
        let registration =
            json!({ "name": "sender", "type": "external", "port": port, "message_endpoint": "/x" });
        world
            .post("/api/registry/register", registration)
            .await
            .success();
        let said = world
            .post(
                "/api/v1/companions/sender/message",
                json!({ "content": "hello" }),
            )
            .await;
        assert!(!said.status.is_success(), "{status}: {:#}", said.body);
        world.delete("/api/registry/sender").await;
        let server = json!({ "name": "sender", "url": format!("http://127.0.0.1:{port}/mcp") });
        let added = world.post("/api/v1/tool-servers", server).await.success();
        assert_ne!(added["health"], "up", "{added:#}");
        world.delete("/api/v1/tool-servers/sender").await;
    }
    assert_eq!(
        asked.load(Ordering::SeqCst),
        0,
        "somebody was sent on to it"
    );
    target.world.end().await;
}
