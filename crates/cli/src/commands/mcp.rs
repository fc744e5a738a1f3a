//! The stack for agents, and the servers of tools that they find here.

use std::fmt::Write as _;

use clap::{Args, Subcommand};
use ergon_server::api::{AddToolServer, ApproveServerTool, List, ServerTool, ToolServer};
use reqwest::Method;

use super::arguments::{Format, Stack};
use crate::bridge::Bridge;
use crate::client::Client;
use crate::failure::{Failure, Outcome};
use crate::{output, style, words};

/// Let an agent use the stack: the Model Context Protocol on standard input and output
#[derive(Debug, Args)]
pub struct Mcp {
    #[command(flatten)]
    stack: Stack,
    #[command(subcommand)]
    command: Option<McpCommand>,
}

#[derive(Debug, Subcommand)]
enum McpCommand {
    /// Register a server of tools; its tools appear as NAME/TOOL
    Add {
        /// Small letters, digits and -
        name: String,
        /// Where it is asked over HTTP
        #[arg(long, conflicts_with = "program", required_unless_present = "program")]
        url: Option<String>,
        /// A program of this machine, and its arguments: -- npx -y some-server
        #[arg(last = true)]
        program: Vec<String>,
        #[command(flatten)]
        format: Format,
    },
    /// List servers of tools and what they offer
    List {
        #[command(flatten)]
        format: Format,
    },
    /// Forget servers of tools
    Remove {
        #[arg(required = true)]
        names: Vec<String>,
    },
    /// Let a tool be used that is held because it is not what it was
    Approve {
        /// The server
        name: String,
        /// The tool, as the server calls it
        tool: String,
        /// What `ergon mcp list --json` says of it; absent: what it says now is shown and approved
        #[arg(long)]
        fingerprint: Option<String>,
        #[command(flatten)]
        format: Format,
    },
}

const SERVERS: [&str; 3] = ["api", "v1", "tool-servers"];

impl Mcp {
    pub async fn run(self) -> Outcome {
        let client = self.stack.client()?;
        let Some(command) = self.command else {
            return Bridge::new(client).run().await;
        };
        match command {
            McpCommand::Add {
                name,
                url,
                program,
                format,
            } => {
                let command = (!program.is_empty()).then_some(program);
                let added: ToolServer = client
                    .post(&SERVERS, &AddToolServer { name, url, command })
                    .await?;
                output::show(format.json, &added, || shown(&added))
            }
            McpCommand::List { format } => {
                let list: List<ToolServer> = client.get(&SERVERS).await?;
                output::show(format.json, &list, || {
                    list.items.iter().map(shown).collect()
                })
            }
            McpCommand::Remove { names } => {
                for name in &names {
                    let path = ["api", "v1", "tool-servers", name];
                    client.send(Method::DELETE, &path).await?;
                    output::print(&format!("{} is removed\n", words::harmless(name)))?;
                }
                Ok(())
            }
            McpCommand::Approve {
                name,
                tool,
                fingerprint,
                format,
            } => {
                let fingerprint = if let Some(fingerprint) = fingerprint {
                    fingerprint
                } else {
                    let found = offered(&client, &name, &tool).await?;
                    output::note(&words::harmless(&format!("{:#}", found.definition)));
                    found.fingerprint
                };
                let path = ["api", "v1", "tool-servers", &name, "approve"];
                let server: ToolServer = client
                    .post(&path, &ApproveServerTool { tool, fingerprint })
                    .await?;
                output::show(format.json, &server, || shown(&server))
            }
        }
    }
}

/// A tool as its server offers it now.
async fn offered(client: &Client, name: &str, tool: &str) -> Outcome<ServerTool> {
    let list: List<ToolServer> = client.get(&SERVERS).await?;
    let servers = list.items.into_iter();
    let offers = servers.filter(|server| server.name == name);
    let called = format!("{name}/{tool}");
    let mut offers = offers.flat_map(|server| server.tools);
    offers.find(|offer| offer.name == called).ok_or_else(|| {
        Failure::new(format!("the server `{name}` offers no tool `{tool}`"))
            .with_remedy("ergon mcp list says what there is".to_owned())
    })
}

/// A server and its tools, for people.
fn shown(server: &ToolServer) -> String {
    let place = server
        .url
        .clone()
        .or(server.command.as_ref().map(|words| words.join(" ")));
    let health = match &server.reason {
        Some(reason) => style::bad(&format!("{}: {}", server.health, words::harmless(reason))),
        None => server.health.clone(),
    };
    let place = words::harmless(&place.unwrap_or_default());
    let mut text = format!(
        "{}  {place}  {health}\n",
        style::strong(&words::harmless(&server.name))
    );
    for tool in &server.tools {
        let _ = writeln!(text, "  {}", line(tool));
    }
    text
}

fn line(tool: &ServerTool) -> String {
    let name = words::harmless(&tool.name);
    match &tool.reason {
        Some(reason) => format!(
            "{name}  {}",
            style::bad(&format!("{}: {}", tool.standing, words::harmless(reason)))
        ),
        None => name,
    }
}
