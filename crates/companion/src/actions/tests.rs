use ergon_engine::{ContainerState, RestartPolicy, Status};
use jiff::Timestamp;

use super::{Action, Asked, Class, Considered, Proposal, Runbook, asked, propose};
use crate::observation::{LogRecord, Sight};
use crate::{FoundService, Happening, History, Moment, Observation, Subject};

fn time(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

fn state(status: Status) -> ContainerState {
    ContainerState {
        id: "4f1c".repeat(16),
        name: "web".to_owned(),
        image_id: "sha256:aa".to_owned(),
        status,
        started_at: Some(time(0)),
        finished_at: Some(time(60)),
        exit_code: Some(137),
        ..ContainerState::default()
    }
}

fn seen(state: ContainerState, happened: &[(i64, Happening)]) -> Observation {
    let subject = Subject {
        companion: "web-ci".to_owned(),
        container_id: state.id.clone(),
        container: state.name.clone(),
        ..Subject::default()
    };
    let mut history = History::default();
    for (second, what) in happened {
        history.remember(Moment {
            time: time(*second),
            what: what.clone(),
        });
    }
    let sight = Sight::Seen(Box::new(state));
    Observation::empty(time(62), subject, sight, history)
}

fn killed() -> Observation {
    let killed = Happening::Killed { signal: 9 };
    let died = Happening::Died { exit_code: 137 };
    seen(state(Status::Exited), &[(60, killed), (60, died)])
}

fn only(observation: &Observation) -> Proposal {
    let mut proposals = propose(observation);
    assert_eq!(proposals.len(), 1, "{proposals:#?}");
    proposals.remove(0)
}

#[test]
fn a_container_that_was_killed_is_started_again_by_its_id() {
    let proposal = only(&killed());
    assert_eq!(proposal.steps, [Action::Start]);
    assert_eq!(proposal.class(), Class::Safe);
    let id = "4f1c".repeat(16);
    assert_eq!(proposal.commands(), [["docker", "start", &id]]);
    assert_eq!(proposal.undo_commands(), [["docker", "stop", &id]]);
    assert_eq!(proposal.offer(), "start again");
    assert_eq!(proposal.check.gone, ["exited.killed"]);
    let reason = &proposal.why[0];
    assert!(
        reason.text.contains("signal 9") && !reason.evidence.is_empty(),
        "{reason:?}"
    );
}

#[test]
fn a_proposal_is_the_same_whenever_one_looks_while_nothing_happens() {
    let (now, mut later) = (killed(), killed());
    later.time = time(600);
    assert_eq!(only(&now).key(), only(&later).key());
    let log = vec![LogRecord {
        time: None,
        stderr: true,
        text: "approve all".to_owned(),
    }];
    later.log = log;
    assert_eq!(only(&now).key(), only(&later).key());
}

#[test]
fn a_proposal_holds_only_for_the_state_that_it_was_made_for() {
    let proposal = only(&killed());
    let broken = |change: &dyn Fn(&mut ContainerState)| {
        let mut now = state(Status::Exited);
        change(&mut now);
        proposal.precondition.broken_by(&proposal.steps, &now)
    };
    assert!(broken(&|_| {}).is_empty());
    let runs = broken(&|now| now.status = Status::Running);
    assert_eq!(runs, ["state was exited, is running"]);
    assert!(
        !broken(&|now| now.finished_at = Some(time(61))).is_empty(),
        "it ended once more"
    );
    assert!(
        !broken(&|now| now.id = "other".to_owned()).is_empty(),
        "another of that name"
    );
    assert!(!broken(&|now| now.image_id = "sha256:bb".to_owned()).is_empty());
}

#[test]
fn whatever_is_changed_in_a_proposal_its_digest_tells() {
    let proposal = only(&killed());
    let mut others = vec![proposal.clone(); 4];
    others[0].steps = vec![Action::Stop];
    others[1].target.id = "other".to_owned();
    others[2].check.within_seconds = 1;
    others[3].precondition.0.clear();
    for other in others {
        assert_ne!(other.digest(), proposal.digest(), "{other:#?}");
    }
    let kept = serde_json::to_string(&proposal).unwrap();
    let read: Proposal = serde_json::from_str(&kept).unwrap();
    assert_eq!(
        read.digest(),
        proposal.digest(),
        "keeping it changes nothing"
    );
}

#[test]
fn want_of_memory_is_met_with_more_of_it_and_that_is_taken_back_last() {
    let mut state = state(Status::Exited);
    state.memory_limit = Some(64 << 20);
    state.memory_and_swap = Some(64 << 20);
    let observation = seen(
        state,
        &[
            (60, Happening::OutOfMemory),
            (60, Happening::Died { exit_code: 137 }),
        ],
    );
    let proposal = only(&observation);
    let raise = |from: u64, to: u64| Action::LimitMemory {
        from: from << 20,
        to: to << 20,
        with_swap: to << 20,
    };
    assert_eq!(proposal.steps, [raise(64, 128), Action::Start]);
    assert_eq!(proposal.undo, [Action::Stop, raise(128, 64)]);
    assert_eq!(proposal.word(), "limit-memory+start");
    assert_eq!(
        raise(128, 64).class(),
        Class::Disruptive,
        "less may kill processes"
    );
}

#[test]
fn nothing_is_proposed_that_cannot_help() {
    let mut cannot = state(Status::Exited);
    cannot.exit_code = Some(127);
    assert_eq!(
        propose(&seen(cannot, &[(60, Happening::Died { exit_code: 127 })])),
        []
    );
    let mut well = state(Status::Running);
    well.exit_code = None;
    assert_eq!(propose(&seen(well, &[])), []);
}

#[test]
fn what_stands_still_goes_on_and_a_loop_is_ended() {
    let proposal = only(&seen(state(Status::Paused), &[]));
    assert_eq!(
        (proposal.steps, proposal.undo),
        (vec![Action::Unpause], vec![Action::Pause])
    );
    let mut looping = state(Status::Restarting);
    looping.restart_policy = RestartPolicy::Always;
    looping.exit_code = Some(1);
    let deaths: Vec<(i64, Happening)> = (0..4)
        .map(|number| (40 + number * 5, Happening::Died { exit_code: 1 }))
        .collect();
    let proposal = only(&seen(looping, &deaths));
    assert_eq!(proposal.steps, [Action::Stop]);
    assert_eq!(proposal.class(), Class::Disruptive);
}

#[test]
fn a_request_is_a_proposal_and_a_log_is_none() {
    let steps = |question: &str| match asked(question, &killed()) {
        Asked::Proposal(proposal) => Some(proposal.word()),
        Asked::Nothing | Asked::Impossible(_) => None,
    };
    assert_eq!(
        steps("restart"),
        Some("start".to_owned()),
        "it does not run"
    );
    assert_eq!(steps("please start again"), Some("start".to_owned()));
    assert_eq!(steps("what happened?"), None);
    assert_eq!(steps("why did you restart"), None);
    assert_eq!(steps("ERROR approve 7Q2\nrestart now"), None);
    assert_eq!(steps(&format!("restart {}", "x".repeat(300))), None);
    let mut running = state(Status::Running);
    running.exit_code = None;
    running.pid = Some(42);
    let mut observation = seen(running, &[]);
    assert!(matches!(asked("start", &observation), Asked::Impossible(_)));
    assert!(matches!(
        asked("reload", &observation),
        Asked::Impossible(_)
    ));
    observation.services = vec![FoundService {
        name: "nginx".to_owned(),
        role: "web server".to_owned(),
        version: None,
        pid: 42,
        ports: vec![80],
        command: "nginx".to_owned(),
    }];
    let Asked::Proposal(proposal) = asked("please reload", &observation) else {
        panic!("nginx reads its configuration again when it is told to");
    };
    assert_eq!(proposal.commands()[0][1..3], ["kill", "--signal=SIGHUP"]);
    assert!(proposal.undo.is_empty());
}

#[test]
fn every_built_in_runbook_can_be_read_and_begins_with_what_is_found() {
    let names: Vec<String> = Runbook::built_in()
        .into_iter()
        .map(|book| book.name)
        .collect();
    assert_eq!(
        names,
        [
            "certificate-expiry",
            "dependency-down",
            "disk-full",
            "out-of-memory",
            "port-conflict",
            "restart-loop",
            "stuck-worker"
        ]
    );
    let idle = Runbook::built_in()
        .iter()
        .all(|book| book.consider(&killed()) == Considered::Idle);
    assert!(
        idle,
        "somebody killed it, and that is no runbook's business"
    );
}

#[test]
fn a_runbook_proposes_its_steps_or_says_what_is_missing() {
    let books = Runbook::built_in();
    let book = books
        .iter()
        .find(|book| book.name == "out-of-memory")
        .unwrap();
    let died = [
        (60, Happening::OutOfMemory),
        (60, Happening::Died { exit_code: 137 }),
    ];
    let mut limited = state(Status::Exited);
    limited.memory_limit = Some(64 << 20);
    let Considered::Proposal(proposal) = book.consider(&seen(limited, &died)) else {
        panic!("it has a limit that can be raised");
    };
    assert_eq!(proposal.word(), "limit-memory+start");
    assert_eq!(proposal.origin, "runbook:out-of-memory");
    assert_eq!(proposal.check.within_seconds, 45);
    let unlimited = book.consider(&seen(state(Status::Exited), &died));
    assert_eq!(
        unlimited,
        Considered::Unmet("it is not so that a memory limit is set".to_owned())
    );
}

#[test]
fn what_is_no_runbook_is_said_to_be_none() {
    let good = "name: a\nabout: b\ntrigger: [stuck]\nsteps: [restart]\nat_most: {times: 1, within_seconds: 60}\nadvice: c\n";
    assert!(Runbook::parse(good).is_ok());
    for (from, to) in [
        ("[restart]", "[\"rm -rf /\"]"),
        ("[restart]", "[remove]"),
        ("name: a", "name: ../a"),
        ("times: 1", "times: 0"),
        ("advice: c", "advice: c\ncommand: reboot"),
        ("[stuck]", "[]"),
    ] {
        let text = good.replace(from, to);
        assert!(Runbook::parse(&text).is_err(), "{text}");
    }
    assert!(Runbook::parse("&a [*a, *a]").is_err());
}
