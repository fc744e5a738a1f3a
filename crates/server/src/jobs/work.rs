//! What a job does: prepare, build, record, and deploy or build a second time.

use std::collections::BTreeMap;
use std::path::Path;

use ergon_companion::Meant;
use ergon_companion::redact::hide_known;
use ergon_engine::EngineError;
use ergon_hermes::DirectoryError;
use ergon_manifest::{Document, PlatformName, to_pretty_json};
use ergon_pack::attest::{StackKey, attest};
use ergon_pack::{
    BuildRecord, Built, MANIFEST_FILE, Options, PackError, Prepared, Reproducibility, Verification,
    build, load_into_engine, prepare,
};
use ergon_store::{JobRow, JobState, ProjectRow, StoreError};
use tokio_util::sync::CancellationToken;

use super::deploy::{Deployment, deploy};
use super::health::Unwell;
use super::recorder::{Report, Reporter, record};
use super::verify::{Moved, differs, mends};
use super::{Cause, VERIFY, end, request};
use crate::api::{DockerConfig, RunResult, StartedContainer};
use crate::companions::CompanionError;
use crate::projects::{SaveError, WantedFile, docker_config, save};
use crate::registry::{Origin, RegistryError};
use crate::secrets::{SecretError, Wanted};
use crate::stack::Stack;

/// Why a job did not do what it was to do.
#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    #[error("it was cancelled")]
    Cancelled,
    #[error("its project was removed")]
    NoProject,
    #[error("the manifest has no container, so there is nothing to start")]
    NoContainer,
    #[error(transparent)]
    Pack(#[from] PackError),
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Save(#[from] SaveError),
    #[error(transparent)]
    Registry(#[from] RegistryError),
    #[error(transparent)]
    Companion(#[from] CompanionError),
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error("{}", .0.error())]
    Unwell(Box<Unwell>),
    #[error("{}", .0.error())]
    Moved(Moved),
    #[error("{}", differs(.0))]
    Differs(Box<Verification>),
    #[error("a task of it ended without an answer: {0}")]
    Task(#[from] tokio::task::JoinError),
}

impl WorkError {
    fn remedy(&self) -> Option<String> {
        match self {
            Self::Pack(error) => error.remedy(),
            Self::Engine(error) => error.remedy(),
            Self::Save(error) => Some(error.remedy()),
            Self::Registry(error) => error.remedy(),
            Self::Companion(error) => error.remedy(),
            Self::Store(error) => error.remedy(),
            Self::Secret(error) => error.remedy(),
            Self::Unwell(unwell) => Some(unwell.remedy()),
            Self::Moved(moved) => Some(moved.remedy()),
            Self::Differs(verification) => mends(verification),
            Self::Cancelled
            | Self::NoProject
            | Self::NoContainer
            | Self::Directory(_)
            | Self::Task(_) => None,
        }
    }

    fn is_cancellation(&self) -> bool {
        matches!(self, Self::Cancelled | Self::Pack(PackError::Cancelled))
    }
}

/// Gives the job's place free, however the job ends.
struct Place<'a> {
    stack: &'a Stack,
    job: &'a JobRow,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.stack.desk().inner().running.remove(&self.job.id);
        self.stack.desk().asked.notify_one();
    }
}

/// Does a job, from its first step to its last state.
pub async fn work(stack: Stack, mut job: JobRow, cancel: CancellationToken) {
    let claimed = job.clone();
    let _place = Place {
        stack: &stack,
        job: &claimed,
    };
    let env = stack.desk().inner().env.remove(&job.id).unwrap_or_default();
    job.state = JobState::Running;
    if let Err(error) = stack.jobs().put(&job).await {
        tracing::error!(%error, job = %job.id, "a job cannot begin");
        return;
    }
    let (reporter, reports) = Reporter::new();
    let recording = tokio::spawn(record(stack.store().clone(), job.clone(), reports));
    let carried_out = {
        let (stack, job) = (stack.clone(), job.clone());
        // As a task of its own, so that a panic ends the job and not those who wait for it.
        tokio::spawn(async move {
            let work = Work {
                stack: &stack,
                job: &job,
                env: &env,
                cancel: &cancel,
                reporter,
            };
            Box::pin(work.carry_out()).await
        })
    };
    let outcome = carried_out.await.unwrap_or_else(|error| Err(error.into()));
    let mut job = recording.await.unwrap_or(job);
    match outcome {
        Ok(result) => {
            job.result = result.and_then(|result| serde_json::to_value(result).ok());
            end(&mut job, JobState::Succeeded, None);
        }
        Err(error) if error.is_cancellation() && stack.shutdown().is_cancelled() => {
            end(&mut job, JobState::Interrupted, Some(Cause::interrupted()));
        }
        Err(error) if error.is_cancellation() => end(&mut job, JobState::Cancelled, None),
        Err(error) => {
            tracing::info!(%error, job = %job.id, "a job failed");
            // What a step printed last is in it.
            let cause = Cause {
                error: hide_known(&error.to_string()).into_owned(),
                remedy: error.remedy(),
            };
            if let WorkError::Unwell(unwell) = error {
                job.result = serde_json::to_value(&unwell.result).ok();
            }
            end(&mut job, JobState::Failed, Some(cause));
        }
    }
    if let Err(error) = stack.jobs().put(&job).await {
        tracing::error!(%error, job = %job.id, "how a job ended could not be written down");
    }
}

pub(super) struct Work<'a> {
    pub stack: &'a Stack,
    pub job: &'a JobRow,
    env: &'a BTreeMap<String, String>,
    pub cancel: &'a CancellationToken,
    pub reporter: Reporter,
}

impl Work<'_> {
    async fn carry_out(self) -> Result<Option<RunResult>, WorkError> {
        let folder = request(self.job)
            .map(|request| request.folder)
            .ok_or(WorkError::NoProject)?;
        let project = self
            .stack
            .store()
            .project(self.job.project_id.as_str())
            .await?
            .ok_or(WorkError::NoProject)?;
        // Nothing that is found there goes before the job is done with it.
        let cache = self.stack.cache().clone();
        let in_use = tokio::task::spawn_blocking(move || cache.in_use())
            .await?
            .map_err(PackError::from)?;
        if self.job.kind == VERIFY {
            // What has no step to run can be built a second time without one.
            let engine = self.stack.engine().ok();
            let platform = self.platform_then().await?;
            let mut prepared = self.prepare(&folder, platform, engine.as_ref()).await?;
            self.give_to_build(&project, &mut prepared).await?;
            Box::pin(self.verify(&prepared, engine.as_ref())).await?;
            return Ok(None);
        }
        // Nothing is built that could not be started.
        let engine = self.stack.engine()?;
        let mut prepared = self.prepare(&folder, None, Some(&engine)).await?;
        let manifest = &prepared.project.document.manifest;
        self.stack.secrets().may_use(&project, manifest).await?;
        self.give_to_build(&project, &mut prepared).await?;
        self.reporter
            .tell(Report::BuildHash(prepared.build_hash.to_string()));
        if self.job.kind == "handoff" {
            self.hand_off(&project, &prepared).await?;
        }
        let built = self.build(&prepared, Some(&engine)).await?;
        for image in &built.record.images {
            self.unless_cancelled(load_into_engine(&engine, self.stack.cache(), image))
                .await??;
        }
        drop(in_use);
        let started = self.start(&engine, &project, &prepared, &built).await?;
        let result = result(&built, started).ok_or(WorkError::NoContainer)?;
        Ok(Some(result))
    }

    async fn prepare(
        &self,
        folder: &str,
        platform: Option<PlatformName>,
        engine: Option<&ergon_engine::Engine>,
    ) -> Result<Prepared, WorkError> {
        let options = Options {
            platform,
            ..self.stack.pack_options()
        };
        let mirrors = self.stack.upstreams().for_builds();
        let cache = self.stack.cache().clone().through(mirrors);
        let preparing = prepare(Path::new(folder), &cache, engine, options, &self.reporter);
        Ok(self.unless_cancelled(preparing).await??)
    }

    /// Lets build steps read the secrets that they need and may have.
    async fn give_to_build(
        &self,
        project: &ProjectRow,
        prepared: &mut Prepared,
    ) -> Result<(), WorkError> {
        let manifest = &prepared.project.document.manifest;
        prepared.options.secrets = self.stack.secrets().for_build(project, manifest).await?;
        Ok(())
    }

    /// Writes the manifest into the project, where it has none, and keeps what its Dockerfile would be.
    async fn hand_off(&self, project: &ProjectRow, prepared: &Prepared) -> Result<(), WorkError> {
        let document = &prepared.project.document;
        if prepared.project.analysis.is_some() {
            let folder = prepared.project.folder.clone();
            let content = to_pretty_json(&document.manifest);
            let saved = move || {
                save(
                    &folder,
                    &[WantedFile {
                        name: MANIFEST_FILE,
                        content: &content,
                    }],
                    false,
                )
            };
            tokio::task::spawn_blocking(saved).await??;
        }
        let config = new_config(project, prepared, document);
        self.stack
            .projects()
            .remember(project, Some(&document.digest()), &config)
            .await?;
        Ok(())
    }

    /// Builds, and keeps a record of it from its beginning to its end.
    pub async fn build(
        &self,
        prepared: &Prepared,
        engine: Option<&ergon_engine::Engine>,
    ) -> Result<Built, WorkError> {
        let registry = self.stack.registry();
        let origin = Origin {
            project_id: Some(self.job.project_id.clone()),
            job_id: Some(self.job.id.clone()),
        };
        let begun = begun(prepared);
        registry.begin(&begun, &origin).await?;
        let built = build(
            prepared,
            self.stack.cache(),
            engine,
            &self.reporter,
            self.cancel,
        )
        .await;
        match built {
            Ok(built) => {
                registry
                    .record(&built.record, &origin, built.cached)
                    .await?;
                self.attest(prepared, &built).await;
                Ok(built)
            }
            Err(error) => {
                let state = match error {
                    PackError::Cancelled if self.stack.shutdown().is_cancelled() => "interrupted",
                    PackError::Cancelled => "cancelled",
                    _ => "failed",
                };
                registry.end(&begun, &origin, state).await?;
                Err(error.into())
            }
        }
    }

    /// Signs and attaches what is to be said of the images. They are made and kept either way.
    pub async fn attest(&self, prepared: &Prepared, built: &Built) {
        let attached = async {
            let key = StackKey::open(self.stack.data().root())?;
            attest(prepared, &built.record, self.stack.cache(), &key).await
        };
        if let Err(error) = attached.await {
            let build = built.record.build_hash;
            tracing::warn!(%error, %build, "nothing is attached to a build's images");
        }
        self.stack.registry().publish(&built.record).await;
    }

    /// Starts the containers one after the other, each once those before it are well.
    async fn start(
        &self,
        engine: &ergon_engine::Engine,
        project: &ProjectRow,
        prepared: &Prepared,
        built: &Built,
    ) -> Result<Vec<StartedContainer>, WorkError> {
        let manifest = &prepared.project.document.manifest;
        let mut started = Vec::new();
        let mut step = built.steps;
        for name in manifest.build_order() {
            let Some(image) = built
                .record
                .images
                .iter()
                .find(|image| image.container == name)
            else {
                continue;
            };
            let meant = Meant {
                manifest: manifest.clone(),
                manifest_digest: Some(built.record.inputs.manifest.to_string()),
                container: name.to_owned(),
                build_hash: built.record.build_hash.to_string(),
                image_digest: image.digest.to_string(),
                image_id: Some(image.config_digest.to_string()),
            };
            let secrets = Wanted::of(manifest, name)?;
            let deployment = Deployment {
                stack: self.stack,
                engine,
                project,
                image,
                meant,
                env: self.env,
                secrets: &secrets,
                cancel: self.cancel,
            };
            match deploy(&deployment, &self.reporter, &mut step).await {
                Ok(container) => started.push(container),
                Err(WorkError::Unwell(mut unwell)) => {
                    started.push(unwell.container.clone());
                    unwell.result = result(built, started);
                    return Err(WorkError::Unwell(unwell));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(started)
    }

    async fn unless_cancelled<T>(&self, work: impl Future<Output = T>) -> Result<T, WorkError> {
        tokio::select! {
            done = work => Ok(done),
            () = self.cancel.cancelled() => Err(WorkError::Cancelled),
        }
    }
}

/// What a run came to; nothing where the manifest has no container.
fn result(built: &Built, containers: Vec<StartedContainer>) -> Option<RunResult> {
    let first = containers.first().cloned()?;
    Some(RunResult {
        build_hash: built.record.build_hash.to_string(),
        image_digest: first.image_digest,
        image: first.image,
        reproducibility: built.record.reproducibility.name().to_owned(),
        cached: built.cached,
        container: first.container,
        companion: first.companion,
        ports: first.ports,
        state: first.state,
        containers,
    })
}

/// What is known of a build when it begins.
fn begun(prepared: &Prepared) -> BuildRecord {
    BuildRecord {
        build_hash: prepared.build_hash,
        inputs: prepared.inputs.clone(),
        images: Vec::new(),
        reproducibility: Reproducibility::expected(&prepared.unpinned),
        unpinned: prepared.unpinned.clone(),
        supplies: Vec::new(),
        started_at: jiff::Timestamp::now().to_string(),
        milliseconds: 0,
        git: prepared.git.clone(),
        manifest: prepared.project.document.value.clone(),
        indexes: Vec::new(),
        verification: None,
    }
}

/// The Dockerfile's settings; where it was saved stays known while it is the same.
fn new_config(project: &ProjectRow, prepared: &Prepared, document: &Document) -> DockerConfig {
    let dockerfile = prepared
        .plans
        .last()
        .map(|plan| ergon_pack::write_dockerfile(plan, prepared.lock.as_ref()).text)
        .unwrap_or_default();
    let mut config = docker_config(&dockerfile, None, Some(document));
    let before: Option<DockerConfig> = project
        .docker_config
        .clone()
        .and_then(|config| serde_json::from_value(config).ok());
    if let Some(before) =
        before.filter(|before| before.dockerfile_digest == config.dockerfile_digest)
    {
        config.saved_to = before.saved_to;
    }
    config
}
