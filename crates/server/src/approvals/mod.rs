//! The one gate between what somebody would do to a container and its being done.
//!
//! A proposal is kept as it was made and never changed. Whoever approves it names the digest of what they
//! read; the store lets one decision count, and one beginning. What is carried out is what was kept, to the
//! container of that id, if that is still as it was. What a crash interrupts is never begun again.

mod error;
mod executor;
mod guard_rails;
mod offers;
mod runbooks;
mod view;
mod votes;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ergon_store::{NewEvent, ProposalRow, StoreError, now};
use serde_json::json;

pub use error::ApprovalError;

use self::executor::Executor;
use self::view::{content, view};
use crate::api;
use crate::stack::Stack;
use crate::words::rfc3339;

/// So many are listed.
const LISTED: i64 = 200;
/// How often is asked whose time is over.
const BEAT: Duration = Duration::from_secs(5);

/// Whose turn it is: one thing at a time is done to a container.
#[derive(Debug, Default)]
pub struct Turns {
    all: Mutex<BTreeMap<String, Arc<tokio::sync::Mutex<()>>>>,
    /// Held while it is counted what guard-rails let pass.
    counting: tokio::sync::Mutex<()>,
    /// Runbooks by container and name that were said to be used up, and since which time they were begun.
    used_up: tokio::sync::Mutex<BTreeMap<(String, String), i64>>,
}

impl Turns {
    fn of(&self, container_id: &str) -> Arc<tokio::sync::Mutex<()>> {
        let mut turns = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        // Nobody waits for a turn that only this map knows of.
        turns.retain(|_, turn| Arc::strong_count(turn) > 1);
        Arc::clone(turns.entry(container_id.to_owned()).or_default())
    }
}

/// Says of proposals whose time is over that it is, until the stack ends.
pub async fn run(stack: Stack) {
    let mut beat = tokio::time::interval(BEAT);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stack.shutdown().cancelled() => break,
            _ = beat.tick() => {
                if let Err(error) = stack.approvals().expire().await {
                    tracing::error!(%error, "proposals could not be said to have expired");
                }
            }
        }
    }
}

/// The stack's proposals.
pub struct Approvals<'a> {
    stack: &'a Stack,
}

impl<'a> Approvals<'a> {
    pub fn new(stack: &'a Stack) -> Self {
        Self { stack }
    }

    /// The newest first; only those that wait for a person where `open`.
    pub async fn list(&self, open: bool) -> Result<Vec<api::Proposal>, ApprovalError> {
        let now = now();
        let store = self.stack.store();
        let rows = if open {
            let mut rows = store.unfinished_proposals().await?;
            rows.retain(|row| row.state != "open" || row.expires_at > now);
            rows
        } else {
            store.proposals(LISTED).await?
        };
        let rules = store.approval_rules().await?;
        let mut shown = Vec::with_capacity(rows.len());
        for row in rows {
            let votes = match row.state.as_str() {
                "open" => store.votes(&row.code, &row.digest).await?,
                _ => Vec::new(),
            };
            let needed = votes::needed(&rules, &row);
            shown.push(view(row, now, needed, votes));
        }
        Ok(shown)
    }

    pub async fn read(&self, code: &str) -> Result<api::Proposal, ApprovalError> {
        let row = self.find(code).await?;
        let needed = self.needed(&row).await?;
        let votes = self.stack.store().votes(&row.code, &row.digest).await?;
        Ok(view(row, now(), needed, votes))
    }

    /// Says yes, in the name of `by`, to the content of this digest, and has it carried out once as many said so as have
    /// to. What was begun comes to its end though whoever asked does not wait for it.
    pub async fn approve(
        &self,
        code: &str,
        wanted: &api::ApproveProposal,
        by: &str,
    ) -> Result<api::Proposal, ApprovalError> {
        let row = self.find(code).await?;
        let content = checked(&row, wanted.container.as_deref())?;
        if self.vote(&row, &wanted.digest, by).await? {
            self.carry_out(row.code, content).await
        } else {
            self.read(&row.code).await
        }
    }

    /// Carries out what was decided, and says what came of it.
    async fn carry_out(
        &self,
        code: String,
        content: ergon_companion::actions::Proposal,
    ) -> Result<api::Proposal, ApprovalError> {
        let (stack, id) = (self.stack.clone(), code.clone());
        let work = tokio::spawn(async move {
            Executor::new(&stack, id, content).carry_out().await;
        });
        if let Err(error) = work.await {
            tracing::error!(%error, code, "a proposal's work ended unexpectedly");
        }
        self.read(&code).await
    }

    pub async fn deny(&self, code: &str, by: &str) -> Result<api::Proposal, ApprovalError> {
        let row = self.find(code).await?;
        self.decide(&row, &row.digest, "denied", by).await?;
        self.read(&row.code).await
    }

    async fn decide(
        &self,
        row: &ProposalRow,
        digest: &str,
        state: &'static str,
        by: &str,
    ) -> Result<(), ApprovalError> {
        let code = &row.code;
        let kind = match state {
            "approved" => "dev.ergon.proposal.approved",
            _ => "dev.ergon.proposal.denied",
        };
        let told = event(kind, row, json!({ "by": by, "digest": digest }));
        let mut change = self.stack.store().change(told).await?;
        if change
            .decide_proposal(code, digest, state, by, now())
            .await?
        {
            return Ok(change.commit().await?);
        }
        drop(change);
        Err(self.why_not(code, digest).await?)
    }

    /// Why a decision did not count.
    async fn why_not(&self, code: &str, digest: &str) -> Result<ApprovalError, ApprovalError> {
        let row = self.find(code).await?;
        let code = row.code;
        Ok(match row.state.as_str() {
            "open" if row.digest != digest => ApprovalError::Changed {
                code,
                is: row.digest,
            },
            "open" | "expired" => ApprovalError::Expired {
                code,
                at: rfc3339(row.expires_at),
            },
            _ => ApprovalError::Decided {
                code,
                state: row.state,
                by: row
                    .decided_by
                    .map(|by| format!(", decided by {by}"))
                    .unwrap_or_default(),
            },
        })
    }

    /// By its code, in any case.
    async fn find(&self, code: &str) -> Result<ProposalRow, ApprovalError> {
        let code = code.trim().to_uppercase();
        let row = self.stack.store().proposal(&code).await?;
        row.ok_or(ApprovalError::NotFound { code })
    }

    async fn expire(&self) -> Result<(), StoreError> {
        let now = now();
        for row in self.stack.store().unfinished_proposals().await? {
            if row.state == "open" && row.expires_at <= now {
                self.end(&row, "open", "expired", "Nobody approved it in time.")
                    .await?;
            }
        }
        Ok(())
    }

    /// Moves a proposal on and tells of it; says whether it was in the state `from`.
    async fn end(
        &self,
        row: &ProposalRow,
        from: &'static str,
        state: &'static str,
        outcome: &str,
    ) -> Result<bool, StoreError> {
        let kind = match state {
            "done" => "dev.ergon.proposal.done",
            "failed" => "dev.ergon.proposal.failed",
            "undone" => "dev.ergon.proposal.undone",
            "escalated" => "dev.ergon.proposal.escalated",
            "expired" => "dev.ergon.proposal.expired",
            "interrupted" => "dev.ergon.proposal.interrupted",
            _ => "dev.ergon.proposal.withdrawn",
        };
        let told = event(kind, row, json!({ "outcome": outcome }));
        let mut change = self.stack.store().change(told).await?;
        let ended = change
            .end_proposal(&row.code, from, state, outcome, now())
            .await?;
        if ended {
            change.commit().await?;
        }
        Ok(ended)
    }

    /// What a process before this one had begun is said to be interrupted, and is not begun again.
    pub async fn recover(&self) -> Result<(), StoreError> {
        for row in self.stack.store().unfinished_proposals().await? {
            let (from, outcome) = match row.state.as_str() {
                "approved" => (
                    "approved",
                    "The stack ended between the approval and the beginning: nothing was done, and the approval is used up."
                        .to_owned(),
                ),
                "running" => ("running", self.interrupted(&row).await),
                _ => continue,
            };
            tracing::warn!(
                code = row.code,
                container = row.container,
                outcome,
                "a proposal was interrupted"
            );
            self.end(&row, from, "interrupted", &outcome).await?;
        }
        Ok(())
    }

    /// What is seen of something that was interrupted.
    async fn interrupted(&self, row: &ProposalRow) -> String {
        let begun = "The stack ended while it was carried out. It is not begun again;";
        let state = match self.stack.engine() {
            Ok(engine) => engine.inspect(&row.container_id).await,
            Err(error) => Err(error),
        };
        match (state, content(row)) {
            (Ok(state), Some(content))
                if content.shows_in(&state) && since_begun(&content, row, &state) =>
            {
                format!("{begun} the engine shows that it was done.")
            }
            (Ok(state), _) => format!(
                "{begun} the engine does not show that it was done: the container is {}.",
                state.status
            ),
            (Err(error), _) => format!("{begun} whether it was done cannot be seen: {error}."),
        }
    }
}

/// What is to be done, where it can be read, and where whoever wants it said what is lost by it.
fn checked(
    row: &ProposalRow,
    named: Option<&str>,
) -> Result<ergon_companion::actions::Proposal, ApprovalError> {
    let code = row.code.clone();
    let Some(content) = content(row) else {
        return Err(ApprovalError::Unreadable { code });
    };
    let is_destructive = content.class() == ergon_companion::actions::Class::Destructive;
    if is_destructive && named != Some(row.container.as_str()) {
        let container = row.container.clone();
        return Err(ApprovalError::Unnamed { code, container });
    }
    Ok(content)
}

/// An event about a proposal. What it says of itself is enough to know what was done to what by whom.
fn event(kind: &'static str, row: &ProposalRow, more: serde_json::Value) -> NewEvent {
    let mut data = json!({
        "container": row.container, "container_id": row.container_id, "action": row.action, "origin": row.origin,
    });
    if let (Some(data), Some(more)) = (data.as_object_mut(), more.as_object()) {
        data.extend(more.clone());
    }
    NewEvent::new(kind, format!("proposal/{}", row.code), data)
}

/// Whether what runs was started by it: that something runs says nothing of a restart.
fn since_begun(
    content: &ergon_companion::actions::Proposal,
    row: &ProposalRow,
    state: &ergon_engine::ContainerState,
) -> bool {
    use ergon_companion::actions::Action;
    let starts = content
        .steps
        .iter()
        .any(|step| matches!(step, Action::Start | Action::Restart));
    let started = state.started_at.map(jiff::Timestamp::as_millisecond);
    !starts || started >= row.begun_at
}
