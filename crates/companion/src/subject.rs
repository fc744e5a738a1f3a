//! Whom a companion speaks for, and what that container was meant to be.

use ergon_manifest::{Application, Container, EnvironmentVariable, Manifest};

/// The label a container carries when it has a companion; its value is the companion's name.
pub const COMPANION_LABEL: &str = "dev.ergon.companion";

/// Whom a companion speaks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// The companion's name.
    pub companion: String,
    /// The engine's id of the container.
    pub container_id: String,
    /// The container's Docker name.
    pub container: String,
    /// `monitor`, `debug`, … as the manifest lists them.
    pub capabilities: Vec<String>,
    /// Absent for a container that Ergon did not build.
    pub meant: Option<Meant>,
}

/// What the container was meant to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meant {
    pub manifest: Manifest,
    pub manifest_digest: Option<String>,
    /// Its name in the manifest.
    pub container: String,
    pub build_hash: String,
    /// The digest of the image's OCI manifest.
    pub image_digest: String,
    /// The id the engine gave that image when it was loaded; absent: not compared.
    pub image_id: Option<String>,
}

/// Where a manifest says one asks whether a program is well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclaredHealth {
    pub port: u16,
    pub path: String,
}

impl Meant {
    pub fn container(&self) -> Option<&Container> {
        self.manifest.containers.get(&self.container)
    }

    /// The container's applications with their names.
    pub fn applications(&self) -> impl Iterator<Item = (&str, &Application)> {
        self.container()
            .into_iter()
            .flat_map(|container| &container.applications)
            .filter_map(|name| Some((name.as_str(), self.manifest.applications.get(name)?)))
    }

    /// The TCP ports it should listen on: the container's, else those of its applications.
    pub fn ports(&self) -> Vec<u16> {
        let mut ports = self
            .container()
            .map(|container| container.ports.clone())
            .unwrap_or_default();
        if ports.is_empty() {
            ports = self
                .applications()
                .flat_map(|(_, application)| application.ports.clone())
                .collect();
        }
        ports.sort_unstable();
        ports.dedup();
        ports
    }

    /// The first health path of its applications.
    pub fn health(&self) -> Option<DeclaredHealth> {
        self.applications().find_map(|(_, application)| {
            let health = application.health.as_ref()?;
            let port = health
                .port
                .or_else(|| application.ports.first().copied())
                .or_else(|| self.ports().first().copied())?;
            Some(DeclaredHealth {
                port,
                path: health.path.clone(),
            })
        })
    }

    /// The variables its applications read, by name; required where any of them requires it.
    pub fn variables(&self) -> Vec<(&str, &EnvironmentVariable)> {
        let mut variables: Vec<(&str, &EnvironmentVariable)> = self
            .applications()
            .flat_map(|(_, application)| &application.env)
            .map(|(name, variable)| (name.as_str(), variable))
            .collect();
        variables.sort_by_key(|(name, variable)| (*name, !variable.required));
        variables.dedup_by_key(|(name, _)| *name);
        variables
    }
}
