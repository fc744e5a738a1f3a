//! How many have to approve what, who has, and what was done without waiting for them.

use sqlx::Row;
use sqlx::any::AnyRow;

use crate::change::Change;
use crate::error::StoreError;
use crate::store::Store;

/// How many have to approve something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovalRuleRow {
    /// Of actions; `*` is all.
    pub class: String,
    /// A container's name; `*` is all.
    pub container: String,
    pub approvals: i64,
    pub created_by: String,
    /// Milliseconds since 1970, as the other times.
    pub created_at: i64,
}

/// Something that was done in an emergency without all who should have approved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverrideRow {
    /// Of the proposal.
    pub code: String,
    pub person: String,
    pub reason: String,
    pub overridden_at: i64,
    /// Who looked at it afterwards; absent: nobody has.
    pub reviewed_by: Option<String>,
    pub reviewed_at: Option<i64>,
    /// What they say of it.
    pub review: Option<String>,
}

impl Change {
    /// Keeps a rule in place of the one for the same.
    pub async fn put_approval_rule(&mut self, rule: &ApprovalRuleRow) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO approval_rules (class, container, approvals, created_by, created_at) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (class, container) DO UPDATE SET approvals = excluded.approvals, \
             created_by = excluded.created_by, created_at = excluded.created_at",
        )
        .bind(&rule.class)
        .bind(&rule.container)
        .bind(rule.approvals)
        .bind(&rule.created_by)
        .bind(rule.created_at)
        .execute(&mut *self.transaction)
        .await?;
        Ok(())
    }

    /// Forgets a rule. False where there is none.
    pub async fn remove_approval_rule(
        &mut self,
        class: &str,
        container: &str,
    ) -> Result<bool, StoreError> {
        let removed = sqlx::query("DELETE FROM approval_rules WHERE class = $1 AND container = $2")
            .bind(class)
            .bind(container)
            .execute(&mut *self.transaction)
            .await?;
        Ok(removed.rows_affected() == 1)
    }

    /// Counts somebody's yes to this content, once, and says who has said yes to it.
    pub async fn vote(
        &mut self,
        code: &str,
        person: &str,
        digest: &str,
        now: i64,
    ) -> Result<Vec<String>, StoreError> {
        sqlx::query(
            "INSERT INTO votes (code, person, digest, voted_at) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (code, person) DO UPDATE SET digest = excluded.digest",
        )
        .bind(code)
        .bind(person)
        .bind(digest)
        .bind(now)
        .execute(&mut *self.transaction)
        .await?;
        let rows = sqlx::query(
            "SELECT person FROM votes WHERE code = $1 AND digest = $2 ORDER BY voted_at, person",
        )
        .bind(code)
        .bind(digest)
        .fetch_all(&mut *self.transaction)
        .await?;
        rows.iter().map(|row| Ok(row.try_get("person")?)).collect()
    }

    /// Keeps that somebody did not wait.
    pub async fn add_override(&mut self, row: &OverrideRow) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO overrides (code, person, reason, overridden_at) VALUES ($1, $2, $3, $4)",
        )
        .bind(&row.code)
        .bind(&row.person)
        .bind(&row.reason)
        .bind(row.overridden_at)
        .execute(&mut *self.transaction)
        .await?;
        Ok(())
    }

    /// Keeps what somebody else says of it. False where there is nothing to be looked at, or it was theirs.
    pub async fn review_override(
        &mut self,
        code: &str,
        by: &str,
        review: &str,
        now: i64,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE overrides SET reviewed_by = $1, reviewed_at = $2, review = $3 \
             WHERE code = $4 AND person <> $5 AND reviewed_by IS NULL",
        )
        .bind(by)
        .bind(now)
        .bind(review)
        .bind(code)
        .bind(by)
        .execute(&mut *self.transaction)
        .await?;
        Ok(done.rows_affected() == 1)
    }
}

impl Store {
    /// Every rule, by class and container.
    pub async fn approval_rules(&self) -> Result<Vec<ApprovalRuleRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT class, container, approvals, created_by, created_at FROM approval_rules ORDER BY class, container",
        )
        .fetch_all(&self.pool)
        .await?;
        let rule = |row: &AnyRow| {
            Ok(ApprovalRuleRow {
                class: row.try_get("class")?,
                container: row.try_get("container")?,
                approvals: row.try_get("approvals")?,
                created_by: row.try_get("created_by")?,
                created_at: row.try_get("created_at")?,
            })
        };
        rows.iter().map(rule).collect()
    }

    /// Who has said yes to this content, in that order.
    pub async fn votes(&self, code: &str, digest: &str) -> Result<Vec<String>, StoreError> {
        let rows = sqlx::query(
            "SELECT person FROM votes WHERE code = $1 AND digest = $2 ORDER BY voted_at, person",
        )
        .bind(code)
        .bind(digest)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(|row| Ok(row.try_get("person")?)).collect()
    }

    /// What was done without waiting, the newest first.
    pub async fn overrides(&self) -> Result<Vec<OverrideRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT code, person, reason, overridden_at, reviewed_by, reviewed_at, review FROM overrides \
             ORDER BY overridden_at DESC, code",
        )
        .fetch_all(&self.pool)
        .await?;
        let row = |row: &AnyRow| {
            Ok(OverrideRow {
                code: row.try_get("code")?,
                person: row.try_get("person")?,
                reason: row.try_get("reason")?,
                overridden_at: row.try_get("overridden_at")?,
                reviewed_by: row.try_get("reviewed_by")?,
                reviewed_at: row.try_get("reviewed_at")?,
                review: row.try_get("review")?,
            })
        };
        rows.iter().map(row).collect()
    }
}
