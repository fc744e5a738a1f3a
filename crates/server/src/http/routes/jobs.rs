//! Runs and hand-offs, and following them.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::Sse;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::api::{Job, JobLogLine, List, RunFolder};
use crate::http::extract::{Body, Name, Parameters};
use crate::http::problem::Failure;
use crate::http::streams::{self, EventStream};
use crate::stack::Stack;

/// Which jobs.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct JobFilter {
    /// Only those of this project, by id or name.
    pub project: Option<String>,
}

/// Which lines.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct LogCursor {
    /// Only lines with a greater number.
    pub after: Option<u64>,
}

/// Build a folder and run it, without writing into it.
#[utoipa::path(post, path = "/api/v1/runs", operation_id = "run_folder", tag = "jobs",
    request_body = RunFolder,
    responses((status = 202, body = Job)))]
pub async fn run(
    State(stack): State<Stack>,
    Body(body): Body<RunFolder>,
) -> Result<(StatusCode, Json<Job>), Failure> {
    let project = stack.projects().at_folder(&body.folder).await?;
    Ok((
        StatusCode::ACCEPTED,
        Json(stack.jobs().run(&project, body.env).await?),
    ))
}

/// Jobs, newest first.
#[utoipa::path(get, path = "/api/v1/jobs", operation_id = "list_jobs", tag = "jobs",
    params(JobFilter),
    responses((status = 200, body = List<Job>)))]
pub async fn list(
    State(stack): State<Stack>,
    Parameters(filter): Parameters<JobFilter>,
) -> Result<Json<List<Job>>, Failure> {
    let project = match filter.project {
        Some(project) => Some(stack.projects().find(&project).await?.id),
        None => None,
    };
    Ok(Json(List {
        items: stack.jobs().list(project.as_ref()).await?,
    }))
}

/// One job with its steps.
#[utoipa::path(get, path = "/api/v1/jobs/{id}", operation_id = "job", tag = "jobs",
    params(("id" = String, Path)),
    responses((status = 200, body = Job)))]
pub async fn read(State(stack): State<Stack>, Name(id): Name) -> Result<Json<Job>, Failure> {
    Ok(Json(stack.jobs().read(&id).await?))
}

/// Cancel a job that is queued or running; the answer is the job as it is then.
#[utoipa::path(post, path = "/api/v1/jobs/{id}/cancel", operation_id = "cancel_job", tag = "jobs",
    params(("id" = String, Path)),
    responses((status = 202, body = Job)))]
pub async fn cancel(
    State(stack): State<Stack>,
    Name(id): Name,
) -> Result<(StatusCode, Json<Job>), Failure> {
    Ok((StatusCode::ACCEPTED, Json(stack.jobs().cancel(&id).await?)))
}

/// What a job's steps wrote, oldest first, a thousand lines at a time.
#[utoipa::path(get, path = "/api/v1/jobs/{id}/log", operation_id = "job_log", tag = "jobs",
    params(("id" = String, Path), LogCursor),
    responses((status = 200, body = List<JobLogLine>)))]
pub async fn log(
    State(stack): State<Stack>,
    Name(id): Name,
    Parameters(cursor): Parameters<LogCursor>,
) -> Result<Json<List<JobLogLine>>, Failure> {
    Ok(Json(List {
        items: stack.jobs().log(&id, cursor.after.unwrap_or(0)).await?,
    }))
}

/// A job as it happens: `step` (a JobStep with its `index`), `log` (a JobLogLine) and, at last, `end` (the Job).
#[utoipa::path(get, path = "/api/v1/jobs/{id}/follow", operation_id = "follow_job", tag = "jobs",
    params(("id" = String, Path)),
    responses((status = 200, body = String, content_type = "text/event-stream")))]
pub async fn follow(
    State(stack): State<Stack>,
    Name(id): Name,
    headers: HeaderMap,
) -> Result<Sse<EventStream>, Failure> {
    let last_line = streams::last_event_id(&headers).unwrap_or(0);
    let job = stack.jobs().find(&id).await?;
    Ok(streams::follow_job(&stack, job, last_line))
}
