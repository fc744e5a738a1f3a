//! How a message reaches a companion: one JSON object per line on its unix socket.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;

/// The longest answer that is read, in bytes.
const LONGEST_ANSWER: u64 = 1 << 20;

/// Why a message got no answer.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    #[error("nobody listens on {}: {error}", socket.display())]
    NobodyListens {
        socket: PathBuf,
        error: std::io::Error,
    },
    #[error("the companion on {} did not answer within {} s", socket.display(), deadline.as_secs())]
    TooSlow { socket: PathBuf, deadline: Duration },
    #[error("the companion on {} broke off: {reason}", socket.display())]
    Broken { socket: PathBuf, reason: String },
    #[error("{0}")]
    Refused(String),
}

/// Sends `content` to the companion that listens on `socket` and waits for its answer.
pub async fn send(
    socket: &Path,
    from: &str,
    content: &str,
    deadline: Duration,
) -> Result<Value, SendError> {
    match tokio::time::timeout(deadline, exchange(socket, from, content)).await {
        Ok(answer) => answer,
        Err(_) => Err(SendError::TooSlow {
            socket: socket.to_owned(),
            deadline,
        }),
    }
}

async fn exchange(socket: &Path, from: &str, content: &str) -> Result<Value, SendError> {
    let stream = UnixStream::connect(socket)
        .await
        .map_err(|error| SendError::NobodyListens {
            socket: socket.to_owned(),
            error,
        })?;
    let broken = |reason: String| SendError::Broken {
        socket: socket.to_owned(),
        reason,
    };
    let (reader, mut writer) = stream.into_split();
    let mut line = json!({ "from": from, "content": content, "type": "message" }).to_string();
    line.push('\n');
    writer
        .write_all(line.as_bytes())
        .await
        .map_err(|error| broken(error.to_string()))?;
    let mut answer = String::new();
    BufReader::new(reader.take(LONGEST_ANSWER))
        .read_line(&mut answer)
        .await
        .map_err(|error| broken(error.to_string()))?;
    let answer: Value = serde_json::from_str(&answer)
        .map_err(|_| broken("it sent no whole line of JSON".to_owned()))?;
    match answer.get("error").and_then(Value::as_str) {
        Some(error) => Err(SendError::Refused(error.to_owned())),
        None => Ok(answer),
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::UnixListener;

    use super::*;

    fn companion_that_answers(answer: &'static str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("ci_test.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let (reader, mut writer) = stream.into_split();
            let mut line = String::new();
            BufReader::new(reader).read_line(&mut line).await.unwrap();
            writer.write_all(answer.as_bytes()).await.unwrap();
        });
        (folder, socket)
    }

    #[tokio::test]
    async fn an_answer_comes_back() {
        let (_folder, socket) = companion_that_answers("{\"content\":\"I'm well.\"}\n");
        let answer = send(&socket, "owner", "status", Duration::from_secs(5))
            .await
            .unwrap();
        assert_eq!(answer["content"], "I'm well.");
    }

    #[tokio::test]
    async fn a_refusal_and_an_answer_cut_short_are_errors() {
        let (_folder, socket) = companion_that_answers("{\"error\":\"not for you\"}\n");
        let error = send(&socket, "owner", "status", Duration::from_secs(5))
            .await
            .unwrap_err();
        assert_eq!(error.to_string(), "not for you");
        let (_folder, socket) = companion_that_answers("{\"content\":");
        let error = send(&socket, "owner", "status", Duration::from_secs(5))
            .await
            .unwrap_err();
        assert!(matches!(error, SendError::Broken { .. }), "{error}");
    }

    #[tokio::test]
    async fn a_companion_that_is_away_is_said_to_be() {
        let error = send(
            Path::new("/nonexistent/ci.sock"),
            "owner",
            "status",
            Duration::from_secs(5),
        )
        .await
        .unwrap_err();
        assert!(matches!(error, SendError::NobodyListens { .. }));
    }
}
