//! One step, run in Linux namespaces over unpacked layers.

use std::collections::{BTreeMap, VecDeque};
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use ergon_engine::namespaces::{Sandbox, SandboxEnd, SandboxSpec};
use ergon_engine::{Bind, EngineError};
use ergon_manifest::Digest;
use ergon_oci::model::RuntimeConfiguration;
use futures_util::StreamExt as _;
use rustix::fs::{Mode, OFlags, ResolveFlags};
use rustix::io::Errno;
use tokio_util::sync::CancellationToken;

use super::{LINES_AT_A_TIME, StepRequest, tell};
use crate::authority::{BASE_BUNDLE, ExtraAuthority};
use crate::cache::Cache;
use crate::capture::Overlay;
use crate::environment::{AUTHORITY_PATH, HOSTNAME, SCRATCH, authority_environment};
use crate::error::PackError;
use crate::prepare::RunningStep;
use crate::room::Room;
use crate::scratch_folder::ScratchFolder;
use crate::trees::{Tree, tree};

/// Where programs are looked for in an image that does not say it.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What a step runs over.
pub struct OverLayers<'a> {
    pub cache: &'a Cache,
    /// The layers, lowest first, and whose cache has each: a base's are unpacked once for all builds.
    pub layers: Vec<(Digest, &'a Cache)>,
    /// What the base's configuration says.
    pub base: &'a RuntimeConfiguration,
    /// The program that becomes the sandbox; absent: this one.
    pub program: Option<&'a Path>,
}

/// A step that ended well; what it changed is there until this is dropped.
pub struct NamespaceStep {
    pub overlay: Overlay,
    _folder: ScratchFolder,
    _trees: Vec<Tree>,
}

/// Runs a step and waits for its end.
pub async fn run(
    over: &OverLayers<'_>,
    request: StepRequest<'_>,
    step: &RunningStep<'_>,
    cancel: &CancellationToken,
) -> Result<NamespaceStep, PackError> {
    let trees = unpacked(&over.layers).await?;
    let folder =
        ScratchFolder::new(&running(over.cache)).map_err(|(path, error)| PackError::Sandbox {
            command: request.command.to_owned(),
            path,
            error,
        })?;
    let mut environment = request.environment.clone();
    let surroundings = request
        .conditions
        .surround(&mut environment, request.network, request.base);
    let mut binds = surroundings.binds;
    binds.extend(request.binds());
    if request.network
        && let Some(bundle) = authority_for(&trees, request.extra_authority)?
    {
        environment.extend(authority_environment());
        binds.push(Bind {
            host: bundle.display().to_string(),
            container: AUTHORITY_PATH.to_owned(),
            readonly: true,
        });
    }
    let spec = SandboxSpec {
        folder: folder.path.clone(),
        lower: trees.iter().map(|tree| tree.path.clone()).collect(),
        command: vec!["/bin/sh".to_owned(), "-c".to_owned(), request.script()],
        env: process_environment(&over.base.env, &environment),
        workdir: request.workdir.to_owned(),
        hostname: HOSTNAME.to_owned(),
        network: request.network,
        scratch: scratch(over.base),
        binds,
        memory: request.limits.memory,
        processes: request.limits.processes,
        processors: surroundings.processors,
        reversed: surroundings.reversed,
    };
    let room = Room::of([folder.path.as_path()]);
    let filled = |kept| PackError::StepFilledDisk {
        command: request.command.to_owned(),
        kept,
    };
    let mut sandbox = Sandbox::start(&spec, over.program).await?;
    let mut tail = VecDeque::new();
    let followed = tokio::time::timeout(request.limits.time, async {
        tokio::select! {
            followed = follow(&mut sandbox, step, &mut tail, cancel) => followed,
            kept = room.used_up() => Err(filled(kept)),
        }
    });
    let followed = followed.await.unwrap_or_else(|_| {
        Err(PackError::StepTooLong {
            command: request.command.to_owned(),
            limit: request.limits.time,
        })
    });
    if let Err(error) = followed {
        sandbox.end().await;
        return Err(error);
    }
    match sandbox.ended().await? {
        SandboxEnd { exit_code: 0, .. } => Ok(NamespaceStep {
            overlay: Overlay {
                upper: spec.upper(),
                lower: spec.below(),
            },
            _folder: folder,
            _trees: trees,
        }),
        end => Err(match room.overdrawn() {
            // Noticed by the step first.
            Some(kept) => filled(kept),
            None if end.out_of_memory => PackError::StepOutOfMemory {
                command: request.command.to_owned(),
                limit: request.limits.memory,
            },
            None => PackError::StepFailed {
                command: request.command.to_owned(),
                exit_code: end.exit_code,
                tail: tail.into(),
            },
        }),
    }
}

/// Where the folders of steps are.
fn running(cache: &Cache) -> PathBuf {
    cache.root().join("running")
}

/// Whether sandboxes of namespaces can be made over this cache, with their directories turned round
/// where that is wanted; why not, where not.
pub async fn available(
    cache: &Cache,
    program: Option<&Path>,
    reversed: bool,
) -> Result<(), EngineError> {
    let folder =
        ScratchFolder::new(&running(cache)).map_err(|(path, error)| EngineError::NoNamespaces {
            reason: format!("{} cannot be written: {error}", path.display()),
        })?;
    ergon_engine::namespaces::available(&folder.path, program, reversed).await
}

async fn follow(
    sandbox: &mut Sandbox,
    step: &RunningStep<'_>,
    tail: &mut VecDeque<String>,
    cancel: &CancellationToken,
) -> Result<(), PackError> {
    let mut lines = sandbox.lines.by_ref().ready_chunks(LINES_AT_A_TIME);
    loop {
        tokio::select! {
            () = cancel.cancelled() => return Err(PackError::Cancelled),
            some = lines.next() => {
                let Some(some) = some else { return Ok(()) };
                tell(some, tail, step)?;
            }
        }
    }
}

/// The layers' trees, topmost first.
async fn unpacked(layers: &[(Digest, &Cache)]) -> Result<Vec<Tree>, PackError> {
    let layers = layers.iter().rev();
    let layers: Vec<(Digest, Cache)> = layers
        .map(|(layer, cache)| (*layer, (*cache).clone()))
        .collect();
    tokio::task::spawn_blocking(move || {
        layers
            .iter()
            .map(|(layer, cache)| tree(cache, layer))
            .collect()
    })
    .await?
}

/// What is never captured: scratch space, and what the base says is a volume.
fn scratch(base: &RuntimeConfiguration) -> Vec<String> {
    let volumes = base.volumes.iter().filter(|path| *path != SCRATCH);
    let volumes = volumes.filter(|path| path.starts_with('/')).cloned();
    volumes.chain([SCRATCH.to_owned()]).collect()
}

/// What the command finds in its environment, in the order the engine gives it: a path and the host's
/// name, what is asked for, what the base says beside that.
fn process_environment(base: &[String], asked: &BTreeMap<String, String>) -> Vec<(String, String)> {
    let mut env = vec![
        ("PATH".to_owned(), PATH.to_owned()),
        ("HOSTNAME".to_owned(), HOSTNAME.to_owned()),
    ];
    let asked_pairs = asked
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    let base_pairs = base
        .iter()
        .filter_map(|pair| pair.split_once('='))
        .filter(|(name, _)| !asked.contains_key(*name));
    for (name, value) in asked_pairs.chain(base_pairs) {
        match env.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => value.clone_into(old),
            None => env.push((name.to_owned(), value.to_owned())),
        }
    }
    env
}

/// The bundle to bind, where the host trusts what the base does not.
fn authority_for(trees: &[Tree], setting: &ExtraAuthority) -> Result<Option<PathBuf>, PackError> {
    let Some(bundle) = setting.bundle() else {
        return Ok(None);
    };
    let wanted = fs::read(&bundle).map_err(|error| PackError::ReadSource {
        path: bundle.clone(),
        error,
    })?;
    let trusted = trees
        .iter()
        .find_map(|tree| base_bundle(&tree.path).transpose())
        .transpose()
        .unwrap_or_default();
    Ok((trusted.as_deref() != Some(wanted.as_slice())).then_some(bundle))
}

/// What a layer says is trusted; none where it says nothing, an error where it says it in a way that
/// is not followed: a link would lead out of the layer.
fn base_bundle(tree: &Path) -> io::Result<Option<Vec<u8>>> {
    let folder = File::open(tree)?;
    let opened = rustix::fs::openat2(
        folder,
        BASE_BUNDLE.trim_start_matches('/'),
        OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK,
        Mode::empty(),
        ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS,
    );
    let mut file = match opened {
        Ok(file) => File::from(file),
        Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
        Err(errno) => return Err(errno.into()),
    };
    if !file.metadata()?.is_file() {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut content = Vec::new();
    file.read_to_end(&mut content)?;
    Ok(Some(content))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_goes_before_what_the_base_says() {
        let asked = BTreeMap::from([
            ("HOME".to_owned(), "/tmp".to_owned()),
            ("LANG".to_owned(), "C.UTF-8".to_owned()),
        ]);
        let base = ["PATH=/bin", "LANG=de_DE", "NODE_VERSION=18"].map(str::to_owned);
        let env = process_environment(&base, &asked);
        let shown: Vec<String> = env
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let expected = [
            "PATH=/bin",
            "HOSTNAME=ergon-build",
            "HOME=/tmp",
            "LANG=C.UTF-8",
            "NODE_VERSION=18",
        ];
        assert_eq!(shown, expected);
    }
}
