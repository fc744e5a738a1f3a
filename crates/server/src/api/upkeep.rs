//! Keeping the registry: what is of no use is removed, what is damaged is found.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Problem;

/// Remove what nobody needs.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct CollectGarbage {
    /// Only say what would go.
    #[serde(default)]
    pub dry_run: bool,
    /// What came, was used or lost its tag within so many seconds stays; absent: 86,400, a day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grace_seconds: Option<u64>,
}

/// What goes, or went.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Collection {
    pub dry_run: bool,
    pub grace_seconds: u64,
    /// Manifests without a tag that nobody needs.
    pub manifests: u64,
    /// Blobs of repositories that no manifest of theirs names.
    pub blobs: u64,
    /// Content that no repository has and no build needs.
    pub contents: u64,
    /// Of that content.
    pub bytes: u64,
    /// Of these bytes, what the build cache holds too: that much is not freed on the disk.
    pub shared_bytes: u64,
    /// Files that were being written when a process was killed.
    pub unfinished: u64,
    /// Repositories of which something goes.
    pub repositories: Vec<CollectedRepository>,
    /// What was left alone that could not be decided about, and why.
    pub notes: Vec<String>,
}

/// What goes of a repository.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CollectedRepository {
    pub name: String,
    pub manifests: u64,
    pub blobs: u64,
    /// The first hundred of the manifests.
    pub manifest_digests: Vec<String>,
}

/// How far a check has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CheckProgress {
    pub contents: u64,
    pub of_contents: u64,
    pub bytes: u64,
    pub of_bytes: u64,
    /// How much is damaged or missing, as far as it was looked.
    pub found: u64,
}

/// What a check of all content came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ContentCheck {
    /// How much was read.
    pub contents: u64,
    pub bytes: u64,
    /// How much is damaged or missing, healed or not.
    pub found: u64,
    /// How much of it is whole again, from the build cache.
    pub healed: u64,
    /// The first thousand of what was found.
    pub damaged: Vec<Damage>,
}

/// Content that is not what it should be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Damage {
    pub digest: String,
    /// `rotten` (it is not what its digest says), `unreadable` (the disk does not give it) or `missing`.
    pub state: String,
    /// What was seen, in one sentence.
    pub reason: String,
    /// Where the damaged file is now; from there nothing is served.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quarantined: Option<String>,
    /// Whether it is whole again, from the build cache.
    pub healed: bool,
    /// Whose it is, with the tags that lead to it.
    pub repositories: Vec<DamagedRepository>,
    /// Hashes of the builds whose image it belongs to.
    pub builds: Vec<String>,
}

/// A repository that has something damaged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DamagedRepository {
    pub name: String,
    pub tags: Vec<String>,
}

/// What is told while it goes on: the data of an event in a stream, whose name says which it is.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum UpkeepEvent {
    /// `plan`: what would go.
    Plan(Collection),
    /// `progress`
    Progress(CheckProgress),
    /// `damaged`
    Damaged(Damage),
    /// `end`: what went.
    Collected(Collection),
    /// `end`: what was found.
    Checked(ContentCheck),
    /// `failed`
    Failed(Problem),
}

impl UpkeepEvent {
    /// The name of the event in a stream.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Plan(_) => "plan",
            Self::Progress(_) => "progress",
            Self::Damaged(_) => "damaged",
            Self::Collected(_) | Self::Checked(_) => "end",
            Self::Failed(_) => "failed",
        }
    }
}
