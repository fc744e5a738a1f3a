//! Images of several platforms, to registries and from them.

use ergon_manifest::Digest;
use oci_client::RegistryOperation;

use super::{OnProgress, Registry, blocking, is_index};
use crate::blobs::Blobs;
use crate::error::Error;
use crate::image::parse;
use crate::index::{Index, images};
use crate::model::{ImageIndex, ImageManifest};
use crate::reference::Reference;

/// So many images of one index are looked at.
const MOST: usize = 64;

/// Sends images of several platforms to where `reference` says: each by its digest, then the index under the tag.
pub async fn push_index(
    blobs: &Blobs,
    index: &Index,
    reference: &Reference,
    progress: OnProgress,
) -> Result<(), Error> {
    let registry = Registry::connect(reference, "push", RegistryOperation::Push).await?;
    let Some(tag) = reference.tag() else {
        return Err(registry.failed("a push needs a tag"));
    };
    for image in &index.images {
        let name = registry.name_at(&image.digest);
        registry.send_image(image, &name, blobs, &progress).await?;
    }
    let content = blobs.read(&index.digest)?;
    registry
        .put_manifest(&registry.name(tag), content, index.media_type())
        .await
}

/// Brings images of several platforms here that stand under one name; none where the name is of one image.
pub async fn pull_index(reference: &Reference, blobs: &Blobs) -> Result<Option<Index>, Error> {
    let registry = Registry::connect(reference, "pull", RegistryOperation::Pull).await?;
    let (digest, content) = registry.content(reference.digest().copied()).await?;
    if !is_index(&content, &digest)? {
        return Ok(None);
    }
    let index: ImageIndex = parse(&content, "the index", &digest)?;
    for known in images(&index).take(MOST) {
        let (digest, manifest) = registry.content(Some(known.digest)).await?;
        let parsed: ImageManifest = parse(&manifest, "the manifest", &digest)?;
        registry.download_all(&parsed, blobs).await?;
        put(blobs, manifest).await?;
    }
    put(blobs, content).await?;
    let blobs = blobs.clone();
    blocking(move || Index::load(&blobs, &digest))
        .await
        .map(Some)
}

/// Last of all, so that a manifest that is here has its parts.
async fn put(blobs: &Blobs, content: Vec<u8>) -> Result<Digest, Error> {
    let blobs = blobs.clone();
    blocking(move || blobs.put(&content)).await
}
