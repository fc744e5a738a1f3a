//! Guard-rails: what an owner lets happen without being asked each time. They stand in for a person over
//! what was found, never over what somebody says to a companion, and never over what is destructive.

use ergon_companion::actions::{Class, Proposal};
use ergon_store::{GuardRailRow, NewEvent, ProposalRow, StoreError, now};
use serde_json::json;

use super::executor::Executor;
use super::view::content;
use super::{ApprovalError, Approvals};
use crate::api;
use crate::words::rfc3339;

/// Actions that a guard-rail may allow; what is destructive is not among them.
const ALLOWED: [&str; 5] = ["start", "restart", "stop", "unpause", "limit-memory"];
/// More often than this in its time is no guard any more.
const MOST_TIMES: u32 = 100;

impl Approvals<'_> {
    pub async fn guard_rails(&self) -> Result<Vec<api::GuardRail>, ApprovalError> {
        let rows = self.stack.store().guard_rails().await?;
        Ok(rows.into_iter().map(shown).collect())
    }

    pub async fn add_guard_rail(
        &self,
        wanted: &api::AddGuardRail,
        by: &str,
    ) -> Result<api::GuardRail, ApprovalError> {
        let known = wanted.action.split('+').all(|word| ALLOWED.contains(&word));
        let sensible = (1..=MOST_TIMES).contains(&wanted.times) && wanted.within_seconds >= 60;
        if !known || !sensible || wanted.container.is_empty() {
            return Err(ApprovalError::GuardRail {
                allowed: ALLOWED.join(", "),
            });
        }
        let row = GuardRailRow {
            name: format!("{}-{}", wanted.container, wanted.action),
            action: wanted.action.clone(),
            container: wanted.container.clone(),
            times: i64::from(wanted.times),
            within_seconds: i64::from(wanted.within_seconds),
            created_by: by.to_owned(),
            created_at: now(),
        };
        let told = told(
            "dev.ergon.guard-rail.added",
            &row.name,
            json!({ "by": by, "action": row.action, "container": row.container, "times": row.times,
                    "within_seconds": row.within_seconds }),
        );
        let mut change = self.stack.store().change(told).await?;
        change.add_guard_rail(&row).await?;
        change.commit().await?;
        Ok(shown(row))
    }

    pub async fn remove_guard_rail(&self, name: &str, by: &str) -> Result<(), ApprovalError> {
        let told = told("dev.ergon.guard-rail.removed", name, json!({ "by": by }));
        let mut change = self.stack.store().change(told).await?;
        if !change.remove_guard_rail(name).await? {
            return Err(ApprovalError::NoGuardRail {
                name: name.to_owned(),
            });
        }
        Ok(change.commit().await?)
    }

    /// Approves a proposal in the name of a guard-rail, where there is one that still may. What counts is what is
    /// kept under this code, and that is carried out.
    pub(super) async fn let_pass(&self, code: &str) -> Result<(), StoreError> {
        let Some(row) = self.stack.store().proposal(code).await? else {
            return Ok(());
        };
        let Some(content) = content(&row).filter(may_pass) else {
            return Ok(());
        };
        // It stands in for one person, not for several.
        if self.needed(&row).await? > 1 {
            return Ok(());
        }
        // One at a time, so that two looks cannot both take the last time.
        let _counting = self.stack.turns().counting.lock().await;
        let Some(by) = self.standing_in(&row).await? else {
            return Ok(());
        };
        if let Err(error) = self.decide(&row, &row.digest, "approved", &by).await {
            tracing::info!(%error, code, by, "a guard-rail decided over nothing");
            return Ok(());
        }
        let (stack, code) = (self.stack.clone(), row.code);
        tokio::spawn(async move { Executor::new(&stack, code, content).carry_out().await });
        Ok(())
    }

    /// Which guard-rail may say yes now. One that let something pass that did not help is not trusted again
    /// before its time is over: a person has to look.
    async fn standing_in(&self, row: &ProposalRow) -> Result<Option<String>, StoreError> {
        let now = now();
        for rail in self.stack.store().guard_rails().await? {
            if rail.action != row.action || rail.container != row.container {
                continue;
            }
            let by = format!("guard-rail {}", rail.name);
            let after = now.saturating_sub(rail.within_seconds.saturating_mul(1000));
            let (times, unhelpful) = self.stack.store().decided_by(&by, after).await?;
            if times < rail.times && unhelpful == 0 {
                return Ok(Some(by));
            }
        }
        Ok(None)
    }
}

/// Whether a guard-rail may stand in for a person over it at all: not over what is destructive, nor over what only
/// somebody's words asked for.
fn may_pass(content: &Proposal) -> bool {
    content.class() != Class::Destructive
        && content.why.iter().any(|reason| reason.finding != "asked")
}

fn shown(row: GuardRailRow) -> api::GuardRail {
    api::GuardRail {
        name: row.name,
        action: row.action,
        container: row.container,
        times: u32::try_from(row.times).unwrap_or(u32::MAX),
        within_seconds: u32::try_from(row.within_seconds).unwrap_or(u32::MAX),
        created_by: row.created_by,
        created_at: rfc3339(row.created_at),
    }
}

fn told(kind: &'static str, name: &str, data: serde_json::Value) -> NewEvent {
    NewEvent::new(kind, format!("guard-rail/{name}"), data)
}
