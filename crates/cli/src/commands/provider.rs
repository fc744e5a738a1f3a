//! Identity providers: other systems whose accounts sign in here.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Read as _};

use clap::{Args, Subcommand};
use ergon_server::api::{IdentityProvider, List, PutIdentityProvider};
use reqwest::Method;

use super::arguments::Format;
use crate::client::Client;
use crate::failure::{Failure, Outcome};
use crate::report::providers;
use crate::{output, words};

const PROVIDERS: [&str; 3] = ["api", "v1", "identity-providers"];
/// No secret is longer, in bytes.
const LONGEST: u64 = 64 << 10;

#[derive(Debug, Subcommand)]
pub enum ProviderCommand {
    /// Let accounts of an identity provider sign in, or change as what; it is asked who it is first
    Set(Box<Set>),
    /// List the identity providers
    List {
        #[command(flatten)]
        format: Format,
    },
    /// Show one, and what it has to know of this stack
    Show {
        name: String,
        #[command(flatten)]
        format: Format,
    },
    /// Let accounts of identity providers sign in no more; who came with one is signed out
    Remove {
        #[arg(required = true)]
        names: Vec<String>,
    },
}

#[derive(Debug, Args)]
pub struct Set {
    /// What it is called here: corp
    name: String,
    /// Its address, letter by letter as it says it: https://login.example.com
    #[arg(long, value_name = "URL")]
    issuer: String,
    /// What the stack is called there
    #[arg(long, value_name = "ID")]
    client_id: String,
    /// Read what the stack shows there as its secret from standard input [default: the one there was, else none]
    #[arg(long)]
    client_secret_stdin: bool,
    /// What its button says [default: its name]
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
    /// What is asked for beside `openid`; may be repeated [default: profile email]
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// Where somebody's groups stand; `realm_access.roles` is one claim inside another [default: groups]
    #[arg(long, value_name = "CLAIM")]
    claim: Option<String>,
    /// Which group is which role here: developers=developer; may be repeated
    #[arg(long = "map", value_name = "GROUP=ROLE", value_parser = mapping)]
    map: Vec<(String, String)>,
    /// What somebody is of whom no group says anything [default: nobody, and not let in]
    #[arg(long = "default-role", value_name = "ROLE")]
    default_roles: Vec<String>,
    #[command(flatten)]
    format: Format,
}

impl ProviderCommand {
    pub async fn run(self, client: &Client) -> Outcome {
        match self {
            Self::Set(set) => set.run(client).await,
            Self::List { format } => {
                let list: List<IdentityProvider> = client.get(&PROVIDERS).await?;
                output::show(format.json, &list, || {
                    providers::list(&list.items, output::width())
                })
            }
            Self::Show { name, format } => {
                let provider: IdentityProvider = client.get(&of(&name)).await?;
                output::show(format.json, &provider, || providers::show(&provider))
            }
            Self::Remove { names } => {
                for name in &names {
                    client.send(Method::DELETE, &of(name)).await?;
                    output::print(&format!("{} is removed\n", words::harmless(name)))?;
                }
                Ok(())
            }
        }
    }
}

impl Set {
    async fn run(self, client: &Client) -> Outcome {
        let mut roles = BTreeMap::<String, Vec<String>>::new();
        for (group, role) in self.map {
            roles.entry(group).or_default().push(role);
        }
        let wanted = PutIdentityProvider {
            title: self.title,
            issuer: self.issuer,
            client_id: self.client_id,
            client_secret: self.client_secret_stdin.then(secret).transpose()?,
            scopes: (!self.scopes.is_empty()).then_some(self.scopes),
            claim: self.claim,
            roles,
            default_roles: self.default_roles,
        };
        let provider: IdentityProvider = client.put(&of(&self.name), &wanted).await?;
        output::show(self.format.json, &provider, || providers::set(&provider))
    }
}

/// The role stands after the last `=`: groups may have one in their names.
fn mapping(text: &str) -> Result<(String, String), String> {
    match text.rsplit_once('=') {
        Some((group, role)) if !group.is_empty() && !role.is_empty() => {
            Ok((group.to_owned(), role.to_owned()))
        }
        _ => Err("write GROUP=ROLE, as developers=developer".to_owned()),
    }
}

/// The first line of standard input. It is shown nowhere.
fn secret() -> Outcome<String> {
    let stdin = std::io::stdin();
    let nothing = |reason: &str| {
        Failure::new(format!("standard input holds no secret: {reason}"))
            .with_remedy("ergon person provider set … --client-secret-stdin < FILE".to_owned())
    };
    if stdin.is_terminal() {
        return Err(nothing("it is a terminal, which would show it"));
    }
    let mut text = String::new();
    let read = stdin.lock().take(LONGEST).read_to_string(&mut text);
    read.map_err(|error| nothing(&error.to_string()))?;
    match text.lines().next() {
        Some(secret) if !secret.is_empty() => Ok(secret.to_owned()),
        _ => Err(nothing("it is empty")),
    }
}

fn of(name: &str) -> [&str; 4] {
    [PROVIDERS[0], PROVIDERS[1], PROVIDERS[2], name]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_may_have_any_name() {
        let read = |text| mapping(text).ok();
        let pair = |group: &str, role: &str| Some((group.to_owned(), role.to_owned()));
        assert_eq!(read("dev=developer"), pair("dev", "developer"));
        assert_eq!(read("cn=dev,dc=x=viewer"), pair("cn=dev,dc=x", "viewer"));
        for text in ["", "dev", "=viewer", "dev="] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
