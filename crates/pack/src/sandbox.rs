//! One step, run in a container of the engine, with its surroundings fixed; or in [`namespaces`].

pub mod namespaces;

use std::collections::{BTreeMap, VecDeque};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use ergon_detect::plan::{FETCHED, STEP_SECRETS};
use ergon_engine::{Bind, ContainerSpec, Engine, EngineError, LogLine, Network};
use ergon_manifest::Digest;
use futures_util::StreamExt;
use tokio_util::sync::CancellationToken;

use crate::authority::{BASE_BUNDLE, ExtraAuthority};
use crate::capture::Overlay;
use crate::conditions::Conditions;
use crate::environment::{AUTHORITY_PATH, HOSTNAME, SCRATCH, authority_environment};
use crate::error::PackError;
use crate::limits::Limits;
use crate::prepare::{RunningStep, Steps};
use crate::progress::{Progress, ProgressEvent, StepKind};
use crate::room::Room;

/// Where the steps of a build run. What they leave is the same, so that it is no part of any key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SandboxKind {
    /// In the engine where one can be reached, else in namespaces.
    #[default]
    Auto,
    /// In a container of the engine.
    Engine,
    /// In Linux namespaces, with overlayfs over unpacked layers.
    Namespaces,
}

/// The label of every container that runs a step, so that one left by a crash can be found.
pub const STEP_LABEL: &str = "dev.ergon.build-step";
/// The label that says which process waits for the step.
const OWNER_LABEL: &str = "dev.ergon.build-step.owner";

/// How many lines of a failed step are repeated in its error.
const TAIL: usize = 20;

/// So many lines are taken at once where a step prints faster than that.
const LINES_AT_A_TIME: usize = 1024;

/// Passes on what a step printed, and keeps the last lines.
fn tell(
    lines: Vec<Result<LogLine, EngineError>>,
    tail: &mut VecDeque<String>,
    step: &RunningStep<'_>,
) -> Result<(), EngineError> {
    let kept_from = lines.len().saturating_sub(TAIL);
    for (number, line) in lines.into_iter().enumerate() {
        let text = line?.text();
        if number >= kept_from {
            tail.push_back(text.clone());
        }
        step.log(text);
    }
    tail.drain(..tail.len().saturating_sub(TAIL));
    Ok(())
}

/// A step as the sandbox needs to know it.
pub struct StepRequest<'a> {
    pub command: &'a str,
    /// What the shell is given instead, where that is to do something for the command.
    pub instead: Option<&'a str>,
    /// What stands before it, lines of the same shell.
    pub before: &'a [String],
    pub workdir: &'a str,
    pub environment: &'a BTreeMap<String, String>,
    pub network: bool,
    pub extra_authority: &'a ExtraAuthority,
    pub limits: Limits,
    pub conditions: &'a Conditions,
    /// The digest of the base that the image stands on.
    pub base: &'a Digest,
    /// What was fetched for it, or where it is to fetch to.
    pub fetched: Option<FetchedFolder<'a>>,
    /// Where the secrets are that it finds at [`STEP_SECRETS`].
    pub secrets: Option<&'a Path>,
}

impl StepRequest<'_> {
    /// The folders of this machine that are there for it.
    fn binds(&self) -> impl Iterator<Item = Bind> {
        let secrets = self.secrets.map(|folder| Bind {
            host: folder.display().to_string(),
            container: STEP_SECRETS.to_owned(),
            readonly: true,
        });
        self.fetched
            .map(FetchedFolder::bind)
            .into_iter()
            .chain(secrets)
    }

    /// What the shell is given.
    fn script(&self) -> String {
        let mut script = self.conditions.preamble();
        for line in self.before {
            script.extend(["{ ", line, "\n} || exit\n"]);
        }
        script.push_str(self.instead.unwrap_or(self.command));
        script
    }
}

/// A folder of this machine that a step finds at [`FETCHED`].
#[derive(Clone, Copy, Debug)]
pub struct FetchedFolder<'a> {
    pub path: &'a Path,
    /// The step fills it.
    pub writable: bool,
}

impl FetchedFolder<'_> {
    fn bind(self) -> Bind {
        Bind {
            host: self.path.display().to_string(),
            container: FETCHED.to_owned(),
            readonly: !self.writable,
        }
    }
}

/// A step that ended well and still has its container, so that what it changed can be read.
pub struct FinishedStep<'a> {
    engine: &'a Engine,
    container: String,
}

/// Where the changes of a step can be read.
pub enum Changes {
    /// In the engine's own storage, which this process may read.
    Overlay(Overlay),
    /// Only through the engine: as the last layer of this saved image, which is to be removed.
    Committed { image: String },
}

/// Runs a step over the image with this id, and waits for its end.
pub async fn run<'a>(
    engine: &'a Engine,
    image: &str,
    request: StepRequest<'_>,
    step: &RunningStep<'_>,
    cancel: &CancellationToken,
) -> Result<FinishedStep<'a>, PackError> {
    let mut environment = request.environment.clone();
    let surroundings = request
        .conditions
        .surround(&mut environment, request.network, request.base);
    let mut spec = ContainerSpec {
        image: image.to_owned(),
        entrypoint: Some(Vec::new()),
        cmd: vec!["/bin/sh".to_owned(), "-c".to_owned(), request.script()],
        env: environment,
        binds: surroundings
            .binds
            .into_iter()
            .chain(request.binds())
            .collect(),
        processors: surroundings.processors,
        workdir: Some(request.workdir.to_owned()),
        user: Some("0:0".to_owned()),
        hostname: Some(HOSTNAME.to_owned()),
        network: if request.network {
            Network::Bridge
        } else {
            Network::None
        },
        anonymous_volumes: vec![SCRATCH.to_owned()],
        pids: Some(request.limits.processes),
        // Of another machine's memory nothing is known here.
        memory: request.limits.memory.filter(|_| engine.is_local()),
        labels: step_labels(),
        without_log: true,
        ..ContainerSpec::default()
    };
    if request.network
        && let Some(bundle) = authority_for(engine, image, request.extra_authority).await?
    {
        spec.env.extend(authority_environment());
        spec.binds.push(Bind {
            host: bundle.display().to_string(),
            container: AUTHORITY_PATH.to_owned(),
            readonly: true,
        });
    }
    let finished = FinishedStep {
        engine,
        container: engine.create_container(&spec).await?,
    };
    // What it fetches may go to another disk than what it changes.
    let fetching = request.fetched.filter(|folder| folder.writable);
    let beside = fetching.map(|folder| folder.path);
    let followed = finished.follow(request.command, beside, step, cancel);
    let ended = match tokio::time::timeout(request.limits.time, followed).await {
        Ok(ended) => ended,
        Err(_) => Err(PackError::StepTooLong {
            command: request.command.to_owned(),
            limit: request.limits.time,
        }),
    };
    match ended {
        Ok(()) => Ok(finished),
        Err(error) => {
            finished.remove().await;
            Err(error)
        }
    }
}

/// What a command writes to a step's output; none where it cannot be run.
pub async fn heard(
    command: &str,
    run: impl AsyncFnOnce(&RunningStep<'_>) -> Result<(), PackError>,
) -> Result<Option<String>, PackError> {
    let lines = Lines::default();
    let mut steps = Steps {
        progress: &lines,
        next: 0,
    };
    let step = steps.begin(StepKind::Build, command);
    match run(&step).await {
        Ok(()) => Ok(lines.0.into_inner().ok()),
        Err(PackError::Cancelled) => Err(PackError::Cancelled),
        Err(_) => Ok(None),
    }
}

/// Keeps what a step writes.
#[derive(Default)]
struct Lines(Mutex<String>);

impl Progress for Lines {
    fn report(&self, event: ProgressEvent) {
        if let ProgressEvent::Log { line, .. } = event
            && let Ok(mut lines) = self.0.lock()
        {
            lines.push_str(&line);
            lines.push('\n');
        }
    }
}

impl FinishedStep<'_> {
    async fn follow(
        &self,
        command: &str,
        beside: Option<&Path>,
        step: &RunningStep<'_>,
        cancel: &CancellationToken,
    ) -> Result<(), PackError> {
        let lines = self.engine.attach(&self.container).await?;
        let mut lines = lines.ready_chunks(LINES_AT_A_TIME);
        let room = self.room(beside).await?;
        self.engine.start(&self.container).await?;
        let mut tail = VecDeque::new();
        let filled = |kept| PackError::StepFilledDisk {
            command: command.to_owned(),
            kept,
        };
        loop {
            tokio::select! {
                () = cancel.cancelled() => return Err(PackError::Cancelled),
                kept = room.used_up() => return Err(filled(kept)),
                some = lines.next() => {
                    let Some(some) = some else { break };
                    tell(some, &mut tail, step)?;
                }
            }
        }
        let exit_code = tokio::select! {
            () = cancel.cancelled() => return Err(PackError::Cancelled),
            kept = room.used_up() => return Err(filled(kept)),
            code = self.engine.wait(&self.container) => code?,
        };
        if exit_code == 0 {
            return Ok(());
        }
        if let Some(kept) = room.overdrawn() {
            return Err(filled(kept));
        }
        let end = self.engine.inspect(&self.container).await?;
        if end.oom_killed {
            return Err(PackError::StepOutOfMemory {
                command: command.to_owned(),
                limit: end.memory_limit,
            });
        }
        Err(PackError::StepFailed {
            command: command.to_owned(),
            exit_code,
            tail: tail.into(),
        })
    }

    /// That of the disk the engine keeps the container on, where it is this machine's, and of the one `beside`.
    async fn room(&self, beside: Option<&Path>) -> Result<Room, PackError> {
        if !self.engine.is_local() {
            return Ok(Room::of(beside));
        }
        let state = self.engine.inspect(&self.container).await?;
        let upper = state.upper_directory.as_deref().map(Path::new);
        Ok(Room::of(upper.into_iter().chain(beside)))
    }

    /// Where this step's changes can be read.
    pub async fn changes(&self) -> Result<Changes, PackError> {
        let state = self.engine.inspect(&self.container).await?;
        if let Some(upper) = state.upper_directory.map(PathBuf::from)
            && self.engine.is_local()
            && std::fs::read_dir(&upper).is_ok()
        {
            let lower = state
                .lower_directories
                .into_iter()
                .map(PathBuf::from)
                .collect();
            return Ok(Changes::Overlay(Overlay { upper, lower }));
        }
        Ok(Changes::Committed {
            image: self.engine.commit(&self.container).await?,
        })
    }

    /// Removes the container. What cannot be removed now is removed by its label at the next start.
    pub async fn remove(self) {
        if let Err(error) = self.engine.remove(&self.container, true, true).await {
            tracing::warn!(container = %self.container, %error, "could not remove a step's container");
        }
    }
}

/// The bundle to mount, where the host trusts what the base does not.
async fn authority_for(
    engine: &Engine,
    image: &str,
    setting: &ExtraAuthority,
) -> Result<Option<PathBuf>, PackError> {
    let Some(bundle) = setting.bundle() else {
        return Ok(None);
    };
    let wanted = std::fs::read(&bundle).map_err(|error| PackError::ReadSource {
        path: bundle.clone(),
        error,
    })?;
    let trusted = base_bundle(engine, image).await?;
    Ok((trusted.as_deref() != Some(wanted.as_slice())).then_some(bundle))
}

/// What the image trusts, read from a container of it that never starts.
async fn base_bundle(engine: &Engine, image: &str) -> Result<Option<Vec<u8>>, PackError> {
    let spec = ContainerSpec {
        image: image.to_owned(),
        cmd: vec!["/bin/true".to_owned()],
        network: Network::None,
        labels: step_labels(),
        ..ContainerSpec::default()
    };
    let probe = FinishedStep {
        engine,
        container: engine.create_container(&spec).await?,
    };
    let archive = engine
        .download(&probe.container, BASE_BUNDLE)
        .collect()
        .await;
    probe.remove().await;
    match archive {
        Ok(archive) => Ok(first_file(&archive)),
        Err(EngineError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn first_file(archive: &[u8]) -> Option<Vec<u8>> {
    let mut archive = tar::Archive::new(archive);
    let mut file = archive
        .entries()
        .ok()?
        .flatten()
        .find(|entry| entry.header().entry_type().is_file())?;
    let mut content = Vec::new();
    file.read_to_end(&mut content).ok()?;
    Some(content)
}

fn step_labels() -> BTreeMap<String, String> {
    BTreeMap::from([
        (STEP_LABEL.to_owned(), "true".to_owned()),
        (OWNER_LABEL.to_owned(), owner(std::process::id())),
    ])
}

/// The process that waits for a step. Its machine's name tells process numbers apart where several
/// machines, or containers, share an engine.
fn owner(process: u32) -> String {
    format!("{}{process}", machine())
}

fn machine() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    format!("{}:", name.trim())
}

/// Removes containers of steps whose process on this machine is gone, and says how many there were.
pub async fn remove_stale_steps(engine: &Engine) -> Result<usize, EngineError> {
    let mut removed = 0;
    for container in engine.list(&[(STEP_LABEL, "")], true).await? {
        let process = container
            .labels
            .get(OWNER_LABEL)
            .and_then(|owner| owner.strip_prefix(&machine()));
        let gone = process.is_some_and(|process| !Path::new("/proc").join(process).exists());
        if gone {
            engine.remove(&container.id, true, true).await?;
            removed += 1;
        }
    }
    Ok(removed)
}
