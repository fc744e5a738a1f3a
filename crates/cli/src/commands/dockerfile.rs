//! Dockerfile: the plan of a folder's images, written down for Docker.

use std::path::PathBuf;

use clap::Args;
use ergon_detect::dockerfile::ignore_file;
use ergon_detect::plan::plan;
use ergon_pack::Lock;

use super::packing;
use crate::failure::{Failure, Outcome};
use crate::{folders, output};

/// Print the Dockerfile of a folder; writes nothing
#[derive(Debug, Args)]
pub struct Dockerfile {
    /// The folder that holds the project
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    /// The container to print it for, where the manifest has several
    #[arg(long)]
    container: Option<String>,
    /// Print the .dockerignore that belongs to it instead
    #[arg(long, conflicts_with = "container")]
    ignore_file: bool,
}

impl Dockerfile {
    pub fn run(self) -> Outcome {
        let folder = folders::source(&self.folder)?;
        let project =
            ergon_pack::read_project(&folder).map_err(|error| packing::failure(&error))?;
        let manifest = &project.document.manifest;
        if self.ignore_file {
            return output::print_plain(&ignore_file(manifest, &project.tree));
        }
        let plans = plan(manifest, &project.tree)
            .map_err(|error| Failure::from_error(&error).with_remedy(error.remedy()))?;
        let names = || {
            plans
                .iter()
                .map(|plan| plan.container.as_str())
                .collect::<Vec<_>>()
                .join(", ")
        };
        let chosen = match &self.container {
            Some(name) => plans
                .iter()
                .find(|plan| plan.container == *name)
                .ok_or_else(|| {
                    Failure::new(format!("the manifest has no container {name}"))
                        .with_remedy(format!("it has: {}", names()))
                })?,
            None => match plans.as_slice() {
                [only] => only,
                [] => return Err(Failure::new("the manifest has no container")),
                _ => {
                    return Err(Failure::new(
                        "the manifest has several containers, each with its own Dockerfile",
                    )
                    .with_remedy(format!("choose with --container: {}", names()))
                    .as_usage());
                }
            },
        };
        let lock = Lock::read(&folder).map_err(|error| packing::failure(&error))?;
        output::print_plain(&ergon_pack::write_dockerfile(chosen, lock.as_ref()).text)
    }
}
