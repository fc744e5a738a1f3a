//! Servers of tools, and which of their tools may be used.

use sqlx::Row;
use sqlx::any::AnyRow;

use crate::change::Change;
use crate::error::StoreError;
use crate::store::Store;

/// A server whose tools agents find here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolServerRow {
    pub name: String,
    /// JSON.
    pub address: String,
    /// Milliseconds since 1970.
    pub added_at: i64,
}

/// A tool of a server that may be used as long as it is this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerToolRow {
    pub server: String,
    pub name: String,
    pub fingerprint: String,
    pub approved_by: String,
    /// Milliseconds since 1970.
    pub approved_at: i64,
}

impl Change {
    /// Keeps a server under a name that no other has.
    pub async fn add_tool_server(&mut self, row: &ToolServerRow) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO tool_servers (name, address, added_at) VALUES ($1, $2, $3)")
            .bind(&row.name)
            .bind(&row.address)
            .bind(row.added_at)
            .execute(&mut *self.transaction)
            .await
            .map_err(StoreError::taken("server of tools", &row.name))?;
        Ok(())
    }

    /// Forgets a server and what was said of its tools. Says whether there was one.
    pub async fn remove_tool_server(&mut self, name: &str) -> Result<bool, StoreError> {
        sqlx::query("DELETE FROM server_tools WHERE server = $1")
            .bind(name)
            .execute(&mut *self.transaction)
            .await?;
        let gone = sqlx::query("DELETE FROM tool_servers WHERE name = $1")
            .bind(name)
            .execute(&mut *self.transaction)
            .await?;
        Ok(gone.rows_affected() == 1)
    }

    /// Lets a tool be used, as it is.
    pub async fn approve_server_tool(&mut self, row: &ServerToolRow) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO server_tools (server, name, fingerprint, approved_by, approved_at) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (server, name) DO UPDATE SET fingerprint = excluded.fingerprint, approved_by = excluded.approved_by,
             approved_at = excluded.approved_at",
        )
        .bind(&row.server)
        .bind(&row.name)
        .bind(&row.fingerprint)
        .bind(&row.approved_by)
        .bind(row.approved_at)
        .execute(&mut *self.transaction)
        .await?;
        Ok(())
    }
}

impl Store {
    /// Every server of tools, in the order of their names.
    pub async fn tool_servers(&self) -> Result<Vec<ToolServerRow>, StoreError> {
        let rows = sqlx::query("SELECT name, address, added_at FROM tool_servers ORDER BY name")
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(tool_server).collect()
    }

    /// The tools of a server that may be used, in the order of their names.
    pub async fn server_tools(&self, server: &str) -> Result<Vec<ServerToolRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT server, name, fingerprint, approved_by, approved_at FROM server_tools WHERE server = $1 ORDER BY name",
        )
        .bind(server)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(server_tool).collect()
    }
}

fn tool_server(row: &AnyRow) -> Result<ToolServerRow, StoreError> {
    Ok(ToolServerRow {
        name: row.try_get("name")?,
        address: row.try_get("address")?,
        added_at: row.try_get("added_at")?,
    })
}

fn server_tool(row: &AnyRow) -> Result<ServerToolRow, StoreError> {
    Ok(ServerToolRow {
        server: row.try_get("server")?,
        name: row.try_get("name")?,
        fingerprint: row.try_get("fingerprint")?,
        approved_by: row.try_get("approved_by")?,
        approved_at: row.try_get("approved_at")?,
    })
}
