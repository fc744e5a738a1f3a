//! The build hash: one digest over everything that decides the image.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use ergon_manifest::{CanonicalError, Digest, ParseDigestError, canonical_json};
use serde::{Deserialize, Serialize};

/// What writes the bits. It changes only when the bits it writes change.
pub const BUILDER: Builder = Builder {
    encoding: ergon_oci::ENCODING,
    plan: ergon_detect::plan::RULES,
    capture: crate::scrub::RULES_VERSION,
};

/// The part of Ergon that decides bits.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Builder {
    /// The version of tar, gzip and config as Ergon writes them.
    pub encoding: &'static str,
    /// The version of the rules by which a manifest becomes steps.
    pub plan: &'static str,
    /// The version of the rules by which what a step left becomes a layer.
    pub capture: &'static str,
}

/// What a build is called: 64 hex digits, without an algorithm in front, so that a tag can begin
/// with it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BuildHash(Digest);

impl BuildHash {
    /// The first twelve digits, as tags and people use them.
    pub fn short(&self) -> String {
        self.0.short()
    }
}

impl FromStr for BuildHash {
    type Err = ParseDigestError;

    /// Reads a hash; one written as a digest, with `sha256:` in front, is the same.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_prefix("sha256:").unwrap_or(text);
        format!("sha256:{digits}").parse().map(Self)
    }
}

impl TryFrom<String> for BuildHash {
    type Error = ParseDigestError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<BuildHash> for String {
    fn from(hash: BuildHash) -> Self {
        hash.to_string()
    }
}

impl fmt::Display for BuildHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.hex())
    }
}

impl fmt::Debug for BuildHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
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
    pub fn build_hash(&self) -> Result<BuildHash, CanonicalError> {
        Ok(BuildHash(Digest::of(&self.hashed()?)))
    }

    /// The canonical JSON that the build hash is the digest of.
    pub(crate) fn hashed(&self) -> Result<Vec<u8>, CanonicalError> {
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
        canonical_json(&hashed)
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
        let text = r#"{"bases":{"python:3.11-slim":"BASE"},"builder":{"capture":"2","encoding":"1","plan":"4"},"epoch":315532800,"locks":{"web":null},"manifest":"MANIFEST","platform":"linux/amd64","source":"SOURCE"}"#
            .replace("BASE", &Digest::of(b"base").to_string())
            .replace("MANIFEST", &Digest::of(b"manifest").to_string())
            .replace("SOURCE", &Digest::of(b"source").to_string());
        let hash = inputs().build_hash().unwrap();
        assert_eq!(hash.to_string(), Digest::of(text.as_bytes()).hex());
        assert_eq!(hash.to_string().parse::<BuildHash>().unwrap(), hash);
        assert_eq!(format!("sha256:{hash}").parse::<BuildHash>().unwrap(), hash);
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
