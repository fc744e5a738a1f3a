//! in-toto statements: something said of an image, before it is signed. Pure.
//!
//! <https://github.com/in-toto/attestation/tree/main/spec/v1>

use std::collections::BTreeMap;

use ergon_manifest::{CanonicalError, Digest, canonical_json};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::envelope::Envelope;
use super::key::StackKey;

/// What the payload of our envelopes is.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
const STATEMENT: &str = "https://in-toto.io/Statement/v1";

/// Something said of an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Statement {
    #[serde(rename = "_type")]
    kind: String,
    pub subject: Vec<Resource>,
    pub predicate_type: String,
    pub predicate: Value,
}

/// One thing, by its digests.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Resource {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// Hex digits by algorithm.
    pub digest: BTreeMap<String, String>,
}

impl Resource {
    /// A thing with a SHA-256 digest.
    pub fn sha256(name: impl Into<String>, digest: &Digest) -> Self {
        Self {
            name: Some(name.into()),
            uri: None,
            digest: BTreeMap::from([("sha256".to_owned(), digest.hex())]),
        }
    }
}

impl Statement {
    /// A statement about the image that `name` is called.
    pub fn about(name: &str, image: &Digest, predicate_type: &str, predicate: Value) -> Self {
        Self {
            kind: STATEMENT.to_owned(),
            subject: vec![Resource::sha256(name, image)],
            predicate_type: predicate_type.to_owned(),
            predicate,
        }
    }

    /// Signs it: the same bytes for the same statement and key.
    pub fn sign(&self, key: &StackKey) -> Result<Vec<u8>, CanonicalError> {
        let payload = canonical_json(self)?;
        canonical_json(&Envelope::sign(PAYLOAD_TYPE, &payload, key))
    }

    /// The statement in an envelope, whoever signed it.
    pub fn of(envelope: &Envelope) -> Result<Self, String> {
        if envelope.payload_type() != PAYLOAD_TYPE {
            return Err(format!(
                "its payload is {:?}, and no in-toto statement",
                envelope.payload_type()
            ));
        }
        let payload = envelope.payload().ok_or("its payload is no base64")?;
        let statement: Self =
            serde_json::from_slice(&payload).map_err(|error| error.to_string())?;
        if statement.kind == STATEMENT {
            Ok(statement)
        } else {
            Err(format!("its type is {:?}", statement.kind))
        }
    }

    /// Whether it is about this very image.
    pub fn is_about(&self, image: &Digest) -> bool {
        self.subject
            .iter()
            .any(|subject| subject.digest.get("sha256") == Some(&image.hex()))
    }
}
