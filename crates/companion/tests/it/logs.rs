//! Logs of real containers, followed while they are written.

use std::collections::BTreeMap;
use std::time::Duration;

use ergon_companion::dialogue::answer;
use ergon_companion::observation::{LogDigest, LogLevel, LogTemplate, Observation, StackTrace};
use ergon_companion::{COMPANION_LABEL, Subject, WatchOptions, Watcher};
use ergon_engine::ContainerSpec;
use ergon_engine::testing::{TestContainer, busybox, engine, shell};
use tokio::time::timeout;

use crate::fixtures;

fn spec(line: &str) -> ContainerSpec {
    ContainerSpec {
        cmd: shell(line),
        labels: BTreeMap::from([(COMPANION_LABEL.to_owned(), "test-ci".to_owned())]),
        env: BTreeMap::from([("DB_PASSWORD".to_owned(), "hunter2-hunter2".to_owned())]),
        ..ContainerSpec::default()
    }
}

/// Looks until the follower has read so many lines.
async fn digest(watcher: &Watcher, id: &str, lines: u64) -> LogDigest {
    let subject = Subject {
        companion: "test-ci".to_owned(),
        container_id: id.to_owned(),
        ..Subject::default()
    };
    let looking = async {
        loop {
            let observation = watcher.observe(&subject).await;
            match observation.log_digest {
                Some(digest) if digest.lines >= lines => return digest,
                _ => {}
            }
        }
    };
    timeout(Duration::from_secs(20), looking)
        .await
        .expect("the log is followed")
}

#[tokio::test]
async fn a_log_is_followed_cleaned_and_sorted_and_its_successor_is_compared_with_it() {
    let engine = engine().await;
    let (watcher, _changes) = Watcher::start(engine.clone(), WatchOptions::default());
    let script = "for n in 1 2 3 4 5 6 7 8; do echo \"order $n paid in ${n}ms\"; done
        echo 'connecting with hunter2-hunter2 and token=abcdef123' >&2
        printf 'Traceback (most recent call last):\\n  File \"/app/main.py\", line 9, in load\\n    x\\nValueError: no\\n' >&2
        sleep 600";
    let first = TestContainer::create(&engine, "log", spec(script)).await;
    engine.start(&first.id).await.expect("started");
    let digest_of_first = digest(&watcher, &first.id, 10).await;
    let told: Vec<(&str, LogLevel, u64)> = digest_of_first
        .templates
        .iter()
        .map(|template| (template.pattern.as_str(), template.level, template.count))
        .collect();
    assert_eq!(
        told,
        [
            ("ValueError: no", LogLevel::Error, 1),
            ("order <num> paid in <num>", LogLevel::Unknown, 8),
            ("connecting with ••• and token=•••", LogLevel::Unknown, 1),
        ]
    );
    let [trace] = &digest_of_first.traces[..] else {
        panic!("{:?}", digest_of_first.traces)
    };
    assert_eq!(trace.place.as_deref(), Some("/app/main.py:9 in load"));
    assert_eq!(trace.text.lines().count(), 4);

    // Started again, it goes on where it was and counts nothing twice.
    engine
        .restart(&first.id, Duration::ZERO)
        .await
        .expect("restarted");
    let again = digest(&watcher, &first.id, 20).await;
    assert_eq!((again.lines, again.errors), (20, 2));

    // Another container of its name is a deployment.
    engine.remove(&first.id, true, true).await.expect("removed");
    let image = busybox(&engine).await.to_owned();
    let id = engine
        .create_container(&ContainerSpec {
            name: first.name.clone(),
            image,
            ..spec("echo order 9 paid in 3ms; echo 'ERROR: no such column'; sleep 600")
        })
        .await
        .expect("created");
    let second = TestContainer {
        id,
        name: first.name.clone(),
    };
    engine.start(&second.id).await.expect("started");
    let digest_of_second = digest(&watcher, &second.id, 2).await;
    let new: Vec<&str> = digest_of_second
        .new_templates()
        .map(|template| template.pattern.as_str())
        .collect();
    assert_eq!(new, ["ERROR: no such column"]);
    assert!(digest_of_second.compared_with.is_some());
}

#[test]
fn errors_and_news_are_told_by_kind_with_evidence() {
    let mut observation = fixtures::healthy();
    let at = fixtures::ago;
    let template = |pattern: &str, sample: &str, level, count| LogTemplate {
        pattern: pattern.to_owned(),
        sample: sample.to_owned(),
        level,
        count,
        first: at(200),
        last: at(3),
        per_minute: count * 20,
        per_minute_before: Some(0),
        ..LogTemplate::default()
    };
    let digest = LogDigest {
        since: Some(at(600)),
        until: Some(at(1)),
        compared_with: Some(at(600)),
        lines: 1204,
        errors: 15,
        warnings: 1,
        templates: vec![
            LogTemplate {
                is_new: true,
                ..template(
                    "ValueError: bad item <num>",
                    "ValueError: bad item 17",
                    LogLevel::Error,
                    14,
                )
            },
            template(
                "GET 500 /pay",
                "\"GET /pay HTTP/1.1\" 500",
                LogLevel::Error,
                1,
            ),
            LogTemplate {
                per_minute_before: Some(2_000),
                ..template("retry <num> of <num>", "retry 2 of 3", LogLevel::Info, 500)
            },
        ],
        traces: vec![StackTrace {
            error: "ValueError".to_owned(),
            message: "bad item 17".to_owned(),
            place: Some("/app/main.py:9 in load".to_owned()),
            ..StackTrace::default()
        }],
        ..LogDigest::default()
    };
    observation.log_digest = Some(digest);
    let told = |question: &str, observation: &Observation| {
        let reply = answer(question, observation);
        let evidence: Vec<String> = reply
            .evidence
            .iter()
            .map(|one| format!("  [{}] {}", one.number, one.text))
            .collect();
        format!("{}\n{}", reply.content, evidence.join("\n"))
    };
    insta::assert_snapshot!(told("any errors?", &observation), @r#"
    15 errors of 2 kinds, 1 kind new since 2026-11-20 13:52:11 UTC, in 1204 lines of log since 2026-11-20 13:52:11 UTC [1]:
      14 × ValueError: bad item <num>, the last 3 s ago, now 2.8 a minute (before: none), at /app/main.py:9 in load [2]
      "GET /pay HTTP/1.1" 500, 3 s ago [3]
      [1] 1204 lines of log read, 15 errors, 1 warning
      [2] ValueError: bad item 17
      [3] "GET /pay HTTP/1.1" 500
    "#);
    insta::assert_snapshot!(told("what is new in the logs?", &observation), @"
    1 kind of line is new since 2026-11-20 13:52:11 UTC [1]:
      14 × ValueError: bad item <num>, the last 3 s ago, now 2.8 a minute (before: none), at /app/main.py:9 in load [2]
    More often than before:
      500 × retry <num> of <num>, the last 3 s ago, now 100 a minute (before: 20 a minute) [3]
      [1] 1204 lines of log read, 15 errors, 1 warning
      [2] ValueError: bad item 17
      [3] retry 2 of 3
    ");
    if let Some(digest) = &mut observation.log_digest {
        digest.compared_with = None;
    }
    insta::assert_snapshot!(answer("what is new in the logs?", &observation).content, @"It is too early to say what is new in my log: I have 1204 lines to go by [1].");
}
