//! The roster: who is in the directory, as the API shows it, and how those from outside come and go.

use ergon_hermes::{Details, DirectoryError, Kind, Present, Registration, State};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::api;
use crate::authorize::Principal;
use crate::companions::CompanionError;
use crate::stack::Stack;
use crate::words::rfc3339;

/// Of three heartbeats two may be lost.
const BEATS: f32 = 3.0;

/// Who is wanted; without any of these, everybody.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// `project`, `container`, `tekton` (or `stack`), `external`, `tool`, `terminal`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// One of its capabilities.
    pub capability: Option<String>,
    /// One of its specialties.
    pub specialty: Option<String>,
    /// `up`, `degraded`, `stale`, `down`.
    pub health: Option<String>,
    /// A part of its name, its purpose, its address, or of what it can; in any case.
    pub q: Option<String>,
}

/// What is asked for in words that mean nothing.
#[derive(Debug, thiserror::Error)]
pub enum WantedError {
    #[error("`{0}` is no type")]
    Kind(String),
    #[error("`{0}` is no health")]
    Health(String),
}

impl WantedError {
    /// What a person can do about it.
    pub fn remedy(&self) -> String {
        match self {
            Self::Kind(_) => {
                "these are: project, container, tekton (or stack), external, tool, terminal"
            }
            Self::Health(_) => "these are: up, degraded, stale, down",
        }
        .to_owned()
    }
}

/// Who is in the directory, as the API shows it.
pub struct Roster<'a> {
    stack: &'a Stack,
}

impl<'a> Roster<'a> {
    pub fn new(stack: &'a Stack) -> Self {
        Self { stack }
    }

    /// Everybody who is wanted, in the order of their names.
    pub async fn list(&self, wanted: &Wanted) -> Result<Vec<api::Companion>, CompanionError> {
        let filter = Filter::of(wanted)?;
        let present = self
            .stack
            .directory()
            .list_where(|present| filter.lets(present, self.purpose(present).as_deref()));
        let mut companions = self.view(present).await?;
        // How this stack's own are is known here only.
        companions.retain(|companion| {
            filter
                .health
                .is_none_or(|health| companion.health == health.word())
        });
        Ok(companions)
    }

    /// Somebody, by their name in any case.
    pub async fn find(&self, name: &str) -> Result<api::Companion, CompanionError> {
        let found = self.stack.directory().find(name);
        let found = self.view(Vec::from_iter(found)).await?.pop();
        found.ok_or_else(|| self.nobody(name))
    }

    /// Nobody has this name, and these are there.
    pub fn nobody(&self, name: &str) -> CompanionError {
        let there = self.stack.directory().list();
        CompanionError::NotFound {
            name: name.to_owned(),
            there: there.into_iter().map(|there| there.name.clone()).collect(),
        }
    }

    /// Registers somebody, or renews their record. Says whether nobody had the name before.
    pub async fn register(
        &self,
        registration: &Registration,
        by: &Principal,
    ) -> Result<(bool, api::Registered), CompanionError> {
        let directory = self.stack.directory();
        let registered = directory.register(registration, &by.name()).await?;
        let ttl = registered.present.details.ttl.unwrap_or_default();
        let companion = self.view_one(&registered.present, String::new());
        let answer = api::Registered {
            companion,
            lease: registered.lease,
            heartbeat_every: ttl as f32 / BEATS,
        };
        Ok((registered.is_new, answer))
    }

    /// Takes a heartbeat.
    pub fn heartbeat(&self, name: &str, lease: Option<&str>) -> Result<api::Lease, DirectoryError> {
        let present = self.stack.directory().heartbeat(name, lease)?;
        let ttl = present.details.ttl.unwrap_or_default();
        Ok(api::Lease {
            ttl,
            heartbeat_every: ttl as f32 / BEATS,
            lease_ends_at: rfc3339(present.lease_ends_at().unwrap_or_default()),
        })
    }

    /// What somebody is there for: what was said of them here, else what they say themselves.
    fn purpose(&self, present: &Present) -> Option<String> {
        let said = self.stack.purposes().of(&present.name);
        said.map(|said| said.purpose)
            .or_else(|| present.details.purpose.clone())
    }

    /// What each of them says is looked up once for all, and only where somebody says something.
    async fn view(&self, present: Vec<Present>) -> Result<Vec<api::Companion>, CompanionError> {
        let has = |kind: Kind| {
            present
                .iter()
                .any(|present| present.kind == kind && is_own(present))
        };
        let containers = if has(Kind::Container) {
            self.stack.containers().list().await
        } else {
            Vec::new()
        };
        let projects = if has(Kind::Project) {
            self.stack.store().projects().await?
        } else {
            Vec::new()
        };
        let sentence = |present: &Present| -> Option<String> {
            let details = &present.details;
            match present.kind {
                _ if !is_own(present) => self.purpose(present),
                Kind::Container => {
                    let mut containers = containers.iter();
                    let of = |container: &&api::ContainerSummary| {
                        Some(&container.id) == details.container_id.as_ref()
                    };
                    Some(containers.find(of)?.sentence.clone())
                }
                Kind::Project => {
                    let id = details.project_id.as_deref();
                    let mut projects = projects.iter();
                    let project = projects.find(|project| Some(project.id.as_str()) == id)?;
                    let (name, folder) = (&project.name, &project.folder);
                    Some(format!("I know project {name} in {folder}."))
                }
                Kind::Tekton => Some(self.stack.sentence()),
                Kind::External | Kind::Tool | Kind::Terminal => None,
            }
        };
        let view =
            |present: &Present| self.view_one(present, sentence(present).unwrap_or_default());
        Ok(present.iter().map(view).collect())
    }

    fn view_one(&self, present: &Present, sentence: String) -> api::Companion {
        let health = present.health();
        let word = match &health {
            Some(health) => health.state,
            None if self.stack.sockets().listens(&present.name) => State::Up,
            // An inbox takes messages at any time.
            None if present.kind == Kind::Terminal => State::Up,
            None => State::Down,
        };
        let said = self.stack.purposes().of(&present.name);
        let (said, purpose_said_by) = said.map(|said| (said.purpose, said.said_by)).unzip();
        let Details {
            capabilities,
            specialties,
            about,
            purpose,
            socket,
            container_id,
            container,
            project_id,
            stack_id,
            pid,
            message_format,
            mcp_endpoints,
            health_endpoint,
            federation,
            ttl,
            ..
        } = present.details.clone();
        api::Companion {
            name: present.name.clone(),
            kind: present.kind.word().to_owned(),
            capabilities,
            specialties,
            about,
            purpose: said.or(purpose),
            purpose_said_by,
            address: present.details.address().to_string(),
            message_format,
            mcp_endpoints,
            health_endpoint,
            federation,
            stack_id,
            container_id,
            container,
            project_id,
            socket: socket.map(|socket| socket.display().to_string()),
            pid,
            health: word.word().to_owned(),
            since: health.as_ref().map(|health| rfc3339(health.since)),
            reason: health.map(|health| health.reason.into_owned()),
            sentence,
            registered_at: rfc3339(present.registered_at),
            registered_by: present.registered_by().map(str::to_owned),
            ttl,
            lease_ends_at: present.lease_ends_at().map(rfc3339),
        }
    }
}

/// Whether it stands for something of this stack.
fn is_own(present: &Present) -> bool {
    present.registered_by().is_none()
}

/// Who is wanted, in words that mean something.
struct Filter<'a> {
    kind: Option<Kind>,
    health: Option<State>,
    capability: Option<&'a str>,
    specialty: Option<&'a str>,
    /// In small letters.
    text: Option<String>,
}

impl<'a> Filter<'a> {
    fn of(wanted: &'a Wanted) -> Result<Self, WantedError> {
        let shortened = |text: &str| text.chars().take(80).collect::<String>();
        let kind = wanted
            .kind
            .as_deref()
            .map(|word| Kind::from_word(word).ok_or_else(|| WantedError::Kind(shortened(word))));
        let health = wanted
            .health
            .as_deref()
            .map(|word| State::from_word(word).ok_or_else(|| WantedError::Health(shortened(word))));
        Ok(Self {
            kind: kind.transpose()?,
            health: health.transpose()?,
            capability: wanted.capability.as_deref(),
            specialty: wanted.specialty.as_deref(),
            text: wanted.q.as_ref().map(|text| text.to_lowercase()),
        })
    }

    fn lets(&self, present: &Present, purpose: Option<&str>) -> bool {
        let details = &present.details;
        let is_one_of = |words: &[String], wanted: &str| {
            words.iter().any(|word| word.eq_ignore_ascii_case(wanted))
        };
        let can = |wanted: &str| {
            is_one_of(&details.capabilities, wanted)
                || details
                    .about
                    .keys()
                    .any(|key| key.eq_ignore_ascii_case(wanted))
        };
        let health = present.health();
        self.kind.is_none_or(|kind| kind == present.kind)
            && self.capability.is_none_or(can)
            && self
                .specialty
                .is_none_or(|wanted| is_one_of(&details.specialties, wanted))
            && self
                .text
                .as_ref()
                .is_none_or(|text| says(present, purpose, text))
            && health.is_none_or(|health| self.health.is_none_or(|wanted| wanted == health.state))
    }
}

/// Whether what is known of somebody has this text in it.
fn says(present: &Present, purpose: Option<&str>, text: &str) -> bool {
    let details = &present.details;
    let address = details.address().to_string();
    let words = [Some(present.name.as_str()), purpose, Some(&address)];
    let more = details.capabilities.iter().chain(&details.specialties);
    let more = more.chain(details.about.keys()).map(String::as_str);
    let mut words = words.into_iter().flatten().chain(more);
    words.any(|word| word.to_lowercase().contains(text))
}
