//! Sign-in codes and sessions, kept as hashes only.

use sqlx::Row;

use crate::change::Change;
use crate::error::StoreError;
use crate::store::Store;

/// Somebody who signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRow {
    pub principal: String,
    /// Milliseconds since 1970.
    pub created_at: i64,
    pub expires_at: i64,
}

impl Change {
    /// Remembers a code that may be used once until it expires.
    pub async fn add_sign_in_code(
        &mut self,
        hash: &str,
        expires_at: i64,
    ) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO sign_in_codes (hash, expires_at) VALUES ($1, $2)")
            .bind(hash)
            .bind(expires_at)
            .execute(&mut *self.transaction)
            .await?;
        Ok(())
    }

    /// Uses a code up. False where there is none, or it has expired.
    pub async fn use_sign_in_code(&mut self, hash: &str, now: i64) -> Result<bool, StoreError> {
        let used = sqlx::query("DELETE FROM sign_in_codes WHERE hash = $1 AND expires_at > $2")
            .bind(hash)
            .bind(now)
            .execute(&mut *self.transaction)
            .await?
            .rows_affected();
        sqlx::query("DELETE FROM sign_in_codes WHERE expires_at <= $1")
            .bind(now)
            .execute(&mut *self.transaction)
            .await?;
        Ok(used == 1)
    }

    pub async fn add_session(
        &mut self,
        hash: &str,
        session: &SessionRow,
    ) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO sessions (hash, principal, created_at, expires_at) VALUES ($1, $2, $3, $4)")
            .bind(hash)
            .bind(&session.principal)
            .bind(session.created_at)
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
}

impl Store {
    /// The session with this hash, while it lasts.
    pub async fn session(&self, hash: &str, now: i64) -> Result<Option<SessionRow>, StoreError> {
        let row = sqlx::query("SELECT principal, created_at, expires_at FROM sessions WHERE hash = $1 AND expires_at > $2")
            .bind(hash)
            .bind(now)
            .fetch_optional(&self.pool)
            .await?;
        row.map(|row| {
            Ok(SessionRow {
                principal: row.try_get("principal")?,
                created_at: row.try_get("created_at")?,
                expires_at: row.try_get("expires_at")?,
            })
        })
        .transpose()
    }
}
