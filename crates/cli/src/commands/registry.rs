//! The registry: builds, images, manifests and how they hang together.

mod archive;
mod repository;
mod robot;
mod upstream;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use ergon_server::api::{Build, BuildChanges, BuildSummary, List, RegistryEntry};
use jiff::Timestamp;

use self::repository::Repository;
use self::robot::Robot;
use self::upstream::Upstream;
use super::arguments::{Format, Stack};
use super::upkeep;
use crate::failure::Outcome;
use crate::output;
use crate::report::{builds, story};

/// Builds, images and manifests, and how they hang together
#[derive(Debug, Args)]
pub struct Registry {
    #[command(flatten)]
    stack: Stack,
    #[command(subcommand)]
    command: RegistryCommand,
}

#[derive(Debug, Subcommand)]
enum RegistryCommand {
    /// List the builds, newest first
    List {
        #[command(flatten)]
        format: Format,
    },
    /// Show what a reference names, with where it came from and where it runs
    Show {
        /// A build hash, a commit, a tag, a base's name, or the digest of an image, a layer, a base, a manifest or a source; or
        /// a beginning of it that nothing else has
        reference: String,
        #[command(flatten)]
        format: Format,
    },
    /// Say what changed from one build to another: inputs, fields of the manifest, layers
    Changes {
        /// The earlier build's hash, or the beginning of it
        before: String,
        /// The later build's hash, or the beginning of it
        after: String,
        #[command(flatten)]
        format: Format,
    },
    /// Write images with all their blobs and everything attached to them into one archive, an OCI layout in a tar
    Export {
        /// A repository, name:tag, name@digest, a solution as name@version, or anything that names a build
        #[arg(required = true)]
        references: Vec<String>,
        /// The file to write
        #[arg(long, short, value_name = "FILE")]
        output: PathBuf,
        #[command(flatten)]
        format: Format,
    },
    /// Take in an archive of images; every blob is checked before anything is kept
    Import {
        /// A tar of an OCI layout, as `export` and others write it
        archive: PathBuf,
        /// The repository of images that do not say which they are of
        #[arg(long, value_name = "NAME")]
        repository: Option<String>,
        #[command(flatten)]
        format: Format,
    },
    Robot(Robot),
    Repository(Repository),
    /// Remove what no tag, build, container or referrer needs; says first what that is
    Gc(upkeep::Collect),
    /// Read all content, set aside what is damaged, and say whose it is; exits 1 where something was found
    Fsck(upkeep::Check),
    Upstream(Upstream),
}

impl Registry {
    pub async fn run(self) -> Outcome {
        let client = self.stack.client()?;
        match self.command {
            RegistryCommand::Gc(collect) => collect.run(&client).await,
            RegistryCommand::Fsck(check) => check.run(&client).await,
            RegistryCommand::List { format } => {
                let list: List<BuildSummary> = client.get(&["api", "v1", "builds"]).await?;
                output::show(format.json, &list, || {
                    builds::list(&list.items, Timestamp::now(), output::width())
                })
            }
            RegistryCommand::Show { reference, format } => {
                let entry: RegistryEntry =
                    client.get(&["api", "v1", "registry", &reference]).await?;
                output::show(format.json, &entry, || {
                    story::entry(&entry, Timestamp::now())
                })?;
                if let (Some(only), false) = (story::only_build(&entry), format.json) {
                    // Of what led to one build only, the rest of the story is that build's.
                    let build: Build = client.get(&["api", "v1", "builds", only]).await?;
                    let entry = RegistryEntry::Build(Box::new(build));
                    output::print(&format!("\n{}", story::entry(&entry, Timestamp::now())))?;
                }
                Ok(())
            }
            RegistryCommand::Export {
                references,
                output,
                format,
            } => archive::export(&client, &references, &output, format).await,
            RegistryCommand::Import {
                archive,
                repository,
                format,
            } => archive::import(&client, &archive, repository.as_deref(), format).await,
            RegistryCommand::Changes {
                before,
                after,
                format,
            } => {
                let path = ["api", "v1", "builds", &after, "changes"];
                let found: BuildChanges = client.get_with(&path, &[("since", &before)]).await?;
                output::show(format.json, &found, || {
                    story::changes(&found, Timestamp::now())
                })
            }
            RegistryCommand::Robot(robot) => robot.run(&client).await,
            RegistryCommand::Repository(repository) => repository.run(&client).await,
            RegistryCommand::Upstream(upstream) => upstream.run(&client).await,
        }
    }
}
