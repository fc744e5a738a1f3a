//! An image by whatever name somebody has for it, brought where its layers can be read.

use std::path::{Path, PathBuf};

use ergon_engine::Engine;
use ergon_manifest::Digest;
use ergon_oci::{Image, Reference};

use crate::bases::platform;
use crate::cache::Cache;
use crate::error::PackError;

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
/// the registry that the name speaks of. Its blobs are in the cache afterwards.
pub async fn find_image(
    name: &ImageName,
    cache: &Cache,
    engine: Option<&Engine>,
) -> Result<Image, PackError> {
    match name {
        ImageName::Layout { path, name } => {
            let (path, name, blobs) = (path.clone(), name.clone(), cache.blobs().clone());
            let read = move || ergon_oci::layout::read(&path, name.as_deref(), &platform(), &blobs);
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
        ImageName::Named(text) => named(text, cache, engine).await,
    }
}

async fn named(text: &str, cache: &Cache, engine: Option<&Engine>) -> Result<Image, PackError> {
    let (owned, held) = (text.to_owned(), cache.clone());
    if let Some(image) = tokio::task::spawn_blocking(move || built_here(&owned, &held)).await?? {
        return Ok(image);
    }
    let nowhere = |reason: String| PackError::NoSuchImage {
        name: text.to_owned(),
        reason,
    };
    let reference: Reference = text
        .parse()
        .map_err(|error: ergon_oci::ParseReferenceError| nowhere(error.to_string()))?;
    if let Some(base) = cache.bases().resolve(&reference)? {
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
    ergon_oci::distribution::pull(&reference, &platform(), cache.blobs())
        .await
        .map_err(|error| nowhere(error.to_string()))
}

/// An image of a build that was made here, by digest, build hash, tag, or the beginning of one of them.
fn built_here(text: &str, cache: &Cache) -> Result<Option<Image>, PackError> {
    let digits = text.strip_prefix("sha256:").unwrap_or(text);
    let is_start = digits.len() >= 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if let Ok(digest) = format!("sha256:{digits}").parse::<Digest>()
        && let Ok(image) = Image::load(cache.blobs(), &digest)
    {
        return Ok(Some(image));
    }
    let mut found: Vec<Digest> = Vec::new();
    for record in cache.builds() {
        for image in &record.images {
            let matches = image.tags.iter().any(|tag| tag == text)
                || (is_start
                    && (image.digest.hex().starts_with(digits)
                        || image.config_digest.hex().starts_with(digits)
                        || record.build_hash.to_string().starts_with(digits)));
            if matches && !found.contains(&image.digest) {
                found.push(image.digest);
            }
        }
    }
    match found.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(Image::load(cache.blobs(), one)?)),
        several => Err(PackError::NoSuchImage {
            name: text.to_owned(),
            reason: format!(
                "{} images go by that name: {}",
                several.len(),
                several
                    .iter()
                    .map(Digest::short)
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
