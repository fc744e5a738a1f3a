//! The whole story of whatever a reference names: from its source to what runs it.

use std::collections::BTreeSet;

use ergon_oci::{Blobs, Image};
use ergon_pack::attest::{Attached, Format, MANIFEST, PROOF, PROVENANCE, predicate};
use ergon_pack::{BuildRecord, Cache};
use ergon_store::{BuildName, NewEvent, StoredBuild};
use serde_json::json;

use super::names::{Meant, Role, as_hex, choose, names_of};
use super::{LISTED, Registry, RegistryError, changes, checked, record_of};
use crate::api;
use crate::words::rfc3339;

/// So many builds stand beside another one.
const BESIDE: i64 = 20;

impl Registry<'_> {
    /// What a reference names.
    pub async fn find(&self, reference: &str) -> Result<api::RegistryEntry, RegistryError> {
        let text = checked(reference)?;
        let not_found = || RegistryError::NotFound {
            reference: reference.to_owned(),
        };
        let (role, name) = match self.meant(text).await? {
            Meant::One(role, name) => (role, name),
            Meant::Nothing => return self.pushed(text).await?.ok_or_else(not_found),
            Meant::Several(candidates) => {
                return Err(RegistryError::Ambiguous {
                    reference: reference.to_owned(),
                    candidates,
                });
            }
        };
        let known = role.named(&name);
        match role {
            Role::Build | Role::Image | Role::Config | Role::Index | Role::Tag => {
                let (builds, _) = self.stack.store().builds_named(&known, 1).await?;
                let newest = builds.first().ok_or_else(not_found)?;
                let build = Box::new(self.view(newest).await?);
                Ok(api::RegistryEntry::Build(build))
            }
            Role::Manifest => {
                let manifest = self.stack.store().manifest(&name).await?;
                let builds = self.stack.store().builds_of_manifest(&name).await?;
                Ok(api::RegistryEntry::Manifest {
                    builds: self.summaries(&builds).await?,
                    manifest_digest: name,
                    manifest: manifest.ok_or_else(not_found)?,
                })
            }
            Role::Source => Ok(api::RegistryEntry::Source(self.lineage(role, known).await?)),
            Role::Commit => Ok(api::RegistryEntry::Commit(self.lineage(role, known).await?)),
            Role::Base | Role::BaseName => {
                Ok(api::RegistryEntry::Base(self.lineage(role, known).await?))
            }
            Role::Layer => Ok(api::RegistryEntry::Layer(self.lineage(role, known).await?)),
        }
    }

    async fn meant(&self, text: &str) -> Result<Meant, RegistryError> {
        let store = self.stack.store();
        let is_tag = |known: &BuildName| {
            known.role == Role::Tag.word() || known.role == Role::BaseName.word()
        };
        let mut digests = match as_hex(text) {
            Some(hex) => store.names_beginning(hex).await?,
            None => Vec::new(),
        };
        digests.retain(|known| !is_tag(known));
        let mut tags = store.names_equal(text).await?;
        tags.extend(store.names_with_part(Role::Tag.word(), text).await?);
        tags.retain(is_tag);
        Ok(choose(text, &digests, &tags))
    }

    async fn lineage(&self, role: Role, known: BuildName) -> Result<api::Lineage, RegistryError> {
        let (stored, count) = self.stack.store().builds_named(&known, LISTED).await?;
        let hashes: BTreeSet<&str> = stored
            .iter()
            .map(|stored| stored.build.build_hash.as_str())
            .collect();
        let mut containers = self.stack.containers().list().await;
        containers.retain(|container| {
            let build = container.build_hash.as_deref();
            build.is_some_and(|hash| hashes.contains(hash))
        });
        let records = stored.iter().filter_map(|stored| record_of(&stored.build));
        let also: BTreeSet<String> = records
            .flat_map(|record| besides(role, &known.name, &record))
            .collect();
        let mut also: Vec<String> = also.into_iter().collect();
        if role == Role::Layer {
            also.extend(self.step_of(&known.name, &stored).await);
        }
        Ok(api::Lineage {
            also,
            builds: self.summaries(&stored).await?,
            count: u64::try_from(count).unwrap_or(0),
            containers,
            name: known.name,
        })
    }

    /// The step that left a layer, as the newest image that has it says.
    async fn step_of(&self, layer: &str, stored: &[StoredBuild]) -> Option<String> {
        let record = record_of(&stored.first()?.build)?;
        let images = self.images(&record).await;
        images.iter().find_map(|(_, image)| {
            let mut layers = image.layers().iter();
            let place = layers.position(|each| each.digest.to_string() == layer)?;
            changes::steps(image).into_iter().nth(place)
        })
    }

    /// What changed from one build to another, whatever projects they are of.
    pub async fn changes(
        &self,
        before: &str,
        after: &str,
    ) -> Result<api::BuildChanges, RegistryError> {
        let (before, after) = (self.stored(before).await?, self.stored(after).await?);
        let changes = self.compare(&before, &after).await;
        changes.ok_or_else(|| RegistryError::NotFound {
            reference: before.build.build_hash.clone(),
        })
    }

    /// What changed since the build before, of the same project and for the same platform.
    pub(super) async fn changes_since_before(
        &self,
        stored: &StoredBuild,
        record: &BuildRecord,
    ) -> Result<Option<api::BuildChanges>, RegistryError> {
        let Some(project) = &stored.build.project_id else {
            return Ok(None);
        };
        let before = self
            .stack
            .store()
            .builds_before(project, stored.build.started_at, BESIDE)
            .await?;
        let is_alike = |other: &&StoredBuild| {
            record_of(&other.build)
                .is_some_and(|other| other.inputs.platform == record.inputs.platform)
        };
        match before.iter().find(is_alike) {
            Some(before) => Ok(self.compare(before, stored).await),
            None => Ok(None),
        }
    }

    async fn compare(
        &self,
        before: &StoredBuild,
        after: &StoredBuild,
    ) -> Option<api::BuildChanges> {
        let (old, new) = (record_of(&before.build)?, record_of(&after.build)?);
        let images = changes::of_images(&self.images(&old).await, &self.images(&new).await);
        Some(api::BuildChanges {
            before: before.build.build_hash.clone(),
            after: after.build.build_hash.clone(),
            before_started_at: rfc3339(before.build.started_at),
            inputs: changes::of_inputs(&old, &new),
            images,
        })
    }

    /// Other builds that a name leads to.
    pub(super) async fn others(
        &self,
        known: BuildName,
        except: &str,
    ) -> Result<Vec<api::BuildSummary>, RegistryError> {
        let (mut builds, _) = self.stack.store().builds_named(&known, BESIDE).await?;
        builds.retain(|stored| stored.build.build_hash != except);
        self.summaries(&builds).await
    }

    /// Builds on an image of this one.
    pub async fn dependents(
        &self,
        stored: &StoredBuild,
    ) -> Result<Vec<api::BuildSummary>, RegistryError> {
        let mut dependents: Vec<api::BuildSummary> = Vec::new();
        for image in &stored.images {
            let base = Role::Base.named(&image.digest);
            for build in self.others(base, &stored.build.build_hash).await? {
                let is_known = |known: &api::BuildSummary| known.build_hash == build.build_hash;
                if !dependents.iter().any(is_known) {
                    dependents.push(build);
                }
            }
        }
        Ok(dependents)
    }

    /// The images of a build that the registry holds, by container.
    pub async fn images(&self, record: &BuildRecord) -> Vec<(String, Image)> {
        let (folder, images) = (self.stack.data().blobs(), record.images.clone());
        let load = move || {
            let Ok(own) = Blobs::open(folder) else {
                return Vec::new();
            };
            let load = |image: &ergon_pack::ImageRecord| {
                let loaded = Image::load(&own, &image.digest).ok()?;
                Some((image.container.clone(), loaded))
            };
            images.iter().filter_map(load).collect()
        };
        tokio::task::spawn_blocking(load).await.unwrap_or_default()
    }

    /// What is attached to a build's images.
    pub async fn attached(&self, record: &BuildRecord) -> Vec<api::Attachment> {
        let (cache, record) = (self.stack.cache().clone(), record.clone());
        tokio::task::spawn_blocking(move || attached(&cache, &record))
            .await
            .unwrap_or_default()
    }

    /// Gives names to builds of an Ergon that did not keep them.
    pub async fn name_builds(&self) -> Result<(), RegistryError> {
        let unnamed = self.stack.store().unnamed_builds(i64::MAX).await?;
        if unnamed.is_empty() {
            return Ok(());
        }
        let told = NewEvent::new(
            "dev.ergon.registry.indexed",
            "registry",
            json!({ "builds": unnamed.len() }),
        );
        let mut change = self.stack.store().change(told).await?;
        for stored in &unnamed {
            let hash = &stored.build.build_hash;
            let names = match record_of(&stored.build) {
                Some(record) => {
                    let images = self.images(&record).await;
                    let images: Vec<Image> = images.into_iter().map(|(_, image)| image).collect();
                    names_of(&record, &images)
                }
                None => vec![Role::Build.named(hash)],
            };
            change.put_build_names(hash, &names).await?;
        }
        Ok(change.commit().await?)
    }
}

/// What something is called besides, as a build that was made of it says.
fn besides(role: Role, name: &str, record: &BuildRecord) -> Vec<String> {
    let bases = record.inputs.bases.iter();
    match role {
        Role::Source => {
            let commit = record.git.iter().filter(|git| git.clean);
            commit.map(|git| git.commit.clone()).collect()
        }
        Role::Commit => vec![record.inputs.source.to_string()],
        Role::Base => bases
            .filter(|(_, digest)| digest.to_string() == name)
            .map(|(reference, _)| reference.clone())
            .collect(),
        Role::BaseName => bases
            .filter(|(reference, _)| *reference == name)
            .map(|(_, digest)| digest.to_string())
            .collect(),
        _ => Vec::new(),
    }
}

fn attached(cache: &Cache, record: &BuildRecord) -> Vec<api::Attachment> {
    let mut all = Vec::new();
    for image in &record.images {
        let referrers = cache.referrers().list(&image.digest).unwrap_or_default();
        for referrer in &referrers {
            let kind = predicate(referrer).or(referrer.artifact_type.as_deref());
            let kind = kind.unwrap_or_default().to_owned();
            let alone = Attached {
                image: image.digest,
                referrers: vec![referrer.clone()],
            };
            all.push(api::Attachment {
                container: image.container.clone(),
                what: what(&kind).to_owned(),
                digest: referrer.digest.to_string(),
                packages: alone.packages(),
                format: kind,
            });
        }
    }
    all
}

/// What an attachment is, by its predicate or artifact type.
fn what(kind: &str) -> &'static str {
    let is_sbom = [Format::CycloneDx, Format::Spdx]
        .iter()
        .any(|format| format.predicate_type() == kind);
    match kind {
        _ if is_sbom => "sbom",
        PROVENANCE => "provenance",
        PROOF => "proof",
        MANIFEST => "manifest",
        _ if kind.contains("signature") || kind.contains("sigstore") => "signature",
        _ => "other",
    }
}
