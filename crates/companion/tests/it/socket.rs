//! A companion's socket, as its guests see it.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ergon_companion::{CompanionSocket, Message, Reply, SocketError, SocketLimits};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;

struct House {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

fn house() -> House {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ci_6e6a564c2e5b.sock");
    House {
        _folder: folder,
        path,
    }
}

/// A companion that repeats what it hears, and does not talk to Mallory.
async fn parrot(path: &Path) -> Result<CompanionSocket, SocketError> {
    parrot_within(SocketLimits::default(), path).await
}

async fn parrot_within(limits: SocketLimits, path: &Path) -> Result<CompanionSocket, SocketError> {
    CompanionSocket::listen_within(
        limits,
        path,
        |_, message| {
            if message.from == "mallory" {
                Err("you may not".to_owned())
            } else {
                Ok(())
            }
        },
        |_, message: Message| async move {
            Reply {
                from: "parrot".to_owned(),
                content: message.content,
                findings: Vec::new(),
                evidence: Vec::new(),
                ..Reply::default()
            }
        },
    )
    .await
}

/// Says lines and hears as many answers as come until the companion hangs up.
async fn talk(path: &Path, text: &[u8]) -> Vec<Value> {
    let mut stream = UnixStream::connect(path).await.expect("the door is open");
    stream.write_all(text).await.expect("said");
    stream.shutdown().await.expect("said all");
    let mut lines = BufReader::new(stream).lines();
    let mut answers = Vec::new();
    while let Ok(Some(line)) = lines.next_line().await {
        answers.push(serde_json::from_str(&line).expect("a JSON object on each line"));
    }
    answers
}

#[tokio::test]
async fn each_line_is_answered_with_a_line() {
    let house = house();
    let _socket = parrot(&house.path).await.expect("listening");
    let answers = talk(
        &house.path,
        b"{\"from\": \"you\", \"content\": \"one\", \"type\": \"message\"}\n\n{\"content\": \"two\"}",
    )
    .await;
    let reply = |content: &str| json!({"type": "message", "from": "parrot", "content": content, "findings": [], "evidence": []});
    assert_eq!(answers, [reply("one"), reply("two")]);
}

#[tokio::test]
async fn what_is_no_message_is_told_so_and_the_next_one_is_heard() {
    let house = house();
    let _socket = parrot(&house.path).await.expect("listening");
    let answers = talk(
        &house.path,
        b"hello\n[1]\n\xff\xfe\n{\"content\": 3}\n{\"content\": \"x\", \"type\": \"order\"}\n{\"content\": \"x\", \"from\": \"mallory\"}\n{\"content\": \"still here\"}\n",
    )
    .await;
    assert_eq!(answers.len(), 7, "{answers:?}");
    for error in &answers[..6] {
        assert_eq!(error["type"], "error");
        assert!(error["error"].as_str().is_some_and(|text| !text.is_empty()));
    }
    assert_eq!(
        answers[4]["error"],
        "type `order` is not known here; only `message` is"
    );
    assert_eq!(answers[5]["error"], "you may not");
    assert_eq!(answers[6]["content"], "still here");
}

#[tokio::test]
async fn a_line_without_end_is_not_read_to_its_end() {
    let house = house();
    let _socket = parrot(&house.path).await.expect("listening");
    let mut stream = UnixStream::connect(&house.path)
        .await
        .expect("the door is open");
    let (read, mut write) = stream.split();
    let flood = vec![b'x'; 1 << 20];
    // The companion hangs up while we still talk.
    let _ = write.write_all(&flood).await;
    let mut line = String::new();
    BufReader::new(read)
        .read_line(&mut line)
        .await
        .expect("an answer");
    assert!(line.contains("at most 65536 bytes"), "{line}");
}

#[tokio::test]
async fn the_file_is_the_owners_alone_and_goes_with_the_companion() {
    let house = house();
    let socket = parrot(&house.path).await.expect("listening");
    let mode = std::fs::metadata(socket.path())
        .expect("there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    drop(socket);
    assert!(!house.path.exists());
}

#[tokio::test]
async fn a_socket_left_behind_is_replaced_and_a_live_one_is_not() {
    let house = house();
    drop(std::os::unix::net::UnixListener::bind(&house.path).expect("left behind"));
    let socket = parrot(&house.path).await.expect("replaced");
    assert_eq!(
        talk(&house.path, b"{\"content\": \"hi\"}\n").await[0]["content"],
        "hi"
    );
    let error = parrot(&house.path).await.expect_err("taken");
    assert!(matches!(error, SocketError::Taken(_)), "{error}");
    assert!(error.remedy().is_some());
    drop(socket);

    std::fs::write(&house.path, "a note").expect("written");
    let error = parrot(&house.path).await.expect_err("in the way");
    assert!(matches!(error, SocketError::NotASocket(_)), "{error}");
    assert_eq!(
        std::fs::read_to_string(&house.path).expect("kept"),
        "a note"
    );
}

#[tokio::test]
async fn a_path_that_no_socket_can_have_is_refused_in_words() {
    let path = PathBuf::from(format!("/tmp/{}/x.sock", "long".repeat(40)));
    let error = parrot(&path).await.expect_err("too long");
    assert!(matches!(error, SocketError::PathTooLong(_)), "{error}");
}

#[tokio::test]
async fn many_guests_at_once_are_all_answered() {
    let house = house();
    let _socket = parrot(&house.path).await.expect("listening");
    let guests: Vec<_> = (0..100)
        .map(|number| {
            let path = house.path.clone();
            tokio::spawn(async move {
                let answers =
                    talk(&path, format!("{{\"content\": \"{number}\"}}\n").as_bytes()).await;
                assert_eq!(answers[0]["content"], number.to_string());
            })
        })
        .collect();
    for guest in guests {
        guest.await.expect("answered");
    }
}

#[tokio::test]
async fn who_says_nothing_or_never_ends_a_line_makes_room_for_who_waits_at_the_door() {
    let house = house();
    let limits = SocketLimits {
        guests: 2,
        silence: Duration::from_millis(300),
    };
    let _socket = parrot_within(limits, &house.path).await.expect("listening");
    let mut silent = UnixStream::connect(&house.path).await.expect("seated");
    let slow = UnixStream::connect(&house.path).await.expect("seated");
    let (mut hears, mut says) = slow.into_split();
    let dripping = tokio::spawn(async move {
        let mut pace = tokio::time::interval(Duration::from_millis(20));
        while says.write_all(b"a").await.is_ok() {
            pace.tick().await;
        }
    });
    // Both seats are taken; this one waits for them, and is answered.
    let answers = talk(&house.path, b"{\"content\": \"hello\"}\n").await;
    assert_eq!(answers[0]["content"], "hello");
    let mut rest = Vec::new();
    silent.read_to_end(&mut rest).await.expect("shown out");
    assert!(rest.is_empty());
    // Shown out with something of it unread.
    let _ = hears.read_to_end(&mut rest).await;
    dripping.await.expect("it was told");
}
