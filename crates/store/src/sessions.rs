//! Sign-in codes and sessions, kept as hashes only.

use sqlx::Row;
use sqlx::any::AnyRow;

use crate::change::Change;
use crate::error::StoreError;
use crate::store::Store;

/// Somebody who signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRow {
    /// What it is called when it is listed or ended; it opens nothing.
    pub id: String,
    pub principal: String,
    /// What the browser said of itself.
    pub agent: String,
    /// From where they signed in; empty where it is not known.
    pub address: String,
    /// Milliseconds since 1970, as the other times.
    pub created_at: i64,
    pub last_used_at: i64,
    pub expires_at: i64,
}

const COLUMNS: &str = "id, principal, agent, address, created_at, last_used_at, expires_at";

impl Change {
    /// Remembers a code of somebody's that may be used once until it expires.
    pub async fn add_sign_in_code(
        &mut self,
        hash: &str,
        person: &str,
        expires_at: i64,
    ) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO sign_in_codes (hash, person, expires_at) VALUES ($1, $2, $3)")
            .bind(hash)
            .bind(person)
            .bind(expires_at)
            .execute(&mut *self.transaction)
            .await?;
        Ok(())
    }

    /// Uses a code up, and says whose it is. Nobody's where there is none, or it has expired.
    pub async fn use_sign_in_code(
        &mut self,
        hash: &str,
        now: i64,
    ) -> Result<Option<String>, StoreError> {
        let used = sqlx::query(
            "DELETE FROM sign_in_codes WHERE hash = $1 AND expires_at > $2 RETURNING person",
        )
        .bind(hash)
        .bind(now)
        .fetch_optional(&mut *self.transaction)
        .await?;
        sqlx::query("DELETE FROM sign_in_codes WHERE expires_at <= $1")
            .bind(now)
            .execute(&mut *self.transaction)
            .await?;
        Ok(used.map(|row| row.try_get("person")).transpose()?)
    }

    pub async fn add_session(
        &mut self,
        hash: &str,
        session: &SessionRow,
    ) -> Result<(), StoreError> {
        let sql = format!(
            "INSERT INTO sessions (hash, {COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
        );
        sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(hash)
            .bind(&session.id)
            .bind(&session.principal)
            .bind(&session.agent)
            .bind(&session.address)
            .bind(session.created_at)
            .bind(session.last_used_at)
            .bind(session.expires_at)
            .execute(&mut *self.transaction)
            .await?;
        Ok(())
    }

    pub async fn end_session(&mut self, hash: &str) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM sessions WHERE hash = $1")
            .bind(hash)
            .execute(&mut *self.transaction)
            .await?;
        Ok(())
    }

    /// Ends a session of somebody's. False where they have none of this id.
    pub async fn end_session_of(&mut self, principal: &str, id: &str) -> Result<bool, StoreError> {
        let ended = sqlx::query("DELETE FROM sessions WHERE principal = $1 AND id = $2")
            .bind(principal)
            .bind(id)
            .execute(&mut *self.transaction)
            .await?;
        Ok(ended.rows_affected() == 1)
    }

    /// Ends every session of somebody's but one, whose hash may be given. Says how many there were.
    pub async fn end_sessions_of(
        &mut self,
        principal: &str,
        but: Option<&str>,
    ) -> Result<u64, StoreError> {
        let ended = sqlx::query("DELETE FROM sessions WHERE principal = $1 AND hash <> $2")
            .bind(principal)
            .bind(but.unwrap_or_default())
            .execute(&mut *self.transaction)
            .await?;
        Ok(ended.rows_affected())
    }

    /// Keeps when a session was used last, and forgets those that are over.
    pub async fn touch_session(&mut self, hash: &str, now: i64) -> Result<(), StoreError> {
        sqlx::query("UPDATE sessions SET last_used_at = $1 WHERE hash = $2")
            .bind(now)
            .bind(hash)
            .execute(&mut *self.transaction)
            .await?;
        sqlx::query("DELETE FROM sessions WHERE expires_at <= $1")
            .bind(now)
            .execute(&mut *self.transaction)
            .await?;
        Ok(())
    }
}

impl Store {
    /// The session with this hash, while it lasts.
    pub async fn session(&self, hash: &str, now: i64) -> Result<Option<SessionRow>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM sessions WHERE hash = $1 AND expires_at > $2");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(hash)
            .bind(now)
            .fetch_optional(&self.pool)
            .await?;
        row.as_ref().map(session).transpose()
    }

    /// The sessions of somebody that last, the newest first.
    pub async fn sessions_of(
        &self,
        principal: &str,
        now: i64,
    ) -> Result<Vec<SessionRow>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM sessions WHERE principal = $1 AND expires_at > $2 ORDER BY created_at DESC, id"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(principal)
            .bind(now)
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(session).collect()
    }
}

fn session(row: &AnyRow) -> Result<SessionRow, StoreError> {
    Ok(SessionRow {
        id: row.try_get("id")?,
        principal: row.try_get("principal")?,
        agent: row.try_get("agent")?,
        address: row.try_get("address")?,
        created_at: row.try_get("created_at")?,
        last_used_at: row.try_get("last_used_at")?,
        expires_at: row.try_get("expires_at")?,
    })
}
