//! People: who may come in, as what, with what.

use std::io::{IsTerminal as _, Read as _};

use clap::{Args, Subcommand};
use ergon_server::api::{
    AddPerson, AddToken, AddedPerson, AddedToken, ChangePassword, ChangePerson, EndedSessions,
    List, Passkey, Person as Entry, PersonSession, PersonToken, SignInLink,
};
use jiff::Timestamp;
use reqwest::Method;

use super::arguments::{Format, Stack};
use super::provider::ProviderCommand;
use crate::client::Client;
use crate::failure::{Failure, Outcome};
use crate::report::people;
use crate::{output, words};

const PEOPLE: [&str; 3] = ["api", "v1", "people"];
/// No password is longer.
const LONGEST_PASSWORD: u64 = 4096;

/// People: who may come in, as what, with what
#[derive(Debug, Args)]
pub struct Person {
    #[command(subcommand)]
    command: PersonCommand,
    #[command(flatten)]
    stack: Stack,
}

#[derive(Debug, Subcommand)]
enum PersonCommand {
    /// Add somebody and print a link with which they come in
    Add {
        /// Small letters, digits, `-`, `_` and `.`
        name: String,
        /// What they are: owner, operator, developer, viewer, or a role of your own policies; may be repeated
        #[arg(long = "role", value_name = "ROLE", required = true)]
        roles: Vec<String>,
        #[command(flatten)]
        format: Format,
    },
    /// List everybody
    List {
        #[command(flatten)]
        format: Format,
    },
    /// Show one person
    Show {
        name: String,
        #[command(flatten)]
        format: Format,
    },
    /// Give somebody other roles, or let them in or not
    Change {
        name: String,
        /// What they are from now on; may be repeated
        #[arg(long = "role", value_name = "ROLE")]
        roles: Vec<String>,
        /// Let them in no more; their sessions end
        #[arg(long, conflicts_with = "enable")]
        disable: bool,
        /// Let them in again
        #[arg(long)]
        enable: bool,
        #[command(flatten)]
        format: Format,
    },
    /// Print a link with which somebody comes in, once, within a day
    Link {
        name: String,
        #[command(flatten)]
        format: Format,
    },
    /// Give somebody the password that is read from standard input; their other sessions end
    Password {
        name: String,
        /// Take their password away: they come in with links only
        #[arg(long)]
        remove: bool,
    },
    /// Forget people; their sessions end and their tokens open nothing
    Remove {
        #[arg(required = true)]
        names: Vec<String>,
    },
    /// From where somebody is signed in
    Session {
        #[command(subcommand)]
        command: SessionCommand,
    },
    /// What programs of somebody show
    Token {
        #[command(subcommand)]
        command: TokenCommand,
    },
    /// What somebody's devices keep to sign in with; one is added in the browser
    Passkey {
        #[command(subcommand)]
        command: PasskeyCommand,
    },
    /// Other systems whose accounts sign in here (OpenID Connect)
    Provider {
        #[command(subcommand)]
        command: ProviderCommand,
    },
}

#[derive(Debug, Subcommand)]
enum SessionCommand {
    /// List from where somebody is signed in
    List {
        name: String,
        #[command(flatten)]
        format: Format,
    },
    /// End sessions of somebody
    End {
        name: String,
        /// Those of these ids; all of them where none is named
        ids: Vec<String>,
    },
}

#[derive(Debug, Subcommand)]
enum TokenCommand {
    /// Give somebody's programs a token and print it, this once
    Add {
        name: String,
        /// With this role of theirs and no others; may be repeated [default: all of theirs]
        #[arg(long = "role", value_name = "ROLE")]
        roles: Vec<String>,
        /// Let it end after so many days [default: it does not end]
        #[arg(long, value_name = "DAYS")]
        days: Option<u32>,
        /// What it is for
        #[arg(long, value_name = "TEXT", default_value = "")]
        about: String,
        #[command(flatten)]
        format: Format,
    },
    /// List the tokens of somebody
    List {
        name: String,
        #[command(flatten)]
        format: Format,
    },
    /// Take tokens back
    Remove {
        name: String,
        #[arg(required = true)]
        ids: Vec<String>,
    },
}

#[derive(Debug, Subcommand)]
enum PasskeyCommand {
    /// List the passkeys of somebody
    List {
        name: String,
        #[command(flatten)]
        format: Format,
    },
    /// Remove passkeys: they let nobody in any more
    Remove {
        name: String,
        #[arg(required = true)]
        ids: Vec<String>,
    },
}

impl PasskeyCommand {
    async fn run(self, client: &Client) -> Outcome {
        match self {
            Self::List { name, format } => {
                let path = [&of(&name)[..], &["passkeys"]].concat();
                let list: List<Passkey> = client.get(&path).await?;
                output::show(format.json, &list, || {
                    people::passkeys(&name, &list.items, Timestamp::now(), output::width())
                })
            }
            Self::Remove { name, ids } => {
                for id in &ids {
                    let path = [&of(&name)[..], &["passkeys", id]].concat();
                    client.send(Method::DELETE, &path).await?;
                    output::print(&format!("passkey {} is removed\n", words::harmless(id)))?;
                }
                Ok(())
            }
        }
    }
}

impl Person {
    pub async fn run(self) -> Outcome {
        let client = self.stack.client()?;
        match self.command {
            PersonCommand::Add {
                name,
                roles,
                format,
            } => {
                let added: AddedPerson = client.post(&PEOPLE, &AddPerson { name, roles }).await?;
                output::show(format.json, &added, || people::added(&added))
            }
            PersonCommand::List { format } => {
                let list: List<Entry> = client.get(&PEOPLE).await?;
                output::show(format.json, &list, || {
                    people::list(&list.items, output::width())
                })
            }
            PersonCommand::Show { name, format } => {
                let person: Entry = client.get(&of(&name)).await?;
                output::show(format.json, &person, || people::show(&person))
            }
            PersonCommand::Change {
                name,
                roles,
                disable,
                enable,
                format,
            } => {
                if roles.is_empty() && !disable && !enable {
                    return Err(Failure::new("nothing is to be changed")
                        .with_remedy("say --role ROLE, --disable or --enable".to_owned())
                        .as_usage());
                }
                let wanted = ChangePerson {
                    roles: (!roles.is_empty()).then_some(roles),
                    disabled: (disable || enable).then_some(disable),
                };
                let person: Entry = client.patch(&of(&name), &wanted).await?;
                output::show(format.json, &person, || people::show(&person))
            }
            PersonCommand::Link { name, format } => {
                let path = [&of(&name)[..], &["link"]].concat();
                let link: SignInLink = client.post_empty(&path).await?;
                output::show(format.json, &link, || link.url.clone())
            }
            PersonCommand::Password { name, remove } => password(&client, &name, remove).await,
            PersonCommand::Remove { names } => {
                for name in &names {
                    client.send(Method::DELETE, &of(name)).await?;
                    output::print(&format!("{} is removed\n", words::harmless(name)))?;
                }
                Ok(())
            }
            PersonCommand::Session { command } => command.run(&client).await,
            PersonCommand::Token { command } => command.run(&client).await,
            PersonCommand::Passkey { command } => command.run(&client).await,
            PersonCommand::Provider { command } => command.run(&client).await,
        }
    }
}

impl SessionCommand {
    async fn run(self, client: &Client) -> Outcome {
        match self {
            Self::List { name, format } => {
                let path = [&of(&name)[..], &["sessions"]].concat();
                let list: List<PersonSession> = client.get(&path).await?;
                output::show(format.json, &list, || {
                    people::sessions(&name, &list.items, Timestamp::now(), output::width())
                })
            }
            Self::End { name, ids } => {
                let path = [&of(&name)[..], &["sessions"]].concat();
                if ids.is_empty() {
                    let ended: EndedSessions = client.delete_with(&path, &[]).await?;
                    return output::print(&format!(
                        "{} of {} ended\n",
                        words::count(ended.ended as usize, "session"),
                        words::harmless(&name)
                    ));
                }
                for id in &ids {
                    client
                        .send(Method::DELETE, &[&path[..], &[id]].concat())
                        .await?;
                    output::print(&format!("session {} is ended\n", words::harmless(id)))?;
                }
                Ok(())
            }
        }
    }
}

impl TokenCommand {
    async fn run(self, client: &Client) -> Outcome {
        match self {
            Self::Add {
                name,
                roles,
                days,
                about,
                format,
            } => {
                let path = [&of(&name)[..], &["tokens"]].concat();
                let wanted = AddToken { about, roles, days };
                let added: AddedToken = client.post(&path, &wanted).await?;
                output::show(format.json, &added, || {
                    people::token(&name, &added, client.address().url.as_str())
                })
            }
            Self::List { name, format } => {
                let path = [&of(&name)[..], &["tokens"]].concat();
                let list: List<PersonToken> = client.get(&path).await?;
                output::show(format.json, &list, || {
                    people::tokens(&name, &list.items, Timestamp::now(), output::width())
                })
            }
            Self::Remove { name, ids } => {
                for id in &ids {
                    let path = [&of(&name)[..], &["tokens", id]].concat();
                    client.send(Method::DELETE, &path).await?;
                    output::print(&format!("token {} is removed\n", words::harmless(id)))?;
                }
                Ok(())
            }
        }
    }
}

/// Gives somebody a password. It comes on standard input: what stands in an argument, others on the machine can read.
async fn password(client: &Client, name: &str, remove: bool) -> Outcome {
    let new = if remove { None } else { Some(read_password()?) };
    let path = [&of(name)[..], &["password"]].concat();
    client
        .put_unanswered(&path, &ChangePassword { old: None, new })
        .await?;
    let what = if remove {
        "has no password"
    } else {
        "has a new password"
    };
    output::print(&format!("{} {what}\n", words::harmless(name)))
}

fn read_password() -> Outcome<String> {
    let mut input = std::io::stdin();
    if input.is_terminal() {
        return Err(Failure::new("a password is read from standard input, which is a terminal here")
            .with_remedy("so that it is not shown while it is typed: read -rs P; printf %s \"$P\" | ergon person password NAME".to_owned()).as_usage());
    }
    let mut text = String::new();
    input
        .by_ref()
        .take(LONGEST_PASSWORD)
        .read_to_string(&mut text)
        .map_err(|error| Failure::new(format!("the password cannot be read: {error}")))?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    Ok(text.strip_suffix('\r').unwrap_or(text).to_owned())
}

fn of(name: &str) -> [&str; 4] {
    [PEOPLE[0], PEOPLE[1], PEOPLE[2], name]
}
