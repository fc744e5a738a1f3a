//! The registry's index: manifests, builds and images, and the chain of evidence they stand in.

mod archives;
mod changes;
mod names;
mod pushed;
mod story;

use ergon_manifest::{Digest, ParseDigestError};
use ergon_oci::{Blobs, Image};
use ergon_pack::{BuildHash, BuildRecord, Reproducibility};
use ergon_store::{
    BuildName, BuildRow, ImageRow, JobId, NewEvent, ProjectId, ProjectRow, StoreError, StoredBuild,
    now,
};
use serde_json::json;

use self::names::{Role, SHORTEST_PREFIX, names_of};
use crate::api;
use crate::jobs::VERIFY;
use crate::stack::Stack;
use crate::words::rfc3339;

/// So many builds are listed.
const LISTED: i64 = 200;

/// Why the registry does not answer.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    #[error("nothing is called `{reference}`: no build, image, manifest, source or tag")]
    NotFound { reference: String },
    #[error("`{reference}` is the beginning of {} names", candidates.len())]
    Ambiguous {
        reference: String,
        candidates: Vec<String>,
    },
    #[error("`{reference}` is too short: give four characters or more")]
    TooShort { reference: String },
    #[error("there is no build {hash} in the cache")]
    NotInCache { hash: String },
    #[error(transparent)]
    Digest(#[from] ParseDigestError),
    #[error(transparent)]
    Oci(#[from] ergon_oci::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Distribution(crate::distribution::DistributionError),
    #[error("a task ended without an answer: {0}")]
    Task(#[from] tokio::task::JoinError),
}

impl RegistryError {
    /// What a person can do about it.
    pub fn remedy(&self) -> Option<String> {
        match self {
            Self::NotFound { .. } | Self::TooShort { .. } => {
                Some("ergon registry list says what there is".to_owned())
            }
            Self::Ambiguous { candidates, .. } => {
                Some(format!("say more: {}", candidates.join(", ")))
            }
            Self::NotInCache { .. } => Some("build it again: ergon build".to_owned()),
            Self::Oci(error) => error.remedy(),
            Self::Store(error) => error.remedy(),
            Self::Digest(_) | Self::Distribution(_) | Self::Task(_) => None,
        }
    }
}

/// Who built, and for what.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    pub project_id: Option<ProjectId>,
    pub job_id: Option<JobId>,
}

/// The stack's registry.
pub struct Registry<'a> {
    stack: &'a Stack,
}

impl<'a> Registry<'a> {
    pub fn new(stack: &'a Stack) -> Self {
        Self { stack }
    }

    /// Builds, newest first.
    pub async fn builds(&self) -> Result<Vec<api::BuildSummary>, RegistryError> {
        let builds = self.stack.store().builds(None, LISTED).await?;
        self.summaries(&builds).await
    }

    /// One build, by its hash or the beginning of it.
    pub async fn build(&self, hash: &str) -> Result<api::Build, RegistryError> {
        self.view(&self.stored(hash).await?).await
    }

    /// One build as it is stored, by its hash or the beginning of it.
    pub async fn stored(&self, hash: &str) -> Result<StoredBuild, RegistryError> {
        let candidates = self.stack.store().builds_like(checked(hash)?).await?;
        let mut found: Vec<_> = candidates
            .into_iter()
            .filter(|stored| begins(&stored.build.build_hash, hash))
            .collect();
        if found.len() > 1 {
            return Err(RegistryError::Ambiguous {
                reference: hash.to_owned(),
                candidates: found
                    .into_iter()
                    .map(|stored| stored.build.build_hash)
                    .collect(),
            });
        }
        found.pop().ok_or_else(|| RegistryError::NotFound {
            reference: hash.to_owned(),
        })
    }

    /// Remembers a build that was made outside the stack, with the shared cache.
    pub async fn record_from_cache(
        &self,
        wanted: &api::RecordBuild,
    ) -> Result<api::Build, RegistryError> {
        let hash: BuildHash = wanted.build_hash.parse()?;
        let cache = self.stack.cache().clone();
        let record = tokio::task::spawn_blocking(move || cache.build(&hash)).await?;
        let record = record.ok_or_else(|| RegistryError::NotInCache {
            hash: wanted.build_hash.clone(),
        })?;
        let project = self.stack.store().project_at(&wanted.folder).await?;
        let origin = Origin {
            project_id: project.map(|project| project.id),
            job_id: None,
        };
        self.record(&record, &origin, false).await?;
        self.build(&wanted.build_hash).await
    }

    /// Says that a build has begun.
    pub async fn begin(&self, record: &BuildRecord, origin: &Origin) -> Result<(), RegistryError> {
        let (kind, names) = ("dev.ergon.build.started", names_of(record, &[]));
        self.put(record, origin, "running", false, kind, &names)
            .await
    }

    /// Says that a build came to nothing: `failed`, `cancelled` or `interrupted`.
    pub async fn end(
        &self,
        record: &BuildRecord,
        origin: &Origin,
        state: &str,
    ) -> Result<(), RegistryError> {
        let kind = "dev.ergon.build.ended";
        self.put(record, origin, state, false, kind, &[]).await
    }

    /// Keeps a finished build: its images' blobs, its manifest, itself.
    pub async fn record(
        &self,
        record: &BuildRecord,
        origin: &Origin,
        cached: bool,
    ) -> Result<(), RegistryError> {
        let (cache, folder, images) = (
            self.stack.cache().clone(),
            self.stack.data().blobs(),
            record.images.clone(),
        );
        let bringing = self.stack.distribution().bringing().await;
        let images = tokio::task::spawn_blocking(move || {
            let own = Blobs::open(folder)?;
            let mut loaded = Vec::with_capacity(images.len());
            for image in &images {
                let image = Image::load(cache.blobs(), &image.digest)?;
                for blob in image.blobs() {
                    own.link_from(cache.blobs(), &blob)?;
                }
                loaded.push(image);
            }
            Ok::<_, ergon_oci::Error>(loaded)
        })
        .await??;
        let names = names_of(record, &images);
        let kind = "dev.ergon.build.succeeded";
        self.put(record, origin, "succeeded", cached, kind, &names)
            .await?;
        bringing.needed(images.iter().flat_map(Image::blobs).map(Into::into));
        drop(bringing);
        self.publish(record).await;
        Ok(())
    }

    /// Serves a build's images, and what is attached to them by now. A build is good without it.
    pub async fn publish(&self, record: &BuildRecord) {
        let cache = self.stack.cache();
        let attached = cache.referrers();
        for image in &record.images {
            let published = self.stack.distribution().publish(
                cache.blobs(),
                &attached,
                &image.digest,
                &image.tags,
            );
            if let Err(error) = published.await {
                tracing::warn!(%error, image = %image.digest, "an image that was built is not served");
            }
        }
    }

    /// Keeps what came of building it a second time.
    pub async fn verified(&self, record: &BuildRecord) -> Result<(), RegistryError> {
        let hash = record.build_hash.to_string();
        let stored = self.stack.store().build(&hash).await?;
        let stored = stored.ok_or_else(|| RegistryError::NotFound {
            reference: hash.clone(),
        })?;
        let build = BuildRow {
            record: serde_json::to_value(record).ok(),
            ..stored.build
        };
        let images = record.verification.iter().flat_map(|each| &each.images);
        let different: u64 = images.map(|image| image.comparison.different).sum();
        let data = json!({ "reproducibility": record.reproducibility, "different": different });
        let told = NewEvent::new("dev.ergon.build.verified", format!("build/{hash}"), data);
        let mut change = self.stack.store().change(told).await?;
        change.put_build(&build, &stored.images).await?;
        Ok(change.commit().await?)
    }

    async fn put(
        &self,
        record: &BuildRecord,
        origin: &Origin,
        state: &str,
        cached: bool,
        kind: &'static str,
        names: &[BuildName],
    ) -> Result<(), RegistryError> {
        let is_running = state == "running";
        let row = BuildRow {
            build_hash: record.build_hash.to_string(),
            project_id: origin.project_id.clone(),
            job_id: origin.job_id.clone(),
            state: state.to_owned(),
            manifest_digest: record.inputs.manifest.to_string(),
            source_digest: record.inputs.source.to_string(),
            record: serde_json::to_value(record).ok(),
            cached,
            started_at: record
                .started_at
                .parse()
                .map_or_else(|_| now(), jiff::Timestamp::as_millisecond),
            finished_at: (!is_running).then(now),
        };
        let image = |image: &ergon_pack::ImageRecord| ImageRow {
            digest: image.digest.to_string(),
            container: image.container.clone(),
            size: i64::try_from(image.size).unwrap_or(i64::MAX),
            tags: image.tags.clone(),
        };
        let images: Vec<ImageRow> = record.images.iter().map(image).collect();
        let data = json!({ "state": state, "cached": cached, "images": images.iter().map(|image| &image.digest).collect::<Vec<_>>() });
        let told = NewEvent::new(kind, format!("build/{}", row.build_hash), data);
        let mut change = self.stack.store().change(told).await?;
        change
            .put_manifest(&row.manifest_digest, &record.manifest, now())
            .await?;
        change.put_build(&row, &images).await?;
        change.put_build_names(&row.build_hash, names).await?;
        Ok(change.commit().await?)
    }

    async fn summaries(
        &self,
        builds: &[StoredBuild],
    ) -> Result<Vec<api::BuildSummary>, RegistryError> {
        let projects = self.stack.store().projects().await?;
        Ok(builds
            .iter()
            .map(|stored| self.summary(stored, project_name(stored, &projects)))
            .collect())
    }

    /// A build as lists show it.
    #[allow(clippy::unused_self, reason = "it reads like the other views")]
    pub fn summary(&self, stored: &StoredBuild, project_name: Option<&str>) -> api::BuildSummary {
        let StoredBuild { build, images } = stored;
        let record = record_of(build);
        let image = |image: &ImageRow| api::BuiltImage {
            container: image.container.clone(),
            image_digest: image.digest.clone(),
            tags: image.tags.clone(),
            size: u64::try_from(image.size).unwrap_or(0),
        };
        let succeeded = build.state == "succeeded";
        api::BuildSummary {
            build_hash: build.build_hash.clone(),
            project_id: build.project_id.as_ref().map(ToString::to_string),
            project_name: project_name.map(str::to_owned),
            state: build.state.clone(),
            reproducibility: record
                .as_ref()
                .map_or(Reproducibility::Unproven, |record| record.reproducibility)
                .name()
                .to_owned(),
            pinned: record
                .as_ref()
                .is_some_and(|record| record.unpinned.is_empty()),
            started_at: rfc3339(build.started_at),
            milliseconds: record
                .filter(|_| succeeded)
                .map(|record| record.milliseconds),
            cached: build.cached,
            images: images.iter().map(image).collect(),
        }
    }

    async fn view(&self, stored: &StoredBuild) -> Result<api::Build, RegistryError> {
        let projects = self.stack.store().projects().await?;
        let build = &stored.build;
        let record = record_of(build).ok_or(StoreError::Malformed {
            entity: "build",
            reason: "it has no record".to_owned(),
        })?;
        let git = record.git.as_ref().map(|git| match &git.branch {
            Some(branch) => format!("{branch}@{}", git.short()),
            None => git.short().to_owned(),
        });
        let store = self.stack.store();
        let verify_job = store.newest_job(VERIFY, &build.build_hash).await?;
        let base = |(reference, digest): (&String, &Digest)| api::BaseReference {
            reference: reference.clone(),
            digest: digest.to_string(),
        };
        Ok(api::Build {
            summary: self.summary(stored, project_name(stored, &projects)),
            manifest_digest: build.manifest_digest.clone(),
            source_digest: build.source_digest.clone(),
            platform: record.inputs.platform.clone(),
            epoch: record.inputs.epoch,
            builder: format!("encoding {}", ergon_pack::BUILDER.encoding),
            bases: record.inputs.bases.iter().map(base).collect(),
            commit: record.git.as_ref().map(|git| git.commit.clone()),
            clean: record.git.as_ref().map(|git| git.clean),
            location: project_of(stored, &projects).map(|project| project.location.clone()),
            attached: self.attached(&record).await,
            changes: self.changes_since_before(stored, &record).await?,
            same_source: self
                .others(Role::Source.named(&build.source_digest), &build.build_hash)
                .await?,
            dependents: self.dependents(stored).await?,
            git,
            job_id: build.job_id.as_ref().map(ToString::to_string),
            verification: record.verification,
            verify_job_id: verify_job.map(|job| job.id.to_string()),
            unpinned: record.unpinned,
            containers: self.stack.containers().of_build(&build.build_hash).await,
            manifest: record.manifest,
        })
    }
}

/// What was remembered of a build, as far as it can be read.
pub fn record_of(build: &BuildRow) -> Option<BuildRecord> {
    serde_json::from_value(build.record.clone()?).ok()
}

fn project_name<'p>(stored: &StoredBuild, projects: &'p [ProjectRow]) -> Option<&'p str> {
    project_of(stored, projects).map(|project| project.name.as_str())
}

fn project_of<'p>(stored: &StoredBuild, projects: &'p [ProjectRow]) -> Option<&'p ProjectRow> {
    let id = stored.build.project_id.as_ref()?;
    projects.iter().find(|project| project.id == *id)
}

fn begins(digest: &str, text: &str) -> bool {
    let text = text.strip_prefix("sha256:").unwrap_or(text);
    digest
        .strip_prefix("sha256:")
        .unwrap_or(digest)
        .starts_with(text)
}

/// Long enough to be looked for.
fn checked(reference: &str) -> Result<&str, RegistryError> {
    let text = reference.trim();
    if text.strip_prefix("sha256:").unwrap_or(text).len() < SHORTEST_PREFIX {
        return Err(RegistryError::TooShort {
            reference: reference.to_owned(),
        });
    }
    Ok(text)
}
