//! How many have to approve, who has, and what is done without waiting for them.
//!
//! A rule counts when somebody approves, not when something was proposed: who raises it raises it for what is open, too.
//! Whoever does not wait says why, and somebody else looks at it afterwards.

use ergon_companion::actions::Class;
use ergon_store::{ApprovalRuleRow, NewEvent, OverrideRow, ProposalRow, StoreError, now};
use serde_json::json;

use super::view::content;
use super::{ApprovalError, Approvals, checked, event};
use crate::api;
use crate::words::rfc3339;

/// More than so many are never there.
const MOST: u32 = 10;
/// A reason and a review are words, and not many.
const LONGEST: usize = 1000;
const CLASSES: [&str; 3] = ["safe", "disruptive", "destructive"];
/// Every class, every container.
const ALL: &str = "*";

impl Approvals<'_> {
    /// How many have to approve this.
    pub(super) async fn needed(&self, row: &ProposalRow) -> Result<u32, StoreError> {
        let rules = self.stack.store().approval_rules().await?;
        Ok(needed(&rules, row))
    }

    /// Counts a yes. Where it was the last that was needed, it is decided, and that is said.
    pub(super) async fn vote(
        &self,
        row: &ProposalRow,
        digest: &str,
        by: &str,
    ) -> Result<bool, ApprovalError> {
        let needed = self.needed(row).await?;
        if needed <= 1 {
            self.decide(row, digest, "approved", by).await?;
            return Ok(true);
        }
        if by.contains(':') {
            return Err(ApprovalError::NoPerson {
                code: row.code.clone(),
                by: by.to_owned(),
            });
        }
        let now = now();
        if row.state != "open" || row.digest != digest || row.expires_at <= now {
            return Err(self.why_not(&row.code, digest).await?);
        }
        let mut change = self.stack.store().unobserved().await?;
        let votes = change.vote(&row.code, by, digest, now).await?;
        if votes.len() < needed as usize {
            let told =
                json!({ "by": by, "digest": digest, "approvals": votes.len(), "needed": needed });
            change.tell(event("dev.ergon.proposal.vote", row, told));
            change.commit().await?;
            return Ok(false);
        }
        let all = votes.join(", ");
        let told = json!({ "by": all, "digest": digest });
        change.tell(event("dev.ergon.proposal.approved", row, told));
        if change
            .decide_proposal(&row.code, digest, "approved", &all, now)
            .await?
        {
            change.commit().await?;
            return Ok(true);
        }
        drop(change);
        Err(self.why_not(&row.code, digest).await?)
    }

    /// Approves without waiting for whoever else should have, for a reason. Somebody else looks at it afterwards.
    pub async fn override_waiting(
        &self,
        code: &str,
        wanted: &api::OverrideProposal,
        by: &str,
    ) -> Result<api::Proposal, ApprovalError> {
        let reason = words(&wanted.reason)?;
        if by.contains(':') {
            let code = code.to_owned();
            return Err(ApprovalError::NoPerson {
                code,
                by: by.to_owned(),
            });
        }
        let row = self.find(code).await?;
        let content = checked(&row, wanted.container.as_deref())?;
        let now = now();
        let decided_by = format!("{by}, who did not wait");
        let told = json!({ "by": by, "digest": wanted.digest, "reason": reason });
        let told = event("dev.ergon.proposal.overridden", &row, told);
        let mut change = self.stack.store().change(told).await?;
        if !change
            .decide_proposal(&row.code, &wanted.digest, "approved", &decided_by, now)
            .await?
        {
            drop(change);
            return Err(self.why_not(&row.code, &wanted.digest).await?);
        }
        let kept = OverrideRow {
            code: row.code.clone(),
            person: by.to_owned(),
            reason: reason.to_owned(),
            overridden_at: now,
            reviewed_by: None,
            reviewed_at: None,
            review: None,
        };
        change.add_override(&kept).await?;
        change.commit().await?;
        self.carry_out(row.code, content).await
    }

    /// What was done without waiting, the newest first.
    pub async fn overrides(&self) -> Result<Vec<api::Override>, ApprovalError> {
        let rows = self.stack.store().overrides().await?;
        Ok(rows.into_iter().map(shown).collect())
    }

    /// Keeps what somebody says of what another did without waiting.
    pub async fn review(
        &self,
        code: &str,
        review: &str,
        by: &str,
    ) -> Result<api::Override, ApprovalError> {
        let review = words(review)?;
        let code = code.trim().to_uppercase();
        let told = NewEvent::new(
            "dev.ergon.proposal.reviewed",
            format!("proposal/{code}"),
            json!({ "by": by }),
        );
        let mut change = self.stack.store().change(told).await?;
        let done = change.review_override(&code, by, review, now()).await?;
        if done {
            change.commit().await?;
        }
        let rows = self.stack.store().overrides().await?;
        let Some(row) = rows.into_iter().find(|row| row.code == code) else {
            return Err(ApprovalError::NotOverridden { code });
        };
        if done {
            return Ok(shown(row));
        }
        Err(match row.reviewed_by {
            Some(by) => ApprovalError::Reviewed { code, by },
            None => ApprovalError::OwnReview { code },
        })
    }

    pub async fn approval_rules(&self) -> Result<Vec<api::ApprovalRule>, ApprovalError> {
        let rows = self.stack.store().approval_rules().await?;
        Ok(rows.into_iter().map(rule).collect())
    }

    pub async fn put_approval_rule(
        &self,
        wanted: &api::PutApprovalRule,
        by: &str,
    ) -> Result<api::ApprovalRule, ApprovalError> {
        let class = wanted.class.as_deref().unwrap_or(ALL);
        let container = wanted.container.as_deref().unwrap_or(ALL);
        let is_known = class == ALL || CLASSES.contains(&class);
        let is_named = !container.is_empty() && container.len() <= 128;
        if !is_known || !is_named || !(1..=MOST).contains(&wanted.approvals) {
            return Err(ApprovalError::Rule { most: MOST });
        }
        let row = ApprovalRuleRow {
            class: class.to_owned(),
            container: container.to_owned(),
            approvals: i64::from(wanted.approvals),
            created_by: by.to_owned(),
            created_at: now(),
        };
        let data = json!({ "by": by, "class": class, "container": container, "approvals": wanted.approvals });
        let subject = format!("approval-rule/{class}/{container}");
        let told = NewEvent::new("dev.ergon.approval-rule.changed", subject, data);
        let mut change = self.stack.store().change(told).await?;
        change.put_approval_rule(&row).await?;
        change.commit().await?;
        Ok(rule(row))
    }

    pub async fn remove_approval_rule(
        &self,
        class: &str,
        container: &str,
        by: &str,
    ) -> Result<(), ApprovalError> {
        let subject = format!("approval-rule/{class}/{container}");
        let data = json!({ "by": by });
        let told = NewEvent::new("dev.ergon.approval-rule.removed", subject, data);
        let mut change = self.stack.store().change(told).await?;
        if !change.remove_approval_rule(class, container).await? {
            return Err(ApprovalError::NoRule {
                class: class.to_owned(),
                container: container.to_owned(),
            });
        }
        Ok(change.commit().await?)
    }
}

/// The most that any rule asks for; one where none does. Pure.
pub(super) fn needed(rules: &[ApprovalRuleRow], row: &ProposalRow) -> u32 {
    let class = content(row).map_or(Class::Destructive, |content| content.class());
    let matching = rules.iter().filter(|rule| {
        (rule.class == ALL || rule.class == class.as_str())
            && (rule.container == ALL || rule.container == row.container)
    });
    let most = matching.map(|rule| rule.approvals).max().unwrap_or(1);
    u32::try_from(most.max(1)).unwrap_or(MOST)
}

fn words(text: &str) -> Result<&str, ApprovalError> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > LONGEST {
        return Err(ApprovalError::NoReason { most: LONGEST });
    }
    Ok(text)
}

fn rule(row: ApprovalRuleRow) -> api::ApprovalRule {
    api::ApprovalRule {
        class: row.class,
        container: row.container,
        approvals: u32::try_from(row.approvals).unwrap_or(MOST),
        created_by: row.created_by,
        created_at: rfc3339(row.created_at),
    }
}

fn shown(row: OverrideRow) -> api::Override {
    api::Override {
        code: row.code,
        by: row.person,
        reason: row.reason,
        at: rfc3339(row.overridden_at),
        reviewed_by: row.reviewed_by,
        reviewed_at: row.reviewed_at.map(rfc3339),
        review: row.review,
    }
}
