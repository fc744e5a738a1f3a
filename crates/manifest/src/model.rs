//! The manifest as typed data, field for field as people write it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The only manifest version there is.
pub const MANIFEST_VERSION: &str = "1.0";

/// What is to be built and run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Always `1.0`.
    pub manifest_version: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<Project>,
    /// Programs, by name.
    #[serde(default)]
    pub applications: BTreeMap<String, Application>,
    /// What programs are packed into, by name.
    #[serde(default)]
    pub containers: BTreeMap<String, Container>,
    #[serde(default)]
    pub packaging: Packaging,
    /// Stages and sites; kept as written until the lifecycle reads it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifecycle: Option<serde_json::Map<String, serde_json::Value>>,
    /// What other stacks may see; kept as written until federation reads it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub federation: Option<serde_json::Map<String, serde_json::Value>>,
}

/// Whose manifest it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Project {
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
}

/// A program: what it is, how it is built, how it is started, what it needs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Application {
    /// The framework or kind: `fastapi`, `express`, `go`, …
    #[serde(rename = "type")]
    pub kind: String,
    pub language: String,
    /// The application's root, relative to the project. Absent: the project's root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The file that starts the program, relative to the application's root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entrypoint: Option<String>,
    /// The file that lists dependencies, relative to the application's root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dependencies: Option<String>,
    /// Shell lines, run by `/bin/sh -c` in the application's root inside the build sandbox.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub build_commands: Vec<String>,
    /// A shell line that starts the program inside the container.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_command: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime: Option<Runtime>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package_manager: Option<String>,
    /// TCP ports the program listens on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<u16>,
    /// Environment variables the program reads, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, EnvironmentVariable>,
    /// Debian packages the program needs in its container.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub system_packages: Vec<String>,
    /// Services the program talks to: `postgresql`, `redis`, …
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<Health>,
    /// Absolute paths inside the container whose content outlives it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub volumes: Vec<String>,
}

/// The language runtime a program needs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Runtime {
    /// `python`, `node`, `go`, …
    pub name: String,
    pub version: String,
    /// Where the version was read: `file:line`, or `assumed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
}

/// An environment variable the program reads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EnvironmentVariable {
    #[serde(default)]
    pub required: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// Where the program reads it: `file:line`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
}

/// How to ask the program whether it is well.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Health {
    /// An HTTP path that answers 2xx or 3xx when the program is well.
    pub path: String,
    /// The port to ask; absent: the application's first port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
}

/// What programs are packed into.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Container {
    /// The image the last stage starts from, as a Dockerfile's FROM would name it.
    pub base_image: String,
    /// Names of applications.
    pub applications: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<u16>,
    /// The companion's name; absent: `<container>-ci`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ci_name: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ci_capabilities: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<Tier>,
    /// Names of containers that must be there first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<String>,
}

/// The order of bottom-up deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    Database,
    Backend,
    Middleware,
    Frontend,
}

/// How containers become images.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Packaging {
    /// Names of containers, bottom first. Absent: by `depends_on`, tier and name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub build_order: Vec<String>,
    /// Where `ergon push` sends images: `docker.io/company`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registry: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tagging: Option<Tagging>,
    /// Seconds since 1970 that every file time in the image gets, or `"commit"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_date_epoch: Option<SourceDateEpoch>,
}

/// A second tag beside the one made of the build hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Tagging {
    #[serde(rename = "git-sha")]
    GitSha,
    #[serde(rename = "build-hash")]
    BuildHash,
}

/// Where file times in an image come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum SourceDateEpoch {
    Seconds(u32),
    Named(NamedEpoch),
}

/// A time that is looked up when the build starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum NamedEpoch {
    /// The committer time of the source's git commit.
    Commit,
}
