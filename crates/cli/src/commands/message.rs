//! Messages: what was said, what waits for somebody to come back, and what was given up.

use clap::{Args, Subcommand};
use ergon_server::api::{ExchangePage, List, WaitingMessage};
use jiff::Timestamp;
use reqwest::Method;

use super::arguments::{Format, Stack};
use crate::failure::Outcome;
use crate::report::messages;
use crate::{output, words};

/// What was said to companions, what waits for them, and what was given up
#[derive(Debug, Args)]
pub struct Message {
    #[command(flatten)]
    stack: Stack,
    #[command(subcommand)]
    command: MessageCommand,
}

#[derive(Debug, Subcommand)]
enum MessageCommand {
    /// List messages that wait for somebody to come back
    List {
        /// Those that were given up instead
        #[arg(long, conflicts_with = "all")]
        dead: bool,
        /// Those that were given up, too
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        format: Format,
    },
    /// Have messages that were given up wait again
    Retry {
        /// As `ergon message list --dead` names them
        #[arg(required = true)]
        ids: Vec<String>,
        #[command(flatten)]
        format: Format,
    },
    /// Forget messages that wait or were given up
    Drop {
        /// As `ergon message list --all` names them
        #[arg(required = true)]
        ids: Vec<String>,
    },
    /// Print what was said to whom and what came of it, newest first
    Log {
        /// Only what was said to this companion
        #[arg(long, value_name = "NAME")]
        to: Option<String>,
        /// Only what came to this: answered, away, too-slow, failed, ...
        #[arg(long, value_name = "WORD")]
        outcome: Option<String>,
        /// So many at most, 1 to 200
        #[arg(long, value_name = "NUMBER", default_value = "50")]
        limit: u32,
        #[command(flatten)]
        format: Format,
    },
}

impl Message {
    pub async fn run(self) -> Outcome {
        let client = self.stack.client()?;
        match self.command {
            MessageCommand::List { dead, all, format } => {
                let query: &[(&str, &str)] = match (dead, all) {
                    (true, _) => &[("state", "dead")],
                    (false, true) => &[],
                    (false, false) => &[("state", "waiting")],
                };
                let path = ["api", "v1", "messages"];
                let list: List<WaitingMessage> = client.get_with(&path, query).await?;
                output::show(format.json, &list, || {
                    messages::waiting(&list.items, Timestamp::now(), output::width())
                })
            }
            MessageCommand::Retry { ids, format } => {
                let mut items: Vec<WaitingMessage> = Vec::new();
                for id in &ids {
                    let path = ["api", "v1", "messages", id, "retry"];
                    items.push(client.post_empty(&path).await?);
                }
                output::show(
                    format.json,
                    &List {
                        items: items.clone(),
                    },
                    || {
                        let line = |message: &WaitingMessage| {
                            let to = words::on_one_line(&message.to);
                            format!("{} waits for {to} again.\n", message.id)
                        };
                        items.iter().map(line).collect()
                    },
                )
            }
            MessageCommand::Drop { ids } => {
                for id in &ids {
                    let path = ["api", "v1", "messages", id];
                    client.send(Method::DELETE, &path).await?;
                }
                Ok(())
            }
            MessageCommand::Log {
                to,
                outcome,
                limit,
                format,
            } => {
                let limit = limit.to_string();
                let mut query = vec![("limit", limit.as_str())];
                query.extend(to.as_deref().map(|to| ("to", to)));
                query.extend(outcome.as_deref().map(|outcome| ("outcome", outcome)));
                let path = ["api", "v1", "exchanges"];
                let page: ExchangePage = client.get_with(&path, &query).await?;
                output::show(format.json, &page, || {
                    messages::exchanges(&page.items, Timestamp::now(), output::width())
                })
            }
        }
    }
}
