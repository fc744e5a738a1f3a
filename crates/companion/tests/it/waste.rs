//! What is wasteful, and what is proposed about it: from figures alone.

use ergon_companion::actions::{self, Class};
use ergon_companion::observation::{
    Disk, LogDigest, LogLevel, LogTemplate, Machine, Observation, Process, ProcessorUse,
};
use ergon_companion::{Happening, Past, Point, dialogue};

use crate::fixtures::{change, healthy, moment};

const MIB: u64 = 1 << 20;
const PROCESSOR: u64 = 1_000_000_000;
/// Lines that are nearly all one and the same.
const MOSTLY_ONE: &[(LogLevel, u64)] = &[(LogLevel::Info, 960), (LogLevel::Warning, 40)];

/// A server with a limit that fits what it used in the last two hours.
fn well() -> Observation {
    let mut observation = healthy();
    observation.signals.machine = Machine {
        processors: Some(4),
        memory: Some(8 << 30),
    };
    observation.signals.processor = Some(ProcessorUse {
        quota: Some(2 * PROCESSOR),
        folder: "/sys/fs/cgroup/x".to_owned(),
        ..ProcessorUse::default()
    });
    limit(&mut observation, Some(128 * MIB));
    change(&mut observation, |state| {
        state.processor_limit = Some(2 * PROCESSOR);
        state.command = ["uvicorn", "main:app"].map(str::to_owned).to_vec();
    });
    used(&mut observation, 120, |_| {});
    observation
}

fn limit(observation: &mut Observation, limit: Option<u64>) {
    change(observation, |state| {
        state.memory_limit = limit;
        state.memory_and_swap = limit;
    });
}

/// What it used in the last minutes: 64 MiB at most, unless something else is said.
fn used(observation: &mut Observation, minutes: i64, edit: impl Fn(&mut Point)) {
    let now = observation.time.as_second();
    let limit = observation.state().and_then(|state| state.memory_limit);
    let points = (0..=minutes).map(|minute| {
        let mut point = Point {
            time: now - (minutes - minute) * 60,
            memory: 48 * MIB,
            memory_peak: 64 * MIB,
            memory_limit: limit.unwrap_or(0),
            processor: 500,
            processor_peak: 900,
            ..Point::default()
        };
        edit(&mut point);
        point
    });
    observation.past = Past::new(Vec::new(), points.collect(), Vec::new());
}

fn command(observation: &mut Observation, line: &str) {
    let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
    observation.processes[0].command.clone_from(&words);
    change(observation, |state| state.command = words);
    observation.services = ergon_companion::services(&observation.processes, &[]);
}

fn workers(observation: &mut Observation, title: &str, count: u32) {
    let worker = |number: u32| Process {
        pid: 5000 + number,
        parent: 4242,
        state: 'S',
        name: observation.processes[0].name.clone(),
        command: vec![title.to_owned()],
        ports: Vec::new(),
    };
    let workers: Vec<Process> = (0..count).map(worker).collect();
    observation.processes.extend(workers);
}

fn log(observation: &mut Observation, per_minute: u64, templates: &[(LogLevel, u64)]) {
    let templates: Vec<LogTemplate> = templates
        .iter()
        .map(|(level, count)| LogTemplate {
            pattern: "GET /health <num>".to_owned(),
            sample: "GET /health 200".to_owned(),
            level: *level,
            count: *count,
            per_minute: per_minute * 100,
            ..LogTemplate::default()
        })
        .collect();
    observation.log_digest = Some(LogDigest {
        lines: templates.iter().map(|template| template.count).sum(),
        per_minute: per_minute * 100,
        templates,
        ..LogDigest::default()
    });
}

/// Each waste by its id, and what is proposed about it: `memory.generous: docker update …`.
fn told(observation: &Observation) -> Vec<String> {
    let reply = dialogue::answer("what is wasteful?", observation);
    let proposals = actions::improve(observation);
    let wrong = ergon_companion::diagnose(observation).findings;
    for finding in &reply.findings {
        assert!(
            !finding.evidence.is_empty() && finding.remedy.is_some(),
            "{finding:#?}"
        );
        let cited = reply
            .evidence
            .iter()
            .filter(|one| finding.evidence.contains(&one.number));
        assert!(
            cited
                .into_iter()
                .all(|one| !one.text.is_empty() && one.command.is_some()),
            "{reply:#?}"
        );
    }
    reply
        .findings
        .iter()
        .filter(|finding| wrong.iter().all(|other| other.id != finding.id))
        .map(|finding| {
            let about = |proposal: &&actions::Proposal| proposal.why[0].finding == finding.id;
            match proposals.iter().find(about) {
                Some(proposal) => {
                    let words = proposal.commands()[0][1..].to_vec();
                    format!("{}: {}", finding.id, words[..words.len() - 1].join(" "))
                }
                None => finding.id.clone(),
            }
        })
        .collect()
}

#[track_caller]
fn check(edit: impl FnOnce(&mut Observation), expected: &[&str]) {
    let mut observation = well();
    edit(&mut observation);
    assert_eq!(told(&observation), expected);
}

#[test]
fn who_wastes_nothing_says_so_and_proposes_nothing() {
    check(|_| {}, &[]);
    let said = dialogue::answer("optimize", &well()).content;
    assert!(said.starts_with("I see nothing wasteful [1]"), "{said}");
    assert!(!said.contains("too early"), "{said}");
    for question in ["how are you?", "what should I do?", "memory"] {
        let mut wasteful = well();
        limit(&mut wasteful, Some(4 << 30));
        used(&mut wasteful, 120, |_| {});
        let said = dialogue::answer(question, &wasteful);
        assert!(
            said.findings.is_empty(),
            "it is told only when asked: {said:#?}"
        );
    }
}

#[test]
fn a_memory_limit_is_held_against_what_was_used() {
    let generous = |observation: &mut Observation| {
        limit(observation, Some(4 << 30));
        used(observation, 120, |_| {});
    };
    check(
        generous,
        &["memory.generous: update --memory=134217728 --memory-swap=134217728"],
    );
    // After ten minutes nobody knows what a busy day needs.
    check(
        |observation| {
            limit(observation, Some(4 << 30));
            used(observation, 10, |_| {});
        },
        &[],
    );
    let tight = |observation: &mut Observation| {
        used(observation, 20, |point| point.memory_peak = 115 * MIB);
    };
    check(
        tight,
        &["memory.tight: update --memory=201326592 --memory-swap=201326592"],
    );
    // What was used under another limit says nothing of this one.
    check(
        |observation| {
            limit(observation, Some(4 << 30));
            used(observation, 120, |point| point.memory_limit = 128 * MIB);
        },
        &[],
    );
}

#[test]
fn without_a_limit_one_is_proposed_once_it_is_known_what_is_used() {
    let unlimited = |minutes| {
        move |observation: &mut Observation| {
            limit(observation, None);
            used(observation, minutes, |_| {});
        }
    };
    check(unlimited(5), &["memory.unlimited"]);
    check(
        unlimited(90),
        &["memory.unlimited: update --memory=134217728 --memory-swap=134217728"],
    );
    let mut observation = well();
    unlimited(90)(&mut observation);
    let proposal = actions::improve(&observation).remove(0);
    assert_eq!(
        proposal.class(),
        Class::Disruptive,
        "less than it may need kills it"
    );
    let undo = &proposal.undo_commands()[0];
    let all = 8_u64 << 30;
    assert_eq!(
        undo[2],
        format!("--memory={all}"),
        "all that the machine has"
    );
    assert_eq!(proposal.undo[0].class(), Class::Safe);
    assert!(!proposal.is_urgent(), "nobody is asked unasked");
    assert!(proposal.is_called_for(&actions::found(&observation)));
    let cured = well();
    assert!(!proposal.is_called_for(&actions::found(&cured)));
}

#[test]
fn a_processor_limit_that_is_in_the_way_all_the_time_is_raised_as_far_as_there_are_processors() {
    let throttled =
        |observation: &mut Observation| used(observation, 30, |point| point.throttled = 1500);
    check(throttled, &["processor.tight: update --cpus=3"]);
    let all = |observation: &mut Observation| {
        throttled(observation);
        observation.signals.machine.processors = Some(2);
    };
    check(all, &["processor.tight"]);
    // Whoever set a quota by itself sets it again by itself.
    let by_quota = |observation: &mut Observation| {
        throttled(observation);
        change(observation, |state| state.processor_limit = None);
    };
    check(by_quota, &["processor.tight"]);
    check(
        |observation| used(observation, 30, |point| point.throttled = 100),
        &[],
    );
}

#[test]
fn workers_are_counted_against_processors() {
    let gunicorn = |count| {
        move |observation: &mut Observation| {
            command(observation, "gunicorn -w 16 app:app");
            workers(observation, "gunicorn: worker [app]", count);
        }
    };
    check(gunicorn(16), &["workers.many"]);
    check(gunicorn(9), &[]);
    // Those that are there count, and where none is seen, those that were told.
    check(gunicorn(0), &["workers.many"]);
    let busy = |observation: &mut Observation| {
        command(observation, "uvicorn main:app");
        used(observation, 30, |point| point.processor = 9800);
    };
    check(busy, &["workers.few"]);
    let one_processor = |observation: &mut Observation| {
        busy(observation);
        observation.signals.machine.processors = Some(1);
    };
    check(one_processor, &[]);
}

#[test]
fn caches_fit_into_the_limit_and_have_room() {
    let runs = |line: &'static str, used_mib: u64| {
        move |observation: &mut Observation| {
            command(observation, line);
            if let Some(memory) = &mut observation.memory {
                memory.used = used_mib * MIB;
            }
        }
    };
    check(runs("redis-server --maxmemory 64mb", 30), &[]);
    check(
        runs("redis-server --maxmemory 64mb", 74),
        &["cache.nearly_full"],
    );
    check(
        runs("redis-server --maxmemory 1gb", 30),
        &["cache.too_large"],
    );
    check(runs("redis-server", 30), &[]);
    check(runs("redis-server", 80), &["cache.unbounded"]);
    check(runs("redis-server /etc/redis.conf", 80), &[]);
    check(runs("memcached -m 120", 30), &["cache.too_large"]);
    check(runs("postgres -c shared_buffers=32MB", 30), &[]);
    check(
        runs("postgres -c shared_buffers=96MB", 30),
        &["cache.too_large"],
    );
    check(runs("java -Xmx127m -jar app.jar", 30), &["cache.too_large"]);
    check(runs("java -Xmx96m -jar app.jar", 30), &[]);
    check(
        runs("node --max-old-space-size=512 app.js", 30),
        &["cache.too_large"],
    );
    // Arguments of somebody who is no cache are none of a cache's.
    check(runs("gunicorn -m 5000", 30), &[]);
}

#[test]
fn logs_that_say_too_much_are_told() {
    let says = |per_minute, templates: &'static [(LogLevel, u64)]| {
        move |observation: &mut Observation| log(observation, per_minute, templates)
    };
    check(says(200, MOSTLY_ONE), &["log.one_pattern"]);
    check(says(20, MOSTLY_ONE), &[]);
    check(says(200, &[(LogLevel::Info, 99)]), &[]);
    check(says(200, &[(LogLevel::Error, 1000)]), &[]);
    check(
        says(60, &[(LogLevel::Debug, 400), (LogLevel::Info, 600)]),
        &["log.debug"],
    );
    check(
        says(4000, &[(LogLevel::Info, 500), (LogLevel::Unknown, 500)]),
        &["log.loud"],
    );
    let variable = |name: &'static str, value: &'static str| {
        move |observation: &mut Observation| {
            change(observation, |state| {
                state.env.insert(name.to_owned(), value.to_owned());
            });
        }
    };
    check(variable("LOG_LEVEL", "debug"), &["log.debug"]);
    check(variable("LOG_LEVEL", "info"), &[]);
    check(variable("DEBUG", "0"), &[]);
    check(
        |observation| command(observation, "uvicorn main:app --reload"),
        &["log.debug"],
    );
    check(
        |observation| command(observation, "uvicorn main:app --log-level trace"),
        &["log.debug"],
    );
}

#[test]
fn shared_memory_and_ends_are_told_before_they_are_a_trouble() {
    let shm = |free| {
        move |observation: &mut Observation| {
            observation.signals.disks = vec![Disk {
                mount: "/dev/shm".to_owned(),
                kind: "tmpfs".to_owned(),
                size: 64 * MIB,
                free: free * MIB,
                files: 100,
                files_free: 90,
                read_only: false,
            }];
        }
    };
    check(shm(16), &["shm.tight"]);
    check(shm(40), &[]);
    let ended = |ends: &'static [i64]| {
        move |observation: &mut Observation| {
            for hour in ends {
                let died = Happening::Died { exit_code: 1 };
                observation.history.remember(moment(hour * 3600 + 1, died));
                observation
                    .history
                    .remember(moment(hour * 3600, Happening::Started));
            }
        }
    };
    check(ended(&[5, 2]), &["restarts.many"]);
    check(ended(&[5]), &[]);
    check(ended(&[30, 26]), &[]);
}

#[test]
fn who_does_not_run_wastes_nothing() {
    let stopped = crate::fixtures::ended(0, &[]);
    assert_eq!(actions::improve(&stopped), []);
    let said = dialogue::answer("optimize", &stopped).content;
    assert!(said.starts_with("I do not run"), "{said}");
}
