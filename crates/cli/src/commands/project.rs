//! Projects: the source trees the stack knows.

use clap::{Args, Subcommand};
use ergon_server::api::{AddProject, List, Project as ProjectEntry};
use jiff::Timestamp;
use reqwest::Method;

use super::arguments::{Format, Stack};
use crate::failure::Outcome;
use crate::report::projects;
use crate::{folders, output, words};

/// The source trees the stack knows
#[derive(Debug, Args)]
pub struct Project {
    #[command(flatten)]
    stack: Stack,
    #[command(subcommand)]
    command: ProjectCommand,
}

#[derive(Debug, Subcommand)]
enum ProjectCommand {
    /// Add a folder or a git repository
    Add {
        /// A folder on this machine, or a git URL (https://, ssh://, git@…)
        location: String,
        /// What to call it; else the last part of the location
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        format: Format,
    },
    /// List the projects
    List {
        #[command(flatten)]
        format: Format,
    },
    /// Show one project with its last build and its containers
    Show {
        /// Its name or id
        project: String,
        #[command(flatten)]
        format: Format,
    },
    /// Forget a project; its folder is left as it is
    Remove {
        /// Its name or id
        project: String,
    },
}

impl Project {
    pub async fn run(self) -> Outcome {
        let client = self.stack.client()?;
        match self.command {
            ProjectCommand::Add {
                location,
                name,
                format,
            } => {
                let location = if is_git_url(&location) {
                    location
                } else {
                    folders::source(location.as_ref())?
                        .to_string_lossy()
                        .into_owned()
                };
                let project: ProjectEntry = client
                    .post(&["api", "v1", "projects"], &AddProject { location, name })
                    .await?;
                output::show(format.json, &project, || projects::added(&project))
            }
            ProjectCommand::List { format } => {
                let list: List<ProjectEntry> = client.get(&["api", "v1", "projects"]).await?;
                output::show(format.json, &list, || {
                    projects::list(&list.items, Timestamp::now(), output::width())
                })
            }
            ProjectCommand::Show { project, format } => {
                let project: ProjectEntry =
                    client.get(&["api", "v1", "projects", &project]).await?;
                output::show(format.json, &project, || {
                    projects::show(&project, Timestamp::now())
                })
            }
            ProjectCommand::Remove { project } => {
                client
                    .send(Method::DELETE, &["api", "v1", "projects", &project])
                    .await?;
                output::print(&format!(
                    "{} is forgotten; its folder is as it was.\n",
                    words::harmless(&project)
                ))
            }
        }
    }
}

/// What the stack would clone rather than open.
fn is_git_url(location: &str) -> bool {
    location.contains("://") || location.starts_with("git@")
}
