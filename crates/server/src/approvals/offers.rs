//! Proposals come about: asked for, or because of what is seen. And they end when what they rest on does.

use std::fmt::Write as _;
use std::time::Duration;

use ergon_companion::actions::{self, Asked, Proposal};
use ergon_companion::{Observation, Offer, Reply, diagnose, dialogue};
use ergon_engine::ContainerState;
use ergon_store::{ProposalRow, StoreError, now};
use jiff::Timestamp;
use serde_json::json;

use super::runbooks::merged;
use super::view::content;
use super::{Approvals, event};
use crate::entropy::Entropy;

/// A proposal may be approved for so long.
const LIFETIME: Duration = Duration::from_hours(1);
/// Letters and digits that are not mistaken for each other, and without vowels spell no words.
const ALPHABET: &[u8] = b"23456789BCDFGHJKLMNPQRSTVWXZ";

impl Approvals<'_> {
    /// Says in an answer what the companion could do about what it told, and how one approves it.
    pub async fn offer_in(&self, reply: &mut Reply, question: &str, observation: &Observation) {
        let proposals = match actions::asked(question, observation) {
            Asked::Impossible(why) => {
                let _ = write!(reply.content, "\n{why}.");
                return;
            }
            Asked::Proposal(proposal) => vec![*proposal],
            Asked::Nothing if dialogue::is_about_all(question) => {
                let id = &observation.subject.container_id;
                let rows = self.stack.store().proposals_of(id).await;
                let books = self
                    .by_runbooks(observation, &rows.unwrap_or_default())
                    .await;
                merged(books, actions::propose(observation))
            }
            Asked::Nothing if dialogue::is_about_waste(question) => actions::improve(observation),
            Asked::Nothing => return,
        };
        for proposal in proposals {
            match self.offer(&proposal).await {
                Ok(code) => {
                    let offer = offered(code, &proposal);
                    let line = format!("\nI can {}:  {}", offer.offer, offer.command);
                    reply.content.push_str(&line);
                    reply.offers.push(offer);
                }
                Err(error) => {
                    tracing::error!(%error, "a proposal could not be kept");
                }
            }
        }
    }

    /// Takes in what was just seen of a container: proposals that rest on what is over are withdrawn, and
    /// what needs somebody is proposed without being asked.
    pub async fn look(&self, observation: &Observation) {
        if let Err(error) = self.look_at(observation).await {
            tracing::error!(%error, container = observation.subject.container, "proposals could not be looked through");
        }
    }

    async fn look_at(&self, observation: &Observation) -> Result<(), StoreError> {
        let Some(state) = observation.state() else {
            return Ok(());
        };
        let rows = self.stack.store().proposals_of(&state.id).await?;
        let open: Vec<&ProposalRow> = rows.iter().filter(|row| row.state == "open").collect();
        let found = if open.is_empty() {
            Vec::new()
        } else {
            actions::found(observation)
        };
        for row in open {
            if let Some(over) = content(row).and_then(|content| over(&content, state, &found)) {
                let outcome = format!("What it was made for is over: {over}.");
                self.end(row, "open", "withdrawn", &outcome).await?;
            }
        }
        if diagnose(observation).findings.is_empty() {
            return Ok(());
        }
        let books = self.by_runbooks(observation, &rows).await;
        for proposal in merged(books, actions::propose(observation)) {
            let same = proposal.key();
            let last = rows.iter().find(|row| row.same == same);
            if last.is_none_or(|last| may_come_again(last, state)) && proposal.is_urgent() {
                let code = self.offer(&proposal).await?;
                self.let_pass(&code).await?;
            }
        }
        Ok(())
    }

    /// Keeps a proposal and returns its code; the same one is kept once.
    pub(super) async fn offer(&self, proposal: &Proposal) -> Result<String, StoreError> {
        let now = now();
        let lifetime = i64::try_from(LIFETIME.as_millis()).unwrap_or(i64::MAX);
        let mut row = ProposalRow {
            code: String::new(),
            container_id: proposal.target.id.clone(),
            container: proposal.target.name.clone(),
            origin: proposal.origin.clone(),
            action: proposal.word(),
            same: proposal.key(),
            digest: proposal.digest(),
            content: serde_json::to_value(proposal).unwrap_or_default(),
            state: "open".to_owned(),
            created_at: now,
            expires_at: now.saturating_add(lifetime),
            decided_by: None,
            decided_at: None,
            begun_at: None,
            ended_at: None,
            outcome: None,
        };
        row.code = self.free_code().await?;
        let class = proposal.class().as_str();
        let told = event(
            "dev.ergon.proposal.made",
            &row,
            json!({ "class": class, "offer": proposal.offer() }),
        );
        let mut change = self.stack.store().change(told).await?;
        if let Some(open) = change.open_proposal(&row.same, now).await? {
            return Ok(open.code);
        }
        change.add_proposal(&row).await?;
        change.commit().await?;
        Ok(row.code)
    }

    /// A code that no proposal has or had; longer ones when the short ones are used up.
    async fn free_code(&self) -> Result<String, StoreError> {
        let mut tries = 0_usize;
        loop {
            let code = code(self.stack.entropy(), 3 + tries / 8);
            if self.stack.store().proposal(&code).await?.is_none() {
                return Ok(code);
            }
            tries += 1;
        }
    }
}

/// Why nobody needs to decide over a proposal any more, if that is so.
fn over(proposal: &Proposal, state: &ContainerState, found: &[&str]) -> Option<String> {
    let broken = proposal.precondition.broken_by(&proposal.steps, state);
    if !broken.is_empty() {
        return Some(broken.join("; "));
    }
    (!proposal.is_called_for(found)).then(|| {
        let why = proposal.why.iter().map(|reason| reason.finding.as_str());
        format!(
            "nothing is found of {} any more",
            why.collect::<Vec<_>>().join(", ")
        )
    })
}

/// Whether the same may be proposed unasked after this one. What a person has decided over is not brought before
/// them again; but what was done served its purpose, and whoever was started since then is in need of it anew.
fn may_come_again(last: &ProposalRow, state: &ContainerState) -> bool {
    let started = state.started_at.map(Timestamp::as_millisecond);
    match last.state.as_str() {
        "expired" | "withdrawn" => true,
        "done" => started > last.ended_at,
        _ => false,
    }
}

fn code(entropy: &Entropy, length: usize) -> String {
    let bytes = entropy.bytes::<16>();
    let letters = bytes.iter().take(length.min(bytes.len()));
    letters
        .map(|byte| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()]))
        .collect()
}

fn offered(code: String, proposal: &Proposal) -> Offer {
    Offer {
        command: format!("ergon approvals approve {code}"),
        code,
        offer: proposal.offer(),
        class: proposal.class().as_str().to_owned(),
        findings: proposal
            .why
            .iter()
            .map(|reason| reason.finding.clone())
            .collect(),
    }
}
