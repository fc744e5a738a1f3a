//! A selection of images, with everything attached to them, as one archive: an OCI image layout in a tar.
//!
//! What an archive has is checked twice: on its way out, where a damaged blob breaks it off, and on its way in, where nothing
//! is kept before every blob was what its name says and everything that is named was there.

mod export;
mod import;

use std::collections::BTreeMap;
use std::path::Path;

use ergon_oci::ContentDigest;
use ergon_oci::registry::{RepositoryName, Tag};
use serde::{Deserialize, Serialize};

pub use export::Archive;
use import::UNFINISHED;

/// An annotation of a layout's index: the index of what is attached to its images. Tools that take a layout with several
/// entries for one of several images are not confused by it.
const ATTACHED: &str = "dev.ergon.referrers";
/// An annotation of an entry: the repository it was in.
const REPOSITORY: &str = "dev.ergon.repository";
/// How deep indexes may stand in one another, and things be attached to what is attached.
const DEEPEST: usize = 8;
/// So many manifests are in one archive at most.
const MOST: usize = 100_000;

/// What is wanted of a repository.
#[derive(Clone, Debug)]
pub struct Selected {
    pub repository: RepositoryName,
    pub digest: ContentDigest,
    pub tags: Vec<Tag>,
}

/// An index of a layout.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listing {
    schema_version: u32,
    #[serde(default)]
    media_type: Option<String>,
    #[serde(default)]
    manifests: Vec<Entry>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<String, String>,
}

/// An entry of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    media_type: String,
    digest: ContentDigest,
    size: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    artifact_type: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<String, String>,
}

impl Listing {
    fn new(manifests: Vec<Entry>) -> Self {
        Self {
            schema_version: 2,
            media_type: Some(ergon_oci::model::INDEX.to_owned()),
            manifests,
            annotations: BTreeMap::new(),
        }
    }
}

/// Removes what archives left whose unpacking ended with its process.
pub(super) fn remove_unfinished(root: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(root)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
            std::fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}
