//! Carries a plan out: each step becomes a layer, from cache where it can.

mod fetching;
mod keys;
mod run;
mod why;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use ergon_detect::plan::{
    APP_ROOT, ContainerPlan, Fetch, ImageConfig, Selection, Stage, StageFiles, Step,
};
use ergon_engine::Engine;
use ergon_manifest::{Digest, Tagging, canonical_json};
use ergon_oci::layer::{LayerEntry, write_layer};
use ergon_oci::{ConfigChange, Image, Layer};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::bases::platform;
use crate::build_secrets::HandedOver;
use crate::builder::fetching::Supplies;
use crate::builder::keys::{RunKey, SourcesKey, StageKey};
use crate::builder::run::Kept;
use crate::cache::Cache;
use crate::conditions::Conditions;
use crate::engine_image::{load, remove_step_image};
use crate::environment::step_environment;
use crate::error::PackError;
use crate::fetched::Supply;
use crate::hash::BUILDER;
use crate::prepare::{Prepared, Steps};
use crate::progress::{Progress, StepKind, StepOutcome};
use crate::record::{BuildRecord, ImageRecord, Reproducibility};
use crate::sandbox::SandboxKind;
use crate::source::Source;
use crate::source_layer::source_entries;
use crate::stage_files;

/// A build that is done.
#[derive(Clone, Debug)]
pub struct Built {
    pub record: BuildRecord,
    /// Nothing was done: the images were there.
    pub cached: bool,
    /// The number of the next step, for whoever goes on from here.
    pub steps: u32,
}

/// Builds what was prepared.
///
/// Without an engine only plans with no steps to run can be built. Nothing is recorded unless
/// everything succeeded; what single steps left stays in the cache either way.
pub async fn build(
    prepared: &Prepared,
    cache: &Cache,
    engine: Option<&Engine>,
    progress: &dyn Progress,
    cancel: &CancellationToken,
) -> Result<Built, PackError> {
    let mut steps = Steps {
        progress,
        next: prepared.steps,
    };
    if let Some(record) = cache.build(&prepared.build_hash) {
        let unpinned = unpinned(prepared, &record.supplies)?;
        let record = BuildRecord {
            git: prepared.git.clone(),
            // Pins are no part of the hash: the same bits can be pinned today and not yesterday.
            reproducibility: match record.reproducibility {
                // What was measured goes before what is only to be expected.
                known @ (Reproducibility::Proven | Reproducibility::Failed) => known,
                _ => Reproducibility::expected(&unpinned),
            },
            unpinned,
            ..record
        };
        for image in &record.images {
            steps
                .begin(StepKind::Image, &image.tags[0])
                .end(StepOutcome::Cached, Some(image.summary()));
        }
        return Ok(Built {
            record,
            cached: true,
            steps: steps.next,
        });
    }
    let started_at = jiff::Timestamp::now();
    let started = Instant::now();
    let work = Work {
        prepared,
        source: &prepared.source,
        cache,
        bases: cache,
        engine,
        conditions: &Conditions::default(),
        sandbox: prepared.options.sandbox,
        cancel,
        kept: true,
    };
    let (images, supplies) = work.carry_out(&mut steps).await?;
    // What was hashed is what was packed, or nothing is recorded.
    let source = prepared.source.clone();
    let changed =
        tokio::task::spawn_blocking(move || source.changed_file().map(str::to_owned)).await?;
    if let Some(file) = changed {
        return Err(PackError::SourceChanged { file });
    }
    let unpinned = unpinned(prepared, &supplies)?;
    let record = BuildRecord {
        build_hash: prepared.build_hash,
        inputs: prepared.inputs.clone(),
        images,
        reproducibility: Reproducibility::expected(&unpinned),
        unpinned,
        supplies,
        started_at: started_at.to_string(),
        milliseconds: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        git: prepared.git.clone(),
        manifest: prepared.project.document.value.clone(),
        indexes: Vec::new(),
        verification: None,
    };
    cache.remember_build(&record)?;
    Ok(Built {
        record,
        cached: false,
        steps: steps.next,
    })
}

/// Why a build is not pinned, with what showed while its steps were carried out.
fn unpinned(prepared: &Prepared, supplies: &[Supply]) -> Result<Vec<String>, PackError> {
    let mut reasons = prepared.unpinned.clone();
    reasons.extend(supplies.iter().filter_map(Supply::floats));
    if prepared.options.locked && !reasons.is_empty() {
        return Err(PackError::NotLocked { reasons });
    }
    Ok(reasons)
}

/// A layer of a stage and the words its history keeps.
struct StageLayer {
    layer: Layer,
    created_by: String,
}

/// A stage as far as it has been carried out.
struct StageState {
    base: Image,
    layers: Vec<StageLayer>,
    /// The image of the last step that ran, which the engine holds.
    loaded: Option<Image>,
}

impl StageState {
    /// Images the engine may have that this stage stands on, best first.
    fn below(&self) -> impl Iterator<Item = &Image> {
        self.loaded.iter().chain([&self.base])
    }
}

/// Plans to be carried out, and where.
#[derive(Clone, Copy)]
pub(crate) struct Work<'a> {
    pub prepared: &'a Prepared,
    /// The files of the source, wherever they lie this time.
    pub source: &'a Source,
    pub cache: &'a Cache,
    /// Where the bases are, unpacked or not.
    pub bases: &'a Cache,
    pub engine: Option<&'a Engine>,
    pub conditions: &'a Conditions,
    pub sandbox: SandboxKind,
    pub cancel: &'a CancellationToken,
    /// The engine is to hold what is made, under its tags.
    pub kept: bool,
}

impl Work<'_> {
    /// Makes the image of every container; says how the steps got what they need from elsewhere.
    pub async fn carry_out(
        self,
        steps: &mut Steps<'_>,
    ) -> Result<(Vec<ImageRecord>, Vec<Supply>), PackError> {
        let mut images = Vec::new();
        let mut supplies = Vec::new();
        for plan in &self.prepared.plans {
            let mut container = ContainerBuild {
                work: self,
                steps,
                plan,
                supplies: &mut supplies,
            };
            images.push(container.build().await?);
        }
        Ok((images, supplies))
    }
}

/// A step of the plan that runs a command.
#[derive(Clone, Copy)]
struct Wanted<'a> {
    command: &'a str,
    workdir: &'a str,
    network: bool,
    fetch: Option<&'a Fetch>,
    secrets: &'a [String],
    /// Where those are.
    secrets_at: Option<&'a Path>,
}

struct ContainerBuild<'a, 'b, 's> {
    work: Work<'a>,
    steps: &'b mut Steps<'s>,
    plan: &'a ContainerPlan,
    /// What the steps so far got from elsewhere.
    supplies: &'b mut Vec<Supply>,
}

impl ContainerBuild<'_, '_, '_> {
    async fn build(&mut self) -> Result<ImageRecord, PackError> {
        let mut done: BTreeMap<String, StageState> = BTreeMap::new();
        let mut last = None;
        for stage in &self.plan.stages {
            let state = self.stage(stage, &done).await?;
            if let Some(name) = &stage.name {
                done.insert(name.clone(), state);
            } else {
                last = Some(state);
            }
        }
        let Some(last) = last else {
            return Err(PackError::NoLastStage {
                container: self.plan.container.clone(),
            });
        };
        let record = self.finish(last, &done).await?;
        Ok(record)
    }

    async fn stage(
        &mut self,
        stage: &Stage,
        done: &BTreeMap<String, StageState>,
    ) -> Result<StageState, PackError> {
        let digest = self.work.prepared.inputs.bases[&stage.base];
        let base = Image::load(self.work.cache.blobs(), &digest)?;
        let mut state = StageState {
            base,
            layers: Vec::new(),
            loaded: None,
        };
        for step in &stage.steps {
            if self.work.cancel.is_cancelled() {
                return Err(PackError::Cancelled);
            }
            let layer = match step {
                Step::CopySources { files, owner } => self.copy_sources(files, *owner).await?,
                Step::CopyStage {
                    stage,
                    files,
                    owner,
                } => {
                    let from = done.get(stage).ok_or_else(|| PackError::NoSuchStage {
                        stage: stage.clone(),
                    })?;
                    self.copy_stage(from, stage, files, *owner).await?
                }
                Step::Run {
                    command,
                    workdir,
                    network,
                    fetch,
                    secrets,
                } => {
                    let wanted = Wanted {
                        command,
                        workdir,
                        network: *network,
                        fetch: fetch.as_deref(),
                        secrets,
                        secrets_at: None,
                    };
                    self.run(stage, &mut state, wanted).await?
                }
            };
            state.layers.push(layer);
        }
        Ok(state)
    }

    /// A layer of source files.
    async fn copy_sources(&self, files: &Selection, owner: u32) -> Result<StageLayer, PackError> {
        let (source, created_by) = match files {
            Selection::All => (self.work.source.clone(), format!("COPY . {APP_ROOT}")),
            Selection::Only(paths) => (
                self.work
                    .source
                    .select(|path| paths.iter().any(|wanted| wanted == path)),
                format!("COPY {} {APP_ROOT}", paths.join(" ")),
            ),
        };
        let key = self.key(&SourcesKey {
            sources: source.digest(),
            owner,
            root: APP_ROOT,
        })?;
        let root = source.root().to_owned();
        let layer = self
            .layer(key.into(), move || Ok(source_entries(&source, owner)))
            .await
            .map_err(|error| match error {
                PackError::Oci(
                    ergon_oci::Error::Changed { path, .. } | ergon_oci::Error::Rewritten { path },
                ) => PackError::SourceChanged {
                    file: path
                        .strip_prefix(&root)
                        .unwrap_or(&path)
                        .display()
                        .to_string(),
                },
                error => error,
            })?;
        Ok(StageLayer { layer, created_by })
    }

    /// A layer of what an earlier stage has under the application root.
    async fn copy_stage(
        &self,
        from: &StageState,
        name: &str,
        files: &StageFiles,
        owner: u32,
    ) -> Result<StageLayer, PackError> {
        let layers: Vec<Digest> = from.layers.iter().map(|layer| layer.layer.digest).collect();
        let key = self.key(&StageKey {
            stage: &layers,
            files,
            owner,
        })?;
        let (blobs, files) = (self.work.cache.blobs().clone(), files.clone());
        let layer = self
            .layer(key.into(), move || {
                stage_files::collect(&blobs, &layers, &files, owner)
            })
            .await?;
        Ok(StageLayer {
            layer,
            created_by: format!("COPY --from={name} {APP_ROOT} {APP_ROOT}"),
        })
    }

    /// The layer a command leaves.
    async fn run(
        &mut self,
        stage: &Stage,
        state: &mut StageState,
        wanted: Wanted<'_>,
    ) -> Result<StageLayer, PackError> {
        let kind = if wanted.network {
            StepKind::Install
        } else {
            StepKind::Build
        };
        let mut environment = step_environment(self.work.prepared.inputs.epoch);
        environment.extend(stage.env.clone());
        let below: Vec<Digest> = state
            .layers
            .iter()
            .map(|layer| layer.layer.digest)
            .collect();
        let given = &self.work.prepared.options.secrets;
        let no_secret = |secret: &str| PackError::NoSecret {
            command: wanted.command.to_owned(),
            secret: secret.to_owned(),
        };
        let versions = given.versions(wanted.secrets).map_err(no_secret)?;
        let key = self.key(&RunKey {
            base: state.base.digest,
            below: &below,
            command: wanted.command,
            workdir: wanted.workdir,
            environment: &environment,
            network: wanted.network,
            platform: &self.work.prepared.inputs.platform,
            secrets: &versions,
        })?;
        let created_by = format!("RUN {}", wanted.command);
        if let Some(layer) = self.work.cache.step(&key) {
            self.supplies.extend(self.work.cache.supply(&key));
            self.steps
                .begin(kind, wanted.command)
                .end(StepOutcome::Cached, None);
            return Ok(StageLayer { layer, created_by });
        }
        let named = (stage.name.as_deref(), stage.base.as_str());
        let why = self.why(named, state, &wanted, &environment)?;
        // From here on, and until the step is over.
        let handed = given.hand_over(wanted.secrets);
        let handed = handed.map_err(|error| PackError::HandOver { error })?;
        let wanted = Wanted {
            secrets_at: handed.as_ref().map(HandedOver::path),
            ..wanted
        };
        let supplies = match wanted.fetch {
            Some(fetch) => Box::pin(self.fetched(state, &wanted, fetch, &environment)).await?,
            None => Supplies::Unknown,
        };
        let step = self.steps.begin(kind, wanted.command);
        let result =
            Box::pin(self.supplied(state, &wanted, &environment, supplies, key, &step)).await;
        match result {
            Ok((layer, supply)) => {
                let size = format!("{:.1} MB", layer.size as f64 / 1e6);
                let summary = why.map_or(size.clone(), |why| format!("{size} · {why}"));
                step.end(StepOutcome::Done, Some(summary));
                self.supplies.extend(supply);
                Ok(StageLayer { layer, created_by })
            }
            Err(error) => {
                step.end(StepOutcome::Failed, None);
                Err(error)
            }
        }
    }

    /// The cached layer with this key, or the one that `entries` make.
    async fn layer(
        &self,
        kept: Kept,
        entries: impl FnOnce() -> Result<Vec<LayerEntry>, PackError> + Send + 'static,
    ) -> Result<Layer, PackError> {
        let Kept {
            key,
            supply,
            secrets,
        } = kept;
        if let Some(layer) = self.work.cache.step(&key) {
            return Ok(layer);
        }
        let (cache, epoch) = (self.work.cache.clone(), self.work.prepared.inputs.epoch);
        let given = self.work.prepared.options.secrets.clone();
        tokio::task::spawn_blocking(move || {
            let entries = entries()?;
            let left = given.left_in(&secrets, &entries);
            if let Some((secret, path)) = left.map_err(|error| PackError::HandOver { error })? {
                return Err(PackError::SecretLeft { secret, path });
            }
            let layer = write_layer(entries, epoch, cache.blobs())?;
            cache.remember_step(&key, &layer, supply.as_ref())?;
            Ok(layer)
        })
        .await?
    }

    fn key(&self, parts: &impl Serialize) -> Result<Digest, PackError> {
        #[derive(Serialize)]
        struct Keyed<'a, T> {
            step: &'a T,
            epoch: u64,
            builder: crate::hash::Builder,
        }
        let keyed = Keyed {
            step: parts,
            epoch: self.work.prepared.inputs.epoch,
            builder: BUILDER,
        };
        Ok(Digest::of(&canonical_json(&keyed)?))
    }

    fn assemble(&self, state: &StageState, change: &ConfigChange) -> Result<Image, PackError> {
        let layers: Vec<(Layer, String)> = state
            .layers
            .iter()
            .map(|layer| (layer.layer.clone(), layer.created_by.clone()))
            .collect();
        let inputs = &self.work.prepared.inputs;
        Ok(ergon_oci::assemble(
            Some(&state.base),
            &layers,
            change,
            inputs.epoch,
            &inputs.platform,
            self.work.cache.blobs(),
        )?)
    }

    async fn finish(
        &mut self,
        state: StageState,
        stages: &BTreeMap<String, StageState>,
    ) -> Result<ImageRecord, PackError> {
        let tags = self.tags();
        let step = self.steps.begin(StepKind::Image, &tags[0]);
        let image = self.assemble(
            &state,
            &config_change(&self.plan.config, self.work.prepared),
        )?;
        let record = ImageRecord {
            container: self.plan.container.clone(),
            digest: image.digest,
            config_digest: image.config_digest(),
            tags,
            size: image.size(),
            own_layers: state.layers.len(),
        };
        if let Some(engine) = self.work.engine {
            // What is made for another platform would only be in the way of what runs.
            if self.work.kept && self.work.prepared.inputs.platform == platform() {
                load(engine, self.work.cache, &image, state.below()).await?;
                for tag in &record.tags {
                    engine
                        .tag_image(&record.config_digest.to_string(), tag)
                        .await?;
                }
            }
            for loaded in stages
                .values()
                .chain([&state])
                .filter_map(|state| state.loaded.as_ref())
            {
                remove_step_image(engine, loaded).await;
            }
        }
        step.end(StepOutcome::Done, Some(record.summary()));
        Ok(record)
    }

    fn tags(&self) -> Vec<String> {
        let container = &self.plan.container;
        let mut tags = vec![format!(
            "{container}:{}",
            self.work.prepared.build_hash.short()
        )];
        let wanted = self
            .work
            .prepared
            .project
            .document
            .manifest
            .packaging
            .tagging
            == Some(Tagging::GitSha);
        if let Some(git) = &self.work.prepared.git
            && wanted
            && git.clean
        {
            tags.push(format!("{container}:{}", git.commit));
        }
        tags
    }
}

/// What the plan says of the image's configuration, with the evidence it carries.
fn config_change(config: &ImageConfig, prepared: &Prepared) -> ConfigChange {
    let evidence = BTreeMap::from([
        (
            "dev.ergon.manifest.digest".to_owned(),
            prepared.inputs.manifest.to_string(),
        ),
        (
            "dev.ergon.source.digest".to_owned(),
            prepared.inputs.source.to_string(),
        ),
        (
            "dev.ergon.build.hash".to_owned(),
            prepared.build_hash.to_string(),
        ),
    ]);
    let mut labels = config.labels.clone();
    labels.extend(evidence.clone());
    ConfigChange {
        user: Some(config.user.clone()),
        workdir: Some(config.workdir.clone()),
        env: config.env.clone(),
        cmd: (!config.cmd.is_empty()).then(|| config.cmd.clone()),
        ports: config.ports.clone(),
        volumes: config.volumes.clone(),
        labels,
        healthcheck: config.healthcheck.clone(),
        start_period: config.start_period,
        annotations: evidence,
        ..ConfigChange::default()
    }
}
