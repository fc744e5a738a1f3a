use ergon_server::api::{AuditReport, Authority, GuardRail, Repository, Robot, Session};

use crate::doctor::facts::{Disk, EngineSocket, Facts, File, Process, Unknown};
use crate::doctor::{Diagnosis, Level, diagnose};

const NOW: i64 = 1_800_000_000;
const DAY: i64 = 24 * 60 * 60;

/// An installation with which nothing is wrong.
fn good() -> Facts {
    Facts {
        data: "/data".into(),
        now: NOW,
        files: vec![
            file("/data", 0o700, false),
            file("/data/token", 0o600, true),
        ],
        token_made: Ok(NOW - DAY),
        newest: NOW,
        clock_is_kept: Ok(true),
        disk: Ok(Disk {
            free: 50 << 30,
            size: 100 << 30,
        }),
        engine_socket: Ok(EngineSocket {
            path: "/var/run/docker.sock".into(),
            mode: 0o660,
            group: "docker".to_owned(),
            members: Vec::new(),
        }),
        process: Ok(Process {
            pid: 7,
            user: 1000,
            listens: Ok(vec!["127.0.0.1:7411".parse().unwrap()]),
            has_memory_limit: Ok(true),
            has_process_limit: Ok(true),
            secret_variables: Ok(Vec::new()),
        }),
        endpoint: Ok("http://127.0.0.1:7411".to_owned()),
        audit: Ok(AuditReport {
            good: true,
            entries: 5000,
            first: 0,
            signed: Some(5000),
            problems: Vec::new(),
        }),
        has_checkpoint: true,
        session: Ok(Session {
            principal: "owner".to_owned(),
            roles: Vec::new(),
            stack: "node-stack".to_owned(),
            version: "0.1.0".to_owned(),
            engine: "Docker 28.1.0 (API 1.49)".to_owned(),
            engine_reachable: true,
        }),
        robots: Ok(vec![robot("ci", "team/*:pull,push", true)]),
        guard_rails: Ok(Vec::new()),
        repositories: Ok(Vec::new()),
        companions: Ok(Vec::new()),
        tool_servers: Ok(Vec::new()),
        authority: Ok(Authority {
            trust_domain: "spiffe://bcdf".to_owned(),
            fingerprint: "AB".to_owned(),
            root_expires_at: "2036-01-01T00:00:00Z".to_owned(),
            issuing_expires_at: "2027-12-01T00:00:00Z".to_owned(),
            has_root_key: true,
        }),
    }
}

fn file(path: &str, mode: u32, is_key: bool) -> File {
    File {
        path: path.into(),
        mode,
        owner: 1000,
        is_key,
    }
}

fn robot(name: &str, allow: &str, ends: bool) -> Robot {
    Robot {
        name: name.to_owned(),
        about: String::new(),
        allow: vec![allow.to_owned()],
        roles: Vec::new(),
        last_used_at: None,
        created_at: "2026-01-01T00:00:00Z".to_owned(),
        secret_at: "2026-01-01T00:00:00Z".to_owned(),
        expires_at: ends.then(|| "2027-06-01T00:00:00Z".to_owned()),
        expired: false,
    }
}

fn process(change: impl FnOnce(&mut Process)) -> Facts {
    let mut facts = good();
    change(facts.process.as_mut().unwrap());
    facts
}

fn with(change: impl FnOnce(&mut Facts)) -> Facts {
    let mut facts = good();
    change(&mut facts);
    facts
}

/// What is wrong, an installation where it is, and what is found there.
type Case = (&'static str, Facts, Vec<(&'static str, Level)>);

/// What was found, in short.
fn found(facts: &Facts) -> Vec<(&'static str, Level)> {
    let diagnosis = diagnose(facts);
    for finding in &diagnosis.findings {
        assert!(!finding.what.is_empty() && !finding.why.is_empty() && !finding.mend.is_empty());
    }
    let found = diagnosis.findings.iter();
    found
        .map(|finding| (finding.check, finding.level))
        .collect()
}

#[test]
fn where_nothing_is_wrong_nothing_is_said() {
    let diagnosis = diagnose(&good());
    assert_eq!(
        diagnosis,
        Diagnosis {
            good: super::ALL.map(|(check, _)| check).to_vec(),
            ..Diagnosis::default()
        }
    );
}

#[test]
fn each_thing_that_is_wrong_is_found_by_its_own_question() {
    use Level::{Unsafe, Unwise};
    let cases: Vec<Case> = vec![
        (
            "the folder is open",
            with(|facts| facts.files[0].mode = 0o755),
            vec![("files", Unsafe)],
        ),
        (
            "a key in a closed folder is open",
            with(|facts| facts.files[1].mode = 0o644),
            vec![("files", Unwise)],
        ),
        (
            "a key in an open folder is open",
            with(|facts| {
                facts.files[0].mode = 0o711;
                facts.files[1].mode = 0o604;
            }),
            vec![("files", Unsafe), ("files", Unsafe)],
        ),
        (
            "a key is somebody else's",
            with(|facts| facts.files[1].owner = 1001),
            vec![("files", Unsafe)],
        ),
        (
            "it listens everywhere",
            process(|process| {
                process.listens = Ok(vec!["0.0.0.0:7411".parse().unwrap()]);
            }),
            vec![("listening", Unsafe)],
        ),
        (
            "it listens everywhere, also on the newer protocol",
            process(|process| {
                process.listens = Ok(vec![
                    "127.0.0.1:1".parse().unwrap(),
                    "[::]:7411".parse().unwrap(),
                ]);
            }),
            vec![("listening", Unsafe)],
        ),
        (
            "the token is old",
            with(|facts| facts.token_made = Ok(NOW - 181 * DAY)),
            vec![("token", Unwise)],
        ),
        (
            "a robot does not end",
            with(|facts| {
                facts.robots = Ok(vec![robot("ci", "team/*:pull", false)]);
            }),
            vec![("robots", Unwise)],
        ),
        (
            "a robot may everything",
            with(|facts| {
                facts.robots = Ok(vec![robot("ci", "*:pull,push", true)]);
            }),
            vec![("robots", Unwise)],
        ),
        (
            "a robot may everything somewhere",
            with(|facts| {
                facts.robots = Ok(vec![robot("ci", "team/*:*", true)]);
            }),
            vec![("robots", Unwise)],
        ),
        (
            "a robot is an owner",
            with(|facts| {
                let mut owner = robot("ci", "team/*:pull", true);
                owner.roles = vec!["owner".to_owned()];
                facts.robots = Ok(vec![owner]);
            }),
            vec![("robots", Unwise)],
        ),
        (
            "something is done unasked",
            with(|facts| {
                facts.guard_rails = Ok(vec![GuardRail {
                    name: "again".to_owned(),
                    action: "restart".to_owned(),
                    container: "web".to_owned(),
                    times: 3,
                    within_seconds: 600,
                    created_by: "owner".to_owned(),
                    created_at: "2026-01-01T00:00:00Z".to_owned(),
                }]);
            }),
            vec![("guard-rails", Unwise)],
        ),
        (
            "anybody may pull",
            with(|facts| {
                facts.repositories = Ok(vec![Repository {
                    name: "base".to_owned(),
                    anonymous_pull: true,
                    immutable_tags: false,
                    created_at: "2026-01-01T00:00:00Z".to_owned(),
                }]);
            }),
            vec![("repositories", Unwise)],
        ),
        (
            "everybody has the engine",
            with(|facts| facts.engine_socket.as_mut().unwrap().mode = 0o666),
            vec![("engine-socket", Unsafe)],
        ),
        (
            "others have the engine",
            with(|facts| {
                facts.engine_socket.as_mut().unwrap().members = vec!["deploy".to_owned()];
            }),
            vec![("engine-socket", Unwise)],
        ),
        (
            "the engine is old",
            with(|facts| {
                facts.session.as_mut().unwrap().engine = "Docker 20.10.24 (API 1.41)".to_owned();
            }),
            vec![("engine-version", Unwise)],
        ),
        (
            "root",
            process(|process| process.user = 0),
            vec![("user", Unwise)],
        ),
        (
            "no limit of memory",
            process(|process| process.has_memory_limit = Ok(false)),
            vec![("limits", Unwise)],
        ),
        (
            "no limit of processes",
            process(|process| process.has_process_limit = Ok(false)),
            vec![("limits", Unwise)],
        ),
        (
            "the disk is full",
            with(|facts| facts.disk.as_mut().unwrap().free = 1 << 30),
            vec![("disk", Unwise)],
        ),
        (
            "the clock was set back",
            with(|facts| facts.newest = NOW + 3600),
            vec![("clock", Unsafe)],
        ),
        (
            "nobody keeps the clock",
            with(|facts| facts.clock_is_kept = Ok(false)),
            vec![("clock", Unwise)],
        ),
        (
            "the log was changed",
            with(|facts| {
                facts.audit.as_mut().unwrap().problems = vec!["entry 7 was changed".to_owned()];
            }),
            vec![("audit", Unsafe)],
        ),
        (
            "no checkpoint elsewhere",
            with(|facts| facts.has_checkpoint = false),
            vec![("audit", Unwise)],
        ),
        (
            "the engine is away",
            with(|facts| facts.session.as_mut().unwrap().engine_reachable = false),
            vec![("parts", Unwise)],
        ),
        (
            "a secret in the environment",
            process(|process| {
                process.secret_variables = Ok(vec!["GITHUB_TOKEN".to_owned()]);
            }),
            vec![("environment", Unwise)],
        ),
        (
            "certificates end soon",
            with(|facts| {
                facts.authority.as_mut().unwrap().issuing_expires_at =
                    "2027-01-20T00:00:00Z".to_owned();
            }),
            vec![("authority", Unwise)],
        ),
    ];
    let mut asked: Vec<&str> = Vec::new();
    for (wrong, facts, expected) in &cases {
        assert_eq!(found(facts), *expected, "{wrong}");
        asked.extend(expected.iter().map(|(check, _)| *check));
    }
    for (check, _) in super::ALL {
        assert!(asked.contains(&check), "nothing is ever found by {check}");
    }
}

#[test]
fn what_only_looks_like_it_is_not_found() {
    for (right, facts) in [
        (
            "tls beyond loopback",
            with(|facts| {
                facts.endpoint = Ok("https://localhost:7411".to_owned());
                facts.process.as_mut().unwrap().listens = Ok(vec!["0.0.0.0:7411".parse().unwrap()]);
            }),
        ),
        (
            "a robot that may look at everything",
            with(|facts| {
                facts.robots = Ok(vec![robot("mirror", "*:pull", true)]);
            }),
        ),
        (
            "a robot that has ended",
            with(|facts| {
                let mut ended = robot("old", "*:*", false);
                ended.expired = true;
                facts.robots = Ok(vec![ended]);
            }),
        ),
        (
            "a small disk with enough on it",
            with(|facts| {
                facts.disk = Ok(Disk {
                    free: 2 << 30,
                    size: 10 << 30,
                });
            }),
        ),
        (
            "a large disk with enough on it",
            with(|facts| {
                facts.disk = Ok(Disk {
                    free: 30 << 30,
                    size: 4000 << 30,
                });
            }),
        ),
        (
            "a group that may nothing",
            with(|facts| {
                let socket = facts.engine_socket.as_mut().unwrap();
                socket.mode = 0o600;
                socket.members = vec!["deploy".to_owned()];
            }),
        ),
        (
            "a log that has just begun",
            with(|facts| {
                facts.has_checkpoint = false;
                facts.audit.as_mut().unwrap().entries = 3;
            }),
        ),
    ] {
        assert_eq!(found(&facts), [], "{right}");
    }
}

#[test]
fn without_a_stack_the_rest_is_still_asked() {
    let away = || Unknown("no stack runs for this data folder".to_owned());
    let facts = Facts {
        process: Err(away()),
        endpoint: Err(away()),
        session: Err(away()),
        robots: Err(away()),
        guard_rails: Err(away()),
        repositories: Err(away()),
        companions: Err(away()),
        tool_servers: Err(away()),
        authority: Err(away()),
        ..with(|facts| facts.files[0].mode = 0o755)
    };
    let diagnosis = diagnose(&facts);
    assert_eq!(found(&facts), [("files", Level::Unsafe)]);
    assert_eq!(
        diagnosis.good,
        ["token", "engine-socket", "disk", "clock", "audit"]
    );
    assert_eq!(diagnosis.unanswered.len(), super::ALL.len() - 6);
}

#[test]
fn the_worst_comes_first() {
    let facts = with(|facts| {
        facts.token_made = Ok(0);
        facts.engine_socket.as_mut().unwrap().mode = 0o666;
    });
    assert_eq!(
        found(&facts),
        [("engine-socket", Level::Unsafe), ("token", Level::Unwise)]
    );
}
