//! What a companion says of changes, of its neighbours, and of what to do.

use ergon_companion::dialogue::answer;
use ergon_companion::observation::{
    ChangedFile, Connection, ConnectionState, Drift, Neighbour, Observation,
};
use insta::assert_snapshot;

use crate::fixtures::{ago, healthy};

fn said(question: &str, observation: &Observation) -> String {
    answer(question, observation).content
}

fn address(text: &str) -> std::net::IpAddr {
    text.parse().expect("an address")
}

/// A server that asks a database, is asked by a proxy, and was changed by hand.
fn among_others() -> Observation {
    let mut observation = healthy();
    let connection = |local, remote: (&str, u16)| Connection {
        local: (address("172.17.0.2"), local),
        remote: (address(remote.0), remote.1),
        state: ConnectionState::Established,
        send_queue: 0,
        receive_queue: 0,
        pid: Some(4242),
    };
    observation.signals.connections = vec![
        connection(40000, ("172.17.0.3", 5432)),
        connection(40001, ("172.17.0.3", 5432)),
        connection(8000, ("172.17.0.4", 50000)),
        connection(40002, ("203.0.113.7", 443)),
    ];
    let neighbour = |name: &str, at: &str, running| Neighbour {
        name: name.to_owned(),
        names: vec![name.to_owned()],
        addresses: vec![address(at)],
        running,
        stopped_at: (!running).then(|| ago(60)),
        ..Neighbour::default()
    };
    observation.neighbours = vec![
        neighbour("db", "172.17.0.3", true),
        neighbour("proxy", "172.17.0.4", true),
        neighbour("worker", "172.17.0.5", false),
    ];
    let file = |path: &str| ChangedFile {
        path: path.to_owned(),
        removed: false,
    };
    observation.drift = Some(Drift {
        folder: "/var/lib/docker/overlay2/x/diff".to_owned(),
        files: vec![file("/app/main.py"), file("/app/visits.db")],
        is_cut: false,
    });
    observation
}

#[test]
fn whom_it_needs_and_who_needs_it_is_read_from_its_connections() {
    let observation = among_others();
    assert_snapshot!(said("who depends on you?", &observation), @"
    I am connected to 203.0.113.7 (port 443), 1 connection; db (port 5432), 2 connections [1].
    My environment names db:5432 [2].
    Connected to me: proxy (at my port 8000), 1 connection [1].
    On my networks worker does not run [3].
    ");
    let mut long_ago = among_others();
    long_ago.neighbours[2].stopped_at = Some(ago(8 * 3600));
    assert!(!said("who depends on you?", &long_ago).contains("worker"));
    let mut alone = healthy();
    alone.signals.connections.clear();
    assert_snapshot!(said("whom do you talk to", &alone), @"
    I am connected to nobody just now [1].
    My environment names db:5432 [2].
    Nobody is connected to me just now.
    ");
}

#[test]
fn credentials_that_stand_beside_a_name_are_not_told() {
    let observation = among_others();
    for question in [
        "who depends on you?",
        "dependencies",
        "what changed?",
        "has anything drifted?",
    ] {
        assert!(
            !said(question, &observation).contains("geheim99"),
            "{question}"
        );
    }
}

#[test]
fn what_was_changed_by_hand_is_told() {
    let observation = among_others();
    assert_snapshot!(said("what changed?", &observation), @"
    What I know of changes:
    - 2 files differ from my image: /app/main.py, /app/visits.db [1].
    ");
    assert_snapshot!(said("are you what you were meant to be?", &observation), @"
    I am not quite what I was meant to be:
    - 2 files differ from my image: /app/main.py, /app/visits.db [1].
    ");
    assert_snapshot!(said("has it drifted?", &healthy()), @"I am what I was meant to be: image, ports, user and environment [1][2].");
}

#[test]
fn advice_is_what_mends_the_findings() {
    assert_snapshot!(said("what should I do?", &healthy()), @"Nothing: I see nothing wrong.");
    let mut observation = healthy();
    observation.listeners = Some(Vec::new());
    observation.time += jiff::SignedDuration::from_secs(60);
    assert_snapshot!(said("how do I fix it?", &observation), @"Nothing listens on port 8000, which the manifest says is mine [1][2]. Make the program listen on that port, or correct `ports` in ergon.json.");
}
