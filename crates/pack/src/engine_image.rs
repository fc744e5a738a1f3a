//! Images on their way into the engine, with only the layers it lacks.

use ergon_engine::Engine;
use ergon_manifest::Digest;
use ergon_oci::{Blobs, Image};

use crate::cache::Cache;
use crate::error::PackError;
use crate::record::ImageRecord;

/// Brings an image into the engine; what it has of `below`, best first, is not sent again.
pub async fn load(
    engine: &Engine,
    cache: &Cache,
    image: &Image,
    below: impl IntoIterator<Item = &Image>,
) -> Result<(), PackError> {
    if engine
        .image_id(&image.config_digest().to_string())
        .await?
        .is_some()
    {
        return Ok(());
    }
    let mut known: Vec<Digest> = Vec::new();
    for candidate in below {
        if engine
            .image_id(&candidate.config_digest().to_string())
            .await?
            .is_some()
        {
            known = candidate.diff_ids().collect();
            break;
        }
    }
    load_archive(engine, cache.blobs(), image, &[], known).await
}

/// Brings a finished image and its tags into the engine, where they are not there yet.
pub async fn load_into_engine(
    engine: &Engine,
    cache: &Cache,
    record: &ImageRecord,
) -> Result<(), PackError> {
    let id = record.config_digest.to_string();
    if engine.image_id(&id).await?.is_none() {
        let image = Image::load(cache.blobs(), &record.digest)?;
        load_archive(engine, cache.blobs(), &image, &record.tags, Vec::new()).await?;
    }
    for tag in &record.tags {
        if engine.image_id(tag).await?.as_deref() != Some(id.as_str()) {
            engine.tag_image(&id, tag).await?;
        }
    }
    Ok(())
}

async fn load_archive(
    engine: &Engine,
    blobs: &Blobs,
    image: &Image,
    tags: &[String],
    known: Vec<Digest>,
) -> Result<(), PackError> {
    let (reader, writer) = tokio::io::duplex(1 << 20);
    let (blobs, image, tags) = (blobs.clone(), image.clone(), tags.to_vec());
    let writing = tokio::task::spawn_blocking(move || {
        let writer = tokio_util::io::SyncIoBridge::new(writer);
        // A layer stands on those below it: one that is known further down is another than the same once more.
        let asked = std::cell::Cell::new(0);
        ergon_oci::archive::write_docker(
            &blobs,
            &image,
            &tags,
            &|diff_id| known.get(asked.replace(asked.get() + 1)) == Some(diff_id),
            writer,
        )
    });
    let loaded = engine.load_image_from(reader).await;
    // The engine's own words say more than a pipe that it closed.
    let written = writing.await?;
    loaded?;
    written?;
    Ok(())
}

/// Removes the image of a step, whose layers the finished image shares.
pub async fn remove_step_image(engine: &Engine, image: &Image) {
    let id = image.config_digest().to_string();
    if let Err(error) = engine.remove_image(&id, false).await {
        tracing::debug!(%id, %error, "a step's image stays in the engine");
    }
}
