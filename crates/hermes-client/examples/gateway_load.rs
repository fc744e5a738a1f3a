//! The load of `benches/gateway`: one tool called again and again over so many connections, one call at a time on each.
//!
//!     gateway_load HOST:PORT PATH TOKEN TOOL CONNECTIONS CALLS
//!
//! A token of `-` is none. Prints how many calls there were in a second, and half and 99 of 100 of the times that they took, in
//! microseconds.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a tool that says why by where it fails"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// What the tool answers.
const SAID: &[u8] = br#""text":"0""#;

#[derive(Clone)]
struct Load {
    at: String,
    path: String,
    token: String,
    tool: String,
    /// Calls that were begun, over all connections, and how many there are to be.
    begun: Arc<AtomicU32>,
    calls: u32,
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [at, path, token, tool, connections, count] = &arguments[..] else {
        panic!("gateway_load HOST:PORT PATH TOKEN TOOL CONNECTIONS CALLS");
    };
    let begun = Instant::now();
    let connections: u32 = connections.parse().unwrap();
    let load = Load {
        at: at.clone(),
        path: path.clone(),
        token: token.clone(),
        tool: tool.clone(),
        begun: Arc::default(),
        calls: count.parse().unwrap(),
    };
    let tasks: Vec<_> = (0..connections)
        .map(|_| tokio::spawn(calls(load.clone())))
        .collect();
    let mut times = Vec::new();
    for task in tasks {
        times.extend(task.await.unwrap());
    }
    let took = begun.elapsed().as_secs_f64();
    times.sort_unstable();
    println!("rate {:.0}", times.len() as f64 / took);
    println!("p50 {}", times[times.len() / 2]);
    println!("p99 {}", times[times.len() * 99 / 100]);
}

async fn calls(load: Load) -> Vec<u64> {
    let stream = TcpStream::connect(&load.at).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let body = format!(
        "{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{{\"name\":\"{}\",\"arguments\":{{}},\"_meta\":{{\
         \"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\",\
         \"io.modelcontextprotocol/clientInfo\":{{\"name\":\"bench\",\"version\":\"1\"}},\
         \"io.modelcontextprotocol/clientCapabilities\":{{}}}}}}}}",
        load.tool
    );
    let body = Bytes::from(body);
    let mut times = Vec::new();
    while load.begun.fetch_add(1, Ordering::Relaxed) < load.calls {
        let mut request = Request::post(&load.path)
            .header("host", &load.at)
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", "2026-07-28")
            .header("mcp-method", "tools/call")
            .header("mcp-name", &load.tool);
        if load.token != "-" {
            request = request.header("authorization", format!("Bearer {}", load.token));
        }
        let request = request.body(Full::new(body.clone())).unwrap();
        let since = Instant::now();
        sender.ready().await.unwrap();
        let answer = sender.send_request(request).await.unwrap();
        let status = answer.status();
        let answer = answer.into_body().collect().await.unwrap().to_bytes();
        times.push(u64::try_from(since.elapsed().as_micros()).unwrap());
        let is_said = answer.windows(SAID.len()).any(|piece| piece == SAID);
        assert!(
            status.is_success() && is_said,
            "{status} {}",
            String::from_utf8_lossy(&answer)
        );
    }
    times
}
