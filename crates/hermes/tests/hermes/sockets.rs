//! Companions that listen on unix sockets, good and bad ones.

use std::path::PathBuf;

use ergon_hermes::{Details, SendError};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixListener;
use tokio::task::JoinHandle;

use crate::companions::{impatient, letter, overhear, send};

/// Somebody who answers one line with these bytes, and hangs up.
fn saying(answer: &'static [u8]) -> (TempDir, Details, JoinHandle<String>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ci.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let task = tokio::spawn(async move {
        let (read, mut write) = listener.accept().await.unwrap().0.into_split();
        let mut line = String::new();
        BufReader::new(read).read_line(&mut line).await.unwrap();
        let _ = write.write_all(answer).await;
        line
    });
    (folder, details(path), task)
}

fn details(path: PathBuf) -> Details {
    Details {
        socket: Some(path),
        ..Details::default()
    }
}

#[tokio::test]
async fn a_line_goes_there_and_a_line_comes_back() {
    let (_folder, details, heard) =
        saying(b"{\"from\":\"x\",\"content\":\"well\",\"findings\":[]}\n");
    let got = send(details, &letter("how are\nyou?")).await.unwrap();
    assert_eq!(got.content, "well");
    assert_eq!(got.whole.unwrap()["from"], "x");
    let heard: serde_json::Value = serde_json::from_str(&heard.await.unwrap()).unwrap();
    assert_eq!(
        heard,
        serde_json::json!({ "from": "alice", "content": "how are\nyou?", "type": "message", "id": "letter-1" })
    );
}

#[tokio::test]
async fn pieces_are_heard_before_the_whole() {
    let (_folder, details, _heard) = saying(
        b"{\"type\":\"piece\",\"content\":\"we\"}\n{\"type\":\"message\",\"content\":\"well\"}\n",
    );
    let mut pieces = Vec::new();
    let got = overhear(details, &letter("x"), |piece| pieces.push(piece)).await;
    assert_eq!(
        (got.unwrap().content.as_str(), pieces),
        ("well", vec!["we".to_owned()])
    );
}

#[tokio::test]
async fn nobody_at_a_socket_is_away() {
    let folder = tempfile::tempdir().unwrap();
    let error = send(details(folder.path().join("none.sock")), &letter("x")).await;
    assert!(error.as_ref().is_err_and(SendError::is_away), "{error:?}");
}

#[tokio::test]
async fn bad_lines_are_no_answers() {
    for (said, expected) in [
        (&b""[..], "the answer broke off: nothing more came"),
        (
            b"{\"content\":\"we",
            "the answer broke off: half a line came",
        ),
        (
            b"hello\n",
            "the answer broke off: a line came that is not JSON",
        ),
        (b"{\"type\":\"error\",\"error\":\"not you\"}\n", "not you"),
    ] {
        let (_folder, details, _heard) = saying(said);
        let error = send(details, &letter("x")).await.unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}

#[tokio::test]
async fn a_line_without_end_is_cut() {
    let long: &'static [u8] = Box::leak(vec![b'x'; (1 << 20) + 2].into_boxed_slice());
    let (_folder, details, _heard) = saying(long);
    let error = send(details, &letter("x")).await.unwrap_err();
    assert_eq!(error, SendError::TooLong);
}

#[tokio::test]
async fn whoever_listens_and_never_answers_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ci.sock");
    let _listener = UnixListener::bind(&path).unwrap();
    let error = send(details(path), &impatient(100)).await.unwrap_err();
    assert!(matches!(error, SendError::TooSlow(_)), "{error}");
}
