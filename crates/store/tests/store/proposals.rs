//! Proposals: one decision counts, and one beginning.

use ergon_store::{NewEvent, ProposalRow, Store};
use serde_json::json;

use crate::database::on_both;

on_both!(
    one_of_two_decisions_counts_and_one_beginning,
    another_content_or_a_time_that_is_over_is_not_decided_over,
    the_same_is_found_until_it_is_over,
);

fn event() -> NewEvent {
    NewEvent::new("dev.ergon.test", "test", json!({}))
}

fn row(code: &str) -> ProposalRow {
    ProposalRow {
        code: code.to_owned(),
        container_id: "c1".to_owned(),
        container: "web".to_owned(),
        origin: "companion".to_owned(),
        action: "start".to_owned(),
        same: format!("same-{code}"),
        digest: format!("digest-{code}"),
        content: json!({"a": [1, "é"]}),
        state: "open".to_owned(),
        created_at: 10,
        expires_at: 100,
        decided_by: None,
        decided_at: None,
        begun_at: None,
        ended_at: None,
        outcome: None,
    }
}

async fn add(store: &Store, row: &ProposalRow) {
    let mut change = store.change(event()).await.unwrap();
    change.add_proposal(row).await.unwrap();
    change.commit().await.unwrap();
}

/// Decides as the server does: what does not count is not kept.
async fn decide(store: &Store, code: &str, digest: &str, by: &str, now: i64) -> bool {
    let mut change = store.change(event()).await.unwrap();
    let decided = change.decide_proposal(code, digest, "approved", by, now);
    let decided = decided.await.unwrap();
    if decided {
        change.commit().await.unwrap();
    }
    decided
}

async fn one_of_two_decisions_counts_and_one_beginning(store: Store) {
    let kept = row("7Q2");
    add(&store, &kept).await;
    assert_eq!(store.proposal("7Q2").await.unwrap(), Some(kept));
    let (first, second) = tokio::join!(
        decide(&store, "7Q2", "digest-7Q2", "ann", 20),
        decide(&store, "7Q2", "digest-7Q2", "bob", 20)
    );
    assert!(first ^ second, "exactly one of them counts");
    let decided = store.proposal("7Q2").await.unwrap().unwrap();
    let by = if first { "ann" } else { "bob" };
    assert_eq!(
        (decided.state.as_str(), decided.decided_by.as_deref()),
        ("approved", Some(by))
    );

    let begin = async || {
        let mut change = store.change(event()).await.unwrap();
        let begun = change.begin_proposal("7Q2", 30).await.unwrap();
        change.commit().await.unwrap();
        begun
    };
    assert_eq!((begin().await, begin().await), (true, false));
    let mut change = store.change(event()).await.unwrap();
    let wrong = change
        .end_proposal("7Q2", "approved", "done", "well", 40)
        .await;
    assert!(!wrong.unwrap(), "it is running");
    let ended = change
        .end_proposal("7Q2", "running", "done", "well", 40)
        .await;
    assert!(ended.unwrap());
    change.commit().await.unwrap();
    assert!(store.unfinished_proposals().await.unwrap().is_empty());
    let ended = store.proposals_of("c1").await.unwrap().remove(0);
    assert_eq!((ended.begun_at, ended.ended_at), (Some(30), Some(40)));
    assert_eq!(ended.outcome.as_deref(), Some("well"));
}

async fn another_content_or_a_time_that_is_over_is_not_decided_over(store: Store) {
    add(&store, &row("7Q2")).await;
    assert!(!decide(&store, "7Q2", "digest-other", "ann", 20).await);
    assert!(
        !decide(&store, "7Q2", "digest-7Q2", "ann", 100).await,
        "it is over"
    );
    assert!(!decide(&store, "XXX", "digest-7Q2", "ann", 20).await);
    assert!(decide(&store, "7Q2", "digest-7Q2", "ann", 99).await);
    assert!(
        !decide(&store, "7Q2", "digest-7Q2", "ann", 99).await,
        "once"
    );
}

async fn the_same_is_found_until_it_is_over(store: Store) {
    add(&store, &row("7Q2")).await;
    let mut change = store.change(event()).await.unwrap();
    let mut found = async |same: &str, now: i64| {
        let row = change.open_proposal(same, now).await.unwrap();
        row.map(|row| row.code)
    };
    assert_eq!(found("same-7Q2", 20).await.as_deref(), Some("7Q2"));
    assert_eq!(found("same-7Q2", 100).await, None);
    assert_eq!(found("other", 20).await, None);
    drop(change);

    // Approved meanwhile, by a guard-rail say: whoever looked at the same time makes no second one.
    assert!(decide(&store, "7Q2", "digest-7Q2", "ann", 20).await);
    let mut change = store.change(event()).await.unwrap();
    let approved = change.open_proposal("same-7Q2", 200).await.unwrap();
    assert_eq!(approved.unwrap().state, "approved");
    assert!(change.begin_proposal("7Q2", 30).await.unwrap());
    let running = change.open_proposal("same-7Q2", 200).await.unwrap();
    assert_eq!(running.unwrap().state, "running");
    let ended = change.end_proposal("7Q2", "running", "done", "well", 40);
    assert!(ended.await.unwrap());
    let over = change.open_proposal("same-7Q2", 20).await.unwrap();
    assert_eq!(over, None, "what was done may be proposed again");
    change.commit().await.unwrap();
}
