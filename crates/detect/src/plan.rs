//! The plan: what the Dockerfile writes down and what a build carries out, computed once.

mod fetch;
mod installer;
mod planner;
mod shell;

use std::collections::BTreeMap;

use ergon_manifest::Application;
use serde::{Deserialize, Serialize};

pub use fetch::{FETCHED, Fetch, Manager};
pub(crate) use installer::tidy;
pub use planner::{PlanError, plan};
pub use shell::quoted as shell_quoted;
pub(crate) use shell::{commands, is_supervised};

use crate::dockerignore::DockerIgnore;

/// The version of the rules by which a manifest becomes a plan. It is part of every build hash, and changes when
/// the same manifest gives another plan.
pub const RULES: &str = "4";
/// Where the project's files stand in every stage and image.
pub const APP_ROOT: &str = "/app";
/// Where a step finds the secrets it may read, each as a file. In `/dev`, a mount leaves no trace in the layer.
pub const STEP_SECRETS: &str = "/dev/secrets";
/// The numeric user and group that programs run as.
pub const RUN_USER: u32 = 65532;

/// How one container becomes an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContainerPlan {
    pub container: String,
    /// The last stage is the image; each earlier one is there to be copied from.
    pub stages: Vec<Stage>,
    pub config: ImageConfig,
}

/// A base and what is done on it, in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage {
    /// `build` for the stage that compiles; the last one has none.
    pub name: Option<String>,
    /// As a Dockerfile's FROM names it: `python:3.11-slim`.
    pub base: String,
    /// What the steps of this stage see beside the base's environment, as a toolchain's cache folders.
    /// Only stages that are copied from have one; the image's environment is in [`ImageConfig`].
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    pub steps: Vec<Step>,
}

/// One thing that is done on a stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Step {
    /// Put source files under [`APP_ROOT`], at the paths they have in the project.
    CopySources { files: Selection, owner: u32 },
    /// Run a shell line by `/bin/sh -c`.
    Run {
        command: String,
        /// Absolute path.
        workdir: String,
        /// Only dependency installers get one.
        network: bool,
        /// How what it gets from there is fetched before, so that the command itself does without.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fetch: Option<Box<Fetch>>,
        /// Names of the secrets that it may read, below [`STEP_SECRETS`].
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        secrets: Vec<String>,
    },
    /// Take files below [`APP_ROOT`] of an earlier stage.
    CopyStage {
        stage: String,
        files: StageFiles,
        owner: u32,
    },
}

impl Step {
    /// The same step, with the secrets that the application's build commands need.
    #[must_use]
    pub(crate) fn with_secrets_of(mut self, application: &Application) -> Self {
        if let Self::Run { secrets, .. } = &mut self {
            let needed = application.secrets.iter();
            let needed = needed.filter(|(_, needed)| needed.is_for_building());
            *secrets = needed.map(|(name, _)| name.clone()).collect();
        }
        self
    }
}

/// Which files below [`APP_ROOT`] are taken from an earlier stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StageFiles {
    /// All without these, relative to [`APP_ROOT`]: `**/<name>` (anywhere; `*` and `?` stand for parts of a
    /// name) or a plain path, special characters escaped by `\\`. A folder that matches is left behind with
    /// all that is in it.
    Except(Vec<String>),
    /// Nothing but these files and folders, plain paths relative to [`APP_ROOT`], each of which must be there.
    Only(Vec<String>),
}

impl StageFiles {
    /// Says of each path, relative to [`APP_ROOT`], whether it is taken.
    pub fn taker(&self) -> impl Fn(&str) -> bool + use<> {
        let (except, only) = match self {
            Self::Except(except) => (except.as_slice(), None),
            Self::Only(only) => (&[][..], Some(only.clone())),
        };
        // The slash keeps `!` and `#` from meaning anything.
        let rules: Vec<_> = except.iter().map(|pattern| format!("/{pattern}")).collect();
        let except = DockerIgnore::parse(&rules.join("\n")).0;
        move |path| match &only {
            None => !except.leaves_out_path(path),
            Some(only) => only.iter().any(|wanted| {
                path.strip_prefix(wanted.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            }),
        }
    }
}

/// Which source files a step takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Selection {
    All,
    /// Paths relative to the project's root, sorted.
    Only(Vec<String>),
}

/// What the image's configuration says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageConfig {
    /// `65532:65532`.
    pub user: String,
    pub workdir: String,
    /// Added to the base's environment.
    pub env: BTreeMap<String, String>,
    /// Exec form.
    pub cmd: Vec<String>,
    pub ports: Vec<u16>,
    pub volumes: Vec<String>,
    pub labels: BTreeMap<String, String>,
    /// Exec form, without the leading `CMD`; how often is left to the engine.
    pub healthcheck: Option<Vec<String>>,
    /// For how many seconds it may still be starting, so that no answer means nothing yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_period: Option<u32>,
}
