//! The feed of changes, read by cursor and followed live.

use futures_util::StreamExt;
use reqwest::{Response, header};
use serde_json::{Value, json};

use crate::world::World;

/// Reads `data:` lines of events with this name until there are `count`.
pub async fn read_events(response: Response, name: &str, count: usize) -> Vec<(String, Value)> {
    assert_eq!(
        response.headers()[header::CONTENT_TYPE],
        "text/event-stream"
    );
    let mut stream = response.bytes_stream();
    let mut text = String::new();
    loop {
        let found: Vec<(String, Value)> = text
            .split_inclusive("\n\n")
            .filter(|event| event.ends_with("\n\n"))
            .filter_map(|event| {
                let field = |name: &str| {
                    event
                        .lines()
                        .find_map(|line| line.strip_prefix(name))
                        .map(str::trim)
                };
                let data = (field("event:")? == name).then(|| field("data:"))??;
                Some((
                    field("id:").unwrap_or_default().to_owned(),
                    serde_json::from_str(data).unwrap(),
                ))
            })
            .collect();
        if found.len() >= count {
            return found;
        }
        let chunk = tokio::time::timeout(crate::world::PATIENCE, stream.next())
            .await
            .expect("events come in time");
        text.push_str(std::str::from_utf8(&chunk.expect("the stream goes on").unwrap()).unwrap());
    }
}

#[tokio::test]
async fn changes_are_followed_as_they_happen_and_after_a_break() {
    let world = World::new().await;
    let live = world.stream("/api/v1/events", None).await;
    let id = world.project(&world.folder("one", &[])).await;
    let seen = read_events(live, "change", 2).await;
    let kinds = |events: &[(String, Value)]| {
        events
            .iter()
            .map(|(_, event)| event["type"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        kinds(&seen),
        ["dev.ergon.project.added", "dev.ergon.companion.registered"]
    );
    let (cursor, added) = &seen[0];
    assert_eq!(
        (&added["specversion"], &added["subject"], &added["id"]),
        (
            &json!("1.0"),
            &json!(format!("project/{id}")),
            &json!(cursor)
        )
    );

    // What happened while nobody followed comes first.
    world
        .delete(&format!("/api/v1/projects/{id}"))
        .await
        .success();
    let rest = read_events(
        world.stream("/api/v1/events", Some(cursor)).await,
        "change",
        3,
    )
    .await;
    assert_eq!(
        kinds(&rest),
        [
            "dev.ergon.companion.registered",
            "dev.ergon.project.removed",
            "dev.ergon.companion.left"
        ]
    );
    let by_query = read_events(
        world
            .stream(&format!("/api/v1/events?after={cursor}"), None)
            .await,
        "change",
        3,
    )
    .await;
    assert_eq!(by_query, rest);

    let list = world.get("/api/v1/events").await;
    let newest_first: Vec<u64> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["id"].as_str().unwrap().parse().unwrap())
        .collect();
    assert!(newest_first.is_sorted_by(|a, b| a > b), "{newest_first:?}");
    let after = world.get(&format!("/api/v1/events?after={cursor}")).await;
    assert_eq!(after["items"].as_array().unwrap().len(), 3);
    world.end().await;
}

#[tokio::test]
async fn a_stream_ends_with_the_stack() {
    let world = World::new().await;
    let response = world.stream("/api/v1/events", None).await;
    let begun = std::time::Instant::now();
    world.end().await;
    let rest = response.bytes().await;
    assert!(rest.is_ok(), "the stream is ended, not cut off: {rest:?}");
    assert!(begun.elapsed() < std::time::Duration::from_secs(5));
}

#[tokio::test]
async fn whoever_fell_behind_is_told_where_to_begin() {
    let folder = tempfile::tempdir().unwrap();
    let config = ergon_server::Config {
        keep_events: ergon_server::KeepEvents {
            most: 5,
            age: std::time::Duration::from_hours(1),
        },
        ..crate::world::config(folder.path())
    };
    let world = World::with(folder, config).await;
    for number in 0..20 {
        let record = json!({ "name": format!("ci-{number}"), "type": "external", "port": 9 });
        world.post("/api/registry/register", record).await.success();
    }
    let newest = |list: &Value| {
        list["items"][0]["id"]
            .as_str()
            .unwrap()
            .parse::<u64>()
            .unwrap()
    };
    // Nobody is told of what is forgotten.
    let few = async {
        loop {
            let list = world.get("/api/v1/events").await;
            if list["items"].as_array().unwrap().len() == 5 {
                return list;
            }
        }
    };
    let list = tokio::time::timeout(crate::world::PATIENCE, few)
        .await
        .unwrap();
    for path in ["/api/v1/events", "/api/registry/watch"] {
        let gone = world.stream(&format!("{path}?after=1"), None).await;
        let begin = gone.headers()["ergon-begin-after"]
            .to_str()
            .unwrap()
            .to_owned();
        let problem = crate::world::read_response(gone).await.problem(410);
        assert!(
            problem["remedy"].as_str().unwrap().contains(&begin),
            "{problem:#}"
        );
        let gone = world.stream(path, Some("1")).await;
        crate::world::read_response(gone).await.problem(410);
        // Where one is told to begin, one may.
        let rest = world.stream(&format!("{path}?after={begin}"), None).await;
        let first = read_events(rest, "change", 1).await;
        assert_eq!(
            first[0].0.parse::<u64>().unwrap(),
            begin.parse::<u64>().unwrap() + 1
        );
    }
    let after = newest(&list);
    assert_eq!(
        world
            .stream(&format!("/api/v1/events?after={after}"), None)
            .await
            .status(),
        200
    );
    world.end().await;
}
