//! What is wasteful, brought about on purpose, and what is said of it to those who ask; and twins that waste nothing.

use std::time::Duration;

use crate::PATIENCE;
use crate::lab::Lab;

/// Asks until it is told, with its evidence; nobody is told of it unasked.
async fn wastes(finding: &str, evidence: &str, arrange: impl FnOnce(&mut Lab)) {
    let mut lab = Lab::new("waste").await;
    arrange(&mut lab);
    let told = async {
        loop {
            let reply = lab.ask("what is wasteful?").await;
            let found = reply.findings.iter().find(|one| one.id == finding);
            let cited = reply
                .evidence
                .iter()
                .filter(|one| found.is_some_and(|found| found.evidence.contains(&one.number)));
            if cited.into_iter().any(|one| one.text.contains(evidence)) {
                return;
            }
            // tidy(sleep-in-test): figures come in time, and nothing tells of them
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    };
    let told = tokio::time::timeout(PATIENCE, told).await;
    assert!(
        told.is_ok(),
        "{finding} ({evidence}): {:#?}",
        lab.ask("what is wasteful?").await
    );
    let unasked = lab.diagnose().await.findings;
    assert!(unasked.iter().all(|one| one.id != finding), "{unasked:#?}");
}

/// Whoever wastes nothing says so, once it is known what runs there.
async fn wastes_nothing(arrange: impl FnOnce(&mut Lab)) {
    let mut lab = Lab::new("thrifty").await;
    arrange(&mut lab);
    lab.until_started().await;
    let reply = lab.ask("what is wasteful?").await;
    assert!(reply.findings.is_empty(), "{reply:#?}");
    assert!(
        reply.content.contains("nothing wasteful"),
        "{}",
        reply.content
    );
}

const LIMITED: [&str; 2] = ["--memory", "256m"];
const APPLICATION: &str = "def app(environ, start):\n start(\"200 OK\", [])\n return [b\"x\"]\n";

fn gunicorn(workers: u32) -> String {
    format!(
        "cd /tmp && printf '{APPLICATION}' > app.py && exec gunicorn -w {workers} -b 0.0.0.0:8000 app:app"
    )
}

#[tokio::test]
async fn more_workers_than_processors_can_serve() {
    let limits = [&LIMITED[..], &["--cpus", "1"]].concat();
    wastes("workers.many", "has 12 worker processes", |lab| {
        lab.subject(&limits, &gunicorn(12));
    })
    .await;
}

#[tokio::test]
#[ignore = "one of many: `make test-all`"]
async fn as_many_workers_as_processors_can_serve() {
    let limits = [&LIMITED[..], &["--cpus", "1"]].concat();
    wastes_nothing(|lab| lab.subject(&limits, &gunicorn(3))).await;
}

#[tokio::test]
#[ignore = "one of many: `make test-all`"]
async fn a_cache_that_is_told_it_may_have_more_than_there_is() {
    wastes("cache.too_large", "--maxmemory 1gb", |lab| {
        lab.subject(&LIMITED, "exec redis-server --maxmemory 1gb");
    })
    .await;
}

#[tokio::test]
#[ignore = "one of many: `make test-all`"]
async fn a_cache_that_fits() {
    wastes_nothing(|lab| lab.subject(&LIMITED, "exec redis-server --maxmemory 128mb")).await;
}

#[tokio::test]
#[ignore = "one of many: `make test-all`"]
async fn shared_memory_that_is_soon_full() {
    let line = "dd if=/dev/zero of=/dev/shm/x bs=1M count=52 2>/dev/null; sleep 600";
    wastes("shm.tight", "/dev/shm (tmpfs)", |lab| {
        lab.subject(&LIMITED, line);
    })
    .await;
}

#[tokio::test]
#[ignore = "one of many: `make test-all`"]
async fn shared_memory_that_is_hardly_used() {
    let line = "dd if=/dev/zero of=/dev/shm/x bs=1M count=8 2>/dev/null; sleep 600";
    wastes_nothing(|lab| lab.subject(&LIMITED, line)).await;
}

#[tokio::test]
#[ignore = "one of many: `make test-all`"]
async fn a_log_that_says_one_and_the_same_again_and_again() {
    let line = "while :; do echo \"GET /health 200 in $RANDOM ms\"; sleep 0.02; done";
    wastes("log.one_pattern", "of 2", |lab| lab.subject(&LIMITED, line)).await;
}

#[tokio::test]
#[ignore = "one of many: `make test-all`"]
async fn a_log_that_says_what_it_does_now_and_then() {
    let line = "for n in 1 2 3; do echo \"started part $n\"; sleep 0.2; done; sleep 600";
    wastes_nothing(|lab| lab.subject(&LIMITED, line)).await;
}

#[tokio::test]
#[ignore = "one of many: `make test-all`"]
async fn nobody_set_a_limit() {
    wastes("memory.unlimited", "no memory limit", |lab| {
        lab.subject(&[], "sleep 600");
    })
    .await;
}
