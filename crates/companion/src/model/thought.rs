//! What came of a conversation: sentences with the evidence they rest on, ready to be put into an answer.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use crate::findings::{self, Severity};
use crate::intent::{Intent, intents};
use crate::{Evidence, Explanation, Observation, Reply};

/// What a model made of what was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Thought {
    pub sentences: Vec<Sentence>,
    /// Sentences that were not kept.
    pub dropped: u32,
    /// The model's name.
    pub model: String,
    #[schema(value_type = String, format = DateTime)]
    pub time: Timestamp,
}

/// One sentence, and what it rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Sentence {
    /// Without citations: in every answer, evidence has numbers of its own.
    pub text: String,
    pub evidence: Vec<Evidence>,
}

impl Thought {
    /// Adds it to an answer, with the evidence that the answer does not have yet.
    pub fn add_to(&self, reply: &mut Reply) {
        let mut cited: Vec<u32> = Vec::new();
        let mut sentences = Vec::new();
        for sentence in &self.sentences {
            let mut numbers: Vec<u32> = sentence
                .evidence
                .iter()
                .map(|piece| number(reply, piece))
                .collect();
            numbers.sort_unstable();
            numbers.dedup();
            sentences.push(citing(&sentence.text, &numbers));
            cited.extend(numbers);
        }
        cited.sort_unstable();
        cited.dedup();
        reply.explanation = Some(Explanation {
            content: sentences.join(" "),
            evidence: cited,
            model: self.model.clone(),
            time: self.time.to_string(),
            dropped: self.dropped,
        });
    }
}

/// The evidence's number in an answer; it gets one where it has none.
fn number(reply: &mut Reply, piece: &Evidence) -> u32 {
    let known = reply
        .evidence
        .iter()
        .find(|known| known.text == piece.text && known.source == piece.source);
    if let Some(known) = known {
        return known.number;
    }
    let last = reply.evidence.iter().map(|piece| piece.number).max();
    let number = last.unwrap_or(0).saturating_add(1);
    reply.evidence.push(Evidence {
        number,
        ..piece.clone()
    });
    number
}

/// `I was killed [2][3].`
fn citing(text: &str, numbers: &[u32]) -> String {
    let numbers: Vec<String> = numbers.iter().map(|number| format!("[{number}]")).collect();
    let sentence = text.trim_end_matches(['.', '!', '?', ' ']);
    let end = text[sentence.len()..]
        .chars()
        .next()
        .filter(|end| *end != ' ');
    format!("{sentence} {}{}", numbers.join(""), end.unwrap_or('.'))
}

/// Whether a model is worth asking: something is wrong that can be explained, or the companion did not understand.
pub fn is_worth_asking(question: &str, observation: &Observation) -> bool {
    if observation.state().is_none() {
        return false;
    }
    let intents = intents(question);
    if intents.is_empty() {
        return question.split_whitespace().count() > 1;
    }
    let only_does = |intent: &Intent| matches!(intent, Intent::Help | Intent::Action);
    !intents.iter().all(only_does)
        && findings::drafts(observation)
            .iter()
            .any(|draft| draft.severity > Severity::Info)
}

/// The same for the same question about the same findings of the same start or end of the same container, as asked
/// of the same model: then the answer is the same, and nobody has to ask again.
pub fn key(question: &str, observation: &Observation, model: &str) -> String {
    let words: Vec<String> = question
        .split_whitespace()
        .map(|word| {
            word.trim_matches(|c: char| !c.is_alphanumeric())
                .to_lowercase()
        })
        .filter(|word| !word.is_empty())
        .collect();
    let findings: Vec<(&str, String)> = findings::drafts(observation)
        .iter()
        .map(|draft| {
            let text = draft.brief.as_ref().unwrap_or(&draft.text);
            (draft.id, without_figures(text))
        })
        .collect();
    let state = observation.state().map(|state| {
        let time = |time: Option<Timestamp>| time.map(|time| time.to_string());
        (
            state.status.to_string(),
            state.exit_code,
            time(state.started_at),
            time(state.finished_at),
        )
    });
    let content = (
        model,
        words,
        &observation.subject.container_id,
        state,
        findings,
    );
    let bytes = serde_json::to_vec(&content).unwrap_or_default();
    hex::encode(&Sha256::digest(bytes)[..16])
}

/// Times and sizes pass; what is wrong stays.
fn without_figures(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_ascii_digit() { '#' } else { c })
        .collect()
}
