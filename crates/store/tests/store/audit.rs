//! The audit log: what is written down stays what it was, and what does not is found and named.

use std::fs;
use std::path::{Path, PathBuf};

use ed25519_dalek::SigningKey;
use ergon_store::{
    AuditLog, AuditProblem, AuditReader, AuditReport, CheckpointSigner, NewAuditEntry, verify_audit,
};

fn signer() -> CheckpointSigner {
    let key = SigningKey::from_bytes(&[7; 32]);
    CheckpointSigner::new(
        "ergon.test/audit",
        &key.to_bytes(),
        &key.verifying_key().to_bytes(),
    )
    .unwrap()
}

fn entry(number: u64) -> NewAuditEntry {
    NewAuditEntry {
        entry: "decision".to_owned(),
        channel: "http".to_owned(),
        principal: "owner".to_owned(),
        action: "add_project".to_owned(),
        kind: "project".to_owned(),
        name: Some(format!("project-{number}")),
        ..NewAuditEntry::default()
    }
}

/// A log of so many entries, ended in order.
fn log(folder: &Path, entries: u64) {
    let log = AuditLog::open(folder, signer()).unwrap();
    let before = log.size();
    for number in before..before + entries {
        assert_eq!(log.append(entry(number)).unwrap(), number);
    }
}

fn verified(folder: &Path) -> AuditReport {
    verify_audit(&AuditReader::new(folder), signer().key(), &[]).unwrap()
}

fn open_bundle(folder: &Path) -> PathBuf {
    let mut files: Vec<PathBuf> = fs::read_dir(folder.join("open"))
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    files.sort();
    files.pop().unwrap()
}

/// Changes the entries of the bundle that is open.
fn with_lines(folder: &Path, change: impl FnOnce(&mut Vec<String>)) {
    let path = open_bundle(folder);
    let text = fs::read_to_string(&path).unwrap();
    let mut lines: Vec<String> = text.lines().map(ToOwned::to_owned).collect();
    change(&mut lines);
    fs::write(
        &path,
        lines
            .iter()
            .map(|line| format!("{line}\n"))
            .collect::<String>(),
    )
    .unwrap();
}

/// Changes the entries of a bundle that is full.
fn with_bundle(folder: &Path, number: u64, change: impl FnOnce(&mut Vec<Vec<u8>>)) {
    let path = folder.join(format!("tile/entries/{number:03}"));
    let bytes = fs::read(&path).unwrap();
    let mut entries = Vec::new();
    let mut rest = &bytes[..];
    while let Some((length, after)) = rest.split_first_chunk::<2>() {
        let (entry, after) = after.split_at(usize::from(u16::from_be_bytes(*length)));
        entries.push(entry.to_vec());
        rest = after;
    }
    change(&mut entries);
    let mut bytes = Vec::new();
    for entry in entries {
        bytes.extend(u16::try_from(entry.len()).unwrap().to_be_bytes());
        bytes.extend(entry);
    }
    fs::write(path, bytes).unwrap();
}

#[test]
fn what_was_written_is_there_and_good() {
    let folder = tempfile::tempdir().unwrap();
    for entries in [0, 1, 17, 256, 300, 1] {
        log(folder.path(), entries);
        assert_eq!(verified(folder.path()).problems, []);
    }
    let report = verified(folder.path());
    assert_eq!(
        (report.size, report.signed, report.first),
        (575, Some(575), 0)
    );
}

#[test]
fn the_newest_come_first_and_go_on_where_the_last_ended() {
    let folder = tempfile::tempdir().unwrap();
    log(folder.path(), 600);
    let reader = AuditReader::new(folder.path());
    let even = |entry: &ergon_store::AuditEntry| entry.sequence.is_multiple_of(2);
    let (first, next) = reader.newest(600, 100, 10_000, even).unwrap();
    assert_eq!((first[0].sequence, first[99].sequence), (598, 400));
    let (second, _) = reader.newest(next.unwrap(), 100, 10_000, even).unwrap();
    assert_eq!(second[0].sequence, 398);
    let (none, next) = reader.newest(600, 100, 256, |_| false).unwrap();
    assert_eq!(
        (none.len(), next),
        (0, Some(256)),
        "a long search is broken off"
    );
    let (rest, next) = reader.newest(10, 100, 10_000, |_| true).unwrap();
    assert_eq!((rest.len(), next), (10, None));
}

#[test]
fn a_changed_entry_is_named() {
    let folder = tempfile::tempdir().unwrap();
    log(folder.path(), 300);
    with_lines(folder.path(), |lines| {
        lines[10] = lines[10].replace("owner", "nobody");
    });
    let problems = verified(folder.path()).problems;
    assert!(
        problems.contains(&AuditProblem::NotFollowed(266)),
        "{problems:?}"
    );
    assert!(
        problems.contains(&AuditProblem::Root { size: 300 }),
        "{problems:?}"
    );
}

#[test]
fn the_last_entry_changed_is_seen_by_what_was_signed() {
    let folder = tempfile::tempdir().unwrap();
    log(folder.path(), 3);
    with_lines(folder.path(), |lines| {
        lines[2] = lines[2].replace("owner", "nobody");
    });
    assert_eq!(
        verified(folder.path()).problems,
        [AuditProblem::Root { size: 3 }]
    );
}

#[test]
fn a_changed_entry_of_a_full_bundle_is_named() {
    let folder = tempfile::tempdir().unwrap();
    log(folder.path(), 600);
    with_bundle(folder.path(), 1, |entries| {
        let text = String::from_utf8(entries[3].clone()).unwrap();
        entries[3] = text.replace("owner", "nobody").into_bytes();
    });
    assert_eq!(
        verified(folder.path()).problems,
        [AuditProblem::Changed(259)]
    );
}

#[test]
fn a_dropped_entry_is_named_wherever_it_was() {
    let folder = tempfile::tempdir().unwrap();
    log(folder.path(), 300);
    with_bundle(folder.path(), 0, |entries| {
        entries.remove(42);
        entries.pop();
    });
    let missing = |first, last| AuditProblem::Missing { first, last };
    assert_eq!(
        verified(folder.path()).problems,
        [missing(42, 42), missing(255, 255)]
    );
    with_lines(folder.path(), |lines| drop(lines.drain(4..7)));
    let problems = verified(folder.path()).problems;
    assert!(problems.contains(&missing(260, 262)), "{problems:?}");
}

#[test]
fn reordered_entries_are_named() {
    let folder = tempfile::tempdir().unwrap();
    log(folder.path(), 20);
    with_lines(folder.path(), |lines| lines.swap(5, 6));
    let problems = verified(folder.path()).problems;
    assert!(
        problems.iter().any(|problem| matches!(
            problem,
            AuditProblem::Missing { first: 5, .. } | AuditProblem::Order { expected: 5, .. }
        )),
        "{problems:?}"
    );
}

#[test]
fn entries_taken_from_the_end_are_missed() {
    let folder = tempfile::tempdir().unwrap();
    log(folder.path(), 20);
    with_lines(folder.path(), |lines| lines.truncate(15));
    let short = AuditProblem::Short {
        signed: 20,
        size: 15,
    };
    assert_eq!(verified(folder.path()).problems, [short]);
    // Whoever goes on writing says so, and cannot make it good.
    log(folder.path(), 10);
    let problems = verified(folder.path()).problems;
    let AuditProblem::Damage {
        sequence: 15,
        detail,
    } = &problems[0]
    else {
        panic!("{problems:?}");
    };
    assert_eq!(
        detail,
        "a signed checkpoint counts 20 entries, and 15 are there: 5 are gone"
    );
}

#[test]
fn a_checkpoint_kept_elsewhere_holds_against_a_log_that_was_written_anew() {
    let folder = tempfile::tempdir().unwrap();
    log(folder.path(), 40);
    let reader = AuditReader::new(folder.path());
    let kept = signer()
        .key()
        .open(&reader.checkpoint().unwrap().unwrap())
        .unwrap();
    fs::remove_dir_all(folder.path()).unwrap();
    log(folder.path(), 50);
    assert_eq!(verified(folder.path()).problems, []);
    let report = verify_audit(&reader, signer().key(), &[kept]).unwrap();
    assert_eq!(report.problems, [AuditProblem::Root { size: 40 }]);
}

#[test]
fn a_checkpoint_that_somebody_else_signed_is_no_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    log(folder.path(), 3);
    let path = folder.path().join("checkpoint");
    let other = SigningKey::from_bytes(&[8; 32]);
    let other = CheckpointSigner::new(
        "ergon.test/audit",
        &other.to_bytes(),
        &other.verifying_key().to_bytes(),
    )
    .unwrap();
    let forged = other.sign(3, tlog_tiles::Hash([1; 32])).unwrap();
    for bytes in [
        &forged[..],
        b"",
        b"not a note",
        &fs::read(&path).unwrap()[..40],
    ] {
        fs::write(&path, bytes).unwrap();
        let problems = verified(folder.path()).problems;
        assert!(
            matches!(problems[..], [AuditProblem::Checkpoint(_)]),
            "{problems:?}"
        );
    }
}

#[test]
fn a_write_that_was_cut_short_is_taken_away() {
    let folder = tempfile::tempdir().unwrap();
    log(folder.path(), 5);
    let path = open_bundle(folder.path());
    let mut bytes = fs::read(&path).unwrap();
    bytes.extend_from_slice(br#"{"sequence":5,"previ"#);
    fs::write(&path, bytes).unwrap();
    log(folder.path(), 5);
    let report = verified(folder.path());
    assert_eq!((report.size, report.problems), (10, vec![]));
}

#[test]
fn a_crash_while_a_bundle_is_put_into_its_place_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    log(folder.path(), 256);
    // As if only the line file had been written: no tile, no checkpoint of it.
    let bundle = fs::read(folder.path().join("tile/entries/000")).unwrap();
    let mut lines = Vec::new();
    let mut rest = &bundle[..];
    while let Some((length, after)) = rest.split_first_chunk::<2>() {
        let (entry, after) = after.split_at(usize::from(u16::from_be_bytes(*length)));
        lines.extend_from_slice(entry);
        lines.push(b'\n');
        rest = after;
    }
    fs::remove_dir_all(folder.path().join("tile")).unwrap();
    fs::remove_file(folder.path().join("checkpoint")).unwrap();
    fs::write(folder.path().join("open/000000000000"), lines).unwrap();
    log(folder.path(), 10);
    let report = verified(folder.path());
    assert_eq!((report.size, report.problems), (266, vec![]));
}

#[test]
fn what_was_removed_by_the_log_itself_is_no_gap_and_what_somebody_removed_is() {
    let folder = tempfile::tempdir().unwrap();
    log(folder.path(), 800);
    let removed = {
        let log = AuditLog::open(folder.path(), signer()).unwrap();
        log.forget(600, entry(0)).unwrap()
    };
    assert_eq!(removed, 512);
    let report = verified(folder.path());
    assert_eq!((report.first, report.problems), (512, vec![]));
    let (older, next) = AuditReader::new(folder.path())
        .newest(520, 100, 10_000, |_| true)
        .unwrap();
    assert_eq!((older.len(), next), (8, None));
    fs::remove_file(folder.path().join("tile/entries/002")).unwrap();
    let missing = AuditProblem::Missing {
        first: 512,
        last: 767,
    };
    assert_eq!(verified(folder.path()).problems, [missing]);
}

#[test]
fn the_published_files_are_a_log_by_themselves() {
    let folder = tempfile::tempdir().unwrap();
    log(folder.path(), 300);
    // What others are given: no open bundle.
    fs::remove_dir_all(folder.path().join("open")).unwrap();
    let report = verified(folder.path());
    assert_eq!((report.size, report.problems), (300, vec![]));
    assert!(folder.path().join("tile/0/001.p/44").is_file());
    assert!(folder.path().join("tile/1/000.p/1").is_file());
}

#[tokio::test]
async fn an_entry_is_durable_before_its_answer() {
    let folder = tempfile::tempdir().unwrap();
    let log = AuditLog::open(folder.path(), signer()).unwrap();
    let writers = (0..8).map(|_| {
        let log = log.clone();
        tokio::spawn(async move {
            for number in 0..50 {
                let sequence = log.append(entry(number)).unwrap();
                log.settled(sequence).await.unwrap();
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    drop(log);
    let report = verified(folder.path());
    assert_eq!((report.size, report.problems), (400, vec![]));
}

#[tokio::test]
async fn a_log_that_cannot_be_kept_takes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let log = AuditLog::open(folder.path(), signer()).unwrap();
    // Where bundles go stands a file.
    fs::write(folder.path().join("tile"), "").unwrap();
    // What can be kept may be before it is found out that the rest cannot: at the latest when a bundle is full.
    let mut refused = None;
    for number in 0..=256 {
        match log.append(entry(number)) {
            Ok(sequence) => drop(log.settled(sequence).await),
            Err(error) => {
                refused = Some(error);
                break;
            }
        }
    }
    let refused = refused.expect("nothing is taken that cannot be kept");
    assert!(
        refused.to_string().contains("cannot be written"),
        "{refused}"
    );
    assert!(log.append(entry(0)).is_err());
}
