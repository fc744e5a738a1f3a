//! Bad input: names and paths outside the grammar, bodies that are not as announced. Sent as written, since a
//! well-behaved client would put much of it right.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{noise, sha256};
use crate::world::{Door, PATIENCE, World};

/// The head of a request as the owner sends it.
pub fn head(door: &Door, method: &str, path: &str, more: &str) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Basic {}\r\n{more}\r\n",
        door.authority(),
        STANDARD.encode(format!("ergon:{}", door.token))
    )
}

/// What is answered to these bytes, until the other side has no more to say. `finished` is that no more is sent.
pub async fn answer(door: &Door, sent: &[u8], finished: bool) -> (u16, String) {
    let mut stream = TcpStream::connect(door.authority()).await.unwrap();
    // It may have been refused before all of it was sent.
    let _ = stream.write_all(sent).await;
    if finished {
        let _ = stream.shutdown().await;
    }
    let mut answer = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer));
    let _ = read.await.expect("an answer in time");
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).and_then(|text| text.parse().ok());
    (status.unwrap_or(0), answer)
}

async fn asked(door: &Door, method: &str, path: &str) -> (u16, String) {
    let head = head(
        door,
        method,
        path,
        "Content-Length: 0\r\nConnection: close\r\n",
    );
    answer(door, head.as_bytes(), false).await
}

#[tokio::test]
async fn names_outside_the_grammar_are_refused() {
    let world = World::new().await;
    let long = "a".repeat(256);
    for name in [
        "A",
        "Team/app",
        "team//app",
        "team/",
        "/team",
        "-app",
        "app-",
        "app.",
        "a..b",
        "a___b",
        "a.-b",
        "_app",
        "te%20am",
        "t%c3%a4m",
        "a%00b",
        "a%0d%0ab",
        "a%2fb%2f",
        "a%5cb",
        "a:b",
        "a@b",
        &long,
    ] {
        for (method, rest) in [
            ("GET", "manifests/1"),
            ("PUT", "manifests/1"),
            ("POST", "blobs/uploads/"),
            ("GET", "tags/list"),
        ] {
            let path = format!("/v2/{name}/{rest}");
            let (status, answer) = asked(&world, method, &path).await;
            assert!(
                (status == 400 && answer.contains("NAME_INVALID"))
                    || (status == 404 && name.starts_with('/')),
                "{method} {path}: {answer}"
            );
        }
    }
    world.end().await;
}

#[tokio::test]
async fn tags_outside_the_grammar_are_refused() {
    let world = World::new().await;
    let manifest = world.image("team/app", "1", "tagged").await;
    let long = "a".repeat(129);
    for tag in [
        ".1", "-1", "a%20b", "%c3%a4", "a%00", "a%2fb", "..", "%2e%2e", "%", "%zz", &long,
    ] {
        for method in ["GET", "HEAD", "PUT", "DELETE"] {
            let more = format!(
                "Content-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n",
                super::MANIFEST,
                manifest.len()
            );
            let path = format!("/v2/team/app/manifests/{tag}");
            let mut request = head(&world, method, &path, &more).into_bytes();
            request.extend_from_slice(&manifest);
            let (status, answer) = answer(&world, &request, false).await;
            assert!(status == 400 || status == 404, "{method} {path}: {answer}");
        }
    }
    let list = world.pull("/v2/team/app/tags/list").await.json();
    assert_eq!(list["tags"], serde_json::json!(["1"]));
    world.end().await;
}

#[tokio::test]
async fn no_path_leads_out_of_the_registry() {
    let world = World::new().await;
    world.image("team/app", "1", "inside").await;
    let token = world.token.clone();
    let digest = sha256(b"inside");
    let mut ways = Vec::new();
    for up in [
        "..",
        "%2e%2e",
        "%2E.",
        "..%2f..",
        "..%5c..",
        "%252e%252e",
        "....//",
        "..;",
        "\\..\\..",
    ] {
        for depth in [1, 3, 8] {
            let climb = vec![up; depth].join("/");
            ways.extend([
                format!("/v2/{climb}/token"),
                format!("/v2/{climb}/etc/passwd"),
                format!("/v2/{climb}/manifests/1"),
                format!("/v2/team/app/{climb}/token"),
                format!("/v2/team/app/blobs/{climb}"),
                format!("/v2/team/app/blobs/{climb}/token"),
                format!("/v2/team/app/blobs/sha256:{climb}"),
                format!("/v2/team/app/blobs/sha256:{climb}/{}", &digest[7..]),
                format!("/v2/team/app/blobs/uploads/{climb}"),
                format!("/v2/team/app/blobs/uploads/{climb}/token"),
                format!("/v2/team/app/manifests/{climb}"),
                format!("/v2/team/app/referrers/sha256:{climb}"),
            ]);
        }
    }
    ways.extend(
        [
            "/v2//etc/passwd",
            "/v2/./token",
            "/v2/team/app/blobs//etc/passwd",
        ]
        .map(str::to_owned),
    );
    for way in ways {
        for method in ["GET", "PATCH", "PUT", "DELETE"] {
            let (status, answer) = asked(&world, method, &way).await;
            assert!((400..500).contains(&status), "{method} {way}: {answer}");
            assert!(
                !answer.contains(&token) && !answer.contains("root:"),
                "{way}"
            );
        }
    }
    assert!(world.data().join("token").exists() && world.data().join("ergon.db").exists());
    let layer = world.pull(&format!("/v2/team/app/blobs/{digest}")).await;
    assert_eq!(layer.with(200).body, b"inside");
    world.end().await;
}

#[tokio::test]
async fn ids_that_no_upload_has_are_refused() {
    let world = World::new().await;
    let real = world.begin("team/app").await;
    let place = real.rsplit_once('/').unwrap().0.to_owned();
    for id in [
        "1",
        "00000000-0000-0000-0000-000000000000",
        "0198c0de-0000-7000-8000-000000000000",
        "%00",
        ".",
        "*",
        "%2a",
        &"a".repeat(5000),
    ] {
        let path = format!("{place}/{id}");
        for method in ["GET", "PATCH", "PUT", "DELETE"] {
            let (status, answer) = asked(&world, method, &path).await;
            assert!(
                [400, 404, 414].contains(&status),
                "{method} {path}: {answer}"
            );
        }
    }
    world.close(&real, &sha256(b"x"), b"x").await.with(201);
    world.end().await;
}

#[tokio::test]
async fn a_body_shorter_than_announced_is_not_taken() {
    let world = World::new().await;
    let content = noise(50_000, 1);
    let digest = sha256(&content);
    let location = world.begin("team/app").await;
    let put = super::with(&location, &format!("digest={digest}"));
    for (method, path) in [
        ("PUT", put.as_str()),
        (
            "POST",
            &format!("/v2/team/app/blobs/uploads/?digest={digest}"),
        ),
        ("PUT", "/v2/team/app/manifests/1"),
    ] {
        let mut request = head(&world, method, path, "Content-Length: 100000\r\n").into_bytes();
        request.extend_from_slice(&content);
        let (status, answer) = answer(&world, &request, true).await;
        assert!(status == 0 || status == 400, "{method} {path}: {answer}");
    }
    // Nobody said that this was all of it.
    let path = format!("/v2/team/app/blobs/{digest}");
    world.pull(&path).await.with(404);
    world.pull("/v2/team/app/manifests/1").await.with(404);
    world.end().await;
}

#[tokio::test]
async fn a_body_longer_than_announced_is_another_request_and_none() {
    let world = World::new().await;
    let location = world.begin("team/app").await;
    let path = super::with(&location, &format!("digest={}", sha256(b"12345")));
    let more = "Content-Length: 5\r\n";
    let mut request = head(&world, "PUT", &path, more).into_bytes();
    request.extend_from_slice(b"1234567890\r\n\r\n");
    let (status, answer) = answer(&world, &request, true).await;
    assert_eq!(status, 201, "{answer}");
    assert!(answer.contains("HTTP/1.1 400"), "{answer}");
    let pulled = world
        .pull(&format!("/v2/team/app/blobs/{}", sha256(b"12345")))
        .await;
    assert_eq!(pulled.with(200).body, b"12345");
    // Two lengths are none.
    let location = world.begin("team/app").await;
    let path = super::with(&location, &format!("digest={}", sha256(b"1")));
    for more in [
        "Content-Length: 1\r\nContent-Length: 2\r\n",
        "Content-Length: 1\r\nTransfer-Encoding: gzip\r\n",
        "Content-Length: -1\r\n",
        "Content-Length: 99999999999999999999\r\n",
    ] {
        let mut request = head(&world, "PUT", &path, more).into_bytes();
        request.extend_from_slice(b"1");
        let (status, answer) = self::answer(&world, &request, true).await;
        assert!(status == 400 || status == 0, "{more}: {answer}");
    }
    world.end().await;
}

#[tokio::test]
async fn methods_that_mean_nothing_here_are_refused() {
    let world = World::new().await;
    let digest = sha256(&world.image("team/app", "1", "methods").await);
    for (method, path) in [
        ("POST", "/v2/team/app/manifests/1".to_owned()),
        ("PATCH", "/v2/team/app/manifests/1".to_owned()),
        ("PUT", format!("/v2/team/app/blobs/{digest}")),
        ("POST", format!("/v2/team/app/blobs/{digest}")),
        ("GET", "/v2/team/app/blobs/uploads/".to_owned()),
        ("DELETE", format!("/v2/team/app/referrers/{digest}")),
        ("BREW", "/v2/team/app/manifests/1".to_owned()),
    ] {
        let (status, answer) = asked(&world, method, &path).await;
        assert_eq!(status, 405, "{method} {path}: {answer}");
        assert!(answer.contains("UNSUPPORTED"), "{method} {path}: {answer}");
    }
    world.end().await;
}
