//! Identity providers, and whose accounts there are whose here.

use std::collections::BTreeMap;

use sqlx::Row;
use sqlx::any::AnyRow;

use crate::change::Change;
use crate::error::StoreError;
use crate::store::Store;

/// Another system whose accounts sign in here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityProviderRow {
    pub name: String,
    pub title: String,
    pub issuer: String,
    pub client_id: String,
    /// Sealed; absent: the provider wants none.
    pub client_secret: Option<String>,
    pub scopes: Vec<String>,
    /// Which claim names somebody's groups.
    pub claim: String,
    /// Which group is which roles.
    pub roles: BTreeMap<String, Vec<String>>,
    pub default_roles: Vec<String>,
    /// Milliseconds since 1970, as the other times.
    pub created_at: i64,
    pub changed_at: i64,
}

/// Whose account it is. An account is known by these two, and by nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountRow {
    pub issuer: String,
    pub subject: String,
    pub person: String,
    pub created_at: i64,
    pub last_used_at: i64,
}

const COLUMNS: &str = "name, title, issuer, client_id, client_secret, scopes, claim, roles, default_roles, created_at, changed_at";

impl Change {
    /// Keeps what an identity provider is now, whether or not it was there; no other may have its issuer.
    pub async fn put_identity_provider(
        &mut self,
        row: &IdentityProviderRow,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO identity_providers
                 (name, title, issuer, client_id, client_secret, scopes, claim, roles, default_roles, created_at, changed_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
             ON CONFLICT (name) DO UPDATE SET
                 title = excluded.title, issuer = excluded.issuer, client_id = excluded.client_id,
                 client_secret = excluded.client_secret, scopes = excluded.scopes, claim = excluded.claim,
                 roles = excluded.roles, default_roles = excluded.default_roles, changed_at = excluded.changed_at",
        )
        .bind(&row.name)
        .bind(&row.title)
        .bind(&row.issuer)
        .bind(&row.client_id)
        .bind(&row.client_secret)
        .bind(json(&row.scopes))
        .bind(&row.claim)
        .bind(json(&row.roles))
        .bind(json(&row.default_roles))
        .bind(row.created_at)
        .bind(row.changed_at)
        .execute(&mut *self.transaction)
        .await
        .map_err(StoreError::taken("identity provider", &row.issuer))?;
        Ok(())
    }

    /// Forgets an identity provider; whose accounts there are whose stays known. False where there is none.
    pub async fn remove_identity_provider(&mut self, name: &str) -> Result<bool, StoreError> {
        let removed = sqlx::query("DELETE FROM identity_providers WHERE name = $1")
            .bind(name)
            .execute(&mut *self.transaction)
            .await?;
        Ok(removed.rows_affected() == 1)
    }

    /// Ends the sessions of everybody who has an account of this issuer. Says how many there were.
    pub async fn end_sessions_of_issuer(&mut self, issuer: &str) -> Result<u64, StoreError> {
        let ended = sqlx::query(
            "DELETE FROM sessions WHERE principal IN (SELECT person FROM accounts WHERE issuer = $1)",
        )
        .bind(issuer)
        .execute(&mut *self.transaction)
        .await?;
        Ok(ended.rows_affected())
    }

    /// Keeps whose account it is; it must be nobody's.
    pub async fn add_account(&mut self, row: &AccountRow) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO accounts (issuer, subject, person, created_at, last_used_at) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(&row.issuer)
        .bind(&row.subject)
        .bind(&row.person)
        .bind(row.created_at)
        .bind(row.last_used_at)
        .execute(&mut *self.transaction)
        .await
        .map_err(StoreError::taken("account", &row.subject))?;
        Ok(())
    }

    /// Keeps when an account was used last.
    pub async fn touch_account(
        &mut self,
        issuer: &str,
        subject: &str,
        at: i64,
    ) -> Result<(), StoreError> {
        sqlx::query("UPDATE accounts SET last_used_at = $1 WHERE issuer = $2 AND subject = $3")
            .bind(at)
            .bind(issuer)
            .bind(subject)
            .execute(&mut *self.transaction)
            .await?;
        Ok(())
    }
}

impl Store {
    /// Every identity provider, in the order of their names.
    pub async fn identity_providers(&self) -> Result<Vec<IdentityProviderRow>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM identity_providers ORDER BY name");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(provider).collect()
    }

    /// Every account of everybody.
    pub async fn accounts(&self) -> Result<Vec<AccountRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT issuer, subject, person, created_at, last_used_at FROM accounts ORDER BY created_at, issuer, subject",
        )
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(account).collect()
    }
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).unwrap_or_default().to_string()
}

fn provider(row: &AnyRow) -> Result<IdentityProviderRow, StoreError> {
    let text = |column| row.try_get::<String, _>(column);
    let malformed = || StoreError::malformed("identity provider");
    Ok(IdentityProviderRow {
        name: row.try_get("name")?,
        title: row.try_get("title")?,
        issuer: row.try_get("issuer")?,
        client_id: row.try_get("client_id")?,
        client_secret: row.try_get("client_secret")?,
        scopes: serde_json::from_str(&text("scopes")?).map_err(malformed())?,
        claim: row.try_get("claim")?,
        roles: serde_json::from_str(&text("roles")?).map_err(malformed())?,
        default_roles: serde_json::from_str(&text("default_roles")?).map_err(malformed())?,
        created_at: row.try_get("created_at")?,
        changed_at: row.try_get("changed_at")?,
    })
}

fn account(row: &AnyRow) -> Result<AccountRow, StoreError> {
    Ok(AccountRow {
        issuer: row.try_get("issuer")?,
        subject: row.try_get("subject")?,
        person: row.try_get("person")?,
        created_at: row.try_get("created_at")?,
        last_used_at: row.try_get("last_used_at")?,
    })
}
