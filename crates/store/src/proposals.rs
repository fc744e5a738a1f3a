//! What was proposed to be done, and what became of it.

use serde_json::Value;
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::change::Change;
use crate::error::StoreError;
use crate::store::Store;

/// A proposal as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProposalRow {
    pub code: String,
    pub container_id: String,
    pub container: String,
    pub origin: String,
    pub action: String,
    pub same: String,
    pub digest: String,
    pub content: Value,
    pub state: String,
    /// Times are milliseconds since 1970.
    pub created_at: i64,
    pub expires_at: i64,
    pub decided_by: Option<String>,
    pub decided_at: Option<i64>,
    pub begun_at: Option<i64>,
    pub ended_at: Option<i64>,
    pub outcome: Option<String>,
}

const COLUMNS: &str = "code, container_id, container, origin, action, same, digest, content, state, created_at, \
     expires_at, decided_by, decided_at, begun_at, ended_at, outcome";

impl Change {
    /// Keeps a proposal. Its code must be nobody else's.
    pub async fn add_proposal(&mut self, row: &ProposalRow) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO proposals (code, container_id, container, origin, action, same, digest, content, state,
                                    created_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )
        .bind(&row.code)
        .bind(&row.container_id)
        .bind(&row.container)
        .bind(&row.origin)
        .bind(&row.action)
        .bind(&row.same)
        .bind(&row.digest)
        .bind(row.content.to_string())
        .bind(&row.state)
        .bind(row.created_at)
        .bind(row.expires_at)
        .execute(&mut *self.transaction)
        .await
        .map_err(StoreError::taken("proposal", &row.code))?;
        Ok(())
    }

    /// The proposal to do the same in the same state that is open or being carried out, if there is one. Asked
    /// inside the change that would add another, so that two who ask at once get one, also where a guard-rail
    /// has approved the first meanwhile.
    pub async fn open_proposal(
        &mut self,
        same: &str,
        now: i64,
    ) -> Result<Option<ProposalRow>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM proposals WHERE same = $1
               AND (state IN ('approved', 'running') OR state = 'open' AND expires_at > $2)
             ORDER BY created_at DESC, code LIMIT 1"
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(same)
            .bind(now)
            .fetch_optional(&mut *self.transaction)
            .await?;
        row.as_ref().map(proposal).transpose()
    }

    /// Decides over an open proposal with this content whose time is not over. Says whether it was this
    /// decision that counts: whoever comes second decides nothing.
    pub async fn decide_proposal(
        &mut self,
        code: &str,
        digest: &str,
        state: &str,
        by: &str,
        now: i64,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE proposals SET state = $1, decided_by = $2, decided_at = $3
             WHERE code = $4 AND digest = $5 AND state = 'open' AND expires_at > $6",
        )
        .bind(state)
        .bind(by)
        .bind(now)
        .bind(code)
        .bind(digest)
        .bind(now)
        .execute(&mut *self.transaction)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Notes that an approved proposal is being carried out. Only the first to say so may.
    pub async fn begin_proposal(&mut self, code: &str, now: i64) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE proposals SET state = 'running', begun_at = $1 WHERE code = $2 AND state = 'approved'",
        )
        .bind(now)
        .bind(code)
        .execute(&mut *self.transaction)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Ends a proposal that is in the state `from`. Says whether it was.
    pub async fn end_proposal(
        &mut self,
        code: &str,
        from: &str,
        state: &str,
        outcome: &str,
        now: i64,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE proposals SET state = $1, outcome = $2, ended_at = $3 WHERE code = $4 AND state = $5",
        )
        .bind(state)
        .bind(outcome)
        .bind(now)
        .bind(code)
        .bind(from)
        .execute(&mut *self.transaction)
        .await?;
        Ok(done.rows_affected() == 1)
    }
}

impl Store {
    pub async fn proposal(&self, code: &str) -> Result<Option<ProposalRow>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM proposals WHERE code = $1");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(code)
            .fetch_optional(&self.pool)
            .await?;
        row.as_ref().map(proposal).transpose()
    }

    /// The latest proposals, newest first.
    pub async fn proposals(&self, limit: i64) -> Result<Vec<ProposalRow>, StoreError> {
        let sql =
            format!("SELECT {COLUMNS} FROM proposals ORDER BY created_at DESC, code LIMIT $1");
        self.proposals_by(&sql, limit).await
    }

    /// Proposals that nobody has decided over or that are not carried out to the end, newest first.
    pub async fn unfinished_proposals(&self) -> Result<Vec<ProposalRow>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM proposals WHERE state IN ('open', 'approved', 'running')
             ORDER BY created_at DESC, code LIMIT $1"
        );
        self.proposals_by(&sql, i64::MAX).await
    }

    /// The latest proposals for one container, newest first.
    pub async fn proposals_of(&self, container_id: &str) -> Result<Vec<ProposalRow>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM proposals WHERE container_id = $1 ORDER BY created_at DESC, code LIMIT 200"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(container_id)
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(proposal).collect()
    }

    async fn proposals_by(&self, sql: &str, limit: i64) -> Result<Vec<ProposalRow>, StoreError> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql.to_owned()))
            .bind(limit)
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(proposal).collect()
    }
}

fn proposal(row: &AnyRow) -> Result<ProposalRow, StoreError> {
    let content: String = row.try_get("content")?;
    Ok(ProposalRow {
        code: row.try_get("code")?,
        container_id: row.try_get("container_id")?,
        container: row.try_get("container")?,
        origin: row.try_get("origin")?,
        action: row.try_get("action")?,
        same: row.try_get("same")?,
        digest: row.try_get("digest")?,
        // What cannot be read is no proposal that anybody could approve.
        content: serde_json::from_str(&content).unwrap_or_default(),
        state: row.try_get("state")?,
        created_at: row.try_get("created_at")?,
        expires_at: row.try_get("expires_at")?,
        decided_by: row.try_get("decided_by")?,
        decided_at: row.try_get("decided_at")?,
        begun_at: row.try_get("begun_at")?,
        ended_at: row.try_get("ended_at")?,
        outcome: row.try_get("outcome")?,
    })
}
