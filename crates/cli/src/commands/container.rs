//! Containers that have a companion.

use clap::{Args, Subcommand};
use ergon_server::api::{Container as ContainerEntry, ContainerSummary, List};
use jiff::Timestamp;
use reqwest::Method;

use super::arguments::{Format, Stack};
use crate::client::Client;
use crate::failure::Outcome;
use crate::report::containers;
use crate::{output, words};

/// The containers the stack watches
#[derive(Debug, Args)]
pub struct Container {
    #[command(flatten)]
    stack: Stack,
    #[command(subcommand)]
    command: ContainerCommand,
}

#[derive(Debug, Subcommand)]
enum ContainerCommand {
    /// List the containers with what their companions say
    List {
        #[command(flatten)]
        format: Format,
    },
    /// Show one container as its companion sees it
    Show {
        container: String,
        #[command(flatten)]
        format: Format,
    },
    /// Start containers that are stopped
    Start {
        #[arg(required = true, value_name = "CONTAINER")]
        containers: Vec<String>,
    },
    /// Stop containers
    Stop {
        #[arg(required = true, value_name = "CONTAINER")]
        containers: Vec<String>,
    },
    /// Stop containers and start them again
    Restart {
        #[arg(required = true, value_name = "CONTAINER")]
        containers: Vec<String>,
    },
    /// Remove containers; their companions leave the directory
    Remove {
        #[arg(required = true, value_name = "CONTAINER")]
        containers: Vec<String>,
    },
    /// Print the last lines a container wrote
    Logs { container: String },
}

impl Container {
    pub async fn run(self) -> Outcome {
        let client = self.stack.client()?;
        match self.command {
            ContainerCommand::List { format } => {
                let list: List<ContainerSummary> = client.get(&["api", "v1", "containers"]).await?;
                output::show(format.json, &list, || {
                    containers::list(&list.items, output::width())
                })
            }
            ContainerCommand::Show { container, format } => {
                let container: ContainerEntry =
                    client.get(&["api", "v1", "containers", &container]).await?;
                output::show(format.json, &container, || {
                    containers::show(&container, Timestamp::now())
                })
            }
            ContainerCommand::Start { containers } => {
                change(&client, &containers, "start", "started").await
            }
            ContainerCommand::Stop { containers } => {
                change(&client, &containers, "stop", "stopped").await
            }
            ContainerCommand::Restart { containers } => {
                change(&client, &containers, "restart", "restarted").await
            }
            ContainerCommand::Remove { containers } => {
                for name in &containers {
                    client
                        .send(Method::DELETE, &["api", "v1", "containers", name])
                        .await?;
                    output::print(&format!("{} is removed\n", words::harmless(name)))?;
                }
                Ok(())
            }
            ContainerCommand::Logs { container } => {
                let container: ContainerEntry =
                    client.get(&["api", "v1", "containers", &container]).await?;
                container
                    .log
                    .iter()
                    .try_for_each(|line| output::print_line(line))
            }
        }
    }
}

async fn change(client: &Client, containers: &[String], verb: &str, done: &str) -> Outcome {
    for name in containers {
        client
            .send(Method::POST, &["api", "v1", "containers", name, verb])
            .await?;
        output::print(&format!("{} is {done}\n", words::harmless(name)))?;
    }
    Ok(())
}
