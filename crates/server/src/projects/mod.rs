//! Projects: source trees the stack knows, what is in them, and what is written into them.

mod answers;
mod clone;
mod files;
mod generate;
mod location;
mod look;

use std::path::{Path, PathBuf};

use ergon_companion::project::{ProjectFact, ProjectFacts};
use ergon_detect::analysis::Topic;
use ergon_hermes::{Details, DirectoryError, Kind, Record};
use ergon_manifest::Digest;
use ergon_pack::PackError;
use ergon_store::{JobRow, NewEvent, ProjectId, ProjectRow, StoreError, now};
use futures_util::future::try_join_all;
use serde_json::json;

pub use clone::CloneError;
pub use files::{SaveError, WantedFile, save};
pub use generate::docker_config;
use generate::generated;
pub use location::{Location, LocationError};
pub use look::{Look, Looks};

use crate::api;
use crate::stack::Stack;
use crate::words::{rfc3339, slug};

/// The longest display name.
const LONGEST_NAME: usize = 80;

/// What went wrong with a project.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    #[error("there is no project `{name}`")]
    NotFound { name: String },
    #[error(transparent)]
    Location(#[from] LocationError),
    #[error("{} cannot be opened: {reason}", folder.display())]
    Folder { folder: PathBuf, reason: String },
    #[error("`{name}` cannot be a project's name: {reason}")]
    Name { name: String, reason: &'static str },
    #[error("there is a project `{name}` already")]
    NameTaken { name: String },
    #[error("{location} is known already, as project `{name}`")]
    Known { location: String, name: String },
    #[error("job {job} is working on project `{name}`")]
    Busy { name: String, job: String },
    #[error("nothing can be generated: {text}")]
    Unusable {
        text: String,
        remedy: Option<String>,
    },
    #[error(transparent)]
    Clone(#[from] CloneError),
    #[error(transparent)]
    Save(#[from] SaveError),
    #[error(transparent)]
    Pack(#[from] PackError),
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("a task ended without an answer: {0}")]
    Task(#[from] tokio::task::JoinError),
}

impl ProjectError {
    /// What a person can do about it.
    pub fn remedy(&self) -> Option<String> {
        match self {
            Self::NotFound { .. } => Some("ergon project list says which there are".to_owned()),
            Self::Location(error) => Some(error.remedy()),
            Self::Folder { .. } => {
                Some("give a folder on the stack's machine that its user may read".to_owned())
            }
            Self::NameTaken { .. } => Some("choose another with --name".to_owned()),
            Self::Busy { job, .. } => {
                Some(format!("wait for it, or cancel it: ergon job cancel {job}"))
            }
            Self::Unusable { remedy, .. } => remedy.clone(),
            Self::Clone(error) => error.remedy(),
            Self::Save(error) => Some(error.remedy()),
            Self::Pack(error) => error.remedy(),
            Self::Store(error) => error.remedy(),
            Self::Name { .. } | Self::Known { .. } | Self::Directory(_) | Self::Task(_) => None,
        }
    }
}

/// The stack's projects.
pub struct Projects<'a> {
    stack: &'a Stack,
}

impl<'a> Projects<'a> {
    pub fn new(stack: &'a Stack) -> Self {
        Self { stack }
    }

    /// The project with this id or name.
    pub async fn find(&self, id_or_name: &str) -> Result<ProjectRow, ProjectError> {
        let found = self.stack.store().project(id_or_name).await?;
        found.ok_or_else(|| ProjectError::NotFound {
            name: id_or_name.to_owned(),
        })
    }

    pub async fn list(&self) -> Result<Vec<api::Project>, ProjectError> {
        let rows = self.stack.store().projects().await?;
        let open = self.stack.store().open_jobs().await?;
        try_join_all(rows.into_iter().map(|row| self.view(row, &open))).await
    }

    pub async fn read(&self, id_or_name: &str) -> Result<api::Project, ProjectError> {
        let row = self.find(id_or_name).await?;
        let open = self.stack.store().open_jobs().await?;
        self.view(row, &open).await
    }

    /// Adds a folder or a repository, which is cloned.
    pub async fn add(&self, wanted: api::AddProject) -> Result<api::Project, ProjectError> {
        let location = Location::parse(&wanted.location)?;
        let name = wanted.name.as_deref().map(checked_name).transpose()?;
        let row = self.add_at(location, name).await?;
        self.view(row, &[]).await
    }

    /// Whether a location is a folder of this machine.
    pub fn is_folder(location: &str) -> Result<bool, ProjectError> {
        Ok(matches!(Location::parse(location)?, Location::Folder(_)))
    }

    /// The project in a folder; it becomes one where it is none.
    pub async fn at_folder(&self, folder: &str) -> Result<ProjectRow, ProjectError> {
        let location = Location::parse(folder)?;
        let Location::Folder(path) = &location else {
            let reason = "a run takes a folder; add a repository as a project".to_owned();
            return Err(ProjectError::Folder {
                folder: folder.into(),
                reason,
            });
        };
        let path = opened(path)?;
        if let Some(row) = self
            .stack
            .store()
            .project_at(&path.display().to_string())
            .await?
        {
            return Ok(row);
        }
        match self.add_at(Location::Folder(path.clone()), None).await {
            // Somebody else was quicker.
            Err(ProjectError::Known { name, .. }) => self.find(&name).await,
            other => other,
        }
    }

    async fn add_at(
        &self,
        location: Location,
        name: Option<String>,
    ) -> Result<ProjectRow, ProjectError> {
        let store = self.stack.store();
        let location = match location {
            Location::Folder(path) => Location::Folder(opened(&path)?),
            git @ Location::Git(_) => git,
        };
        if let Some(known) = store.project_at(&location.to_string()).await? {
            return Err(ProjectError::Known {
                location: location.to_string(),
                name: known.name,
            });
        }
        let name = match name {
            Some(name) if store.project(&name).await?.is_some() => {
                return Err(ProjectError::NameTaken { name });
            }
            Some(name) => name,
            None => self.free_name(&location.last_part()).await?,
        };
        let id = ProjectId::from_random(self.stack.entropy().bytes());
        let clone_into = self.stack.data().projects().join(id.as_str());
        let folder = match &location {
            Location::Git(url) => {
                clone::clone(&clone::Source::Url(url.as_str().to_owned()), &clone_into).await?;
                clone_into
            }
            Location::Folder(path) if clone::is_bare_repository(path) => {
                clone::clone(&clone::Source::Bare(path.clone()), &clone_into).await?;
                clone_into
            }
            Location::Folder(path) => path.clone(),
        };
        let row = ProjectRow {
            companion: self
                .stack
                .companions()
                .free_name(&format!("{}-project", slug(&name))),
            id,
            name,
            location: location.to_string(),
            folder: folder.display().to_string(),
            manifest_digest: None,
            docker_config: None,
            added_at: now(),
        };
        let added = event("dev.ergon.project.added", &row);
        let mut change = store.change(added).await?;
        match change.add_project(&row).await {
            Ok(()) => change.commit().await?,
            Err(StoreError::Exists { .. }) => {
                drop(change);
                let known = store.project_at(&row.location).await?;
                return Err(match known {
                    Some(known) => ProjectError::Known {
                        location: row.location,
                        name: known.name,
                    },
                    None => ProjectError::NameTaken { name: row.name },
                });
            }
            Err(error) => return Err(error.into()),
        }
        self.give_companion(&row).await?;
        Ok(row)
    }

    /// Registers the project's companion, and lets it listen.
    pub async fn give_companion(&self, row: &ProjectRow) -> Result<(), DirectoryError> {
        let details = Details {
            capabilities: vec!["explain".to_owned()],
            socket: Some(self.stack.companions().named_socket(&row.companion)),
            project_id: Some(row.id.to_string()),
            ..Details::default()
        };
        self.stack
            .companions()
            .welcome(Record::new(&row.companion, Kind::Project, details))
            .await
    }

    /// Forgets a project. Its folder is left as it is; a clone of ours goes.
    pub async fn remove(&self, id_or_name: &str) -> Result<(), ProjectError> {
        let row = self.find(id_or_name).await?;
        if let Some(job) = self
            .stack
            .store()
            .open_jobs()
            .await?
            .iter()
            .find(|job| job.project_id == row.id)
        {
            return Err(ProjectError::Busy {
                name: row.name,
                job: job.id.to_string(),
            });
        }
        let mut change = self
            .stack
            .store()
            .change(event("dev.ergon.project.removed", &row))
            .await?;
        change.remove_project(&row.id).await?;
        change.commit().await?;
        self.stack.companions().dismiss(&row.companion).await?;
        self.stack.looks().forget(Path::new(&row.folder));
        let clone = self.stack.data().projects().join(row.id.as_str());
        if clone.exists()
            && let Err(error) = tokio::fs::remove_dir_all(&clone).await
        {
            tracing::warn!(%error, folder = %clone.display(), "a clone stays behind");
        }
        Ok(())
    }

    /// Analyses the project and writes its Dockerfile down, nowhere.
    pub async fn generate(
        &self,
        id_or_name: &str,
    ) -> Result<api::GeneratedDockerfile, ProjectError> {
        let row = self.find(id_or_name).await?;
        let look = self.look(&row).await?;
        let folder = PathBuf::from(&row.folder);
        tokio::task::spawn_blocking(move || generated(&row, &look, &folder)).await?
    }

    /// Writes what was shown into the project.
    pub async fn save(
        &self,
        id_or_name: &str,
        wanted: &api::SaveDockerfile,
    ) -> Result<api::SavedDockerfile, ProjectError> {
        let row = self.find(id_or_name).await?;
        let (folder, files) = (PathBuf::from(&row.folder), wanted.clone());
        let written = tokio::task::spawn_blocking(move || {
            let wanted = [
                WantedFile {
                    name: "Dockerfile",
                    content: &files.dockerfile,
                },
                WantedFile {
                    name: ".dockerignore",
                    content: &files.dockerignore,
                },
            ];
            save(&folder, &wanted, files.overwrite)
        })
        .await??;
        let saved_to = Path::new(&row.folder)
            .join("Dockerfile")
            .display()
            .to_string();
        let look = self.look(&row).await?;
        let config = docker_config(
            &wanted.dockerfile,
            Some(saved_to.clone()),
            look.document.as_deref(),
        );
        self.remember(&row, None, &config).await?;
        Ok(api::SavedDockerfile { saved_to, written })
    }

    /// Keeps what the last save or hand-off decided.
    pub async fn remember(
        &self,
        row: &ProjectRow,
        manifest_digest: Option<&Digest>,
        config: &api::DockerConfig,
    ) -> Result<(), StoreError> {
        let mut change = self
            .stack
            .store()
            .change(event("dev.ergon.project.changed", row))
            .await?;
        let digest = manifest_digest.map(ToString::to_string);
        let config = serde_json::to_value(config).unwrap_or_default();
        change
            .set_project_packaging(&row.id, digest.as_deref(), Some(&config))
            .await?;
        change.commit().await
    }

    /// What is in the project's folder.
    pub async fn look(&self, row: &ProjectRow) -> Result<Look, ProjectError> {
        let (stack, folder) = (self.stack.clone(), PathBuf::from(&row.folder));
        Ok(tokio::task::spawn_blocking(move || stack.looks().at(&folder)).await?)
    }

    /// What was in it a moment ago.
    async fn glance(&self, row: &ProjectRow) -> Result<Look, ProjectError> {
        let (stack, folder) = (self.stack.clone(), PathBuf::from(&row.folder));
        Ok(tokio::task::spawn_blocking(move || stack.looks().glance(&folder)).await?)
    }

    /// What the project's companion knows.
    pub async fn facts(&self, row: &ProjectRow) -> Result<ProjectFacts, ProjectError> {
        let look = self.look(row).await?;
        let fact = |fact: &ergon_detect::analysis::Fact| ProjectFact {
            topic: answers::question_of(fact.topic).to_owned(),
            value: fact.value.clone(),
            note: fact.note.clone(),
            from: fact.from.clone(),
        };
        let question = |question: &ergon_detect::analysis::Question| {
            format!("{} {}", question.text, question.remedy)
        };
        Ok(ProjectFacts {
            companion: row.companion.clone(),
            project: row.name.clone(),
            folder: row.folder.clone(),
            facts: look.analysis.facts.iter().map(fact).collect(),
            questions: look.analysis.questions.iter().map(question).collect(),
            problem: look.problem.map(|problem| problem.text),
        })
    }

    async fn view(&self, row: ProjectRow, open: &[JobRow]) -> Result<api::Project, ProjectError> {
        let look = self.glance(&row).await?;
        let last_build = self.stack.store().builds(Some(&row.id), 1).await?.pop();
        let containers = self.stack.containers().of_project(&row.id).await;
        let active = open.iter().find(|job| job.project_id == row.id);
        let application = look
            .document
            .as_ref()
            .and_then(|document| document.manifest.applications.values().next());
        let language = answers::value(&look.analysis, Topic::Runtime)
            .or_else(|| answers::value(&look.analysis, Topic::Language))
            .or_else(|| application.map(|application| application.language.clone()));
        let framework = answers::value(&look.analysis, Topic::Framework)
            .or_else(|| application.map(|application| application.kind.clone()));
        Ok(api::Project {
            framework: framework.filter(|framework| Some(framework) != language.as_ref()),
            language,
            git: look.git_in_words(),
            problem: look.problem.map(|problem| problem.text),
            manifest_digest: row.manifest_digest,
            docker_config: row
                .docker_config
                .and_then(|config| serde_json::from_value(config).ok()),
            last_build: last_build
                .map(|build| self.stack.registry().summary(&build, Some(&row.name))),
            active_job: active.map(crate::jobs::view),
            containers,
            companion: row.companion,
            added_at: rfc3339(row.added_at),
            id: row.id.to_string(),
            name: row.name,
            location: row.location,
            folder: row.folder,
        })
    }

    /// `name`, or `name-2`, … where it is taken.
    async fn free_name(&self, wanted: &str) -> Result<String, ProjectError> {
        let wanted = checked_name(wanted).unwrap_or_else(|_| "project".to_owned());
        let taken = self.stack.store().projects().await?;
        let is_free = |name: &str| {
            !taken
                .iter()
                .any(|row| row.name == name || row.id.as_str() == name)
        };
        let mut names =
            std::iter::once(wanted.clone()).chain((2..).map(|number| format!("{wanted}-{number}")));
        Ok(names.find(|name| is_free(name)).unwrap_or(wanted))
    }
}

/// An event about a project.
pub fn event(kind: &'static str, row: &ProjectRow) -> NewEvent {
    NewEvent::new(
        kind,
        format!("project/{}", row.id),
        json!({ "name": row.name, "location": row.location }),
    )
}

/// The folder as an absolute path without links, if it is one that can be read.
fn opened(path: &Path) -> Result<PathBuf, ProjectError> {
    let failed = |reason: String| ProjectError::Folder {
        folder: path.to_owned(),
        reason,
    };
    let found = path.canonicalize().map_err(|error| {
        failed(match error.kind() {
            std::io::ErrorKind::NotFound => "there is no such folder".to_owned(),
            std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
            _ => error.to_string(),
        })
    })?;
    if !found.is_dir() {
        return Err(failed("it is not a folder".to_owned()));
    }
    if found == Path::new("/") || found.starts_with("/proc") || found.starts_with("/sys") {
        return Err(failed("it is the machine's, and no project".to_owned()));
    }
    if found.to_str().is_none() {
        return Err(failed("its path is not UTF-8".to_owned()));
    }
    std::fs::read_dir(&found).map_err(|error| failed(error.to_string()))?;
    Ok(found)
}

fn checked_name(name: &str) -> Result<String, ProjectError> {
    let name = name.trim();
    let refused = |reason| {
        Err(ProjectError::Name {
            name: name.to_owned(),
            reason,
        })
    };
    if name.is_empty() {
        refused("it is empty")
    } else if name.chars().count() > LONGEST_NAME {
        refused("it is longer than 80 letters")
    } else if name
        .chars()
        .any(|letter| letter.is_control() || letter == '/')
    {
        refused("it holds a slash or a letter that cannot be printed")
    } else {
        Ok(name.to_owned())
    }
}
