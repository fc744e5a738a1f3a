//! Jobs: durable work that builds a project, runs it, or builds it twice. Asked for, taken on in turn, followed,
//! cancelled.

mod deploy;
mod health;
mod recorder;
mod verify;
mod work;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use ergon_store::{
    JobId, JobRow, JobState, LogRow, NewEvent, ProjectId, ProjectRow, StoreError, StoredBuild, now,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::api;
use crate::stack::Stack;
use crate::words::rfc3339;

/// So many jobs run at a time; those of one project one after the other.
const AT_ONCE: usize = 2;
/// The kind of a job that builds a second time.
pub const VERIFY: &str = "verify";
/// So many jobs are listed.
const LISTED: i64 = 200;
/// So many lines are handed out at a time.
pub const PAGE: i64 = 1000;

/// What went wrong with a job's request.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    #[error("there is no job `{id}`")]
    NotFound { id: String },
    #[error("`{name}` cannot be a variable's name")]
    Variable { name: String },
    #[error(
        "build {hash} has not succeeded but is {state}, so there is nothing to compare a second one with"
    )]
    NotBuilt { hash: String, state: String },
    #[error("nothing is known here of the folder that build {hash} was made of")]
    NoFolder { hash: String },
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl JobError {
    /// What a person can do about it.
    pub fn remedy(&self) -> Option<String> {
        match self {
            Self::NotFound { .. } => Some("ergon job list says which there are".to_owned()),
            Self::Variable { .. } => {
                Some("use letters, digits and underscores, and no digit first".to_owned())
            }
            Self::NotBuilt { .. } => Some("build it first: ergon build, or ergon run".to_owned()),
            Self::NoFolder { .. } => Some(
                "in that folder: ergon build --verify; or add it: ergon project add".to_owned(),
            ),
            Self::Store(error) => error.remedy(),
        }
    }
}

/// What was asked for, as it is stored. Values of variables are not: they may be secrets.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Request {
    pub project_name: String,
    pub folder: String,
    /// Names of the variables that came with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<String>,
}

/// Jobs that are under way, and what only this process knows of them.
#[derive(Debug, Default)]
pub struct Desk {
    /// Somebody asked for something.
    asked: Notify,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    running: HashMap<JobId, Running>,
    /// Variables of jobs that have not begun yet.
    env: HashMap<JobId, BTreeMap<String, String>>,
    /// Docker names of containers that jobs are about to create.
    making: BTreeSet<String>,
}

#[derive(Debug)]
struct Running {
    project: ProjectId,
    cancel: CancellationToken,
}

impl Desk {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The stack's jobs.
pub struct Jobs<'a> {
    stack: &'a Stack,
}

impl<'a> Jobs<'a> {
    pub fn new(stack: &'a Stack) -> Self {
        Self { stack }
    }

    fn desk(&self) -> &'a Desk {
        self.stack.desk()
    }

    /// Asks for a project to be handed over: manifest written, images built, containers started.
    pub async fn hand_off(&self, project: &ProjectRow) -> Result<api::Job, JobError> {
        self.ask("handoff", project, None, BTreeMap::new()).await
    }

    /// Asks for a folder to be built and run without writing into it.
    pub async fn run(
        &self,
        project: &ProjectRow,
        env: BTreeMap<String, String>,
    ) -> Result<api::Job, JobError> {
        if let Some(name) = env.keys().find(|name| !is_variable(name)) {
            return Err(JobError::Variable { name: name.clone() });
        }
        self.ask("run", project, None, env).await
    }

    /// Asks for a build to be made a second time and compared. Asked again before that is over, it is the same job.
    pub async fn verify(&self, stored: &StoredBuild) -> Result<api::Job, JobError> {
        verify::check(stored)?;
        let hash = &stored.build.build_hash;
        let earlier = self.stack.store().newest_job(VERIFY, hash).await?;
        if let Some(job) = earlier.filter(|job| !job.state.is_over()) {
            return Ok(view(&job));
        }
        let project = match &stored.build.project_id {
            Some(id) => self.stack.store().project(id.as_str()).await?,
            None => None,
        };
        let project = project.ok_or_else(|| JobError::NoFolder { hash: hash.clone() })?;
        self.ask(VERIFY, &project, Some(hash.clone()), BTreeMap::new())
            .await
    }

    async fn ask(
        &self,
        kind: &str,
        project: &ProjectRow,
        build_hash: Option<String>,
        env: BTreeMap<String, String>,
    ) -> Result<api::Job, JobError> {
        let request = Request {
            project_name: project.name.clone(),
            folder: project.folder.clone(),
            env: env.keys().cloned().collect(),
        };
        let job = JobRow {
            id: JobId::from_random(self.stack.entropy().bytes()),
            kind: kind.to_owned(),
            project_id: project.id.clone(),
            state: JobState::Queued,
            request: serde_json::to_value(request).unwrap_or_default(),
            steps: json!([]),
            build_hash,
            result: None,
            error: None,
            remedy: None,
            created_at: now(),
            finished_at: None,
        };
        if !env.is_empty() {
            self.desk().inner().env.insert(job.id.clone(), env);
        }
        let mut change = self.stack.store().change(event(&job)).await?;
        change.put_job(&job).await?;
        change.commit().await?;
        self.desk().asked.notify_one();
        Ok(view(&job))
    }

    /// Jobs, newest first.
    pub async fn list(&self, project: Option<&ProjectId>) -> Result<Vec<api::Job>, JobError> {
        Ok(self
            .stack
            .store()
            .jobs(project, LISTED)
            .await?
            .iter()
            .map(view)
            .collect())
    }

    pub async fn find(&self, id: &str) -> Result<JobRow, JobError> {
        let found = self.stack.store().job(&JobId::named(id)).await?;
        found.ok_or_else(|| JobError::NotFound { id: id.to_owned() })
    }

    pub async fn read(&self, id: &str) -> Result<api::Job, JobError> {
        Ok(view(&self.find(id).await?))
    }

    /// Lines of a job's log after a number.
    pub async fn log(&self, id: &str, after: u64) -> Result<Vec<api::JobLogLine>, JobError> {
        let job = self.find(id).await?;
        let after = i64::try_from(after).unwrap_or(i64::MAX);
        Ok(self
            .stack
            .store()
            .job_log(&job.id, after, PAGE)
            .await?
            .into_iter()
            .map(line)
            .collect())
    }

    /// Cancels a job; one that has ended stays as it is.
    pub async fn cancel(&self, id: &str) -> Result<api::Job, JobError> {
        let mut job = self.find(id).await?;
        if let Some(running) = self.desk().inner().running.get(&job.id) {
            running.cancel.cancel();
            return Ok(view(&job));
        }
        if job.state == JobState::Queued {
            end(&mut job, JobState::Cancelled, None);
            self.put(&job).await?;
        }
        Ok(view(&job))
    }

    /// Whether a job is about to create a container of this name.
    pub fn is_making(&self, container: &str) -> bool {
        self.desk().inner().making.contains(container)
    }

    async fn put(&self, job: &JobRow) -> Result<(), StoreError> {
        let mut change = self.stack.store().change(event(job)).await?;
        change.put_job(job).await?;
        change.commit().await
    }

    /// Says of every job and build that was under way when the last process ended that it was interrupted.
    /// What still waits for its turn goes on waiting, where all that was asked for is still known.
    pub async fn recover(&self) -> Result<(), StoreError> {
        for mut job in self.stack.store().open_jobs().await? {
            let lost_variables = request(&job).is_none_or(|request| !request.env.is_empty());
            if job.state == JobState::Running || lost_variables {
                end(&mut job, JobState::Interrupted, Some(Cause::interrupted()));
                self.put(&job).await?;
            }
        }
        let interrupted = NewEvent::new("dev.ergon.build.interrupted", "build/all", json!({}));
        let mut change = self.stack.store().change(interrupted).await?;
        if change.interrupt_builds(now()).await? > 0 {
            change.commit().await?;
        }
        Ok(())
    }

    /// The next job whose turn it is.
    async fn claim(&self) -> Result<Option<(JobRow, CancellationToken)>, StoreError> {
        let open = self.stack.store().open_jobs().await?;
        let mut inner = self.desk().inner();
        if inner.running.len() >= AT_ONCE {
            return Ok(None);
        }
        let busy: BTreeSet<&ProjectId> = inner
            .running
            .values()
            .map(|running| &running.project)
            .collect();
        let next = open
            .into_iter()
            .find(|job| job.state == JobState::Queued && !busy.contains(&job.project_id));
        Ok(next.map(|job| {
            let cancel = CancellationToken::new();
            let running = Running {
                project: job.project_id.clone(),
                cancel: cancel.clone(),
            };
            inner.running.insert(job.id.clone(), running);
            (job, cancel)
        }))
    }
}

/// Takes on jobs in turn until the stack ends; then waits until those that run have stopped.
pub async fn run(stack: Stack) {
    let mut working = JoinSet::new();
    loop {
        while working.len() < AT_ONCE && !stack.shutdown().is_cancelled() {
            match stack.jobs().claim().await {
                Ok(Some((job, cancel))) => {
                    working.spawn(work::work(stack.clone(), job, cancel));
                }
                Ok(None) => break,
                Err(error) => {
                    tracing::error!(%error, "no job can be taken on");
                    break;
                }
            }
        }
        tokio::select! {
            () = stack.shutdown().cancelled() => break,
            () = stack.desk().asked.notified() => {}
            Some(_) = working.join_next() => {}
        }
    }
    for running in stack.desk().inner().running.values() {
        running.cancel.cancel();
    }
    while working.join_next().await.is_some() {}
}

/// Why a job did not do what it was to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    pub error: String,
    pub remedy: Option<String>,
}

impl Cause {
    fn interrupted() -> Self {
        Self {
            error: "the stack ended while it ran".to_owned(),
            remedy: Some("start it again; what was built before is still held".to_owned()),
        }
    }
}

/// The job as it is once it has ended.
fn end(job: &mut JobRow, state: JobState, cause: Option<Cause>) {
    job.state = state;
    job.finished_at = Some(now());
    if let Some(cause) = cause {
        job.error = Some(cause.error);
        job.remedy = cause.remedy;
    }
    let mut steps = steps(job);
    for step in steps.iter_mut().filter(|step| step.state == "running") {
        "failed".clone_into(&mut step.state);
    }
    job.steps = serde_json::to_value(steps).unwrap_or_default();
}

fn request(job: &JobRow) -> Option<Request> {
    serde_json::from_value(job.request.clone()).ok()
}

pub fn steps(job: &JobRow) -> Vec<api::JobStep> {
    serde_json::from_value(job.steps.clone()).unwrap_or_default()
}

/// A job as the API shows it.
pub fn view(job: &JobRow) -> api::Job {
    api::Job {
        id: job.id.to_string(),
        kind: job.kind.clone(),
        project_id: job.project_id.to_string(),
        project_name: request(job)
            .map(|request| request.project_name)
            .unwrap_or_default(),
        state: job.state.word().to_owned(),
        created_at: rfc3339(job.created_at),
        finished_at: job.finished_at.map(rfc3339),
        error: job.error.clone(),
        remedy: job.remedy.clone(),
        steps: steps(job),
        build_hash: job.build_hash.clone(),
        result: job
            .result
            .clone()
            .and_then(|result| serde_json::from_value(result).ok()),
    }
}

/// A line of a log as the API shows it.
pub fn line(row: LogRow) -> api::JobLogLine {
    api::JobLogLine {
        number: u64::try_from(row.number).unwrap_or(0),
        step: u32::try_from(row.step).unwrap_or(0),
        text: row.text,
    }
}

/// What tells of a job's state.
fn event(job: &JobRow) -> NewEvent {
    let kind = match job.state {
        JobState::Queued => "dev.ergon.job.queued",
        JobState::Running => "dev.ergon.job.running",
        JobState::Succeeded => "dev.ergon.job.succeeded",
        JobState::Failed => "dev.ergon.job.failed",
        JobState::Cancelled => "dev.ergon.job.cancelled",
        JobState::Interrupted => "dev.ergon.job.interrupted",
    };
    let project = request(job).map(|request| request.project_name);
    NewEvent::new(
        kind,
        format!("job/{}", job.id),
        json!({ "kind": job.kind, "project": project, "error": job.error }),
    )
}

fn is_variable(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    name.bytes().all(plain)
        && name
            .bytes()
            .next()
            .is_some_and(|byte| !byte.is_ascii_digit())
}
