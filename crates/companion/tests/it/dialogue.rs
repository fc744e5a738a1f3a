//! What a companion says of what it sees.

use ergon_companion::dialogue::answer;
use ergon_companion::observation::{Listener, Observation, Outcome, Process, Sight};
use ergon_companion::{Happening, History, Sample, Wellness, diagnose};
use ergon_engine::{HealthState, RestartPolicy, Status};
use insta::assert_snapshot;

use crate::fixtures::{
    ago, change, ended, healthy, lines, moment, now, shown, subject, without_database,
};

pub fn asked(question: &str, observation: &Observation) -> String {
    shown(&answer(question, observation))
}

pub fn content(question: &str, observation: &Observation) -> String {
    answer(question, observation).content
}

fn ids(observation: &Observation) -> Vec<String> {
    diagnose(observation)
        .findings
        .into_iter()
        .map(|finding| finding.id)
        .collect()
}

#[test]
fn a_healthy_container_is_well_and_has_no_findings() {
    assert_snapshot!(asked("how are you?", &healthy()), @"
    I'm well. uvicorn answers GET / in 3 ms [1]; 48 MB of memory, no limit set [2]; up 12 s, never restarted [3].
      [1] probe: GET http://172.17.0.2:8000/ → 200 in 3 ms, 2026-11-20T14:02:11Z
      [2] cgroup: memory.current 50331648, 2026-11-20T14:02:11Z
      [3] engine: started 2026-11-20T14:01:59Z, restart count 0, 2026-11-20T14:02:11Z
    ");
    let diagnosis = diagnose(&healthy());
    assert_eq!(
        (diagnosis.wellness, diagnosis.findings.len()),
        (Wellness::Well, 0)
    );
    assert_snapshot!(diagnosis.sentence, @"uvicorn answers GET / with 200.");
}

#[test]
fn every_topic_is_answered_with_evidence() {
    let observation = healthy();
    assert_snapshot!(asked("What's your health status?", &observation), @"
    I'm well. GET http://172.17.0.2:8000/ answers 200 in 3 ms [1]; the kernel counted no OOM kill [2]; never restarted [3].
      [1] probe: GET http://172.17.0.2:8000/ → 200 in 3 ms, 2026-11-20T14:02:11Z
      [2] cgroup: oom_kill 0, 2026-11-20T14:02:11Z
      [3] engine: started 2026-11-20T14:01:59Z, restart count 0, 2026-11-20T14:02:11Z
    ");
    assert_snapshot!(asked("which services and ports?", &observation), @"
    I found one service among 1 process: uvicorn (application server) on port 8000, process 4242 [1].
    I listen on TCP port 8000 (uvicorn) [2]. The host answers at 127.0.0.1:18000 for 8000 [3].
      [1] process: 1 process: 4242 uvicorn, 2026-11-20T14:02:11Z
      [2] process: LISTEN *:8000, 2026-11-20T14:02:11Z
      [3] engine: published: 127.0.0.1:18000 → 8000, 2026-11-20T14:02:11Z
    ");
    assert_snapshot!(asked("memory, cpu", &observation), @"
    I use 48 MB of memory, and no limit is set [1]. The kernel killed none of my processes for want of it [2].
    I used 1.2 s of processor time since I started 12 s ago, 10.0 % of one core on average [3].
      [1] cgroup: memory.current 50331648, 2026-11-20T14:02:11Z
      [2] cgroup: oom_kill 0, 2026-11-20T14:02:11Z
      [3] cgroup: 1200000000 ns of processor time since the start, 2026-11-20T14:02:11Z
    ");
    assert_snapshot!(asked("uptime", &observation), @r#"
    I have been up for 12 s, since 2026-11-20 14:01:59 UTC; the engine has never restarted me [1]. Restart policy is "no" [2].
      [1] engine: started 2026-11-20T14:01:59Z, restart count 0, 2026-11-20T14:02:11Z
      [2] engine: restart policy no, 2026-11-20T14:02:11Z
    "#);
    assert_snapshot!(asked("what happened?", &observation), @"
    I'm well. I have been running for 12 s [1]. Nothing happened to me since 2026-11-20 13:02:11 UTC [2].
      [1] engine: started 2026-11-20T14:01:59Z, restart count 0, 2026-11-20T14:02:11Z
      [2] event: no die, oom or kill event since 2026-11-20T13:02:11Z, 2026-11-20T14:02:11Z
    ");
    assert_snapshot!(asked("show me the logs", &observation), @"
    My last 2 lines [1]:
      Started server process [1]
      Application startup complete.
      [1] log: Application startup complete., 2026-11-20T14:02:06Z
    ");
    assert_snapshot!(asked("any errors?", &observation), @"
    No error in 2 lines of log since 2026-11-20 14:02:06 UTC [1].
      [1] log: 2 lines of log read, 0 errors, 0 warnings, 2026-11-20T14:02:11Z
    ");
    assert_snapshot!(asked("what are your environment variables", &observation), @r#"
    What my program reads from its environment [1] (I do not show values):
    - DATABASE_URL: set, read at main.py:9
    - LOG_LEVEL: not set; the program takes "info", read at main.py:10
      [1] engine: container env has 1 variable, 2026-11-20T14:02:11Z
    "#);
    assert_snapshot!(asked("what are you?", &observation), @"
    I am fastapi-ci, the companion of container fastapi (6e6a564c2e5b), which runs image fastapi:4f1c09ab77e2 [1]. It was meant to be fastapi (fastapi, python, started by `uvicorn main:app --host 0.0.0.0 --port 8000`). Manifest sha256:90ab. Build sha256:4f1c09ab77e20000, image digest sha256:8be2 [2]. My capabilities: monitor.
      [1] engine: image sha256:aaaaaaaaaaaaaaaa (fastapi:4f1c09ab77e2), 2026-11-20T14:02:11Z
      [2] manifest: build sha256:4f1c09ab77e20000, image sha256:8be2, 2026-11-20T14:02:11Z
    ");
    assert_snapshot!(asked("help", &observation), @"I answer for container fastapi. Ask me about status, health, services and processes, ports, memory, CPU, disks and network and how they were, uptime and restarts, what happened, logs and errors, the environment, what changed, whether I am what I was meant to be, whom I need and who needs me, what to do, what is wasteful, and what I am made from.");
    assert_snapshot!(content("how much disk do you use", &observation), @"I cannot see my disks from here.");
    assert_snapshot!(content("restart yourself", &observation), @"I change nothing by myself: I say what I would do, and somebody approves it.");
    assert_snapshot!(content("sing me a song", &observation), @"
    I did not understand that; I can tell you about status, health, services and processes, ports, memory, CPU, disks and network and how they were, uptime and restarts, what happened, logs and errors, the environment, what changed, whether I am what I was meant to be, whom I need and who needs me, what to do, what is wasteful, and what I am made from.
    I'm well. uvicorn answers GET / in 3 ms [1]; 48 MB of memory, no limit set [2]; up 12 s, never restarted [3].
    ");
}

#[test]
fn secrets_of_the_environment_are_never_said() {
    for question in [
        "environment",
        "status",
        "config",
        "what are you",
        "logs",
        "help",
        "DATABASE_URL?",
    ] {
        let reply = answer(question, &healthy());
        assert!(
            !serde_json::to_string(&reply)
                .expect("JSON")
                .contains("geheim99"),
            "{question}"
        );
    }
}

#[test]
fn a_missing_variable_of_a_server_that_answers_is_one_thing_to_look_at() {
    let mut observation = healthy();
    without_database(&mut observation);
    assert_snapshot!(asked("how are you?", &observation), @"
    I'm well. uvicorn answers GET / in 3 ms [1]; 48 MB of memory, no limit set [2]; up 12 s, never restarted [3].
    One thing to look at: DATABASE_URL is not set, and main.py:9 needs it [4].
      [1] probe: GET http://172.17.0.2:8000/ → 200 in 3 ms, 2026-11-20T14:02:11Z
      [2] cgroup: memory.current 50331648, 2026-11-20T14:02:11Z
      [3] engine: started 2026-11-20T14:01:59Z, restart count 0, 2026-11-20T14:02:11Z
      [4] manifest: container env has no DATABASE_URL; manifest says required (main.py:9), 2026-11-20T14:02:11Z
      warning env.missing [4]
    ");
    assert_snapshot!(asked("which variables are missing?", &observation), @r#"
    What my program reads from its environment [1] (I do not show values):
    - DATABASE_URL: not set, and required [2], read at main.py:9
    - LOG_LEVEL: not set; the program takes "info", read at main.py:10
      [1] engine: container env has 0 variables, 2026-11-20T14:02:11Z
      [2] manifest: container env has no DATABASE_URL; manifest says required (main.py:9), 2026-11-20T14:02:11Z
      warning env.missing [2]
    "#);
    assert_eq!(diagnose(&observation).wellness, Wellness::Well);
}

#[test]
fn docker_kill_is_told_from_want_of_memory() {
    let observation = ended(137, &[Happening::Killed { signal: 9 }]);
    assert_snapshot!(asked("what happened?", &observation), @r#"
    I stopped 2 s ago: process 1 was killed by signal 9 (exit 137), by `docker kill` [1][2]. Not out of memory: the kernel counted no OOM kill, and I used 48 MB [3]. Nothing restarts me (restart policy is "no") [4].
      [1] event: event kill signal=9, 2026-11-20T14:02:09Z
      [2] engine: state exited, exit code 137, OOMKilled false, finished 2026-11-20T14:02:09Z, 2026-11-20T14:02:11Z
      [3] cgroup: last reading before the end: 50331648 bytes of memory, oom_kill 0, 2026-11-20T14:02:07Z
      [4] engine: restart policy no, 2026-11-20T14:02:11Z
      warning exited.killed [1, 2]
    "#);
    let diagnosis = diagnose(&observation);
    assert_eq!(diagnosis.wellness, Wellness::Stopped);
    assert_snapshot!(diagnosis.sentence, @"I stopped: process 1 was killed by signal 9 (exit 137), by `docker kill`.");
}

#[test]
fn want_of_memory_is_told_with_the_limit() {
    let mut observation = ended(137, &[Happening::OutOfMemory]);
    change(&mut observation, |state| {
        state.memory_limit = Some(64 << 20);
    });
    observation.history.last_sample = Some(Sample {
        time: ago(4),
        memory: 60 << 20,
        memory_limit: Some(64 << 20),
        oom_kills: Some(0),
    });
    assert_snapshot!(asked("why did you die?", &observation), @r#"
    I stopped 2 s ago (exit 137): the kernel killed a process of mine because memory ran out: the limit is 64 MB [1][2]. Nothing restarts me (restart policy is "no") [3].
      [1] event: event oom, 2026-11-20T14:02:09Z
      [2] engine: state exited, exit code 137, OOMKilled false, finished 2026-11-20T14:02:09Z, 2026-11-20T14:02:11Z
      [3] engine: restart policy no, 2026-11-20T14:02:11Z
      critical exited.out_of_memory [1, 2]
    "#);
}

#[test]
fn a_kill_that_the_engine_knows_nothing_of_is_said_to_be_one() {
    assert_snapshot!(content("what happened", &ended(137, &[])), @r#"I stopped 2 s ago: process 1 ended with exit 137, killed (signal 9); not by the engine, so by somebody on the host or a process of mine [1]. Not out of memory: the kernel counted no OOM kill, and I used 48 MB [2]. Nothing restarts me (restart policy is "no") [3]."#);
    let mut unwatched = ended(137, &[]);
    unwatched.history = History::default();
    assert_snapshot!(content("what happened", &unwatched), @r#"I stopped 2 s ago: process 1 ended with exit 137, killed (signal 9); I cannot say by whom, for nobody was watching then [1]. Whether memory ran out I did not see; the engine saw nothing of it (OOMKilled false) [1]. Nothing restarts me (restart policy is "no") [2]."#);
}

#[test]
fn exit_codes_are_explained() {
    assert_snapshot!(content("what happened", &ended(139, &[])), @r#"I stopped 2 s ago: process 1 ended with exit 139, segmentation fault (signal 11): it touched memory that is not its own [1]. Nothing restarts me (restart policy is "no") [2]."#);
    assert_snapshot!(content("what happened", &ended(127, &[])), @r#"I stopped 2 s ago: process 1 ended by itself (exit 127: the command was not found). Its last words: "Application startup complete." [1][2]. Nothing restarts me (restart policy is "no") [3]."#);
    assert_snapshot!(content("what happened", &ended(0, &[])), @r#"I ended 2 s ago: process 1 was done (exit 0) [1]. Nothing restarts me (restart policy is "no") [2]."#);
    assert_snapshot!(content("what happened", &ended(143, &[Happening::Killed { signal: 15 }, Happening::Stopped])), @r#"I was stopped 2 s ago because somebody asked the engine to (exit 143) [1][2]. Nothing restarts me (restart policy is "no") [3]."#);
    assert_snapshot!(content("what happened", &ended(143, &[Happening::Killed { signal: 15 }])), @r#"I stopped 2 s ago: process 1 was killed by signal 15 (exit 143), by `docker kill -s 15` [1][2]. Nothing restarts me (restart policy is "no") [3]."#);
}

#[test]
fn a_program_that_failed_is_quoted_and_what_it_lacked_is_named() {
    let mut observation = ended(1, &[]);
    without_database(&mut observation);
    observation.log = lines(&[
        "Traceback (most recent call last):",
        "  File \"main.py\", line 9",
        "KeyError: 'DATABASE_URL'",
        "bye",
    ]);
    assert_snapshot!(asked("what happened?", &observation), @r#"
    I stopped 2 s ago: process 1 ended by itself (exit 1), because DATABASE_URL is not set [1][2][3][4]. Nothing restarts me (restart policy is "no") [5].
    DATABASE_URL is not set, and main.py:9 needs it [3][1][4].
      [1] log: KeyError: 'DATABASE_URL', 2026-11-20T14:02:06Z
      [2] engine: state exited, exit code 1, OOMKilled false, finished 2026-11-20T14:02:09Z, 2026-11-20T14:02:11Z
      [3] manifest: container env has no DATABASE_URL; manifest says required (main.py:9), 2026-11-20T14:02:11Z
      [4] engine: container env has no DATABASE_URL, 2026-11-20T14:02:11Z
      [5] engine: restart policy no, 2026-11-20T14:02:11Z
      critical exited [1, 2, 3, 4]
      critical env.missing [3, 1, 4]
    "#);
}

#[test]
fn a_command_that_does_not_exist_could_not_start() {
    let mut observation = ended(127, &[]);
    change(&mut observation, |state| {
        state.status = Status::Created;
        state.started_at = None;
        state.finished_at = None;
        state.error = Some(r#"OCI runtime create failed: exec: "uvicron": executable file not found in $PATH: unknown"#.to_owned());
    });
    observation.history = History::watched(ago(100));
    assert_snapshot!(asked("status", &observation), @r#"
    I could not start (exit 127: the command was not found): "uvicron": executable file not found in $PATH [1]. Nothing restarts me (restart policy is "no") [2].
      [1] engine: state created, exit code 127, OOMKilled false, error: OCI runtime create failed: exec: "uvicron": executable file not found in $PATH: unknown, 2026-11-20T14:02:11Z
      [2] engine: restart policy no, 2026-11-20T14:02:11Z
      critical start.failed [1]
    "#);
}

#[test]
fn a_restart_loop_is_counted_by_deaths() {
    let mut observation = healthy();
    change(&mut observation, |state| {
        state.restart_policy = RestartPolicy::Always;
        state.restart_count = 4;
        state.started_at = Some(ago(1));
    });
    for start in [300, 200, 100, 50] {
        observation
            .history
            .remember(moment(start, Happening::Started));
        observation
            .history
            .remember(moment(start - 5, Happening::Died { exit_code: 1 }));
    }
    observation.probe = None;
    assert_snapshot!(asked("how are you?", &observation), @"
    I'm not well: I am in a restart loop: I ended 4 times within 4 min 10 s, with exit code 1 [1]. uvicorn runs [2]; 48 MB of memory, no limit set [3]; up 1 s, restarted 4 times [4].
      [1] event: events die 13:57:16 exitCode=1, 13:58:56 exitCode=1, 14:00:36 exitCode=1, 14:01:26 exitCode=1, 2026-11-20T14:02:11Z
      [2] process: 1 process: 4242 uvicorn, 2026-11-20T14:02:11Z
      [3] cgroup: memory.current 50331648, 2026-11-20T14:02:11Z
      [4] engine: started 2026-11-20T14:02:10Z, restart count 4, 2026-11-20T14:02:11Z
      critical restart.loop [1]
    ");

    // Somebody restarted it by hand, and often: no loop.
    let mut observation = healthy();
    for start in [300, 200, 100, 50] {
        observation
            .history
            .remember(moment(start, Happening::Started));
        observation
            .history
            .remember(moment(start - 5, Happening::Killed { signal: 15 }));
        observation
            .history
            .remember(moment(start - 5, Happening::Died { exit_code: 143 }));
        observation
            .history
            .remember(moment(start - 5, Happening::Stopped));
    }
    assert!(ids(&observation).is_empty());
    let text = content("uptime and status", &observation);
    assert!(text.contains("up 12 s, started 5 times"), "{text}");
}

#[test]
fn a_closed_port_names_the_one_that_is_open() {
    let mut observation = healthy();
    change(&mut observation, |state| state.started_at = Some(ago(120)));
    observation.listeners = Some(vec![Listener {
        port: 8080,
        loopback: false,
        pid: Some(4242),
        waiting: 0,
    }]);
    let probe = observation.probe.as_mut().expect("a probe");
    probe.outcome = Outcome::Refused;
    assert_snapshot!(asked("status", &observation), @"
    I'm not well: nothing listens on port 8000, which the manifest says is mine; I listen on 8080 instead [1][2]. uvicorn runs [3]; 48 MB of memory, no limit set [4]; up 2 min, never restarted [5].
      [1] manifest: manifest: container fastapi has ports [8000], 2026-11-20T14:02:11Z
      [2] process: LISTEN *:8080, 2026-11-20T14:02:11Z
      [3] process: 1 process: 4242 uvicorn, 2026-11-20T14:02:11Z
      [4] cgroup: memory.current 50331648, 2026-11-20T14:02:11Z
      [5] engine: started 2026-11-20T14:00:11Z, restart count 0, 2026-11-20T14:02:11Z
      critical port.closed [1, 2]
    ");
    assert_snapshot!(content("memory", &observation), @"
    I use 48 MB of memory, and no limit is set [1]. The kernel killed none of my processes for want of it [2].
    Besides, I'm not well: nothing listens on port 8000, which the manifest says is mine; I listen on 8080 instead [3][4].
    ");

    observation.listeners = Some(vec![Listener {
        port: 8000,
        loopback: true,
        pid: Some(4242),
        waiting: 0,
    }]);
    assert_eq!(ids(&observation), ["port.loopback"]);

    // In its first seconds a server may still be on its way.
    change(&mut observation, |state| state.started_at = Some(ago(2)));
    assert!(ids(&observation).is_empty());
    assert_snapshot!(content("status", &observation), @"I'm starting: nothing answers on port 8000 yet [1]. uvicorn runs [2]; 48 MB of memory, no limit set [3]; up 2 s, never restarted [4].");
}

#[test]
fn other_faults_have_their_findings() {
    let fault = |edit: &dyn Fn(&mut Observation)| {
        let mut observation = healthy();
        change(&mut observation, |state| state.started_at = Some(ago(120)));
        edit(&mut observation);
        let diagnosis = diagnose(&observation);
        let told: Vec<String> = diagnosis
            .findings
            .iter()
            .map(|found| format!("{} {}: {}", found.severity, found.id, found.text))
            .collect();
        told.join("\n")
    };
    let probe = |outcome: Outcome, milliseconds: u64| {
        fault(&|observation| {
            let probe = observation.probe.as_mut().expect("a probe");
            probe.outcome = outcome.clone();
            probe.latency = std::time::Duration::from_millis(milliseconds);
        })
    };
    let told = [
        probe(Outcome::Status(500), 3),
        probe(Outcome::Status(404), 3),
        probe(Outcome::Status(200), 2300),
        probe(Outcome::TimedOut, 2000),
        probe(Outcome::NotHttp("it hung up".to_owned()), 3),
        fault(&|observation| {
            let memory = observation.memory.as_mut().expect("memory");
            memory.limit = Some(50 << 20);
            memory.oom_kills = Some(2);
        }),
        fault(&|observation| {
            change(observation, |state| {
                let last_output = Some("connection refused".to_owned());
                state.health = Some(HealthState {
                    status: "unhealthy".to_owned(),
                    failing_streak: 3,
                    last_output,
                });
            });
        }),
        fault(&|observation| {
            change(observation, |state| {
                state.image_id = "sha256:bbbbbbbbbbbbbbbb".to_owned();
            });
        }),
        fault(&|observation| change(observation, |state| state.status = Status::Paused)),
        fault(&|observation| {
            observation.processes.extend((1..=6).map(|pid| Process {
                pid,
                state: 'Z',
                ..Process::default()
            }));
        }),
        fault(&|observation| {
            observation.history = History::default();
            change(observation, |state| {
                state.restart_policy = RestartPolicy::Always;
                state.restart_count = 5;
                state.started_at = Some(ago(20));
            });
        }),
    ];
    assert_snapshot!(told.join("\n"), @"
    critical probe.failed: GET http://172.17.0.2:8000/ answers 500.
    critical probe.failed: GET http://172.17.0.2:8000/ answers 404.
    warning probe.slow: I am slow: GET http://172.17.0.2:8000/ took 2.3 s.
    critical probe.failed: GET http://172.17.0.2:8000/ does not answer within 2.0 s.
    critical probe.failed: GET http://172.17.0.2:8000/ gets no HTTP answer: it hung up.
    critical memory.out: The kernel killed 2 processes of mine because memory ran out; the limit is 50 MB.
    warning memory.near_limit: I use 96 % of the memory I may use (48 MB of 50 MB).
    critical health.unhealthy: My own health check has failed 3 times in a row: connection refused.
    warning image.differs: I do not run the image I was built as: bbbbbbbbbbbb instead of aaaaaaaaaaaa.
    critical paused: I am paused: my processes stand still and answer nothing.
    warning processes.zombies: 6 of my processes ended and nobody collects them (zombies).
    critical restart.loop: I seem to be in a restart loop: the engine restarted me 5 times, last less than a minute ago.
    ");
}

#[test]
fn every_number_cited_is_there_and_every_finding_rests_on_something() {
    let mut sick = healthy();
    change(&mut sick, |state| state.started_at = Some(ago(120)));
    without_database(&mut sick);
    sick.listeners = Some(Vec::new());
    let observations = [
        healthy(),
        sick,
        ended(137, &[Happening::Killed { signal: 9 }]),
        ended(1, &[]),
        ended(0, &[Happening::Stopped]),
    ];
    for observation in &observations {
        for question in [
            "status",
            "health",
            "what happened",
            "services and ports and memory and cpu and uptime",
            "errors logs",
            "what is new in the logs",
            "env",
            "who are you",
            "zzz",
        ] {
            let reply = answer(question, observation);
            let numbers: Vec<u32> = reply
                .evidence
                .iter()
                .map(|evidence| evidence.number)
                .collect();
            assert_eq!(
                numbers,
                (1..=u32::try_from(numbers.len()).expect("few")).collect::<Vec<_>>()
            );
            for part in reply.content.split('[').skip(1) {
                if let Some(number) = part
                    .split(']')
                    .next()
                    .and_then(|digits| digits.parse::<u32>().ok())
                {
                    // `process [1]` in a log line is no citation, and there is evidence number 1 all the same.
                    assert!(numbers.contains(&number), "{question}: {}", reply.content);
                }
            }
            for finding in &reply.findings {
                assert!(!finding.evidence.is_empty(), "{finding:?}");
                assert!(
                    finding
                        .evidence
                        .iter()
                        .all(|number| numbers.contains(number)),
                    "{finding:?}"
                );
            }
        }
    }
}

#[test]
fn what_cannot_be_seen_is_not_made_up() {
    let gone = Observation::empty(now(), subject(), Sight::Gone, History::default());
    assert_snapshot!(asked("how are you?", &gone), @"
    The engine does not know my container any more [1].
      [1] engine: no such container: 6e6a564c2e5b, 2026-11-20T14:02:11Z
      warning gone [1]
    ");
    let reason =
        "no container engine answers at /var/run/docker.sock: Connection refused".to_owned();
    let blind = Observation::empty(now(), subject(), Sight::Blind(reason), History::default());
    assert_snapshot!(asked("how are you?", &blind), @"
    I cannot see my container: no container engine answers at /var/run/docker.sock: Connection refused [1].
      [1] engine: no container engine answers at /var/run/docker.sock: Connection refused, 2026-11-20T14:02:11Z
      critical unseen [1]
    ");
    assert_eq!(diagnose(&blind).wellness, Wellness::Unknown);

    // A container Ergon did not build, on an engine elsewhere: no /proc, no cgroup, no manifest.
    let mut foreign = healthy();
    foreign.subject.meant = None;
    foreign.memory = None;
    foreign.processor = None;
    foreign.listeners = None;
    foreign.processes.clear();
    foreign.services.clear();
    foreign.probe = None;
    assert_snapshot!(asked("status", &foreign), @"
    I'm running, and I see nothing wrong. Up 12 s, never restarted [1].
      [1] engine: started 2026-11-20T14:01:59Z, restart count 0, 2026-11-20T14:02:11Z
    ");
    assert_snapshot!(content("health, services, ports, memory, cpu, environment, what are you", &foreign), @"
    I'm running, and I see nothing wrong. Never restarted [1].
    I cannot see my processes: neither /proc nor the engine shows them.
    I cannot read my sockets. The host answers at 127.0.0.1:18000 for 8000 [2].
    I cannot read how much memory I use: neither my cgroup nor the engine tells.
    I cannot read how much processor time I use.
    My environment has DATABASE_URL [3]. I do not show values, and I know of none that is required.
    I am fastapi-ci, the companion of container fastapi (6e6a564c2e5b), which runs image fastapi:4f1c09ab77e2 [4]. Ergon did not build it, so I do not know what it was meant to be. My capabilities: monitor.
    ");
}
