//! What waits in the inboxes of terminals, who passes messages on to them, and what somebody is there for.

use sqlx::Row;
use sqlx::any::AnyRow;

use crate::change::Change;
use crate::error::StoreError;
use crate::store::Store;

/// A message in an inbox.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InboxRow {
    pub id: String,
    /// The order; given when it is kept.
    pub number: i64,
    pub terminal: String,
    pub sender: String,
    /// Whom it was said to, if not to the terminal itself.
    pub meant_for: Option<String>,
    pub content: String,
    /// Times are milliseconds since 1970.
    pub created_at: i64,
    pub read_at: Option<i64>,
}

/// Whose messages go to which terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForwardRow {
    pub companion: String,
    pub terminal: String,
    pub created_by: String,
    /// Milliseconds since 1970.
    pub created_at: i64,
}

/// What somebody is there for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PurposeRow {
    pub purpose: String,
    pub said_by: String,
    /// Milliseconds since 1970.
    pub said_at: i64,
}

const FORWARD: &str = "SELECT companion, terminal, created_by, created_at FROM forwards";

impl Change {
    /// Puts a message into an inbox. Only the latest `most` of an inbox stay.
    pub async fn add_to_inbox(&mut self, row: &InboxRow, most: i64) -> Result<(), StoreError> {
        let number = self.next_number("inbox").await?;
        let key = row.terminal.to_lowercase();
        sqlx::query(
            "INSERT INTO inbox_messages (id, number, terminal_key, sender, meant_for, content, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(&row.id)
        .bind(number)
        .bind(&key)
        .bind(&row.sender)
        .bind(row.meant_for.as_deref())
        .bind(&row.content)
        .bind(row.created_at)
        .execute(&mut *self.transaction)
        .await
        .map_err(StoreError::taken("message", &row.id))?;
        sqlx::query(
            "DELETE FROM inbox_messages WHERE terminal_key = $1 AND number NOT IN
                 (SELECT number FROM inbox_messages WHERE terminal_key = $1 ORDER BY number DESC LIMIT $2)",
        )
        .bind(&key)
        .bind(most)
        .execute(&mut *self.transaction)
        .await?;
        Ok(())
    }

    /// Marks what is in an inbox up to a number as read.
    pub async fn read_inbox(
        &mut self,
        terminal: &str,
        up_to: i64,
        now: i64,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE inbox_messages SET read_at = $1 WHERE terminal_key = $2 AND number <= $3 AND read_at IS NULL",
        )
        .bind(now)
        .bind(terminal.to_lowercase())
        .bind(up_to)
        .execute(&mut *self.transaction)
        .await?;
        Ok(())
    }

    /// Empties an inbox: what was read, or all of it. Says how many went.
    pub async fn clear_inbox(
        &mut self,
        terminal: &str,
        also_unread: bool,
    ) -> Result<u64, StoreError> {
        let done = sqlx::query(
            "DELETE FROM inbox_messages WHERE terminal_key = $1 AND (read_at IS NOT NULL OR $2 = 1)",
        )
        .bind(terminal.to_lowercase())
        .bind(i64::from(also_unread))
        .execute(&mut *self.transaction)
        .await?;
        Ok(done.rows_affected())
    }

    /// Has messages to somebody go to a terminal.
    pub async fn put_forward(&mut self, row: &ForwardRow) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO forwards (companion_key, companion, terminal, terminal_key, created_by, created_at)
             VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (companion_key) DO UPDATE SET companion = excluded.companion, terminal = excluded.terminal,
                 terminal_key = excluded.terminal_key, created_by = excluded.created_by, created_at = excluded.created_at",
        )
        .bind(row.companion.to_lowercase())
        .bind(&row.companion)
        .bind(&row.terminal)
        .bind(row.terminal.to_lowercase())
        .bind(&row.created_by)
        .bind(row.created_at)
        .execute(&mut *self.transaction)
        .await?;
        Ok(())
    }

    /// Has messages go to whom they are for. Says whether they did not.
    pub async fn remove_forward(&mut self, companion: &str) -> Result<bool, StoreError> {
        let done = sqlx::query("DELETE FROM forwards WHERE companion_key = $1")
            .bind(companion.to_lowercase())
            .execute(&mut *self.transaction)
            .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Says what somebody is there for; an empty text takes it back.
    pub async fn put_purpose(
        &mut self,
        companion: &str,
        row: &PurposeRow,
    ) -> Result<(), StoreError> {
        let key = companion.to_lowercase();
        if row.purpose.is_empty() {
            sqlx::query("DELETE FROM purposes WHERE companion_key = $1")
                .bind(key)
                .execute(&mut *self.transaction)
                .await?;
            return Ok(());
        }
        sqlx::query(
            "INSERT INTO purposes (companion_key, purpose, said_by, said_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (companion_key) DO UPDATE SET purpose = excluded.purpose, said_by = excluded.said_by,
                 said_at = excluded.said_at",
        )
        .bind(key)
        .bind(&row.purpose)
        .bind(&row.said_by)
        .bind(row.said_at)
        .execute(&mut *self.transaction)
        .await?;
        Ok(())
    }
}

impl Store {
    /// What is in an inbox, oldest first.
    pub async fn inbox(&self, terminal: &str) -> Result<Vec<InboxRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, number, terminal_key, sender, meant_for, content, created_at, read_at
             FROM inbox_messages WHERE terminal_key = $1 ORDER BY number",
        )
        .bind(terminal.to_lowercase())
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(inbox).collect()
    }

    /// How many messages of an inbox are unread, and how many there are.
    pub async fn inbox_count(&self, terminal: &str) -> Result<(i64, i64), StoreError> {
        let row = sqlx::query(
            "SELECT COUNT(*) AS messages, COUNT(read_at) AS seen FROM inbox_messages WHERE terminal_key = $1",
        )
        .bind(terminal.to_lowercase())
        .fetch_one(&self.pool)
        .await?;
        let (messages, seen): (i64, i64) = (row.try_get("messages")?, row.try_get("seen")?);
        Ok((messages - seen, messages))
    }

    /// Where messages to somebody go instead.
    pub async fn forward(&self, companion: &str) -> Result<Option<ForwardRow>, StoreError> {
        let sql = format!("{FORWARD} WHERE companion_key = $1");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(companion.to_lowercase())
            .fetch_optional(&self.pool)
            .await?;
        row.as_ref().map(forward).transpose()
    }

    pub async fn forwards(&self) -> Result<Vec<ForwardRow>, StoreError> {
        let sql = format!("{FORWARD} ORDER BY companion_key");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(forward).collect()
    }

    /// What is said of whom, by names in small letters.
    pub async fn purposes(&self) -> Result<Vec<(String, PurposeRow)>, StoreError> {
        let rows = sqlx::query("SELECT companion_key, purpose, said_by, said_at FROM purposes")
            .fetch_all(&self.pool)
            .await?;
        let purpose = |row: &AnyRow| {
            let said = PurposeRow {
                purpose: row.try_get("purpose")?,
                said_by: row.try_get("said_by")?,
                said_at: row.try_get("said_at")?,
            };
            Ok((row.try_get("companion_key")?, said))
        };
        rows.iter().map(purpose).collect()
    }
}

fn inbox(row: &AnyRow) -> Result<InboxRow, StoreError> {
    Ok(InboxRow {
        id: row.try_get("id")?,
        number: row.try_get("number")?,
        terminal: row.try_get("terminal_key")?,
        sender: row.try_get("sender")?,
        meant_for: row.try_get("meant_for")?,
        content: row.try_get("content")?,
        created_at: row.try_get("created_at")?,
        read_at: row.try_get("read_at")?,
    })
}

fn forward(row: &AnyRow) -> Result<ForwardRow, StoreError> {
    Ok(ForwardRow {
        companion: row.try_get("companion")?,
        terminal: row.try_get("terminal")?,
        created_by: row.try_get("created_by")?,
        created_at: row.try_get("created_at")?,
    })
}
