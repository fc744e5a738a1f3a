//! One image: a manifest and a configuration over blobs.

use ergon_manifest::{Digest, canonical_json};
use serde::de::DeserializeOwned;

use crate::blobs::Blobs;
use crate::error::Error;
use crate::model::{CONFIG, Configuration, Descriptor, ImageManifest, MANIFEST, Platform};

/// More layers than any file system lays over one another: Linux's overlay takes 500.
const MOST_LAYERS: usize = 512;

/// An image whose layers lie in a [`Blobs`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Of the manifest: what identifies the image.
    pub digest: Digest,
    pub manifest: ImageManifest,
    pub config: Configuration,
}

impl Image {
    /// Reads the image with this manifest digest. Its layers are not looked at.
    pub fn load(blobs: &Blobs, digest: &Digest) -> Result<Self, Error> {
        let manifest: ImageManifest = parse(&blobs.read(digest)?, "the manifest", digest)?;
        let config_digest = manifest.config.digest;
        let config: Configuration = parse(
            &blobs.read(&config_digest)?,
            "the configuration",
            &config_digest,
        )?;
        let (layers, diff_ids) = (manifest.layers.len(), config.rootfs.diff_ids.len());
        if layers != diff_ids {
            return Err(Error::malformed(
                format!("the image {digest}"),
                format!("its manifest has {layers} layers and its configuration {diff_ids}"),
            ));
        }
        if layers > MOST_LAYERS {
            return Err(Error::malformed(
                format!("the image {digest}"),
                format!("it has {layers} layers, and at most {MOST_LAYERS} are read"),
            ));
        }
        Ok(Self {
            digest: *digest,
            manifest,
            config,
        })
    }

    /// Stores a configuration as it is, and a manifest of ours over it.
    pub(crate) fn store(
        config: &[u8],
        layers: Vec<Descriptor>,
        annotations: std::collections::BTreeMap<String, String>,
        blobs: &Blobs,
    ) -> Result<Self, Error> {
        let config_digest = blobs.put(config)?;
        let manifest = ImageManifest {
            schema_version: 2,
            media_type: Some(MANIFEST.to_owned()),
            artifact_type: None,
            config: Descriptor::new(CONFIG, config_digest, config.len() as u64),
            layers,
            subject: None,
            annotations,
        };
        let digest = blobs.put(&canonical_json(&manifest)?)?;
        Self::load(blobs, &digest)
    }

    /// Of the configuration: what engines call the image id.
    pub fn config_digest(&self) -> Digest {
        self.manifest.config.digest
    }

    pub fn layers(&self) -> &[Descriptor] {
        &self.manifest.layers
    }

    /// Of the tars inside the layers, lowest first.
    pub fn diff_ids(&self) -> impl ExactSizeIterator<Item = Digest> {
        self.config.rootfs.diff_ids.iter().copied()
    }

    /// Every blob the image consists of: manifest, configuration, layers.
    pub fn blobs(&self) -> impl Iterator<Item = Digest> {
        [self.digest, self.config_digest()]
            .into_iter()
            .chain(self.layers().iter().map(|layer| layer.digest))
    }

    /// Whether every blob of the image is there, in its whole length.
    pub fn is_whole(&self, blobs: &Blobs) -> bool {
        blobs.contains(&self.digest)
            && std::iter::once(&self.manifest.config)
                .chain(self.layers())
                .all(|part| blobs.holds(&part.digest, part.size))
    }

    /// Bytes of all layers, compressed.
    pub fn size(&self) -> u64 {
        self.layers().iter().map(|layer| layer.size).sum()
    }

    pub fn platform(&self) -> Platform {
        Platform {
            architecture: self.config.architecture.clone(),
            os: self.config.os.clone(),
            variant: self.config.variant.clone(),
        }
    }

    /// The manifest's media type: OCI's, unless it says another.
    pub(crate) fn media_type(&self) -> &str {
        self.manifest.media_type.as_deref().unwrap_or(MANIFEST)
    }
}

pub(crate) fn parse<T: DeserializeOwned>(
    bytes: &[u8],
    what: &str,
    digest: &Digest,
) -> Result<T, Error> {
    serde_json::from_slice(bytes)
        .map_err(|error| Error::malformed(format!("{what} {digest}"), error))
}
