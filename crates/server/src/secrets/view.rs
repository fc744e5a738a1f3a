//! Secrets as the API and the events show them: without what they say.

use std::collections::BTreeMap;

use ergon_store::{NewEvent, SecretGrantRow, SecretRow, SecretVersionRow, now};
use serde_json::json;

use super::SecretName;
use crate::api;
use crate::words::rfc3339;

pub(super) fn told(kind: &'static str, name: &SecretName, version: Option<i64>) -> NewEvent {
    let mut data = json!({ "name": name.as_str() });
    if let Some(version) = version {
        data["version"] = json!(version);
    }
    NewEvent::new(kind, format!("secret/{name}"), data)
}

pub(super) fn told_of_grant(kind: &'static str, row: &SecretGrantRow) -> NewEvent {
    let data = json!({
        "name": row.secret, "kind": row.kind, "project_id": row.project_id, "part": row.part,
    });
    NewEvent::new(kind, format!("secret/{}", row.secret), data)
}

pub(super) fn by_secret<T>(rows: Vec<T>, name: impl Fn(&T) -> &String) -> BTreeMap<String, Vec<T>> {
    let mut all: BTreeMap<String, Vec<T>> = BTreeMap::new();
    for row in rows {
        all.entry(name(&row).clone()).or_default().push(row);
    }
    all
}

pub(super) fn view(
    row: SecretRow,
    versions: &[SecretVersionRow],
    grants: Vec<SecretGrantRow>,
    projects: &BTreeMap<String, String>,
) -> api::Secret {
    let current = versions.iter().find(|row| row.state == "current");
    let expires_at = current.and_then(|row| row.expires_at);
    let grant = |row: SecretGrantRow| api::SecretGrant {
        project: projects.get(&row.project_id).cloned().unwrap_or_default(),
        kind: row.kind,
        project_id: row.project_id,
        part: (!row.part.is_empty()).then_some(row.part),
        granted_at: rfc3339(row.granted_at),
        granted_by: row.granted_by,
    };
    api::Secret {
        name: row.name,
        note: row.note,
        version: current.and_then(|row| u64::try_from(row.version).ok()),
        created_at: rfc3339(row.created_at),
        changed_at: rfc3339(row.changed_at),
        changed_by: row.changed_by,
        expires_at: expires_at.map(rfc3339),
        expired: expires_at.is_some_and(|time| time <= now()),
        grants: grants.into_iter().map(grant).collect(),
    }
}

pub(super) fn version_view(row: SecretVersionRow) -> api::SecretVersion {
    api::SecretVersion {
        version: u64::try_from(row.version).unwrap_or_default(),
        state: row.state,
        sealed_for: row.sealed_for,
        created_at: rfc3339(row.created_at),
        created_by: row.created_by,
        expires_at: row.expires_at.map(rfc3339),
    }
}
