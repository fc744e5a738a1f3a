//! What was acknowledged survives `kill -9`.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use ergon_store::{NewEvent, Store};
use serde_json::json;
use sqlx::Connection;

/// The variable that turns [`writes_until_killed`] into a writer; it names the store.
const WRITER: &str = "ERGON_TEST_STORE_WRITER";

#[tokio::test]
async fn everything_that_was_acknowledged_is_there_after_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ergon.db");
    let mut writer = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::writes_until_killed", "--nocapture"])
        .env(WRITER, &path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut acknowledged = 0;
    for line in BufReader::new(writer.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok)
    {
        if let Some(number) = line.strip_prefix("acknowledged ") {
            acknowledged = number.parse().unwrap();
        }
        if acknowledged >= 50 {
            break;
        }
    }
    writer.kill().unwrap();
    writer.wait().unwrap();
    assert!(acknowledged >= 50, "the writer did not come that far");

    let store = Store::open(&path).await.unwrap();
    let events = store.events_after(0, i64::MAX).await.unwrap();
    assert!(
        events.len() >= acknowledged,
        "{} of {acknowledged}",
        events.len()
    );
    for (index, event) in events.iter().enumerate() {
        assert_eq!(event.data["number"], index + 1, "no gap and no half");
    }
}

/// Not a test by itself: the process that is killed.
#[tokio::test]
async fn writes_until_killed() {
    let Some(path) = std::env::var_os(WRITER) else {
        return;
    };
    let store = Store::open(Path::new(&path)).await.unwrap();
    for number in 1_u64.. {
        let change = store
            .change(NewEvent::new(
                "dev.ergon.test",
                "test",
                json!({ "number": number }),
            ))
            .await
            .unwrap();
        change.commit().await.unwrap();
        println!("acknowledged {number}");
    }
}

#[tokio::test]
async fn a_store_of_a_newer_ergon_is_refused_with_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ergon.db");
    Store::open(&path).await.unwrap().close().await;
    let mut connection = sqlx::AnyConnection::connect(&format!("sqlite://{}", path.display()))
        .await
        .unwrap();
    sqlx::query("INSERT INTO _sqlx_migrations VALUES (9999, 'later', '2030-01-01', 1, x'00', 0)")
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    let error = Store::open(&path).await.unwrap_err();
    assert!(error.to_string().contains("newer Ergon"), "{error}");
    assert!(error.remedy().is_some());
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_one_sentence() {
    let error = Store::open(Path::new("/nonexistent/ergon.db"))
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the store /nonexistent/ergon.db cannot be written"
    );
    assert!(error.remedy().is_some());
}

#[tokio::test]
async fn nobody_else_may_read_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("ergon.db")).await.unwrap();
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let file = file.unwrap();
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{}", file.path().display());
    }
    store.close().await;
}
