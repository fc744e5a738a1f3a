//! What refers to an image: its attestations and whatever else is attached to it.
//!
//! Each is an artifact of its own, an OCI manifest whose `subject` is the image (image-spec 1.1).
//! The image does not know of them, so its digest stays what it is; [`Referrers`] remembers which
//! there are, as a registry's referrers API does.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use ergon_manifest::{Digest, canonical_json};
use serde::{Deserialize, Serialize};

use crate::blobs::{Blobs, write_file};
use crate::error::Error;
use crate::files::read_whole;
use crate::image::{Image, parse};
use crate::model::{
    CONFIG, Configuration, Descriptor, ImageManifest, MANIFEST, Platform, RootFileSystem,
};

/// The configuration of an artifact that has none: `{}`.
pub const EMPTY: &str = "application/vnd.oci.empty.v1+json";
/// A signed statement: DSSE as JSON.
pub const ENVELOPE: &str = "application/vnd.dsse.envelope.v1+json";
/// An envelope with the name of the key that checks it, as cosign 2.5 and later attach it.
///
/// <https://github.com/sigstore/cosign/blob/main/specs/BUNDLE_SPEC.md>
pub const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
/// Says of an envelope what its statement is about.
pub const PREDICATE_TYPE: &str = "in-toto.io/predicate-type";

/// Nothing that is attached has a reason to be larger: 64 MiB, in all its documents.
pub const LARGEST: u64 = 64 << 20;
/// So many referrers of one image are looked at.
pub const MOST: usize = 256;
/// No entry of a list is larger, in bytes.
const LARGEST_RECORD: u64 = 1 << 20;

/// Something to attach: one document, and what it is.
#[derive(Clone, Debug)]
pub struct Artifact<'a> {
    pub artifact_type: &'a str,
    pub media_type: &'a str,
    pub content: &'a [u8],
    /// Of its manifest, and of its entry in lists.
    pub annotations: BTreeMap<String, String>,
}

/// The referrers of every image whose blobs are held.
#[derive(Clone, Debug)]
pub struct Referrers {
    folder: PathBuf,
    blobs: Blobs,
}

impl Referrers {
    /// What `folder` remembers, over the artifacts in `blobs`. Nothing is read or made yet.
    pub fn new(folder: impl Into<PathBuf>, blobs: Blobs) -> Self {
        Self {
            folder: folder.into(),
            blobs,
        }
    }

    /// Attaches an artifact. The same content gives the same artifact, which is there once.
    ///
    /// One file for each referrer, so that two who attach at once need not wait for each other.
    pub fn add(&self, image: &Image, artifact: &Artifact<'_>) -> Result<Descriptor, Error> {
        let descriptor = store(&self.blobs, image, artifact)?;
        let folder = self.of(&image.digest);
        fs::create_dir_all(&folder).map_err(Error::io("make the folder", &folder))?;
        let path = folder.join(format!("{}.json", descriptor.digest.hex()));
        if !path.is_file() {
            write_file(&path, &canonical_json(&descriptor)?)?;
        }
        Ok(descriptor)
    }

    /// Everything attached to an image that is still there whole, in a stable order.
    pub fn list(&self, subject: &Digest) -> Result<Vec<Descriptor>, Error> {
        let folder = self.of(subject);
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(Error::io("read", &folder)(error)),
        };
        let mut found = Vec::new();
        for entry in entries {
            let path = entry.map_err(Error::io("read", &folder))?.path();
            found.extend(self.held(&path));
        }
        found.sort_by(in_order);
        Ok(found)
    }

    /// Lets go of one; its blobs stay, since others may share them.
    pub fn remove(&self, subject: &Digest, referrer: &Digest) -> Result<(), Error> {
        let path = self.of(subject).join(format!("{}.json", referrer.hex()));
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::io("remove", path)(error))
            }
            _ => Ok(()),
        }
    }

    fn of(&self, subject: &Digest) -> PathBuf {
        self.folder.join(subject.hex())
    }

    /// What a record says, if it can be read and its artifact is there.
    fn held(&self, path: &Path) -> Option<Descriptor> {
        let descriptor: Descriptor =
            serde_json::from_slice(&read_whole(path, LARGEST_RECORD).ok()?).ok()?;
        let manifest = artifact_manifest(&self.blobs, &descriptor).ok()?;
        let is_whole = std::iter::once(&manifest.config)
            .chain(&manifest.layers)
            .all(|part| self.blobs.contains(&part.digest));
        is_whole.then_some(descriptor)
    }
}

fn in_order(left: &Descriptor, right: &Descriptor) -> std::cmp::Ordering {
    let key = |of: &Descriptor| {
        (
            of.artifact_type.clone(),
            of.annotations.get(PREDICATE_TYPE).cloned(),
            of.digest,
        )
    };
    key(left).cmp(&key(right))
}

fn store(blobs: &Blobs, image: &Image, artifact: &Artifact<'_>) -> Result<Descriptor, Error> {
    let content = blobs.put(artifact.content)?;
    let empty = blobs.put(b"{}")?;
    let subject = Descriptor::new(image.media_type(), image.digest, blobs.size(&image.digest)?);
    let manifest = ImageManifest {
        schema_version: 2,
        media_type: Some(MANIFEST.to_owned()),
        artifact_type: Some(artifact.artifact_type.to_owned()),
        config: Descriptor::new(EMPTY, empty, 2),
        layers: vec![Descriptor {
            annotations: artifact.annotations.clone(),
            ..Descriptor::new(artifact.media_type, content, artifact.content.len() as u64)
        }],
        subject: Some(subject),
        annotations: artifact.annotations.clone(),
    };
    let bytes = canonical_json(&manifest)?;
    let digest = blobs.put(&bytes)?;
    Ok(describe(&manifest, digest, bytes.len() as u64))
}

/// The entry of an artifact in a list of referrers, as the referrers API has it.
pub(crate) fn describe(manifest: &ImageManifest, digest: Digest, size: u64) -> Descriptor {
    let artifact_type = manifest
        .artifact_type
        .clone()
        .unwrap_or_else(|| manifest.config.media_type.clone());
    Descriptor {
        annotations: manifest.annotations.clone(),
        artifact_type: Some(artifact_type),
        ..Descriptor::new(MANIFEST, digest, size)
    }
}

/// The manifest of something attached.
pub fn artifact_manifest(blobs: &Blobs, referrer: &Descriptor) -> Result<ImageManifest, Error> {
    let content = blobs.read(&referrer.digest)?;
    parse(&content, "the artifact", &referrer.digest)
}

/// The documents of something attached, each with its media type, checked against its digest.
pub fn artifact_contents(
    blobs: &Blobs,
    referrer: &Descriptor,
) -> Result<Vec<(String, Vec<u8>)>, Error> {
    let manifest = artifact_manifest(blobs, referrer)?;
    let mut left = LARGEST;
    let mut documents = Vec::new();
    for layer in manifest.layers {
        let size = blobs.size(&layer.digest)?;
        left = left.checked_sub(size.max(1)).ok_or_else(|| {
            Error::malformed(
                format!("the artifact {}", referrer.digest),
                format!("more than {LARGEST} bytes are too much to be attached to an image"),
            )
        })?;
        documents.push((layer.media_type, blobs.read_up_to(&layer.digest, size)?));
    }
    Ok(documents)
}

/// The tag under which registries without a referrers API keep the list of an image's referrers.
pub(crate) fn fallback_tag(subject: &Digest) -> String {
    format!("sha256-{}", subject.hex())
}

/// The tag under which cosign keeps an image's attestations.
pub(crate) fn cosign_tag(subject: &Digest) -> String {
    format!("sha256-{}.att", subject.hex())
}

/// Whether a name is one of those that are made of an image's digest, and so names no image.
pub(crate) fn is_derived(name: &str) -> bool {
    let Some(rest) = name.strip_prefix("sha256-") else {
        return false;
    };
    let hex = rest.strip_suffix(".att").unwrap_or(rest);
    hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The same envelopes once more as Sigstore bundles, each an artifact attached to the image.
pub(crate) fn sigstore_form(
    blobs: &Blobs,
    image: &Image,
    referrers: &[Descriptor],
) -> Result<Vec<Descriptor>, Error> {
    let mut bundles = Vec::new();
    for referrer in referrers
        .iter()
        .filter(|referrer| referrer.artifact_type.as_deref() == Some(ENVELOPE))
    {
        for (_, content) in artifact_contents(blobs, referrer)? {
            // What others attached may be anything, and a bundle is of one key.
            let Ok(envelope) = serde_json::from_slice::<Envelope>(&content) else {
                continue;
            };
            let [signature] = envelope.signatures.as_slice() else {
                continue;
            };
            let bundle = Bundle {
                media_type: BUNDLE,
                verification_material: Material {
                    public_key: Hint {
                        hint: &signature.keyid,
                    },
                    tlog_entries: [],
                },
                dsse_envelope: &envelope,
            };
            let mut annotations = BTreeMap::from([(
                "dev.sigstore.bundle.content".to_owned(),
                "dsse-envelope".to_owned(),
            )]);
            if let Some(predicate) = referrer.annotations.get(PREDICATE_TYPE) {
                let name = "dev.sigstore.bundle.predicateType".to_owned();
                annotations.insert(name, predicate.clone());
            }
            let artifact = Artifact {
                artifact_type: BUNDLE,
                media_type: BUNDLE,
                content: &canonical_json(&bundle)?,
                annotations,
            };
            bundles.push(store(blobs, image, &artifact)?);
        }
    }
    Ok(bundles)
}

/// A signed statement, with what stands in it left as it is.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    payload: String,
    payload_type: String,
    signatures: Vec<Signature>,
}

#[derive(Serialize, Deserialize)]
struct Signature {
    #[serde(default)]
    keyid: String,
    sig: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Bundle<'a> {
    media_type: &'static str,
    verification_material: Material<'a>,
    dsse_envelope: &'a Envelope,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Material<'a> {
    public_key: Hint<'a>,
    /// No log of signatures knows of it.
    tlog_entries: [(); 0],
}

/// What the key is called, by those who have several.
#[derive(Serialize)]
struct Hint<'a> {
    hint: &'a str,
}

/// The same envelopes once more in the form that cosign looked for before it knew of referrers: an image whose layers they are.
///
/// `others` are layers that stand there already, by whomever. None where there is no envelope.
pub(crate) fn cosign_form(
    blobs: &Blobs,
    referrers: &[Descriptor],
    others: Vec<Descriptor>,
) -> Result<Option<(Digest, ImageManifest)>, Error> {
    let mut layers = others;
    for referrer in referrers
        .iter()
        .filter(|referrer| referrer.artifact_type.as_deref() == Some(ENVELOPE))
    {
        let predicate = referrer.annotations.get(PREDICATE_TYPE);
        for layer in artifact_manifest(blobs, referrer)?.layers {
            if layers.iter().any(|known| known.digest == layer.digest) {
                continue;
            }
            let mut annotations = BTreeMap::from([(
                "dev.cosignproject.cosign/signature".to_owned(),
                String::new(),
            )]);
            if let Some(predicate) = predicate {
                annotations.insert("predicateType".to_owned(), predicate.clone());
            }
            layers.push(Descriptor {
                annotations,
                ..layer
            });
        }
    }
    if layers.is_empty() {
        return Ok(None);
    }
    let platform = Platform::parse("linux/amd64")?;
    let config = canonical_json(&Configuration {
        architecture: platform.architecture,
        os: platform.os,
        rootfs: RootFileSystem {
            kind: "layers".to_owned(),
            diff_ids: layers.iter().map(|layer| layer.digest).collect(),
        },
        ..Configuration::default()
    })?;
    let manifest = ImageManifest {
        schema_version: 2,
        media_type: Some(MANIFEST.to_owned()),
        artifact_type: None,
        config: Descriptor::new(CONFIG, blobs.put(&config)?, config.len() as u64),
        layers,
        subject: None,
        annotations: BTreeMap::new(),
    };
    let digest = blobs.put(&canonical_json(&manifest)?)?;
    Ok(Some((digest, manifest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_made_of_digests_are_told_from_names_of_images() {
        let digest = Digest::of(b"image");
        assert!(is_derived(&fallback_tag(&digest)) && is_derived(&cosign_tag(&digest)));
        for name in ["sha256-1", "app:1", "", "sha256-.att"] {
            assert!(!is_derived(name), "{name}");
        }
    }
}
