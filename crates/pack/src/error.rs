//! Why a build cannot be.

use std::path::PathBuf;
use std::time::Duration;

use ergon_detect::disk::{Skipped, TreeError};
use ergon_detect::plan::PlanError;
use ergon_engine::EngineError;
use ergon_manifest::{Diagnostic, Digest};

use crate::attest::KeyError;
use crate::cache::CacheError;

/// What went wrong while a folder was prepared or built.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    #[error(transparent)]
    Tree(#[from] TreeError),
    #[error("the source {} cannot be packed: {skipped}", folder.display())]
    Skipped { folder: PathBuf, skipped: Skipped },
    #[error("cannot read {}: {error}", path.display())]
    ReadSource {
        path: PathBuf,
        error: std::io::Error,
    },
    #[error("{} is not a valid manifest: {}", path.display(), first_message(diagnostics))]
    Manifest {
        path: PathBuf,
        text: String,
        diagnostics: Vec<Diagnostic>,
    },
    #[error("nothing in {} was recognised, and it has no ergon.json", folder.display())]
    NothingRecognised {
        folder: PathBuf,
        looked_for: Vec<String>,
    },
    #[error(transparent)]
    Plan(#[from] PlanError),
    #[error("cannot read {}: {reason}", path.display())]
    Lock { path: PathBuf, reason: String },
    #[error("the build is not pinned: {}", reasons.join("; "))]
    NotLocked { reasons: Vec<String> },
    #[error(
        "the base image {reference} is not held here, the local engine has no such tag, and {registry}"
    )]
    BaseMissing { reference: String, registry: String },
    /// The base is there, and not for the platform that is wanted.
    #[error("the base image {reference} is not there for {platform}{}{}", only_for(has), because(registry.as_deref()))]
    BasePlatform {
        reference: String,
        platform: String,
        /// What it is there for.
        has: Vec<String>,
        /// Why the registry did not give it.
        registry: Option<String>,
    },
    /// A step would have to run programs of another processor.
    #[error(
        "{container} cannot be built for {platform} on this machine, which is {here}: its step `{command}` runs programs"
    )]
    OtherCpu {
        container: String,
        platform: String,
        here: String,
        command: String,
    },
    #[error(
        "ergon.lock.json pins {reference} to {pinned}, which is not held here and cannot be had: {reason}"
    )]
    PinnedBaseMissing {
        reference: String,
        pinned: String,
        reason: String,
    },
    #[error("packaging.source_date_epoch is \"commit\", but {} is not a git work tree with a commit", folder.display())]
    NoCommit { folder: PathBuf },
    #[error("the plan of container {container} has no last stage")]
    NoLastStage { container: String },
    #[error("the plan copies from stage {stage}, which does not come before")]
    NoSuchStage { stage: String },
    #[error("the build left no `{path}`, which the manifest names among the artifacts")]
    NoArtifact { path: String },
    #[error(
        "step `{command}` needs a container engine, and none can be reached{}",
        instead.as_ref().map(|reason| format!("; {reason}")).unwrap_or_default()
    )]
    NoEngine {
        command: String,
        /// Why it cannot run in namespaces either, where that was asked.
        instead: Option<EngineError>,
    },
    #[error("step `{command}` needs the secret `{secret}`, which nobody gave it")]
    NoSecret { command: String, secret: String },
    #[error("secrets cannot be handed to a build step: {error}")]
    HandOver { error: std::io::Error },
    #[error(
        "a build step left the secret `{secret}` in {path}, where everybody who has the image would find it"
    )]
    SecretLeft { secret: String, path: String },
    #[error(
        "step `{command}` ended with exit code {exit_code}{}",
        last_lines(tail)
    )]
    StepFailed {
        command: String,
        exit_code: i64,
        tail: Vec<String>,
    },
    #[error(
        "step `{command}` needed more memory than {}",
        limit.map_or_else(|| "there is".to_owned(), |bytes| format!("the {} MB it may have", bytes >> 20))
    )]
    StepOutOfMemory { command: String, limit: Option<u64> },
    #[error("step `{command}` filled the disk: less than {} MB are left of it", kept >> 20)]
    StepFilledDisk {
        command: String,
        /// Bytes that are to stay free.
        kept: u64,
    },
    #[error("step `{command}` did not end within {} s", limit.as_secs())]
    StepTooLong { command: String, limit: Duration },
    #[error("{file} changed while it was being built; nothing was recorded")]
    SourceChanged { file: String },
    #[error("the build was cancelled; nothing was recorded")]
    Cancelled,
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Cache(#[from] CacheError),
    #[error(transparent)]
    Oci(#[from] ergon_oci::Error),
    #[error(transparent)]
    Canonical(#[from] ergon_manifest::CanonicalError),
    #[error("cannot capture what step `{command}` left in {}: {error}", path.display())]
    Capture {
        command: String,
        path: PathBuf,
        error: std::io::Error,
    },
    #[error("cannot keep what was fetched for step `{command}` in {}: {error}", path.display())]
    Fetched {
        command: String,
        path: PathBuf,
        error: std::io::Error,
    },
    #[error("there is no image {name}: {reason}")]
    NoSuchImage { name: String, reason: String },
    #[error("images cannot be compared: {reason}")]
    Compare { reason: String },
    #[error("cannot make the folder of a second build in {}: {error}", path.display())]
    Scratch {
        path: PathBuf,
        error: std::io::Error,
    },
    #[error("built once, but not a second time under other conditions: {error}")]
    OnlyOnce { error: Box<PackError> },
    #[error("cannot unpack the layer {layer} into {}: {error}", path.display())]
    Unpack {
        layer: Digest,
        path: PathBuf,
        error: std::io::Error,
    },
    #[error("cannot make a sandbox for step `{command}` in {}: {error}", path.display())]
    Sandbox {
        command: String,
        path: PathBuf,
        error: std::io::Error,
    },
    #[error("{what} cannot be looked through for secrets: {error}")]
    Search { what: String, error: std::io::Error },
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error("{what} could not be attached: {reason}")]
    Attestation { what: String, reason: String },
    #[error("a task of the build ended without an answer: {0}")]
    Task(#[from] tokio::task::JoinError),
}

impl PackError {
    /// What a person can do about it.
    pub fn remedy(&self) -> Option<String> {
        match self {
            Self::Manifest { .. } => Some("ergon manifest check shows each place".to_owned()),
            Self::NothingRecognised { .. } => Some(
                "say what it is in ergon.json: an application with `language`, `build_commands` and `run_command`, and a container with its `base_image`"
                    .to_owned(),
            ),
            Self::Skipped { skipped, .. } => Some(skipped.remedy()),
            Self::NotLocked { reasons } if reasons.iter().all(|reason| reason.contains("ergon lock")) => {
                Some("ergon lock writes ergon.lock.json".to_owned())
            }
            Self::NotLocked { .. } => {
                Some("pin what each reason names, or build without --locked".to_owned())
            }
            Self::BaseMissing { reference, .. } => Some(format!(
                "docker pull {reference}, or ergon base import {reference} <rootfs.tar | oci:PATH>; dev/base-images makes the usual ones from Debian packages"
            )),
            Self::BasePlatform {
                reference,
                platform,
                ..
            } => Some(format!(
                "ergon base import {reference} <rootfs.tar | oci:PATH> --platform {platform}, another base, or leave {platform} out"
            )),
            Self::OtherCpu { platform, .. } => Some(format!(
                "build for {platform} on a machine of that kind, or leave it out; only images whose stages copy files and run nothing can be made for any platform"
            )),
            Self::PinnedBaseMissing { reference, .. } => Some(format!(
                "import that very image (ergon base import {reference} …), or move the pin to what is held: ergon lock"
            )),
            Self::NoSecret { .. } => Some(
                "a stack keeps secrets: hand the folder to one (ergon run), and grant it the secret (ergon secret grant NAME --project PROJECT --build)"
                    .to_owned(),
            ),
            Self::HandOver { .. } => Some(
                "see whether /run or /dev/shm is a file system in memory that can be written to".to_owned(),
            ),
            Self::SecretLeft { path, .. } => Some(format!(
                "have the command read /dev/secrets without writing it down, or remove {path} in the same command"
            )),
            Self::NoEngine { .. } => Some("start Docker or Podman, or set DOCKER_HOST".to_owned()),
            Self::Unpack { .. } | Self::Sandbox { .. } => Some(
                "make room for it and let it be written, or point XDG_CACHE_HOME elsewhere".to_owned(),
            ),
            Self::StepOutOfMemory { .. } => Some("let it work on less at once, as with fewer jobs in parallel".to_owned()),
            Self::StepFilledDisk { .. } => Some("make room where Ergon's cache and the engine keep their files (ergon cache prune), or see what the step writes so much of".to_owned()),
            Self::StepTooLong { .. } => Some("see in its log what it waits for; it has no terminal, and no network where none was asked for".to_owned()),
            Self::SourceChanged { .. } => Some("build again when nothing writes into the folder".to_owned()),
            Self::NoSuchImage { .. } => Some("name one by its tag, digest or build hash, as oci:PATH, docker-archive:PATH, or as a registry has it".to_owned()),
            Self::OnlyOnce { error } => error.remedy(),
            Self::Engine(error) => error.remedy(),
            Self::Cache(error) => Some(error.remedy()),
            Self::Key(error) => Some(error.remedy()),
            Self::Oci(error) => error.remedy(),
            Self::Plan(error) => error.remedy(),
            Self::Tree(error) => error.remedy(),
            _ => None,
        }
    }
}

fn first_message(diagnostics: &[Diagnostic]) -> String {
    match diagnostics {
        [] => "no reason given".to_owned(),
        [one] => format!("line {}, column {}: {}", one.line, one.column, one.message),
        [first, rest @ ..] => format!(
            "line {}, column {}: {} (and {} more)",
            first.line,
            first.column,
            first.message,
            rest.len()
        ),
    }
}

fn only_for(platforms: &[String]) -> String {
    if platforms.is_empty() {
        String::new()
    } else {
        format!(", only for {}", platforms.join(" and "))
    }
}

fn because(reason: Option<&str>) -> String {
    reason.map_or_else(String::new, |reason| format!("; {reason}"))
}

fn last_lines(tail: &[String]) -> String {
    if tail.is_empty() {
        String::new()
    } else {
        format!("; it last wrote:\n{}", tail.join("\n"))
    }
}
