//! What a layer is kept under: everything that decides it.

use std::collections::BTreeMap;

use ergon_detect::plan::StageFiles;
use ergon_manifest::Digest;
use serde::Serialize;

#[derive(Serialize)]
pub(super) struct SourcesKey<'a> {
    pub sources: Digest,
    pub owner: u32,
    pub root: &'a str,
}

#[derive(Serialize)]
pub(super) struct StageKey<'a> {
    pub stage: &'a [Digest],
    pub files: &'a StageFiles,
    pub owner: u32,
}

#[derive(Serialize)]
pub(super) struct RunKey<'a> {
    pub base: Digest,
    pub below: &'a [Digest],
    pub command: &'a str,
    pub workdir: &'a str,
    pub environment: &'a BTreeMap<String, String>,
    pub network: bool,
    pub platform: &'a str,
    /// Versions of the secrets that it reads, by name; never what they say.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: &'a BTreeMap<&'a str, &'a str>,
}
