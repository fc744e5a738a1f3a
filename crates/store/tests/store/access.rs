//! Robots, and how repositories are kept.

use ergon_store::{BuildRow, ImageRow, NewEvent, RobotRow, Store, StoreError};
use serde_json::json;

use crate::database::on_both;

on_both!(
    a_robot_is_kept_with_all_that_is_known_of_it,
    a_robots_name_is_taken_once,
    a_robot_that_is_not_there_is_not_changed,
    a_repository_is_kept_as_its_owner_wants,
    what_builds_gave_a_tag_is_known,
);

fn event() -> NewEvent {
    NewEvent::new("dev.ergon.test", "test", json!({}))
}

fn robot(name: &str) -> RobotRow {
    RobotRow {
        name: name.to_owned(),
        about: "tests".to_owned(),
        secret_hash: "aa".to_owned(),
        secret_at: 1,
        allowances: json!(["team/*:pull"]),
        created_at: 1,
        expires_at: None,
        roles: vec!["developer".to_owned()],
        last_used_at: None,
    }
}

async fn add(store: &Store, robot: &RobotRow) -> Result<(), StoreError> {
    let mut change = store.change(event()).await?;
    change.add_robot(robot).await?;
    change.commit().await
}

async fn a_robot_is_kept_with_all_that_is_known_of_it(store: Store) {
    let ends = RobotRow {
        expires_at: Some(99),
        ..robot("ends")
    };
    add(&store, &robot("stays")).await.unwrap();
    add(&store, &ends).await.unwrap();
    assert_eq!(store.robots().await.unwrap(), [ends, robot("stays")]);
    let mut change = store.change(event()).await.unwrap();
    let replaced = change.replace_robot_secret("stays", "bb", 2).await;
    assert!(replaced.unwrap() && change.remove_robot("ends").await.unwrap());
    change.commit().await.unwrap();
    let other = RobotRow {
        secret_hash: "bb".to_owned(),
        secret_at: 2,
        ..robot("stays")
    };
    assert_eq!(store.robots().await.unwrap(), [other]);
}

async fn a_robots_name_is_taken_once(store: Store) {
    add(&store, &robot("ci")).await.unwrap();
    let error = add(&store, &robot("ci")).await.unwrap_err();
    assert!(matches!(error, StoreError::Exists { entity: "robot", name } if name == "ci"));
}

async fn a_robot_that_is_not_there_is_not_changed(store: Store) {
    let mut change = store.change(event()).await.unwrap();
    let replaced = change.replace_robot_secret("ci", "bb", 2).await;
    assert!(!replaced.unwrap() && !change.remove_robot("ci").await.unwrap());
    change.commit().await.unwrap();
}

async fn a_repository_is_kept_as_its_owner_wants(store: Store) {
    let mut change = store.change(event()).await.unwrap();
    for name in ["a", "b"] {
        change.add_repository(name, 1).await.unwrap();
    }
    assert!(!change.has_immutable_tags("a").await.unwrap());
    change.set_immutable_tags("a", true).await.unwrap();
    change.set_anonymous_pull("b", true).await.unwrap();
    assert!(change.has_immutable_tags("a").await.unwrap());
    assert!(!change.has_immutable_tags("nothing").await.unwrap());
    change.commit().await.unwrap();
    let kept = store.repositories("", 10).await.unwrap();
    let kept: Vec<_> = kept
        .iter()
        .map(|row| (row.name.as_str(), row.anonymous_pull, row.immutable_tags))
        .collect();
    assert_eq!(kept, [("a", false, true), ("b", true, false)]);
}

async fn what_builds_gave_a_tag_is_known(store: Store) {
    let build = BuildRow {
        build_hash: "sha256:0123".to_owned(),
        project_id: None,
        job_id: None,
        state: "succeeded".to_owned(),
        manifest_digest: "sha256:aaaa".to_owned(),
        source_digest: "sha256:bbbb".to_owned(),
        record: None,
        cached: false,
        started_at: 1,
        finished_at: Some(2),
    };
    let image = ImageRow {
        digest: "sha256:cccc".to_owned(),
        container: "web".to_owned(),
        size: 7,
        tags: vec!["web:0123".to_owned()],
    };
    let mut change = store.change(event()).await.unwrap();
    change.put_build(&build, &[image]).await.unwrap();
    assert_eq!(change.built_as("web:0123").await.unwrap(), ["sha256:cccc"]);
    assert!(change.built_as("web:012").await.unwrap().is_empty());
    change.commit().await.unwrap();
}
