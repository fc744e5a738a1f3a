//! People and the tokens of their programs; passwords and tokens as hashes only.

use sqlx::Row;
use sqlx::any::AnyRow;

use crate::change::Change;
use crate::error::StoreError;
use crate::store::Store;

/// Somebody with a name of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonRow {
    pub name: String,
    pub roles: Vec<String>,
    /// An Argon2id hash as a PHC string; absent: there is no password.
    pub password: Option<String>,
    /// Milliseconds since 1970, as the other times.
    pub created_at: i64,
    /// Since when they may not come in; absent: they may.
    pub disabled_at: Option<i64>,
}

/// What a program of a person shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRow {
    pub id: String,
    pub person: String,
    /// What it is for.
    pub about: String,
    pub hash: String,
    /// With which of their roles; absent: with all of them.
    pub roles: Option<Vec<String>>,
    pub created_at: i64,
    pub expires_at: Option<i64>,
    pub last_used_at: Option<i64>,
}

impl Change {
    /// Keeps a new person; the name must be nobody's.
    pub async fn add_person(&mut self, person: &PersonRow) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO people (name, roles, password, created_at, disabled_at) VALUES ($1, $2, $3, $4, $5)")
            .bind(&person.name)
            .bind(list(&person.roles))
            .bind(&person.password)
            .bind(person.created_at)
            .bind(person.disabled_at)
            .execute(&mut *self.transaction)
            .await
            .map_err(StoreError::taken("person", &person.name))?;
        Ok(())
    }

    /// Keeps what a person is now. False where there is no such person.
    pub async fn update_person(&mut self, person: &PersonRow) -> Result<bool, StoreError> {
        let changed = sqlx::query(
            "UPDATE people SET roles = $1, password = $2, disabled_at = $3 WHERE name = $4",
        )
        .bind(list(&person.roles))
        .bind(&person.password)
        .bind(person.disabled_at)
        .bind(&person.name)
        .execute(&mut *self.transaction)
        .await?;
        Ok(changed.rows_affected() == 1)
    }

    /// Forgets a person with everything that lets them in. False where there is no such person.
    pub async fn remove_person(&mut self, name: &str) -> Result<bool, StoreError> {
        for sql in [
            "DELETE FROM sessions WHERE principal = $1",
            "DELETE FROM sign_in_codes WHERE person = $1",
            "DELETE FROM tokens WHERE person = $1",
            "DELETE FROM accounts WHERE person = $1",
            "DELETE FROM passkeys WHERE person = $1",
        ] {
            sqlx::query(sql)
                .bind(name)
                .execute(&mut *self.transaction)
                .await?;
        }
        let removed = sqlx::query("DELETE FROM people WHERE name = $1")
            .bind(name)
            .execute(&mut *self.transaction)
            .await?;
        Ok(removed.rows_affected() == 1)
    }

    pub async fn add_token(&mut self, token: &TokenRow) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO tokens (id, person, about, hash, roles, created_at, expires_at, last_used_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(&token.id)
        .bind(&token.person)
        .bind(&token.about)
        .bind(&token.hash)
        .bind(token.roles.as_deref().map(list))
        .bind(token.created_at)
        .bind(token.expires_at)
        .bind(token.last_used_at)
        .execute(&mut *self.transaction)
        .await?;
        Ok(())
    }

    /// Forgets a token of a person. False where they have no such token.
    pub async fn remove_token(&mut self, person: &str, id: &str) -> Result<bool, StoreError> {
        let removed = sqlx::query("DELETE FROM tokens WHERE person = $1 AND id = $2")
            .bind(person)
            .bind(id)
            .execute(&mut *self.transaction)
            .await?;
        Ok(removed.rows_affected() == 1)
    }

    /// Keeps when a token was used last.
    pub async fn touch_token(&mut self, id: &str, at: i64) -> Result<(), StoreError> {
        sqlx::query("UPDATE tokens SET last_used_at = $1 WHERE id = $2")
            .bind(at)
            .bind(id)
            .execute(&mut *self.transaction)
            .await?;
        Ok(())
    }
}

impl Store {
    /// Everybody, in the order of their names.
    pub async fn people(&self) -> Result<Vec<PersonRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT name, roles, password, created_at, disabled_at FROM people ORDER BY name",
        )
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(person).collect()
    }

    /// Every token of everybody, the oldest first.
    pub async fn person_tokens(&self) -> Result<Vec<TokenRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, person, about, hash, roles, created_at, expires_at, last_used_at FROM tokens ORDER BY created_at, id",
        )
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(token).collect()
    }
}

fn list(texts: &[String]) -> String {
    serde_json::Value::from(texts.to_vec()).to_string()
}

fn person(row: &AnyRow) -> Result<PersonRow, StoreError> {
    let roles: String = row.try_get("roles")?;
    Ok(PersonRow {
        name: row.try_get("name")?,
        roles: serde_json::from_str(&roles).map_err(StoreError::malformed("person"))?,
        password: row.try_get("password")?,
        created_at: row.try_get("created_at")?,
        disabled_at: row.try_get("disabled_at")?,
    })
}

fn token(row: &AnyRow) -> Result<TokenRow, StoreError> {
    let roles: Option<String> = row.try_get("roles")?;
    let roles = roles.map(|roles| serde_json::from_str(&roles));
    Ok(TokenRow {
        id: row.try_get("id")?,
        person: row.try_get("person")?,
        about: row.try_get("about")?,
        hash: row.try_get("hash")?,
        roles: roles.transpose().map_err(StoreError::malformed("token"))?,
        created_at: row.try_get("created_at")?,
        expires_at: row.try_get("expires_at")?,
        last_used_at: row.try_get("last_used_at")?,
    })
}
