//! `aish`: talk to companions.

mod conversation;
mod status;

use std::io::{IsTerminal as _, Read as _};
use std::path::PathBuf;

use clap::Parser;
use ergon_server::api::{Companion, ContainerSummary, List, Message, ModelOutcome, Reply, Thought};
use futures_util::future::join_all;
use serde::Serialize;

use self::conversation::Conversation;
use self::status::Status;
use crate::client::Client;
use crate::commands::here;
use crate::failure::{Code, Failure, Outcome};
use crate::report::{containers, replies};
use crate::{output, style, words};

/// More than this is no message; a log belongs into a file.
const LONGEST_MESSAGE: u64 = 256 * 1024;

/// So often a model's explanation is asked for; each time it is waited for.
const EXPLAINING: usize = 3;

/// What stands under the arguments in the help.
const EXAMPLES: &str = "Examples:
  aish list                           who is there; also `list type container`, `list json`
  aish status                         how everybody is
  aish fastapi-ci \"how are you?\"      ask one; without a message, a conversation
  aish team-chat \"anyone unwell?\"     ask everybody
  tail error.log | aish fastapi-ci    the message from a pipe";

/// What a companion can be for.
const KINDS: [&str; 6] = [
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
    /// A companion's name in any case, `list`, `status`, or `team-chat`
    name: String,
    /// What to say; may also come from a pipe
    message: Vec<String>,
    /// Print JSON for programs instead of text for people
    #[arg(long)]
    json: bool,
    /// Wait for the explanation of a language model, also where nobody sits at a terminal
    #[arg(long)]
    explain: bool,
    /// The data folder of the stack to talk to; ERGON_URL and ERGON_TOKEN name another one
    #[arg(long, value_name = "DIR", env = "ERGON_DATA", hide_env_values = true)]
    data: Option<PathBuf>,
}

/// One companion's part in a team chat.
#[derive(Serialize)]
struct TeamAnswer<'a> {
    from: &'a str,
    #[serde(flatten)]
    reply: Option<&'a Reply>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

impl Aish {
    /// Does what was asked.
    pub fn run(self) -> Outcome {
        here(async {
            let client = Client::find(self.data.as_deref())?;
            match self.name.as_str() {
                "list" => self.list(&client).await,
                "status" if self.is_about_all() => self.status(&client).await,
                "team-chat" => self.team_chat(&client).await,
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

    async fn talk(&self, client: &Client) -> Outcome {
        let name = self.resolve(client).await?;
        match self.said()? {
            Some(message) => self.answer(client, &name, &message).await,
            None => self.converse(client, &name).await,
        }
    }

    /// Shows an answer at once, and below it what a model says later, where somebody waits for it.
    async fn answer(&self, client: &Client, name: &str, message: &str) -> Outcome {
        let mut reply = ask(client, name, message).await?;
        let waits = self.explain || !self.json && std::io::stdout().is_terminal();
        let asked = reply.explaining.take().filter(|_| waits);
        if let Some(key) = asked.as_deref().filter(|_| self.json) {
            if let Some(thought) = thought(client, key).await {
                thought.add_to(&mut reply);
            }
            return output::print_json(&reply);
        }
        output::show(self.json, &reply, || {
            replies::reply(&reply, output::width())
        })?;
        let Some(key) = asked else {
            return Ok(());
        };
        let known = reply.evidence.len();
        if let Some(thought) = thought(client, &key).await {
            thought.add_to(&mut reply);
            output::print(&replies::explanation(&reply, output::width()))?;
            output::print(&replies::evidence(&reply.evidence[known..]))?;
        }
        Ok(())
    }

    /// The companion's name as the directory has it.
    async fn resolve(&self, client: &Client) -> Outcome<String> {
        let list = everybody(client).await?;
        let exact = list
            .items
            .iter()
            .find(|companion| companion.name == self.name);
        let found = exact.or_else(|| {
            list.items
                .iter()
                .find(|companion| companion.name.to_lowercase() == self.name.to_lowercase())
        });
        if let Some(companion) = found {
            return Ok(companion.name.clone());
        }
        output::note(&format!(
            "{} there is no companion named {}; these are here:\n{}",
            style::bad("error:"),
            words::harmless(&self.name),
            containers::companions(&list.items, output::width()).trim_end()
        ));
        Err(Failure::Told(Code::Failed))
    }

    /// The message of the command line, else of the pipe; none where a person sits there.
    fn said(&self) -> Outcome<Option<String>> {
        if !self.message.is_empty() {
            let message = self.message.join(" ");
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

    async fn converse(&self, client: &Client, name: &str) -> Outcome {
        let mut conversation = Conversation::begin()?;
        output::note(&format!(
            "You are talking to {}. `help` says what about; `exit` or Ctrl-D ends it.",
            words::harmless(name)
        ));
        while let Some(line) = conversation.next(format!("{name}> ")).await? {
            match line.trim() {
                "" => {}
                "exit" | "quit" => break,
                message => match self.answer(client, name, message).await {
                    Ok(()) => {}
                    // Whoever restarts the stack meanwhile can go on talking.
                    Err(Failure::Said { message, .. }) => {
                        output::note(&format!("{} {message}", style::bad("error:")));
                    }
                    Err(failure) => return Err(failure),
                },
            }
        }
        Ok(())
    }

    /// How everybody is, in a few lines.
    async fn status(&self, client: &Client) -> Outcome {
        let json = self.json || self.message.iter().any(|word| word == "json");
        let companions = everybody(client).await?;
        let containers: List<ContainerSummary> = client.get(&["api", "v1", "containers"]).await?;
        let status = Status::of(&companions.items, &containers.items);
        output::show(json, &status, || status.told(output::width()))
    }

    async fn team_chat(&self, client: &Client) -> Outcome {
        let Some(message) = self.said()? else {
            return Err(Failure::new("there is nothing to ask everybody")
                .with_remedy("aish team-chat \"anyone unwell?\"".to_owned())
                .as_usage());
        };
        let list = everybody(client).await?;
        let answers = join_all(list.items.into_iter().map(|companion| {
            let message = &message;
            async move {
                let reply = ask(client, &companion.name, message)
                    .await
                    .map_err(|failure| match failure {
                        Failure::Said { message, .. } => message,
                        _ => "did not answer".to_owned(),
                    });
                (companion.name, reply)
            }
        }))
        .await;
        let items: Vec<TeamAnswer<'_>> = answers
            .iter()
            .map(|(from, answer)| TeamAnswer {
                from,
                reply: answer.as_ref().ok(),
                error: answer.as_ref().err().map(String::as_str),
            })
            .collect();
        output::show(self.json, &serde_json::json!({ "items": items }), || {
            replies::team(&answers, output::width())
        })
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

async fn everybody(client: &Client) -> Outcome<List<Companion>> {
    client.get(&["api", "v1", "companions"]).await
}

/// What a model says to what it was asked, if it says something before long.
async fn thought(client: &Client, key: &str) -> Option<Thought> {
    for _ in 0..EXPLAINING {
        let path = ["api", "v1", "explanations", key];
        // The answer is there already; that nobody explains it is no failure.
        let outcome: ModelOutcome = client.get(&path).await.ok()?;
        if outcome.state != "asking" {
            return outcome.thought;
        }
    }
    None
}

async fn ask(client: &Client, name: &str, content: &str) -> Outcome<Reply> {
    client
        .post(
            &["api", "v1", "companions", name, "message"],
            &Message {
                content: content.to_owned(),
            },
        )
        .await
}
