//! Starting, and not starting.

use std::time::{Duration, Instant};

use ergon_server::{StartError, serve};
use tokio_util::sync::CancellationToken;

use crate::world::{World, config};

async fn refused(config: ergon_server::Config) -> StartError {
    serve(config, CancellationToken::new(), |_| panic!("it started"))
        .await
        .unwrap_err()
}

#[tokio::test]
async fn a_stack_is_ready_well_under_a_second_and_says_where() {
    let begun = Instant::now();
    let world = World::new().await;
    assert!(
        begun.elapsed() < Duration::from_millis(900),
        "{:?}",
        begun.elapsed()
    );
    assert!(world.ready.url.starts_with("http://localhost:"));
    assert!(
        world
            .ready
            .sign_in_url
            .starts_with(&format!("{}/#code=", world.ready.url))
    );
    let endpoint = std::fs::read_to_string(world.data().join("endpoint")).unwrap();
    assert_eq!(
        endpoint.trim(),
        world.url,
        "programs are not sent through a name"
    );
    let folder = world.end().await;
    assert!(!folder.path().join("data/endpoint").exists());
    assert_eq!(
        std::fs::read_dir(folder.path().join("data/run"))
            .unwrap()
            .count(),
        0,
        "no socket stays"
    );
}

#[tokio::test]
async fn one_data_folder_has_one_stack() {
    let world = World::new().await;
    let error = refused(config(world.folder.path())).await;
    let pid = std::process::id();
    assert!(
        error
            .to_string()
            .ends_with(&format!("is in use by process {pid}")),
        "{error}"
    );
    assert!(error.remedy().unwrap().contains("ergon status"));
    World::over(world.end().await).await.end().await;
}

#[tokio::test]
async fn a_busy_port_is_named() {
    let world = World::new().await;
    let folder = tempfile::tempdir().unwrap();
    let listen = world.authority().parse().unwrap();
    let error = refused(ergon_server::Config {
        listen,
        ..config(folder.path())
    })
    .await;
    assert_eq!(
        error.to_string(),
        format!("{listen} is in use by another program")
    );
    assert!(error.remedy().unwrap().contains("--listen"));
    world.end().await;
}

#[tokio::test]
async fn a_folder_that_cannot_be_one_is_said_in_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("data"), "I am a file").unwrap();
    let error = refused(config(folder.path())).await;
    assert!(matches!(error, StartError::Folder { .. }), "{error:?}");
    assert!(!error.to_string().contains('\n') && error.remedy().is_some());
}

#[tokio::test]
async fn what_is_no_store_is_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("data")).unwrap();
    let file = folder.path().join("data/ergon.db");
    std::fs::write(
        &file,
        "these are my notes, and longer than a header of a hundred bytes would be. ".repeat(10),
    )
    .unwrap();
    let error = refused(config(folder.path())).await;
    assert!(matches!(error, StartError::Store(_)), "{error:?}");
    assert!(error.to_string().contains("is not a store"), "{error}");
    assert!(
        std::fs::read_to_string(&file)
            .unwrap()
            .starts_with("these are my notes")
    );
}
