//! What a container is to be, before it is one.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use bollard::models::{self, ContainerCreateBody, HostConfig, RestartPolicyNameEnum};

use serde::{Deserialize, Serialize};

use crate::EngineError;

/// A container to be created. Build it with `..ContainerSpec::default()`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContainerSpec {
    /// The container's name; empty: the engine makes one up.
    pub name: String,
    /// An image's reference or id.
    pub image: String,
    /// Empty: the image's own.
    pub cmd: Vec<String>,
    /// Absent: the image's own. `Some(vec![])` clears it.
    pub entrypoint: Option<Vec<String>>,
    pub env: BTreeMap<String, String>,
    pub workdir: Option<String>,
    /// A name or `uid:gid`.
    pub user: Option<String>,
    pub hostname: Option<String>,
    pub labels: BTreeMap<String, String>,
    pub network: Network,
    /// Names the container is known by on a named network.
    pub aliases: Vec<String>,
    pub binds: Vec<Bind>,
    pub volumes: Vec<NamedVolume>,
    /// Paths that get a volume of their own, gone with the container.
    pub anonymous_volumes: Vec<String>,
    pub publish: Vec<Publish>,
    /// Bytes of memory, swap included; absent: no limit.
    pub memory: Option<u64>,
    /// Thousandths of a processor it may use; absent: no limit.
    pub millicpus: Option<u32>,
    /// Bytes of `/dev/shm`; absent: the engine's 64 MiB.
    pub shared_memory: Option<u64>,
    /// The most processes at a time; absent: no limit.
    pub pids: Option<u32>,
    /// Which processors it may use, as `0-2,4`; absent: all.
    pub processors: Option<String>,
    /// Run the engine's own init as process 1, which collects zombies.
    pub init: bool,
    /// Keep nothing of what it writes: whoever is attached has read it.
    pub without_log: bool,
    pub restart: RestartPolicy,
}

/// What the container can reach.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Network {
    /// Nothing but its own loopback.
    None,
    /// The engine's default network.
    #[default]
    Bridge,
    /// A network of that name; see [`crate::Engine::ensure_network`].
    Named(String),
}

/// A folder or file of the host that the container sees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bind {
    pub host: String,
    pub container: String,
    pub readonly: bool,
}

/// A volume of the engine's that outlives the container; made where there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedVolume {
    pub name: String,
    pub container: String,
}

/// A TCP port of the container that the host answers for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publish {
    pub container: u16,
    /// The host's address to listen on; loopback unless somebody decided otherwise.
    pub address: IpAddr,
    /// Absent: the engine takes a free one.
    pub host: Option<u16>,
}

/// When the engine starts the container again by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RestartPolicy {
    #[default]
    No,
    Always,
    UnlessStopped,
    /// After an exit code other than 0, at most so often; absent: without end.
    OnFailure(Option<u32>),
}

impl ContainerSpec {
    /// The engine's form of it.
    pub(crate) fn body(&self) -> Result<ContainerCreateBody, EngineError> {
        let network_mode = match &self.network {
            Network::None => "none".to_owned(),
            Network::Bridge => "bridge".to_owned(),
            Network::Named(name) => name.clone(),
        };
        let networking_config = match &self.network {
            Network::Named(name) if !self.aliases.is_empty() => Some(models::NetworkingConfig {
                endpoints_config: Some(HashMap::from([(
                    name.clone(),
                    models::EndpointSettings {
                        aliases: Some(self.aliases.clone()),
                        ..Default::default()
                    },
                )])),
            }),
            _ => None,
        };
        let memory = self
            .memory
            .map(|bytes| i64::try_from(bytes).unwrap_or(i64::MAX));
        Ok(ContainerCreateBody {
            image: Some(self.image.clone()),
            cmd: (!self.cmd.is_empty()).then(|| self.cmd.clone()),
            entrypoint: self.entrypoint.clone(),
            env: Some(
                self.env
                    .iter()
                    .map(|(key, value)| format!("{key}={value}"))
                    .collect(),
            ),
            working_dir: self.workdir.clone(),
            user: self.user.clone(),
            hostname: self.hostname.clone(),
            labels: Some(self.labels.clone().into_iter().collect()),
            exposed_ports: (!self.publish.is_empty()).then(|| {
                self.publish
                    .iter()
                    .map(|publish| format!("{}/tcp", publish.container))
                    .collect()
            }),
            volumes: (!self.anonymous_volumes.is_empty()).then(|| self.anonymous_volumes.clone()),
            host_config: Some(HostConfig {
                network_mode: Some(network_mode),
                binds: Some(
                    self.binds
                        .iter()
                        .map(Bind::text)
                        .chain(self.volumes.iter().map(NamedVolume::text))
                        .collect::<Result<_, _>>()?,
                ),
                port_bindings: (!self.publish.is_empty()).then(|| self.port_bindings()),
                memory,
                // The same figure for memory and swap together: a limit that swapping cannot widen.
                memory_swap: memory,
                nano_cpus: self.millicpus.map(|milli| i64::from(milli) * 1_000_000),
                shm_size: self
                    .shared_memory
                    .map(|bytes| i64::try_from(bytes).unwrap_or(i64::MAX)),
                pids_limit: self.pids.map(i64::from),
                cpuset_cpus: self.processors.clone(),
                init: self.init.then_some(true),
                log_config: self.without_log.then(|| models::HostConfigLogConfig {
                    typ: Some("none".to_owned()),
                    config: None,
                }),
                restart_policy: Some(self.restart.model()),
                ..Default::default()
            }),
            networking_config,
            ..Default::default()
        })
    }

    fn port_bindings(&self) -> models::PortMap {
        let mut map = models::PortMap::new();
        for publish in &self.publish {
            let binding = models::PortBinding {
                host_ip: Some(publish.address.to_string()),
                // An empty port asks for any free one.
                host_port: Some(
                    publish
                        .host
                        .map(|port| port.to_string())
                        .unwrap_or_default(),
                ),
            };
            map.entry(format!("{}/tcp", publish.container))
                .or_insert_with(|| Some(Vec::new()))
                .get_or_insert_default()
                .push(binding);
        }
        map
    }
}

impl Bind {
    /// `host:container[:ro]`; a colon in a path would be read as the next part.
    fn text(&self) -> Result<String, EngineError> {
        if self.host.contains(':') || self.container.contains(':') || !self.host.starts_with('/') {
            return Err(EngineError::Invalid(format!(
                "cannot bind `{}` to `{}`: paths must be absolute and without a colon",
                self.host, self.container
            )));
        }
        let mode = if self.readonly { ":ro" } else { "" };
        Ok(format!("{}:{}{mode}", self.host, self.container))
    }
}

impl NamedVolume {
    /// `name:container`; a colon in a part would be read as the next part.
    fn text(&self) -> Result<String, EngineError> {
        let name = crate::name::container(&self.name)
            .ok()
            .filter(|_| !self.name.starts_with('/'))
            .ok_or_else(|| {
                EngineError::Invalid(format!("`{}` cannot be a volume's name", self.name))
            })?;
        if self.container.contains(':') || !self.container.starts_with('/') {
            return Err(EngineError::Invalid(format!(
                "cannot mount a volume at `{}`: the path must be absolute and without a colon",
                self.container
            )));
        }
        Ok(format!("{name}:{}", self.container))
    }
}

impl RestartPolicy {
    fn model(self) -> models::RestartPolicy {
        let (name, maximum_retry_count) = match self {
            Self::No => (RestartPolicyNameEnum::NO, None),
            Self::Always => (RestartPolicyNameEnum::ALWAYS, None),
            Self::UnlessStopped => (RestartPolicyNameEnum::UNLESS_STOPPED, None),
            Self::OnFailure(times) => (RestartPolicyNameEnum::ON_FAILURE, times.map(i64::from)),
        };
        models::RestartPolicy {
            name: Some(name),
            maximum_retry_count,
        }
    }

    pub(crate) fn from_model(policy: Option<&models::RestartPolicy>) -> Self {
        let times = policy
            .and_then(|policy| policy.maximum_retry_count)
            .filter(|times| *times > 0);
        match policy.and_then(|policy| policy.name) {
            Some(RestartPolicyNameEnum::ALWAYS) => Self::Always,
            Some(RestartPolicyNameEnum::UNLESS_STOPPED) => Self::UnlessStopped,
            Some(RestartPolicyNameEnum::ON_FAILURE) => {
                Self::OnFailure(times.and_then(|times| u32::try_from(times).ok()))
            }
            _ => Self::No,
        }
    }
}

impl std::fmt::Display for RestartPolicy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::No => f.write_str("no"),
            Self::Always => f.write_str("always"),
            Self::UnlessStopped => f.write_str("unless-stopped"),
            Self::OnFailure(None) => f.write_str("on-failure"),
            Self::OnFailure(Some(times)) => write!(f, "on-failure:{times}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spec_becomes_the_engines_request() {
        let spec = ContainerSpec {
            name: "web".to_owned(),
            image: "web:1".to_owned(),
            cmd: vec!["serve".to_owned()],
            env: BTreeMap::from([("A".to_owned(), "1".to_owned())]),
            network: Network::Named("house".to_owned()),
            aliases: vec!["web".to_owned()],
            binds: vec![Bind {
                host: "/etc/ca".to_owned(),
                container: "/dev/ca.crt".to_owned(),
                readonly: true,
            }],
            anonymous_volumes: vec!["/tmp".to_owned()],
            publish: vec![Publish {
                container: 8000,
                address: IpAddr::from([127, 0, 0, 1]),
                host: None,
            }],
            memory: Some(64 << 20),
            restart: RestartPolicy::OnFailure(Some(3)),
            ..ContainerSpec::default()
        };
        insta::assert_json_snapshot!(spec.body().expect("valid"), @r#"
        {
          "ExposedPorts": {
            "8000/tcp": {}
          },
          "Env": [
            "A=1"
          ],
          "Cmd": [
            "serve"
          ],
          "Image": "web:1",
          "Volumes": {
            "/tmp": {}
          },
          "Labels": {},
          "HostConfig": {
            "Memory": 67108864,
            "MemorySwap": 67108864,
            "Binds": [
              "/etc/ca:/dev/ca.crt:ro"
            ],
            "NetworkMode": "house",
            "PortBindings": {
              "8000/tcp": [
                {
                  "HostIp": "127.0.0.1",
                  "HostPort": ""
                }
              ]
            },
            "RestartPolicy": {
              "Name": "on-failure",
              "MaximumRetryCount": 3
            }
          },
          "NetworkingConfig": {
            "EndpointsConfig": {
              "house": {
                "Aliases": [
                  "web"
                ]
              }
            }
          }
        }
        "#);
    }

    #[test]
    fn a_volume_is_named_and_cannot_be_a_path_of_the_host() {
        let volume = |name: &str, container: &str| NamedVolume {
            name: name.to_owned(),
            container: container.to_owned(),
        };
        assert_eq!(
            volume("web_data", "/data").text().ok().as_deref(),
            Some("web_data:/data")
        );
        for (name, container) in [("/etc", "/data"), ("a:b", "/c"), ("a", "/c:ro"), ("a", "c")] {
            assert!(
                matches!(volume(name, container).text(), Err(EngineError::Invalid(_))),
                "{name} {container}"
            );
        }
    }

    #[test]
    fn a_bind_that_would_read_differently_is_refused() {
        for (host, container) in [("/a:b", "/c"), ("/a", "/c:ro"), ("relative", "/c")] {
            let bind = Bind {
                host: host.to_owned(),
                container: container.to_owned(),
                readonly: false,
            };
            assert!(
                matches!(bind.text(), Err(EngineError::Invalid(_))),
                "{host} {container}"
            );
        }
    }
}
