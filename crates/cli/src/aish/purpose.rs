//! What somebody is there for, and who one is to companions oneself.

use ergon_server::api::{Purpose, PutPurpose, Session};
use serde::Serialize;

use super::{Aish, terminal, usage};
use crate::client::Client;
use crate::failure::Outcome;
use crate::{output, style, words};

/// Who somebody is to companions.
#[derive(Serialize)]
struct Whoami<'a> {
    principal: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    terminal: Option<&'a str>,
    stack: &'a str,
    url: &'a str,
}

impl Aish {
    /// `aish purpose`, `aish purpose NAME`, `aish purpose NAME "runs our tests"`.
    pub(super) async fn purpose(&self, client: &Client) -> Outcome {
        let (name, said) = match self.message.as_slice() {
            [] => {
                let terminal = terminal::needed()?;
                let path = ["api", "v1", "terminals", &terminal];
                let _: serde_json::Value = client.put_empty(&path).await?;
                (terminal, None)
            }
            [name] => (name.clone(), None),
            [name, said @ ..] => (name.clone(), Some(said.join(" "))),
        };
        if name.contains(char::is_whitespace) {
            let right = "aish purpose NAME \"...\"";
            return Err(usage("a purpose is somebody's: who is missing", right));
        }
        let path = ["api", "v1", "companions", &name, "purpose"];
        let purpose: Purpose = match said {
            Some(purpose) => client.put(&path, &PutPurpose { purpose }).await?,
            None => client.get(&path).await?,
        };
        output::show(self.json, &purpose, || {
            let name = style::strong(&words::harmless(&purpose.name));
            match &purpose.purpose {
                Some(text) => format!("{name}: {}\n", words::harmless(text)),
                None => format!("{name}: nobody said what it is there for.\n"),
            }
        })
    }

    pub(super) async fn whoami(&self, client: &Client) -> Outcome {
        let session: Session = client.get(&["api", "v1", "session"]).await?;
        let terminal = terminal::name();
        let shown = Whoami {
            principal: &session.principal,
            terminal: terminal.as_deref(),
            stack: &session.stack,
            url: client.address().url.as_str(),
        };
        output::show(self.json, &shown, || {
            let at = terminal.as_deref().map_or_else(
                || ", at no terminal".to_owned(),
                |terminal| format!(" at terminal {}", words::harmless(terminal)),
            );
            format!(
                "{}{at}, of {} ({})\n",
                style::strong(&words::harmless(&session.principal)),
                words::harmless(&session.stack),
                client.address().url
            )
        })
    }
}
