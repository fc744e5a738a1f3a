//! Asking everybody, and hearing each as they answer.

use ergon_server::api::{List, TeamAnswer, TeamMessage};
use futures_util::StreamExt as _;

use super::{Aish, terminal, usage};
use crate::client::Client;
use crate::failure::{Failure, Outcome};
use crate::output;
use crate::report::replies;

impl Aish {
    pub(super) async fn team_chat(&self, client: &Client) -> Outcome {
        let Some(content) = self.said(&self.message)? else {
            let right = "aish team-chat \"anyone unwell?\"";
            return Err(usage("there is nothing to ask everybody", right));
        };
        let message = TeamMessage {
            content,
            terminal: terminal::name(),
            kind: None,
            timeout_seconds: self.timeout,
        };
        let path = ["api", "v1", "team-chat"];
        if self.json {
            let answers: List<TeamAnswer> = client.post(&path, &message).await?;
            return output::print_json(&answers);
        }
        let mut events = client.post_stream(&path, &message).await?;
        while let Some(event) = events.next().await {
            let event = event?;
            match event.name.as_str() {
                "answer" => {
                    let answer: TeamAnswer =
                        serde_json::from_str(&event.data).map_err(|error| {
                            Failure::new(format!(
                                "the stack's answer could not be understood: {error}"
                            ))
                        })?;
                    output::print(&replies::team_answer(&answer, output::width()))?;
                }
                "end" => return Ok(()),
                _ => {}
            }
        }
        Err(Failure::new("the connection to the stack broke off")
            .with_remedy("it may have been stopped; `ergon status` says".to_owned()))
    }
}
