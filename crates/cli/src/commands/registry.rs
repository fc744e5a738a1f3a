//! The registry: builds, images, manifests and how they hang together.

use clap::{Args, Subcommand};
use ergon_server::api::{BuildSummary, List, RegistryEntry};
use jiff::Timestamp;

use super::arguments::{Format, Stack};
use crate::failure::Outcome;
use crate::output;
use crate::report::builds;

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
        /// The beginning of a build hash or of an image, manifest or source digest, or a tag
        reference: String,
        #[command(flatten)]
        format: Format,
    },
}

impl Registry {
    pub async fn run(self) -> Outcome {
        let client = self.stack.client()?;
        match self.command {
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
                    builds::entry(&entry, Timestamp::now())
                })
            }
        }
    }
}
