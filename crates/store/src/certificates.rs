//! Certificates that the stack's authority gave, for as long as they could be shown.

use sqlx::Row;
use sqlx::any::AnyRow;

use crate::change::Change;
use crate::error::StoreError;
use crate::store::Store;

/// A certificate as it is stored. Times are milliseconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateRow {
    /// In hexadecimal digits.
    pub serial: String,
    /// `spiffe://STACK/ci/NAME`.
    pub identity: String,
    /// Who asked for it.
    pub issued_to: String,
    pub issued_at: i64,
    pub expires_at: i64,
    /// Since when it is refused; absent: it is good until it expires.
    pub refused_at: Option<i64>,
    pub refused_because: Option<String>,
}

const COLUMNS: &str =
    "serial, identity, issued_to, issued_at, expires_at, refused_at, refused_because";

impl Change {
    /// Keeps a certificate that was given.
    pub async fn add_certificate(&mut self, row: &CertificateRow) -> Result<(), StoreError> {
        let sql =
            format!("INSERT INTO certificates ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7)");
        sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(&row.serial)
            .bind(&row.identity)
            .bind(&row.issued_to)
            .bind(row.issued_at)
            .bind(row.expires_at)
            .bind(row.refused_at)
            .bind(row.refused_because.as_deref())
            .execute(&mut *self.transaction)
            .await?;
        Ok(())
    }

    /// Has a certificate refused from now on. False where it is not known, or is refused already.
    pub async fn refuse_certificate(
        &mut self,
        serial: &str,
        because: &str,
        now: i64,
    ) -> Result<bool, StoreError> {
        let refused = sqlx::query(
            "UPDATE certificates SET refused_at = $1, refused_because = $2 WHERE serial = $3 AND refused_at IS NULL",
        )
        .bind(now)
        .bind(because)
        .bind(serial)
        .execute(&mut *self.transaction)
        .await?;
        Ok(refused.rows_affected() == 1)
    }

    /// Forgets certificates that expired before a time: nobody can show them any more.
    pub async fn forget_certificates(&mut self, before: i64) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM certificates WHERE expires_at < $1")
            .bind(before)
            .execute(&mut *self.transaction)
            .await?;
        Ok(())
    }
}

impl Store {
    /// Every certificate that is remembered, the newest first.
    pub async fn certificates(&self) -> Result<Vec<CertificateRow>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM certificates ORDER BY issued_at DESC, serial");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(certificate).collect()
    }
}

fn certificate(row: &AnyRow) -> Result<CertificateRow, StoreError> {
    Ok(CertificateRow {
        serial: row.try_get("serial")?,
        identity: row.try_get("identity")?,
        issued_to: row.try_get("issued_to")?,
        issued_at: row.try_get("issued_at")?,
        expires_at: row.try_get("expires_at")?,
        refused_at: row.try_get("refused_at")?,
        refused_because: row.try_get("refused_because")?,
    })
}
