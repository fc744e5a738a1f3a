//! A stack for unit tests: it gives prepared answers, one for each connection.

use reqwest::Url;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::address::{Address, Origin};
use crate::client::Client;

/// A client of a stack that answers with these, in this order, and then is gone.
pub async fn client(answers: Vec<String>) -> Client {
    crate::start::give_tls_its_provider();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    tokio::spawn(async move {
        for answer in answers {
            let (mut connection, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !request.windows(4).any(|end| end == b"\r\n\r\n") {
                assert_ne!(connection.read_buf(&mut request).await.unwrap(), 0);
            }
            connection.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    let address = Address {
        url,
        token: Some("secret".into()),
        authority: None,
        origin: Origin::Environment,
    };
    Client::new(address).unwrap()
}

/// A whole answer.
pub fn answer(status: &str, kind: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
}

/// A stream that breaks off after these events.
pub fn stream(events: &[(&str, serde_json::Value)]) -> String {
    let events: Vec<String> = events
        .iter()
        .map(|(name, data)| format!("event: {name}\ndata: {data}\n\n"))
        .collect();
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n{}",
        events.concat()
    )
}
