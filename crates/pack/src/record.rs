//! What is remembered of a build.

use ergon_manifest::Digest;
use serde::{Deserialize, Serialize};

use crate::fetched::Supply;
use crate::git::GitState;
use crate::hash::{BuildHash, BuildInputs};
use crate::verify::Verification;

/// One execution of a manifest over sources, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuildRecord {
    pub build_hash: BuildHash,
    pub inputs: BuildInputs,
    /// In build order.
    pub images: Vec<ImageRecord>,
    pub reproducibility: Reproducibility,
    /// Why the build is `unpinned`: one line for each reason, with how to pin it.
    pub unpinned: Vec<String>,
    /// When it really happened, RFC 3339.
    pub started_at: String,
    pub milliseconds: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git: Option<GitState>,
    /// How the steps got what they need from elsewhere, in the order of the steps; what came from a cache that does not
    /// say is missing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub supplies: Vec<Supply>,
    /// The manifest, as it was hashed.
    pub manifest: serde_json::Value,
    /// Which indexes of several platforms its images were last put into, by container.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub indexes: Vec<IndexRecord>,
    /// What came of building it a second time; absent: nobody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verification: Option<Verification>,
}

/// The image of one container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageRecord {
    pub container: String,
    /// Of the OCI manifest.
    pub digest: Digest,
    /// Of the configuration: what engines call the image id.
    pub config_digest: Digest,
    /// `<container>:<first 12 of the build hash>` first.
    pub tags: Vec<String>,
    /// Bytes of all layers, compressed.
    pub size: u64,
    /// How many layers are not the base's.
    pub own_layers: usize,
}

impl ImageRecord {
    /// In one line.
    pub(crate) fn summary(&self) -> String {
        let layers = if self.own_layers == 1 {
            "layer"
        } else {
            "layers"
        };
        format!(
            "{}  {:.1} MB, {} {layers} of ours",
            self.digest,
            self.size as f64 / 1e6,
            self.own_layers
        )
    }
}

/// The images of one container, for several platforms under one digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexRecord {
    pub container: String,
    /// Of the OCI image index.
    pub digest: Digest,
    /// `<container>:<first 12 of a hash over all the build hashes>` first.
    pub tags: Vec<String>,
    /// In the order of the platforms.
    pub images: Vec<IndexedImage>,
}

/// What an index has for one platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexedImage {
    pub platform: String,
    pub build_hash: BuildHash,
    /// Of the image's manifest.
    pub digest: Digest,
}

/// What is known about whether the build gives the same bits again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reproducibility {
    /// Something it depends on may move: a base without a digest, dependencies without a lock.
    Unpinned,
    /// All is pinned; nobody has built it a second time.
    Unproven,
    /// Built again under other conditions, with the same digest.
    Proven,
    /// Built again, with another digest.
    Failed,
}

impl Reproducibility {
    /// What is to be expected of a build that nobody has measured, with these reasons why it is not pinned.
    pub const fn expected(unpinned: &[String]) -> Self {
        if unpinned.is_empty() {
            Self::Unproven
        } else {
            Self::Unpinned
        }
    }

    /// The word in data and on screen.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unpinned => "unpinned",
            Self::Unproven => "unproven",
            Self::Proven => "proven",
            Self::Failed => "failed",
        }
    }
}
