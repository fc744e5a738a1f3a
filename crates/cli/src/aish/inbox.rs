//! What waits for whoever sits at this terminal.

use ergon_server::api::{ClearedInbox, Inbox, ReadInbox, Sent, Terminal};
use jiff::Timestamp;

use super::{Aish, terminal, usage};
use crate::client::Client;
use crate::failure::Outcome;
use crate::report::messages;
use crate::{output, words};

const RIGHT: &str = "aish inbox [show|count|clear [all]], aish inbox send NAME \"...\"";

impl Aish {
    pub(super) async fn inbox(&self, client: &Client) -> Outcome {
        let words: Vec<&str> = self.message.iter().map(String::as_str).collect();
        match words.as_slice() {
            [] | ["show"] => self.show_inbox(client).await,
            ["count"] => self.count_inbox(client).await,
            ["clear"] => self.clear_inbox(client, false).await,
            ["clear", "all"] => self.clear_inbox(client, true).await,
            ["send", name, ..] => self.send_to_inbox(client, name).await,
            _ => Err(usage("an inbox does not understand that", RIGHT)),
        }
    }

    /// Shows what is there, and notes that it was seen.
    async fn show_inbox(&self, client: &Client) -> Outcome {
        let terminal = open(client).await?.name;
        let path = ["api", "v1", "inboxes", &terminal];
        let inbox: Inbox = client.get(&path).await?;
        output::show(self.json, &inbox, || {
            messages::inbox(&inbox, Timestamp::now(), output::width())
        })?;
        if let Some(last) = inbox.items.last().filter(|_| inbox.unread > 0) {
            let path = ["api", "v1", "inboxes", &terminal, "read"];
            let read = ReadInbox {
                up_to: last.id.clone(),
            };
            let _: Inbox = client.post(&path, &read).await?;
        }
        Ok(())
    }

    async fn count_inbox(&self, client: &Client) -> Outcome {
        let terminal = open(client).await?;
        output::show(self.json, &terminal, || format!("{}\n", terminal.unread))
    }

    async fn clear_inbox(&self, client: &Client, also_unread: bool) -> Outcome {
        let terminal = open(client).await?.name;
        let query: &[(&str, &str)] = if also_unread {
            &[("unread", "true")]
        } else {
            &[]
        };
        let path = ["api", "v1", "inboxes", &terminal];
        let cleared: ClearedInbox = client.delete_with(&path, query).await?;
        output::show(self.json, &cleared, || {
            let count = usize::try_from(cleared.removed).unwrap_or(usize::MAX);
            format!("{} removed.\n", words::count(count, "message"))
        })
    }

    /// Puts something into a terminal's inbox; a companion has it now, or once it is back.
    async fn send_to_inbox(&self, client: &Client, name: &str) -> Outcome {
        let Some(content) = self.said(&self.message[2..])? else {
            return Err(usage("there is nothing to send", RIGHT));
        };
        let mut message = self.message(&content);
        message.later = true;
        let path = ["api", "v1", "companions", name, "message"];
        let sent: Sent = client.post(&path, &message).await?;
        output::show(self.json, &sent, || match &sent {
            Sent::Answered(reply) => crate::report::replies::reply(reply, output::width()),
            Sent::Delivered(delivery) => format!("{}\n", words::harmless(&delivery.sentence)),
        })
    }
}

/// Makes this terminal known.
async fn open(client: &Client) -> Outcome<Terminal> {
    let name = terminal::needed()?;
    client.put_empty(&["api", "v1", "terminals", &name]).await
}
