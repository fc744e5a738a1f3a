//! An image by whatever name somebody has for it, brought where its layers can be read.

use std::path::{Path, PathBuf};

use ergon_engine::Engine;
use ergon_manifest::{Digest, PlatformName};
use ergon_oci::{Image, Index, Reference};

use crate::bases::platform;
use crate::cache::Cache;
use crate::error::PackError;
use crate::record::IndexRecord;

/// An image as people name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImageName {
    /// `oci:PATH` or `oci:PATH:NAME`: a folder with an OCI layout, and the image in it.
    Layout { path: PathBuf, name: Option<String> },
    /// `docker-archive:PATH`: what `docker save` writes.
    Archive(PathBuf),
    /// A digest, the beginning of one, a build hash or a tag; a reference to a registry.
    Named(String),
}

impl ImageName {
    /// Reads a name; any text is one, and whether there is such an image shows later.
    pub fn parse(text: &str) -> Self {
        if let Some(path) = text.strip_prefix("docker-archive:") {
            return Self::Archive(PathBuf::from(path));
        }
        let Some(rest) = text.strip_prefix("oci:") else {
            return Self::Named(text.to_owned());
        };
        let split = rest.split_once(':').filter(|_| !Path::new(rest).is_dir());
        match split {
            Some((path, name)) => Self::Layout {
                path: PathBuf::from(path),
                name: Some(name.to_owned()),
            },
            None => Self::Layout {
                path: PathBuf::from(rest),
                name: None,
            },
        }
    }
}

/// Finds an image: in the file that is named, among what was built here, the bases, the local engine's, and last in
/// the registry that the name speaks of. Its blobs are in the cache afterwards. Where a name is of several platforms,
/// it is the image of `wanted`, or this machine's.
pub async fn find_image(
    name: &ImageName,
    wanted: Option<&PlatformName>,
    cache: &Cache,
    engine: Option<&Engine>,
) -> Result<Image, PackError> {
    let platform = wanted.map_or_else(platform, ToString::to_string);
    match name {
        ImageName::Layout { path, name } => {
            let (path, name, blobs) = (path.clone(), name.clone(), cache.blobs().clone());
            let read = move || ergon_oci::layout::read(&path, name.as_deref(), &platform, &blobs);
            Ok(tokio::task::spawn_blocking(read).await??)
        }
        ImageName::Archive(path) => {
            let (path, blobs) = (path.clone(), cache.blobs().clone());
            tokio::task::spawn_blocking(move || {
                let file = ergon_oci::open_regular(&path)
                    .map_err(|error| PackError::ReadSource { path, error })?;
                Ok(ergon_oci::archive::read(
                    std::io::BufReader::new(file),
                    None,
                    &blobs,
                )?)
            })
            .await?
        }
        ImageName::Named(text) => named(text, &platform, cache, engine).await,
    }
}

/// Finds what a name is of for every platform: its index, where it has one, and its images.
pub async fn find_images(
    name: &ImageName,
    cache: &Cache,
    engine: Option<&Engine>,
) -> Result<(Option<Index>, Vec<Image>), PackError> {
    let index = match name {
        ImageName::Layout { path, name } => {
            let (path, name, blobs) = (path.clone(), name.clone(), cache.blobs().clone());
            let read = move || ergon_oci::layout::read_all(&path, name.as_deref(), &blobs);
            tokio::task::spawn_blocking(read).await??
        }
        ImageName::Archive(_) => None,
        ImageName::Named(text) => index_named(text, cache, engine).await?,
    };
    match index {
        Some(index) => {
            let images = index.images.clone();
            Ok((Some(index), images))
        }
        None => Ok((None, vec![find_image(name, None, cache, engine).await?])),
    }
}

/// An index that was built here or that a registry has, where nothing nearer goes by that name.
async fn index_named(
    text: &str,
    cache: &Cache,
    engine: Option<&Engine>,
) -> Result<Option<Index>, PackError> {
    let (owned, held) = (text.to_owned(), cache.clone());
    let here = move || {
        let indexes = indexes_by_name(&owned, &held).into_iter();
        let mut whole = indexes.filter_map(|index| Index::load(held.blobs(), &index.digest).ok());
        let index = whole.next();
        let is_image = index.is_none() && built_here(&owned, &platform(), &held)?.is_some();
        Ok::<_, PackError>((index, is_image))
    };
    let (index, is_image) = tokio::task::spawn_blocking(here).await??;
    let Ok(reference) = text.parse::<Reference>() else {
        return Ok(index);
    };
    if index.is_some() || is_image || cache.bases().resolve(&reference, &platform())?.is_some() {
        return Ok(index);
    }
    if let Some(engine) = engine
        && engine.image_id(text).await?.is_some()
    {
        return Ok(None);
    }
    // Where it cannot be had, whoever asks for the image alone is told why.
    let pulled = ergon_oci::distribution::pull_index(&reference, cache.blobs()).await;
    Ok(pulled.unwrap_or_default())
}

/// The indexes that were made here and go by a name: a tag, a digest, or the beginning of one.
fn indexes_by_name(text: &str, cache: &Cache) -> Vec<IndexRecord> {
    let digits = text.strip_prefix("sha256:").unwrap_or(text);
    let records = cache.builds().into_iter();
    let mut named: Vec<IndexRecord> = records
        .flat_map(|record| record.indexes)
        .filter(|index| {
            index.tags.iter().any(|tag| tag == text)
                || (is_start(digits) && index.digest.hex().starts_with(digits))
        })
        .collect();
    named.sort_by_key(|index| index.digest);
    named.dedup_by_key(|index| index.digest);
    named
}

/// Whether digits are enough of a digest to tell it by.
fn is_start(digits: &str) -> bool {
    digits.len() >= 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

async fn named(
    text: &str,
    platform: &str,
    cache: &Cache,
    engine: Option<&Engine>,
) -> Result<Image, PackError> {
    let (owned, wanted, held) = (text.to_owned(), platform.to_owned(), cache.clone());
    let found = tokio::task::spawn_blocking(move || built_here(&owned, &wanted, &held));
    if let Some(image) = found.await?? {
        return Ok(image);
    }
    let nowhere = |reason: String| PackError::NoSuchImage {
        name: text.to_owned(),
        reason,
    };
    let reference: Reference = text
        .parse()
        .map_err(|error: ergon_oci::ParseReferenceError| nowhere(error.to_string()))?;
    if let Some(base) = cache.bases().resolve(&reference, platform)? {
        return Ok(Image::load(cache.blobs(), &base.digest)?);
    }
    if let Some(engine) = engine
        && engine.image_id(text).await?.is_some()
    {
        let saved = tokio_util::io::SyncIoBridge::new(engine.save_image(text).into_reader());
        let blobs = cache.blobs().clone();
        let read = move || ergon_oci::archive::read(saved, None, &blobs);
        return Ok(tokio::task::spawn_blocking(read).await??);
    }
    ergon_oci::distribution::pull(&reference, platform, cache.blobs())
        .await
        .map_err(|error| nowhere(error.to_string()))
}

/// An image of a build that was made here, by digest, build hash, tag, or the beginning of one of them. Where that
/// names images of several platforms, it is the one of `platform`.
fn built_here(text: &str, platform: &str, cache: &Cache) -> Result<Option<Image>, PackError> {
    let digits = text.strip_prefix("sha256:").unwrap_or(text);
    if let Ok(digest) = format!("sha256:{digits}").parse::<Digest>()
        && let Ok(image) = Image::load(cache.blobs(), &digest)
    {
        return Ok(Some(image));
    }
    let mut found: Vec<(Digest, String)> = Vec::new();
    for record in cache.builds() {
        for image in &record.images {
            let matches = image.tags.iter().any(|tag| tag == text)
                || (is_start(digits)
                    && (image.digest.hex().starts_with(digits)
                        || image.config_digest.hex().starts_with(digits)
                        || record.build_hash.to_string().starts_with(digits)));
            let entry = (image.digest, record.inputs.platform.clone());
            if matches && !found.contains(&entry) {
                found.push(entry);
            }
        }
    }
    let indexes = indexes_by_name(text, cache);
    for image in indexes.into_iter().flat_map(|index| index.images) {
        let entry = (image.digest, image.platform);
        if !found.contains(&entry) {
            found.push(entry);
        }
    }
    let of_several = found.iter().any(|(_, other)| *other != found[0].1);
    if of_several {
        let offered: Vec<String> = found.iter().map(|(_, platform)| platform.clone()).collect();
        found.retain(|(_, offered)| offered == platform);
        if found.is_empty() {
            return Err(ergon_oci::Error::NoSuchPlatform {
                what: text.to_owned(),
                wanted: platform.to_owned(),
                offered,
            }
            .into());
        }
    }
    match found.as_slice() {
        [] => Ok(None),
        [(one, _)] => Ok(Some(Image::load(cache.blobs(), one)?)),
        several => Err(PackError::NoSuchImage {
            name: text.to_owned(),
            reason: format!(
                "{} images go by that name: {}",
                several.len(),
                several
                    .iter()
                    .map(|(digest, _)| digest.short())
                    .collect::<Vec<_>>()
                    .join(", ")
            ),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_where_the_image_is() {
        assert_eq!(
            ImageName::parse("oci:out:web:1"),
            ImageName::Layout {
                path: PathBuf::from("out"),
                name: Some("web:1".to_owned())
            }
        );
        assert_eq!(
            ImageName::parse("docker-archive:a.tar"),
            ImageName::Archive(PathBuf::from("a.tar"))
        );
        assert_eq!(
            ImageName::parse("localhost:5000/web:1"),
            ImageName::Named("localhost:5000/web:1".to_owned())
        );
    }
}
