//! An image by whatever name somebody has for it, and what is attached to it.

use ergon_engine::Engine;
use ergon_manifest::Digest;
use ergon_oci::model::Descriptor;
use ergon_oci::{Image, Index, Reference, distribution, layout};
use ergon_pack::{Cache, ImageName, PackError, find_image, find_images};

use super::arguments::OnePlatform;
use super::packing;
use crate::failure::Outcome;

/// An image, what is attached to it, and the name it was asked for by.
pub struct Found {
    pub image: Image,
    pub referrers: Vec<Descriptor>,
    pub name: String,
}

/// What a text names, for every platform.
pub struct FoundAll {
    /// Where it names images of several platforms.
    pub index: Option<Index>,
    pub images: Vec<Found>,
}

/// Finds the image that a text names; what is not held here is brought here.
pub async fn find(text: &str, platform: &OnePlatform, cache: &Cache) -> Outcome<Found> {
    let engine = Engine::connect().await.ok();
    let name = ImageName::parse(text);
    let found = find_image(&name, platform.wanted.as_ref(), cache, engine.as_ref())
        .await
        .map_err(|error| packing::failure(&error))?;
    with_attached(text, &name, found, cache).await
}

/// Finds every image that a text names.
pub async fn find_all(text: &str, cache: &Cache) -> Outcome<FoundAll> {
    let engine = Engine::connect().await.ok();
    let name = ImageName::parse(text);
    let (index, found) = find_images(&name, cache, engine.as_ref())
        .await
        .map_err(|error| packing::failure(&error))?;
    let mut images = Vec::new();
    for image in found {
        images.push(with_attached(text, &name, image, cache).await?);
    }
    Ok(FoundAll { index, images })
}

async fn with_attached(
    text: &str,
    name: &ImageName,
    found: Image,
    cache: &Cache,
) -> Outcome<Found> {
    let failed = |error: PackError| packing::failure(&error);
    let image = built_here(&found, cache).map_err(failed)?.unwrap_or(found);
    let mut referrers = held(cache, &image.digest)?;
    match name {
        ImageName::Layout { path, .. } => {
            let read = layout::read_referrers(path, &image.digest, cache.blobs());
            referrers.extend(read.map_err(|error| failed(error.into()))?);
        }
        ImageName::Named(text) if referrers.is_empty() => {
            referrers.extend(elsewhere(text, &image.digest, cache).await);
        }
        ImageName::Archive(_) | ImageName::Named(_) => {}
    }
    referrers.sort_by_key(|referrer| referrer.digest);
    referrers.dedup_by_key(|referrer| referrer.digest);
    Ok(Found {
        image,
        referrers,
        name: text.to_owned(),
    })
}

fn held(cache: &Cache, digest: &Digest) -> Outcome<Vec<Descriptor>> {
    cache
        .referrers()
        .list(digest)
        .map_err(|error| packing::failure(&error.into()))
}

/// The same image as it was built here.
///
/// An engine and its archives keep a configuration and the layers it names, and neither the manifest nor what is
/// attached to the image. One configuration means the same layers inside.
fn built_here(found: &Image, cache: &Cache) -> Result<Option<Image>, PackError> {
    let config = found.config_digest();
    let images = cache.builds().into_iter().flat_map(|build| build.images);
    let known: Vec<Digest> = images
        .filter(|image| image.config_digest == config && cache.blobs().contains(&image.digest))
        .map(|image| image.digest)
        .collect();
    match known.first() {
        Some(digest) if !known.contains(&found.digest) => {
            Ok(Some(Image::load(cache.blobs(), digest)?))
        }
        _ => Ok(None),
    }
}

/// What a registry has; nothing where the name is none of a registry, or the registry cannot say.
async fn elsewhere(text: &str, digest: &Digest, cache: &Cache) -> Vec<Descriptor> {
    let Ok(reference) = text.parse::<Reference>() else {
        return Vec::new();
    };
    match distribution::pull_referrers(&reference, digest, cache.blobs()).await {
        Ok(referrers) => referrers,
        Err(error) => {
            tracing::info!(%error, "what is attached to the image is not known");
            Vec::new()
        }
    }
}
