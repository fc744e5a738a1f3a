//! The engine itself: connecting, and what it is.

use bollard::Docker;
use serde::Serialize;

use crate::EngineError;
use crate::connect;

/// A connection to a container engine. Cheap to clone; clones share the connection.
#[derive(Clone, Debug)]
pub struct Engine {
    client: Docker,
    endpoint: String,
}

/// What the engine is and can.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EngineInfo {
    /// `Docker` or `Podman`.
    pub name: String,
    pub version: String,
    /// The version both sides speak.
    pub api_version: String,
    /// `overlay2`, …
    pub storage_driver: String,
    /// True where an upper directory holds exactly what a container changed.
    pub native_overlay_diff: bool,
    /// `v1` or `v2`.
    pub cgroup: String,
    /// `cgroupfs` or `systemd`.
    pub cgroup_driver: String,
    /// `amd64`, `arm64`, … as image platforms are written.
    pub architecture: String,
    /// The folder the engine keeps its data in.
    pub root_directory: String,
}

impl std::fmt::Display for EngineInfo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} {} (API {}), {}",
            self.name, self.version, self.api_version, self.storage_driver
        )
    }
}

impl Engine {
    /// Connects to the engine of this machine, or to the one `DOCKER_HOST` names.
    pub async fn connect() -> Result<Self, EngineError> {
        Self::reach(std::env::var("DOCKER_HOST").ok().as_deref()).await
    }

    /// Connects to the engine at `host`, written as in `DOCKER_HOST`.
    pub async fn connect_to(host: &str) -> Result<Self, EngineError> {
        Self::reach(Some(host)).await
    }

    async fn reach(host: Option<&str>) -> Result<Self, EngineError> {
        let runtime_directory = std::env::var("XDG_RUNTIME_DIR").ok();
        let candidates = connect::candidates(host, runtime_directory.as_deref())?;
        let endpoint = connect::choose(&candidates)?;
        let client = connect::open(endpoint).await?;
        Ok(Self {
            client,
            endpoint: endpoint.to_string(),
        })
    }

    /// Where it listens: a socket's path or `tcp://…`.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// True where the engine shares this machine's files and processes, as far as can be told.
    pub fn is_local(&self) -> bool {
        self.endpoint.starts_with('/')
    }

    /// What the engine is and can.
    pub async fn describe(&self) -> Result<EngineInfo, EngineError> {
        let version = self
            .client
            .version()
            .await
            .map_err(|error| self.wrong(error))?;
        let info = self
            .client
            .info()
            .await
            .map_err(|error| self.wrong(error))?;
        let podman = version
            .components
            .iter()
            .flatten()
            .any(|component| component.name.contains("Podman"));
        let native_overlay_diff = info
            .driver_status
            .iter()
            .flatten()
            .any(|pair| matches!(&pair[..], [key, value] if key == "Native Overlay Diff" && value == "true"));
        Ok(EngineInfo {
            name: if podman { "Podman" } else { "Docker" }.to_owned(),
            version: bare_version(&version.version.unwrap_or_default()),
            api_version: self.client.client_version().to_string(),
            storage_driver: info.driver.unwrap_or_default(),
            native_overlay_diff,
            cgroup: info
                .cgroup_version
                .map(|version| format!("v{version}"))
                .unwrap_or_default(),
            cgroup_driver: info
                .cgroup_driver
                .map(|driver| driver.to_string())
                .unwrap_or_default(),
            architecture: architecture(version.arch.as_deref().unwrap_or_default()).to_owned(),
            root_directory: info.docker_root_dir.unwrap_or_default(),
        })
    }

    /// Whether it still answers.
    pub async fn ping(&self) -> Result<(), EngineError> {
        self.client
            .ping()
            .await
            .map(drop)
            .map_err(|error| self.wrong(error))
    }

    pub(crate) fn client(&self) -> &Docker {
        &self.client
    }

    /// A client for work that takes as long as it takes.
    pub(crate) fn patient(&self) -> Docker {
        self.client
            .clone()
            .with_timeout(std::time::Duration::from_hours(6))
    }

    pub(crate) fn wrong(&self, error: bollard::errors::Error) -> EngineError {
        EngineError::from_client(error, &self.endpoint)
    }
}

/// `20.10.24+dfsg1` → `20.10.24`.
fn bare_version(version: &str) -> String {
    version
        .split(['+', '~'])
        .next()
        .unwrap_or(version)
        .to_owned()
}

/// The name image platforms use for what a kernel calls itself.
fn architecture(name: &str) -> &str {
    match name {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}
