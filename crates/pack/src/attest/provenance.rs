//! SLSA v1 provenance: from what, how, when and by whom an image was made. Pure.
//!
//! <https://slsa.dev/spec/v1.0/provenance>

use std::collections::BTreeMap;

use ergon_manifest::{CanonicalError, Digest, canonical_json};
use ergon_oci::Reference;
use jiff::{SignedDuration, Timestamp};
use packageurl::PackageUrl;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::statement::Resource;
use crate::fetched::Supply;
use crate::hash::BuildHash;
use crate::record::{BuildRecord, ImageRecord};

pub const PREDICATE_TYPE: &str = "https://slsa.dev/provenance/v1";
/// How a manifest and sources become an image; `docs/attestations.md` describes it.
pub const BUILD_TYPE: &str = "https://ergon.dev/build/manifest/v1";
/// Builders are called by the keys they sign with.
const BUILDER_ID: &str = "https://ergon.dev/stacks/";

/// The predicate. What we do not write is kept out, what others write is ignored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Provenance {
    pub build_definition: BuildDefinition,
    pub run_details: RunDetails,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BuildDefinition {
    pub build_type: String,
    pub external_parameters: ExternalParameters,
    /// Exactly what the build hash is the SHA-256 of, in canonical JSON.
    pub internal_parameters: Value,
    #[serde(default)]
    pub resolved_dependencies: Vec<Resource>,
}

/// What somebody asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExternalParameters {
    pub manifest: Digest,
    pub source: Digest,
    /// The manifest may have several.
    pub container: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunDetails {
    pub builder: Builder,
    pub metadata: Metadata,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Builder {
    pub id: String,
    #[serde(default)]
    pub version: BTreeMap<String, String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Metadata {
    /// The build hash.
    pub invocation_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_on: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_on: Option<String>,
}

impl Provenance {
    /// What a build's record says of one of its images.
    pub fn of(
        record: &BuildRecord,
        image: &ImageRecord,
        key: &Digest,
    ) -> Result<Self, CanonicalError> {
        Ok(Self {
            build_definition: BuildDefinition {
                build_type: BUILD_TYPE.to_owned(),
                external_parameters: ExternalParameters {
                    manifest: record.inputs.manifest,
                    source: record.inputs.source,
                    container: image.container.clone(),
                },
                // What was just written as JSON is JSON.
                internal_parameters: serde_json::from_slice(&record.inputs.hashed()?)
                    .unwrap_or_default(),
                resolved_dependencies: dependencies(record),
            },
            run_details: RunDetails {
                builder: Builder {
                    id: format!("{BUILDER_ID}{key}"),
                    version: BTreeMap::from([(
                        "ergon".to_owned(),
                        env!("CARGO_PKG_VERSION").to_owned(),
                    )]),
                },
                metadata: Metadata {
                    invocation_id: record.build_hash.to_string(),
                    finished_on: finished(record),
                    started_on: Some(record.started_at.clone()),
                },
            },
        })
    }

    /// The build hash that its inputs give, whatever it says.
    pub fn recomputed(&self) -> Result<String, CanonicalError> {
        let inputs = &self.build_definition.internal_parameters;
        Ok(Digest::of(&canonical_json(inputs)?).hex())
    }

    /// Whether its parts say the same of manifest, source and build hash.
    pub fn is_consistent(&self, build_hash: &BuildHash) -> bool {
        let parameters = &self.build_definition.external_parameters;
        let inputs = &self.build_definition.internal_parameters;
        let says = |name: &str, digest: &Digest| {
            inputs.get(name).and_then(Value::as_str) == Some(digest.to_string().as_str())
        };
        self.run_details.metadata.invocation_id == build_hash.to_string()
            && says("manifest", &parameters.manifest)
            && says("source", &parameters.source)
            && self
                .recomputed()
                .is_ok_and(|hash| hash == build_hash.to_string())
    }
}

fn dependencies(record: &BuildRecord) -> Vec<Resource> {
    let inputs = &record.inputs;
    let mut found = vec![
        Resource::sha256("manifest", &inputs.manifest),
        Resource {
            name: Some("source".to_owned()),
            uri: None,
            // A tree as `git init --object-format=sha256` names it.
            digest: BTreeMap::from([("gitTree".to_owned(), inputs.source.hex())]),
        },
    ];
    // A commit that does not say what the source was would be no evidence.
    if let Some(git) = record.git.as_ref().filter(|git| git.clean) {
        found.push(Resource {
            name: Some("commit".to_owned()),
            uri: None,
            digest: BTreeMap::from([("gitCommit".to_owned(), git.commit.clone())]),
        });
    }
    found.extend(inputs.bases.iter().map(|(name, digest)| Resource {
        uri: base_url(name, digest, &inputs.platform),
        ..Resource::sha256(format!("base {name}"), digest)
    }));
    found.extend(inputs.locks.iter().filter_map(|(application, digest)| {
        let digest = digest.as_ref()?;
        Some(Resource::sha256(
            format!("dependencies of {application}"),
            digest,
        ))
    }));
    for supply in &record.supplies {
        if let Supply::Fetched(fetched) = supply {
            let packages = fetched.packages.iter();
            found.extend(packages.map(|package| {
                Resource::sha256(format!("fetched {}", package.path), &package.digest)
            }));
        }
    }
    found
}

/// An image, as a package URL.
fn base_url(name: &str, digest: &Digest, platform: &str) -> Option<String> {
    let reference: Reference = name.parse().ok()?;
    let repository = reference.repository();
    let last = repository.rsplit('/').next()?;
    let mut url = PackageUrl::new("oci", last.to_owned()).ok()?;
    url.with_version(digest.to_string()).ok()?;
    let location = format!("{}/{repository}", reference.registry());
    url.add_qualifier("repository_url", location).ok()?;
    if let Some(tag) = reference.tag() {
        url.add_qualifier("tag", tag.to_owned()).ok()?;
    }
    let architecture = platform.split('/').nth(1)?;
    url.add_qualifier("arch", architecture.to_owned()).ok()?;
    Some(url.to_string())
}

fn finished(record: &BuildRecord) -> Option<String> {
    let started: Timestamp = record.started_at.parse().ok()?;
    let took = SignedDuration::from_millis(i64::try_from(record.milliseconds).ok()?);
    Some(started.checked_add(took).ok()?.to_string())
}
