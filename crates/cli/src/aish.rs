//! `aish`: talk to companions.

use std::io::{IsTerminal as _, Read as _, Write as _};
use std::path::PathBuf;

use clap::Parser;
use ergon_server::api::{Companion, List, Message, Reply};
use futures_util::future::join_all;
use serde::Serialize;

use crate::client::Client;
use crate::commands::here;
use crate::failure::{Code, Failure, Outcome};
use crate::report::{containers, replies};
use crate::{output, style, words};

/// More than this is no message; a log belongs into a file.
const LONGEST_MESSAGE: u64 = 256 * 1024;

/// What stands under the arguments in the help.
const EXAMPLES: &str = "Examples:
  aish list                           who is there
  aish fastapi-ci \"how are you?\"      ask one; without a message, a conversation
  aish team-chat \"anyone unwell?\"     ask everybody
  tail error.log | aish fastapi-ci    the message from a pipe";

/// Talk to companions: the minds of your containers and projects
#[derive(Debug, Parser)]
#[command(name = "aish", bin_name = "aish", version, max_term_width = 100, arg_required_else_help = true, after_help = EXAMPLES)]
pub struct Aish {
    /// A companion's name in any case, `list`, or `team-chat`
    name: String,
    /// What to say; may also come from a pipe
    message: Vec<String>,
    /// Print JSON for programs instead of text for people
    #[arg(long)]
    json: bool,
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
                "list" if self.message.is_empty() => self.list(&client).await,
                "team-chat" => self.team_chat(&client).await,
                _ => self.talk(&client).await,
            }
        })
    }

    async fn list(&self, client: &Client) -> Outcome {
        let list = everybody(client).await?;
        output::show(self.json, &list, || {
            containers::companions(&list.items, output::width())
        })
    }

    async fn talk(&self, client: &Client) -> Outcome {
        let name = self.resolve(client).await?;
        match self.said()? {
            Some(message) => {
                let reply = ask(client, &name, &message).await?;
                output::show(self.json, &reply, || {
                    replies::reply(&reply, output::width())
                })
            }
            None => self.converse(client, &name).await,
        }
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
        let prompt = style::strong(&format!("{name}> "));
        loop {
            let mut stderr = anstream::stderr();
            write!(stderr, "{prompt}").and_then(|()| stderr.flush())?;
            let mut line = String::new();
            let read = std::io::stdin().read_line(&mut line);
            if read.map_err(|error| Failure::new(format!("the line could not be read: {error}")))?
                == 0
            {
                output::note("");
                return Ok(());
            }
            match line.trim() {
                "" => {}
                "exit" | "quit" => return Ok(()),
                message => {
                    let reply = ask(client, name, message).await?;
                    output::show(self.json, &reply, || {
                        replies::reply(&reply, output::width())
                    })?;
                }
            }
        }
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

async fn everybody(client: &Client) -> Outcome<List<Companion>> {
    client.get(&["api", "v1", "companions"]).await
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
