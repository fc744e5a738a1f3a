//! The load of `benches/directory`: the same questions to a stack and to etcd, over so many connections, one at a time on each.
//!
//!     directory_load ergon HOST:PORT TOKEN KIND CONNECTIONS SECONDS
//!     directory_load etcd HOST:PORT - KIND CONNECTIONS SECONDS
//!     directory_load soak HOST:PORT TOKEN RUN CONNECTIONS SECONDS REGISTRATIONS HEARTBEATS
//!
//! KIND: `register`, `heartbeat` or `list`. Prints how many were answered in a second, and half and 99 of 100 of the times
//! that they took, in microseconds.
//!
//! `soak` is the load of `dev/soak`: so many registrations and heartbeats in a second, until the time is over or the stack is
//! gone. Who came makes room for who comes next, under names that begin with RUN. Prints `? NAME` before each is asked for or
//! sent away, `+ NAME` once they are there and `- NAME` once they are not; at the end the rates, on stderr.

#![allow(
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a tool that says why by where it fails"
)]

use std::time::{Duration, Instant};

use bytes::{BufMut as _, Bytes, BytesMut};
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::Frame;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// So many are listed.
const LISTED: u64 = 25;

#[derive(Clone)]
struct Load {
    at: String,
    token: String,
    kind: String,
    until: Instant,
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|side| side == "soak") {
        return soak_all(&arguments[1..]).await;
    }
    let [side, at, token, kind, connections, seconds] = &arguments[..] else {
        panic!("directory_load ergon|etcd HOST:PORT TOKEN KIND CONNECTIONS SECONDS");
    };
    let (connections, seconds): (u64, u64) =
        (connections.parse().unwrap(), seconds.parse().unwrap());
    let load = Load {
        at: at.clone(),
        token: token.clone(),
        kind: kind.clone(),
        until: Instant::now() + Duration::from_secs(seconds),
    };
    let begun = Instant::now();
    let mut tasks = Vec::new();
    for number in 0..connections {
        let load = load.clone();
        tasks.push(if side == "ergon" {
            tokio::spawn(async move { ergon(load, number).await })
        } else {
            tokio::spawn(async move { etcd(load, number).await })
        });
    }
    let mut times = Vec::new();
    for task in tasks {
        times.extend(task.await.unwrap());
    }
    let took = begun.elapsed().as_secs_f64();
    times.sort_unstable();
    println!("{kind} {:.0}", times.len() as f64 / took);
    println!("{kind}-p50 {}", times[times.len() / 2]);
    println!("{kind}-p99 {}", times[times.len() * 99 / 100]);
}

/// One connection to a stack. Requests are written by hand: the load should cost little beside what it loads.
async fn ergon(load: Load, number: u64) -> Vec<u64> {
    let mut stream = TcpStream::connect(&load.at).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let head = |method: &str, path: &str, body: &str| request_to(&load, method, path, body);
    let registration = |name: &str| registration(&load, name);
    let mut buffer = vec![0; 64 << 10];
    if load.kind != "register" {
        for listed in 0..LISTED {
            let name = format!("bench-{listed}");
            answer(&mut stream, &registration(&name), &mut buffer).await;
        }
    }
    let mut times = Vec::new();
    let mut count = 0_u64;
    while Instant::now() < load.until {
        let request = match load.kind.as_str() {
            "register" => registration(&format!("load-{number}-{count}")),
            "heartbeat" => head(
                "POST",
                &format!("/api/registry/bench-{}/heartbeat", count % LISTED),
                "",
            ),
            _ => head("GET", "/api/registry?type=terminal&q=bench-", ""),
        };
        let since = Instant::now();
        answer(&mut stream, &request, &mut buffer).await;
        times.push(u64::try_from(since.elapsed().as_micros()).unwrap());
        count += 1;
    }
    times
}

fn request_to(load: &Load, method: &str, path: &str, body: &str) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        load.at,
        load.token,
        body.len()
    )
}

fn registration(load: &Load, name: &str) -> String {
    let body = format!(
        "{{\"name\":\"{name}\",\"type\":\"terminal\",\"capabilities\":[\"bench\"],\"ttl\":86400}}"
    );
    request_to(load, "POST", "/api/registry/register", &body)
}

/// So many of one connection are there at a time.
const THERE: usize = 400;

/// Soaks over several connections.
async fn soak_all(arguments: &[String]) {
    let [
        at,
        token,
        run,
        connections,
        seconds,
        registrations,
        heartbeats,
    ] = arguments
    else {
        panic!(
            "directory_load soak HOST:PORT TOKEN RUN CONNECTIONS SECONDS REGISTRATIONS HEARTBEATS"
        );
    };
    let load = Load {
        at: at.clone(),
        token: token.clone(),
        kind: run.clone(),
        until: Instant::now() + Duration::from_secs(seconds.parse().unwrap()),
    };
    let connections: u32 = connections.parse().unwrap();
    let each = |rate: &str| rate.parse::<f64>().unwrap() / f64::from(connections);
    let (registrations, heartbeats) = (each(registrations), each(heartbeats));
    let begun = Instant::now();
    let tasks: Vec<_> = (0..connections)
        .map(|number| tokio::spawn(soak(load.clone(), number, registrations, heartbeats)))
        .collect();
    let mut done = (0, 0);
    for task in tasks {
        let (registered, beaten) = task.await.unwrap();
        done = (done.0 + registered, done.1 + beaten);
    }
    let took = begun.elapsed().as_secs_f64();
    eprintln!(
        "{:.0} {:.0}",
        f64::from(done.0) / took,
        f64::from(done.1) / took
    );
}

/// One connection, at a pace. Who is registered and who leaves count alike: both are durable.
async fn soak(load: Load, number: u32, registrations: f64, heartbeats: f64) -> (u32, u32) {
    let mut stream = TcpStream::connect(&load.at).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let mut buffer = vec![0; 64 << 10];
    let mut there = std::collections::VecDeque::new();
    let (mut registered, mut beaten) = (0, 0);
    let begun = Instant::now();
    while Instant::now() < load.until {
        let passed = begun.elapsed().as_secs_f64();
        let (late, idle) = (
            f64::from(registered) / registrations,
            f64::from(beaten) / heartbeats,
        );
        if passed < late.min(idle) {
            tokio::time::sleep(Duration::from_secs_f64(late.min(idle) - passed)).await;
        }
        if idle < late {
            let Some(name) = there.get(beaten as usize % there.len().max(1)) else {
                beaten += 1;
                continue;
            };
            let path = format!("/api/registry/{name}/heartbeat");
            if !answered(
                &mut stream,
                &request_to(&load, "POST", &path, ""),
                &mut buffer,
            )
            .await
            {
                break;
            }
            beaten += 1;
            continue;
        }
        let (asked, sign, name) = if there.len() < THERE {
            let name = format!("{}-{number}-{registered}", load.kind);
            (registration(&load, &name), '+', name)
        } else {
            let name: String = there.pop_front().unwrap();
            let path = format!("/api/registry/{name}");
            (request_to(&load, "DELETE", &path, ""), '-', name)
        };
        println!("? {name}");
        if !answered(&mut stream, &asked, &mut buffer).await {
            break;
        }
        println!("{sign} {name}");
        registered += 1;
        if sign == '+' {
            there.push_back(name);
        }
    }
    (registered, beaten)
}

/// Sends a request and reads all of its answer.
async fn answer(stream: &mut TcpStream, request: &str, buffer: &mut Vec<u8>) {
    assert!(answered(stream, request, buffer).await, "the stack hung up");
}

/// The same; false where the stack is gone.
async fn answered(stream: &mut TcpStream, request: &str, buffer: &mut Vec<u8>) -> bool {
    if stream.write_all(request.as_bytes()).await.is_err() {
        return false;
    }
    let mut read = 0;
    loop {
        if read == buffer.len() {
            buffer.resize(read * 2, 0);
        }
        let Ok(more @ 1..) = stream.read(&mut buffer[read..]).await else {
            return false;
        };
        read += more;
        let Some(end) = buffer[..read]
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
        else {
            continue;
        };
        let head = std::str::from_utf8(&buffer[..end]).unwrap();
        assert!(
            head.starts_with("HTTP/1.1 20"),
            "{}",
            String::from_utf8_lossy(&buffer[..read])
        );
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .map_or(0, |length| length.parse().unwrap());
        if read >= end + 4 + length {
            return true;
        }
    }
}

/// One connection to etcd: its own protocol, messages written by hand likewise.
async fn etcd(load: Load, number: u64) -> Vec<u64> {
    let stream = TcpStream::connect(&load.at).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let shaken = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await;
    let (mut sender, connection) = shaken.unwrap();
    tokio::spawn(connection);
    let at = load.at.clone();
    // LeaseGrantRequest { TTL: 3600, ID: number + 1 }
    let lease = number + 1 + u64::from(std::process::id()) * 1000;
    let grant = [field(1, 3600), field(2, lease)].concat();
    call(&mut sender, &at, "Lease/LeaseGrant", &grant).await;
    let put = |key: &str| {
        let value =
            "{\"name\":\"numa\",\"type\":\"terminal\",\"capabilities\":[\"bench\"],\"ttl\":3600}";
        [text(1, key), text(2, value), field(3, lease)].concat()
    };
    if load.kind == "list" {
        for listed in 0..LISTED {
            call(
                &mut sender,
                &at,
                "KV/Put",
                &put(&format!("bench-{listed:03}")),
            )
            .await;
        }
    }
    let mut times = Vec::new();
    let mut count = 0_u64;
    let took = |since: Instant| u64::try_from(since.elapsed().as_micros()).unwrap();
    if load.kind == "heartbeat" {
        // A stream of keep-alives, each answered before the next.
        let (beats, waiting) = tokio::sync::mpsc::channel::<Bytes>(1);
        let body = futures_util::stream::unfold(waiting, async |mut waiting| {
            let beat = waiting.recv().await?;
            Some((
                Ok::<_, std::convert::Infallible>(Frame::data(beat)),
                waiting,
            ))
        });
        let beat = framed(&field(1, lease));
        beats.send(beat.clone()).await.unwrap();
        let request = request(&at, "Lease/LeaseKeepAlive")
            .body(StreamBody::new(body).boxed())
            .unwrap();
        let mut answers = sender.send_request(request).await.unwrap().into_body();
        answers.frame().await.unwrap().unwrap();
        while Instant::now() < load.until {
            let since = Instant::now();
            beats.send(beat.clone()).await.unwrap();
            answers.frame().await.unwrap().unwrap();
            times.push(took(since));
        }
        return times;
    }
    while Instant::now() < load.until {
        let since = Instant::now();
        if load.kind == "register" {
            call(
                &mut sender,
                &at,
                "KV/Put",
                &put(&format!("load-{number}-{count}")),
            )
            .await;
        } else {
            let range = [text(1, "bench-"), text(2, "bench.")].concat();
            call(&mut sender, &at, "KV/Range", &range).await;
        }
        times.push(took(since));
        count += 1;
    }
    times
}

type Body = http_body_util::combinators::BoxBody<Bytes, std::convert::Infallible>;

fn request(at: &str, method: &str) -> hyper::http::request::Builder {
    hyper::Request::post(format!("http://{at}/etcdserverpb.{method}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
}

async fn call(sender: &mut http2::SendRequest<Body>, at: &str, method: &str, message: &[u8]) {
    let request = request(at, method)
        .body(Full::new(framed(message)).boxed())
        .unwrap();
    let answer = sender.send_request(request).await.unwrap();
    let answer = answer.into_body().collect().await.unwrap();
    let status = answer
        .trailers()
        .and_then(|trailers| trailers.get("grpc-status").cloned());
    assert!(
        status.is_none_or(|status| status == "0"),
        "etcd refuses {method}"
    );
}

/// A message as gRPC frames it.
fn framed(message: &[u8]) -> Bytes {
    let mut framed = BytesMut::with_capacity(message.len() + 5);
    framed.put_u8(0);
    framed.put_u32(u32::try_from(message.len()).unwrap());
    framed.put_slice(message);
    framed.freeze()
}

/// A number in a message.
fn field(number: u8, value: u64) -> Vec<u8> {
    let mut bytes = vec![number << 3];
    varint(value, &mut bytes);
    bytes
}

/// A text in a message.
fn text(number: u8, value: &str) -> Vec<u8> {
    let mut bytes = vec![number << 3 | 2];
    varint(value.len() as u64, &mut bytes);
    bytes.extend(value.as_bytes());
    bytes
}

fn varint(mut value: u64, bytes: &mut Vec<u8>) {
    while value >= 0x80 {
        bytes.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}
