//! The build hash: one digest over everything that decides the image.

use std::collections::BTreeMap;

use ergon_manifest::{CanonicalError, Digest, canonical_json};
use serde::{Deserialize, Serialize};

/// What writes the bits. It changes only when the bits it writes change.
pub const BUILDER: Builder = Builder {
    encoding: ergon_oci::ENCODING,
};

/// The part of Ergon that decides bits.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Builder {
    /// The version of tar, gzip and config as Ergon writes them.
    pub encoding: &'static str,
}

/// Everything that decides an image, and nothing else.
///
/// The build hash is the SHA-256 of the RFC 8785 canonical JSON of this object together with
/// `builder`; `docs/evidence.md` shows how to compute it without Ergon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuildInputs {
    /// The manifest's digest.
    pub manifest: Digest,
    /// The source's SHA-256 git tree id.
    pub source: Digest,
    /// Image manifest digests, by base reference.
    pub bases: BTreeMap<String, Digest>,
    /// Digests of lock files, by application; null where there is none.
    pub locks: BTreeMap<String, Option<Digest>>,
    /// `linux/amd64`.
    pub platform: String,
    /// Seconds since 1970 that file times get.
    pub epoch: u64,
}

impl BuildInputs {
    /// The build hash.
    pub fn build_hash(&self) -> Result<Digest, CanonicalError> {
        #[derive(Serialize)]
        struct Hashed<'a> {
            #[serde(flatten)]
            inputs: &'a BuildInputs,
            builder: Builder,
        }
        let hashed = Hashed {
            inputs: self,
            builder: BUILDER,
        };
        Ok(Digest::of(&canonical_json(&hashed)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs() -> BuildInputs {
        BuildInputs {
            manifest: Digest::of(b"manifest"),
            source: Digest::of(b"source"),
            bases: BTreeMap::from([("python:3.11-slim".to_owned(), Digest::of(b"base"))]),
            locks: BTreeMap::from([("web".to_owned(), None)]),
            platform: "linux/amd64".to_owned(),
            epoch: 315_532_800,
        }
    }

    #[test]
    fn the_hash_is_the_one_an_outsider_computes() {
        let text = r#"{"bases":{"python:3.11-slim":"BASE"},"builder":{"encoding":"1"},"epoch":315532800,"locks":{"web":null},"manifest":"MANIFEST","platform":"linux/amd64","source":"SOURCE"}"#
            .replace("BASE", &Digest::of(b"base").to_string())
            .replace("MANIFEST", &Digest::of(b"manifest").to_string())
            .replace("SOURCE", &Digest::of(b"source").to_string());
        assert_eq!(inputs().build_hash().unwrap(), Digest::of(text.as_bytes()));
    }

    #[test]
    fn every_input_changes_the_hash() {
        let original = inputs().build_hash().unwrap();
        let changes: [fn(&mut BuildInputs); 6] = [
            |inputs| inputs.manifest = Digest::of(b"other"),
            |inputs| inputs.source = Digest::of(b"other"),
            |inputs| {
                inputs
                    .bases
                    .values_mut()
                    .for_each(|digest| *digest = Digest::of(b"other"));
            },
            |inputs| {
                inputs
                    .locks
                    .values_mut()
                    .for_each(|lock| *lock = Some(Digest::of(b"l")));
            },
            |inputs| inputs.platform = "linux/arm64".to_owned(),
            |inputs| inputs.epoch += 1,
        ];
        for change in changes {
            let mut inputs = inputs();
            change(&mut inputs);
            assert_ne!(inputs.build_hash().unwrap(), original);
        }
    }
}
