//! A server that speaks the real formats, or does not, as a test tells it to.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What is done with one request.
#[derive(Clone, Debug)]
pub enum Act {
    /// Send this and hang up.
    Send(String),
    /// Send this and nothing more, ever.
    Hang(String),
    /// Send this, and then that for as long as anybody takes it.
    Endless(String, String),
    /// Send this, and then a little from time to time, which never comes to anything.
    Drip(String),
}

#[derive(Clone, Debug)]
pub struct Request {
    /// In small letters.
    pub head: String,
    pub body: Value,
}

pub struct Scripted {
    pub url: String,
    requests: Arc<Mutex<Vec<Request>>>,
    task: JoinHandle<()>,
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Scripted {
    /// Answers one request after the other; the last act is repeated.
    pub async fn new(acts: Vec<Act>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        let task = tokio::spawn(async move {
            let mut acts = acts.into_iter().peekable();
            loop {
                let Ok((stream, _)) = listener.accept().await else {
                    return;
                };
                let act = acts.next().unwrap();
                if acts.peek().is_none() {
                    acts = vec![act.clone()].into_iter().peekable();
                }
                let seen = Arc::clone(&seen);
                tokio::spawn(async move {
                    // A client that hangs up is part of many plays.
                    let _ = play(stream, act, &seen).await;
                });
            }
        });
        Self {
            url,
            requests,
            task,
        }
    }

    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

async fn play(mut stream: TcpStream, act: Act, seen: &Mutex<Vec<Request>>) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        stream.read_buf(&mut bytes).await?;
    };
    let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
    let length: usize = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .map_or(0, |length| length.parse().unwrap());
    while bytes.len() < end + 4 + length {
        stream.read_buf(&mut bytes).await?;
    }
    let body = serde_json::from_slice(&bytes[end + 4..]).unwrap_or_default();
    seen.lock().unwrap().push(Request { head, body });
    match act {
        Act::Send(text) => stream.write_all(text.as_bytes()).await?,
        Act::Hang(text) => {
            stream.write_all(text.as_bytes()).await?;
            stream.flush().await?;
            std::future::pending::<()>().await;
        }
        Act::Endless(text, again) => {
            stream.write_all(text.as_bytes()).await?;
            loop {
                stream.write_all(again.as_bytes()).await?;
            }
        }
        Act::Drip(text) => {
            stream.write_all(text.as_bytes()).await?;
            let mut drops = tokio::time::interval(Duration::from_millis(20));
            loop {
                drops.tick().await;
                stream.write_all(b": still thinking\n\n").await?;
            }
        }
    }
    stream.shutdown().await
}

pub fn answer(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nConnection: close\r\n{headers}\r\n{body}")
}

/// The beginning of a stream.
pub fn stream() -> String {
    answer("200 OK", "Content-Type: text/event-stream\r\n", "")
}

fn events(events: &[Value]) -> String {
    let lines: Vec<String> = events
        .iter()
        .map(|event| match event["type"].as_str() {
            Some(kind) => format!("event: {kind}\ndata: {event}\n\n"),
            None => format!("data: {event}\n\n"),
        })
        .collect();
    lines.concat()
}

/// A text as OpenAI's format streams it, in pieces.
pub fn openai_text(text: &str) -> Act {
    let pieces: Vec<char> = text.chars().collect();
    let mut all = vec![
        json!({"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": null}]}),
    ];
    all.extend(pieces.chunks(7).map(|piece| {
        let piece: String = piece.iter().collect();
        json!({"id": "c1", "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": null}]})
    }));
    all.push(
        json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage": null}),
    );
    all.push(json!({"choices": [], "usage": {"prompt_tokens": 900, "completion_tokens": 40, "total_tokens": 940}}));
    Act::Send(format!("{}{}data: [DONE]\n\n", stream(), events(&all)))
}

/// Calls of tools as OpenAI's format streams them.
pub fn openai_calls(names: &[&str]) -> Act {
    let mut all = Vec::new();
    for (index, name) in names.iter().enumerate() {
        all.push(json!({"choices": [{"index": 0, "delta": {"tool_calls": [
            {"index": index, "id": format!("theirs_{index}"), "type": "function", "function": {"name": name, "arguments": ""}}]}}]}));
        for piece in ["{", "\"why\": \"", "not\"}"] {
            all.push(json!({"choices": [{"index": 0, "delta": {"tool_calls": [
                {"index": index, "function": {"arguments": piece}}]}}]}));
        }
    }
    all.push(json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]}));
    Act::Send(format!("{}{}data: [DONE]\n\n", stream(), events(&all)))
}

fn anthropic(blocks: &[Value], deltas: &[Vec<Value>], reason: &str) -> Act {
    let mut all = vec![
        json!({"type": "message_start", "message": {"id": "m1", "type": "message", "role": "assistant", "content": [], "usage": {"input_tokens": 700, "cache_read_input_tokens": 200, "output_tokens": 1}}}),
        json!({"type": "ping"}),
    ];
    for (index, block) in blocks.iter().enumerate() {
        all.push(json!({"type": "content_block_start", "index": index, "content_block": block}));
        for delta in &deltas[index] {
            all.push(json!({"type": "content_block_delta", "index": index, "delta": delta}));
        }
        all.push(json!({"type": "content_block_stop", "index": index}));
    }
    all.push(json!({"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": 40}}));
    all.push(json!({"type": "message_stop"}));
    Act::Send(format!("{}{}", stream(), events(&all)))
}

/// A text as Anthropic's format streams it, after some thinking.
pub fn anthropic_text(text: &str) -> Act {
    let pieces: Vec<char> = text.chars().collect();
    let deltas = pieces
        .chunks(5)
        .map(|piece| json!({"type": "text_delta", "text": piece.iter().collect::<String>()}))
        .collect();
    let thinking = vec![json!({"type": "thinking_delta", "thinking": "It was the disk [1]."})];
    anthropic(
        &[
            json!({"type": "thinking", "thinking": ""}),
            json!({"type": "text", "text": ""}),
        ],
        &[thinking, deltas],
        "end_turn",
    )
}

pub fn anthropic_calls(names: &[&str]) -> Act {
    let blocks: Vec<Value> = names
        .iter()
        .enumerate()
        .map(|(index, name)| json!({"type": "tool_use", "id": format!("toolu_{index}"), "name": name, "input": {}}))
        .collect();
    let delta = vec![json!({"type": "input_json_delta", "partial_json": "{\"a\": 1}"})];
    let deltas = vec![delta; names.len()];
    anthropic(&blocks, &deltas, "tool_use")
}
