//! The manifest as typed data, field for field as people write it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::grammar::{LONGEST_NAME, pattern};
use crate::platform::PlatformName;

/// The only manifest version there is.
pub const MANIFEST_VERSION: &str = "1.0";

/// What is to be built and run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Always `1.0`.
    #[schemars(extend("const" = MANIFEST_VERSION))]
    pub manifest_version: String,
    /// Whose manifest it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<Project>,
    /// Programs, by name.
    #[schemars(extend("propertyNames" = name_schema(1)))]
    pub applications: BTreeMap<String, Application>,
    /// What programs are packed into, by name.
    #[schemars(extend("propertyNames" = name_schema(2)))]
    pub containers: BTreeMap<String, Container>,
    /// How containers become images.
    #[serde(default)]
    pub packaging: Packaging,
    /// Stages and sites; kept as written until the lifecycle reads it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifecycle: Option<serde_json::Map<String, serde_json::Value>>,
    /// What other stacks may see; kept as written until federation reads it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub federation: Option<serde_json::Map<String, serde_json::Value>>,
}

impl Default for Manifest {
    /// The manifest of nothing.
    fn default() -> Self {
        Self {
            manifest_version: MANIFEST_VERSION.to_owned(),
            project: None,
            applications: BTreeMap::new(),
            containers: BTreeMap::new(),
            packaging: Packaging::default(),
            lifecycle: None,
            federation: None,
        }
    }
}

/// The companion of a container that names none.
pub(crate) fn default_companion_name(container: &str) -> String {
    format!("{container}-ci")
}

/// What the names of applications and containers look like, for the JSON Schema.
fn name_schema(shortest: usize) -> serde_json::Value {
    serde_json::json!({ "pattern": pattern::NAME, "minLength": shortest, "maxLength": LONGEST_NAME })
}

/// Whose manifest it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Project {
    /// What people call the project.
    #[schemars(regex(pattern = pattern::LINE))]
    pub name: String,
    /// Where its sources come from: `github.com/company/api`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = pattern::WORD))]
    pub repository: Option<String>,
}

/// A program: what it is, how it is built, how it is started, what it needs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Application {
    /// The framework or kind: `fastapi`, `express`, `go`, …
    #[serde(rename = "type")]
    #[schemars(regex(pattern = pattern::LINE))]
    pub kind: String,
    /// The language it is written in: `python`, `javascript`, `go`, …
    #[schemars(regex(pattern = pattern::LINE))]
    pub language: String,
    /// The application's root, relative to the project. Absent: the project's root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = pattern::RELATIVE_PATH))]
    pub path: Option<String>,
    /// The file that starts the program, relative to the application's root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = pattern::RELATIVE_PATH))]
    pub entrypoint: Option<String>,
    /// The file that lists dependencies, relative to the application's root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = pattern::RELATIVE_PATH))]
    pub dependencies: Option<String>,
    /// Shell lines, run by `/bin/sh -c` in the application's root inside the build sandbox.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(inner(regex(pattern = pattern::COMMAND)))]
    pub build_commands: Vec<String>,
    /// A shell line that starts the program inside the container.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = pattern::COMMAND))]
    pub run_command: Option<String>,
    /// The language runtime it needs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime: Option<Runtime>,
    /// What installs its dependencies: `pip`, `npm`, `cargo`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = pattern::LINE))]
    pub package_manager: Option<String>,
    /// TCP ports the program listens on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(inner(range(min = 1)), extend("uniqueItems" = true))]
    pub ports: Vec<u16>,
    /// Environment variables the program reads, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("propertyNames" = { "pattern": pattern::ENVIRONMENT_NAME }))]
    pub env: BTreeMap<String, EnvironmentVariable>,
    /// Secrets it needs, by the names that the stack keeps them under. What they say is never written here.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("propertyNames" = { "pattern": pattern::SECRET, "maxLength": LONGEST_NAME }))]
    pub secrets: BTreeMap<String, SecretUse>,
    /// Debian packages the program needs in its container.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(inner(regex(pattern = pattern::PACKAGE)), extend("uniqueItems" = true))]
    pub system_packages: Vec<String>,
    /// Services the program talks to: `postgresql`, `redis`, …
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(inner(regex(pattern = pattern::NAME), length(min = 1, max = LONGEST_NAME)), extend("uniqueItems" = true))]
    pub services: Vec<String>,
    /// How to ask it whether it is well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<Health>,
    /// Files and folders, relative to the application's root, that its build leaves and its container
    /// needs. Absent: all of the root but what only the build reads.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(inner(regex(pattern = pattern::RELATIVE_PATH)), extend("uniqueItems" = true))]
    pub artifacts: Vec<String>,
    /// Absolute paths inside the container whose content outlives it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(inner(regex(pattern = pattern::VOLUME)), extend("uniqueItems" = true))]
    pub volumes: Vec<String>,
}

/// The language runtime a program needs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Runtime {
    /// `python`, `node`, `go`, …
    #[schemars(regex(pattern = pattern::LINE))]
    pub name: String,
    /// As the runtime counts: `3.11`.
    #[schemars(regex(pattern = pattern::LINE))]
    pub version: String,
    /// Where the version was read: `file:line`, or `assumed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = pattern::LINE))]
    pub from: Option<String>,
}

/// An environment variable the program reads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EnvironmentVariable {
    /// Whether the program fails without it.
    #[serde(default)]
    pub required: bool,
    /// What it is when nobody sets it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// Where the program reads it: `file:line`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = pattern::LINE))]
    pub from: Option<String>,
}

/// What a secret is needed for. While the program runs it is the file `/run/secrets/<name>`, while it is built
/// `/dev/secrets/<name>`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretUse {
    /// When it is needed; absent: while the program runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub during: Option<SecretTime>,
    /// The environment variable that the program finds it in instead of the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = pattern::ENVIRONMENT_NAME))]
    pub env: Option<String>,
}

/// When a secret is needed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SecretTime {
    /// While the program runs.
    #[default]
    Run,
    /// While its build commands run.
    Build,
    Both,
}

impl SecretUse {
    /// Whether the program is given it.
    pub fn is_for_running(&self) -> bool {
        self.during.unwrap_or_default() != SecretTime::Build
    }

    /// Whether its build commands are.
    pub fn is_for_building(&self) -> bool {
        self.during.unwrap_or_default() != SecretTime::Run
    }
}

/// How to ask the program whether it is well.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Health {
    /// An HTTP path that answers 2xx or 3xx when the program is well.
    #[schemars(regex(pattern = pattern::HEALTH_PATH))]
    pub path: String,
    /// The port to ask; absent: the application's first port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub port: Option<u16>,
}

/// What programs are packed into.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Container {
    /// The image the last stage starts from, as a Dockerfile's FROM would name it.
    #[schemars(regex(pattern = pattern::WORD))]
    pub base_image: String,
    /// Names of applications.
    #[schemars(inner(regex(pattern = pattern::NAME), length(min = 1, max = LONGEST_NAME)), extend("uniqueItems" = true))]
    pub applications: Vec<String>,
    /// TCP ports that other machines reach it by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(inner(range(min = 1)), extend("uniqueItems" = true))]
    pub ports: Vec<u16>,
    /// The companion's name; absent: `<container>-ci`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = pattern::NAME), length(min = 1, max = LONGEST_NAME))]
    pub ci_name: Option<String>,
    /// What its companion is for: `monitor`, `optimize`, `debug`, …
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(inner(regex(pattern = pattern::NAME), length(min = 1, max = LONGEST_NAME)), extend("uniqueItems" = true))]
    pub ci_capabilities: Vec<String>,
    /// Its place in bottom-up deployment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<Tier>,
    /// Names of containers that must be there first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(inner(regex(pattern = pattern::NAME), length(min = 2, max = LONGEST_NAME)), extend("uniqueItems" = true))]
    pub depends_on: Vec<String>,
}

/// The order of bottom-up deployment.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
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
    #[schemars(inner(regex(pattern = pattern::NAME), length(min = 2, max = LONGEST_NAME)), extend("uniqueItems" = true))]
    pub build_order: Vec<String>,
    /// Where `ergon push` sends images: `docker.io/company`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = pattern::WORD))]
    pub registry: Option<String>,
    /// A second tag beside the one made of the build hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tagging: Option<Tagging>,
    /// Seconds since 1970 that every file time in the image gets, or `"commit"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_date_epoch: Option<SourceDateEpoch>,
    /// What images are made for: `linux/amd64`, `linux/arm64`, … Absent: the machine that builds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>", inner(regex(pattern = pattern::PLATFORM)), extend("uniqueItems" = true))]
    pub platforms: Vec<PlatformName>,
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
    Seconds(#[schemars(range(max = u32::MAX))] u32),
    Named(NamedEpoch),
}

/// A time that is looked up when the build starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum NamedEpoch {
    /// The committer time of the source's git commit.
    Commit,
}
