//! A command on its way to a layer: which sandbox it runs in, and what it left there.

use std::collections::BTreeMap;
use std::path::Path;

use ergon_engine::{Engine, EngineError};
use ergon_manifest::Digest;
use ergon_oci::{ConfigChange, Layer};

use super::{ContainerBuild, StageState};
use crate::capture::{Overlay, read_upper};
use crate::conditions::Conditions;
use crate::engine_image::load;
use crate::error::PackError;
use crate::fetched::Supply;
use crate::prepare::RunningStep;
use crate::sandbox::namespaces::{self, NamespaceStep, OverLayers};
use crate::sandbox::{self, Changes, FetchedFolder, FinishedStep, SandboxKind, StepRequest};
use crate::stage_files;

/// A command on its way into a sandbox.
#[derive(Clone, Copy)]
pub(super) struct Run<'a> {
    pub command: &'a str,
    /// What the shell is given instead, where that is to do something for the command.
    pub instead: Option<&'a str>,
    /// What stands before it, lines of the same shell.
    pub before: &'a [String],
    pub workdir: &'a str,
    pub network: bool,
    pub environment: &'a BTreeMap<String, String>,
    pub fetched: Option<FetchedFolder<'a>>,
    /// Where the secrets are that it may read.
    pub secrets_at: Option<&'a Path>,
    pub step: &'a RunningStep<'a>,
}

/// Under which key a layer is kept, and how its step got what it needed from elsewhere.
#[derive(Clone)]
pub(super) struct Kept {
    pub key: Digest,
    pub supply: Option<Supply>,
    /// Which secrets its step read: nothing of them may be in it.
    pub secrets: Vec<String>,
}

impl From<Digest> for Kept {
    fn from(key: Digest) -> Self {
        Self {
            key,
            supply: None,
            secrets: Vec::new(),
        }
    }
}

/// A command that ended well; what it changed can still be read.
pub(super) enum Ended<'a> {
    Engine(&'a Engine, FinishedStep<'a>),
    Namespaces(NamespaceStep),
}

impl<'a> ContainerBuild<'a, '_, '_> {
    /// Runs a command over what the stage has so far, in whichever sandbox there is.
    pub(super) async fn run_in_sandbox(
        &self,
        state: &mut StageState,
        run: Run<'_>,
    ) -> Result<Ended<'a>, PackError> {
        match self.engine_for(run.command).await? {
            Some(engine) => {
                let finished = self.run_in_engine(engine, state, run).await?;
                Ok(Ended::Engine(engine, finished))
            }
            None => Ok(Ended::Namespaces(self.run_in_namespaces(state, run).await?)),
        }
    }

    /// The layer of what a command changed.
    pub(super) async fn layer_left(
        &self,
        ended: Ended<'_>,
        command: &str,
        kept: Kept,
    ) -> Result<Layer, PackError> {
        match ended {
            Ended::Engine(engine, finished) => {
                let layer = self.capture(engine, &finished, command, kept).await;
                finished.remove().await;
                layer
            }
            Ended::Namespaces(finished) => {
                let layer = self.layer_of(finished.overlay.clone(), command, kept).await;
                drop_elsewhere(finished).await?;
                layer
            }
        }
    }

    /// The engine a command runs in; none where it runs in namespaces.
    async fn engine_for(&self, command: &str) -> Result<Option<&'a Engine>, PackError> {
        let options = &self.work.prepared.options;
        let no_engine = |instead| PackError::NoEngine {
            command: command.to_owned(),
            instead,
        };
        match (self.work.sandbox, self.work.engine) {
            (SandboxKind::Auto | SandboxKind::Engine, Some(engine)) => return Ok(Some(engine)),
            (SandboxKind::Engine, None) => return Err(no_engine(None)),
            (SandboxKind::Namespaces | SandboxKind::Auto, _) => {}
        }
        // Asked before any layer is unpacked in vain.
        let program = options.sandbox_program.as_deref();
        match namespaces::available(self.work.cache, program, false).await {
            Ok(()) => Ok(None),
            Err(reason) if self.work.sandbox == SandboxKind::Auto => Err(no_engine(Some(reason))),
            Err(reason) => Err(reason.into()),
        }
    }

    async fn run_in_engine<'e>(
        &self,
        engine: &'e Engine,
        state: &mut StageState,
        run: Run<'_>,
    ) -> Result<FinishedStep<'e>, PackError> {
        let image = self.assemble(state, &ConfigChange::default())?;
        load(engine, self.work.cache, &image, state.below()).await?;
        let id = image.config_digest().to_string();
        state.loaded = Some(image.clone());
        let base = state.base.digest;
        let cancel = self.work.cancel;
        if self.work.conditions.asks_about_clock(&base) {
            let request = self.clock_question(&base, run);
            let told = sandbox::heard(request.command, async |step| {
                let finished = sandbox::run(engine, &id, request, step, cancel).await?;
                finished.remove().await;
                Ok(())
            });
            self.clock_answered(base, told.await?);
        }
        let finished = sandbox::run(engine, &id, self.request(&base, run), run.step, cancel).await;
        match finished {
            // Another build stood on the same image, and removed it when it was done.
            Err(PackError::Engine(EngineError::NotFound { .. }))
                if engine.image_id(&id).await?.is_none() =>
            {
                load(engine, self.work.cache, &image, state.below()).await?;
                sandbox::run(engine, &id, self.request(&base, run), run.step, cancel).await
            }
            finished => finished,
        }
    }

    async fn run_in_namespaces(
        &self,
        state: &StageState,
        run: Run<'_>,
    ) -> Result<NamespaceStep, PackError> {
        let work = &self.work;
        let base_layers = state.base.layers().iter();
        let base_layers = base_layers.map(|layer| (layer.digest, work.bases));
        let above = state.layers.iter();
        let above = above.map(|layer| (layer.layer.digest, work.cache));
        let over = OverLayers {
            cache: self.work.cache,
            layers: base_layers.chain(above).collect(),
            base: &state.base.config.config,
            program: self.work.prepared.options.sandbox_program.as_deref(),
        };
        let base = state.base.digest;
        let cancel = self.work.cancel;
        if self.work.conditions.asks_about_clock(&base) {
            let request = self.clock_question(&base, run);
            let told = sandbox::heard(request.command, async |step| {
                namespaces::run(&over, request, step, cancel)
                    .await
                    .map(drop)
            });
            self.clock_answered(base, told.await?);
        }
        namespaces::run(&over, self.request(&base, run), run.step, cancel).await
    }

    fn request<'r>(&'r self, base: &'r Digest, run: Run<'r>) -> StepRequest<'r> {
        let options = &self.work.prepared.options;
        StepRequest {
            command: run.command,
            instead: run.instead,
            before: run.before,
            workdir: run.workdir,
            environment: run.environment,
            network: run.network,
            extra_authority: &options.extra_authority,
            limits: options.limits,
            conditions: self.work.conditions,
            base,
            fetched: run.fetched,
            secrets: run.secrets_at,
        }
    }

    fn clock_question<'r>(&'r self, base: &'r Digest, run: Run<'r>) -> StepRequest<'r> {
        StepRequest {
            command: Conditions::CLOCK_QUESTION,
            instead: None,
            before: &[],
            workdir: "/",
            network: false,
            fetched: None,
            secrets: None,
            ..self.request(base, run)
        }
    }

    fn clock_answered(&self, base: Digest, told: Option<String>) {
        let ahead = told.is_some_and(|told| Conditions::is_ahead(&told));
        self.work.conditions.clock_answered(base, ahead);
    }

    /// The layer of what lies in an overlay's upper directory.
    async fn layer_of(
        &self,
        overlay: Overlay,
        command: &str,
        kept: Kept,
    ) -> Result<Layer, PackError> {
        let (command, epoch) = (command.to_owned(), self.work.prepared.inputs.epoch);
        self.layer(kept, move || {
            read_upper(&overlay, epoch).map_err(|error| PackError::Capture {
                command,
                path: overlay.upper,
                error,
            })
        })
        .await
    }

    async fn capture(
        &self,
        engine: &Engine,
        finished: &FinishedStep<'_>,
        command: &str,
        kept: Kept,
    ) -> Result<Layer, PackError> {
        match finished.changes().await? {
            Changes::Overlay(overlay) => self.layer_of(overlay, command, kept).await,
            Changes::Committed { image } => {
                let saved =
                    tokio_util::io::SyncIoBridge::new(engine.save_image(&image).into_reader());
                let blobs = self.work.cache.blobs().clone();
                let epoch = self.work.prepared.inputs.epoch;
                let layer = self
                    .layer(kept, move || {
                        stage_files::last_saved_layer(saved, &blobs, epoch)
                    })
                    .await;
                if let Err(error) = engine.remove_image(&image, true).await {
                    tracing::warn!(%image, %error, "could not remove a committed step");
                }
                layer
            }
        }
    }
}

/// A step's folder may hold many files.
pub(super) async fn drop_elsewhere(value: impl Send + 'static) -> Result<(), PackError> {
    Ok(tokio::task::spawn_blocking(move || drop(value)).await?)
}
