//! From a folder to everything that decides its images, without building anything.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use ergon_detect::analysis::Analysis;
use ergon_detect::disk::DiskTree;
use ergon_detect::plan::{ContainerPlan, Step, plan};
use ergon_engine::Engine;
use ergon_manifest::{Digest, Document, NamedEpoch, PlatformName, SourceDateEpoch};
use ergon_oci::bases::Base;

use crate::authority::ExtraAuthority;
use crate::bases::{held_base, platform, resolve_base, runs_here};
use crate::build_secrets::BuildSecrets;
use crate::cache::Cache;
use crate::error::PackError;
use crate::git::GitState;
use crate::hash::{BuildHash, BuildInputs};
use crate::limits::Limits;
use crate::lock::{Lock, lock_states};
use crate::own_file::read_own_file;
use crate::progress::{Progress, ProgressEvent, StepKind, StepOutcome};
use crate::sandbox::SandboxKind;
use crate::source::Source;

/// The manifest's name, at the project's root.
pub const MANIFEST_FILE: &str = "ergon.json";

/// 1980-01-01, the first time every archive format can hold.
const DEFAULT_EPOCH: u64 = 315_532_800;

/// How a build is wanted.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Refuse a build that is not pinned.
    pub locked: bool,
    pub extra_authority: ExtraAuthority,
    pub limits: Limits,
    pub sandbox: SandboxKind,
    /// What is built for; absent: this machine.
    pub platform: Option<PlatformName>,
    /// A program that becomes sandboxes of namespaces, where this one does not know how.
    pub sandbox_program: Option<PathBuf>,
    /// What steps may be given that ask for it.
    pub secrets: BuildSecrets,
}

impl Options {
    /// The platform in the one form that all builds use.
    fn platform(&self) -> String {
        platform_of(self.platform.as_ref())
    }
}

fn platform_of(wanted: Option<&PlatformName>) -> String {
    wanted.map_or_else(platform, |wanted| wanted.normal().to_string())
}

/// A folder with its manifest, read or generated.
#[derive(Debug)]
pub struct ProjectFolder {
    pub folder: PathBuf,
    pub tree: DiskTree,
    pub document: Document,
    /// What detection found, where there is no `ergon.json`.
    pub analysis: Option<Analysis>,
}

/// What a folder's build is called, as far as it can be said without looking outside.
#[derive(Clone, Debug)]
pub struct Identity {
    pub manifest_digest: Digest,
    pub source_digest: Digest,
    /// Absent while a base is not held.
    pub build_hash: Option<BuildHash>,
    pub missing_bases: Vec<String>,
}

/// A build that has not been carried out yet.
#[derive(Debug)]
pub struct Prepared {
    pub project: ProjectFolder,
    pub plans: Vec<ContainerPlan>,
    pub source: Source,
    pub bases: BTreeMap<String, Base>,
    pub lock: Option<Lock>,
    pub inputs: BuildInputs,
    pub build_hash: BuildHash,
    pub git: Option<GitState>,
    /// Why it is not pinned; empty where it is.
    pub unpinned: Vec<String>,
    pub options: Options,
    /// How many steps have been reported so far.
    pub steps: u32,
}

/// Reads a folder's manifest, or generates one where it has none.
pub fn read_project(folder: &Path) -> Result<ProjectFolder, PackError> {
    let tree = DiskTree::open(folder)?;
    // What cannot be read would be missing from the image without a word.
    let skipped = tree
        .skipped()
        .iter()
        .find(|skipped| !skipped.reason.is_harmless());
    if let Some(skipped) = skipped.cloned() {
        return Err(PackError::Skipped {
            folder: folder.to_owned(),
            skipped,
        });
    }
    let path = folder.join(MANIFEST_FILE);
    let written = read_own_file(folder, MANIFEST_FILE).and_then(|content| {
        let text = content.map(String::from_utf8).transpose();
        text.map_err(|_| std::io::Error::other("it is not UTF-8 text"))
    });
    let (document, analysis) = match written {
        Ok(Some(text)) => match ergon_manifest::check(&text) {
            Ok(document) => (document, None),
            Err(diagnostics) => {
                return Err(PackError::Manifest {
                    path,
                    text,
                    diagnostics,
                });
            }
        },
        Ok(None) => {
            let analysis = ergon_detect::analyse(&tree);
            if analysis.manifest.applications.is_empty() {
                return Err(PackError::NothingRecognised {
                    folder: folder.to_owned(),
                    looked_for: analysis.looked_for,
                });
            }
            (
                Document::from_manifest(analysis.manifest.clone()),
                Some(analysis),
            )
        }
        Err(error) => return Err(PackError::ReadSource { path, error }),
    };
    Ok(ProjectFolder {
        folder: folder.to_owned(),
        tree,
        document,
        analysis,
    })
}

/// Computes the digests of a folder, for a platform or this machine's; never asks an engine or a registry.
pub fn identify(
    folder: &Path,
    cache: &Cache,
    platform: Option<&PlatformName>,
) -> Result<Identity, PackError> {
    let platform = platform_of(platform);
    let project = read_project(folder)?;
    let source = Source::read(folder, &project.tree, Some(cache))?;
    let git = GitState::read(folder);
    let plans = plan(&project.document.manifest, &project.tree)?;
    let lock = Lock::read(folder)?;
    let mut bases = BTreeMap::new();
    let mut missing_bases = Vec::new();
    for reference in base_references(&plans) {
        match held_base(&reference, &platform, lock.as_ref(), cache)? {
            Some(base) => {
                bases.insert(reference, base);
            }
            None => missing_bases.push(reference),
        }
    }
    let (inputs, _) = build_inputs(&project, &source, &bases, git.as_ref(), platform)?;
    let build_hash = if missing_bases.is_empty() {
        Some(inputs.build_hash()?)
    } else {
        None
    };
    Ok(Identity {
        manifest_digest: inputs.manifest,
        source_digest: inputs.source,
        build_hash,
        missing_bases,
    })
}

/// Computes what a folder's build is, and brings its bases here where they are not held yet.
pub async fn prepare(
    folder: &Path,
    cache: &Cache,
    engine: Option<&Engine>,
    options: Options,
    progress: &dyn Progress,
) -> Result<Prepared, PackError> {
    let mut steps = Steps { progress, next: 0 };
    let (project, source, git, plans) = {
        let step = steps.begin(StepKind::Source, &folder.display().to_string());
        let (owned, held) = (folder.to_owned(), cache.clone());
        let read = tokio::task::spawn_blocking(move || {
            let project = read_project(&owned)?;
            let source = Source::read(&owned, &project.tree, Some(&held))?;
            let git = GitState::read(&owned);
            let plans = plan(&project.document.manifest, &project.tree)?;
            Ok::<_, PackError>((project, source, git, plans))
        })
        .await?;
        match read {
            Ok(read) => {
                let summary = format!(
                    "source {}… · manifest {}…",
                    read.1.digest().short(),
                    read.0.document.digest().short()
                );
                step.end(StepOutcome::Done, Some(summary));
                read
            }
            Err(error) => {
                step.end(StepOutcome::Failed, None);
                return Err(error);
            }
        }
    };
    let platform = options.platform();
    refuse_other_cpu(&plans, &platform)?;
    let lock = Lock::read(folder)?;
    let mut bases = BTreeMap::new();
    let mut unpinned = Vec::new();
    for reference in base_references(&plans) {
        let step = steps.begin(StepKind::Base, &reference);
        match resolve_base(&reference, &platform, lock.as_ref(), cache, engine).await {
            Ok((base, how)) => {
                step.end(
                    how.outcome(),
                    Some(format!("{} {}", base.digest, how.word())),
                );
                let pinned = lock
                    .as_ref()
                    .is_some_and(|lock| lock.base(&platform, &reference).is_some());
                if !pinned && !reference.contains("@sha256:") {
                    unpinned.push(floats(&reference, &platform));
                }
                bases.insert(reference, base);
            }
            Err(error) => {
                step.end(StepOutcome::Failed, None);
                return Err(error);
            }
        }
    }
    let (inputs, floating) = build_inputs(&project, &source, &bases, git.as_ref(), platform)?;
    unpinned.extend(floating);
    if options.locked && !unpinned.is_empty() {
        return Err(PackError::NotLocked { reasons: unpinned });
    }
    let build_hash = inputs.build_hash()?;
    let steps = steps.next;
    Ok(Prepared {
        project,
        plans,
        source,
        bases,
        lock,
        inputs,
        build_hash,
        git,
        unpinned,
        options,
        steps,
    })
}

fn floats(reference: &str, wanted: &str) -> String {
    if wanted == platform() {
        format!("the base {reference} floats; pin it: ergon lock")
    } else {
        format!("the base {reference} floats for {wanted}; pin it: ergon lock --platform {wanted}")
    }
}

/// Refuses steps that this machine's processor cannot run. What does not run here is only files that are copied.
fn refuse_other_cpu(plans: &[ContainerPlan], wanted: &str) -> Result<(), PackError> {
    if runs_here(wanted) {
        return Ok(());
    }
    for plan in plans {
        for step in plan.stages.iter().flat_map(|stage| &stage.steps) {
            if let Step::Run { command, .. } = step {
                return Err(PackError::OtherCpu {
                    container: plan.container.clone(),
                    platform: wanted.to_owned(),
                    here: platform(),
                    command: command.clone(),
                });
            }
        }
    }
    Ok(())
}

/// Every base that the plans start from, each once.
pub(crate) fn base_references(plans: &[ContainerPlan]) -> BTreeSet<String> {
    plans
        .iter()
        .flat_map(|plan| plan.stages.iter().map(|stage| stage.base.clone()))
        .collect()
}

fn build_inputs(
    project: &ProjectFolder,
    source: &Source,
    bases: &BTreeMap<String, Base>,
    git: Option<&GitState>,
    platform: String,
) -> Result<(BuildInputs, Vec<String>), PackError> {
    let manifest = &project.document.manifest;
    let epoch = match manifest.packaging.source_date_epoch {
        None => DEFAULT_EPOCH,
        Some(SourceDateEpoch::Seconds(seconds)) => u64::from(seconds),
        Some(SourceDateEpoch::Named(NamedEpoch::Commit)) => {
            git.ok_or_else(|| PackError::NoCommit {
                folder: project.folder.clone(),
            })?
            .committed_at
        }
    };
    let (locks, floating) = lock_states(&manifest.applications, &project.tree, source);
    let inputs = BuildInputs {
        manifest: project.document.digest(),
        source: source.digest(),
        bases: bases
            .iter()
            .map(|(reference, base)| (reference.clone(), base.digest))
            .collect(),
        locks,
        platform,
        epoch,
    };
    Ok((inputs, floating))
}

/// Numbers steps and measures them.
pub(crate) struct Steps<'a> {
    pub progress: &'a dyn Progress,
    pub next: u32,
}

/// A step that is under way.
pub(crate) struct RunningStep<'a> {
    progress: &'a dyn Progress,
    number: u32,
    started: std::time::Instant,
}

impl<'a> Steps<'a> {
    pub fn begin(&mut self, kind: StepKind, detail: &str) -> RunningStep<'a> {
        let number = self.next;
        self.next += 1;
        self.progress.report(ProgressEvent::Started {
            step: number,
            kind,
            detail: detail.to_owned(),
        });
        RunningStep {
            progress: self.progress,
            number,
            started: std::time::Instant::now(),
        }
    }
}

impl RunningStep<'_> {
    pub fn log(&self, line: String) {
        self.progress.report(ProgressEvent::Log {
            step: self.number,
            line,
        });
    }

    pub fn end(self, outcome: StepOutcome, summary: Option<String>) {
        let elapsed = self.started.elapsed();
        self.progress.report(ProgressEvent::Ended {
            step: self.number,
            outcome,
            summary,
            elapsed,
        });
    }
}
