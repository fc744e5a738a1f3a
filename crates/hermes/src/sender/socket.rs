//! The way over a unix socket: one JSON object on a line there, one on a line back.

use std::path::PathBuf;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::time::Instant;

use super::answer::{Collected, LONGEST_ANSWER};
use super::error::SendError;
use super::letter::Letter;
use super::text;
use super::way::Way;

/// The way over a unix socket.
#[derive(Debug)]
pub struct Socket {
    path: PathBuf,
}

impl Socket {
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }

    async fn exchange(&self, letter: &Letter, answer: &mut Collected) -> Result<(), SendError> {
        let stream = UnixStream::connect(&self.path)
            .await
            .map_err(|error| SendError::Away {
                reason: format!("{}: {error}", self.path.display()),
                // The kernel knows whether somebody listens.
                may_be_passing: false,
            })?;
        let broken = |error: std::io::Error| SendError::Broken(error.to_string());
        let (reader, mut writer) = stream.into_split();
        let mut line = json!({
            "from": letter.from, "content": letter.content, "type": "message", "id": letter.id,
        })
        .to_string();
        line.push('\n');
        writer.write_all(line.as_bytes()).await.map_err(broken)?;
        // One byte more than an answer may have, so that one which is longer is not taken for one which broke off.
        let mut lines = BufReader::new(reader.take(LONGEST_ANSWER as u64 + 1));
        loop {
            let mut line = Vec::new();
            let read = lines.read_until(b'\n', &mut line).await.map_err(broken)?;
            answer.count(read)?;
            if line.pop() != Some(b'\n') {
                let how = if read == 0 {
                    "nothing more came"
                } else {
                    "half a line came"
                };
                return Err(SendError::Broken(how.to_owned()));
            }
            let value: Value = serde_json::from_slice(&line)
                .map_err(|_| SendError::Broken("a line came that is not JSON".to_owned()))?;
            if let Some(reason) = text::refusal(&value) {
                return Err(SendError::Refused(reason));
            }
            let said = text::said(&value).unwrap_or_default();
            if value.get("type").and_then(Value::as_str) == Some("piece") {
                answer.push(&said).await?;
                continue;
            }
            answer.take_whole(said, value);
            return Ok(());
        }
    }
}

impl Way for Socket {
    fn bring<'a>(
        &'a self,
        letter: &'a Letter,
        _deadline: Instant,
        answer: &'a mut Collected,
    ) -> BoxFuture<'a, Result<(), SendError>> {
        self.exchange(letter, answer).boxed()
    }
}
