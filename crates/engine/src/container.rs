//! A container's life: create, start, stop, remove, look at.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use bollard::errors::Error as ClientError;
use bollard::models::ContainerUpdateBody;
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, InspectContainerOptions, KillContainerOptionsBuilder,
    ListContainersOptionsBuilder, RemoveContainerOptionsBuilder, RestartContainerOptionsBuilder,
    StartContainerOptions, StopContainerOptionsBuilder, WaitContainerOptionsBuilder,
};
use futures_util::StreamExt;

use crate::{ContainerSpec, ContainerState, Engine, EngineError, Status, name};

/// A container, as lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerSummary {
    pub id: String,
    pub name: String,
    /// What it was created from, as it was written.
    pub image: String,
    pub image_id: String,
    pub status: Status,
    pub labels: BTreeMap<String, String>,
}

impl Engine {
    /// Creates a container and returns its id. It does not run yet.
    pub async fn create_container(&self, spec: &ContainerSpec) -> Result<String, EngineError> {
        name::image(&spec.image)?;
        let mut options = CreateContainerOptionsBuilder::new();
        if !spec.name.is_empty() {
            let name = name::container(&spec.name).map_err(|_| {
                EngineError::Invalid(format!(
                    "`{}` cannot be a container's name: letters, digits, `_`, `.` and `-` only",
                    spec.name
                ))
            })?;
            options = options.name(name);
        }
        let created = self
            .client()
            .create_container(Some(options.build()), spec.body()?)
            .await;
        Ok(created.map_err(|error| self.wrong(error))?.id)
    }

    /// Starts a container; one that runs already is left alone.
    pub async fn start(&self, container: &str) -> Result<(), EngineError> {
        let container = name::container(container)?;
        let started = self
            .client()
            .start_container(container, None::<StartContainerOptions>)
            .await;
        match started.map_err(|error| self.wrong(error)) {
            Err(EngineError::PortTaken { address, .. }) => {
                let holder = self.publisher_of(&address, container).await;
                Err(EngineError::PortTaken { address, holder })
            }
            other => other,
        }
    }

    /// The container that publishes the port, if one does.
    async fn publisher_of(&self, address: &str, asking: &str) -> Option<String> {
        let port: u16 = address.rsplit(':').next()?.parse().ok()?;
        let options = ListContainersOptionsBuilder::new().build();
        let running = self.client().list_containers(Some(options)).await.ok()?;
        running
            .into_iter()
            .find(|other| {
                other
                    .ports
                    .iter()
                    .flatten()
                    .any(|published| published.public_port == Some(port))
            })
            .map(|other| first_name(other.names))
            .filter(|name| name != asking)
    }

    /// Asks a container to end, and kills it when it has not after `patience`.
    pub async fn stop(&self, container: &str, patience: Duration) -> Result<(), EngineError> {
        let seconds = i32::try_from(patience.as_secs()).unwrap_or(i32::MAX);
        let options = StopContainerOptionsBuilder::new().t(seconds).build();
        let stopped = self
            .patient()
            .stop_container(name::container(container)?, Some(options))
            .await;
        stopped.map_err(|error| self.wrong(error))
    }

    /// Sends a signal, `SIGKILL` or another.
    pub async fn kill(&self, container: &str, signal: &str) -> Result<(), EngineError> {
        let options = KillContainerOptionsBuilder::new().signal(signal).build();
        let killed = self
            .client()
            .kill_container(name::container(container)?, Some(options))
            .await;
        killed.map_err(|error| self.wrong(error))
    }

    /// Stops and starts a container.
    pub async fn restart(&self, container: &str, patience: Duration) -> Result<(), EngineError> {
        let seconds = i32::try_from(patience.as_secs()).unwrap_or(i32::MAX);
        let options = RestartContainerOptionsBuilder::new().t(seconds).build();
        let restarted = self
            .patient()
            .restart_container(name::container(container)?, Some(options))
            .await;
        restarted.map_err(|error| self.wrong(error))
    }

    /// Makes a container's processes stand still.
    pub async fn pause(&self, container: &str) -> Result<(), EngineError> {
        let paused = self.client().pause_container(name::container(container)?);
        paused.await.map_err(|error| self.wrong(error))
    }

    /// Lets processes go on that stand still.
    pub async fn unpause(&self, container: &str) -> Result<(), EngineError> {
        let unpaused = self.client().unpause_container(name::container(container)?);
        unpaused.await.map_err(|error| self.wrong(error))
    }

    /// Changes how much memory a container may use, and how much with swap; it goes on as it is. A limit
    /// is never taken back: the engine refuses that.
    pub async fn limit_memory(
        &self,
        container: &str,
        memory: u64,
        with_swap: u64,
    ) -> Result<(), EngineError> {
        let bytes = |bytes: u64| Some(i64::try_from(bytes).unwrap_or(i64::MAX));
        self.update(
            container,
            ContainerUpdateBody {
                memory: bytes(memory),
                memory_swap: bytes(with_swap),
                ..ContainerUpdateBody::default()
            },
        )
        .await
    }

    /// Changes how many processors a container may use, in billionths of one; it goes on as it is.
    pub async fn limit_processors(&self, container: &str, nano: u64) -> Result<(), EngineError> {
        let limits = ContainerUpdateBody {
            nano_cpus: Some(i64::try_from(nano).unwrap_or(i64::MAX)),
            ..ContainerUpdateBody::default()
        };
        self.update(container, limits).await
    }

    async fn update(
        &self,
        container: &str,
        limits: ContainerUpdateBody,
    ) -> Result<(), EngineError> {
        let changed = self
            .client()
            .update_container(name::container(container)?, limits);
        changed.await.map_err(|error| self.wrong(error))
    }

    /// Removes a container: `force` kills it first, `volumes` takes its anonymous volumes along.
    pub async fn remove(
        &self,
        container: &str,
        force: bool,
        volumes: bool,
    ) -> Result<(), EngineError> {
        let options = RemoveContainerOptionsBuilder::new()
            .force(force)
            .v(volumes)
            .build();
        let removed = self
            .patient()
            .remove_container(name::container(container)?, Some(options))
            .await;
        removed.map_err(|error| self.wrong(error))
    }

    /// Waits until a started container does not run any more, and returns its exit code.
    pub async fn wait(&self, container: &str) -> Result<i64, EngineError> {
        let options = WaitContainerOptionsBuilder::new()
            .condition("not-running")
            .build();
        let client = self.patient();
        let mut answers =
            std::pin::pin!(client.wait_container(name::container(container)?, Some(options)));
        match answers.next().await {
            Some(Ok(answer)) => Ok(answer.status_code),
            // The client library takes a code above 0 for an error; here it is the answer.
            Some(Err(ClientError::DockerContainerWaitError { code, .. })) => Ok(code),
            Some(Err(error)) => Err(self.wrong(error)),
            None => Err(EngineError::Disconnected(format!(
                "while waiting for container `{container}`"
            ))),
        }
    }

    /// Everything the engine tells of a container.
    pub async fn inspect(&self, container: &str) -> Result<ContainerState, EngineError> {
        let inspected = self
            .client()
            .inspect_container(name::container(container)?, None::<InspectContainerOptions>)
            .await;
        inspected
            .map(ContainerState::from_model)
            .map_err(|error| self.wrong(error))
    }

    /// Containers that have all the labels; an empty value asks for the label alone.
    /// `all` includes those that do not run.
    pub async fn list(
        &self,
        labels: &[(&str, &str)],
        all: bool,
    ) -> Result<Vec<ContainerSummary>, EngineError> {
        let labels: Vec<String> = labels
            .iter()
            .map(|(key, value)| {
                if value.is_empty() {
                    (*key).to_owned()
                } else {
                    format!("{key}={value}")
                }
            })
            .collect();
        let mut options = ListContainersOptionsBuilder::new().all(all);
        if !labels.is_empty() {
            options = options.filters(&HashMap::from([("label", labels)]));
        }
        let listed = self.client().list_containers(Some(options.build())).await;
        let mut containers: Vec<ContainerSummary> = listed
            .map_err(|error| self.wrong(error))?
            .into_iter()
            .map(|model| ContainerSummary {
                id: model.id.unwrap_or_default(),
                name: first_name(model.names),
                image: model.image.unwrap_or_default(),
                image_id: model.image_id.unwrap_or_default(),
                status: model
                    .state
                    .map_or(Status::Created, |state| Status::from_word(state.as_ref())),
                labels: model.labels.unwrap_or_default().into_iter().collect(),
            })
            .collect();
        containers.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(containers)
    }
}

/// A container's own name; further names are links to it and have a second slash.
fn first_name(names: Option<Vec<String>>) -> String {
    let names = names.unwrap_or_default();
    let own = names
        .iter()
        .find(|name| name.trim_start_matches('/').split('/').count() == 1);
    own.or(names.first())
        .map(|name| name.trim_start_matches('/').to_owned())
        .unwrap_or_default()
}
