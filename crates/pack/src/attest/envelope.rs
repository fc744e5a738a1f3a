//! DSSE: a document, what it is, and who signed both. Pure.
//!
//! <https://github.com/secure-systems-lab/dsse/blob/master/protocol.md>

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};

use super::key::{PublicKey, StackKey};

/// More signatures than this are not looked at.
const MOST_SIGNATURES: usize = 64;

/// A signed document, as it travels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Envelope {
    /// Base64.
    payload: String,
    payload_type: String,
    signatures: Vec<SignatureOfKey>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct SignatureOfKey {
    /// A hint only: nothing is trusted for being named here.
    #[serde(default)]
    keyid: String,
    /// Base64.
    sig: String,
}

/// What a key says of an envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signed {
    /// The key signed exactly this.
    Good,
    /// It is said to be the key's, and is not.
    Wrong,
    /// Only others signed it: the names they give their keys.
    ByOthers(Vec<String>),
}

impl Envelope {
    /// Signs a document.
    pub fn sign(payload_type: &str, payload: &[u8], key: &StackKey) -> Self {
        let signature = key.sign(&encode(payload_type, payload));
        Self {
            payload: BASE64_STANDARD.encode(payload),
            payload_type: payload_type.to_owned(),
            signatures: vec![SignatureOfKey {
                keyid: key.public().id().to_string(),
                sig: BASE64_STANDARD.encode(signature),
            }],
        }
    }

    pub fn payload_type(&self) -> &str {
        &self.payload_type
    }

    /// The document; none where it is no base64. Whoever signed it: ask [`Envelope::signed_by`] first.
    pub fn payload(&self) -> Option<Vec<u8>> {
        BASE64_STANDARD.decode(&self.payload).ok()
    }

    /// Whether `key` signed it.
    pub fn signed_by(&self, key: &PublicKey) -> Signed {
        let id = key.id().to_string();
        let signatures = || self.signatures.iter().take(MOST_SIGNATURES);
        let message = self
            .payload()
            .map(|payload| encode(&self.payload_type, &payload));
        let is_good = |signature: &SignatureOfKey| {
            let bytes = BASE64_STANDARD.decode(&signature.sig).ok();
            matches!((&message, bytes), (Some(message), Some(bytes)) if key.verifies(message, &bytes))
        };
        if signatures().any(is_good) {
            Signed::Good
        } else if signatures().any(|signature| signature.keyid == id) {
            Signed::Wrong
        } else {
            Signed::ByOthers(
                signatures()
                    .map(|signature| signature.keyid.clone())
                    .collect(),
            )
        }
    }
}

/// What is signed: DSSE's pre-authentication encoding, so that neither type nor document can be
/// taken for the other.
pub fn encode(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut message = format!(
        "DSSEv1 {} {payload_type} {} ",
        payload_type.len(),
        payload.len()
    )
    .into_bytes();
    message.extend_from_slice(payload);
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_signed_is_encoded_as_the_specification_shows() {
        assert_eq!(
            encode("http://example.com/HelloWorld", b"hello world"),
            b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
        );
    }

    #[test]
    fn one_changed_part_is_noticed_and_another_key_is_another_key() {
        let folder = tempfile::tempdir().unwrap();
        let key = StackKey::open(&folder.path().join("a")).unwrap();
        let other = StackKey::open(&folder.path().join("b")).unwrap();
        let envelope = Envelope::sign("text/plain", b"hello", &key);
        assert_eq!(envelope, Envelope::sign("text/plain", b"hello", &key));
        assert_eq!(envelope.signed_by(key.public()), Signed::Good);
        assert_eq!(
            envelope.signed_by(other.public()),
            Signed::ByOthers(vec![key.public().id().to_string()])
        );
        let changes: [fn(&mut Envelope); 4] = [
            |envelope| envelope.payload = BASE64_STANDARD.encode(b"hellO"),
            |envelope| envelope.payload = "%".to_owned(),
            |envelope| envelope.payload_type = "text/html".to_owned(),
            |envelope| envelope.signatures[0].sig = BASE64_STANDARD.encode([7; 64]),
        ];
        for change in changes {
            let mut envelope = envelope.clone();
            change(&mut envelope);
            assert_eq!(envelope.signed_by(key.public()), Signed::Wrong);
        }
        let mut renamed = envelope.clone();
        renamed.signatures[0].keyid = String::new();
        assert_eq!(renamed.signed_by(key.public()), Signed::Good);
    }
}
