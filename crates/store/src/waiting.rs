//! Messages that wait for somebody to come back, and those that were given up.

use sqlx::Row;
use sqlx::any::AnyRow;

use crate::change::Change;
use crate::error::StoreError;
use crate::store::Store;

/// A message that waits, or was given up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WaitingRow {
    pub id: String,
    /// The order; given when it is kept.
    pub number: i64,
    pub sender: String,
    pub principal: String,
    pub recipient: String,
    pub content: String,
    /// `waiting`, `dead`.
    pub state: String,
    /// Times are milliseconds since 1970.
    pub created_at: i64,
    pub expires_at: i64,
    pub tries: i64,
    pub reason: Option<String>,
    pub died_at: Option<i64>,
}

/// How much waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WaitingAmount {
    pub messages: i64,
    pub bytes: i64,
}

const COLUMNS: &str = "id, number, sender, principal, recipient, content, state, created_at, expires_at, tries, \
     reason, died_at";

impl Change {
    /// Keeps a message until it can be brought.
    pub async fn add_waiting(&mut self, row: &WaitingRow) -> Result<(), StoreError> {
        let number = self.next_number("waiting").await?;
        sqlx::query(
            "INSERT INTO waiting_messages (id, number, sender, principal, recipient, recipient_key, content, bytes,
                 state, created_at, expires_at, tries, reason)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'waiting', $9, $10, 0, $11)",
        )
        .bind(&row.id)
        .bind(number)
        .bind(&row.sender)
        .bind(&row.principal)
        .bind(&row.recipient)
        .bind(row.recipient.to_lowercase())
        .bind(&row.content)
        .bind(i64::try_from(row.content.len()).unwrap_or(i64::MAX))
        .bind(row.created_at)
        .bind(row.expires_at)
        .bind(row.reason.as_deref())
        .execute(&mut *self.transaction)
        .await
        .map_err(StoreError::taken("message", &row.id))?;
        Ok(())
    }

    /// How much waits for somebody, and in all; given-up messages are counted with those of all.
    pub async fn waiting_amounts(
        &mut self,
        recipient: &str,
    ) -> Result<(WaitingAmount, WaitingAmount), StoreError> {
        let mut amounts = [WaitingAmount::default(); 2];
        for (amount, condition) in amounts
            .iter_mut()
            .zip(["recipient_key = $1 AND state = 'waiting'", "$1 = $1"])
        {
            let sql = format!(
                "SELECT COUNT(*) AS messages, CAST(COALESCE(SUM(bytes), 0) AS BIGINT) AS bytes
                 FROM waiting_messages WHERE {condition}"
            );
            let row = sqlx::query(sqlx::AssertSqlSafe(sql))
                .bind(recipient.to_lowercase())
                .fetch_one(&mut *self.transaction)
                .await?;
            amount.messages = row.try_get("messages")?;
            amount.bytes = row.try_get("bytes")?;
        }
        Ok((amounts[0], amounts[1]))
    }

    /// Notes that a message was tried and did not arrive.
    pub async fn waiting_tried(&mut self, id: &str, reason: &str) -> Result<(), StoreError> {
        sqlx::query("UPDATE waiting_messages SET tries = tries + 1, reason = $1 WHERE id = $2")
            .bind(reason)
            .bind(id)
            .execute(&mut *self.transaction)
            .await?;
        Ok(())
    }

    /// Gives a message up. Says whether it was waiting.
    pub async fn bury_waiting(
        &mut self,
        id: &str,
        reason: &str,
        now: i64,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE waiting_messages SET state = 'dead', reason = $1, died_at = $2 WHERE id = $3 AND state = 'waiting'",
        )
        .bind(reason)
        .bind(now)
        .bind(id)
        .execute(&mut *self.transaction)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Has a message that was given up wait again, as the last in the line. Says whether it was given up.
    pub async fn revive_waiting(&mut self, id: &str, expires_at: i64) -> Result<bool, StoreError> {
        let number = self.next_number("waiting").await?;
        let done = sqlx::query(
            "UPDATE waiting_messages SET state = 'waiting', died_at = NULL, number = $1, expires_at = $2
             WHERE id = $3 AND state = 'dead'",
        )
        .bind(number)
        .bind(expires_at)
        .bind(id)
        .execute(&mut *self.transaction)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Removes a message: it was brought, or nobody wants it any more. Says whether it was there.
    pub async fn remove_waiting(&mut self, id: &str) -> Result<bool, StoreError> {
        let done = sqlx::query("DELETE FROM waiting_messages WHERE id = $1")
            .bind(id)
            .execute(&mut *self.transaction)
            .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Removes messages that were given up before a time, and all but the latest `most` of those.
    pub async fn trim_dead(&mut self, most: i64, before: i64) -> Result<(), StoreError> {
        sqlx::query(
            "DELETE FROM waiting_messages WHERE state = 'dead' AND (died_at < $1 OR id NOT IN
                 (SELECT id FROM waiting_messages WHERE state = 'dead' ORDER BY died_at DESC, number DESC LIMIT $2))",
        )
        .bind(before)
        .bind(most)
        .execute(&mut *self.transaction)
        .await?;
        Ok(())
    }
}

impl Store {
    pub async fn waiting_message(&self, id: &str) -> Result<Option<WaitingRow>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM waiting_messages WHERE id = $1");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(id)
            .fetch_optional(&self.pool)
            .await?;
        row.as_ref().map(waiting).transpose()
    }

    /// Messages in a state, those that came first first.
    pub async fn waiting_messages(&self, state: &str) -> Result<Vec<WaitingRow>, StoreError> {
        let sql =
            format!("SELECT {COLUMNS} FROM waiting_messages WHERE state = $1 ORDER BY number");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(state)
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(waiting).collect()
    }

    /// The message that waits for somebody longest.
    pub async fn first_waiting(&self, recipient: &str) -> Result<Option<WaitingRow>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM waiting_messages WHERE recipient_key = $1 AND state = 'waiting'
             ORDER BY number LIMIT 1"
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(recipient.to_lowercase())
            .fetch_optional(&self.pool)
            .await?;
        row.as_ref().map(waiting).transpose()
    }

    /// For whom something waits.
    pub async fn waited_for(&self) -> Result<Vec<String>, StoreError> {
        let rows = sqlx::query(
            "SELECT DISTINCT recipient_key FROM waiting_messages WHERE state = 'waiting'",
        )
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| Ok(row.try_get("recipient_key")?))
            .collect()
    }
}

fn waiting(row: &AnyRow) -> Result<WaitingRow, StoreError> {
    Ok(WaitingRow {
        id: row.try_get("id")?,
        number: row.try_get("number")?,
        sender: row.try_get("sender")?,
        principal: row.try_get("principal")?,
        recipient: row.try_get("recipient")?,
        content: row.try_get("content")?,
        state: row.try_get("state")?,
        created_at: row.try_get("created_at")?,
        expires_at: row.try_get("expires_at")?,
        tries: row.try_get("tries")?,
        reason: row.try_get("reason")?,
        died_at: row.try_get("died_at")?,
    })
}
