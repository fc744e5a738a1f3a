//! The proof of reproducibility: that a build was done twice, under which conditions, and what
//! came of it. Pure.

use ergon_manifest::Digest;
use serde::{Deserialize, Serialize};

use crate::conditions::Condition;
use crate::hash::BuildHash;
use crate::verify::Verification;

/// What the statement is about; `docs/attestations.md` describes it.
pub const PREDICATE_TYPE: &str = "https://ergon.dev/attestations/reproducibility/v1";

/// Two builds of the same inputs, compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Proof {
    pub build_hash: BuildHash,
    /// What was different around the two builds.
    pub conditions: Vec<Condition>,
    /// Whether both gave the same image digest.
    pub equal: bool,
    /// How many paths differ.
    pub differences: u64,
    /// The digest that the second build gave.
    pub second_image: Digest,
    /// When the second build began, RFC 3339.
    pub verified_at: String,
}

impl Proof {
    /// What a verification says of one container's image; none where it does not speak of it.
    pub fn of(build_hash: BuildHash, verification: &Verification, container: &str) -> Option<Self> {
        let image = verification
            .images
            .iter()
            .find(|image| image.container == container)?;
        Some(Self {
            build_hash,
            conditions: verification.conditions.clone(),
            equal: image.comparison.equal,
            differences: image.comparison.different,
            second_image: image.second,
            verified_at: verification.at.clone(),
        })
    }
}
