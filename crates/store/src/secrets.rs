//! Secrets by name: their versions, sealed by whoever has the key, and who may use them where.

use sqlx::Row;
use sqlx::any::AnyRow;

use crate::change::Change;
use crate::error::StoreError;
use crate::store::Store;

/// A secret without what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretRow {
    pub name: String,
    /// What it is for, in somebody's words.
    pub note: String,
    /// Milliseconds since 1970, as the other times.
    pub created_at: i64,
    pub changed_at: i64,
    /// Who gave it its newest version.
    pub changed_by: String,
    /// The last number given to a version.
    pub last_version: i64,
}

/// One version of a secret, sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretVersionRow {
    pub secret: String,
    pub version: i64,
    /// Tells this version from one of the same name and number after a removal.
    pub id: String,
    /// `current`, `superseded`, `destroyed`.
    pub state: String,
    /// Absent: it is kept in a vault, or destroyed.
    pub sealed: Option<String>,
    /// The public half of the key it is sealed under, or `vault`.
    pub sealed_for: String,
    /// Its number in the vault that keeps it.
    pub vault_version: Option<i64>,
    pub created_at: i64,
    pub created_by: String,
    /// Absent: it does not end by itself.
    pub expires_at: Option<i64>,
}

/// Somebody may use a secret somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretGrantRow {
    pub secret: String,
    /// `project`, `container`, `build`.
    pub kind: String,
    pub project_id: String,
    /// The container or application in its manifest; empty: all of them.
    pub part: String,
    pub granted_at: i64,
    pub granted_by: String,
}

const COLUMNS: &str = "name, note, created_at, changed_at, changed_by, last_version";
const VERSION_COLUMNS: &str = "secret, version, id, state, sealed, sealed_for, vault_version, created_at, created_by, expires_at";
const GRANT_COLUMNS: &str = "secret, kind, project_id, part, granted_at, granted_by";

impl Change {
    /// Keeps a secret as it is from now on.
    pub async fn put_secret(&mut self, row: &SecretRow) -> Result<(), StoreError> {
        let sql = format!(
            "INSERT INTO secrets ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (name) DO UPDATE SET note = excluded.note, changed_at = excluded.changed_at,
                 changed_by = excluded.changed_by, last_version = excluded.last_version"
        );
        sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(&row.name)
            .bind(&row.note)
            .bind(row.created_at)
            .bind(row.changed_at)
            .bind(&row.changed_by)
            .bind(row.last_version)
            .execute(&mut *self.transaction)
            .await?;
        Ok(())
    }

    /// Adds the version that is current from now on; the one before is superseded.
    pub async fn add_secret_version(&mut self, row: &SecretVersionRow) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE secret_versions SET state = 'superseded' WHERE secret = $1 AND state = 'current'",
        )
        .bind(&row.secret)
        .execute(&mut *self.transaction)
        .await?;
        let sql = format!(
            "INSERT INTO secret_versions ({VERSION_COLUMNS})
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
        );
        sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(&row.secret)
            .bind(row.version)
            .bind(&row.id)
            .bind(&row.state)
            .bind(&row.sealed)
            .bind(&row.sealed_for)
            .bind(row.vault_version)
            .bind(row.created_at)
            .bind(&row.created_by)
            .bind(row.expires_at)
            .execute(&mut *self.transaction)
            .await?;
        Ok(())
    }

    /// Forgets what a version says; that there was one stays known. False where there is nothing left to forget.
    pub async fn destroy_secret_version(
        &mut self,
        secret: &str,
        version: i64,
    ) -> Result<bool, StoreError> {
        let destroyed = sqlx::query(
            "UPDATE secret_versions SET state = 'destroyed', sealed = NULL
             WHERE secret = $1 AND version = $2 AND state <> 'destroyed'",
        )
        .bind(secret)
        .bind(version)
        .execute(&mut *self.transaction)
        .await?;
        Ok(destroyed.rows_affected() > 0)
    }

    /// Keeps what a version says under another key.
    pub async fn reseal_secret_version(
        &mut self,
        secret: &str,
        version: i64,
        sealed: &str,
        sealed_for: &str,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE secret_versions SET sealed = $1, sealed_for = $2 WHERE secret = $3 AND version = $4",
        )
        .bind(sealed)
        .bind(sealed_for)
        .bind(secret)
        .bind(version)
        .execute(&mut *self.transaction)
        .await?;
        Ok(())
    }

    /// Removes a secret with its versions and grants. Says whether there was one.
    pub async fn remove_secret(&mut self, name: &str) -> Result<bool, StoreError> {
        for sql in [
            "DELETE FROM secret_grants WHERE secret = $1",
            "DELETE FROM secret_versions WHERE secret = $1",
        ] {
            sqlx::query(sql)
                .bind(name)
                .execute(&mut *self.transaction)
                .await?;
        }
        let removed = sqlx::query("DELETE FROM secrets WHERE name = $1")
            .bind(name)
            .execute(&mut *self.transaction)
            .await?;
        Ok(removed.rows_affected() > 0)
    }

    /// Lets somebody use a secret; who may already stays as they are.
    pub async fn grant_secret(&mut self, row: &SecretGrantRow) -> Result<(), StoreError> {
        let sql = format!(
            "INSERT INTO secret_grants ({GRANT_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (secret, kind, project_id, part) DO NOTHING"
        );
        sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(&row.secret)
            .bind(&row.kind)
            .bind(&row.project_id)
            .bind(&row.part)
            .bind(row.granted_at)
            .bind(&row.granted_by)
            .execute(&mut *self.transaction)
            .await?;
        Ok(())
    }

    /// Takes a grant back. Says whether there was one.
    pub async fn revoke_secret(&mut self, row: &SecretGrantRow) -> Result<bool, StoreError> {
        let revoked = sqlx::query(
            "DELETE FROM secret_grants WHERE secret = $1 AND kind = $2 AND project_id = $3 AND part = $4",
        )
        .bind(&row.secret)
        .bind(&row.kind)
        .bind(&row.project_id)
        .bind(&row.part)
        .execute(&mut *self.transaction)
        .await?;
        Ok(revoked.rows_affected() > 0)
    }
}

impl Store {
    /// Every secret, by name.
    pub async fn secrets(&self) -> Result<Vec<SecretRow>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM secrets ORDER BY name");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(secret).collect()
    }

    pub async fn secret(&self, name: &str) -> Result<Option<SecretRow>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM secrets WHERE name = $1");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(name)
            .fetch_optional(&self.pool)
            .await?;
        row.as_ref().map(secret).transpose()
    }

    /// The versions of a secret, the newest first; of every secret where none is named.
    pub async fn secret_versions(
        &self,
        name: Option<&str>,
    ) -> Result<Vec<SecretVersionRow>, StoreError> {
        let wanted = name.map_or("", |_| "WHERE secret = $1");
        let sql = format!(
            "SELECT {VERSION_COLUMNS} FROM secret_versions {wanted} ORDER BY secret, version DESC"
        );
        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
        if let Some(name) = name {
            query = query.bind(name);
        }
        let rows = query.fetch_all(&self.pool).await?;
        rows.iter().map(version).collect()
    }

    /// Who may use a secret; of every secret where none is named.
    pub async fn secret_grants(
        &self,
        name: Option<&str>,
    ) -> Result<Vec<SecretGrantRow>, StoreError> {
        let wanted = name.map_or("", |_| "WHERE secret = $1");
        let sql = format!(
            "SELECT {GRANT_COLUMNS} FROM secret_grants {wanted} ORDER BY secret, kind, project_id, part"
        );
        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
        if let Some(name) = name {
            query = query.bind(name);
        }
        let rows = query.fetch_all(&self.pool).await?;
        rows.iter().map(grant).collect()
    }
}

fn secret(row: &AnyRow) -> Result<SecretRow, StoreError> {
    Ok(SecretRow {
        name: row.try_get("name")?,
        note: row.try_get("note")?,
        created_at: row.try_get("created_at")?,
        changed_at: row.try_get("changed_at")?,
        changed_by: row.try_get("changed_by")?,
        last_version: row.try_get("last_version")?,
    })
}

fn version(row: &AnyRow) -> Result<SecretVersionRow, StoreError> {
    Ok(SecretVersionRow {
        secret: row.try_get("secret")?,
        version: row.try_get("version")?,
        id: row.try_get("id")?,
        state: row.try_get("state")?,
        sealed: row.try_get("sealed")?,
        sealed_for: row.try_get("sealed_for")?,
        vault_version: row.try_get("vault_version")?,
        created_at: row.try_get("created_at")?,
        created_by: row.try_get("created_by")?,
        expires_at: row.try_get("expires_at")?,
    })
}

fn grant(row: &AnyRow) -> Result<SecretGrantRow, StoreError> {
    Ok(SecretGrantRow {
        secret: row.try_get("secret")?,
        kind: row.try_get("kind")?,
        project_id: row.try_get("project_id")?,
        part: row.try_get("part")?,
        granted_at: row.try_get("granted_at")?,
        granted_by: row.try_get("granted_by")?,
    })
}
