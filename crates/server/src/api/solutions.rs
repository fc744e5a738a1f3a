//! Solutions: what was finished and may be used by others.

use ergon_pack::KnownSecret;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::BuiltImage;

/// A solution to be kept. It is never modified: a change is a new version.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddSolution {
    /// Lower-case letters, digits and `-`; 64 at most.
    pub name: String,
    /// A semantic version: `1.0.0`, `2.0.0-rc.1`.
    pub version: String,
    /// `container`, `tool` or `configuration`.
    pub kind: String,
    /// What it is for, in a sentence or two.
    pub description: String,
    /// Of a container or a tool: whatever names its build, as `GET /api/v1/registry/{reference}` takes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<String>,
    /// Of a configuration: what it says. Absent otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub configuration: Option<serde_json::Value>,
    /// Where its source is, for people; absent: where its build's project is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Words by which it is found.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keywords: Vec<String>,
    /// What it was made from: `name@version`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub derived_from: Option<String>,
    /// What it cannot be used without: `name@version` each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<String>,
}

/// What a finished project is called as a solution: its newest build that succeeded becomes a version of it.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportProject {
    /// A semantic version; absent: the next one after what there is (`0.1.0`, then `0.2.0`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Absent: the project's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Absent: `container`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Absent: that of the version before, else what the project is (`shop: FastAPI, Python 3.11`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keywords: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub derived_from: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<String>,
}

/// A version of a solution, with what is known of it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Solution {
    pub name: String,
    pub version: String,
    /// `container`, `tool` or `configuration`.
    pub kind: String,
    pub description: String,
    pub keywords: Vec<String>,
    /// SHA-256 of the canonical JSON (RFC 8785) of everything that was said when it was added.
    pub digest: String,
    /// A folder, a URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_digest: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build_hash: Option<String>,
    pub images: Vec<BuiltImage>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub configuration: Option<serde_json::Value>,
    /// `name@version`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub derived_from: Option<String>,
    /// `name@version` each.
    pub needs: Vec<String>,
    /// What cannot be without it; while there is anything, it is not removed.
    pub dependents: Vec<Dependent>,
    /// What it was measured against.
    pub standards: Vec<Standard>,
    /// Whether every standard that applies is met.
    pub meets_standards: bool,
    /// Where known secrets were found.
    pub secrets: Vec<KnownSecret>,
    /// All versions of it, the highest first.
    pub versions: Vec<String>,
    /// RFC 3339.
    pub added_at: String,
}

/// Something that depends on a solution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Dependent {
    /// `solution`, `container` or `build`.
    pub kind: String,
    /// `name@version`, a container's name, a build hash.
    pub name: String,
    /// `needs it`, `is derived from it`, `runs its image`, `is built on its image`.
    pub how: String,
}

/// Something a solution is to be, and whether it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Standard {
    /// `pinned`, `proven`, `sbom`, `non-root`, `health-check`, `no-known-secret`.
    pub name: String,
    /// `met`, `not-met`, `unknown`, `not-applicable`.
    pub state: String,
    /// What was looked at, and what to do where it is not met.
    pub why: String,
}
