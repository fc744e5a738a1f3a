//! Upstreams: registries elsewhere that the registry is a mirror of.

use std::io::{IsTerminal as _, Read as _};

use clap::{Args, Subcommand};
use ergon_server::api::{AddUpstream, List, Upstream as Entry};
use jiff::Timestamp;
use reqwest::Method;

use crate::client::Client;
use crate::commands::arguments::Format;
use crate::failure::{Failure, Outcome};
use crate::report::upstreams;
use crate::{output, words};

const UPSTREAMS: [&str; 3] = ["api", "v1", "upstreams"];
/// No password is longer, in bytes.
const LONGEST: u64 = 64 << 10;

/// Registries elsewhere that this one is a mirror of: what is asked for is fetched from there, and held
#[derive(Debug, Args)]
pub struct Upstream {
    #[command(subcommand)]
    command: UpstreamCommand,
}

#[derive(Debug, Subcommand)]
enum UpstreamCommand {
    /// Add a mirror: NAME/team/app is then what the upstream has as team/app
    Add {
        /// The first part of the names of its repositories here: hub
        name: String,
        /// https://registry-1.docker.io; http:// on this machine, or where there is no password
        url: String,
        /// The registry that it is in names of images [default: its host, docker.io for Docker Hub]
        #[arg(long = "for", value_name = "REGISTRY")]
        registry: Option<String>,
        /// Who the mirror is there, with the password from --password-stdin
        #[arg(long, value_name = "NAME", requires = "password_stdin")]
        user: Option<String>,
        /// Read the password from standard input
        #[arg(long, requires = "user")]
        password_stdin: bool,
        /// Ask again what a tag means after so many seconds [default: 300]
        #[arg(long = "fresh", value_name = "SECONDS")]
        fresh_seconds: Option<u64>,
        #[command(flatten)]
        format: Format,
    },
    /// List the mirrors, and how much each holds
    List {
        #[command(flatten)]
        format: Format,
    },
    /// Remove mirrors, with what they hold
    Remove {
        #[arg(required = true)]
        names: Vec<String>,
    },
}

impl Upstream {
    pub async fn run(self, client: &Client) -> Outcome {
        match self.command {
            UpstreamCommand::Add {
                name,
                url,
                registry,
                user,
                password_stdin,
                fresh_seconds,
                format,
            } => {
                let wanted = AddUpstream {
                    name,
                    url,
                    registry,
                    user,
                    password: password_stdin.then(password).transpose()?,
                    fresh_seconds,
                };
                let added: Entry = client.post(&UPSTREAMS, &wanted).await?;
                output::show(format.json, &added, || upstreams::added(&added))
            }
            UpstreamCommand::List { format } => {
                let list: List<Entry> = client.get(&UPSTREAMS).await?;
                output::show(format.json, &list, || {
                    upstreams::list(&list.items, Timestamp::now(), output::width())
                })
            }
            UpstreamCommand::Remove { names } => {
                let [api, version, upstreams] = UPSTREAMS;
                for name in &names {
                    let path = [api, version, upstreams, name];
                    client.send(Method::DELETE, &path).await?;
                    output::print(&format!("{} is removed\n", words::harmless(name)))?;
                }
                Ok(())
            }
        }
    }
}

/// The first line of standard input. It is shown nowhere.
fn password() -> Outcome<String> {
    let stdin = std::io::stdin();
    let nothing = |reason: &str| {
        Failure::new(format!("standard input holds no password: {reason}")).with_remedy(
            "ergon registry upstream add … --user NAME --password-stdin < FILE".to_owned(),
        )
    };
    if stdin.is_terminal() {
        return Err(nothing("it is a terminal, which would show it"));
    }
    let mut text = String::new();
    let read = stdin.lock().take(LONGEST).read_to_string(&mut text);
    read.map_err(|error| nothing(&error.to_string()))?;
    match text.lines().next() {
        Some(password) if !password.is_empty() => Ok(password.to_owned()),
        _ => Err(nothing("it is empty")),
    }
}
