//! RFC 8785 canonical JSON, the one form that everything is hashed in.

use serde::Serialize;

/// Why a value has no canonical form.
#[derive(Debug, thiserror::Error)]
#[error("cannot write canonical JSON: {0}")]
pub struct CanonicalError(String);

/// The RFC 8785 canonical form of `value`.
pub fn canonical_json(value: &impl Serialize) -> Result<Vec<u8>, CanonicalError> {
    serde_json_canonicalizer::to_vec(value).map_err(|error| CanonicalError(error.to_string()))
}
