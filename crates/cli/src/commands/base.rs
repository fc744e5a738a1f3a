//! Bases: the images that builds start from.

use std::fs::File;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use ergon_engine::Engine;
use ergon_manifest::PlatformName;
use ergon_oci::bases::{Base as HeldBase, Bases};
use ergon_oci::layer::read_layer;
use ergon_oci::{ConfigChange, Reference};
use ergon_pack::platform;
use jiff::Timestamp;
use serde::Serialize;
use tokio_util::io::SyncIoBridge;

use super::arguments::{Format, Variable, variables};
use super::packing;
use crate::failure::{Failure, Outcome};
use crate::table::Table;
use crate::{folders, output, style, words};

/// 1980-01-01, as in every image: the first time that all archive formats can hold.
const EPOCH: u64 = 315_532_800;

/// The images that builds start from
#[derive(Debug, Args)]
pub struct Base {
    #[command(subcommand)]
    command: BaseCommand,
}

#[derive(Debug, Subcommand)]
enum BaseCommand {
    /// List the bases that are held on this machine
    List {
        #[command(flatten)]
        format: Format,
    },
    /// Let a name mean an image: from the local engine, an archive, a root file system or a layout
    Import(Box<Import>),
}

#[derive(Debug, Args)]
struct Import {
    /// The name that FROM and `base_image` use: python:3.11-slim
    name: Reference,
    /// A tar of a root file system, what `docker save` wrote, oci:PATH, or docker:TAG; absent: docker:NAME
    #[arg(value_name = "FILE|oci:PATH|docker:TAG")]
    source: Option<Source>,
    /// A variable of the image, for a root file system; may be repeated
    #[arg(long = "env", short = 'e', value_name = "NAME=VALUE")]
    env: Vec<Variable>,
    /// The command of the image, for a root file system: everything after it
    #[arg(long, num_args = 1.., value_name = "WORD", allow_hyphen_values = true)]
    cmd: Vec<String>,
    /// What it runs on: of a root file system, or which image of a layout with several [default: this machine's]
    #[arg(long, value_name = "PLATFORM")]
    platform: Option<PlatformName>,
    #[command(flatten)]
    format: Format,
}

/// Where a base is taken from.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Source {
    File(PathBuf),
    Layout(PathBuf),
    Engine(String),
}

impl std::str::FromStr for Source {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text.split_once(':') {
            Some(("oci", path)) => Self::Layout(path.into()),
            Some(("docker", tag)) => Self::Engine(tag.to_owned()),
            _ => Self::File(text.into()),
        })
    }
}

/// A base as `--json` prints it.
#[derive(Serialize)]
struct BaseReport {
    name: String,
    digest: String,
    platform: String,
    source: &'static str,
    /// Of one that was pulled: where from.
    #[serde(skip_serializing_if = "Option::is_none")]
    registry: Option<String>,
    /// The mirror that it was pulled through.
    #[serde(skip_serializing_if = "Option::is_none")]
    via: Option<String>,
    held_since: String,
}

impl BaseReport {
    fn of(base: &HeldBase) -> Self {
        let is_pulled = base.source == ergon_oci::bases::Source::Registry;
        Self {
            registry: is_pulled.then(|| base.reference.registry().to_owned()),
            via: base.via.clone(),
            name: base.reference.familiar(),
            digest: base.digest.to_string(),
            platform: base.platform.clone(),
            source: base.source.name(),
            held_since: base.held_since.to_string(),
        }
    }
}

impl BaseReport {
    /// Where it came from, in words.
    fn origin(&self) -> String {
        match (&self.registry, &self.via) {
            (Some(registry), Some(via)) => format!("{registry} through {via}"),
            (Some(registry), None) => registry.clone(),
            (None, _) => self.source.to_owned(),
        }
    }
}

impl Base {
    pub async fn run(self) -> Outcome {
        let bases = packing::cache()?.bases();
        match self.command {
            BaseCommand::List { format } => {
                let held = bases.list().map_err(|error| failure(&error))?;
                let reports: Vec<BaseReport> = held.iter().map(BaseReport::of).collect();
                output::show(
                    format.json,
                    &serde_json::json!({ "items": reports }),
                    || list(&reports),
                )
            }
            BaseCommand::Import(import) => import.run(bases).await,
        }
    }
}

fn list(reports: &[BaseReport]) -> String {
    let mut table = Table::new(["BASE", "PLATFORM", "DIGEST", "FROM", "HELD SINCE"]);
    for base in reports {
        let since = words::ago(&base.held_since, Timestamp::now());
        table.row([
            base.name.clone(),
            base.platform.clone(),
            words::glimpse(&base.digest),
            base.origin(),
            since,
        ]);
    }
    if table.is_empty() {
        return "No bases are held yet.  Builds take them from the local engine or a registry; or: ergon base import python:3.11-slim\n".to_owned();
    }
    table.render(output::width())
}

impl Import {
    async fn run(self, bases: Bases) -> Outcome {
        let source = self
            .source
            .unwrap_or_else(|| Source::Engine(self.name.familiar()));
        let change = ConfigChange {
            env: variables(self.env),
            cmd: (!self.cmd.is_empty()).then_some(self.cmd),
            ..ConfigChange::default()
        };
        let is_configured = change != ConfigChange::default();
        let name = self.name;
        let platform = self
            .platform
            .map_or_else(platform, |wanted| wanted.normal().to_string());
        let importing = match source {
            Source::Engine(_) | Source::Layout(_) if is_configured => return Err(has_its_own()),
            Source::Engine(tag) => from_engine(bases, name, &tag).await?,
            Source::Layout(path) => {
                in_background(move || {
                    bases
                        .import_layout(&path, None, &name, &platform, Timestamp::now())
                        .map_err(|error| failure(&error))
                })
                .await?
            }
            Source::File(path) => {
                in_background(move || from_file(&bases, &name, &path, &change, &platform)).await?
            }
        };
        let report = BaseReport::of(&importing);
        output::show(self.format.json, &report, || {
            format!(
                "{} is held   {}   {}   from {}\n",
                style::strong(&report.name),
                report.platform,
                report.digest,
                report.source
            )
        })
    }
}

async fn from_engine(bases: Bases, name: Reference, tag: &str) -> Outcome<HeldBase> {
    let from_engine =
        |error: &ergon_engine::EngineError| Failure::from_error(error).with_remedy(error.remedy());
    let engine = Engine::connect()
        .await
        .map_err(|error| from_engine(&error))?;
    if engine
        .image_id(tag)
        .await
        .map_err(|error| from_engine(&error))?
        .is_none()
    {
        return Err(
            Failure::new(format!("the local engine has no image {tag}")).with_remedy(format!(
                "docker pull {tag}; `docker images` lists what it has"
            )),
        );
    }
    let archive = SyncIoBridge::new(engine.save_image(tag).into_reader());
    in_background(move || {
        bases
            .import_docker_save(archive, &name, Timestamp::now())
            .map_err(|error| failure(&error))
    })
    .await
}

fn from_file(
    bases: &Bases,
    name: &Reference,
    path: &Path,
    change: &ConfigChange,
    platform: &str,
) -> Outcome<HeldBase> {
    let open = || {
        ergon_oci::open_regular(path).map_err(|error| {
            Failure::new(format!(
                "{} cannot be read: {}",
                path.display(),
                folders::reason(&error)
            ))
            .with_remedy("name a tar file, oci:PATH or docker:TAG".to_owned())
        })
    };
    let now = Timestamp::now();
    let imported = if is_docker_archive(open()?).map_err(|error| failure(&error))? {
        if *change != ConfigChange::default() {
            return Err(has_its_own());
        }
        bases.import_docker_save(open()?, name, now)
    } else {
        bases.import_rootfs(open()?, name, change, EPOCH, platform, now)
    };
    imported.map_err(|error| failure(&error))
}

/// Whether a tar is what `docker save` writes rather than a root file system.
fn is_docker_archive(file: File) -> Result<bool, ergon_oci::Error> {
    /// Why reading stopped early.
    enum Stop {
        Found,
        Broken(ergon_oci::Error),
    }
    impl From<ergon_oci::Error> for Stop {
        fn from(error: ergon_oci::Error) -> Self {
            Self::Broken(error)
        }
    }
    let read = read_layer(file, |entry, _| {
        if entry.path == "manifest.json" {
            Err(Stop::Found)
        } else {
            Ok(())
        }
    });
    match read {
        Ok(()) => Ok(false),
        Err(Stop::Found) => Ok(true),
        Err(Stop::Broken(error)) => Err(error),
    }
}

async fn in_background(
    work: impl FnOnce() -> Outcome<HeldBase> + Send + 'static,
) -> Outcome<HeldBase> {
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(error) => Err(Failure::new(format!(
            "the import ended without an answer: {error}"
        ))),
    }
}

fn has_its_own() -> Failure {
    Failure::new(
        "--env and --cmd are for root file systems; this image has a configuration of its own",
    )
    .as_usage()
}

fn failure(error: &ergon_oci::Error) -> Failure {
    Failure::from_error(error).with_remedy(error.remedy())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_told_by_its_prefix() {
        let source = |text: &str| text.parse::<Source>().unwrap();
        assert_eq!(source("oci:/tmp/x"), Source::Layout("/tmp/x".into()));
        assert_eq!(
            source("docker:python:3.11-slim"),
            Source::Engine("python:3.11-slim".into())
        );
        assert_eq!(source("rootfs.tar"), Source::File("rootfs.tar".into()));
        assert_eq!(source("./a:b.tar"), Source::File("./a:b.tar".into()));
    }
}
