//! A proposal as the API shows it. Pure.

use ergon_companion::actions;
use ergon_store::ProposalRow;

use crate::api;
use crate::words::rfc3339;

/// What was proposed, as it is kept; nothing where that cannot be read, or is not what its digest says.
pub(super) fn content(row: &ProposalRow) -> Option<actions::Proposal> {
    let content: actions::Proposal = serde_json::from_value(row.content.clone()).ok()?;
    let same = content.digest() == row.digest && content.target.id == row.container_id;
    same.then_some(content)
}

/// How it is shown, with how many have to approve it and who has.
pub(super) fn view(
    row: ProposalRow,
    now: i64,
    approvals_needed: u32,
    approved_by: Vec<String>,
) -> api::Proposal {
    let content = content(&row);
    let over = row.state == "open" && row.expires_at <= now;
    let shown = content.as_ref();
    let or_empty = |text: Option<String>| text.unwrap_or_default();
    api::Proposal {
        offer: or_empty(shown.map(actions::Proposal::offer)),
        class: or_empty(shown.map(|content| content.class().as_str().to_owned())),
        companion: or_empty(shown.map(|content| content.target.companion.clone())),
        commands: shown.map(actions::Proposal::commands).unwrap_or_default(),
        effect: or_empty(shown.map(actions::Proposal::effect)),
        verified: or_empty(shown.map(actions::Proposal::verified)),
        undo: shown
            .map(actions::Proposal::undo_commands)
            .unwrap_or_default(),
        precondition: shown
            .map(|content| content.precondition.0.clone())
            .unwrap_or_default(),
        why: content.map(|content| content.why).unwrap_or_default(),
        code: row.code,
        state: if over {
            "expired".to_owned()
        } else {
            row.state
        },
        action: row.action,
        container: row.container,
        container_id: row.container_id,
        origin: row.origin,
        digest: row.digest,
        created_at: rfc3339(row.created_at),
        expires_at: rfc3339(row.expires_at),
        decided_by: row.decided_by,
        decided_at: row.decided_at.map(rfc3339),
        begun_at: row.begun_at.map(rfc3339),
        ended_at: row.ended_at.map(rfc3339),
        outcome: row.outcome,
        approvals_needed,
        approved_by,
    }
}
