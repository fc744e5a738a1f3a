//! What was said to whom, and what came of it.

use sqlx::Row;
use sqlx::any::AnyRow;

use crate::change::Change;
use crate::error::StoreError;
use crate::store::Store;

/// One message and what came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExchangeRow {
    pub id: String,
    /// The cursor; given when it is kept.
    pub number: i64,
    pub sender: String,
    pub principal: String,
    pub recipient: String,
    pub way: String,
    pub outcome: String,
    pub reason: Option<String>,
    /// Milliseconds since 1970.
    pub began_at: i64,
    pub milliseconds: i64,
    pub bytes_sent: i64,
    pub bytes_received: i64,
    pub team: Option<String>,
    pub message: Option<String>,
    pub answer: Option<String>,
}

/// Which exchanges are wanted.
#[derive(Clone, Debug, Default)]
pub struct ExchangeFilter {
    pub recipient: Option<String>,
    pub sender: Option<String>,
    pub outcome: Option<String>,
    /// Only those that ended before the one with this number.
    pub before: Option<i64>,
}

const COLUMNS: &str = "id, number, sender, principal, recipient, way, outcome, reason, began_at, milliseconds, \
     bytes_sent, bytes_received, team, message, answer";

impl Change {
    /// The next number of a kind: `exchange`, `waiting`, `inbox`.
    pub(crate) async fn next_number(&mut self, kind: &str) -> Result<i64, StoreError> {
        let (number,): (i64,) = sqlx::query_as(
            "UPDATE message_numbers SET last = last + 1 WHERE kind = $1 RETURNING last",
        )
        .bind(kind)
        .fetch_one(&mut *self.transaction)
        .await?;
        Ok(number)
    }

    /// Keeps an exchange, and returns its number.
    pub async fn add_exchange(&mut self, row: &ExchangeRow) -> Result<i64, StoreError> {
        let number = self.next_number("exchange").await?;
        sqlx::query(
            "INSERT INTO exchanges (id, number, sender, principal, recipient, recipient_key, way, outcome, reason,
                 began_at, milliseconds, bytes_sent, bytes_received, team, message, answer)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
        )
        .bind(&row.id)
        .bind(number)
        .bind(&row.sender)
        .bind(&row.principal)
        .bind(&row.recipient)
        .bind(row.recipient.to_lowercase())
        .bind(&row.way)
        .bind(&row.outcome)
        .bind(row.reason.as_deref())
        .bind(row.began_at)
        .bind(row.milliseconds)
        .bind(row.bytes_sent)
        .bind(row.bytes_received)
        .bind(row.team.as_deref())
        .bind(row.message.as_deref())
        .bind(row.answer.as_deref())
        .execute(&mut *self.transaction)
        .await?;
        Ok(number)
    }

    /// Forgets all but the latest `most` exchanges, and those that began before a time.
    pub async fn trim_exchanges(&mut self, most: i64, before: i64) -> Result<(), StoreError> {
        sqlx::query(
            "DELETE FROM exchanges WHERE began_at < $1
                OR number <= (SELECT last FROM message_numbers WHERE kind = 'exchange') - $2",
        )
        .bind(before)
        .bind(most)
        .execute(&mut *self.transaction)
        .await?;
        Ok(())
    }
}

impl Store {
    /// The latest exchanges, newest first.
    pub async fn exchanges(
        &self,
        filter: &ExchangeFilter,
        limit: i64,
    ) -> Result<Vec<ExchangeRow>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM exchanges WHERE number < $1
               AND ($2 = '' OR recipient_key = $2) AND ($3 = '' OR sender = $3) AND ($4 = '' OR outcome = $4)
             ORDER BY number DESC LIMIT $5"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(filter.before.unwrap_or(i64::MAX))
            .bind(
                filter
                    .recipient
                    .as_deref()
                    .unwrap_or_default()
                    .to_lowercase(),
            )
            .bind(filter.sender.as_deref().unwrap_or_default())
            .bind(filter.outcome.as_deref().unwrap_or_default())
            .bind(limit)
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(exchange).collect()
    }

    pub async fn exchange(&self, id: &str) -> Result<Option<ExchangeRow>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM exchanges WHERE id = $1");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(id)
            .fetch_optional(&self.pool)
            .await?;
        row.as_ref().map(exchange).transpose()
    }
}

fn exchange(row: &AnyRow) -> Result<ExchangeRow, StoreError> {
    Ok(ExchangeRow {
        id: row.try_get("id")?,
        number: row.try_get("number")?,
        sender: row.try_get("sender")?,
        principal: row.try_get("principal")?,
        recipient: row.try_get("recipient")?,
        way: row.try_get("way")?,
        outcome: row.try_get("outcome")?,
        reason: row.try_get("reason")?,
        began_at: row.try_get("began_at")?,
        milliseconds: row.try_get("milliseconds")?,
        bytes_sent: row.try_get("bytes_sent")?,
        bytes_received: row.try_get("bytes_received")?,
        team: row.try_get("team")?,
        message: row.try_get("message")?,
        answer: row.try_get("answer")?,
    })
}
