//! Companions that are programs, good and bad ones.

use std::path::Path;
use std::time::{Duration, Instant};

use ergon_hermes::{Cut, Details, Letter, SendError};

use crate::companions::{impatient, letter, overhear, send};

/// A shell as a tool: the test writes what it does.
fn shell(script: &str) -> Details {
    program(&["/bin/sh", "-c", script])
}

fn program(arguments: &[&str]) -> Details {
    Details {
        command: arguments
            .iter()
            .map(|&argument| argument.to_owned())
            .collect(),
        ..Details::default()
    }
}

#[tokio::test]
async fn a_program_reads_the_message_and_its_output_is_the_answer() {
    let got = send(program(&["/bin/cat"]), &letter("héllo; $(id) `x`"))
        .await
        .unwrap();
    assert_eq!(got.content, "héllo; $(id) `x`");
    let got = send(shell("printf %s \"$ERGON_FROM\""), &letter("x"))
        .await
        .unwrap();
    assert_eq!(got.content, "alice");
}

#[tokio::test]
async fn a_program_sees_little_of_the_stacks_environment() {
    let got = send(program(&["/usr/bin/env"]), &letter("x"))
        .await
        .unwrap();
    for line in got.content.lines() {
        let name = line.split('=').next().unwrap();
        let known = [
            "PATH",
            "HOME",
            "LANG",
            "TZ",
            "TMPDIR",
            "ERGON_FROM",
            "ERGON_MESSAGE_ID",
        ];
        assert!(known.contains(&name), "{line}");
    }
}

#[tokio::test]
async fn what_it_says_is_heard_while_it_runs() {
    let mut pieces = Vec::new();
    // It says more only once it was told more, and it is told all at once: both pieces come, in this order.
    let got = overhear(shell("echo one; cat"), &letter("two"), |piece| {
        pieces.push(piece);
    })
    .await;
    assert_eq!(got.unwrap().content, "one\ntwo");
    assert_eq!(pieces.concat(), "one\ntwo");
}

#[tokio::test]
async fn a_program_that_does_not_listen_may_answer() {
    let long = "x".repeat(30 << 10);
    let got = send(shell("echo well"), &letter(&long)).await.unwrap();
    assert_eq!(got.content, "well\n");
}

#[tokio::test]
async fn a_program_that_fails_says_why() {
    let error = send(shell("echo 'no disk' >&2; exit 3"), &letter("x"))
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "the program `/bin/sh` failed: no disk");
    let error = send(shell("exit 3"), &letter("x")).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the program `/bin/sh` failed: exit status: 3"
    );
    let error = send(program(&["/nowhere/tool"]), &letter("x"))
        .await
        .unwrap_err();
    assert!(matches!(error, SendError::NoProgram { .. }), "{error}");
}

#[tokio::test]
async fn a_program_that_writes_without_end_is_cut_and_ended() {
    let got = send(program(&["/usr/bin/yes"]), &letter("x"))
        .await
        .unwrap();
    assert_eq!(got.cut, Some(Cut::TooLong));
    assert!(got.content.len() <= 1 << 20);
}

#[tokio::test]
async fn a_program_that_complains_without_end_is_ended_with_its_time() {
    let letter = impatient(300);
    let error = send(shell("yes >&2"), &letter).await.unwrap_err();
    assert_eq!(error, SendError::TooSlow(Duration::from_millis(300)));
}

#[tokio::test]
async fn nothing_of_a_program_stays_behind() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pid");
    // It leaves a child that keeps its pipes, and says who that is.
    let script = format!("sleep 600 & echo $! > {}; echo $!; wait", file.display());
    let letter = Letter {
        patience: Duration::from_millis(600),
        ..letter("x")
    };
    let got = send(shell(&script), &letter).await.unwrap();
    assert!(matches!(got.cut, Some(Cut::TooSlow(_))), "{got:?}");
    let pid = std::fs::read_to_string(&file).unwrap();
    assert_eq!(pid, got.content);
    assert!(is_gone(pid.trim()), "{pid} still runs");
}

/// Whether a process is gone before long, or is only waited for by somebody who is not there.
fn is_gone(pid: &str) -> bool {
    let until = Instant::now() + Duration::from_secs(10);
    while Instant::now() < until {
        let stat = std::fs::read_to_string(Path::new("/proc").join(pid).join("stat"));
        let is_over = |stat: String| {
            stat.rsplit(") ")
                .next()
                .is_some_and(|rest| rest.starts_with('Z'))
        };
        if stat.map_or(true, is_over) {
            return true;
        }
        std::thread::yield_now();
    }
    false
}
