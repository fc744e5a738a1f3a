//! Observations as the tests need them.

use std::collections::BTreeMap;
use std::time::Duration;

use ergon_companion::observation::{
    Listener, LogRecord, Memory, MemorySource, Observation, Outcome, Probe, Process, ProcessSource,
    Sight, Target,
};
use ergon_companion::{FoundService, Happening, History, Meant, Moment, Reply, Sample, Subject};
use ergon_engine::{ContainerState, PortBinding, Status};
use jiff::{SignedDuration, Timestamp};

pub const ID: &str = "6e6a564c2e5b6bffeba362ae7b76323ba7f8e2f33d360deab817a2d724522416";

/// The moment of looking.
pub fn now() -> Timestamp {
    "2026-11-20T14:02:11Z".parse().expect("a time")
}

pub fn ago(seconds: i64) -> Timestamp {
    now() - SignedDuration::from_secs(seconds)
}

pub fn manifest() -> ergon_manifest::Manifest {
    serde_json::from_value(serde_json::json!({
        "manifest_version": "1.0",
        "applications": {"fastapi": {
            "type": "fastapi", "language": "python", "run_command": "uvicorn main:app --host 0.0.0.0 --port 8000",
            "ports": [8000], "health": {"path": "/"},
            "env": {
                "DATABASE_URL": {"required": true, "from": "main.py:9"},
                "LOG_LEVEL": {"default": "info", "from": "main.py:10"},
            },
        }},
        "containers": {"fastapi": {"base_image": "python:3.11-slim", "applications": ["fastapi"], "ports": [8000]}},
    }))
    .expect("a manifest")
}

pub fn subject() -> Subject {
    Subject {
        companion: "fastapi-ci".to_owned(),
        container_id: ID.to_owned(),
        container: "fastapi".to_owned(),
        capabilities: vec!["monitor".to_owned()],
        meant: Some(Meant {
            manifest: manifest(),
            manifest_digest: Some("sha256:90ab".to_owned()),
            container: "fastapi".to_owned(),
            build_hash: "sha256:4f1c09ab77e20000".to_owned(),
            image_digest: "sha256:8be2".to_owned(),
            image_id: Some("sha256:aaaaaaaaaaaaaaaa".to_owned()),
        }),
    }
}

/// A server that has been up for 12 seconds and lacks nothing.
pub fn healthy() -> Observation {
    let state = ContainerState {
        id: ID.to_owned(),
        name: "fastapi".to_owned(),
        image: "fastapi:4f1c09ab77e2".to_owned(),
        image_id: "sha256:aaaaaaaaaaaaaaaa".to_owned(),
        status: Status::Running,
        user: "65532:65532".to_owned(),
        pid: Some(4242),
        started_at: Some(ago(12)),
        env: BTreeMap::from([(
            "DATABASE_URL".to_owned(),
            "postgres://web:geheim99@db/web".to_owned(),
        )]),
        exposed: vec![8000],
        ports: vec![PortBinding {
            container: 8000,
            address: "127.0.0.1".to_owned(),
            host: 18000,
        }],
        networks: BTreeMap::from([("bridge".to_owned(), "172.17.0.2".to_owned())]),
        ..ContainerState::default()
    };
    let mut history = History::watched(ago(3600));
    history.remember(moment(12, Happening::Started));
    let command = ["python3.11", "/usr/local/bin/uvicorn", "main:app"]
        .map(str::to_owned)
        .to_vec();
    Observation {
        memory: Some(Memory {
            used: 48 << 20,
            limit: None,
            oom_kills: Some(0),
            source: MemorySource::Cgroup(format!("/sys/fs/cgroup/docker/{ID}")),
            raw: "memory.current 50331648".to_owned(),
        }),
        processor: Some(1_200_000_000),
        processes: vec![Process {
            pid: 4242,
            parent: 4200,
            state: 'S',
            name: "uvicorn".to_owned(),
            command: command.clone(),
            ports: vec![8000],
        }],
        processes_from: ProcessSource::Proc,
        listeners: Some(vec![Listener {
            port: 8000,
            loopback: false,
            pid: Some(4242),
            waiting: 0,
        }]),
        services: vec![FoundService {
            name: "uvicorn".to_owned(),
            role: "application server".to_owned(),
            version: None,
            pid: 4242,
            ports: vec![8000],
            command: command.join(" "),
        }],
        probe: Some(Probe {
            target: Target {
                address: "172.17.0.2".to_owned(),
                port: 8000,
                container_port: 8000,
                path: Some("/".to_owned()),
                declared: true,
            },
            outcome: Outcome::Status(200),
            latency: Duration::from_millis(3),
        }),
        log: lines(&[
            "Started server process [1]",
            "Application startup complete.",
        ]),
        ..Observation::empty(now(), subject(), Sight::Seen(Box::new(state)), history)
    }
}

/// The same, stopped two seconds ago, with the events that led there.
pub fn ended(exit_code: i64, happenings: &[Happening]) -> Observation {
    let mut observation = healthy();
    change(&mut observation, |state| {
        state.status = Status::Exited;
        state.exit_code = Some(exit_code);
        state.pid = None;
        state.networks.clear();
        state.finished_at = Some(ago(2));
    });
    for happening in happenings {
        observation.history.remember(moment(2, happening.clone()));
    }
    observation
        .history
        .remember(moment(2, Happening::Died { exit_code }));
    observation.history.last_sample = Some(Sample {
        time: ago(4),
        memory: 48 << 20,
        memory_limit: None,
        oom_kills: Some(0),
    });
    observation.memory = None;
    observation.processor = None;
    observation.processes.clear();
    observation.processes_from = ProcessSource::Nowhere;
    observation.listeners = None;
    observation.services.clear();
    observation.probe = None;
    observation
}

pub fn change(observation: &mut Observation, edit: impl FnOnce(&mut ContainerState)) {
    if let Sight::Seen(state) = &mut observation.sight {
        edit(state);
    }
}

pub fn without_database(observation: &mut Observation) {
    change(observation, |state| {
        state.env.remove("DATABASE_URL");
    });
}

pub fn moment(seconds_ago: i64, what: Happening) -> Moment {
    Moment {
        time: ago(seconds_ago),
        what,
    }
}

pub fn lines(texts: &[&str]) -> Vec<LogRecord> {
    texts
        .iter()
        .map(|text| LogRecord {
            time: Some(ago(5)),
            stderr: true,
            text: (*text).to_owned(),
        })
        .collect()
}

/// A reply as a terminal shows it.
pub fn shown(reply: &Reply) -> String {
    let evidence = reply.evidence.iter().map(|evidence| {
        format!(
            "  [{}] {}: {}, {}",
            evidence.number, evidence.source, evidence.text, evidence.time
        )
    });
    let findings = reply.findings.iter().map(|finding| {
        format!(
            "  {} {} {:?}",
            finding.severity, finding.id, finding.evidence
        )
    });
    let lines: Vec<String> = [reply.content.clone()]
        .into_iter()
        .chain(evidence)
        .chain(findings)
        .collect();
    lines.join("\n")
}
