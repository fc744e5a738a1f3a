//! Asks the model about findings, once for each, and keeps what it said for a while.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ergon_companion::model::{self, Caps, Conversation, Next, Thought, Usage};
use ergon_companion::{Observation, Reply, dialogue};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use moka::sync::Cache;
use tokio::sync::{Semaphore, watch};

use super::breaker::Breaker;
use super::client::{AskError, Client};
use super::ledger::{Ledger, Reserved, Spent};
use super::settings::ModelConfig;
use super::wire;
use crate::api;

/// What was said about findings is good for so long.
const MEMORY: Duration = Duration::from_mins(15);
/// So many explanations are kept.
const KEPT: u64 = 512;
/// Conversations at a time.
const SEATS: usize = 2;

/// What became of asking.
#[derive(Clone, Debug, Default)]
pub enum Outcome {
    /// Nothing yet.
    #[default]
    Asking,
    Explained(Arc<Thought>),
    /// There is no explanation, and why.
    Nothing(String),
}

impl From<Outcome> for api::ModelOutcome {
    fn from(outcome: Outcome) -> Self {
        let (state, thought, reason) = match outcome {
            Outcome::Asking => ("asking", None, None),
            Outcome::Explained(thought) => ("explained", Some((*thought).clone()), None),
            Outcome::Nothing(reason) => ("nothing", None, Some(reason)),
        };
        Self {
            state: state.to_owned(),
            thought,
            reason,
        }
    }
}

/// What one conversation cost, and what came of it: for the record of what left the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// `NAME at HOST`
    pub model: String,
    pub requests: u32,
    /// Of text, in all requests together.
    pub bytes: usize,
    pub outcome: String,
}

/// Asks one model.
#[derive(Debug)]
pub struct Explainer {
    client: Client,
    ledger: Mutex<Ledger>,
    ledger_file: PathBuf,
    breaker: Mutex<Breaker>,
    outcomes: Cache<String, watch::Receiver<Outcome>>,
    seats: Arc<Semaphore>,
}

/// Why a conversation came to nothing.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Ask(#[from] AskError),
    #[error(transparent)]
    Spent(#[from] Spent),
    #[error(transparent)]
    Silence(#[from] model::Silence),
}

impl Explainer {
    /// The ledger's file belongs to the stack's data.
    pub fn new(config: ModelConfig, ledger_file: PathBuf) -> Result<Self, AskError> {
        Ok(Self {
            client: Client::new(config)?,
            ledger: Mutex::new(Ledger::read(&ledger_file)),
            ledger_file,
            breaker: Mutex::default(),
            outcomes: Cache::builder()
                .max_capacity(KEPT)
                .time_to_live(MEMORY)
                .build(),
            seats: Arc::new(Semaphore::new(SEATS)),
        })
    }

    pub fn config(&self) -> &ModelConfig {
        self.client.config()
    }

    /// Adds to an answer what the model says, if it has said it; else asks, and says where it will be found.
    /// `record` is told what was asked, once it is over.
    pub async fn explain<R, F>(
        self: &Arc<Self>,
        question: &str,
        observation: &Observation,
        reply: &mut Reply,
        record: R,
    ) where
        R: FnOnce(Told) -> F + Send + 'static,
        F: Future<Output = ()> + Send,
    {
        if !model::is_worth_asking(question, observation) {
            return;
        }
        let key = model::key(question, observation, &self.config().name);
        let Some(mut outcome) = self.ask(&key, question, observation, reply, record) else {
            return;
        };
        let wait = self.config().limits.wait;
        if !wait.is_zero() {
            // Late, or never: the answer goes out without it.
            let _ = tokio::time::timeout(wait, outcome.wait_for(is_over)).await;
        }
        match &*outcome.borrow() {
            Outcome::Explained(thought) => thought.add_to(reply),
            Outcome::Asking => reply.explaining = Some(key),
            Outcome::Nothing(_) => {}
        }
    }

    /// What became of a question, after a while at most.
    pub async fn outcome(&self, key: &str, patience: Duration) -> Option<Outcome> {
        let mut outcome = self.outcomes.get(key)?;
        let _ = tokio::time::timeout(patience, outcome.wait_for(is_over)).await;
        let outcome = outcome.borrow().clone();
        Some(outcome)
    }

    /// The conversation about findings: the one there is or was, else a new one, if one may begin.
    fn ask<R, F>(
        self: &Arc<Self>,
        key: &str,
        question: &str,
        observation: &Observation,
        reply: &Reply,
        record: R,
    ) -> Option<watch::Receiver<Outcome>>
    where
        R: FnOnce(Told) -> F + Send + 'static,
        F: Future<Output = ()> + Send,
    {
        if let Some(outcome) = self.outcomes.get(key) {
            return Some(outcome);
        }
        if !self.breaker().lets_through(Instant::now()) {
            return None;
        }
        // Where all are busy, nobody queues: the question is asked again when somebody does.
        let seat = Arc::clone(&self.seats).try_acquire_owned().ok()?;
        let (sender, receiver) = watch::channel(Outcome::Asking);
        let entry = self.outcomes.entry_by_ref(key).or_insert(receiver);
        if !entry.is_fresh() {
            return Some(entry.into_value());
        }
        let conversation = Conversation::new(question, observation.clone(), reply, Caps::default());
        let (explainer, key) = (Arc::clone(self), key.to_owned());
        tokio::spawn(async move {
            let _seat = seat;
            let told = explainer.converse(&key, conversation, &sender).await;
            record(told).await;
        });
        Some(entry.into_value())
    }

    /// Has the conversation, and tells whoever waits what came of it.
    async fn converse(
        &self,
        key: &str,
        mut conversation: Conversation,
        sender: &watch::Sender<Outcome>,
    ) -> Told {
        let mut told = Told {
            model: self.config().describe(),
            requests: 0,
            bytes: 0,
            outcome: String::new(),
        };
        let outcome = match self.to_the_end(&mut conversation, &mut told).await {
            Ok(thought) => {
                told.outcome = format!(
                    "{} sentences kept, {} dropped",
                    thought.sentences.len(),
                    thought.dropped
                );
                Outcome::Explained(Arc::new(thought))
            }
            Err(error) => {
                told.outcome = error.to_string();
                if let Failure::Ask(error) = &error {
                    tracing::warn!(%error, remedy = error.remedy(), model = self.config().describe(), "the model did not explain");
                }
                // What fails today may not tomorrow; what is unfounded stays so, and costs.
                if !matches!(error, Failure::Silence(_)) {
                    self.outcomes.invalidate(key);
                }
                Outcome::Nothing(told.outcome.clone())
            }
        };
        sender.send_replace(outcome);
        told
    }

    async fn to_the_end(
        &self,
        conversation: &mut Conversation,
        told: &mut Told,
    ) -> Result<Thought, Failure> {
        if !conversation.is_small_enough() {
            return Err(model::Silence::TooMuch.into());
        }
        loop {
            let payload = conversation.payload();
            let output = u64::from(payload.most_tokens);
            let reserved = self.reserve(payload.likely_tokens(), output)?;
            // Before it is sent: whatever ends this process, it counts as spent.
            self.keep_ledger().await;
            told.requests += 1;
            told.bytes += payload.bytes();
            let said = match self.client.ask(payload).await {
                Ok(said) => said,
                Err(error) => {
                    self.breaker().failed(&error, Instant::now());
                    if error.is_free() {
                        self.settle(
                            reserved,
                            Usage {
                                input: Some(0),
                                output: Some(0),
                            },
                        )
                        .await;
                    }
                    return Err(error.into());
                }
            };
            self.breaker().answered();
            self.settle(reserved, said.usage).await;
            match conversation.hear(&said, &self.config().name, Timestamp::now()) {
                Next::Ask => {}
                Next::Explained(thought) => return Ok(thought),
                Next::Nothing(silence) => return Err(silence.into()),
            }
        }
    }

    fn reserve(&self, input: u64, output: u64) -> Result<Reserved, Spent> {
        let today = Timestamp::now().to_zoned(TimeZone::UTC).date().to_string();
        let limits = &self.config().limits;
        self.ledger().reserve(&today, input, output, limits)
    }

    async fn settle(&self, reserved: Reserved, usage: Usage) {
        let limits = &self.config().limits;
        self.ledger().settle(reserved, usage, limits);
        self.keep_ledger().await;
    }

    async fn keep_ledger(&self) {
        let (ledger, path) = (self.ledger().clone(), self.ledger_file.clone());
        let written = tokio::task::spawn_blocking(move || ledger.write(&path)).await;
        if !matches!(written, Ok(Ok(()))) {
            tracing::warn!(file = %self.ledger_file.display(), "what the model cost today could not be written down");
        }
    }

    fn breaker(&self) -> std::sync::MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ledger(&self) -> std::sync::MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_over(outcome: &Outcome) -> bool {
    !matches!(outcome, Outcome::Asking)
}

/// Exactly what would be sent first, to the last byte of the body; nothing is sent. Where no model is configured, it is
/// shown in the usual format.
pub fn payload(
    config: Option<&ModelConfig>,
    question: &str,
    observation: &Observation,
) -> api::ModelPayload {
    let reply = dialogue::answer(question, observation);
    let conversation = Conversation::new(question, observation.clone(), &reply, Caps::default());
    let payload = conversation.payload();
    let mut headers = BTreeMap::new();
    for (name, value) in &config.map(wire::headers).unwrap_or_default() {
        let value = if value.is_sensitive() {
            "(the key)"
        } else {
            value.to_str().unwrap_or_default()
        };
        headers.insert(name.to_string(), value.to_owned());
    }
    let body = match config {
        Some(config) => wire::body(config, payload),
        None => super::openai::body(payload, "none", ""),
    };
    api::ModelPayload {
        model: config.map(ModelConfig::describe),
        url: config.map(|config| config.url.to_string()),
        would_ask: config.is_some()
            && conversation.is_small_enough()
            && model::is_worth_asking(question, observation),
        bytes: body.to_string().len() as u64,
        headers,
        body,
        pseudonyms: conversation.pseudonyms(),
    }
}
