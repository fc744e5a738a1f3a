//! Containers that have a companion.

use clap::{Args, Subcommand};
use ergon_server::api::{
    Container as ContainerEntry, ContainerHistory, ContainerSummary, List, RunbookTrial,
};
use jiff::Timestamp;
use reqwest::Method;

use super::arguments::{Format, Stack};
use crate::client::Client;
use crate::failure::Outcome;
use crate::report::{approvals, containers, history};
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
    /// Print what a container used, and what happened to it meanwhile
    History {
        container: String,
        /// memory, processor, throttled, received, sent, read, written, tasks
        #[arg(
            long,
            value_name = "METRICS",
            default_value = "memory,processor,received,sent"
        )]
        metric: String,
        /// A time, or how long ago: 90s, 15m, 24h, 7d
        #[arg(long, value_name = "TIME", default_value = "15m")]
        since: String,
        /// At most so many lines
        #[arg(long, value_name = "COUNT", default_value_t = 30)]
        points: u32,
        #[command(flatten)]
        format: Format,
    },
    /// Show what each runbook would do to a container now; nothing is done
    Runbooks {
        container: String,
        #[command(flatten)]
        format: Format,
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
            ContainerCommand::History {
                container,
                metric,
                since,
                points,
                format,
            } => {
                let path = ["api", "v1", "containers", &container, "history"];
                let points = points.to_string();
                let query = [("metric", &*metric), ("since", &since), ("points", &points)];
                let history: ContainerHistory = client.get_with(&path, &query).await?;
                output::show(format.json, &history, || {
                    history::show(&history, output::width())
                })
            }
            ContainerCommand::Runbooks { container, format } => {
                let path = ["api", "v1", "containers", &container, "runbooks"];
                let list: List<RunbookTrial> = client.get(&path).await?;
                output::show(format.json, &list, || approvals::runbooks(&list.items))
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
