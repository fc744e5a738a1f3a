//! Looks at a container once, with everything there is to look with.

use ergon_engine::{ContainerState, Engine, LogQuery, LogSource};
use futures_util::StreamExt;
use jiff::Timestamp;

use crate::introduction::{self, Acquaintance};
use crate::local::LocalContainer;
use crate::logs::{LogBook, plain};
use crate::observation::{
    Certificate, Drift, Listener, LogDigest, LogRecord, Memory, MemorySource, Outcome, Probe,
    Process, ProcessSource, Sight, Signals, Target,
};
use crate::probe::{PATIENCE, probe};
use crate::redact::{KeyLines, Lines, Redactor, hide_headless};
use crate::{FoundService, History, Meant, Observation, Subject, services};

/// So many of the last lines are read.
const LOG_LINES: u32 = 100;

/// Looks at a container once.
///
/// It never fails: what cannot be seen is absent from the observation, or said in its `sight`.
pub async fn observe(
    engine: &Engine,
    subject: &Subject,
    history: &History,
    now: Timestamp,
) -> Observation {
    match engine.inspect(&subject.container_id).await {
        Ok(state) => {
            let acquaintance = Acquaintance::default();
            observe_state(engine, subject, history, &acquaintance, now, state).await
        }
        Err(error) => {
            let sight = if error.is_not_found() {
                Sight::Gone
            } else {
                Sight::Blind(error.to_string())
            };
            Observation::empty(now, subject.clone(), sight, history.clone())
        }
    }
}

/// Looks at a container whose state was just asked for.
pub(crate) async fn observe_state(
    engine: &Engine,
    subject: &Subject,
    history: &History,
    acquaintance: &Acquaintance,
    now: Timestamp,
    mut state: ContainerState,
) -> Observation {
    let redactor = Redactor::new(&state.env);
    // What a check printed, and why nothing could be started, quotes command lines and addresses.
    let output = state
        .health
        .as_mut()
        .and_then(|health| health.last_output.as_mut());
    for text in output.into_iter().chain(state.error.as_mut()) {
        *text = redactor.clean(&plain(text));
    }
    let log = log(engine, &state, &redactor);
    let mut observation = Observation::empty(
        now,
        subject.clone(),
        Sight::Seen(Box::new(state.clone())),
        history.clone(),
    );
    // Containers can be renamed; the engine knows best.
    observation.subject.container.clone_from(&state.name);
    if !state.is_running() {
        observation.log = log.await;
        observation.log_digest = Some(digest(&observation.log, now));
        return observation;
    }
    let (inside, log) = tokio::join!(inside(engine, &state, &redactor), log);
    observation.log = log;
    observation.log_digest = Some(digest(&observation.log, now));
    observation.services = services(
        &inside.processes,
        inside.listeners.as_deref().unwrap_or_default(),
    );
    let services = &mut observation.services;
    let certificates = introduction::introduced(engine, &state, acquaintance, services, now).await;
    observation.probe = ask(
        engine,
        subject,
        &state,
        &observation.services,
        &certificates,
    )
    .await;
    observation.memory = inside.memory;
    observation.processor = inside.processor;
    observation.processes = inside.processes;
    observation.processes_from = inside.processes_from;
    observation.listeners = inside.listeners;
    observation.signals = inside.signals;
    observation.signals.certificates = certificates;
    observation.drift = drift(engine, &state).await;
    if let Some(processor) = &mut observation.signals.processor {
        history.compare(processor, now);
    }
    observation
}

/// What it changed of its image, where its own layer lies on this machine.
async fn drift(engine: &Engine, state: &ContainerState) -> Option<Drift> {
    let upper = state
        .upper_directory
        .clone()
        .filter(|_| engine.is_local())?;
    // A large layer takes its time, which others need meanwhile.
    tokio::task::spawn_blocking(move || crate::drift::read(std::path::Path::new(&upper)))
        .await
        .ok()?
}

/// What can be seen inside a running container.
#[derive(Default)]
struct Inside {
    memory: Option<Memory>,
    processor: Option<u64>,
    processes: Vec<Process>,
    processes_from: ProcessSource,
    listeners: Option<Vec<Listener>>,
    signals: Signals,
}

async fn inside(engine: &Engine, state: &ContainerState, redactor: &Redactor) -> Inside {
    let mut inside = Inside::default();
    let local = state
        .pid
        .filter(|_| engine.is_local())
        .and_then(|pid| LocalContainer::find(pid, &state.id));
    if let Some(local) = &local {
        inside.memory = local.memory();
        let seen = local.look(redactor);
        inside.processor = seen
            .signals
            .processor
            .as_ref()
            .map(|processor| processor.used);
        inside.processes = seen.processes;
        inside.listeners = seen.listeners;
        inside.signals = seen.signals;
        inside.processes_from = ProcessSource::Proc;
    }
    if inside.processes.is_empty()
        && let Ok(rows) = engine.top(&state.id).await
    {
        inside.processes_from = ProcessSource::Engine;
        inside.processes = rows
            .into_iter()
            .map(|row| from_row(row, redactor))
            .collect();
    }
    if inside.memory.is_none()
        && let Ok(usage) = engine.stats_once(&state.id).await
    {
        inside.processor = inside.processor.or(usage.cpu);
        inside.memory = usage.memory.map(|used| Memory {
            used,
            limit: state.memory_limit,
            oom_kills: None,
            source: MemorySource::Engine,
            raw: format!("memory {used} by the engine's statistics"),
        });
    }
    inside
}

/// The engine's `top` has one text where `/proc` has arguments.
fn from_row(row: ergon_engine::ProcessRow, redactor: &Redactor) -> Process {
    let command: Vec<String> = redactor
        .clean(&row.command)
        .split(' ')
        .map(str::to_owned)
        .collect();
    let name = command
        .first()
        .and_then(|program| program.rsplit('/').next())
        .unwrap_or_default()
        .to_owned();
    Process {
        pid: row.pid,
        parent: row.parent,
        state: row.state,
        name,
        command,
        ports: Vec::new(),
    }
}

async fn log(engine: &Engine, state: &ContainerState, redactor: &Redactor) -> Vec<LogRecord> {
    let mut lines = engine.logs(
        &state.id,
        LogQuery {
            tail: Some(LOG_LINES),
            since: None,
            follow: false,
        },
    );
    let mut records = Vec::new();
    let [mut of_stdout, mut of_stderr] = <[(Lines<_>, KeyLines); 2]>::default();
    let mut take = |stderr: bool, lines: Vec<(_, String)>, keys: &mut KeyLines| {
        records.extend(lines.into_iter().map(|(time, text)| LogRecord {
            time,
            stderr,
            text: redactor.clean(&keys.clean(&text)),
        }));
    };
    while let Some(Ok(line)) = lines.next().await {
        let stderr = line.source == LogSource::Stderr;
        let (known, keys) = if stderr {
            &mut of_stderr
        } else {
            &mut of_stdout
        };
        // Colours may stand within what would be known for a secret.
        take(stderr, known.push(line.time, &plain(&line.text())), keys);
    }
    for (stderr, (mut known, mut keys)) in [(false, of_stdout), (true, of_stderr)] {
        take(stderr, known.let_go(), &mut keys);
    }
    for stderr in [false, true] {
        let of_one = records.iter_mut().filter(|record| record.stderr == stderr);
        hide_headless(of_one.map(|record| &mut record.text));
    }
    // The two outputs come one after the other; people read them by time.
    records.sort_by_key(|record| record.time);
    records
}

/// What these few lines amount to, where nobody followed the log.
fn digest(log: &[LogRecord], now: Timestamp) -> LogDigest {
    let mut book = LogBook::default();
    for record in log {
        book.take_in(record.time.unwrap_or(now), record.stderr, &record.text);
    }
    book.close();
    book.digest(now)
}

async fn ask(
    engine: &Engine,
    subject: &Subject,
    state: &ContainerState,
    services: &[FoundService],
    certificates: &[Certificate],
) -> Option<Probe> {
    let question = question(subject, state, services, certificates)?;
    let mut last = None;
    for (address, port) in addresses(engine.is_local(), state, question.port) {
        let target = Target {
            address,
            port,
            container_port: question.port,
            path: question.path.clone(),
            declared: question.declared,
        };
        let probe = probe(target, PATIENCE).await;
        // An engine in a virtual machine has addresses that lead nowhere from here.
        let no_way = matches!(probe.outcome, Outcome::Unreachable(_) | Outcome::TimedOut);
        last = Some(probe);
        if !no_way {
            break;
        }
    }
    last
}

/// What to ask for.
#[derive(Debug, PartialEq, Eq)]
struct Question {
    port: u16,
    path: Option<String>,
    declared: bool,
}

/// The manifest's health page, else a port that should answer; by HTTP only where that is what it speaks.
fn question(
    subject: &Subject,
    state: &ContainerState,
    services: &[FoundService],
    certificates: &[Certificate],
) -> Option<Question> {
    if let Some(health) = subject.meant.as_ref().and_then(Meant::health) {
        return Some(Question {
            port: health.port,
            path: Some(health.path),
            declared: true,
        });
    }
    let listens = |port: u16| {
        services
            .iter()
            .find(|service| service.ports.contains(&port))
    };
    let meant = subject.meant.as_ref().map(Meant::ports).unwrap_or_default();
    let exposed = state
        .exposed
        .iter()
        .copied()
        .filter(|port| listens(*port).is_some());
    let found = services
        .iter()
        .flat_map(|service| service.ports.iter().copied());
    let port = meant
        .first()
        .copied()
        .or_else(|| exposed.chain(found).next())?;
    let speaks_http = listens(port).is_some_and(|service| matches!(service.role.as_str(), "web server" | "application server"))
            // Who speaks TLS would answer nothing but that.
            && certificates.iter().all(|certificate| certificate.port != port)
            // These speak protocols of their own behind a web server.
            && listens(port).is_none_or(|service| !matches!(service.name.as_str(), "php-fpm" | "uwsgi"));
    Some(Question {
        port,
        path: speaks_http.then(|| "/".to_owned()),
        declared: false,
    })
}

/// Where the port can be asked: the container's own address first, for the host's proxy also takes
/// connections that nobody answers.
pub(crate) fn addresses(local: bool, state: &ContainerState, port: u16) -> Vec<(String, u16)> {
    let mut addresses: Vec<(String, u16)> = Vec::new();
    if local {
        if state.network_mode == "host" {
            addresses.push(("127.0.0.1".to_owned(), port));
        }
        addresses.extend(
            state
                .networks
                .values()
                .map(|address| (address.clone(), port)),
        );
    }
    addresses.extend(
        state
            .ports
            .iter()
            .filter(|published| published.container == port)
            .map(|published| {
                let address = match published.address.as_str() {
                    "" | "0.0.0.0" => "127.0.0.1",
                    "::" => "::1",
                    other => other,
                };
                (address.to_owned(), published.host)
            }),
    );
    addresses
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn service(name: &str, role: &str, ports: &[u16]) -> FoundService {
        let (name, role) = (name.to_owned(), role.to_owned());
        FoundService {
            command: name.clone(),
            name,
            role,
            version: None,
            pid: 1,
            ports: ports.to_vec(),
        }
    }

    #[test]
    fn a_database_is_not_asked_for_a_page() {
        let (subject, state) = (Subject::default(), ContainerState::default());
        let asked = |services: &[FoundService]| question(&subject, &state, services, &[]);
        assert_eq!(asked(&[]), None);
        let question = asked(&[service("postgres", "database", &[5432])]).expect("a question");
        assert_eq!((question.port, question.path), (5432, None));
        let question = asked(&[service("nginx", "web server", &[80])]).expect("a question");
        assert_eq!((question.port, question.path.as_deref()), (80, Some("/")));
        let question =
            asked(&[service("php-fpm", "application server", &[9000])]).expect("a question");
        assert_eq!(question.path, None);
    }

    #[test]
    fn the_container_is_asked_before_the_hosts_proxy() {
        let state = ContainerState {
            networks: BTreeMap::from([("bridge".to_owned(), "172.17.0.2".to_owned())]),
            ports: vec![ergon_engine::PortBinding {
                container: 80,
                address: "0.0.0.0".to_owned(),
                host: 8080,
            }],
            ..ContainerState::default()
        };
        let own = ("172.17.0.2".to_owned(), 80);
        let published = ("127.0.0.1".to_owned(), 8080);
        assert_eq!(addresses(true, &state, 80), [own, published.clone()]);
        assert_eq!(addresses(false, &state, 80), [published]);
        assert!(addresses(false, &state, 81).is_empty());
    }
}
