//! Solutions: finished containers, tools and configurations that others may use.
//!
//! A version, once kept, is never modified: a change is a new version. How it does by the standards is measured when it is
//! looked at, because a build may be proven later. While something depends on a version, it is not removed.
//! Every operation takes and gives types of the API, so that each face can offer it.

mod error;
mod names;
mod said;
mod standards;

use ergon_oci::Image;
use ergon_pack::{BuildRecord, KnownSecret, known_secrets, known_secrets_in};
use ergon_store::{NewEvent, SolutionNeed, SolutionRow, StoreError, StoredBuild, now};
use semver::Version;
use serde::{Deserialize, Serialize};
use serde_json::json;

pub use error::SolutionError;
use names::{SolutionName, SolutionReference, SolutionVersion, parse_version};
pub use said::Search;
use said::{check_words, digest_of, invalid, is_wanted, kind_of, needed_by, needs_of, next};
use standards::{Kind, Looked, measure, meets_all};

use crate::api;
use crate::registry::record_of;
use crate::stack::Stack;
use crate::words::{rfc3339, slug};

/// So many builds are looked at for the newest that succeeded.
const LOOKED_AT: i64 = 50;

/// What is kept of a version beside what the store finds it by. Its canonical JSON, with the rest, is its identity.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Kept {
    keywords: Vec<String>,
    source: Option<String>,
    source_digest: Option<String>,
    commit: Option<String>,
    images: Vec<api::BuiltImage>,
    configuration: Option<serde_json::Value>,
    derived_from: Option<String>,
    needs: Vec<String>,
}

/// The stack's solutions.
pub struct Solutions<'a> {
    stack: &'a Stack,
}

impl<'a> Solutions<'a> {
    pub fn new(stack: &'a Stack) -> Self {
        Self { stack }
    }

    /// The highest version of each solution that is as wanted, in the order of their names.
    pub async fn search(&self, wanted: &Search) -> Result<Vec<api::Solution>, SolutionError> {
        let rows = self.stack.store().solutions().await?;
        let mut found = Vec::new();
        for versions in rows.chunk_by(|a, b| a.name == b.name) {
            let highest = versions
                .iter()
                .max_by_key(|row| Version::parse(&row.version).ok());
            let Some(row) = highest.filter(|row| is_wanted(row, wanted)) else {
                continue;
            };
            let solution = self.view(row, versions).await?;
            if solution.meets_standards || !wanted.meets_standards {
                found.push(solution);
            }
        }
        Ok(found)
    }

    /// A solution: the version that is named, else the highest.
    pub async fn read(&self, reference: &str) -> Result<api::Solution, SolutionError> {
        let wanted: SolutionReference = reference.parse()?;
        let versions = self
            .stack
            .store()
            .solution_versions(wanted.name.as_str())
            .await?;
        let found = match &wanted.version {
            Some(version) => versions
                .iter()
                .find(|row| row.version == version.to_string()),
            None => versions
                .iter()
                .max_by_key(|row| Version::parse(&row.version).ok()),
        };
        let row = found.ok_or_else(|| SolutionError::NotFound {
            name: reference.to_owned(),
        })?;
        self.view(row, &versions).await
    }

    /// Keeps a solution.
    pub async fn add(&self, wanted: &api::AddSolution) -> Result<api::Solution, SolutionError> {
        let name: SolutionName = wanted.name.parse()?;
        let version = parse_version(&wanted.version)?;
        let called = SolutionVersion { name, version };
        let kind = kind_of(&wanted.kind)?;
        check_words(wanted)?;
        let build = match (kind, &wanted.build, &wanted.configuration) {
            (Kind::Configuration, None, Some(_)) => None,
            (Kind::Container | Kind::Tool, Some(build), None) => Some(self.build(build).await?),
            (Kind::Configuration, ..) => {
                return Err(invalid(
                    "a configuration has a content, and no build",
                    "say it as `configuration`",
                ));
            }
            (Kind::Container | Kind::Tool, ..) => {
                return Err(invalid(
                    "a container or tool has a build, and no content",
                    "name the build as `build`: a build hash, a tag or an image digest",
                ));
            }
        };
        let needs = needs_of(&called, wanted)?;
        let kept = Kept {
            keywords: wanted.keywords.clone(),
            source: wanted
                .source
                .clone()
                .or_else(|| build.as_ref().and_then(|build| build.location.clone())),
            source_digest: build.as_ref().map(|build| build.source_digest.clone()),
            commit: build.as_ref().and_then(|build| build.commit.clone()),
            images: build
                .as_ref()
                .map_or_else(Vec::new, |build| build.summary.images.clone()),
            configuration: wanted.configuration.clone(),
            derived_from: wanted.derived_from.clone(),
            needs: wanted.needs.clone(),
        };
        let row = SolutionRow {
            name: called.name.to_string(),
            version: called.version.to_string(),
            kind: kind.word().to_owned(),
            description: wanted.description.trim().to_owned(),
            build_hash: build.map(|build| build.summary.build_hash),
            record: serde_json::to_value(&kept).unwrap_or_default(),
            added_at: now(),
        };
        self.keep(&called, &row, &needs).await?;
        self.read(&called.to_string()).await
    }

    async fn keep(
        &self,
        called: &SolutionVersion,
        row: &SolutionRow,
        needs: &[SolutionNeed],
    ) -> Result<(), SolutionError> {
        // What could not be hashed could not be named.
        digest_of(row)?;
        let others = self.stack.store().solution_versions(&row.name).await?;
        if let Some(other) = others.iter().find(|other| other.kind != row.kind) {
            return Err(SolutionError::OtherKind {
                name: row.name.clone(),
                kind: other.kind.clone(),
            });
        }
        let data = json!({ "kind": row.kind, "build_hash": row.build_hash });
        let told = NewEvent::new(
            "dev.ergon.solution.added",
            format!("solution/{called}"),
            data,
        );
        let mut change = self.stack.store().change(told).await?;
        for need in needs {
            let (name, version) = (&need.needed_name, &need.needed_version);
            if !change.has_solution(name, version).await? {
                return Err(SolutionError::Missing {
                    needed: format!("{name}@{version}"),
                });
            }
        }
        match change.add_solution(row, needs).await {
            Err(StoreError::Exists { name, .. }) => return Err(SolutionError::Exists { name }),
            added => added?,
        }
        Ok(change.commit().await?)
    }

    /// Keeps a finished project as a solution: its newest build that succeeded.
    pub async fn import(
        &self,
        project: &str,
        wanted: &api::ImportProject,
    ) -> Result<api::Solution, SolutionError> {
        let project = self.stack.projects().read(project).await?;
        let row = self.stack.projects().find(&project.id).await?;
        let builds = self.stack.store().builds(Some(&row.id), LOOKED_AT).await?;
        let finished = builds
            .iter()
            .find(|stored| stored.build.state == "succeeded");
        let Some(finished) = finished else {
            return Err(SolutionError::NotFinished { name: project.name });
        };
        let name = wanted.name.clone().unwrap_or_else(|| slug(&project.name));
        let before = self.stack.store().solution_versions(&name).await?;
        let build = finished.build.build_hash.clone();
        let version = match &wanted.version {
            Some(version) => version.clone(),
            None => next(&before, &name, &build)?,
        };
        let is = [project.framework, project.language];
        let is = is.into_iter().flatten().collect::<Vec<_>>().join(", ");
        let described = wanted
            .description
            .clone()
            .or_else(|| before.first().map(|row| row.description.clone()));
        self.add(&api::AddSolution {
            name,
            version,
            kind: wanted
                .kind
                .clone()
                .unwrap_or_else(|| Kind::Container.word().to_owned()),
            description: described.unwrap_or_else(|| match is.as_str() {
                "" => project.name.clone(),
                is => format!("{}: {is}", project.name),
            }),
            build: Some(build),
            configuration: None,
            source: Some(project.location),
            keywords: wanted.keywords.clone(),
            derived_from: wanted.derived_from.clone(),
            needs: wanted.needs.clone(),
        })
        .await
    }

    /// Removes a version, unless something depends on it.
    pub async fn remove(&self, reference: &str) -> Result<(), SolutionError> {
        let called: SolutionVersion = reference.parse()?;
        let (name, version) = (called.name.to_string(), called.version.to_string());
        let versions = self.stack.store().solution_versions(&name).await?;
        let row = versions.iter().find(|row| row.version == version);
        let row = row.ok_or_else(|| SolutionError::NotFound {
            name: called.to_string(),
        })?;
        let used = self.users(row, &versions).await?;
        let event = NewEvent::new(
            "dev.ergon.solution.removed",
            format!("solution/{called}"),
            json!({ "kind": row.kind }),
        );
        let mut change = self.stack.store().change(event).await?;
        let mut dependents = needed_by(&change.needing(&name, &version).await?);
        dependents.extend(used);
        if !dependents.is_empty() {
            return Err(SolutionError::Needed {
                name: called.to_string(),
                dependents,
            });
        }
        if !change.remove_solution(&name, &version).await? {
            return Err(SolutionError::NotFound {
                name: called.to_string(),
            });
        }
        Ok(change.commit().await?)
    }

    async fn build(&self, reference: &str) -> Result<api::Build, SolutionError> {
        let found = self.stack.registry().find(reference).await?;
        let api::RegistryEntry::Build(build) = found else {
            return Err(invalid(
                format!("`{reference}` names no build"),
                "name a build hash, a tag or an image digest: ergon registry list",
            ));
        };
        if build.summary.state == "succeeded" {
            return Ok(*build);
        }
        let (hash, state) = (&build.summary.build_hash, &build.summary.state);
        Err(invalid(
            format!("build {hash} is {state}"),
            "build it to its end first",
        ))
    }

    /// What runs or stands on the images of a version, unless another version has the same build.
    async fn users(
        &self,
        row: &SolutionRow,
        versions: &[SolutionRow],
    ) -> Result<Vec<api::Dependent>, SolutionError> {
        let Some(hash) = &row.build_hash else {
            return Ok(Vec::new());
        };
        let has_it = |other: &&SolutionRow| other.build_hash.as_ref() == Some(hash);
        if versions.iter().filter(has_it).count() > 1 {
            return Ok(Vec::new());
        }
        let dependent = |kind: &str, name: String, how: &str| api::Dependent {
            kind: kind.to_owned(),
            name,
            how: how.to_owned(),
        };
        let containers = self.stack.containers().of_build(hash).await;
        let mut users: Vec<_> = containers
            .into_iter()
            .map(|container| dependent("container", container.name, "runs its image"))
            .collect();
        if let Some(stored) = self.stack.store().build(hash).await? {
            let builds = self.stack.registry().dependents(&stored).await?;
            users.extend(
                builds
                    .into_iter()
                    .map(|build| dependent("build", build.build_hash, "is built on its image")),
            );
        }
        Ok(users)
    }

    async fn view(
        &self,
        row: &SolutionRow,
        versions: &[SolutionRow],
    ) -> Result<api::Solution, SolutionError> {
        let kept: Kept =
            serde_json::from_value(row.record.clone()).map_err(|error| StoreError::Malformed {
                entity: "solution",
                reason: error.to_string(),
            })?;
        let stored = match &row.build_hash {
            Some(hash) => self.stack.store().build(hash).await?,
            None => None,
        };
        let (standards, secrets) = self.measured(row, &kept, stored.as_ref()).await;
        let needing = self
            .stack
            .store()
            .solutions_needing(&row.name, &row.version)
            .await?;
        let mut dependents = needed_by(&needing);
        dependents.extend(self.users(row, versions).await?);
        let mut known: Vec<Version> = versions
            .iter()
            .filter_map(|row| Version::parse(&row.version).ok())
            .collect();
        known.sort_by(|a, b| b.cmp(a));
        Ok(api::Solution {
            digest: digest_of(row)?.to_string(),
            name: row.name.clone(),
            version: row.version.clone(),
            kind: row.kind.clone(),
            description: row.description.clone(),
            keywords: kept.keywords,
            source: kept.source,
            source_digest: kept.source_digest,
            commit: kept.commit,
            build_hash: row.build_hash.clone(),
            images: kept.images,
            configuration: kept.configuration,
            derived_from: kept.derived_from,
            needs: kept.needs,
            dependents,
            meets_standards: meets_all(&standards),
            standards,
            secrets,
            versions: known.iter().map(ToString::to_string).collect(),
            added_at: rfc3339(row.added_at),
        })
    }

    /// How a version does by the standards now, and where known secrets are.
    async fn measured(
        &self,
        row: &SolutionRow,
        kept: &Kept,
        stored: Option<&StoredBuild>,
    ) -> (Vec<api::Standard>, Vec<KnownSecret>) {
        let registry = self.stack.registry();
        let record = stored.and_then(|stored| record_of(&stored.build));
        let (mut images, mut attached) = (Vec::new(), Vec::new());
        if let Some(record) = &record {
            images = registry.images(record).await;
            attached = registry.attached(record).await;
        }
        let secrets = match &kept.configuration {
            Some(content) => {
                let text = serde_json::to_string_pretty(content).unwrap_or_default();
                Ok(known_secrets_in("configuration", text.as_bytes()))
            }
            None => self.secrets_of(record.as_ref(), &images).await,
        };
        let standards = measure(&Looked {
            kind: Kind::of(&row.kind).unwrap_or(Kind::Container),
            record: record.as_ref(),
            images: &images,
            attached: &attached,
            secrets: &secrets,
        });
        (standards, secrets.unwrap_or_default())
    }

    async fn secrets_of(
        &self,
        record: Option<&BuildRecord>,
        images: &[(String, Image)],
    ) -> Result<Vec<KnownSecret>, String> {
        if images.is_empty() || record.is_none_or(|record| record.images.len() > images.len()) {
            return Err("its images are not held any more".to_owned());
        }
        let (cache, folder) = (self.stack.cache().clone(), self.stack.data().blobs());
        let images: Vec<Image> = images.iter().map(|(_, image)| image.clone()).collect();
        let search = move || {
            let blobs = ergon_oci::Blobs::open(folder).map_err(|error| error.to_string())?;
            let mut all = Vec::new();
            for image in &images {
                let found = known_secrets(image, &blobs, &cache);
                all.extend(found.map_err(|error| error.to_string())?);
            }
            Ok(all)
        };
        let searched = tokio::task::spawn_blocking(search).await;
        searched.unwrap_or_else(|error| Err(error.to_string()))
    }
}
