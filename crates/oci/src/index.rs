//! Images of several platforms under one digest.

use std::collections::BTreeMap;

use ergon_manifest::{Digest, canonical_json};

use crate::blobs::Blobs;
use crate::error::Error;
use crate::image::{Image, parse};
use crate::model::{DOCKER_LIST, Descriptor, INDEX, ImageIndex, ImageManifest, is_index};

/// Bytes of the manifests and configurations of all images of an index, for each of which some more are counted.
const MOST_DOCUMENTS: u64 = 8 << 20;
const ENTRY: u64 = 64 << 10;

/// An index whose images lie in a [`Blobs`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    /// Of the index: what identifies all of its images at once.
    pub digest: Digest,
    pub index: ImageIndex,
    /// In the order of the index.
    pub images: Vec<Image>,
}

impl Index {
    /// Stores an index of these images: canonical JSON, in the order of their platforms, each once.
    pub fn assemble(
        images: &[Image],
        annotations: BTreeMap<String, String>,
        blobs: &Blobs,
    ) -> Result<Self, Error> {
        let mut by_platform: BTreeMap<String, Image> = BTreeMap::new();
        for image in images {
            let platform = image.platform();
            let other = by_platform.insert(platform.normal().to_string(), image.clone());
            if other.is_some_and(|other| other.digest != image.digest) {
                return Err(Error::malformed(
                    "the index",
                    format!("two of its images are for {platform}"),
                ));
            }
        }
        let descriptors = by_platform.values().map(|image| describe(image, blobs));
        let index = ImageIndex {
            annotations,
            ..ImageIndex::new(descriptors.collect::<Result<_, Error>>()?)
        };
        let digest = blobs.put(&canonical_json(&index)?)?;
        Ok(Self {
            digest,
            index,
            images: by_platform.into_values().collect(),
        })
    }

    /// Reads the index with this digest, and its images. What is attached to it by others is left out.
    pub fn load(blobs: &Blobs, digest: &Digest) -> Result<Self, Error> {
        let index: ImageIndex = parse(&blobs.read(digest)?, "the index", digest)?;
        if !matches!(
            index.media_type.as_deref(),
            None | Some(INDEX | DOCKER_LIST)
        ) {
            return Err(Error::malformed(
                format!("the index {digest}"),
                "it is of another kind",
            ));
        }
        // One image may be named as often as anybody likes, and each takes memory.
        let mut documents = 0_u64;
        for known in images(&index) {
            let manifest: ImageManifest =
                parse(&blobs.read(&known.digest)?, "the manifest", &known.digest)?;
            documents += ENTRY
                + known
                    .size
                    .saturating_add(blobs.size(&manifest.config.digest)?);
            if documents > MOST_DOCUMENTS {
                return Err(Error::malformed(
                    format!("the index {digest}"),
                    format!(
                        "its manifests and configurations have more than {MOST_DOCUMENTS} bytes"
                    ),
                ));
            }
        }
        let images = images(&index).map(|known| Image::load(blobs, &known.digest));
        Ok(Self {
            digest: *digest,
            images: images.collect::<Result<_, Error>>()?,
            index,
        })
    }

    /// The media type that it says it has.
    pub(crate) fn media_type(&self) -> &str {
        self.index.media_type.as_deref().unwrap_or(INDEX)
    }

    /// Every blob it consists of: itself, and those of its images.
    pub fn blobs(&self) -> impl Iterator<Item = Digest> {
        let images = self.images.iter().flat_map(Image::blobs);
        std::iter::once(self.digest).chain(images)
    }
}

/// The images of an index. Some tools list what they attach beside them, for the platform `unknown`.
pub(crate) fn images(index: &ImageIndex) -> impl Iterator<Item = &Descriptor> {
    index.manifests.iter().filter(|known| {
        let is_unknown = |os: &str| os == "unknown";
        let platform = known.platform.as_ref();
        !is_index(known) && !platform.is_some_and(|platform| is_unknown(&platform.os))
    })
}

/// The entry of an image in an index.
pub(crate) fn describe(image: &Image, blobs: &Blobs) -> Result<Descriptor, Error> {
    Ok(Descriptor {
        platform: Some(image.platform()),
        ..Descriptor::new(image.media_type(), image.digest, blobs.size(&image.digest)?)
    })
}
