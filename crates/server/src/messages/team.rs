//! Asking everybody at once. Each has a time of their own, and is heard as soon as they answer.

use ergon_companion::redact::hide_known;
use ergon_hermes::{Kind, Record};
use futures_util::{StreamExt as _, stream};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::error::MessageError;
use super::exchanges::new_id;
use super::{Messages, Prepared, check, outcome, patience};
use crate::api::{self, Sent, TeamAnswer};
use crate::authorize::Principal;

/// Each of them is waited for so long where nobody says how long.
const PATIENCE: u32 = 15;
const LONGEST_PATIENCE: u32 = 120;
/// So many are asked at a time.
const AT_ONCE: usize = 16;

/// Everybody who is asked, with the question.
pub struct Team(Vec<Prepared>);

impl Messages<'_> {
    /// Finds who is asked: everybody with a mind. A program is not started because somebody says hello, and a person is not
    /// asked to answer for a machine.
    pub async fn team(
        &self,
        principal: &Principal,
        message: &api::TeamMessage,
    ) -> Result<Team, MessageError> {
        check(&message.content)?;
        patience(message.timeout_seconds, PATIENCE, LONGEST_PATIENCE)?;
        let kind = match &message.kind {
            Some(word) => Some(asked_kind(word)?),
            None => None,
        };
        let question = api::Message {
            content: hide_known(&message.content).into_owned(),
            terminal: message.terminal.clone(),
            later: false,
            timeout_seconds: Some(message.timeout_seconds.unwrap_or(PATIENCE)),
        };
        let team = new_id(self.stack);
        let mut members = Vec::new();
        for record in self.everybody() {
            if !is_asked(&record) || kind.is_some_and(|kind| kind != record.kind) {
                continue;
            }
            match self.prepare(principal, &record.name, &question).await {
                Ok(prepared) => members.push(Prepared {
                    team: Some(team.clone()),
                    ..prepared
                }),
                // They left while others were being looked for.
                Err(MessageError::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Team(members))
    }

    /// Asks them all, and hands on what each says as it comes. Nobody is asked any more once nobody listens.
    pub async fn ask(&self, team: Team, told: mpsc::Sender<TeamAnswer>) {
        let asked = stream::iter(team.0).map(|member| self.ask_one(member));
        let mut answers = asked.buffer_unordered(AT_ONCE);
        while let Some(answer) = answers.next().await {
            if told.send(answer).await.is_err() {
                return;
            }
        }
    }

    async fn ask_one(&self, member: Prepared) -> TeamAnswer {
        let since = Instant::now();
        let result = self.send(&member, None).await;
        let outcome = outcome(&result).to_owned();
        let (reply, error) = match result {
            Ok(Sent::Answered(reply)) => (Some(*reply), None),
            Ok(Sent::Delivered(delivery)) => (None, Some(delivery.sentence)),
            Err(MessageError::Send { error, .. }) => (None, Some(error.to_string())),
            Err(error) => (None, Some(error.to_string())),
        };
        TeamAnswer {
            from: member.record.name,
            outcome,
            milliseconds: u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX),
            reply,
            error,
        }
    }
}

fn is_asked(record: &Record) -> bool {
    !matches!(record.kind, Kind::Tool | Kind::Terminal)
}

fn asked_kind(word: &str) -> Result<Kind, MessageError> {
    let kind = Kind::from_word(&word.to_ascii_lowercase());
    kind.filter(|kind| !matches!(kind, Kind::Tool | Kind::Terminal))
        .ok_or_else(|| MessageError::Kind {
            kind: word.chars().take(40).collect(),
        })
}
