//! Everything that changed.

use std::time::Duration;

use clap::Args;
use ergon_server::api::{Event, List};
use futures_util::StreamExt as _;

use super::arguments::{Format, Stack};
use crate::client::Client;
use crate::failure::Outcome;
use crate::{output, style, words};

const PAUSE: Duration = Duration::from_secs(1);
/// How often a broken connection is tried again while nothing new arrives.
const ATTEMPTS: u32 = 10;

/// Print what changed, newest first; with --follow what changes from now on
#[derive(Debug, Args)]
pub struct Events {
    /// Print each change as it happens, until interrupted
    #[arg(long, short)]
    follow: bool,
    #[command(flatten)]
    format: Format,
    #[command(flatten)]
    stack: Stack,
}

impl Events {
    pub async fn run(self) -> Outcome {
        let client = self.stack.client()?;
        let list: List<Event> = client.get(&["api", "v1", "events"]).await?;
        if self.follow {
            return follow(
                &client,
                list.items.first().map(|event| event.id.clone()),
                self.format,
            )
            .await;
        }
        output::show(self.format.json, &list, || {
            list.items.iter().map(line).collect()
        })
    }
}

/// Prints events after `last` as they come, over lost connections.
async fn follow(client: &Client, mut last: Option<String>, format: Format) -> Outcome {
    let mut attempts = 0;
    loop {
        let after: Vec<(&str, &str)> = last.iter().map(|last| ("after", last.as_str())).collect();
        let failure = match client
            .stream(&["api", "v1", "events"], &after, last.as_deref())
            .await
        {
            Ok(mut events) => loop {
                match events.next().await {
                    Some(Ok(event)) => {
                        attempts = 0;
                        let Ok(change) = serde_json::from_str::<Event>(&event.data) else {
                            continue;
                        };
                        last = Some(change.id.clone());
                        if format.json {
                            output::print_json_line(&change)?;
                        } else {
                            output::print(&line(&change))?;
                        }
                    }
                    Some(Err(failure)) => break Some(failure),
                    None => break None,
                }
            },
            Err(failure) => Some(failure),
        };
        attempts += 1;
        if let (true, Some(failure)) = (attempts >= ATTEMPTS, failure) {
            return Err(failure);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn line(event: &Event) -> String {
    let kind = event.kind.strip_prefix("dev.ergon.").unwrap_or(&event.kind);
    format!(
        "{}  {}  {}\n",
        style::faint(&event.time),
        style::strong(&words::harmless(kind)),
        words::harmless(&event.subject)
    )
}
