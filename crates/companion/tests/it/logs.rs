//! Logs of real containers, followed while they are written.

use std::collections::BTreeMap;
use std::time::Duration;

use ergon_companion::observation::{LogDigest, LogLevel};
use ergon_companion::{COMPANION_LABEL, Subject, WatchOptions, Watcher};
use ergon_engine::ContainerSpec;
use ergon_engine::testing::{TestContainer, busybox, engine, shell};
use tokio::time::timeout;

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
