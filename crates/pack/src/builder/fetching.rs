//! What a step needs from elsewhere, fetched before it runs; so that it runs without a network.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ergon_detect::plan::{FETCHED, Fetch, Manager};
use ergon_detect::tree::FileTree as _;
use ergon_engine::Engine;
use ergon_manifest::Digest;
use ergon_oci::Layer;
use serde::Serialize;

use super::run::{Ended, Kept, Run, drop_elsewhere};
use super::{ContainerBuild, StageState, Wanted};
use crate::error::PackError;
use crate::fetched::{
    self, Fetched, Fetching, Held, MOST_QUOTED, Named, Supply, names, seed, sort, wanted_network,
};
use crate::prepare::RunningStep;
use crate::progress::{StepKind, StepOutcome};
use crate::sandbox::{FetchedFolder, SandboxKind};

/// The version of the rules by which what was fetched is sorted; what was kept by others is fetched again.
const RULES: &str = "2";

#[derive(Serialize)]
struct FetchKey<'a> {
    rules: &'a str,
    fetch: &'a Fetch,
    /// What the locks say, which is compared.
    locks: Vec<Option<Digest>>,
    base: Digest,
    below: Vec<Digest>,
    workdir: &'a str,
    platform: &'a str,
}

/// What several states of one project have in common.
#[derive(Serialize)]
struct SeedKey<'a> {
    folder: &'a Path,
    managers: &'a [Manager],
    base: Digest,
}

/// What came of fetching.
pub(super) enum Supplies {
    Held(Held),
    /// Why the step must get them itself.
    Failed(String),
    /// How is not known, or whoever runs the step could not see them.
    Unknown,
}

impl ContainerBuild<'_, '_, '_> {
    /// What a step needs, from the cache or fetched now.
    pub(super) async fn fetched(
        &mut self,
        state: &mut StageState,
        wanted: &Wanted<'_>,
        fetch: &Fetch,
        environment: &BTreeMap<String, String>,
    ) -> Result<Supplies, PackError> {
        let in_namespaces = self.work.sandbox == SandboxKind::Namespaces;
        if !in_namespaces && !self.work.engine.is_none_or(Engine::is_local) {
            return Ok(Supplies::Unknown);
        }
        let tree = &self.work.prepared.project.tree;
        let locks = fetch.locks.iter().map(|lock| tree.read(lock).ok());
        let locks: Vec<Option<Vec<u8>>> = locks.collect();
        let key = self.key(&FetchKey {
            rules: RULES,
            fetch,
            locks: locks
                .iter()
                .map(|content| content.as_deref().map(Digest::of))
                .collect(),
            base: state.base.digest,
            below: state
                .layers
                .iter()
                .map(|layer| layer.layer.digest)
                .collect(),
            workdir: wanted.workdir,
            platform: &self.work.prepared.inputs.platform,
        })?;
        let who = names(&fetch.managers).join(", ");
        let what = if fetch.locks.is_empty() {
            who
        } else {
            format!("{who} ({})", fetch.locks.join(", "))
        };
        let step = self.steps.begin(StepKind::Fetch, &what);
        if let Some(held) = fetched::held(self.work.cache, &key) {
            step.end(StepOutcome::Cached, Some(held.fetched.summary()));
            return Ok(Supplies::Held(held));
        }
        let mut named = Named::default();
        for content in locks.iter().flatten() {
            named.add(&String::from_utf8_lossy(content));
        }
        let fetched = self.fetch(state, wanted, fetch, environment, (key, named), &step);
        match fetched.await {
            Ok(held) => {
                step.end(StepOutcome::Done, Some(held.fetched.summary()));
                Ok(Supplies::Held(held))
            }
            // It may want something that only the step itself makes; that one says what is wrong.
            Err(PackError::StepFailed { tail, .. }) => {
                step.end(
                    StepOutcome::Failed,
                    Some("so the step itself gets the network".to_owned()),
                );
                let last = tail.last().map_or("", |line| line.trim());
                let last: String = last.chars().take(MOST_QUOTED).collect();
                Ok(Supplies::Failed(format!(
                    "it could not be fetched alone: {last}"
                )))
            }
            Err(error) => {
                step.end(StepOutcome::Failed, None);
                Err(error)
            }
        }
    }

    async fn fetch(
        &self,
        state: &mut StageState,
        wanted: &Wanted<'_>,
        fetch: &Fetch,
        environment: &BTreeMap<String, String>,
        (key, named): (Digest, Named),
        step: &RunningStep<'_>,
    ) -> Result<Held, PackError> {
        let cache = self.work.cache.clone();
        let failed = |path: PathBuf, error| PackError::Fetched {
            command: wanted.command.to_owned(),
            path,
            error,
        };
        let seed_key = self.key(&SeedKey {
            // Another project's packages may have left there what they liked.
            folder: &self.work.prepared.project.folder,
            managers: &fetch.managers,
            base: state.base.digest,
        })?;
        // Without digests nothing would tell what an earlier state of the project left from what this one needs.
        let earlier = (!named.is_empty())
            .then(|| cache.kept::<Digest>(FETCHED_BEFORE, &seed_key))
            .flatten()
            .and_then(|key| fetched::held(&cache, &key));
        let fetching = tokio::task::spawn_blocking({
            let cache = cache.clone();
            move || {
                let fetching = Fetching::begin(&cache)?;
                if let Some(earlier) = earlier {
                    let files = fetching.files();
                    seed(&earlier.files, &files).map_err(|error| (files, error))?;
                }
                Ok(fetching)
            }
        })
        .await?
        .map_err(|(path, error)| failed(path, error))?;
        let mut environment = environment.clone();
        environment.extend(fetch.env.clone());
        let files = fetching.files();
        let command = owned_by_us(&fetch.command);
        let run = Run {
            command: wanted.command,
            instead: Some(&command),
            before: &[],
            workdir: wanted.workdir,
            network: true,
            environment: &environment,
            fetched: Some(FetchedFolder {
                path: &files,
                writable: true,
            }),
            secrets_at: wanted.secrets_at,
            step,
        };
        // Nothing but what is in the folder outlives this.
        match self.run_in_sandbox(state, run).await? {
            Ended::Engine(_, finished) => finished.remove().await,
            Ended::Namespaces(finished) => drop_elsewhere(finished).await?,
        }
        let locks = if named.is_empty() {
            Vec::new()
        } else {
            fetch.locks.clone()
        };
        let (command, managers) = (wanted.command.to_owned(), names(&fetch.managers));
        let cancel = self.work.cancel.clone();
        let held: Held = tokio::task::spawn_blocking(move || {
            let files = fetching.files();
            let sorted = sort(&files, &named, &cancel).map_err(|error| (files.clone(), error))?;
            let fetched = Fetched {
                command,
                managers,
                locks,
                packages: sorted.packages,
                left_out: sorted.left_out,
                bytes: sorted.bytes,
            };
            let held = fetching
                .keep(&cache, &key, fetched)
                .map_err(|error| (files, error))?;
            cache.keep(FETCHED_BEFORE, &seed_key, &key).ok();
            Ok(held)
        })
        .await?
        .map_err(|(path, error)| {
            if self.work.cancel.is_cancelled() {
                PackError::Cancelled
            } else {
                failed(path, error)
            }
        })?;
        for package in &held.fetched.left_out {
            step.log(format!("left out: {package}, which no lock names"));
        }
        Ok(held)
    }

    /// Runs a step with what was fetched for it; where it wants more than that, again with the network.
    pub(super) async fn supplied(
        &self,
        state: &mut StageState,
        wanted: &Wanted<'_>,
        environment: &BTreeMap<String, String>,
        supplies: Supplies,
        key: Digest,
        step: &RunningStep<'_>,
    ) -> Result<(Layer, Option<Supply>), PackError> {
        let mut environment = environment.clone();
        environment.extend(
            wanted
                .fetch
                .map(|fetch| fetch.step_env.clone())
                .unwrap_or_default(),
        );
        let run = Run {
            command: wanted.command,
            instead: None,
            before: &[],
            workdir: wanted.workdir,
            network: wanted.network,
            environment: &environment,
            fetched: None,
            secrets_at: wanted.secrets_at,
            step,
        };
        let mut because = match &supplies {
            Supplies::Failed(reason) => Some(reason.clone()),
            _ => None,
        };
        if let (Supplies::Held(held), Some(fetch)) = (supplies, wanted.fetch) {
            match self.offline(state, run, fetch, &held.files).await {
                Ok(ended) => {
                    let supply = Some(Supply::Fetched(held.fetched));
                    return self.kept(ended, wanted, key, supply).await;
                }
                Err(PackError::StepFailed {
                    command,
                    exit_code,
                    tail,
                }) => match wanted_network(&tail) {
                    Some(line) => {
                        because = Some(match held.fetched.left_out.first() {
                            Some(package) => format!(
                                "no digest in {} is that of {package}",
                                fetch.locks.join(" or ")
                            ),
                            None => format!("without it, it ended with `{line}`"),
                        });
                    }
                    None => {
                        return Err(PackError::StepFailed {
                            command,
                            exit_code,
                            tail,
                        });
                    }
                },
                Err(error) => return Err(error),
            }
        }
        if let Some(reason) = &because {
            let supply = Supply::Network {
                command: wanted.command.to_owned(),
                because: Some(reason.clone()),
            };
            // Whoever asks for what is locked does not want code that nothing pins to have a network even once.
            if self.work.prepared.options.locked {
                return Err(PackError::NotLocked {
                    reasons: supply.floats().into_iter().collect(),
                });
            }
            step.log("it wants more than was fetched: with the network".to_owned());
        }
        let ended = self.run_in_sandbox(state, run).await?;
        let supply = wanted.network.then(|| Supply::Network {
            command: wanted.command.to_owned(),
            because,
        });
        self.kept(ended, wanted, key, supply).await
    }

    async fn offline<'s>(
        &'s self,
        state: &mut StageState,
        run: Run<'_>,
        fetch: &Fetch,
        files: &Path,
    ) -> Result<Ended<'s>, PackError> {
        let mut environment = run.environment.clone();
        environment.extend(fetch.offline_env.clone());
        let run = Run {
            before: &fetch.before,
            network: false,
            environment: &environment,
            fetched: Some(FetchedFolder {
                path: files,
                writable: false,
            }),
            ..run
        };
        self.run_in_sandbox(state, run).await
    }

    async fn kept(
        &self,
        ended: Ended<'_>,
        wanted: &Wanted<'_>,
        key: Digest,
        supply: Option<Supply>,
    ) -> Result<(Layer, Option<Supply>), PackError> {
        let kept = Kept {
            key,
            supply: supply.clone(),
            secrets: wanted.secrets.to_vec(),
        };
        let layer = self.layer_left(ended, wanted.command, kept).await?;
        Ok((layer, supply))
    }
}

/// Where the cache keeps which fetch was the last of its kind.
const FETCHED_BEFORE: &str = "latest";

/// The command, and after it what it fetched is this process's to remove, whoever is root in the sandbox.
fn owned_by_us(command: &str) -> String {
    let (user, group) = (rustix::process::getuid(), rustix::process::getgid());
    if user.is_root() {
        return command.to_owned();
    }
    format!(
        "( {command}\n)\ncode=$?\nchown -R {}:{} {FETCHED}\nexit $code",
        user.as_raw(),
        group.as_raw()
    )
}
