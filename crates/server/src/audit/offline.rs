//! Whether the audit log in a folder is what it was, whoever asks: a stack that runs, or somebody while none does.

use std::path::Path;

use ergon_pack::attest::StackKey;
use ergon_store::{AuditReader, CheckpointKey, SignedCheckpoint, verify_audit};

use super::AuditLogError;
use crate::api;
use crate::identity::Authority;

/// Checks a log, also against checkpoints that were kept elsewhere.
pub fn verify(
    reader: &AuditReader,
    key: &CheckpointKey,
    elsewhere: &[String],
) -> Result<api::AuditReport, AuditLogError> {
    let mut kept: Vec<SignedCheckpoint> = Vec::new();
    for text in elsewhere {
        let checkpoint = key.open(text.as_bytes());
        kept.push(checkpoint.map_err(|error| AuditLogError::Checkpoint(error.to_string()))?);
    }
    let report = verify_audit(reader, key, &kept)?;
    Ok(api::AuditReport {
        good: report.problems.is_empty(),
        entries: report.size,
        first: report.first,
        signed: report.signed,
        problems: report.problems.iter().map(ToString::to_string).collect(),
    })
}

/// What the log of a stack is called in its checkpoints.
pub fn origin(stack: &str) -> String {
    format!("ergon/{stack}/audit")
}

/// Checks the log in a data folder. Nothing is made there that is not there already.
pub fn verify_folder(data: &Path, elsewhere: &[String]) -> Result<api::AuditReport, AuditLogError> {
    let unknown = |what: String| AuditLogError::Checkpoint(what);
    let authority = Authority::existing(data).map_err(|error| unknown(error.to_string()))?;
    // Opening it would make one where there is none.
    if !data.join("signing.key").exists() {
        return Err(unknown(
            "there is no signing.key that it was signed with".to_owned(),
        ));
    }
    let key = StackKey::open(data).map_err(|error| unknown(error.to_string()))?;
    let origin = origin(&authority.trust_domain().to_string());
    let key = CheckpointKey::new(&origin, &key.public_bytes())
        .map_err(|error| unknown(error.to_string()))?;
    verify(&AuditReader::new(&data.join("audit")), &key, elsewhere)
}
