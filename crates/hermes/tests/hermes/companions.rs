//! Somebody to send to, and letters.

use std::collections::BTreeMap;
use std::sync::Once;
use std::time::Duration;

use ergon_hermes::{
    Answer, Details, Host, Kind, Letter, MessageFormat, Reach, Record, SendError, Sender,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

pub const STACK: &str = "stack-a";

pub fn letter(content: &str) -> Letter {
    Letter {
        id: "letter-1".to_owned(),
        from: "alice".to_owned(),
        content: content.to_owned(),
        to: None,
        patience: Duration::from_secs(20),
        path: Vec::new(),
    }
}

pub fn impatient(milliseconds: u64) -> Letter {
    Letter {
        patience: Duration::from_millis(milliseconds),
        ..letter("how are you?")
    }
}

pub async fn send(details: Details, letter: &Letter) -> Result<Answer, SendError> {
    let record = Record::new("somebody", Kind::External, details);
    sender().send(&record, BTreeMap::new(), letter, None).await
}

pub fn sender() -> Sender {
    static TLS: Once = Once::new();
    TLS.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
    // Where the stack itself would listen.
    let own = ([127, 0, 0, 1], 1).into();
    Sender::new(Reach::new([], own), STACK)
}

/// Sends, and hands each piece of the answer to `hears` as it comes.
pub async fn overhear(
    details: Details,
    letter: &Letter,
    mut hears: impl FnMut(String),
) -> Result<Answer, SendError> {
    let (listener, mut pieces) = mpsc::channel(1);
    let record = Record::new("somebody", Kind::External, details);
    let sender = sender();
    let (answer, ()) = tokio::join!(
        sender.send(&record, BTreeMap::new(), letter, Some(listener)),
        async {
            while let Some(piece) = pieces.recv().await {
                hears(piece);
            }
        }
    );
    answer
}

/// A server on this machine that answers one request after the other as it is told, whatever that is.
pub struct Server {
    port: u16,
    task: JoinHandle<Vec<String>>,
}

impl Server {
    /// Sends these bytes to each one who asks, and then hangs up.
    pub async fn saying<const N: usize>(answers: [&str; N]) -> Self {
        let answers = answers.map(str::to_owned);
        Self::doing(async move |listener| {
            let mut asked = Vec::new();
            for answer in answers {
                let mut stream = listener.accept().await.unwrap().0;
                asked.push(request(&mut stream).await);
                // Whoever was told enough may hang up first.
                let _ = stream.write_all(answer.as_bytes()).await;
                let _ = stream.shutdown().await;
            }
            asked
        })
        .await
    }

    /// Does with those who come whatever it is told.
    pub async fn doing<F: Future<Output = Vec<String>> + Send + 'static>(
        work: impl FnOnce(TcpListener) -> F,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        Self {
            port,
            task: tokio::spawn(work(listener)),
        }
    }

    pub fn details(&self, format: MessageFormat) -> Details {
        Details {
            host: Some("127.0.0.1".parse::<Host>().unwrap()),
            port: Some(self.port),
            message_endpoint: Some("/talk".to_owned()),
            message_format: Some(format),
            ..Details::default()
        }
    }

    /// A companion in the plain form.
    pub fn simple(&self) -> Details {
        self.details(MessageFormat::JsonSimple)
    }

    /// What it was asked.
    pub async fn asked(self) -> Vec<String> {
        self.task.await.unwrap()
    }
}

/// An answer with a body and its true length.
pub fn answer(status: &str, kind: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n{body}")
}

/// The beginning of an answer whose end is that the connection ends.
pub fn endless(kind: &str, body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\nconnection: close\r\n\r\n{body}")
}

/// A whole request, head and body.
pub async fn request(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    loop {
        let mut buffer = [0; 4096];
        let read = stream.read(&mut buffer).await.unwrap();
        bytes.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            assert!(read > 0, "half a request: {text}");
            continue;
        };
        let length = head
            .lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            .map_or(0, |(_, length)| length.parse().unwrap());
        if body.len() >= length {
            return text;
        }
        assert!(read > 0, "half a body: {text}");
    }
}
