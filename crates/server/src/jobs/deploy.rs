//! Puts an image into its place: the container of before goes, the new one comes, with its companion.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::path::Path;
use std::time::Duration;

use ergon_companion::{COMPANION_LABEL, Meant};
use ergon_engine::{
    Bind, ContainerSpec, ContainerState, Engine, EngineError, NamedVolume, Network, Publish,
    RestartPolicy,
};
use ergon_pack::ImageRecord;
use ergon_store::{ContainerRow, ProjectRow, now};
use tokio_util::sync::CancellationToken;

use super::health;
use super::recorder::Reporter;
use super::work::WorkError;
use crate::api::{PublishedPort, StartedContainer};
use crate::containers::{Intent, published};
use crate::labels;
use crate::secrets::{Given, PROGRAM_SECRETS, SecretError, Wanted};
use crate::stack::Stack;
use crate::words::slug;

/// The network on which a stack's containers reach each other by name.
const NETWORK: &str = "ergon";
/// The host answers for a container's port at this much above it, where that is free.
const PORT_OFFSET: u16 = 10_000;
/// So many more are tried above it before the engine chooses one, which changes with each start.
const NEAR: u16 = 50;
/// How long the container of before may take to end by itself.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is to be put where.
pub struct Deployment<'a> {
    pub stack: &'a Stack,
    pub engine: &'a Engine,
    pub project: &'a ProjectRow,
    pub image: &'a ImageRecord,
    pub meant: Meant,
    /// Variables for the container.
    pub env: &'a BTreeMap<String, String>,
    /// Secrets that it needs.
    pub secrets: &'a Wanted,
    pub cancel: &'a CancellationToken,
}

/// The names a container gets.
#[derive(Debug, PartialEq, Eq)]
struct Names {
    container: String,
    companion: String,
}

/// Starts the container and waits until it is well.
pub async fn deploy(
    deployment: &Deployment<'_>,
    reporter: &Reporter,
    next_step: &mut u32,
) -> Result<StartedContainer, WorkError> {
    let mut step = || {
        *next_step += 1;
        *next_step - 1
    };
    let stack = deployment.stack;
    let starting = reporter.begin(step(), "container", deployment.meant.container.as_str());
    let begun = async {
        let earlier = deployment.earlier().await?;
        let names = deployment.names(&earlier).await?;
        let _making = Making::announce(stack, &names.container);
        // While nothing is taken away yet: a vault may be down.
        let given = deployment.secrets(&names).await?;
        let state = deployment.put(&names, &earlier, &given).await;
        if state.is_err() {
            deployment.take_back(&given);
        }
        let state = state?;
        let adopted = stack
            .containers()
            .adopt(deployment.row(&names, &state, &given))
            .await;
        if let Err(error) = adopted {
            // Nothing runs here that nobody watches.
            deployment.replace(&state.id).await?;
            deployment.take_back(&given);
            return Err(error.into());
        }
        Ok::<_, WorkError>((names, state))
    };
    let (names, state) = match begun.await {
        Ok(begun) => begun,
        Err(error) => {
            starting.failed(None);
            return Err(error);
        }
    };
    let ports = published(&state.ports);
    starting.done(Some(in_words(&names.container, &ports)));

    let companion = reporter.begin(step(), "companion", names.companion.as_str());
    let socket = stack.companions().container_socket(&state.id);
    companion.done(Some(socket.display().to_string()));

    let waiting = reporter.begin(step(), "health", names.container.as_str());
    let mut started = StartedContainer {
        container: names.container,
        companion: names.companion,
        image: deployment.image.tags.first().cloned().unwrap_or_default(),
        image_digest: deployment.image.digest.to_string(),
        ports,
        state: "running".to_owned(),
    };
    let wellness = tokio::select! {
        wellness = health::wait(stack, &state.id) => wellness,
        () = deployment.cancel.cancelled() => {
            waiting.failed(None);
            return Err(WorkError::Cancelled);
        }
    };
    match wellness {
        Ok(well) => {
            waiting.done(Some(well.sentence));
            well.state.clone_into(&mut started.state);
            Ok(started)
        }
        Err(ill) => {
            for line in &ill.log {
                waiting.line(line.as_str());
            }
            waiting.failed(Some(ill.sentence.clone()));
            ill.state.clone_into(&mut started.state);
            Err(WorkError::Unwell(Box::new(ill.of(started))))
        }
    }
}

impl Deployment<'_> {
    /// Containers of before, which this one replaces.
    async fn earlier(&self) -> Result<Vec<ContainerState>, EngineError> {
        let wanted = [
            (labels::STACK, self.stack.id().as_str()),
            (labels::PROJECT, self.project.id.as_str()),
            (labels::CONTAINER, self.meant.container.as_str()),
        ];
        self.labelled(&wanted).await
    }

    /// Containers with all these labels, whether they run or not.
    async fn labelled(&self, labels: &[(&str, &str)]) -> Result<Vec<ContainerState>, EngineError> {
        let mut found = Vec::new();
        for container in self.engine.list(labels, true).await? {
            match self.engine.inspect(&container.id).await {
                Ok(state) => found.push(state),
                Err(error) if error.is_not_found() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    /// Ports that Ergon's containers come back to when they are started again, of every stack on this engine.
    async fn kept_ports(&self) -> Result<BTreeSet<u16>, EngineError> {
        let all = self.labelled(&[(labels::STACK, "")]).await?;
        let ports = all.iter().flat_map(|state| &state.wanted_ports);
        Ok(ports.map(|binding| binding.host).collect())
    }

    /// The manifest's names, where nobody else has them; else with the beginning of the project's id.
    async fn names(&self, earlier: &[ContainerState]) -> Result<Names, WorkError> {
        let wanted = self.meant.container.clone();
        let suffix = self.project.id.as_str().get(..4).unwrap_or_default();
        let is_earlier = |id: &str| earlier.iter().any(|before| before.id == id);
        let container = match self.engine.inspect(&wanted).await {
            Ok(state) if state.name == wanted && !is_earlier(&state.id) => {
                format!("{wanted}-{suffix}")
            }
            Ok(_) => wanted.clone(),
            Err(error) if error.is_not_found() => wanted.clone(),
            Err(error) => return Err(error.into()),
        };
        let companion = self.meant.manifest.companion_name(&wanted);
        let holder = self.stack.directory().find(&companion);
        let is_free = holder.is_none_or(|holder| {
            let id = holder.details.container_id.as_deref();
            id.is_some_and(is_earlier)
        });
        let companion = if is_free {
            companion
        } else {
            format!("{companion}-{suffix}")
        };
        Ok(Names {
            container,
            companion,
        })
    }

    /// Takes a container of before away, and its companion with it.
    async fn replace(&self, id: &str) -> Result<(), WorkError> {
        for step in [
            self.engine.stop(id, PATIENCE).await,
            self.engine.remove(id, true, true).await,
        ] {
            match step {
                Ok(()) => {}
                Err(error) if error.is_not_found() => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.stack
            .containers()
            .leave(id)
            .await
            .map_err(|error| match error {
                crate::containers::ContainerError::Secret(error) => error.into(),
                crate::containers::ContainerError::Engine(error) => WorkError::Engine(error),
                crate::containers::ContainerError::Store(error) => WorkError::Store(error),
                crate::containers::ContainerError::Directory(error) => WorkError::Directory(error),
                crate::containers::ContainerError::NotFound { name } => {
                    WorkError::Engine(EngineError::NotFound {
                        kind: "container",
                        name,
                    })
                }
            })
    }

    /// What it is given of the secrets that it needs.
    async fn secrets(&self, names: &Names) -> Result<Given, WorkError> {
        if !self.secrets.files.is_empty() && !self.engine.is_local() {
            let container = names.container.clone();
            return Err(SecretError::Elsewhere { container }.into());
        }
        let random: [u8; 4] = self.stack.entropy().bytes();
        // Its name may become another's; this is its own.
        let folder = format!("{}-{}", names.container, hex::encode(random));
        let container = &self.meant.container;
        let giving = self.stack.secrets();
        let given = giving.give(self.project, container, self.secrets, folder);
        Ok(given.await?)
    }

    /// Removes what a container was given that is not there.
    fn take_back(&self, given: &Given) {
        if let Some((_, folder)) = &given.folder
            && let Err(error) = self.stack.secrets().places().remove(folder)
        {
            tracing::warn!(%error, "secrets of a container that did not start stay in memory");
        }
    }

    /// Takes the containers of before away, and starts this one.
    async fn put(
        &self,
        names: &Names,
        earlier: &[ContainerState],
        given: &Given,
    ) -> Result<ContainerState, WorkError> {
        for before in earlier {
            self.replace(&before.id).await?;
        }
        Ok(self.start(names, earlier, given).await?)
    }

    /// Creates and starts; a port that somebody took meanwhile is given up for the next.
    async fn start(
        &self,
        names: &Names,
        earlier: &[ContainerState],
        given: &Given,
    ) -> Result<ContainerState, EngineError> {
        self.engine.ensure_network(NETWORK).await?;
        let mut taken = self.kept_ports().await?;
        let (id, started) = loop {
            let spec = self.spec(names, earlier, &taken, given);
            let id = self.engine.create_container(&spec).await?;
            let started = self.engine.start(&id).await;
            let asked = spec.publish.iter().filter_map(|publish| publish.host);
            let before = taken.len();
            if matches!(started, Err(EngineError::PortTaken { .. })) {
                taken.extend(asked);
            }
            if taken.len() == before {
                break (id, started);
            }
            self.engine.remove(&id, true, true).await?;
        };
        if let Err(error) = started {
            // What never ran has nothing to tell.
            if let Err(error) = self.engine.remove(&id, true, true).await {
                tracing::warn!(%error, container = names.container, "a container that did not start stays behind");
            }
            return Err(error);
        }
        self.engine.inspect(&id).await
    }

    fn spec(
        &self,
        names: &Names,
        earlier: &[ContainerState],
        taken: &BTreeSet<u16>,
        given: &Given,
    ) -> ContainerSpec {
        let publish = |port: u16| {
            let near = (0..=NEAR).filter_map(|above| port.checked_add(PORT_OFFSET + above));
            let mut candidates = before(earlier, port).chain(near);
            Publish {
                container: port,
                address: IpAddr::V4(Ipv4Addr::LOCALHOST),
                host: candidates.find(|port| !taken.contains(port) && is_free(*port)),
            }
        };
        let label = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        ContainerSpec {
            name: names.container.clone(),
            // By id: a tag may be moved between loading and creating.
            image: self.image.config_digest.to_string(),
            // What somebody says for this run counts most.
            env: given
                .variables
                .clone()
                .into_iter()
                .chain(self.env.clone())
                .collect(),
            binds: given.folder.iter().map(|(path, _)| bind(path)).collect(),
            hostname: Some(self.meant.container.chars().take(63).collect()),
            labels: [
                label(labels::STACK, self.stack.id().as_str()),
                label(labels::PROJECT, self.project.id.as_str()),
                label(labels::CONTAINER, &self.meant.container),
                label(COMPANION_LABEL, &names.companion),
                label(labels::BUILD_HASH, &self.meant.build_hash),
                label(labels::IMAGE_DIGEST, &self.meant.image_digest),
                label(
                    labels::MANIFEST_DIGEST,
                    self.meant.manifest_digest.as_deref().unwrap_or_default(),
                ),
            ]
            .into_iter()
            .chain(given.folder.iter().flat_map(|(_, folder)| {
                let names = self.secrets.files.join(",");
                [
                    label(labels::SECRETS, &names),
                    label(labels::SECRETS_IN, folder),
                ]
            }))
            .collect(),
            network: Network::Named(NETWORK.to_owned()),
            aliases: vec![self.meant.container.clone()],
            publish: self.meant.ports().into_iter().map(publish).collect(),
            volumes: self.volumes(),
            restart: RestartPolicy::No,
            ..ContainerSpec::default()
        }
    }

    /// Paths whose content outlives the container.
    fn volumes(&self) -> Vec<NamedVolume> {
        let paths = self
            .meant
            .applications()
            .flat_map(|(_, application)| application.volumes.clone());
        let volume = |path: String| NamedVolume {
            name: format!(
                "ergon_{}_{}_{}",
                self.project.id,
                self.meant.container,
                slug(&path)
            ),
            container: path,
        };
        paths.map(volume).collect()
    }

    fn row(&self, names: &Names, state: &ContainerState, given: &Given) -> ContainerRow {
        let intent = Intent {
            manifest_digest: self.meant.manifest_digest.clone().unwrap_or_default(),
            container: self.meant.container.clone(),
            build_hash: self.meant.build_hash.clone(),
            image_digest: self.meant.image_digest.clone(),
            image_id: self.meant.image_id.clone(),
            image: self.image.tags.first().cloned().unwrap_or_default(),
            capabilities: self
                .meant
                .container()
                .map(|container| container.ci_capabilities.clone())
                .unwrap_or_default(),
            secrets: self.secrets.files.clone(),
            secrets_in: given.folder.as_ref().map(|(_, folder)| folder.clone()),
        };
        ContainerRow {
            id: state.id.clone(),
            name: names.container.clone(),
            companion: names.companion.clone(),
            project_id: Some(self.project.id.clone()),
            meant: serde_json::to_value(intent).unwrap_or_default(),
            created_at: now(),
        }
    }
}

/// A folder of secrets where the program finds it.
fn bind(path: &Path) -> Bind {
    Bind {
        host: path.display().to_string(),
        container: PROGRAM_SECRETS.to_owned(),
        readonly: true,
    }
}

/// A container is being made, so that whoever sees it appear leaves its companion to us.
struct Making<'a> {
    stack: &'a Stack,
    name: String,
}

impl<'a> Making<'a> {
    fn announce(stack: &'a Stack, name: &str) -> Self {
        stack.desk().inner().making.insert(name.to_owned());
        Self {
            stack,
            name: name.to_owned(),
        }
    }
}

impl Drop for Making<'_> {
    fn drop(&mut self) {
        self.stack.desk().inner().making.remove(&self.name);
    }
}

/// Where the host answered for a port of the container of before, so that addresses stay good.
fn before(earlier: &[ContainerState], port: u16) -> impl Iterator<Item = u16> {
    let bindings = earlier
        .iter()
        .flat_map(|before| before.ports.iter().chain(&before.wanted_ports));
    bindings
        .filter(move |binding| binding.container == port)
        .map(|binding| binding.host)
}

/// Whether nobody on this machine listens on a port.
fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// `fastapi  http://127.0.0.1:18000 → 8000`.
fn in_words(container: &str, ports: &[PublishedPort]) -> String {
    let ports: Vec<String> = ports
        .iter()
        .map(|port| format!("http://{}:{} → {}", port.address, port.host, port.container))
        .collect();
    if ports.is_empty() {
        container.to_owned()
    } else {
        format!("{container}  {}", ports.join(", "))
    }
}
