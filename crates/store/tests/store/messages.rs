//! Exchanges, messages that wait, inboxes: their order and their bounds.

use ergon_store::{
    ExchangeFilter, ExchangeRow, ForwardRow, InboxRow, NewEvent, PurposeRow, Store, WaitingAmount,
    WaitingRow,
};
use serde_json::json;

use crate::database::on_both;

on_both!(
    exchanges_are_listed_newest_first_and_by_page,
    old_and_too_many_exchanges_are_forgotten,
    messages_wait_in_order_die_once_and_come_back,
    only_the_latest_of_the_dead_are_kept,
    an_inbox_keeps_its_latest_and_knows_what_was_read,
    a_forward_and_a_purpose_are_one_for_each_name,
);

fn event() -> NewEvent {
    NewEvent::new("dev.ergon.test", "test", json!({}))
}

fn exchange(id: &str, recipient: &str, began_at: i64) -> ExchangeRow {
    ExchangeRow {
        id: id.to_owned(),
        sender: "alice".to_owned(),
        principal: "owner".to_owned(),
        recipient: recipient.to_owned(),
        way: "socket".to_owned(),
        outcome: "answered".to_owned(),
        began_at,
        milliseconds: 3,
        bytes_sent: 5,
        bytes_received: 7,
        ..ExchangeRow::default()
    }
}

async fn keep(store: &Store, rows: &[ExchangeRow]) {
    let mut change = store.change(event()).await.unwrap();
    for row in rows {
        change.add_exchange(row).await.unwrap();
    }
    change.commit().await.unwrap();
}

async fn listed(store: &Store, filter: ExchangeFilter, limit: i64) -> Vec<(String, i64)> {
    let rows = store.exchanges(&filter, limit).await.unwrap();
    rows.into_iter().map(|row| (row.id, row.number)).collect()
}

fn named(listed: &[(String, i64)]) -> Vec<&str> {
    listed.iter().map(|(id, _)| id.as_str()).collect()
}

async fn exchanges_are_listed_newest_first_and_by_page(store: Store) {
    let with_words = ExchangeRow {
        outcome: "away".to_owned(),
        reason: Some("gone".to_owned()),
        team: Some("team".to_owned()),
        message: Some("é".to_owned()),
        answer: Some("ü".to_owned()),
        ..exchange("d", "Db-CI", 4)
    };
    let rows = [
        exchange("a", "web-ci", 1),
        exchange("b", "WEB-ci", 2),
        exchange("c", "db-ci", 3),
        with_words.clone(),
    ];
    keep(&store, &rows).await;
    let page = listed(&store, ExchangeFilter::default(), 3).await;
    assert_eq!(named(&page), ["d", "c", "b"]);
    let rest = ExchangeFilter {
        before: page.last().map(|(_, number)| *number),
        ..ExchangeFilter::default()
    };
    assert_eq!(named(&listed(&store, rest, 3).await), ["a"]);
    for (filter, expected) in [
        (
            ExchangeFilter {
                recipient: Some("Web-Ci".to_owned()),
                ..ExchangeFilter::default()
            },
            &["b", "a"][..],
        ),
        (
            ExchangeFilter {
                outcome: Some("away".to_owned()),
                ..ExchangeFilter::default()
            },
            &["d"],
        ),
        (
            ExchangeFilter {
                sender: Some("bob".to_owned()),
                ..ExchangeFilter::default()
            },
            &[],
        ),
    ] {
        assert_eq!(named(&listed(&store, filter, 9).await), expected);
    }
    let found = store.exchange("d").await.unwrap().unwrap();
    assert_eq!(
        found,
        ExchangeRow {
            number: found.number,
            ..with_words
        }
    );
    assert_eq!(store.exchange("x").await.unwrap(), None);
}

async fn old_and_too_many_exchanges_are_forgotten(store: Store) {
    let rows: Vec<ExchangeRow> = (0..6)
        .map(|number| exchange(&number.to_string(), "ci", 10 * number))
        .collect();
    keep(&store, &rows).await;
    let mut change = store.change(event()).await.unwrap();
    change.trim_exchanges(4, 30).await.unwrap();
    change.commit().await.unwrap();
    let left = listed(&store, ExchangeFilter::default(), 9).await;
    assert_eq!(named(&left), ["5", "4", "3"]);
    let mut change = store.change(event()).await.unwrap();
    change.trim_exchanges(2, 0).await.unwrap();
    change.commit().await.unwrap();
    let left = listed(&store, ExchangeFilter::default(), 9).await;
    assert_eq!(named(&left), ["5", "4"]);
}

fn waiting(id: &str, recipient: &str) -> WaitingRow {
    WaitingRow {
        id: id.to_owned(),
        sender: "alice".to_owned(),
        principal: "owner".to_owned(),
        recipient: recipient.to_owned(),
        content: "héllo".to_owned(),
        state: "waiting".to_owned(),
        created_at: 1,
        expires_at: 100,
        reason: Some("nobody there".to_owned()),
        ..WaitingRow::default()
    }
}

async fn wait(store: &Store, rows: &[WaitingRow]) {
    let mut change = store.change(event()).await.unwrap();
    for row in rows {
        change.add_waiting(row).await.unwrap();
    }
    change.commit().await.unwrap();
}

async fn first(store: &Store, recipient: &str) -> Option<String> {
    store
        .first_waiting(recipient)
        .await
        .unwrap()
        .map(|row| row.id)
}

async fn messages_wait_in_order_die_once_and_come_back(store: Store) {
    wait(
        &store,
        &[
            waiting("a", "Web-CI"),
            waiting("b", "web-ci"),
            waiting("c", "db-ci"),
        ],
    )
    .await;
    let mut waited_for = store.waited_for().await.unwrap();
    waited_for.sort();
    assert_eq!(waited_for, ["db-ci", "web-ci"]);
    assert_eq!(first(&store, "WEB-CI").await.as_deref(), Some("a"));

    let mut change = store.change(event()).await.unwrap();
    let amount = |messages, bytes| WaitingAmount { messages, bytes };
    let amounts = change.waiting_amounts("Web-ci").await.unwrap();
    assert_eq!(amounts, (amount(2, 12), amount(3, 18)));
    change.waiting_tried("a", "still nobody").await.unwrap();
    assert!(change.bury_waiting("a", "too old", 50).await.unwrap());
    assert!(!change.bury_waiting("a", "again", 60).await.unwrap());
    change.commit().await.unwrap();

    let dead = store.waiting_message("a").await.unwrap().unwrap();
    assert_eq!(
        (
            dead.state.as_str(),
            dead.tries,
            dead.reason.as_deref(),
            dead.died_at
        ),
        ("dead", 1, Some("too old"), Some(50))
    );
    assert_eq!(first(&store, "web-ci").await.as_deref(), Some("b"));

    let mut change = store.change(event()).await.unwrap();
    assert!(change.revive_waiting("a", 500).await.unwrap());
    assert!(
        !change.revive_waiting("b", 500).await.unwrap(),
        "it was never dead"
    );
    change.commit().await.unwrap();
    assert_eq!(
        first(&store, "web-ci").await.as_deref(),
        Some("b"),
        "it is the last in the line now"
    );

    let mut change = store.change(event()).await.unwrap();
    assert!(change.remove_waiting("b").await.unwrap());
    assert!(!change.remove_waiting("b").await.unwrap());
    change.commit().await.unwrap();
    let revived = store.first_waiting("web-ci").await.unwrap().unwrap();
    assert_eq!(
        (revived.id.as_str(), revived.expires_at, revived.died_at),
        ("a", 500, None)
    );
}

async fn only_the_latest_of_the_dead_are_kept(store: Store) {
    let rows: Vec<WaitingRow> = (0..5)
        .map(|number| waiting(&number.to_string(), "ci"))
        .collect();
    wait(&store, &rows).await;
    let mut change = store.change(event()).await.unwrap();
    for (id, died_at) in [("0", 10), ("1", 40), ("2", 30), ("3", 20)] {
        change.bury_waiting(id, "gone", died_at).await.unwrap();
    }
    change.trim_dead(2, 15).await.unwrap();
    change.commit().await.unwrap();
    let dead = store.waiting_messages("dead").await.unwrap();
    assert_eq!(
        dead.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(),
        ["1", "2"]
    );
    assert_eq!(store.waiting_messages("waiting").await.unwrap().len(), 1);
}

async fn an_inbox_keeps_its_latest_and_knows_what_was_read(store: Store) {
    let put = async |id: &str, terminal: &str| {
        let row = InboxRow {
            id: id.to_owned(),
            terminal: terminal.to_owned(),
            sender: "web-ci".to_owned(),
            meant_for: Some("db-ci".to_owned()),
            content: "x".to_owned(),
            created_at: 1,
            ..InboxRow::default()
        };
        let mut change = store.change(event()).await.unwrap();
        change.add_to_inbox(&row, 3).await.unwrap();
        change.commit().await.unwrap();
    };
    for id in ["a", "b", "c", "d"] {
        put(id, "Desk").await;
    }
    put("e", "sofa").await;
    let inbox = store.inbox("desk").await.unwrap();
    assert_eq!(
        inbox.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(),
        ["b", "c", "d"]
    );
    assert_eq!(store.inbox_count("DESK").await.unwrap(), (3, 3));

    let mut change = store.change(event()).await.unwrap();
    change.read_inbox("desk", inbox[1].number, 9).await.unwrap();
    change.commit().await.unwrap();
    assert_eq!(store.inbox_count("desk").await.unwrap(), (1, 3));
    let mut change = store.change(event()).await.unwrap();
    assert_eq!(change.clear_inbox("desk", false).await.unwrap(), 2);
    assert_eq!(change.clear_inbox("desk", true).await.unwrap(), 1);
    change.commit().await.unwrap();
    assert_eq!(store.inbox_count("desk").await.unwrap(), (0, 0));
    assert_eq!(store.inbox_count("sofa").await.unwrap(), (1, 1));
}

async fn a_forward_and_a_purpose_are_one_for_each_name(store: Store) {
    let forward = |companion: &str, terminal: &str| ForwardRow {
        companion: companion.to_owned(),
        terminal: terminal.to_owned(),
        created_by: "owner".to_owned(),
        created_at: 1,
    };
    let purpose = |text: &str| PurposeRow {
        purpose: text.to_owned(),
        said_by: "owner".to_owned(),
        said_at: 1,
    };
    let mut change = store.change(event()).await.unwrap();
    change
        .put_forward(&forward("web-ci", "desk"))
        .await
        .unwrap();
    change
        .put_forward(&forward("WEB-ci", "sofa"))
        .await
        .unwrap();
    change.put_purpose("web-ci", &purpose("a")).await.unwrap();
    change.put_purpose("WEB-CI", &purpose("b")).await.unwrap();
    change.commit().await.unwrap();
    assert_eq!(store.forwards().await.unwrap(), [forward("WEB-ci", "sofa")]);
    assert_eq!(
        store.forward("Web-Ci").await.unwrap(),
        Some(forward("WEB-ci", "sofa"))
    );
    let known = store.purposes().await.unwrap();
    assert_eq!(known, [("web-ci".to_owned(), purpose("b"))]);

    let mut change = store.change(event()).await.unwrap();
    assert!(change.remove_forward("web-ci").await.unwrap());
    assert!(!change.remove_forward("web-ci").await.unwrap());
    change.put_purpose("web-ci", &purpose("")).await.unwrap();
    change.commit().await.unwrap();
    assert_eq!(store.forward("web-ci").await.unwrap(), None);
    assert_eq!(store.purposes().await.unwrap(), []);
}
