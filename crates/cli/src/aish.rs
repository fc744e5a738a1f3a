//! `aish`: talk to companions.

mod aliases;
mod conversation;
mod forward;
mod inbox;
mod purpose;
mod status;
mod talk;
mod team;
mod terminal;

use std::io::{IsTerminal as _, Read as _};
use std::path::PathBuf;

use clap::Parser;
use clap_complete::ArgValueCompleter;
use ergon_server::api::{Companion, ContainerSummary, List, Message};

use self::aliases::Aliases;
use self::status::Status;
use crate::client::Client;
use crate::commands::here;
use crate::failure::{Failure, Outcome};
use crate::report::containers;
use crate::{completion, output, words};

/// More than this is no message; a log belongs into a file.
const LONGEST_MESSAGE: u64 = 256 * 1024;

/// What stands under the arguments in the help.
const EXAMPLES: &str = "Examples:
  aish list                           who is there; also `list type container`, `list json`
  aish status                         how everybody is
  aish fastapi-ci \"how are you?\"      ask one; without a message, a conversation
  aish fastapi-ci \"...\" --later       whoever is away has it once they are back
  aish team-chat \"anyone unwell?\"     ask everybody
  tail error.log | aish fastapi-ci    the message from a pipe
  aish inbox [show|count|clear]       what waits for you at this terminal
  aish inbox send NAME \"...\"          put something into somebody's inbox
  aish forward fastapi-ci [TERMINAL]  sit in for a companion; also `forward list`, `forward remove`
  aish purpose [NAME] [\"...\"]         what somebody is there for
  aish alias add web fastapi-ci       a name of your own; also `alias list`, `alias remove`
  aish whoami                         who you are to companions
  aish completion bash                have the tab key complete names";

/// What `aish` understands as something else than a name, where it completes.
pub const AISH_WORDS: [&str; 9] = [
    "alias",
    "completion",
    "forward",
    "inbox",
    "list",
    "purpose",
    "status",
    "team-chat",
    "whoami",
];

/// What a companion can be for.
pub const KINDS: [&str; 6] = [
    "container",
    "project",
    "tekton",
    "tool",
    "external",
    "terminal",
];

/// Talk to companions: the minds of your containers and projects
#[derive(Debug, Parser)]
#[command(name = "aish", bin_name = "aish", version, max_term_width = 100, arg_required_else_help = true, after_help = EXAMPLES)]
pub struct Aish {
    /// A companion's name in any case, or one of the words below
    #[arg(add = ArgValueCompleter::new(completion::first_words))]
    name: String,
    /// What to say; may also come from a pipe
    #[arg(add = ArgValueCompleter::new(completion::next_words))]
    message: Vec<String>,
    /// Print JSON for programs instead of text for people
    #[arg(long)]
    json: bool,
    /// Where nobody is there, have it brought once somebody is
    #[arg(long)]
    later: bool,
    /// Wait so many seconds for the answer [default: 35; of each in a team chat, 15]
    #[arg(long, value_name = "SECONDS")]
    timeout: Option<u32>,
    /// Wait for the explanation of a language model, also where nobody sits at a terminal
    #[arg(long)]
    explain: bool,
    /// The data folder of the stack to talk to; ERGON_URL and ERGON_TOKEN name another one
    #[arg(long, value_name = "DIR", env = "ERGON_DATA", hide_env_values = true)]
    data: Option<PathBuf>,
}

impl Aish {
    /// Does what was asked.
    pub fn run(mut self) -> Outcome {
        if let Some(words) = Aliases::read()?.expand(&self.name) {
            let mut words = words.into_iter();
            self.name = words.next().unwrap_or_default();
            self.message = words.chain(self.message).collect();
        }
        match self.name.as_str() {
            "alias" => return aliases::run(&self.message, self.json),
            "completion" => {
                return completion::print_for_aish(self.message.first().map(String::as_str));
            }
            _ => {}
        }
        here(async {
            let client = Client::find(self.data.as_deref(), None)?;
            match self.name.as_str() {
                "list" => self.list(&client).await,
                "status" if self.is_about_all() => self.status(&client).await,
                "team-chat" => self.team_chat(&client).await,
                "inbox" => self.inbox(&client).await,
                "forward" => self.forward(&client).await,
                "purpose" => self.purpose(&client).await,
                "whoami" => self.whoami(&client).await,
                _ => self.talk(&client).await,
            }
        })
    }

    /// `aish list`, `aish list type container`, `aish list json`.
    async fn list(&self, client: &Client) -> Outcome {
        let (mut json, mut kind) = (self.json, None);
        let mut wanted = self.message.iter().map(String::as_str);
        while let Some(word) = wanted.next() {
            match word {
                "json" => json = true,
                "type" => kind = Some(wanted.next().ok_or_else(|| list_usage("type"))?),
                _ => return Err(list_usage(word)),
            }
        }
        let mut list = everybody(client).await?;
        if let Some(kind) = kind {
            // The wire says `tekton` where people say `stack`.
            let kind = if kind.eq_ignore_ascii_case("stack") {
                "tekton"
            } else {
                kind
            };
            if !KINDS.contains(&kind.to_lowercase().as_str()) {
                return Err(
                    Failure::new(format!("there is no type {}", words::harmless(kind)))
                        .with_remedy(format!("types are {}", KINDS.join(", ")))
                        .as_usage(),
                );
            }
            list.items
                .retain(|companion| companion.kind.eq_ignore_ascii_case(kind));
        }
        output::show(json, &list, || {
            containers::companions(&list.items, output::width())
        })
    }

    /// A companion may be named `status`; then it is spoken to.
    fn is_about_all(&self) -> bool {
        self.message.is_empty() || self.message == ["json"]
    }

    /// How everybody is, in a few lines.
    async fn status(&self, client: &Client) -> Outcome {
        let json = self.json || self.message.iter().any(|word| word == "json");
        let companions = everybody(client).await?;
        let containers: List<ContainerSummary> = client.get(&["api", "v1", "containers"]).await?;
        let status = Status::of(&companions.items, &containers.items);
        output::show(json, &status, || status.told(output::width()))
    }

    /// What is sent when something is said.
    fn message(&self, content: &str) -> Message {
        Message {
            content: content.to_owned(),
            terminal: terminal::name(),
            later: self.later,
            timeout_seconds: self.timeout,
        }
    }

    /// The message of the command line, else of the pipe; none where a person sits there.
    fn said(&self, given: &[String]) -> Outcome<Option<String>> {
        if !given.is_empty() {
            let message = given.join(" ");
            return if message.trim().is_empty() {
                Err(self.nothing_to_say())
            } else {
                Ok(Some(message))
            };
        }
        let stdin = std::io::stdin();
        if stdin.is_terminal() {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        let read = stdin
            .lock()
            .take(LONGEST_MESSAGE + 1)
            .read_to_end(&mut bytes);
        read.map_err(|error| {
            Failure::new(format!(
                "the message could not be read from the pipe: {error}"
            ))
        })?;
        if bytes.len() as u64 > LONGEST_MESSAGE {
            return Err(Failure::new("the message is longer than 256 KiB")
                .with_remedy("send the part that matters: … | tail -100 | aish NAME".to_owned()));
        }
        let message = String::from_utf8_lossy(&bytes).trim().to_owned();
        if message.is_empty() {
            return Err(self.nothing_to_say());
        }
        Ok(Some(message))
    }

    fn nothing_to_say(&self) -> Failure {
        Failure::new("there is nothing to say: no message was given, and none came from a pipe")
            .with_remedy(format!("aish {} \"how are you?\"", self.name))
            .as_usage()
    }
}

fn list_usage(word: &str) -> Failure {
    Failure::new(format!(
        "`{}` is nothing that a list can be told",
        words::harmless(word)
    ))
    .with_remedy("aish list [type TYPE] [json]".to_owned())
    .as_usage()
}

/// Names of one's own.
pub fn alias_names() -> impl Iterator<Item = String> {
    let aliases = Aliases::read().unwrap_or_default();
    aliases
        .names()
        .map(str::to_owned)
        .collect::<Vec<_>>()
        .into_iter()
}

/// What to say to words that make no sense there.
fn usage(what: &str, right: &str) -> Failure {
    Failure::new(what.to_owned())
        .with_remedy(right.to_owned())
        .as_usage()
}

async fn everybody(client: &Client) -> Outcome<List<Companion>> {
    client.get(&["api", "v1", "companions"]).await
}
