//! Durable work: what was asked for, how far it came, what it printed.

use serde_json::Value;
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::change::Change;
use crate::error::StoreError;
use crate::ids::{JobId, ProjectId};
use crate::store::Store;

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobState {
    Queued,
    Running,
    Succeeded,
    Failed,
    Cancelled,
    /// The stack ended while it ran.
    Interrupted,
}

/// A job as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobRow {
    pub id: JobId,
    /// `handoff`, `run`, `verify`.
    pub kind: String,
    pub project_id: ProjectId,
    pub state: JobState,
    /// What was asked for.
    pub request: Value,
    /// The steps so far, as the API shows them.
    pub steps: Value,
    pub build_hash: Option<String>,
    pub result: Option<Value>,
    pub error: Option<String>,
    pub remedy: Option<String>,
    /// Milliseconds since 1970.
    pub created_at: i64,
    pub finished_at: Option<i64>,
}

/// A line a job printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRow {
    /// Counts from 1 within the job.
    pub number: i64,
    pub step: i64,
    pub text: String,
}

impl JobState {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Interrupted => "interrupted",
        }
    }

    pub const fn is_over(self) -> bool {
        !matches!(self, Self::Queued | Self::Running)
    }

    fn from_word(word: &str) -> Self {
        match word {
            "queued" => Self::Queued,
            "running" => Self::Running,
            "succeeded" => Self::Succeeded,
            "cancelled" => Self::Cancelled,
            "interrupted" => Self::Interrupted,
            _ => Self::Failed,
        }
    }
}

const COLUMNS: &str = "id, kind, project_id, state, request, steps, build_hash, result, error, remedy, created_at, finished_at";

impl Change {
    /// Stores a job as it now is.
    pub async fn put_job(&mut self, job: &JobRow) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO jobs (id, kind, project_id, state, request, steps, build_hash, result, error, remedy, created_at, finished_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
             ON CONFLICT (id) DO UPDATE SET state = excluded.state, steps = excluded.steps, build_hash = excluded.build_hash,
               result = excluded.result, error = excluded.error, remedy = excluded.remedy, finished_at = excluded.finished_at",
        )
        .bind(&job.id)
        .bind(&job.kind)
        .bind(&job.project_id)
        .bind(job.state.word())
        .bind(job.request.to_string())
        .bind(job.steps.to_string())
        .bind(&job.build_hash)
        .bind(job.result.as_ref().map(Value::to_string))
        .bind(&job.error)
        .bind(&job.remedy)
        .bind(job.created_at)
        .bind(job.finished_at)
        .execute(&mut *self.transaction)
        .await?;
        Ok(())
    }

    /// Adds lines to a job's log.
    pub async fn add_log(&mut self, job: &JobId, lines: &[LogRow]) -> Result<(), StoreError> {
        for line in lines {
            sqlx::query("INSERT INTO job_log (job_id, number, step, text) VALUES ($1, $2, $3, $4)")
                .bind(job)
                .bind(line.number)
                .bind(line.step)
                .bind(&line.text)
                .execute(&mut *self.transaction)
                .await?;
        }
        Ok(())
    }
}

impl Store {
    /// Jobs, newest first; of one project where it is given.
    pub async fn jobs(
        &self,
        project: Option<&ProjectId>,
        limit: i64,
    ) -> Result<Vec<JobRow>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM jobs WHERE ($1 = '' OR project_id = $1) ORDER BY created_at DESC, id DESC LIMIT $2"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(project.map_or("", ProjectId::as_str))
            .bind(limit)
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(job).collect()
    }

    /// Jobs that are queued or running, oldest first.
    pub async fn open_jobs(&self) -> Result<Vec<JobRow>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM jobs WHERE state IN ('queued', 'running') ORDER BY created_at, id"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(job).collect()
    }

    pub async fn job(&self, id: &JobId) -> Result<Option<JobRow>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM jobs WHERE id = $1");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(id)
            .fetch_optional(&self.pool)
            .await?;
        row.as_ref().map(job).transpose()
    }

    /// The newest job of a kind for a build, whatever came of it.
    pub async fn newest_job(
        &self,
        kind: &str,
        build_hash: &str,
    ) -> Result<Option<JobRow>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM jobs WHERE kind = $1 AND build_hash = $2 ORDER BY created_at DESC, id DESC LIMIT 1"
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(kind)
            .bind(build_hash)
            .fetch_optional(&self.pool)
            .await?;
        row.as_ref().map(job).transpose()
    }

    /// A job's log after a line, oldest first.
    pub async fn job_log(
        &self,
        id: &JobId,
        after: i64,
        limit: i64,
    ) -> Result<Vec<LogRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT number, step, text FROM job_log WHERE job_id = $1 AND number > $2 ORDER BY number LIMIT $3",
        )
        .bind(id)
        .bind(after)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(LogRow {
                    number: row.try_get("number")?,
                    step: row.try_get("step")?,
                    text: row.try_get("text")?,
                })
            })
            .collect()
    }
}

fn job(row: &AnyRow) -> Result<JobRow, StoreError> {
    let json = |column: &str| -> Result<Option<Value>, StoreError> {
        let text: Option<String> = row.try_get(column)?;
        text.map(|text| serde_json::from_str(&text))
            .transpose()
            .map_err(StoreError::malformed("job"))
    };
    Ok(JobRow {
        id: row.try_get("id")?,
        kind: row.try_get("kind")?,
        project_id: row.try_get("project_id")?,
        state: JobState::from_word(&row.try_get::<String, _>("state")?),
        request: json("request")?.unwrap_or_default(),
        steps: json("steps")?.unwrap_or_default(),
        build_hash: row.try_get("build_hash")?,
        result: json("result")?,
        error: row.try_get("error")?,
        remedy: row.try_get("remedy")?,
        created_at: row.try_get("created_at")?,
        finished_at: row.try_get("finished_at")?,
    })
}
