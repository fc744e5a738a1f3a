//! Passkeys: what is kept of each to know it again. The half that is secret never leaves its authenticator.

use sqlx::Row;
use sqlx::any::AnyRow;

use crate::change::Change;
use crate::error::StoreError;
use crate::store::Store;

/// A passkey of somebody's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasskeyRow {
    /// What its authenticator calls it, in base64url.
    pub id: String,
    pub person: String,
    /// What authenticators call its person, in base64url.
    pub handle: String,
    /// The name of the stack under which it was made.
    pub host: String,
    /// What its person calls it.
    pub about: String,
    /// What never changes of it, in base64url.
    pub fixed: String,
    /// What does with each use, in base64url.
    pub state: String,
    /// Milliseconds since 1970, as the other times.
    pub created_at: i64,
    pub last_used_at: Option<i64>,
}

const COLUMNS: &str = "id, person, handle, host, about, fixed, state, created_at, last_used_at";

impl Change {
    /// Keeps a passkey; it must be nobody's.
    pub async fn add_passkey(&mut self, row: &PasskeyRow) -> Result<(), StoreError> {
        let sql =
            format!("INSERT INTO passkeys ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)");
        sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(&row.id)
            .bind(&row.person)
            .bind(&row.handle)
            .bind(&row.host)
            .bind(&row.about)
            .bind(&row.fixed)
            .bind(&row.state)
            .bind(row.created_at)
            .bind(row.last_used_at)
            .execute(&mut *self.transaction)
            .await
            .map_err(StoreError::taken("passkey", &row.id))?;
        Ok(())
    }

    /// Keeps what a use changed, where it is still as it was before. False where it is not: it was used meanwhile, or is
    /// gone.
    pub async fn use_passkey(
        &mut self,
        id: &str,
        before: &str,
        state: &str,
        at: i64,
    ) -> Result<bool, StoreError> {
        let used = sqlx::query(
            "UPDATE passkeys SET state = $1, last_used_at = $2 WHERE id = $3 AND state = $4",
        )
        .bind(state)
        .bind(at)
        .bind(id)
        .bind(before)
        .execute(&mut *self.transaction)
        .await?;
        Ok(used.rows_affected() == 1)
    }

    /// Calls a passkey of somebody's otherwise. False where they have no such passkey.
    pub async fn rename_passkey(
        &mut self,
        person: &str,
        id: &str,
        about: &str,
    ) -> Result<bool, StoreError> {
        let renamed = sqlx::query("UPDATE passkeys SET about = $1 WHERE person = $2 AND id = $3")
            .bind(about)
            .bind(person)
            .bind(id)
            .execute(&mut *self.transaction)
            .await?;
        Ok(renamed.rows_affected() == 1)
    }

    /// Forgets a passkey of somebody's. False where they have no such passkey.
    pub async fn remove_passkey(&mut self, person: &str, id: &str) -> Result<bool, StoreError> {
        let removed = sqlx::query("DELETE FROM passkeys WHERE person = $1 AND id = $2")
            .bind(person)
            .bind(id)
            .execute(&mut *self.transaction)
            .await?;
        Ok(removed.rows_affected() == 1)
    }
}

impl Store {
    /// The passkey that its authenticator calls so.
    pub async fn passkey(&self, id: &str) -> Result<Option<PasskeyRow>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM passkeys WHERE id = $1");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(id)
            .fetch_optional(&self.pool)
            .await?;
        row.as_ref().map(passkey).transpose()
    }

    /// The passkeys of somebody, the oldest first.
    pub async fn passkeys_of(&self, person: &str) -> Result<Vec<PasskeyRow>, StoreError> {
        let sql =
            format!("SELECT {COLUMNS} FROM passkeys WHERE person = $1 ORDER BY created_at, id");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(person)
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(passkey).collect()
    }

    /// Whoever has a passkey.
    pub async fn passkey_holders(&self) -> Result<Vec<String>, StoreError> {
        let rows: Vec<(String,)> =
            sqlx::query_as("SELECT DISTINCT person FROM passkeys ORDER BY person")
                .fetch_all(&self.pool)
                .await?;
        Ok(rows.into_iter().map(|(person,)| person).collect())
    }
}

fn passkey(row: &AnyRow) -> Result<PasskeyRow, StoreError> {
    Ok(PasskeyRow {
        id: row.try_get("id")?,
        person: row.try_get("person")?,
        handle: row.try_get("handle")?,
        host: row.try_get("host")?,
        about: row.try_get("about")?,
        fixed: row.try_get("fixed")?,
        state: row.try_get("state")?,
        created_at: row.try_get("created_at")?,
        last_used_at: row.try_get("last_used_at")?,
    })
}
