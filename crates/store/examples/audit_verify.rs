//! Writes a log of so many entries as requests leave them, checks it whole, and prints what both took. For `benches/doors`.
//!
//!     audit_verify FOLDER [ENTRIES]

#![allow(clippy::print_stdout, reason = "what it prints is what it is for")]

use std::error::Error;
use std::path::PathBuf;
use std::time::Instant;

use ed25519_dalek::SigningKey;
use ergon_store::{AuditLog, CheckpointKey, CheckpointSigner, NewAuditEntry, verify_audit};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let folder = PathBuf::from(arguments.next().ok_or("audit_verify FOLDER [ENTRIES]")?);
    let count = match arguments.next() {
        Some(text) => text.to_string_lossy().parse()?,
        None => 1_000_000,
    };
    std::fs::create_dir_all(&folder)?;
    let key = SigningKey::from_bytes(&[7; 32]);
    let public = key.verifying_key().to_bytes();
    let log = AuditLog::open(
        &folder,
        CheckpointSigner::new("bench", &key.to_bytes(), &public)?,
    )?;
    let began = Instant::now();
    let mut last = 0;
    for number in 0_u64..count {
        last = log.append(entry(number))?;
    }
    log.settled(last).await?;
    println!("write {:.3}", began.elapsed().as_secs_f64());

    let began = Instant::now();
    let report = verify_audit(&log.reader(), &CheckpointKey::new("bench", &public)?, &[])?;
    println!("verify {:.3}", began.elapsed().as_secs_f64());
    if report.size != count || !report.problems.is_empty() {
        return Err(format!("it is not whole: {report:?}").into());
    }
    Ok(())
}

/// The two entries of a change, as the server writes them.
fn entry(number: u64) -> NewAuditEntry {
    let request = format!("0199a1c4-7d1e-7000-8000-{:012x}", number / 2);
    let is_outcome = number % 2 == 1;
    NewAuditEntry {
        entry: if is_outcome { "outcome" } else { "decision" }.to_owned(),
        request,
        channel: "http".to_owned(),
        principal: "ada".to_owned(),
        action: "RestartContainer".to_owned(),
        kind: "container".to_owned(),
        name: Some("shop-web".to_owned()),
        decision: (!is_outcome).then(|| "allow".to_owned()),
        policy: (!is_outcome).then(|| "operator/runs".to_owned()),
        status: is_outcome.then_some(200),
        body: (!is_outcome)
            .then(|| "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855".to_owned()),
        ..NewAuditEntry::default()
    }
}
