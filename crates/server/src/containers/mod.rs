//! Containers that have a companion: what is known of them, what is seen of them, what is done to them.

mod crew;
mod history;
mod view;

use std::time::{Duration, Instant};

use ergon_companion::observation::Sight;
use ergon_companion::{Diagnosis, History, Meant, Observation, Reply, Subject, diagnose, dialogue};
use ergon_engine::EngineError;
use ergon_hermes::{Details, DirectoryError, Kind, Record};
use ergon_store::{ContainerRow, NewEvent, ProjectId, StoreError};
use futures_util::future::join_all;
use jiff::Timestamp;
use serde_json::json;

pub use crew::{Crew, Intent};
pub use history::Window;
pub use view::published;

use self::crew::Known;
use self::view::{alike, summary};
use crate::api;
use crate::companions::CompanionError;
use crate::secrets::SecretError;
use crate::stack::Stack;

/// What was seen so lately is shown again without looking.
const FRESH: Duration = Duration::from_secs(2);
/// How long a container may take to end by itself.
const PATIENCE: Duration = Duration::from_secs(10);
/// The pauses between looks grow from one to the other while nothing changes.
const SHORTEST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// What went wrong with a container.
#[derive(Debug, thiserror::Error)]
pub enum ContainerError {
    #[error("no container `{name}` has a companion here")]
    NotFound { name: String },
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Secret(#[from] SecretError),
}

impl ContainerError {
    /// What a person can do about it.
    pub fn remedy(&self) -> Option<String> {
        match self {
            Self::NotFound { name } => Some(format!(
                "ergon container list says which there are; ergon companion launch --container {name} gives one to any container"
            )),
            Self::Engine(error) => error.remedy(),
            Self::Store(error) => error.remedy(),
            Self::Secret(error) => error.remedy(),
            Self::Directory(_) => None,
        }
    }
}

/// The stack's containers.
pub struct Containers<'a> {
    stack: &'a Stack,
}

impl<'a> Containers<'a> {
    pub fn new(stack: &'a Stack) -> Self {
        Self { stack }
    }

    fn crew(&self) -> &'a Crew {
        self.stack.crew()
    }

    pub async fn list(&self) -> Vec<api::ContainerSummary> {
        let ids: Vec<String> = self.crew().known().keys().cloned().collect();
        let mut summaries: Vec<_> = join_all(ids.iter().map(|id| self.summary(id)))
            .await
            .into_iter()
            .flatten()
            .collect();
        summaries.sort_by(|a, b| a.name.cmp(&b.name));
        summaries
    }

    /// The containers of a project.
    pub async fn of_project(&self, project: &ProjectId) -> Vec<api::ContainerSummary> {
        self.where_row(|row| row.project_id.as_ref() == Some(project))
            .await
    }

    /// The containers that run an image of a build.
    pub async fn of_build(&self, build_hash: &str) -> Vec<api::ContainerSummary> {
        let summaries = self.list().await;
        summaries
            .into_iter()
            .filter(|summary| summary.build_hash.as_deref() == Some(build_hash))
            .collect()
    }

    async fn where_row(
        &self,
        wanted: impl Fn(&ContainerRow) -> bool,
    ) -> Vec<api::ContainerSummary> {
        let ids: Vec<String> = self
            .crew()
            .known()
            .values()
            .filter(|known| wanted(&known.row))
            .map(|known| known.row.id.clone())
            .collect();
        join_all(ids.iter().map(|id| self.summary(id)))
            .await
            .into_iter()
            .flatten()
            .collect()
    }

    pub async fn read(&self, name: &str) -> Result<api::Container, ContainerError> {
        let id = self.find(name)?.id;
        let (observation, diagnosis, summary) =
            self.look(&id).await.ok_or_else(|| not_found(name))?;
        let memory = observation.memory.as_ref();
        Ok(api::Container {
            summary,
            memory: memory.map(|memory| memory.used),
            memory_limit: memory
                .and_then(|memory| memory.limit)
                .or(observation.state().and_then(|state| state.memory_limit)),
            restarts: observation.state().map_or(0, |state| state.restart_count),
            services: observation.services,
            findings: diagnosis.findings,
            evidence: diagnosis.evidence,
            log: observation.log.into_iter().map(|line| line.text).collect(),
            log_digest: observation.log_digest.map(view::shortened),
        })
    }

    /// What a container used, and what happened to it.
    pub async fn history(
        &self,
        name: &str,
        window: Window,
    ) -> Result<api::ContainerHistory, ContainerError> {
        let name = self.find(name)?.name;
        let Some(watcher) = self.crew().watcher() else {
            return Ok(window.show(&[], &[]));
        };
        let (since, until) = (
            Timestamp::from_second(window.since).unwrap_or(Timestamp::UNIX_EPOCH),
            Timestamp::from_second(window.until).unwrap_or(Timestamp::UNIX_EPOCH),
        );
        let read = move || {
            let (points, marks) = watcher.series(&name, window.grain, since, until);
            window.show(&points, &marks)
        };
        // A month of minutes is two megabytes to be read and summed up.
        let shown = tokio::task::spawn_blocking(read).await;
        shown.map_err(|error| {
            ContainerError::Engine(EngineError::Disconnected(format!(
                "what was counted could not be read: {error}"
            )))
        })
    }

    pub async fn start(&self, name: &str) -> Result<api::ContainerSummary, ContainerError> {
        let id = self.find(name)?.id;
        self.hand_over(&id).await?;
        self.stack.engine()?.start(&id).await?;
        self.after_change(&id, name).await
    }

    pub async fn stop(&self, name: &str) -> Result<api::ContainerSummary, ContainerError> {
        let id = self.find(name)?.id;
        self.stack.engine()?.stop(&id, PATIENCE).await?;
        self.after_change(&id, name).await
    }

    pub async fn restart(&self, name: &str) -> Result<api::ContainerSummary, ContainerError> {
        let id = self.find(name)?.id;
        self.hand_over(&id).await?;
        self.stack.engine()?.restart(&id, PATIENCE).await?;
        self.after_change(&id, name).await
    }

    /// Puts a container's secrets where it finds them, as they are now: what is in memory only is gone when the machine
    /// is started anew.
    pub async fn hand_over(&self, id: &str) -> Result<(), ContainerError> {
        let known = self.crew().known().get(id).cloned();
        let Some((row, intent)) = known.and_then(|known| Some((known.row, known.intent?))) else {
            return Ok(());
        };
        let (Some(folder), Some(project)) = (&intent.secrets_in, &row.project_id) else {
            return Ok(());
        };
        let Some(project) = self.stack.store().project(project.as_str()).await? else {
            return Ok(());
        };
        let secrets = self.stack.secrets();
        secrets
            .put_files(&project, &intent.container, &intent.secrets, folder)
            .await?;
        Ok(())
    }

    /// Removes the container with its anonymous volumes; its companion leaves.
    pub async fn remove(&self, name: &str) -> Result<(), ContainerError> {
        let id = self.find(name)?.id;
        match self.stack.engine()?.remove(&id, true, true).await {
            Ok(()) => {}
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error.into()),
        }
        self.leave(&id).await
    }

    /// What is stored of a container.
    pub fn known(&self, id: &str) -> Option<ContainerRow> {
        self.crew().known().get(id).map(|known| known.row.clone())
    }

    /// What a container's companion says.
    pub async fn answer(&self, id: &str, question: &str) -> Reply {
        match self.subject(id) {
            Some(subject) => {
                let observation = self.observe(&subject).await;
                let mut reply = dialogue::answer(question, &observation);
                // Before offers are made: codes that approve something are nothing a model has to know.
                self.stack.explain(question, &observation, &mut reply).await;
                let approvals = self.stack.approvals();
                approvals.offer_in(&mut reply, question, &observation).await;
                reply
            }
            None => Reply {
                from: String::new(),
                content: "My container is gone, and so am I.".to_owned(),
                findings: Vec::new(),
                evidence: Vec::new(),
                ..Reply::default()
            },
        }
    }

    /// Looks at a container.
    pub async fn observe(&self, subject: &Subject) -> Observation {
        if let Some(watcher) = self.crew().watcher() {
            return watcher.observe(subject).await;
        }
        let reason = self
            .stack
            .engine_link()
            .describe()
            .err()
            .unwrap_or_else(|| "nobody watches yet".to_owned());
        Observation::empty(
            Timestamp::now(),
            subject.clone(),
            Sight::Blind(reason),
            History::default(),
        )
    }

    /// Whom a container's companion speaks for, by the container's name or id.
    pub fn find_subject(&self, name: &str) -> Result<Subject, ContainerError> {
        let id = self.find(name)?.id;
        self.subject(&id).ok_or_else(|| not_found(name))
    }

    pub fn subject(&self, id: &str) -> Option<Subject> {
        self.crew()
            .known()
            .get(id)
            .map(|known| known.subject.clone())
    }

    /// Gives a container its companion: remembered, registered, listening, watched.
    pub async fn adopt(&self, row: ContainerRow) -> Result<(), CompanionError> {
        // Whoever has the name keeps it, and nothing is remembered.
        self.welcome(&row).await?;
        let added = event(
            "dev.ergon.container.added",
            &row.name,
            json!({ "companion": row.companion }),
        );
        let mut change = self.stack.store().change(added).await?;
        change.put_container(&row).await?;
        change.commit().await?;
        Ok(())
    }

    /// Gives a container that is remembered its companion back.
    pub async fn welcome(&self, row: &ContainerRow) -> Result<(), CompanionError> {
        let intent = Intent::of(row);
        let details = Details {
            capabilities: intent
                .as_ref()
                .map(|intent| intent.capabilities.clone())
                .unwrap_or_default(),
            socket: Some(self.stack.companions().container_socket(&row.id)),
            container_id: Some(row.id.clone()),
            container: Some(row.name.clone()),
            project_id: row.project_id.as_ref().map(ToString::to_string),
            ..Details::default()
        };
        let subject = Subject {
            companion: row.companion.clone(),
            container_id: row.id.clone(),
            container: row.name.clone(),
            capabilities: details.capabilities.clone(),
            meant: self.meant(intent.as_ref()).await?,
        };
        self.stack
            .companions()
            .welcome(Record::new(&row.companion, Kind::Container, details))
            .await?;
        let now = Instant::now();
        let known = Known {
            row: row.clone(),
            intent,
            subject,
            seen: None,
            fresh_until: None,
            next_look: now,
            pause: SHORTEST_PAUSE,
        };
        self.crew().known().insert(row.id.clone(), known);
        if let Some(watcher) = self.crew().watcher() {
            watcher.watch(&row.id, &row.name);
        }
        Ok(())
    }

    /// Takes leave of a container that is gone.
    pub async fn leave(&self, id: &str) -> Result<(), ContainerError> {
        let crew = self.crew();
        let _leaving = crew.leaving.lock().await;
        let Some(known) = self.crew().known().remove(id) else {
            return Ok(());
        };
        if let Some(watcher) = self.crew().watcher() {
            watcher.forget(id);
        }
        let removed = event(
            "dev.ergon.container.removed",
            &known.row.name,
            json!({ "companion": known.row.companion }),
        );
        let mut change = self.stack.store().change(removed).await?;
        change.remove_container(id).await?;
        change.commit().await?;
        let folder = known.intent.and_then(|intent| intent.secrets_in);
        if let Some(Err(error)) = folder.map(|folder| self.stack.secrets().places().remove(&folder))
        {
            tracing::warn!(%error, container = known.row.name, "its secrets stay in memory");
        }
        self.stack
            .companions()
            .dismiss(&known.row.companion)
            .await?;
        Ok(())
    }

    /// The engine gave it another name.
    pub async fn rename(&self, id: &str, name: &str) -> Result<(), ContainerError> {
        let Some(mut row) = self.known(id).filter(|row| row.name != name) else {
            return Ok(());
        };
        name.clone_into(&mut row.name);
        if let Some(known) = self.crew().known().get_mut(id) {
            known.row.name.clone_from(&row.name);
            known.subject.container.clone_from(&row.name);
            known.fresh_until = None;
        }
        let mut change = self
            .stack
            .store()
            .change(event("dev.ergon.container.renamed", name, json!({})))
            .await?;
        change.put_container(&row).await?;
        change.commit().await?;
        Ok(())
    }

    /// Something happened to it: it is looked at soon, and often for a while.
    pub fn stir(&self, id: &str) {
        if let Some(known) = self.crew().known().get_mut(id) {
            known.fresh_until = None;
            known.pause = SHORTEST_PAUSE;
            known.next_look = Instant::now() + SHORTEST_PAUSE;
        }
    }

    /// Whoever is watched from now on.
    pub fn ids(&self) -> Vec<(String, String)> {
        self.crew()
            .known()
            .values()
            .map(|known| (known.row.id.clone(), known.row.name.clone()))
            .collect()
    }

    /// Looks at those whose time has come, and tells of those that are not as they were.
    pub async fn look_around(&self) {
        let now = Instant::now();
        let due: Vec<String> = self
            .crew()
            .known()
            .iter()
            .filter(|(_, known)| known.next_look <= now)
            .map(|(id, _)| id.clone())
            .collect();
        join_all(due.iter().map(|id| self.look(id))).await;
    }

    async fn summary(&self, id: &str) -> Option<api::ContainerSummary> {
        let (seen, fresh_until) = {
            let all = self.crew().known();
            let known = all.get(id)?;
            (known.seen.clone(), known.fresh_until)
        };
        match seen {
            Some(summary) if fresh_until.is_some_and(|until| until > Instant::now()) => {
                Some(summary)
            }
            _ => self.look(id).await.map(|(_, _, summary)| summary),
        }
    }

    /// Looks, remembers, and tells where something is not as it was.
    async fn look(&self, id: &str) -> Option<(Observation, Diagnosis, api::ContainerSummary)> {
        let subject = self.subject(id)?;
        let observation = self.observe(&subject).await;
        let diagnosis = diagnose(&observation);
        let (summary, before) = {
            let mut all = self.crew().known();
            let known = all.get_mut(id)?;
            let summary = summary(known, &observation, &diagnosis);
            let before = known.seen.replace(summary.clone());
            let now = Instant::now();
            let unchanged = before
                .as_ref()
                .is_some_and(|before| alike(before, &summary));
            known.pause = if unchanged {
                (known.pause * 2).min(LONGEST_PAUSE)
            } else {
                SHORTEST_PAUSE
            };
            known.next_look = now + known.pause;
            known.fresh_until = Some(now + FRESH);
            (summary, before)
        };
        if before.is_none_or(|before| !alike(&before, &summary)) {
            self.tell(&summary).await;
        }
        self.stack.approvals().look(&observation).await;
        Some((observation, diagnosis, summary))
    }

    async fn tell(&self, summary: &api::ContainerSummary) {
        let data = json!({ "state": summary.state, "wellness": summary.wellness, "sentence": summary.sentence });
        if let Err(error) = self
            .stack
            .tell(event("dev.ergon.container.changed", &summary.name, data))
            .await
        {
            tracing::error!(%error, container = summary.name, "a change could not be told");
        }
    }

    async fn after_change(
        &self,
        id: &str,
        name: &str,
    ) -> Result<api::ContainerSummary, ContainerError> {
        self.look(id)
            .await
            .map(|(_, _, summary)| summary)
            .ok_or_else(|| not_found(name))
    }

    /// By Docker name, or by id or the beginning of one.
    fn find(&self, name: &str) -> Result<ContainerRow, ContainerError> {
        let all = self.crew().known();
        let by_name = all.values().find(|known| known.row.name == name);
        let by_id = || {
            let mut found = all
                .values()
                .filter(|known| name.len() >= 4 && known.row.id.starts_with(name));
            found.next().filter(|_| found.next().is_none())
        };
        by_name
            .or_else(by_id)
            .map(|known| known.row.clone())
            .ok_or_else(|| not_found(name))
    }

    async fn meant(&self, intent: Option<&Intent>) -> Result<Option<Meant>, StoreError> {
        let Some(intent) = intent else {
            return Ok(None);
        };
        let manifest = self.stack.store().manifest(&intent.manifest_digest).await?;
        let manifest = manifest.and_then(|value| serde_json::from_value(value).ok());
        Ok(manifest.map(|manifest| Meant {
            manifest,
            manifest_digest: Some(intent.manifest_digest.clone()),
            container: intent.container.clone(),
            build_hash: intent.build_hash.clone(),
            image_digest: intent.image_digest.clone(),
            image_id: intent.image_id.clone(),
        }))
    }
}

/// An event about a container.
pub fn event(kind: &'static str, name: &str, data: serde_json::Value) -> NewEvent {
    NewEvent::new(kind, format!("container/{name}"), data)
}

fn not_found(name: &str) -> ContainerError {
    ContainerError::NotFound {
        name: name.to_owned(),
    }
}
