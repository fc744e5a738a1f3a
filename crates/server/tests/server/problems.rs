//! What is asked wrongly is answered with what would be right.

use reqwest::{Method, header};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::world::{World, read};

#[tokio::test]
async fn a_body_that_cannot_be_read_is_a_problem() {
    let world = World::new().await;
    let post = || world.request(Method::POST, "/api/v1/projects");
    let json = |body: &'static str| {
        post()
            .header(header::CONTENT_TYPE, "application/json")
            .body(body)
    };
    read(json("{")).await.problem(400);
    read(json("")).await.problem(400);
    let problem = read(json("{\"name\":\"x\"}")).await.problem(422);
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .contains("missing field `location`"),
        "{problem}"
    );
    read(json("[1]")).await.problem(422);
    read(post().body("x")).await.problem(415);
    read(post().header(header::CONTENT_TYPE, "text/plain").body("{}"))
        .await
        .problem(415);
    let deep = "[".repeat(100_000);
    read(
        post()
            .header(header::CONTENT_TYPE, "application/json")
            .body(deep),
    )
    .await
    .problem(422);
    world.end().await;
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_before_it_is_read() {
    let world = World::new().await;
    let body = json!({ "location": "x".repeat(2 << 20) });
    let problem = world.post("/api/v1/projects", body).await.problem(413);
    assert_eq!(problem["detail"], "the body is larger than 1 MiB");
    world.end().await;
}

#[tokio::test]
async fn a_wrong_method_query_or_path_is_a_problem() {
    let world = World::new().await;
    read(world.request(Method::PUT, "/api/v1/projects"))
        .await
        .problem(405);
    read(world.request(Method::POST, "/")).await.problem(405);
    read(world.request(Method::GET, "/api/v1/jobs/x/log?after=-1"))
        .await
        .problem(400);
    read(world.request(Method::GET, "/api/v1/events?after=soon"))
        .await
        .problem(400);
    read(world.request(Method::GET, "/api/v1/projects/%ff"))
        .await
        .problem(400);
    read(world.request(Method::GET, "/api/v1/projects/a%00b"))
        .await
        .problem(400);
    read(world.request(
        Method::GET,
        &format!("/api/v1/projects/{}", "x".repeat(600)),
    ))
    .await
    .problem(400);
    read(world.request(Method::GET, "/api/v1/projects/..%2f..%2fetc"))
        .await
        .problem(404);
    world.end().await;
}

#[tokio::test]
async fn what_is_not_there_says_where_to_look() {
    let world = World::new().await;
    for path in [
        "projects/none",
        "jobs/none",
        "builds/abcd",
        "registry/abcd",
        "containers/none",
    ] {
        let problem = read(world.request(Method::GET, &format!("/api/v1/{path}")))
            .await
            .problem(404);
        assert!(problem["remedy"].is_string(), "{path}: {problem}");
    }
    let problem = world
        .post(
            "/api/v1/companions/none/message",
            json!({ "content": "hi" }),
        )
        .await
        .problem(404);
    assert!(
        problem["remedy"].as_str().unwrap().contains("-stack"),
        "it lists who is there: {problem}"
    );
    world.end().await;
}

#[tokio::test]
async fn whoever_never_finishes_a_request_is_shown_out() {
    let world = World::new().await;
    let answer = async |begun: &[u8]| {
        let mut stream = tokio::net::TcpStream::connect(world.authority())
            .await
            .unwrap();
        stream.write_all(begun).await.unwrap();
        let mut answer = Vec::new();
        tokio::time::timeout(crate::world::PATIENCE, stream.read_to_end(&mut answer))
            .await
            .unwrap()
            .unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    };
    let answers = tokio::join!(
        answer(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"),
        answer(b"PRI * HT"),
        answer(b""),
    );
    assert!(!answers.0.contains("200 OK"), "{answers:?}");
    world.end().await;
}
