//! What a connection may cost: whoever is slow, asks for too much or only holds it open is shown out, and nobody else notices.

use std::net::SocketAddr;
use std::time::Duration;

use ergon_server::{Config, ConnectionLimits, TlsSource};
use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::world::{PATIENCE, World, config, read};

/// Limits that a test does not have to wait for.
fn short() -> ConnectionLimits {
    ConnectionLimits {
        headers: Duration::from_millis(400),
        idle: Duration::from_millis(400),
        body: Duration::from_millis(800),
        body_idle: Duration::from_millis(400),
        handshake: Duration::from_millis(400),
        ..ConnectionLimits::default()
    }
}

async fn with(limits: ConnectionLimits, tls: Option<TlsSource>) -> World {
    let folder = tempfile::tempdir().unwrap();
    let config = Config {
        limits,
        tls,
        ..config(folder.path())
    };
    World::with(folder, config).await
}

fn address(world: &World) -> SocketAddr {
    world.authority().parse().unwrap()
}

async fn connect(world: &World) -> TcpStream {
    TcpStream::connect(address(world)).await.unwrap()
}

/// Everything that comes until the other side closes.
async fn rest(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    // Closed with something of ours unread is closed, too.
    let read = timeout(PATIENCE, stream.read_to_end(&mut bytes)).await;
    let _ = read.expect("the other side closes");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Sends a text by the byte for as long as anybody takes it, and returns what was answered.
async fn drip(stream: TcpStream, text: &str) -> String {
    let (mut read, mut write) = stream.into_split();
    let answered = tokio::spawn(async move {
        let mut bytes = Vec::new();
        let _ = read.read_to_end(&mut bytes).await;
        String::from_utf8_lossy(&bytes).into_owned()
    });
    let mut pace = tokio::time::interval(Duration::from_millis(20));
    for byte in text.bytes().chain(std::iter::repeat(b'a')) {
        pace.tick().await;
        if answered.is_finished() || write.write_all(&[byte]).await.is_err() {
            break;
        }
    }
    timeout(PATIENCE, answered).await.unwrap().unwrap()
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or("none")
}

#[tokio::test]
async fn headers_that_come_by_the_byte_end_in_408_and_nobody_else_waits() {
    let world = with(short(), None).await;
    let slow = drip(
        connect(&world).await,
        "GET /healthz HTTP/1.1\r\nhost: localhost\r\nx: ",
    );
    let quick = read(world.anonymous(Method::GET, "/healthz"));
    let (slow, quick) = tokio::join!(slow, quick);
    assert_eq!(status(&slow), "408", "{slow}");
    assert_eq!(quick.status, 200);
    world.end().await;
}

#[tokio::test]
async fn a_half_request_ends_in_408_and_silence_in_nothing() {
    let world = with(short(), None).await;
    let mut half = connect(&world).await;
    half.write_all(b"GET /healthz HTTP/1.1\r\nhost: loc")
        .await
        .unwrap();
    assert_eq!(status(&rest(&mut half).await), "408");
    let mut silent = connect(&world).await;
    assert_eq!(rest(&mut silent).await, "");
    // Half-open: it says that it will say no more.
    let mut closed = connect(&world).await;
    closed.write_all(b"GET /healthz").await.unwrap();
    closed.shutdown().await.unwrap();
    rest(&mut closed).await;
    world.end().await;
}

#[tokio::test]
async fn a_connection_on_which_nothing_is_asked_any_more_is_closed() {
    let world = with(short(), None).await;
    let mut stream = connect(&world).await;
    let request = "GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let answer = rest(&mut stream).await;
    assert_eq!(status(&answer), "200", "{answer}");
    assert!(!answer.contains("408"), "{answer}");
    world.end().await;
}

fn post(world: &World, headers: &str) -> String {
    post_to(world, "/api/v1/projects", headers)
}

fn post_to(world: &World, path: &str, headers: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
         accept: application/json, text/event-stream\r\n{headers}\r\n",
        world.token
    )
}

#[tokio::test]
async fn a_body_that_pauses_and_one_that_comes_by_the_byte_end_in_408() {
    let world = with(short(), None).await;
    let head = post(&world, "content-length: 5000\r\n");
    let mut paused = connect(&world).await;
    paused.write_all(head.as_bytes()).await.unwrap();
    paused.write_all(b"{\"location\"").await.unwrap();
    let mut answer = vec![0; 12];
    timeout(PATIENCE, paused.read_exact(&mut answer))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(answer, b"HTTP/1.1 408");
    let mut slow = connect(&world).await;
    slow.write_all(head.as_bytes()).await.unwrap();
    let answer = drip(slow, "{\"location\": \"").await;
    assert_eq!(status(&answer), "408", "{answer}");
    world.end().await;
}

/// Where companions and agents come in.
const DOORS: [&str; 4] = [
    "/api/registry/register",
    "/api/registry/numa/heartbeat",
    "/mcp",
    "/mcp/servers/far",
];

#[tokio::test(flavor = "multi_thread")]
async fn whoever_comes_slowly_to_the_directory_or_to_mcp_is_shown_out_and_nobody_else_waits() {
    let world = with(short(), None).await;
    // Nobody is asked: a message that does not come to its end is passed on to nobody.
    let far = json!({ "name": "far", "url": "http://127.0.0.1:1/mcp" });
    world.post("/api/v1/tool-servers", far).await.success();
    let mut slow = Vec::new();
    for path in DOORS {
        for headers in ["content-length: 5000\r\n", "transfer-encoding: chunked\r\n"] {
            let head = post_to(&world, path, headers);
            let chunked = headers.starts_with("transfer");
            let begun = if chunked {
                "1388\r\n{\"name\""
            } else {
                "{\"name\""
            };
            let door = address(&world);
            slow.push(tokio::spawn(async move {
                let mut pauses = TcpStream::connect(door).await.unwrap();
                pauses
                    .write_all(format!("{head}{begun}").as_bytes())
                    .await
                    .unwrap();
                let paused = rest(&mut pauses).await;
                let mut drips = TcpStream::connect(door).await.unwrap();
                drips.write_all(head.as_bytes()).await.unwrap();
                let dripped = drip(drips, begun).await;
                (path, paused, dripped)
            }));
        }
    }
    let numa = json!({ "name": "numa", "type": "terminal" });
    while slow.iter().any(|slow| !slow.is_finished()) {
        world
            .post("/api/registry/register", numa.clone())
            .await
            .success();
    }
    for slow in slow {
        let (path, paused, dripped) = slow.await.unwrap();
        assert_eq!(status(&paused), "408", "{path}: {paused}");
        assert_eq!(status(&dripped), "408", "{path}: {dripped}");
    }
    world.end().await;
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_whether_it_says_so_or_not() {
    let world = with(ConnectionLimits::default(), None).await;
    let paths = ["/api/v1/projects"].into_iter().chain(DOORS);
    let ways = [
        "content-length: 2000000\r\n",
        "transfer-encoding: chunked\r\n",
    ];
    for (path, headers) in paths.flat_map(|path| ways.map(|way| (path, way))) {
        let mut stream = connect(&world).await;
        let head = post_to(&world, path, headers);
        stream.write_all(head.as_bytes()).await.unwrap();
        let chunk = format!("{:x}\r\n{}\r\n", 1 << 16, "a".repeat(1 << 16));
        let piece = if headers.starts_with("transfer") {
            chunk
        } else {
            "a".repeat(1 << 16)
        };
        let (mut reading, mut writing) = stream.into_split();
        let sending =
            tokio::spawn(async move { while writing.write_all(piece.as_bytes()).await.is_ok() {} });
        let mut answer = vec![0; 12];
        timeout(PATIENCE, reading.read_exact(&mut answer))
            .await
            .unwrap()
            .unwrap();
        let answer = String::from_utf8_lossy(&answer);
        assert_eq!(answer, "HTTP/1.1 413", "{path} {headers}");
        drop(reading);
        sending.abort();
    }
    world.end().await;
}

#[tokio::test]
async fn more_headers_or_longer_ones_than_anybody_needs_end_in_431() {
    let world = with(ConnectionLimits::default(), None).await;
    let many: String = (0..10_000)
        .map(|number| format!("x-{number}: a\r\n"))
        .collect();
    let long = format!("x: {}\r\n", "a".repeat(70_000));
    let just_too_many: String = (0..100)
        .map(|number| format!("x-{number}: a\r\n"))
        .collect();
    for headers in [many, long, just_too_many] {
        let mut stream = connect(&world).await;
        let request = format!("GET /healthz HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n");
        // It may be refused before it has been sent.
        let _ = stream.write_all(request.as_bytes()).await;
        let mut answer = vec![0; 12];
        timeout(PATIENCE, stream.read_exact(&mut answer))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(answer, b"HTTP/1.1 431");
    }
    let mut stream = connect(&world).await;
    let request = format!(
        "GET /{} HTTP/1.1\r\nhost: localhost\r\n\r\n",
        "a".repeat(65_600)
    );
    let _ = stream.write_all(request.as_bytes()).await;
    let mut answer = vec![0; 12];
    timeout(PATIENCE, stream.read_exact(&mut answer))
        .await
        .unwrap()
        .unwrap();
    assert!(
        answer == b"HTTP/1.1 414" || answer == b"HTTP/1.1 431",
        "{answer:?}"
    );
    world.end().await;
}

#[tokio::test]
async fn one_address_cannot_take_all_connections() {
    let limits = ConnectionLimits {
        per_address: 2,
        ..ConnectionLimits::default()
    };
    let world = with(limits, None).await;
    let ask = async |stream: &mut TcpStream| {
        let request = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n";
        let _ = stream.write_all(request).await;
        let mut answer = vec![0; 12];
        timeout(PATIENCE, stream.read_exact(&mut answer))
            .await
            .unwrap()
            .unwrap();
        String::from_utf8(answer).unwrap()
    };
    let (mut first, mut second) = (connect(&world).await, connect(&world).await);
    assert_eq!(ask(&mut first).await, "HTTP/1.1 200");
    assert_eq!(ask(&mut second).await, "HTTP/1.1 200");
    let mut third = connect(&world).await;
    let answer = rest(&mut third).await;
    assert_eq!(status(&answer), "503", "{answer}");
    assert!(answer.contains("retry-after: 1"), "{answer}");
    // Whoever was there is served on, and a seat that is free is taken again.
    second.shutdown().await.unwrap();
    rest(&mut second).await;
    drop(second);
    let mut fourth = connect(&world).await;
    assert_eq!(ask(&mut fourth).await, "HTTP/1.1 200");
    drop((first, fourth));
    world.end().await;
}

#[tokio::test]
async fn a_handshake_that_does_not_come_is_not_waited_for() {
    let world = with(short(), Some(TlsSource::Own)).await;
    let mut silent = connect(&world).await;
    rest(&mut silent).await;
    let mut half = connect(&world).await;
    // The beginning of a ClientHello.
    half.write_all(&[0x16, 0x03, 0x01, 0x02, 0x00, 0x01])
        .await
        .unwrap();
    rest(&mut half).await;
    let mut plain = connect(&world).await;
    plain
        .write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await
        .unwrap();
    let answer = rest(&mut plain).await;
    assert!(!answer.contains("200"), "{answer}");
    read(world.anonymous(Method::GET, "/healthz"))
        .await
        .success();
    world.end().await;
}

#[tokio::test]
async fn what_is_being_answered_is_finished_and_nobody_new_is_let_in() {
    let world = with(ConnectionLimits::default(), None).await;
    let address = address(&world);
    let mut stream = connect(&world).await;
    let body = json!({ "location": world.folder.path().join("nowhere") }).to_string();
    let head = post(
        &world,
        &format!("content-length: {}\r\nexpect: 100-continue\r\n", body.len()),
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    // The handler has begun: it asks for the body.
    let mut begun = vec![0; 25];
    timeout(PATIENCE, stream.read_exact(&mut begun))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(begun, b"HTTP/1.1 100 Continue\r\n\r\n");
    let mut events = world.stream("/api/v1/events", None).await;
    let ending = tokio::spawn(world.end());
    // What goes on for ever ends with a hint when to come back: the stack has begun to end.
    let mut farewell = String::new();
    while let Some(piece) = timeout(PATIENCE, events.chunk()).await.unwrap().unwrap() {
        farewell.push_str(&String::from_utf8_lossy(&piece));
    }
    assert!(farewell.contains("retry: 2000"), "{farewell}");
    loop {
        // The door may be closing just now.
        match TcpStream::connect(address).await {
            Err(_) => break,
            Ok(_) => tokio::task::yield_now().await,
        }
    }
    stream.write_all(body.as_bytes()).await.unwrap();
    let answer = rest(&mut stream).await;
    assert_eq!(status(&answer), "422", "{answer}");
    ending.await.unwrap();
}

#[tokio::test]
async fn an_answer_that_is_not_finished_in_time_is_cut_off() {
    let limits = ConnectionLimits {
        drain: Duration::from_millis(100),
        ..ConnectionLimits::default()
    };
    let world = with(limits, None).await;
    let mut stream = connect(&world).await;
    let head = post(&world, "content-length: 50\r\nexpect: 100-continue\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut begun = vec![0; 25];
    timeout(PATIENCE, stream.read_exact(&mut begun))
        .await
        .unwrap()
        .unwrap();
    let ended = timeout(PATIENCE, world.end()).await;
    assert!(ended.is_ok(), "it waits for whoever never ends");
    rest(&mut stream).await;
}

/// A frame of HTTP/2.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = vec![length[1], length[2], length[3], kind, flags];
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

const HEADERS: u8 = 1;
const RESET: u8 = 3;
const SETTINGS: u8 = 4;
const GO_AWAY: u8 = 7;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// `GET https://localhost/healthz`, as HPACK has it.
fn request_headers() -> Vec<u8> {
    let mut block = vec![0x82, 0x87, 0x04, 8];
    block.extend(b"/healthz");
    block.extend([0x01, 9]);
    block.extend(b"localhost");
    block
}

/// A connection that speaks HTTP/2, with its preface said.
async fn http2(world: &World) -> tokio_rustls::client::TlsStream<TcpStream> {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject as _;
    let pem = std::fs::read(world.data().join("endpoint.ca")).unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(&pem).unwrap())
        .unwrap();
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let connector = tokio_rustls::TlsConnector::from(std::sync::Arc::new(config));
    let name = "localhost".try_into().unwrap();
    let mut stream = connector.connect(name, connect(world).await).await.unwrap();
    stream
        .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        .await
        .unwrap();
    stream.write_all(&frame(SETTINGS, 0, 0, &[])).await.unwrap();
    stream
}

/// Sends frames for as long as anybody takes them; returns the kinds of frames that came back before the end.
async fn flood(
    stream: tokio_rustls::client::TlsStream<TcpStream>,
    frames: impl Iterator<Item = Vec<u8>>,
) -> Vec<u8> {
    let (mut read, mut write) = tokio::io::split(stream);
    let answered = tokio::spawn(async move {
        let mut bytes = Vec::new();
        let _ = read.read_to_end(&mut bytes).await;
        bytes
    });
    for frame in frames {
        if answered.is_finished() || write.write_all(&frame).await.is_err() {
            break;
        }
    }
    let _ = write.flush().await;
    let bytes = timeout(PATIENCE, answered)
        .await
        .expect("the connection is ended")
        .unwrap();
    let mut kinds = Vec::new();
    let mut rest = bytes.as_slice();
    while let [a, b, c, kind, ..] = rest {
        kinds.push(*kind);
        let length = u32::from_be_bytes([0, *a, *b, *c]) as usize;
        rest = rest.get(9 + length..).unwrap_or_default();
    }
    kinds
}

#[tokio::test]
async fn streams_that_are_opened_and_reset_over_and_over_end_the_connection() {
    let world = with(ConnectionLimits::default(), Some(TlsSource::Own)).await;
    let stream = http2(&world).await;
    let headers = request_headers();
    let frames = (0..1_000_000_u32).flat_map(|number| {
        let stream = 2 * number + 1;
        let both = END_STREAM | END_HEADERS;
        [
            frame(HEADERS, both, stream, &headers),
            frame(RESET, 0, stream, &8_u32.to_be_bytes()),
        ]
    });
    let kinds = flood(stream, frames).await;
    assert!(
        kinds.contains(&GO_AWAY),
        "{} frames, none says why",
        kinds.len()
    );
    read(world.anonymous(Method::GET, "/healthz"))
        .await
        .success();
    world.end().await;
}

#[tokio::test]
async fn headers_that_are_continued_for_ever_end_the_connection() {
    let world = with(ConnectionLimits::default(), Some(TlsSource::Own)).await;
    let stream = http2(&world).await;
    // One header after the other, none of which is the last.
    let mut piece = Vec::new();
    for _ in 0..60 {
        piece.extend([0x00, 1, b'x', 127, 73]);
        piece.extend([b'a'; 200]);
    }
    let first = frame(HEADERS, END_STREAM, 1, &request_headers());
    let more = std::iter::repeat_n(frame(CONTINUATION, 0, 1, &piece), 100_000);
    let kinds = flood(stream, std::iter::once(first).chain(more)).await;
    assert!(
        kinds.contains(&GO_AWAY) || kinds.contains(&RESET),
        "{kinds:?}"
    );
    read(world.anonymous(Method::GET, "/healthz"))
        .await
        .success();
    world.end().await;
}

#[tokio::test]
async fn a_connection_of_http2_on_which_nothing_is_asked_is_closed() {
    let world = with(short(), Some(TlsSource::Own)).await;
    let stream = http2(&world).await;
    let ping = frame(6, 0, 0, &[0; 8]);
    // Frames that ask for nothing do not keep it.
    let kinds = flood(stream, std::iter::once(ping)).await;
    assert!(kinds.contains(&GO_AWAY), "{kinds:?}");
    world.end().await;
}
