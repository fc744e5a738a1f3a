//! OCI image layouts: an image as a folder.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use ergon_manifest::{Digest, canonical_json};

use crate::blobs::Blobs;
use crate::error::Error;
use crate::files::{open_beneath, read_up_to};
use crate::image::{Image, parse};
use crate::index::{self, Index};
use crate::model::{
    Descriptor, ImageIndex, ImageManifest, LARGEST_DOCUMENT, MANIFEST, Platform, REF_NAME, is_index,
};
use crate::referrers::{MOST, artifact_manifest, cosign_form, cosign_tag, describe, is_derived};

const MARKER: &str = "oci-layout";
const INDEX: &str = "index.json";
const VERSION: &[u8] = br#"{"imageLayoutVersion":"1.0.0"}"#;
/// The annotation of a layout's index that names the index of what is attached to its images.
const ATTACHED: &str = "dev.ergon.referrers";
/// How many indexes may stand inside one another.
const DEEPEST: usize = 4;

/// Writes an image into the layout at `destination`, under `name`.
///
/// A new layout appears whole or not at all. In one that is there already, the image takes the
/// place of the one with the same name; all others stay.
pub fn write(blobs: &Blobs, image: &Image, destination: &Path, name: &str) -> Result<(), Error> {
    let parts = image.blobs().collect();
    let content = index::describe(image, blobs)?;
    put(blobs, content, parts, destination, name)
}

/// Writes images of several platforms into the layout at `destination`, all under one `name`.
pub fn write_index(
    blobs: &Blobs,
    index: &Index,
    destination: &Path,
    name: &str,
) -> Result<(), Error> {
    let size = blobs.size(&index.digest)?;
    let content = Descriptor::new(index.media_type(), index.digest, size);
    put(blobs, content, index.blobs().collect(), destination, name)
}

fn put(
    blobs: &Blobs,
    mut content: Descriptor,
    parts: Vec<Digest>,
    destination: &Path,
    name: &str,
) -> Result<(), Error> {
    content
        .annotations
        .insert(REF_NAME.to_owned(), name.to_owned());
    if destination.join(MARKER).is_file() {
        let mut index = read_index(destination)?;
        index
            .manifests
            .retain(|known| known.annotations.get(REF_NAME).map(String::as_str) != Some(name));
        index.manifests.push(content);
        return fill(blobs, &parts, destination, &index);
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
        &parts,
        unfinished.path(),
        &ImageIndex::new(vec![content]),
    )?;
    // An empty folder in the way is replaced by the rename.
    fs::rename(unfinished.path(), destination).map_err(Error::io("write", destination))?;
    drop(unfinished.keep());
    Ok(())
}

/// Brings in the blobs first and the index that names them last.
fn fill(blobs: &Blobs, parts: &[Digest], layout: &Path, index: &ImageIndex) -> Result<(), Error> {
    let own = Blobs::open(layout.join("blobs"))?;
    for digest in parts {
        own.copy_from(blobs, digest)?;
    }
    replace(layout, INDEX, &canonical_json(index)?)?;
    replace(layout, MARKER, VERSION)
}

fn replace(folder: &Path, name: &str, content: &[u8]) -> Result<(), Error> {
    crate::blobs::write_file(&folder.join(name), content)
}

fn read_index(layout: &Path) -> Result<ImageIndex, Error> {
    let path = layout.join(INDEX);
    let content = open_beneath(layout, Path::new(INDEX))
        .and_then(|file| read_up_to(file, LARGEST_DOCUMENT))
        .map_err(Error::io("read", &path))?;
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
    let from = Blobs::of_layout(path);
    let found = find(&index, path, name, &platform, &from)?;
    read_image(&from, &found, blobs)
}

/// Takes images of several platforms that stand under one name out of the layout at `path`; none where the name
/// is of one image.
pub fn read_all(path: &Path, name: Option<&str>, blobs: &Blobs) -> Result<Option<Index>, Error> {
    let listed = read_index(path)?;
    let from = Blobs::of_layout(path);
    let name_of = |known: &Descriptor| known.annotations.get(REF_NAME).cloned();
    let mut named = listed
        .manifests
        .iter()
        .filter(|known| is_image(known) && (name.is_none() || name_of(known).as_deref() == name));
    let (Some(only), None) = (named.next(), named.next()) else {
        return Ok(None);
    };
    if !is_index(only) {
        return Ok(None);
    }
    let content: ImageIndex = parse(&from.read(&only.digest)?, "the index", &only.digest)?;
    for image in index::images(&content).take(MOST) {
        read_image(&from, image, blobs)?;
    }
    blobs.copy_part(&from, only)?;
    Index::load(blobs, &only.digest).map(Some)
}

/// Brings one image over, each blob checked.
fn read_image(from: &Blobs, found: &Descriptor, blobs: &Blobs) -> Result<Image, Error> {
    let digest = &found.digest;
    // Read before anything is copied: only what an image has is taken in.
    let manifest: ImageManifest = parse(&from.read(digest)?, "the manifest", digest)?;
    blobs.copy_part(from, found)?;
    for part in std::iter::once(&manifest.config).chain(&manifest.layers) {
        blobs.copy_part(from, part)?;
    }
    Image::load(blobs, digest)
}

/// Adds what is attached to an image to a layout that holds the image.
///
/// An index of its own lists it, which an annotation of the layout's index names: many tools take a layout whose
/// index lists more than the image for one of several images. Signed statements also stand there under the name
/// by which cosign asks registries for them.
pub fn write_referrers(
    blobs: &Blobs,
    image: &Image,
    referrers: &[Descriptor],
    destination: &Path,
) -> Result<(), Error> {
    let own = Blobs::of_layout(destination);
    let mut index = read_index(destination)?;
    let mut attached = read_attached(&index, &own)?;
    let mut add = |descriptor: Descriptor, manifest: &ImageManifest| -> Result<(), Error> {
        for part in std::iter::once(&manifest.config).chain(&manifest.layers) {
            own.copy_from(blobs, &part.digest)?;
        }
        own.copy_from(blobs, &descriptor.digest)?;
        let name = descriptor.annotations.get(REF_NAME);
        attached.manifests.retain(|known| {
            let is_same = known.digest == descriptor.digest;
            !is_same && (name.is_none() || known.annotations.get(REF_NAME) != name)
        });
        attached.manifests.push(descriptor);
        Ok(())
    };
    for referrer in referrers {
        add(referrer.clone(), &artifact_manifest(blobs, referrer)?)?;
    }
    if let Some((digest, manifest)) = cosign_form(blobs, referrers, Vec::new())? {
        let mut descriptor = Descriptor::new(MANIFEST, digest, blobs.size(&digest)?);
        descriptor
            .annotations
            .insert(REF_NAME.to_owned(), cosign_tag(&image.digest));
        add(descriptor, &manifest)?;
    }
    let listed = own.put(&canonical_json(&attached)?)?;
    index
        .annotations
        .insert(ATTACHED.to_owned(), listed.to_string());
    replace(destination, INDEX, &canonical_json(&index)?)
}

/// The index of what is attached to the images of a layout.
fn read_attached(index: &ImageIndex, own: &Blobs) -> Result<ImageIndex, Error> {
    let Some(named) = index.annotations.get(ATTACHED) else {
        return Ok(ImageIndex::new(Vec::new()));
    };
    let digest: Digest = named
        .parse()
        .map_err(|error| Error::malformed(format!("the annotation {ATTACHED}"), error))?;
    parse(&own.read(&digest)?, "the index", &digest)
}

/// Takes what is attached to an image out of the layout at `path`.
pub fn read_referrers(
    path: &Path,
    subject: &Digest,
    blobs: &Blobs,
) -> Result<Vec<Descriptor>, Error> {
    let from = Blobs::of_layout(path);
    let mut found = Vec::new();
    let index = read_index(path)?;
    let attached = read_attached(&index, &from)?;
    // Other tools list it beside the image.
    let listed = attached.manifests.into_iter().chain(index.manifests);
    let mut seen = BTreeSet::new();
    for known in listed.filter(|known| !is_index(known)) {
        if !seen.insert(known.digest) {
            continue;
        }
        let manifest = artifact_manifest(&from, &known)?;
        if manifest.subject.as_ref().map(|about| about.digest) != Some(*subject) {
            continue;
        }
        if found.len() == MOST {
            return Err(Error::malformed(
                path.display().to_string(),
                format!("more than {MOST} documents are attached to the image {subject}"),
            ));
        }
        for part in std::iter::once(&manifest.config).chain(&manifest.layers) {
            blobs.copy_part(&from, part)?;
        }
        blobs.copy_part(&from, &known)?;
        found.push(describe(&manifest, known.digest, known.size));
    }
    Ok(found)
}

/// Whether an entry of an index is an image, and not something attached to one.
fn is_image(known: &Descriptor) -> bool {
    let name = known.annotations.get(REF_NAME);
    known.artifact_type.is_none() && !name.is_some_and(|name| is_derived(name))
}

fn find(
    index: &ImageIndex,
    path: &Path,
    name: Option<&str>,
    platform: &Platform,
    from: &Blobs,
) -> Result<Descriptor, Error> {
    let name_of = |descriptor: &Descriptor| descriptor.annotations.get(REF_NAME).cloned();
    let what = || path.display().to_string();
    let images = || index.manifests.iter().filter(|known| is_image(known));
    let held = || images().filter_map(name_of).collect();
    let no_image = |wanted: String| Error::NoSuchImage {
        what: what(),
        wanted,
        held: held(),
    };
    let named = |descriptor: &&Descriptor| name.is_none() || name_of(descriptor).as_deref() == name;
    let candidates = index.manifests.iter().filter(named);
    // What is attached to images stands beside them, and is no image that somebody could mean.
    let candidates: Vec<Descriptor> = match name {
        Some(_) => candidates.cloned().collect(),
        None => candidates
            .filter(|known| is_image(known))
            .cloned()
            .collect(),
    };
    let mut chosen = match (candidates.as_slice(), name) {
        ([], _) => return Err(no_image(name.unwrap_or("at all").to_owned())),
        ([one], _) => one.clone(),
        // One name may stand for an image of each platform.
        (_, Some(_)) => select(&ImageIndex::new(candidates), platform, path)?,
        (_, None) => {
            return Err(Error::WhichImage {
                what: what(),
                held: held(),
            });
        }
    };
    for _ in 0..DEEPEST {
        if !is_index(&chosen) {
            return Ok(chosen);
        }
        let nested: ImageIndex = parse(&from.read(&chosen.digest)?, "the index", &chosen.digest)?;
        chosen = select(&nested, platform, path)?;
    }
    Err(Error::malformed(
        path.display().to_string(),
        "its indexes stand too deep inside one another",
    ))
}

fn select(among: &ImageIndex, platform: &Platform, path: &Path) -> Result<Descriptor, Error> {
    let chosen = among.select(platform).cloned();
    chosen.ok_or_else(|| Error::NoSuchPlatform {
        what: path.display().to_string(),
        wanted: platform.to_string(),
        offered: among.platforms(),
    })
}
