//! An entry as an event of the Open Cybersecurity Schema Framework, class API Activity (6003). Pure.
//!
//! <https://schema.ocsf.io/1.3.0/classes/api_activity>

use ergon_store::AuditEntry;
use serde_json::{Value, json};

/// The event that an entry is.
pub fn event(entry: &AuditEntry) -> Value {
    let what = &entry.what;
    let activity = activity(&what.action);
    let denied = what
        .decision
        .as_deref()
        .is_some_and(|decision| decision != "allow");
    let failed = denied || what.status.is_some_and(|status| status >= 400);
    let time = entry
        .time
        .parse::<jiff::Timestamp>()
        .map_or(0, jiff::Timestamp::as_millisecond);
    json!({
        "activity_id": activity,
        "category_uid": 6,
        "class_uid": 6003,
        "type_uid": 600_300 + activity,
        "severity_id": if denied { 2 } else { 1 },
        "status_id": if failed { 2 } else { 1 },
        "status_code": what.status.map(|status| status.to_string()),
        "status_detail": what.decision,
        "time": time,
        "count": what.count.unwrap_or(1),
        "actor": { "user": { "name": what.principal } },
        "api": {
            "operation": what.action,
            "request": { "uid": what.request },
            "service": { "name": what.channel },
        },
        "src_endpoint": { "name": what.channel },
        "resources": [{ "type": what.kind, "name": what.name }],
        "metadata": {
            "version": "1.3.0",
            "product": { "name": "Ergon", "vendor_name": "Ergon", "version": env!("CARGO_PKG_VERSION") },
            "uid": entry.sequence.to_string(),
            "log_name": "audit",
        },
        "unmapped": {
            "entry": what.entry, "previous": entry.previous, "body_sha256": what.body, "detail": what.detail,
        },
    })
}

/// Create, read, update, delete, or other.
fn activity(action: &str) -> u32 {
    let begins = |words: &[&str]| words.iter().any(|word| action.starts_with(word));
    if begins(&[
        "Add", "Create", "Record", "Launch", "Import", "Push", "Register", "Run",
    ]) {
        1
    } else if begins(&["Read", "List", "Pull", "Export", "Use"]) {
        2
    } else if begins(&[
        "Change", "Save", "Start", "Stop", "Restart", "Approve", "Deny",
    ]) {
        3
    } else if begins(&["Remove", "Delete", "End", "Forget", "Collect"]) {
        4
    } else {
        99
    }
}

#[cfg(test)]
mod tests {
    use ergon_store::NewAuditEntry;

    use super::*;

    #[test]
    fn a_denial_is_an_activity_that_failed() {
        let entry = AuditEntry {
            sequence: 7,
            previous: "00".repeat(32),
            time: "2026-11-22T03:00:00Z".to_owned(),
            what: NewAuditEntry {
                entry: "decision".to_owned(),
                channel: "http".to_owned(),
                principal: "robot:ci".to_owned(),
                action: "RemoveProject".to_owned(),
                kind: "Project".to_owned(),
                name: Some("web".to_owned()),
                decision: Some("deny".to_owned()),
                ..NewAuditEntry::default()
            },
        };
        let event = event(&entry);
        assert_eq!(event["type_uid"], 600_304);
        assert_eq!(
            (&event["status_id"], &event["severity_id"]),
            (&json!(2), &json!(2))
        );
        assert_eq!(event["time"], 1_795_316_400_000_i64);
        assert_eq!(event["resources"][0]["name"], "web");
    }
}
