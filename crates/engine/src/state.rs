//! What a container is, as the engine tells it.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use bollard::models::{self, ContainerInspectResponse, ContainerStateStatusEnum, HealthStatusEnum};
use jiff::Timestamp;

use crate::RestartPolicy;

/// Everything the engine tells of one container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContainerState {
    pub id: String,
    pub name: String,
    /// `sha256:…` of the image's configuration.
    pub image_id: String,
    /// What it was created from, as it was written.
    pub image: String,
    pub status: Status,
    /// Absent while it runs, and before it first ran.
    pub exit_code: Option<i64>,
    /// The engine's own flag: true only where process 1 was the one that was killed.
    pub oom_killed: bool,
    /// Why the engine could not start it.
    pub error: Option<String>,
    /// Process 1, as the host numbers it; absent when it does not run.
    pub pid: Option<u32>,
    pub created_at: Option<Timestamp>,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    pub restart_count: u64,
    pub restart_policy: RestartPolicy,
    /// The image's own check, where it has one.
    pub health: Option<HealthState>,
    pub env: BTreeMap<String, String>,
    pub labels: BTreeMap<String, String>,
    /// TCP ports the image says it listens on.
    pub exposed: Vec<u16>,
    pub ports: Vec<PortBinding>,
    /// What was asked for when it was made, by number: it wants the same again whenever it starts.
    pub wanted_ports: Vec<PortBinding>,
    /// Addresses by network name.
    pub networks: BTreeMap<String, String>,
    /// All its networks, also while it has no address in them.
    pub attachments: Vec<Attachment>,
    pub network_mode: String,
    pub user: String,
    /// Bytes; absent: no limit.
    pub memory_limit: Option<u64>,
    /// Bytes of memory and swap together; absent: the engine's choice, or no limit.
    pub memory_and_swap: Option<u64>,
    /// Billionths of a processor, as `--cpus` sets them; absent: no such limit.
    pub processor_limit: Option<u64>,
    pub graph_driver: String,
    /// Where what it changed lies on the host, with overlay storage.
    pub upper_directory: Option<String>,
    /// What lies below it, topmost first.
    pub lower_directories: Vec<String>,
    pub cgroup_parent: String,
    /// The command line as it was started: entrypoint and arguments.
    pub command: Vec<String>,
    pub workdir: String,
    pub tty: bool,
}

/// A network a container is connected to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attachment {
    pub network: String,
    /// None while it does not run.
    pub addresses: Vec<IpAddr>,
    /// How others on that network call it, beside its own name.
    pub aliases: Vec<String>,
}

/// Whether it runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Status {
    #[default]
    Created,
    Running,
    Paused,
    Restarting,
    Removing,
    Exited,
    Dead,
}

/// What the container's own check says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthState {
    /// `starting`, `healthy`, `unhealthy`.
    pub status: String,
    pub failing_streak: u64,
    /// What the last check printed.
    pub last_output: Option<String>,
}

/// A TCP port and where the host answers for it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PortBinding {
    pub container: u16,
    pub address: String,
    pub host: u16,
}

impl Status {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Restarting => "restarting",
            Self::Removing => "removing",
            Self::Exited => "exited",
            Self::Dead => "dead",
        }
    }

    /// From an engine's word; one it does not know counts as created.
    pub(crate) fn from_word(word: &str) -> Self {
        match word {
            "running" | "stopping" => Self::Running,
            "paused" => Self::Paused,
            "restarting" => Self::Restarting,
            "removing" => Self::Removing,
            "exited" | "stopped" => Self::Exited,
            "dead" => Self::Dead,
            _ => Self::Created,
        }
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl ContainerState {
    pub fn is_running(&self) -> bool {
        matches!(self.status, Status::Running | Status::Paused)
    }

    /// The first twelve digits of the id, as people use them.
    pub fn short_id(&self) -> &str {
        self.id.get(..12).unwrap_or(&self.id)
    }

    pub(crate) fn from_model(model: ContainerInspectResponse) -> Self {
        let state = model.state.unwrap_or_default();
        let config = model.config.unwrap_or_default();
        let host = model.host_config.unwrap_or_default();
        let settings = model.network_settings.unwrap_or_default();
        let status = state
            .status
            .map_or(Status::Created, |status: ContainerStateStatusEnum| {
                Status::from_word(status.as_ref())
            });
        let stopped = matches!(
            status,
            Status::Exited | Status::Dead | Status::Restarting | Status::Removing
        );
        let (graph_driver, upper_directory, lower_directories) = match model.graph_driver {
            Some(models::DriverData { name, mut data }) => {
                let lower = data.remove("LowerDir").unwrap_or_default();
                let lower = lower
                    .split(':')
                    .filter(|path| !path.is_empty())
                    .map(str::to_owned)
                    .collect();
                (name, data.remove("UpperDir"), lower)
            }
            None => (model.driver.unwrap_or_default(), None, Vec::new()),
        };
        let mut command: Vec<String> = model
            .path
            .filter(|path| !path.is_empty())
            .into_iter()
            .collect();
        command.extend(model.args.unwrap_or_default());
        let started_at = timestamp(state.started_at.as_deref());
        Self {
            id: model.id.unwrap_or_default(),
            name: model
                .name
                .unwrap_or_default()
                .trim_start_matches('/')
                .to_owned(),
            image_id: model.image.unwrap_or_default(),
            image: config.image.unwrap_or_default(),
            status,
            // A container that could not be started has never run, and yet has an exit code.
            exit_code: (stopped
                || (status == Status::Created && state.exit_code.unwrap_or(0) != 0))
                .then_some(state.exit_code)
                .flatten(),
            oom_killed: state.oom_killed.unwrap_or(false),
            error: state.error.filter(|error| !error.is_empty()),
            pid: state
                .pid
                .and_then(|pid| u32::try_from(pid).ok())
                .filter(|pid| *pid != 0),
            created_at: timestamp(model.created.as_deref()),
            started_at,
            finished_at: timestamp(state.finished_at.as_deref()),
            restart_count: model
                .restart_count
                .and_then(|count| u64::try_from(count).ok())
                .unwrap_or(0),
            restart_policy: RestartPolicy::from_model(host.restart_policy.as_ref()),
            health: state.health.and_then(health),
            env: config
                .env
                .unwrap_or_default()
                .into_iter()
                .map(|line| match line.split_once('=') {
                    Some((key, value)) => (key.to_owned(), value.to_owned()),
                    None => (line, String::new()),
                })
                .collect(),
            labels: config.labels.unwrap_or_default().into_iter().collect(),
            exposed: sorted(
                config
                    .exposed_ports
                    .iter()
                    .flatten()
                    .filter_map(|port| tcp_port(port)),
            ),
            ports: bindings(settings.ports),
            wanted_ports: bindings(host.port_bindings),
            attachments: attachments(settings.networks.as_ref()),
            networks: settings
                .networks
                .unwrap_or_default()
                .into_iter()
                .filter_map(|(name, endpoint)| {
                    let address = endpoint.ip_address.filter(|address| !address.is_empty())?;
                    Some((name, address))
                })
                .collect(),
            network_mode: host.network_mode.unwrap_or_default(),
            user: config.user.unwrap_or_default(),
            memory_limit: host
                .memory
                .and_then(|bytes| u64::try_from(bytes).ok())
                .filter(|bytes| *bytes > 0),
            memory_and_swap: host
                .memory_swap
                .and_then(|bytes| u64::try_from(bytes).ok())
                .filter(|bytes| *bytes > 0),
            processor_limit: host
                .nano_cpus
                .and_then(|nano| u64::try_from(nano).ok())
                .filter(|nano| *nano > 0),
            graph_driver,
            upper_directory,
            lower_directories,
            cgroup_parent: host.cgroup_parent.unwrap_or_default(),
            command,
            workdir: config.working_dir.unwrap_or_default(),
            tty: config.tty.unwrap_or(false),
        }
    }
}

fn attachments(networks: Option<&HashMap<String, models::EndpointSettings>>) -> Vec<Attachment> {
    let attachment = |(network, endpoint): (&String, &models::EndpointSettings)| {
        let addresses = [&endpoint.ip_address, &endpoint.global_ipv6_address];
        Attachment {
            network: network.clone(),
            addresses: addresses
                .into_iter()
                .filter_map(|address| address.as_ref()?.parse().ok())
                .collect(),
            aliases: sorted(
                endpoint
                    .aliases
                    .iter()
                    .chain(&endpoint.dns_names)
                    .flatten()
                    .cloned(),
            ),
        }
    };
    let mut attachments: Vec<Attachment> = networks.into_iter().flatten().map(attachment).collect();
    attachments.sort_by(|one, other| one.network.cmp(&other.network));
    attachments
}

fn health(health: models::Health) -> Option<HealthState> {
    let status = match health.status? {
        HealthStatusEnum::STARTING => "starting",
        HealthStatusEnum::HEALTHY => "healthy",
        HealthStatusEnum::UNHEALTHY => "unhealthy",
        HealthStatusEnum::EMPTY | HealthStatusEnum::NONE => return None,
    };
    Some(HealthState {
        status: status.to_owned(),
        failing_streak: health
            .failing_streak
            .and_then(|n| u64::try_from(n).ok())
            .unwrap_or(0),
        last_output: health
            .log
            .and_then(|mut log| log.pop())
            .and_then(|result| result.output)
            .map(|output| output.trim().to_owned())
            .filter(|output| !output.is_empty()),
    })
}

/// The engine writes year 1 for "never".
fn timestamp(text: Option<&str>) -> Option<Timestamp> {
    let time: Timestamp = text?.parse().ok()?;
    (time > Timestamp::UNIX_EPOCH).then_some(time)
}

/// Those that name a port of the host.
fn bindings(map: Option<models::PortMap>) -> Vec<PortBinding> {
    sorted(map.into_iter().flatten().flat_map(|(port, bindings)| {
        let container = tcp_port(&port);
        bindings.into_iter().flatten().filter_map(move |binding| {
            let host = binding.host_port?.parse().ok()?;
            Some(PortBinding {
                container: container?,
                address: binding.host_ip.unwrap_or_default(),
                host,
            })
        })
    }))
}

/// `8000/tcp` → 8000; other protocols are none of ours.
fn tcp_port(text: &str) -> Option<u16> {
    match text.split_once('/') {
        Some((port, "tcp")) => port.parse().ok(),
        Some(_) => None,
        None => text.parse().ok(),
    }
}

fn sorted<T: Ord>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut items: Vec<T> = items.collect();
    items.sort();
    items.dedup();
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn year_one_is_never() {
        assert_eq!(timestamp(Some("0001-01-01T00:00:00Z")), None);
        assert!(timestamp(Some("2026-01-02T03:04:05.123456789Z")).is_some());
        assert_eq!(timestamp(Some("yesterday")), None);
    }

    #[test]
    fn only_tcp_ports_count() {
        assert_eq!(tcp_port("8000/tcp"), Some(8000));
        assert_eq!(tcp_port("53/udp"), None);
        assert_eq!(tcp_port("x/tcp"), None);
    }

    #[test]
    fn an_empty_answer_is_an_empty_state() {
        let state = ContainerState::from_model(ContainerInspectResponse::default());
        assert_eq!(state, ContainerState::default());
    }
}
