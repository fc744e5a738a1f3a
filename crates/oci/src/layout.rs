//! OCI image layouts: an image as a folder.

use std::fs;
use std::path::{Path, PathBuf};

use ergon_manifest::{Digest, canonical_json};

use crate::blobs::Blobs;
use crate::error::Error;
use crate::image::{Image, parse};
use crate::model::{Descriptor, ImageIndex, Platform, REF_NAME, is_index};

const MARKER: &str = "oci-layout";
const INDEX: &str = "index.json";
const VERSION: &[u8] = br#"{"imageLayoutVersion":"1.0.0"}"#;
/// How many indexes may stand inside one another.
const DEEPEST: usize = 4;

/// Writes an image into the layout at `destination`, under `name`.
///
/// A new layout appears whole or not at all. In one that is there already, the image takes the
/// place of the one with the same name; all others stay.
pub fn write(blobs: &Blobs, image: &Image, destination: &Path, name: &str) -> Result<(), Error> {
    if destination.join(MARKER).is_file() {
        let mut index = read_index(destination)?;
        index
            .manifests
            .retain(|known| known.annotations.get(REF_NAME).map(String::as_str) != Some(name));
        index.manifests.push(descriptor(image, blobs, name)?);
        return fill(blobs, image, destination, &index);
    }
    let is_free = match fs::read_dir(destination) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => true,
        Err(_) => false,
    };
    if !is_free {
        return Err(Error::NotALayout {
            path: destination.to_owned(),
        });
    }
    let parent = match destination.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    fs::create_dir_all(&parent).map_err(Error::io("make the folder", &parent))?;
    let unfinished = tempfile::Builder::new()
        .prefix(".unfinished-")
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .tempdir_in(&parent)
        .map_err(Error::io("write into", &parent))?;
    fill(
        blobs,
        image,
        unfinished.path(),
        &ImageIndex::new(vec![descriptor(image, blobs, name)?]),
    )?;
    // An empty folder in the way is replaced by the rename.
    fs::rename(unfinished.path(), destination).map_err(Error::io("write", destination))?;
    drop(unfinished.keep());
    Ok(())
}

fn descriptor(image: &Image, blobs: &Blobs, name: &str) -> Result<Descriptor, Error> {
    let mut descriptor =
        Descriptor::new(image.media_type(), image.digest, blobs.size(&image.digest)?);
    descriptor.platform = Some(image.platform());
    descriptor
        .annotations
        .insert(REF_NAME.to_owned(), name.to_owned());
    Ok(descriptor)
}

/// Brings in the blobs first and the index that names them last.
fn fill(blobs: &Blobs, image: &Image, layout: &Path, index: &ImageIndex) -> Result<(), Error> {
    let own = Blobs::open(layout.join("blobs"))?;
    for digest in image.blobs() {
        own.copy_from(blobs, &digest)?;
    }
    replace(layout, INDEX, &canonical_json(index)?)?;
    replace(layout, MARKER, VERSION)
}

fn replace(folder: &Path, name: &str, content: &[u8]) -> Result<(), Error> {
    crate::blobs::write_file(&folder.join(name), content)
}

fn read_index(layout: &Path) -> Result<ImageIndex, Error> {
    let path = layout.join(INDEX);
    let content = fs::read(&path).map_err(Error::io("read", &path))?;
    serde_json::from_slice(&content)
        .map_err(|error| Error::malformed(path.display().to_string(), error))
}

/// Takes an image out of the layout at `path` into `blobs`.
///
/// Without a name it must be the only image there. An index of several platforms gives the one
/// that is asked for. Every blob is checked against its digest.
pub fn read(
    path: &Path,
    name: Option<&str>,
    platform: &str,
    blobs: &Blobs,
) -> Result<Image, Error> {
    if !path.join(MARKER).is_file() {
        return Err(Error::malformed(
            path.display().to_string(),
            "it has no oci-layout file, so it is no OCI image layout",
        ));
    }
    let platform = Platform::parse(platform)?;
    let index = read_index(path)?;
    let from = Blobs::existing(path.join("blobs"));
    let digest = find(&index, path, name, &platform, &from)?;
    blobs.copy_from(&from, &digest)?;
    let manifest: crate::model::ImageManifest =
        parse(&blobs.read(&digest)?, "the manifest", &digest)?;
    for part in std::iter::once(&manifest.config).chain(&manifest.layers) {
        blobs.copy_from(&from, &part.digest)?;
    }
    Image::load(blobs, &digest)
}

fn find(
    index: &ImageIndex,
    path: &Path,
    name: Option<&str>,
    platform: &Platform,
    from: &Blobs,
) -> Result<Digest, Error> {
    let name_of = |descriptor: &Descriptor| descriptor.annotations.get(REF_NAME).cloned();
    let what = || path.display().to_string();
    let held = || index.manifests.iter().filter_map(name_of).collect();
    let no_image = |wanted: String| Error::NoSuchImage {
        what: what(),
        wanted,
        held: held(),
    };
    let named = |descriptor: &&Descriptor| name.is_none() || name_of(descriptor).as_deref() == name;
    let candidates: Vec<Descriptor> = index.manifests.iter().filter(named).cloned().collect();
    let mut chosen = match (candidates.as_slice(), name) {
        ([], _) => return Err(no_image(name.unwrap_or("at all").to_owned())),
        ([one], _) => one.clone(),
        // One name may stand for an image of each platform.
        (_, Some(_)) => ImageIndex::new(candidates)
            .select(platform)
            .cloned()
            .ok_or_else(|| no_image(format!("for {platform}")))?,
        (_, None) => {
            return Err(Error::WhichImage {
                what: what(),
                held: held(),
            });
        }
    };
    for _ in 0..DEEPEST {
        if !is_index(&chosen) {
            return Ok(chosen.digest);
        }
        let nested: ImageIndex = parse(&from.read(&chosen.digest)?, "the index", &chosen.digest)?;
        chosen = nested
            .select(platform)
            .cloned()
            .ok_or_else(|| no_image(format!("for {platform}")))?;
    }
    Err(Error::malformed(
        path.display().to_string(),
        "its indexes stand too deep inside one another",
    ))
}
