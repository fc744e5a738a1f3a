//! Sitting in for a companion: its messages go to a terminal's inbox.

use ergon_server::api::{Forward, List, PutForward};
use reqwest::Method;

use super::{Aish, terminal, usage};
use crate::client::Client;
use crate::failure::Outcome;
use crate::report::messages;
use crate::{output, words};

const RIGHT: &str = "aish forward NAME [TERMINAL], aish forward list, aish forward remove NAME";

impl Aish {
    pub(super) async fn forward(&self, client: &Client) -> Outcome {
        let words: Vec<&str> = self.message.iter().map(String::as_str).collect();
        match words.as_slice() {
            [] | ["list"] => self.list_forwards(client).await,
            ["remove", name] => {
                let path = ["api", "v1", "forwards", name];
                client.send(Method::DELETE, &path).await?;
                if self.json {
                    return Ok(());
                }
                output::print(&format!(
                    "{} answers itself again.\n",
                    words::harmless(name)
                ))
            }
            ["list" | "remove", ..] => Err(usage("`forward` does not understand that", RIGHT)),
            [name] => self.add_forward(client, name, &terminal::needed()?).await,
            [name, terminal] => self.add_forward(client, name, terminal).await,
            _ => Err(usage("`forward` does not understand that", RIGHT)),
        }
    }

    async fn list_forwards(&self, client: &Client) -> Outcome {
        let list: List<Forward> = client.get(&["api", "v1", "forwards"]).await?;
        output::show(self.json, &list, || {
            messages::forwards(&list.items, output::width())
        })
    }

    async fn add_forward(&self, client: &Client, name: &str, terminal: &str) -> Outcome {
        let path = ["api", "v1", "forwards", name];
        let wanted = PutForward {
            terminal: terminal.to_owned(),
        };
        let forward: Forward = client.put(&path, &wanted).await?;
        output::show(self.json, &forward, || {
            let (companion, terminal) = (
                words::harmless(&forward.companion),
                words::harmless(&forward.terminal),
            );
            format!(
                "Messages to {companion} go to the inbox of {terminal}.  Ends with:  aish forward remove {companion}\n"
            )
        })
    }
}
