//! One build for each platform, and one index of what came of them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use ergon_manifest::{Digest, Manifest, PlatformName, canonical_json};
use ergon_oci::{Image, Index};

use crate::cache::Cache;
use crate::error::PackError;
use crate::own_file::read_own_file;
use crate::prepare::MANIFEST_FILE;
use crate::record::{BuildRecord, IndexRecord, IndexedImage};

/// The platforms that are built for: what is wanted, else what the manifest names; none where it is left to the
/// machine. Each once, in the one form of all that mean the same, sorted.
pub fn platforms(wanted: &[PlatformName], manifest: &Manifest) -> Vec<PlatformName> {
    let named = if wanted.is_empty() {
        &manifest.packaging.platforms
    } else {
        wanted
    };
    let normal: BTreeSet<PlatformName> = named.iter().map(PlatformName::normal).collect();
    normal.into_iter().collect()
}

/// The [`platforms`] of a folder, whose manifest is only looked at for that. What is wrong with it shows when it is
/// read to be built; one that is generated names no platforms.
pub fn platforms_of(folder: &Path, wanted: &[PlatformName]) -> Vec<PlatformName> {
    let written = read_own_file(folder, MANIFEST_FILE).ok().flatten();
    let document = written
        .and_then(|content| String::from_utf8(content).ok())
        .and_then(|text| ergon_manifest::check(&text).ok());
    let manifest = document.map(|document| document.manifest);
    platforms(wanted, &manifest.unwrap_or_default())
}

/// Puts the images of builds that differ in nothing but their platform into one index for each container, and
/// remembers that with every one of the builds.
pub fn index(records: &mut [BuildRecord], cache: &Cache) -> Result<Vec<IndexRecord>, PackError> {
    let Some(first) = records.first() else {
        return Ok(Vec::new());
    };
    let hash = combined(records)?;
    let annotations = BTreeMap::from([
        (
            "dev.ergon.manifest.digest".to_owned(),
            first.inputs.manifest.to_string(),
        ),
        (
            "dev.ergon.source.digest".to_owned(),
            first.inputs.source.to_string(),
        ),
    ]);
    let mut indexes = Vec::new();
    for (position, image) in first.images.iter().enumerate() {
        let of_platforms: Vec<_> = records
            .iter()
            .filter_map(|record| Some((record, record.images.get(position)?)))
            .collect();
        let images = of_platforms
            .iter()
            .map(|(_, image)| Image::load(cache.blobs(), &image.digest));
        let images: Vec<Image> = images.collect::<Result<_, _>>()?;
        let index = Index::assemble(&images, annotations.clone(), cache.blobs())?;
        let own = format!("{}:{}", image.container, hash.short());
        indexes.push(IndexRecord {
            container: image.container.clone(),
            digest: index.digest,
            // What else the image is called, it is called for every platform.
            tags: std::iter::once(own)
                .chain(image.tags.iter().skip(1).cloned())
                .collect(),
            images: of_platforms
                .into_iter()
                .map(|(record, image)| IndexedImage {
                    platform: record.inputs.platform.clone(),
                    build_hash: record.build_hash,
                    digest: image.digest,
                })
                .collect(),
        });
    }
    for record in records {
        record.indexes.clone_from(&indexes);
        cache.remember_build(record)?;
    }
    Ok(indexes)
}

/// The SHA-256 of the canonical JSON of an object with the build hash of each platform.
fn combined(records: &[BuildRecord]) -> Result<Digest, PackError> {
    let hashes: BTreeMap<&str, _> = records
        .iter()
        .map(|record| (record.inputs.platform.as_str(), record.build_hash))
        .collect();
    Ok(Digest::of(&canonical_json(&hashes)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wanted_goes_before_what_the_manifest_names() {
        let names = |texts: &[&str]| -> Vec<PlatformName> {
            texts.iter().map(|text| text.parse().unwrap()).collect()
        };
        let mut manifest = Manifest::default();
        assert_eq!(platforms(&[], &manifest), []);
        manifest.packaging.platforms = names(&["linux/arm64/v8", "linux/amd64", "linux/arm64"]);
        assert_eq!(
            platforms(&[], &manifest),
            names(&["linux/amd64", "linux/arm64"])
        );
        assert_eq!(
            platforms(&names(&["linux/s390x"]), &manifest),
            names(&["linux/s390x"])
        );
    }
}
