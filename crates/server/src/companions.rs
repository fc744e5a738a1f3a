//! Companions: who is in the directory, who listens on which socket, and how one speaks to them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ergon_companion::look::{Inside, Refusal, look_inside};
use ergon_companion::stack::StackFacts;
use ergon_companion::{CompanionSocket, Reply, SocketError, Subject};
use ergon_engine::EngineError;
use ergon_hermes::{Details, Directory, DirectoryError, Kind, Name, NameError, Record};
use ergon_store::{ContainerRow, StoreError, now};
use jiff::Timestamp;

use crate::api;
use crate::audit::Asked;
use crate::authorize::{Action, Channel, Circumstances, Means, Principal};
use crate::messages::Overheard;
use crate::model;
use crate::roster::{Wanted, WantedError};
use crate::stack::Stack;

/// Whoever asks for an explanation waits so long for it.
const EXPLAINING: Duration = Duration::from_secs(20);

/// What went wrong with a companion.
#[derive(Debug, thiserror::Error)]
pub enum CompanionError {
    #[error("there is no companion `{name}`")]
    NotFound { name: String, there: Vec<String> },
    #[error("`{name}` cannot be a companion's name: {reason}")]
    Name { name: String, reason: NameError },
    #[error("container `{container}` has a companion already: {companion}")]
    HasOne {
        container: String,
        companion: String,
    },
    #[error("`{name}` stands for no container, and this is about containers only")]
    NoContainer { name: String },
    #[error("there is no explanation of that name, or not any more")]
    NoExplanation,
    #[error(transparent)]
    Look(#[from] Refusal),
    #[error(transparent)]
    Wanted(#[from] WantedError),
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl CompanionError {
    /// What a person can do about it.
    pub fn remedy(&self) -> Option<String> {
        match self {
            Self::NotFound { there, .. } if there.is_empty() => {
                Some("nobody is there yet; ergon run makes a container that has one".to_owned())
            }
            Self::NotFound { there, .. } => Some(format!("these are there: {}", there.join(", "))),
            Self::Name { .. } => Some("choose another with --name".to_owned()),
            Self::HasOne { companion, .. } => {
                Some(format!("ask it: aish {companion} \"how are you?\""))
            }
            Self::NoContainer { .. } => {
                Some("ergon companion list says who stands for what".to_owned())
            }
            Self::Look(Refusal::Missing(_)) => {
                Some("ergon companion look NAME / shows what there is".to_owned())
            }
            Self::Look(Refusal::Unseen) => Some("ergon container list says how it is".to_owned()),
            Self::NoExplanation => Some("ask the companion again".to_owned()),
            Self::Engine(error) => error.remedy(),
            Self::Store(error) => error.remedy(),
            Self::Wanted(error) => Some(error.remedy()),
            Self::Directory(error) => error.remedy(),
            Self::Look(_) => None,
        }
    }
}

/// The sockets that are listened on, by companions' names in small letters.
#[derive(Debug, Default)]
pub struct Sockets(Mutex<BTreeMap<String, CompanionSocket>>);

impl Sockets {
    fn all(&self) -> MutexGuard<'_, BTreeMap<String, CompanionSocket>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether somebody of this name listens.
    pub fn listens(&self, name: &str) -> bool {
        self.all().contains_key(&name.to_lowercase())
    }

    /// Ends all conversations and removes the files.
    pub fn close(&self) {
        self.all().clear();
    }
}

/// The stack's companions.
pub struct Companions<'a> {
    stack: &'a Stack,
}

impl<'a> Companions<'a> {
    pub fn new(stack: &'a Stack) -> Self {
        Self { stack }
    }

    fn directory(&self) -> &'a Directory {
        self.stack.directory()
    }

    pub async fn list(&self) -> Result<Vec<api::Companion>, CompanionError> {
        self.stack.roster().list(&Wanted::default()).await
    }

    /// Gives a companion to a container that Ergon did not start.
    pub async fn launch(
        &self,
        wanted: &api::LaunchCompanion,
    ) -> Result<api::Companion, CompanionError> {
        let engine = self.stack.engine()?;
        let state = engine.inspect(&wanted.container).await?;
        if let Some(known) = self.stack.containers().known(&state.id) {
            return Err(CompanionError::HasOne {
                container: state.name,
                companion: known.companion,
            });
        }
        let name = wanted
            .name
            .clone()
            .unwrap_or_else(|| format!("{}-ci", state.name));
        if let Err(reason) = name.parse::<Name>() {
            return Err(CompanionError::Name { name, reason });
        }
        let row = ContainerRow {
            id: state.id,
            name: state.name,
            companion: name.clone(),
            project_id: None,
            meant: serde_json::Value::Null,
            created_at: now(),
        };
        self.stack.containers().adopt(row).await?;
        let there = self.list().await?;
        there
            .into_iter()
            .find(|companion| companion.name == name)
            .ok_or(CompanionError::NotFound {
                name,
                there: Vec::new(),
            })
    }

    fn find(&self, name: &str) -> Result<Record, CompanionError> {
        match self.directory().find(name) {
            Some(present) => Ok(present.record().clone()),
            None => Err(self.stack.roster().nobody(name)),
        }
    }

    /// Exactly what a model would be sent about a companion's container.
    pub async fn payload(
        &self,
        name: &str,
        question: &str,
    ) -> Result<api::ModelPayload, CompanionError> {
        let subject = self.speaks_for(name)?;
        let observation = self.stack.containers().observe(&subject).await;
        let config = self.stack.explainer().map(|explainer| explainer.config());
        Ok(model::payload(config, question, &observation))
    }

    /// Looks inside a companion's container, and at what lies at a path in it.
    pub async fn look(&self, name: &str, path: &str) -> Result<Inside, CompanionError> {
        let subject = self.speaks_for(name)?;
        let engine = self.stack.engine()?;
        let observation = self.stack.containers().observe(&subject).await;
        Ok(look_inside(&engine, &observation, path).await?)
    }

    /// The container that a companion speaks for.
    fn speaks_for(&self, name: &str) -> Result<Subject, CompanionError> {
        let record = self.find(name)?;
        let id = record.details.container_id.as_deref();
        id.and_then(|id| self.stack.containers().subject(id))
            .ok_or(CompanionError::NoContainer { name: record.name })
    }

    /// What a model said about something, once it has said it or a while has passed.
    pub async fn explanation(&self, key: &str) -> Result<api::ModelOutcome, CompanionError> {
        let outcome = match self.stack.explainer() {
            Some(explainer) => explainer.outcome(key, EXPLAINING).await,
            None => None,
        };
        let outcome = outcome.ok_or(CompanionError::NoExplanation)?;
        Ok(outcome.into())
    }

    /// Registers somebody of this stack, and lets them listen.
    pub async fn welcome(&self, record: Record) -> Result<(), DirectoryError> {
        let socket = record.details.socket.clone();
        self.directory().welcome(record.clone()).await?;
        if let Some(path) = socket
            && let Err(error) = self.listen(&record, path).await
        {
            // The companion is reachable by nobody, which its health shows; the rest of the stack runs.
            tracing::error!(companion = record.name, %error, remedy = error.remedy(), "a companion cannot listen");
        }
        Ok(())
    }

    /// Sends somebody away: their socket closes, their record goes.
    pub async fn dismiss(&self, name: &str) -> Result<(), DirectoryError> {
        self.stack.sockets().all().remove(&name.to_lowercase());
        self.directory().dismiss(name).await
    }

    /// A name that nobody has: `wanted`, or `wanted-2`, …
    pub fn free_name(&self, wanted: &str) -> String {
        let mut names = std::iter::once(wanted.to_owned())
            .chain((2..).map(|number| format!("{wanted}-{number}")));
        names
            .find(|name| self.directory().find(name).is_none())
            .unwrap_or_else(|| wanted.to_owned())
    }

    /// Where a companion listens that is not a container's.
    pub fn named_socket(&self, name: &str) -> PathBuf {
        self.stack
            .data()
            .run()
            .join(format!("ci_{}.sock", name.to_lowercase()))
    }

    /// Where a container's companion listens.
    pub fn container_socket(&self, container_id: &str) -> PathBuf {
        let short = container_id.get(..12).unwrap_or(container_id);
        self.stack.data().run().join(format!("ci_{short}.sock"))
    }

    /// Registers the stack itself.
    pub async fn register_stack(&self) -> Result<(), DirectoryError> {
        let name = self.stack.name().to_owned();
        let details = Details {
            capabilities: vec!["build".to_owned(), "run".to_owned(), "watch".to_owned()],
            socket: Some(self.named_socket(&name)),
            ..Details::default()
        };
        self.welcome(Record::new(name, Kind::Tekton, details)).await
    }

    async fn listen(&self, record: &Record, path: PathBuf) -> Result<(), SocketError> {
        let key = record.name.to_lowercase();
        if self
            .stack
            .sockets()
            .all()
            .get(&key)
            .is_some_and(|socket| socket.path() == path)
        {
            return Ok(());
        }
        let name = Some(record.name.clone());
        let resource = self.stack.resource(Action::SendMessage, name);
        let audited = self.stack.clone();
        let decide = move |peer: &ergon_companion::Peer, _: &ergon_companion::Message| {
            let principal = Principal::LocalUser { uid: peer.uid };
            let circumstances = Circumstances::new(Channel::Socket, Means::Peer);
            let policy = audited.policy();
            let decided =
                policy.authorize(&principal, Action::SendMessage, &resource, circumstances);
            let asked = Asked {
                request: "",
                channel: Channel::Socket,
                principal: &principal,
                action: Action::SendMessage,
                resource: &resource,
                is_change: false,
            };
            if decided.is_allowed() {
                return Ok(());
            }
            // A denial is one, whether it can be written down or not.
            let _ = audited.audit().decided(asked, &decided);
            Err(format!("{} may not do this", principal.name()))
        };
        let (stack, record) = (self.stack.clone(), record.clone());
        let think = move |peer: ergon_companion::Peer, message: ergon_companion::Message| {
            let (stack, record) = (stack.clone(), record.clone());
            async move {
                let overheard = Overheard::begin(&stack, &peer, &record.name, &message.content);
                let reply = stack.companions().answer(&record, &message.content).await;
                overheard.answered(&reply);
                reply
            }
        };
        let socket = CompanionSocket::listen(&path, decide, think).await?;
        self.stack.sockets().all().insert(key, socket);
        Ok(())
    }

    /// What a companion of this stack says.
    async fn answer(&self, record: &Record, question: &str) -> Reply {
        match (record.kind, &record.details) {
            (
                Kind::Container,
                Details {
                    container_id: Some(id),
                    ..
                },
            ) => self.stack.containers().answer(id, question).await,
            (
                Kind::Project,
                Details {
                    project_id: Some(id),
                    ..
                },
            ) => self.answer_for_project(record, id, question).await,
            (Kind::Tekton, _) => match self.stack_facts().await {
                Ok(facts) => ergon_companion::stack::answer(question, &facts, Timestamp::now()),
                Err(error) => at_a_loss(&record.name, &error),
            },
            _ => at_a_loss(&record.name, &"I do not know what I stand for"),
        }
    }

    async fn answer_for_project(&self, record: &Record, id: &str, question: &str) -> Reply {
        let projects = self.stack.projects();
        let facts = match projects.find(id).await {
            Ok(row) => projects.facts(&row).await,
            Err(error) => Err(error),
        };
        match facts {
            Ok(facts) => ergon_companion::project::answer(question, &facts, Timestamp::now()),
            Err(error) => at_a_loss(&record.name, &error),
        }
    }

    async fn stack_facts(&self) -> Result<StackFacts, CompanionError> {
        let store = self.stack.store();
        let containers = self.stack.containers().list().await;
        let named = |wellness: &str| -> Vec<String> {
            containers
                .iter()
                .filter(|container| container.wellness == wellness)
                .map(|container| container.name.clone())
                .collect()
        };
        Ok(StackFacts {
            name: self.stack.name().to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at: self.stack.started_at(),
            engine: self.stack.engine_link().describe(),
            projects: store.projects().await?.len() as u64,
            builds: u64::try_from(store.count_builds().await?).unwrap_or(0),
            companions: self.directory().list().len() as u64,
            containers_well: named("well").len() as u64,
            unwell: named("unwell"),
            stopped: named("stopped"),
            active_jobs: store.open_jobs().await?.len() as u64,
        })
    }
}

/// What somebody says who cannot find out.
fn at_a_loss(name: &str, why: &dyn std::fmt::Display) -> Reply {
    Reply {
        from: name.to_owned(),
        content: format!("I cannot tell: {why}."),
        findings: Vec::new(),
        evidence: Vec::new(),
        ..Reply::default()
    }
}
