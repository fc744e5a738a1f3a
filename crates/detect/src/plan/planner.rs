//! From a manifest to the steps that make its images.

mod labels;
mod packages;

use std::collections::{BTreeMap, BTreeSet};

use ergon_manifest::{Application, Container, Manifest};

use self::packages::{Packages, only_builds, only_runs};
use super::installer::{Needs, Place};
use super::{
    APP_ROOT, ContainerPlan, ImageConfig, RUN_USER, Selection, Stage, StageFiles, Step, shell,
};
use crate::dockerignore;
use crate::ecosystem::{self, Packing, Probe, Toolchain};
use crate::tree::FileTree;

/// Why a manifest cannot be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    #[error(
        "container `{container}` names the application `{application}`, which is not in the manifest"
    )]
    NoSuchApplication {
        container: String,
        application: String,
    },
    #[error("build_order names the container `{container}`, which is not in the manifest")]
    NoSuchContainer { container: String },
    #[error("container `{container}` holds several programs to start: {}", applications.join(", "))]
    SeveralPrograms {
        container: String,
        applications: Vec<String>,
    },
    #[error(
        "`{base_image}` is not the name of an image that container `{container}` could start from"
    )]
    BaseImage {
        container: String,
        base_image: String,
    },
    #[error(
        "application `{application}` wants the system package `{package}`, which is not a package's name"
    )]
    SystemPackage {
        application: String,
        package: String,
    },
    #[error(
        "application `{application}` has the path `{path}`, which is not a folder of the project"
    )]
    Path { application: String, path: String },
    #[error(
        "application `{application}` has the runtime version `{version}`, which no image's tag can hold"
    )]
    RuntimeVersion {
        application: String,
        version: String,
    },
}

impl PlanError {
    /// What a person can do about it.
    pub fn remedy(&self) -> Option<String> {
        Some(match self {
            Self::NoSuchApplication { application, .. } => {
                format!("add `{application}` to applications, or take it out of the container")
            }
            Self::NoSuchContainer { container } => {
                format!("add `{container}` to containers, or take it out of packaging.build_order")
            }
            Self::SeveralPrograms {
                container,
                applications,
            } => {
                let others: Vec<_> = applications
                    .iter()
                    .skip(1)
                    .map(|name| format!("`{name}`"))
                    .collect();
                format!(
                    "a container starts one program: give {} a container each, or take run_command from all but \
                     one of them (`{container}` may hold any number of applications without one)",
                    others.join(" and ")
                )
            }
            Self::BaseImage { .. } => "write an image as FROM would: python:3.11-slim".to_owned(),
            Self::SystemPackage { .. } => "write the name of a Debian package: libpq5".to_owned(),
            Self::Path { .. } => {
                "write a folder relative to the project, without `..`: services/api".to_owned()
            }
            Self::RuntimeVersion { .. } => "write a plain version: 1.19".to_owned(),
        })
    }
}

/// How each container of `manifest` becomes an image, bottom first.
pub fn plan(manifest: &Manifest, tree: &dyn FileTree) -> Result<Vec<ContainerPlan>, PlanError> {
    let order = manifest.build_order().into_iter().map(|name| {
        let container =
            manifest
                .containers
                .get(name)
                .ok_or_else(|| PlanError::NoSuchContainer {
                    container: name.to_owned(),
                })?;
        Planner {
            manifest,
            tree,
            name,
            container,
        }
        .plan()
    });
    order.collect()
}

struct Planner<'a> {
    manifest: &'a Manifest,
    tree: &'a dyn FileTree,
    name: &'a str,
    container: &'a Container,
}

/// An application as the planner needs it.
struct Program<'a> {
    name: &'a str,
    application: &'a Application,
    packing: Packing,
    /// Relative to the project; empty for its root.
    root: String,
}

/// Where a folder of the project lies in the image.
fn workdir(root: &str) -> String {
    if root.is_empty() {
        APP_ROOT.to_owned()
    } else {
        format!("{APP_ROOT}/{root}")
    }
}

/// A command that begins by going to an outer folder of the project, as one that runs there: `cd ../.. && npm ci`.
fn outwards<'t>(root: &'t str, command: &'t str) -> (&'t str, &'t str) {
    let gone = command
        .strip_prefix("cd ")
        .and_then(|rest| rest.split_once(" && "));
    let Some((folder, rest)) = gone else {
        return (root, command);
    };
    let mut outer = root;
    for element in folder.split('/') {
        if element != ".." || outer.is_empty() {
            return (root, command);
        }
        outer = outer.rsplit_once('/').map_or("", |(outer, _)| outer);
    }
    (outer, rest)
}

impl Program<'_> {
    fn workdir(&self) -> String {
        workdir(&self.root)
    }

    /// The stage that it is built in, where that is not the image's own.
    fn toolchain(&self) -> Option<&Toolchain> {
        let toolchain = self.packing.toolchain.as_ref()?;
        self.commands(false).next().is_some().then_some(toolchain)
    }

    /// The build commands that set up the image itself, or the others; what brings a tool may be of both.
    fn commands(&self, of_image: bool) -> impl Iterator<Item = &String> {
        let commands = self.application.build_commands.iter();
        commands.filter(move |command| {
            let sets_up = self.packing.sets_up_image.is_some_and(|is| is(command));
            let elsewhere = self.packing.toolchain.is_some();
            let brings_tool = self.packing.brings_tool.is_some_and(|is| is(command));
            sets_up == of_image || (of_image && elsewhere && brings_tool)
        })
    }

    /// What its container takes from the stage that it is built in.
    fn stage_files(&self, toolchain: &Toolchain) -> Result<StageFiles, PlanError> {
        if self.application.artifacts.is_empty() {
            let except = toolchain.source_only.iter();
            return Ok(StageFiles::Except(
                except.map(|pattern| self.path(pattern)).collect(),
            ));
        }
        let paths = self.application.artifacts.iter().map(|written| {
            let mut elements = folders(written).ok_or_else(|| self.bad_path(written))?;
            if elements.is_empty() {
                return Err(self.bad_path(written));
            }
            elements.splice(
                0..0,
                self.root.split('/').filter(|element| !element.is_empty()),
            );
            Ok(elements.join("/"))
        });
        Ok(StageFiles::Only(paths.collect::<Result<_, _>>()?))
    }

    fn bad_path(&self, path: &str) -> PlanError {
        PlanError::Path {
            application: self.name.to_owned(),
            path: path.to_owned(),
        }
    }

    /// A pattern in the application, relative to the project.
    fn path(&self, name: &str) -> String {
        if self.root.is_empty() || name.starts_with("**/") {
            name.to_owned()
        } else {
            format!("{}/{name}", dockerignore::literal(&self.root))
        }
    }
}

impl<'a> Planner<'a> {
    fn plan(&self) -> Result<ContainerPlan, PlanError> {
        if !is_image(&self.container.base_image) {
            return Err(PlanError::BaseImage {
                container: self.name.to_owned(),
                base_image: self.container.base_image.clone(),
            });
        }
        let programs = self
            .container
            .applications
            .iter()
            .map(|name| self.program(name));
        let programs: Vec<_> = programs.collect::<Result<_, _>>()?;
        let main = self.main(&programs)?;

        let mut last = Stage {
            name: None,
            base: self.container.base_image.clone(),
            env: BTreeMap::new(),
            steps: Vec::new(),
        };
        let packages = Packages::of(&programs)?;
        last.steps
            .extend(packages.step(self.tree, |program, package| {
                let builds = only_builds(package) || program.packing.only_builds.contains(&package);
                program.toolchain().is_none() || !builds
            }));
        for program in &programs {
            last.steps.extend(
                program
                    .commands(true)
                    .map(|command| self.setup(program, command)),
            );
        }
        let mut stages = Vec::new();
        let compiled: Vec<_> = programs
            .iter()
            .filter_map(|program| Some((program, program.toolchain()?)))
            .collect();
        for (program, toolchain) in &compiled {
            let name = if compiled.len() == 1 {
                "build".to_owned()
            } else {
                format!("build-{}", program.name)
            };
            last.steps.push(Step::CopyStage {
                stage: name.clone(),
                files: program.stage_files(toolchain)?,
                owner: RUN_USER,
            });
            let mut steps: Vec<_> = packages
                .step(self.tree, |other, package| {
                    other.name == program.name && !only_runs(package)
                })
                .into_iter()
                .collect();
            steps.extend(self.steps([*program], 0));
            stages.push(Stage {
                name: Some(name),
                base: toolchain_image(program, toolchain)?,
                env: owned(&toolchain.env),
                steps,
            });
        }
        let interpreted: Vec<_> = programs
            .iter()
            .filter(|program| program.toolchain().is_none())
            .collect();
        for program in &interpreted {
            if program.packing.builds_in_env {
                last.env.extend(owned(&program.packing.env));
            }
        }
        if !interpreted.is_empty() {
            last.steps.extend(self.steps(interpreted, RUN_USER));
        }
        stages.push(last);
        let config = self.config(&programs, main);
        Ok(ContainerPlan {
            container: self.name.to_owned(),
            stages,
            config,
        })
    }

    /// What a command does to the image before any of the project's files are there.
    fn setup(&self, program: &Program<'a>, command: &str) -> Step {
        let place = Place {
            tree: self.tree,
            root: &program.root,
            fetched: false,
        };
        let step = Needs::of(command, &place).step(command, "/".to_owned());
        step.with_secrets_of(program.application)
    }

    fn program(&self, name: &'a str) -> Result<Program<'a>, PlanError> {
        let application =
            self.manifest
                .applications
                .get(name)
                .ok_or_else(|| PlanError::NoSuchApplication {
                    container: self.name.to_owned(),
                    application: name.to_owned(),
                })?;
        let written = application.path.as_deref().unwrap_or(".");
        let elements = folders(written).ok_or_else(|| PlanError::Path {
            application: name.to_owned(),
            path: written.to_owned(),
        })?;
        Ok(Program {
            name,
            application,
            packing: ecosystem::packing(application, &self.container.base_image),
            root: elements.join("/"),
        })
    }

    /// The one program that the container starts.
    fn main<'p>(&self, programs: &'p [Program<'a>]) -> Result<Option<&'p Program<'a>>, PlanError> {
        let started: Vec<_> = programs
            .iter()
            .filter(|program| program.application.run_command.is_some())
            .collect();
        if started.len() > 1 {
            return Err(PlanError::SeveralPrograms {
                container: self.name.to_owned(),
                applications: started
                    .iter()
                    .map(|program| program.name.to_owned())
                    .collect(),
            });
        }
        Ok(started.first().copied())
    }

    /// Sources and build commands of programs: install commands before the sources that they do not read.
    fn steps<'p>(
        &self,
        programs: impl IntoIterator<Item = &'p Program<'a>>,
        owner: u32,
    ) -> Vec<Step>
    where
        'a: 'p,
    {
        let mut steps = Vec::new();
        let mut copied = BTreeSet::new();
        let mut all_copied = false;
        for program in programs {
            let mut fetched = false;
            for command in program.commands(false) {
                let (root, command) = outwards(&program.root, command);
                let needs = Needs::of(
                    command,
                    &Place {
                        tree: self.tree,
                        root,
                        fetched,
                    },
                );
                match &needs.files {
                    _ if all_copied => {}
                    Some(files) => {
                        let missing: Vec<_> = files.difference(&copied).cloned().collect();
                        if !missing.is_empty() {
                            copied.extend(missing.iter().cloned());
                            steps.push(Step::CopySources {
                                files: Selection::Only(missing),
                                owner,
                            });
                        }
                    }
                    None => {
                        steps.push(Step::CopySources {
                            files: Selection::All,
                            owner,
                        });
                        all_copied = true;
                    }
                }
                fetched |= needs.network;
                let step = needs.step(command, workdir(root));
                steps.push(step.with_secrets_of(program.application));
            }
        }
        if !all_copied {
            steps.push(Step::CopySources {
                files: Selection::All,
                owner,
            });
        }
        steps
    }

    fn config(&self, programs: &[Program<'a>], main: Option<&Program<'a>>) -> ImageConfig {
        let mut ports = self.container.ports.clone();
        if ports.is_empty() {
            for port in programs
                .iter()
                .flat_map(|program| &program.application.ports)
            {
                if !ports.contains(port) {
                    ports.push(*port);
                }
            }
        }
        let volumes: BTreeSet<_> = programs
            .iter()
            .flat_map(|program| program.application.volumes.iter().cloned())
            .collect();
        // Nobody has a home in the image; programs that must write somewhere find /tmp.
        let mut env = BTreeMap::from([("HOME".to_owned(), "/tmp".to_owned())]);
        let speaker = main.or(programs.first());
        if let Some(program) = speaker {
            env.extend(owned(&program.packing.env));
        }
        let own_port = main.and_then(|program| program.application.ports.first().or(ports.first()));
        if let (Some(program), Some(port)) = (main, own_port)
            && program.application.env.contains_key("PORT")
        {
            env.insert("PORT".to_owned(), port.to_string());
        }
        if let Some(program) = main.filter(|_| !ports.is_empty()) {
            env.extend(reachable(program.application));
        }
        let title = (
            "org.opencontainers.image.title".to_owned(),
            self.name.to_owned(),
        );
        let source = self
            .manifest
            .project
            .as_ref()
            .and_then(|project| project.repository.as_ref());
        let source = source.map(|url| ("org.opencontainers.image.source".to_owned(), url.clone()));
        let healthcheck = main.and_then(|program| probe(program, own_port.copied()));
        let start_period = main
            .filter(|_| healthcheck.is_some())
            .and_then(start_period);
        let mut labels = speaker.map_or_else(BTreeMap::new, |program| {
            let file = match program.application.language.to_ascii_lowercase().as_str() {
                "python" | "python3" => "pyproject.toml",
                "rust" => "Cargo.toml",
                "php" => "composer.json",
                "javascript" | "typescript" => "package.json",
                _ => "",
            };
            labels::of(self.tree, &program.root, file)
        });
        labels.extend([title].into_iter().chain(source));
        ImageConfig {
            user: format!("{RUN_USER}:{RUN_USER}"),
            workdir: speaker.map_or_else(|| APP_ROOT.to_owned(), Program::workdir),
            env,
            cmd: main.map(start).unwrap_or_default(),
            healthcheck,
            start_period,
            ports,
            volumes: volumes.into_iter().collect(),
            labels,
        }
    }
}

/// Variables by which a program is told where to listen, where it would listen for nobody from outside.
fn reachable(application: &Application) -> impl Iterator<Item = (String, String)> {
    const NAMES: [&str; 16] = [
        "ADDR",
        "ADDRESS",
        "BIND",
        "BIND_ADDR",
        "BIND_ADDRESS",
        "BIND_HOST",
        "HOST",
        "HTTP_ADDR",
        "HTTP_HOST",
        "LISTEN",
        "LISTEN_ADDR",
        "LISTEN_ADDRESS",
        "LISTEN_HOST",
        "SERVER_ADDR",
        "SERVER_ADDRESS",
        "SERVER_HOST",
    ];
    let variables = application.env.iter();
    variables.filter_map(|(name, variable)| {
        let default = variable.default.as_deref()?;
        let rest = default
            .strip_prefix("127.0.0.1")
            .or_else(|| default.strip_prefix("localhost"))?;
        let is_port = rest
            .strip_prefix(':')
            .is_some_and(|port| !port.is_empty() && port.chars().all(|one| one.is_ascii_digit()));
        let is_told = NAMES.contains(&name.as_str()) && (rest.is_empty() || is_port);
        is_told.then(|| (name.clone(), format!("0.0.0.0{rest}")))
    })
}

fn start(program: &Program<'_>) -> Vec<String> {
    let command = program.application.run_command.as_deref().unwrap_or("");
    if shell::is_deaf(&program.application.language, command) {
        shell::supervised(command)
    } else {
        shell::exec_form(command)
    }
}

/// How long a program may take until it answers, where that is longer than a few questions wait: on the Java VM,
/// and where it loads all of itself or brings its database up to date before.
fn start_period(program: &Program<'_>) -> Option<u32> {
    const SLOW: [&str; 6] = ["java", "kotlin", "scala", "clojure", "groovy", "ruby"];
    let application = program.application;
    let run_command = application.run_command.as_deref().unwrap_or("");
    let is_slow = SLOW.contains(&application.language.to_ascii_lowercase().as_str())
        || run_command.contains("&&");
    is_slow.then_some(60)
}

fn probe(program: &Program<'_>, port: Option<u16>) -> Option<Vec<String>> {
    let health = program.application.health.as_ref()?;
    let command = program.packing.probe?;
    let run_command = program.application.run_command.as_deref().unwrap_or("");
    Some(command(&Probe {
        path: &health.path,
        port: health.port.or(port)?,
        port_variable: health.port.is_none()
            && (run_command.contains("PORT") || program.application.env.contains_key("PORT")),
    }))
}

/// The elements of a path relative to the project; none where it leaves it or is no such path.
fn folders(written: &str) -> Option<Vec<&str>> {
    let elements: Vec<_> = written
        .split('/')
        .filter(|element| !matches!(*element, "" | "."))
        .collect();
    let wrong = written.starts_with('/')
        || elements.contains(&"..")
        || written.contains(|character: char| character.is_control() || character == '\\');
    (!wrong).then_some(elements)
}

fn toolchain_image(program: &Program<'_>, toolchain: &Toolchain) -> Result<String, PlanError> {
    if is_image(&toolchain.image) {
        return Ok(toolchain.image.clone());
    }
    let version = program.application.runtime.as_ref();
    Err(PlanError::RuntimeVersion {
        application: program.name.to_owned(),
        version: version.map_or_else(
            || toolchain.image.clone(),
            |runtime| runtime.version.clone(),
        ),
    })
}

/// Whether `text` can stand after FROM and mean an image.
fn is_image(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text
            .chars()
            .all(|character| character.is_ascii_alphanumeric() || "._-/:@".contains(character))
}

fn owned(variables: &[(&str, String)]) -> BTreeMap<String, String> {
    variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect()
}
