//! Speaking to one companion: a question and its answer, or a conversation.

use std::io::IsTerminal as _;

use ergon_server::api::{Delivery, ModelOutcome, Piece, Problem, Reply, Sent, Thought};
use futures_util::StreamExt as _;
use serde::de::DeserializeOwned;

use super::conversation::Conversation;
use super::{Aish, everybody};
use crate::client::Client;
use crate::failure::{Failure, Outcome};
use crate::report::replies;
use crate::{output, style, words};

/// So often a model's explanation is asked for; each time it is waited for.
const EXPLAINING: usize = 3;

impl Aish {
    pub(super) async fn talk(&self, client: &Client) -> Outcome {
        match self.said(&self.message)? {
            Some(message) => self.answer(client, &self.name, &message).await,
            None => self.converse(client).await,
        }
    }

    /// Says something, and shows what becomes of it.
    pub(super) async fn answer(&self, client: &Client, name: &str, message: &str) -> Outcome {
        if self.json {
            return self.answer_as_json(client, name, message).await;
        }
        let path = ["api", "v1", "companions", name, "message"];
        let mut events = client.post_stream(&path, &self.message(message)).await?;
        let mut last_piece = String::new();
        while let Some(event) = events.next().await {
            let event = event?;
            match event.name.as_str() {
                "piece" => {
                    let piece: Piece = understood(&event.data)?;
                    output::print_piece(&piece.content)?;
                    if !piece.content.is_empty() {
                        last_piece = piece.content;
                    }
                }
                "reply" => {
                    if !last_piece.is_empty() && !last_piece.ends_with('\n') {
                        output::print_plain("")?;
                    }
                    let reply = understood(&event.data)?;
                    return self.show(client, reply, !last_piece.is_empty()).await;
                }
                "delivery" => {
                    let delivery: Delivery = understood(&event.data)?;
                    return output::print(&words::harmless(&delivery.sentence));
                }
                "problem" => {
                    let problem: Problem = understood(&event.data)?;
                    return Err(Failure::new(problem.detail).with_remedy(problem.remedy));
                }
                _ => {}
            }
        }
        Err(Failure::new("the connection to the stack broke off")
            .with_remedy("it may have been stopped; `ergon status` says".to_owned()))
    }

    /// Shows an answer, and below it what a model says later, where somebody waits for it.
    async fn show(&self, client: &Client, mut reply: Reply, was_heard: bool) -> Outcome {
        let waits = self.explain || std::io::stdout().is_terminal();
        let asked = reply.explaining.take().filter(|_| waits);
        let width = output::width();
        output::print(&if was_heard {
            replies::after_content(&reply, width)
        } else {
            replies::reply(&reply, width)
        })?;
        let Some(key) = asked else {
            return Ok(());
        };
        let known = reply.evidence.len();
        if let Some(thought) = thought(client, &key).await {
            thought.add_to(&mut reply);
            output::print(&replies::explanation(&reply, width))?;
            output::print(&replies::evidence(&reply.evidence[known..]))?;
        }
        Ok(())
    }

    async fn answer_as_json(&self, client: &Client, name: &str, message: &str) -> Outcome {
        let path = ["api", "v1", "companions", name, "message"];
        let mut sent: Sent = client.post(&path, &self.message(message)).await?;
        if let Sent::Answered(reply) = &mut sent
            && self.explain
            && let Some(key) = reply.explaining.take()
            && let Some(thought) = thought(client, &key).await
        {
            thought.add_to(reply);
        }
        output::print_json(&sent)
    }

    async fn converse(&self, client: &Client) -> Outcome {
        // Whoever is not there cannot be talked to; and the names complete what is typed.
        let there = everybody(client).await?;
        let found = there
            .items
            .iter()
            .find(|companion| companion.name.eq_ignore_ascii_case(&self.name));
        let Some(name) = found.map(|companion| companion.name.clone()) else {
            let names: Vec<&str> = there.items.iter().map(|one| one.name.as_str()).collect();
            return Err(
                Failure::new(format!("there is no companion `{}`", self.name))
                    .with_remedy(format!("these are there: {}", names.join(", "))),
            );
        };
        let names = there.items.into_iter().map(|companion| companion.name);
        let mut conversation = Conversation::begin(names.collect())?;
        output::note(&format!(
            "You are talking to {}. `help` says what about, `@NAME …` speaks to another; `exit` or Ctrl-D ends it.",
            words::harmless(&name)
        ));
        while let Some(line) = conversation.next(format!("{name}> ")).await? {
            let (to, message) = addressed(line.trim(), &name);
            match message {
                "" => {}
                "exit" | "quit" => break,
                message => match self.answer(client, to, message).await {
                    Ok(()) => {}
                    // Whoever restarts the stack meanwhile can go on talking.
                    Err(Failure::Said { message, .. }) => {
                        let message = words::harmless(&message);
                        output::note(&format!("{} {message}", style::bad("error:")));
                    }
                    Err(failure) => return Err(failure),
                },
            }
        }
        Ok(())
    }
}

/// Whom a line is for, and what it says: `@db-ci how are you?` is for another.
fn addressed<'a>(line: &'a str, usual: &'a str) -> (&'a str, &'a str) {
    match line.strip_prefix('@') {
        Some(rest) => {
            let (name, message) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
            (name, message.trim())
        }
        None => (usual, line),
    }
}

fn understood<T: DeserializeOwned>(data: &str) -> Outcome<T> {
    serde_json::from_str(data).map_err(|error| {
        Failure::new(format!("the stack's answer could not be understood: {error}"))
            .with_remedy("the stack may be of another version; compare `ergon --version` with `ergon status --json`".to_owned())
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_may_be_for_another() {
        assert_eq!(addressed("how are you?", "web"), ("web", "how are you?"));
        assert_eq!(
            addressed("@db  how are you?", "web"),
            ("db", "how are you?")
        );
        assert_eq!(addressed("@db", "web"), ("db", ""));
        assert_eq!(addressed("mail me @db", "web"), ("web", "mail me @db"));
    }
}
