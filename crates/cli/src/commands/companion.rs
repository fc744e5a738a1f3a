//! Companions: who is there, and giving one to a container that has none.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use ergon_server::api::{
    Companion as CompanionEntry, Inside, LaunchCompanion, Message, ModelPayload, Reply,
};

use super::arguments::{Format, Stack};
use super::{debug, directory};
use crate::failure::Outcome;
use crate::report::{containers, inside, payload, replies};
use crate::{output, style, words};

/// The minds of projects, containers and the stack; `aish` talks to them
#[derive(Debug, Args)]
pub struct Companion {
    #[command(flatten)]
    stack: Stack,
    #[command(subcommand)]
    command: CompanionCommand,
}

#[derive(Debug, Subcommand)]
enum CompanionCommand {
    /// List who is in the directory
    List {
        #[command(flatten)]
        wanted: directory::Wanted,
        #[command(flatten)]
        format: Format,
    },
    /// Register somebody with a file that says who and where they are
    Register {
        /// The file, as JSON; - is standard input
        file: PathBuf,
        #[command(flatten)]
        format: Format,
    },
    /// Remove somebody who was registered
    Deregister {
        /// Its name, in any case
        name: String,
    },
    /// Write everything a companion knows of its container into one file, without secrets
    Debug {
        companion: String,
        /// The file; - is standard output [default: NAME-debug.json]
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Give a companion to a container that Ergon did not start
    Launch {
        /// The container's name or id
        #[arg(required_unless_present = "named")]
        container: Option<String>,
        /// The same, as an option
        #[arg(
            long = "container",
            value_name = "CONTAINER",
            conflicts_with = "container"
        )]
        named: Option<String>,
        /// What to call the companion; else <container>-ci
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        format: Format,
    },
    /// Look inside a container that has no shell: processes, sockets, names in its environment, and files
    Look {
        /// The companion's name, in any case
        name: String,
        /// A folder or file in the container, to see only that
        path: Option<String>,
        #[command(flatten)]
        format: Format,
    },
    /// Say what is wasteful in a container or will be wrong one day, and what could be done; nothing is done
    Optimize {
        /// The companion's name, in any case
        name: String,
        #[command(flatten)]
        format: Format,
    },
    /// Show exactly what a language model would be sent; nothing is sent
    Payload {
        /// The companion's name, in any case
        name: String,
        /// What it would be asked
        #[arg(default_value = "what happened?")]
        question: String,
        #[command(flatten)]
        format: Format,
    },
}

impl Companion {
    pub async fn run(self) -> Outcome {
        let client = self.stack.client()?;
        match self.command {
            CompanionCommand::Register { file, format } => {
                directory::register(&client, &file, format.json).await
            }
            CompanionCommand::Deregister { name } => directory::deregister(&client, &name).await,
            CompanionCommand::List { wanted, format } => {
                let list = wanted.list(&client).await?;
                output::show(format.json, &list, || {
                    containers::companions(&list.items, output::width())
                })
            }
            CompanionCommand::Debug { companion, output } => {
                debug::write(&client, &companion, output).await
            }
            CompanionCommand::Look { name, path, format } => {
                let wanted = path.as_deref().unwrap_or("/");
                let route = ["api", "v1", "companions", &name, "look"];
                let inside: Inside = client.get_with(&route, &[("path", wanted)]).await?;
                output::show(format.json, &inside, || {
                    inside::show(&inside, path.is_some(), output::width())
                })
            }
            CompanionCommand::Optimize { name, format } => {
                let path = ["api", "v1", "companions", &name, "message"];
                let content = "what is wasteful?".to_owned();
                let reply: Reply = client
                    .post(
                        &path,
                        &Message {
                            content,
                            ..Message::default()
                        },
                    )
                    .await?;
                output::show(format.json, &reply, || {
                    replies::reply(&reply, output::width())
                })
            }
            CompanionCommand::Payload {
                name,
                question,
                format,
            } => {
                let path = ["api", "v1", "companions", &name, "payload"];
                let message = Message {
                    content: question,
                    ..Message::default()
                };
                let shown: ModelPayload = client.post(&path, &message).await?;
                output::show(format.json, &shown, || payload::show(&shown))
            }
            CompanionCommand::Launch {
                container,
                named,
                name,
                format,
            } => {
                // The command line asks for one of both.
                let container = container.or(named).unwrap_or_default();
                let launch = LaunchCompanion { container, name };
                let companion: CompanionEntry = client
                    .post(&["api", "v1", "companions", "launch"], &launch)
                    .await?;
                output::show(format.json, &companion, || {
                    let ask = format!("aish {} \"how are you?\"", companion.name);
                    let name = style::strong(&words::harmless(&companion.name));
                    format!("{name} is there.  Ask it:  {}\n", style::link(&ask))
                })
            }
        }
    }
}
