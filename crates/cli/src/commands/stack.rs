//! The stack itself: where it is, how to get in.

use clap::Args;
use ergon_server::api::{Session, SignInLink};

use super::arguments::{Data, Format, Stack};
use crate::address::{self, Origin};
use crate::failure::Outcome;
use crate::style;
use crate::table::labelled;
use crate::{folders, output};

/// Say which stack is running and what it works with
#[derive(Debug, Args)]
pub struct Status {
    #[command(flatten)]
    format: Format,
    #[command(flatten)]
    stack: Stack,
}

/// Print a fresh link to sign in with a browser
#[derive(Debug, Args)]
pub struct Link {
    #[command(flatten)]
    format: Format,
    #[command(flatten)]
    stack: Stack,
}

/// Print the local user's token, for programs that call the API
#[derive(Debug, Args)]
pub struct Token {
    #[command(flatten)]
    data: Data,
}

impl Status {
    pub async fn run(self) -> Outcome {
        let client = self.stack.client()?;
        let session: Session = client.get(&["api", "v1", "session"]).await?;
        let address = client.address();
        output::show(self.format.json, &session, || {
            let data = match &address.origin {
                Origin::Data(data) => folders::display(data),
                Origin::Environment => "named by ERGON_URL".to_owned(),
            };
            let engine = if session.engine_reachable {
                session.engine.clone()
            } else {
                style::bad(&session.engine)
            };
            let version = format!("{} {}", session.stack, session.version);
            let at = style::link(address.url.as_str());
            labelled(&[
                ("stack", &version),
                ("at", &at),
                ("data", &data),
                ("engine", &engine),
            ])
        })
    }
}

impl Link {
    pub async fn run(self) -> Outcome {
        let link: SignInLink = self
            .stack
            .client()?
            .post_empty(&["api", "v1", "session", "code"])
            .await?;
        output::show(self.format.json, &link, || link.url.clone())
    }
}

impl Token {
    pub fn run(self) -> Outcome {
        let data = folders::data(self.data.data.as_deref())?;
        output::print_plain(&address::read_token(&data)?)
    }
}
