//! Programs that use the image registry under a name of their own; their secrets as hashes only.

use serde_json::Value;
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::change::Change;
use crate::error::StoreError;
use crate::store::Store;

/// A robot as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RobotRow {
    pub name: String,
    /// What it is for, in its owner's words.
    pub about: String,
    pub secret_hash: String,
    /// When this secret was made. Milliseconds since 1970, as the other times.
    pub secret_at: i64,
    /// What it may do where.
    pub allowances: Value,
    pub created_at: i64,
    /// Absent: it does not end by itself.
    pub expires_at: Option<i64>,
    /// What it is beside, for the rest of the API.
    pub roles: Vec<String>,
    pub last_used_at: Option<i64>,
}

const COLUMNS: &str =
    "name, about, secret_hash, secret_at, allowances, created_at, expires_at, roles, last_used_at";

impl Change {
    /// Keeps a new robot; the name must be nobody's.
    pub async fn add_robot(&mut self, robot: &RobotRow) -> Result<(), StoreError> {
        let sql =
            format!("INSERT INTO robots ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)");
        sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(&robot.name)
            .bind(&robot.about)
            .bind(&robot.secret_hash)
            .bind(robot.secret_at)
            .bind(robot.allowances.to_string())
            .bind(robot.created_at)
            .bind(robot.expires_at)
            .bind(Value::from(robot.roles.clone()).to_string())
            .bind(robot.last_used_at)
            .execute(&mut *self.transaction)
            .await
            .map_err(StoreError::taken("robot", &robot.name))?;
        Ok(())
    }

    /// Gives a robot another secret. False where there is no such robot.
    pub async fn replace_robot_secret(
        &mut self,
        name: &str,
        secret_hash: &str,
        secret_at: i64,
    ) -> Result<bool, StoreError> {
        let changed =
            sqlx::query("UPDATE robots SET secret_hash = $1, secret_at = $2 WHERE name = $3")
                .bind(secret_hash)
                .bind(secret_at)
                .bind(name)
                .execute(&mut *self.transaction)
                .await?;
        Ok(changed.rows_affected() == 1)
    }

    /// Keeps when a robot came last.
    pub async fn touch_robot(&mut self, name: &str, at: i64) -> Result<(), StoreError> {
        sqlx::query("UPDATE robots SET last_used_at = $1 WHERE name = $2")
            .bind(at)
            .bind(name)
            .execute(&mut *self.transaction)
            .await?;
        Ok(())
    }

    /// Forgets a robot. False where there is no such robot.
    pub async fn remove_robot(&mut self, name: &str) -> Result<bool, StoreError> {
        let removed = sqlx::query("DELETE FROM robots WHERE name = $1")
            .bind(name)
            .execute(&mut *self.transaction)
            .await?;
        Ok(removed.rows_affected() == 1)
    }
}

impl Store {
    /// Every robot, in the order of their names.
    pub async fn robots(&self) -> Result<Vec<RobotRow>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM robots ORDER BY name");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(robot).collect()
    }
}

fn robot(row: &AnyRow) -> Result<RobotRow, StoreError> {
    let allowances: String = row.try_get("allowances")?;
    let roles: String = row.try_get("roles")?;
    Ok(RobotRow {
        name: row.try_get("name")?,
        about: row.try_get("about")?,
        secret_hash: row.try_get("secret_hash")?,
        secret_at: row.try_get("secret_at")?,
        allowances: serde_json::from_str(&allowances).map_err(StoreError::malformed("robot"))?,
        created_at: row.try_get("created_at")?,
        expires_at: row.try_get("expires_at")?,
        roles: serde_json::from_str(&roles).map_err(StoreError::malformed("robot"))?,
        last_used_at: row.try_get("last_used_at")?,
    })
}
