//! The lines between sources, builds, images and what runs them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Build, BuildSummary, ContainerSummary};

/// What `GET /api/v1/registry/{reference}` found.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum RegistryEntry {
    /// A build hash, an image's digest, an engine's image id, or a tag.
    Build(Box<Build>),
    Manifest {
        manifest_digest: String,
        #[schema(value_type = Object)]
        manifest: serde_json::Value,
        builds: Vec<BuildSummary>,
    },
    /// A source digest: what was built from it.
    Source(Lineage),
    /// A git commit: what was built from it.
    Commit(Lineage),
    /// A base's digest or name: what depends on it.
    Base(Lineage),
    /// A layer's digest: which images have it.
    Layer(Lineage),
    /// An image or another artifact that a client pushed: nobody said how it was made.
    Pushed(PushedImage),
    /// A blob of what clients pushed.
    Blob(PushedBlob),
}

/// An image or another artifact that a client pushed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PushedImage {
    /// Of its manifest or index.
    pub digest: String,
    pub media_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// The digest of what it says something about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The repositories that have it.
    pub places: Vec<PushedPlace>,
    /// What is attached to it.
    pub attached: Vec<PushedReferrer>,
}

/// A repository that has an image, and what it is called there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PushedPlace {
    pub repository: String,
    pub tags: Vec<String>,
    /// When it was pushed last, RFC 3339.
    pub pushed_at: String,
}

/// Something that is attached to a pushed image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PushedReferrer {
    pub digest: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
}

/// A blob of what clients pushed: a layer, a configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PushedBlob {
    pub digest: String,
    /// Bytes.
    pub size: u64,
    /// The repositories that have it.
    pub repositories: Vec<String>,
}

/// Something that builds were made of, and what came of it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Lineage {
    /// The whole digest, commit or name.
    pub name: String,
    /// What it is called besides: a base's names, or the digests a name had; the commits of a source.
    pub also: Vec<String>,
    /// Builds with it, newest first, at most 200.
    pub builds: Vec<BuildSummary>,
    /// How many there are altogether.
    pub count: u64,
    /// Containers that run an image of these builds.
    pub containers: Vec<ContainerSummary>,
}

/// An image that came in an archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportedImage {
    pub repository: String,
    /// Of its manifest or index.
    pub digest: String,
    pub tags: Vec<String>,
}

/// Something that is attached to an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Attachment {
    /// The container whose image it is attached to.
    pub container: String,
    /// `sbom`, `provenance`, `proof`, `manifest`, `signature`, or `other`.
    pub what: String,
    /// Of its OCI manifest, whose `subject` is the image.
    pub digest: String,
    /// The predicate type of a signed statement, else the artifact type.
    pub format: String,
    /// How many packages a bill of materials lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packages: Option<u64>,
}

/// What is different between two builds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BuildChanges {
    /// The build hash of the earlier one.
    pub before: String,
    /// The build hash of the later one.
    pub after: String,
    /// When the earlier one was built; RFC 3339.
    pub before_started_at: String,
    /// Empty where the rules by which Ergon writes bits are the only thing that changed.
    pub inputs: Vec<InputChange>,
    pub images: Vec<ImageChange>,
}

/// An input that is not what it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InputChange {
    /// `source`, `commit`, `base <name>`, `lock file of <application>`, `platform`, `file times`, or `manifest <JSON Pointer>`.
    pub what: String,
    /// Absent: there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// Absent: there is none any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// What became of a container's image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImageChange {
    pub container: String,
    /// Image digests; the same where the image did not change. Absent: there was none, or it is not held any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Bytes of all layers, compressed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_before: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_after: Option<u64>,
    /// How many layers the later image has.
    pub layers: u64,
    /// Those of them that the earlier one has not.
    pub new_layers: Vec<NewLayer>,
}

/// A layer that an earlier image does not have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NewLayer {
    /// Counted from 1, lowest first.
    pub layer: u64,
    pub digest: String,
    /// Bytes, compressed.
    pub size: u64,
    /// What left it: the line of the image's history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
}
