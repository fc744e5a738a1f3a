//! What may be done to containers without asking.

use std::time::Duration;

use clap::{Args, Subcommand};
use ergon_server::api::{AddGuardRail, GuardRail as Entry, List};
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;

use super::arguments::{Format, Stack};
use crate::failure::{Failure, Outcome};
use crate::report::approvals;
use crate::{output, words};

/// What companions may do to their containers without asking you each time
#[derive(Debug, Args)]
pub struct GuardRail {
    #[command(flatten)]
    stack: Stack,
    #[command(subcommand)]
    command: GuardRailCommand,
}

#[derive(Debug, Subcommand)]
enum GuardRailCommand {
    /// Let an action on a container be carried out unasked, so often, when its companion finds a reason
    Add {
        /// start, restart, stop, unpause, limit-memory; several with + between: limit-memory+start
        action: String,
        #[arg(long)]
        container: String,
        /// So often
        #[arg(long)]
        times: u32,
        /// In so long: 10m, 1h, 1d
        #[arg(long, value_name = "TIME")]
        within: SignedDuration,
        #[command(flatten)]
        format: Format,
    },
    /// List them
    List {
        #[command(flatten)]
        format: Format,
    },
    /// Have a person asked again
    Remove {
        #[arg(required = true)]
        names: Vec<String>,
    },
}

impl GuardRail {
    pub async fn run(self) -> Outcome {
        let client = self.stack.client()?;
        match self.command {
            GuardRailCommand::Add {
                action,
                container,
                times,
                within,
                format,
            } => {
                let within = Duration::try_from(within)
                    .ok()
                    .and_then(|within| u32::try_from(within.as_secs()).ok())
                    .ok_or_else(|| {
                        Failure::new("--within is too long, or before now").as_usage()
                    })?;
                let wanted = AddGuardRail {
                    action,
                    container,
                    times,
                    within_seconds: within,
                };
                let added: Entry = client.post(&["api", "v1", "guard-rails"], &wanted).await?;
                output::show(format.json, &added, || {
                    approvals::guard_rails(
                        std::slice::from_ref(&added),
                        Timestamp::now(),
                        output::width(),
                    )
                })
            }
            GuardRailCommand::List { format } => {
                let list: List<Entry> = client.get(&["api", "v1", "guard-rails"]).await?;
                output::show(format.json, &list, || {
                    approvals::guard_rails(&list.items, Timestamp::now(), output::width())
                })
            }
            GuardRailCommand::Remove { names } => {
                for name in &names {
                    let path = ["api", "v1", "guard-rails", name];
                    client.send(Method::DELETE, &path).await?;
                    output::print(&format!("{} is removed\n", words::harmless(name)))?;
                }
                Ok(())
            }
        }
    }
}
