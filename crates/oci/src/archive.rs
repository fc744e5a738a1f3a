//! Docker archives: what `docker save` writes and `docker load` reads.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use ergon_manifest::Digest;
use serde::{Deserialize, Serialize};

use crate::blobs::Blobs;
use crate::error::Error;
use crate::image::Image;
use crate::layer::{Layer, LayerWriter, decompress, each_entry};
use crate::model::{Configuration, Descriptor, LARGEST_DOCUMENT};
use crate::reference::Reference;

/// Bytes of all names and documents of an archive, which are kept until it is known which are needed: 64 MiB.
const MOST_KEPT: u64 = 64 << 20;
/// What an entry takes in memory beside its name and content.
const ENTRY: u64 = 256;

/// One image, as `manifest.json` of an archive describes it.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Saved {
    config: String,
    repo_tags: Option<Vec<String>>,
    layers: Vec<String>,
}

/// Writes an image for `docker load`, as a stream.
///
/// `leave_out` is asked with the diff id of one layer after another, from the lowest up, until it
/// says no: those are named but not written. An engine that has them (20.10 looks by chain of
/// layers, hence from the lowest up) loads the image all the same.
pub fn write_docker(
    blobs: &Blobs,
    image: &Image,
    tags: &[String],
    leave_out: &dyn Fn(&Digest) -> bool,
    writer: impl Write,
) -> Result<(), Error> {
    let mut archive = Archive::new(writer);
    archive.put_image(blobs, image, tags, leave_out)?;
    archive.finish()
}

/// Writes whole images with their tags into a file that `docker load`, `podman load` and skopeo read.
///
/// What several share is in it once. The file appears whole or not at all, in place of one that was there.
pub fn write_file(
    blobs: &Blobs,
    images: &[(Image, Vec<String>)],
    destination: &Path,
) -> Result<(), Error> {
    let parent = match destination.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    fs::create_dir_all(parent).map_err(Error::io("make the folder", parent))?;
    let unfinished = tempfile::Builder::new()
        .prefix(".unfinished-")
        .permissions(fs::Permissions::from_mode(0o644))
        .tempfile_in(parent)
        .map_err(Error::io("write into", parent))?;
    let mut archive = Archive::new(unfinished.as_file());
    for (image, tags) in images {
        archive.put_image(blobs, image, tags, &|_| false)?;
    }
    archive.finish()?;
    unfinished
        .as_file()
        .sync_all()
        .map_err(Error::io("write", destination))?;
    unfinished
        .persist(destination)
        .map_err(|failed| Error::io("write", destination)(failed.error))?;
    Ok(())
}

struct Archive<W> {
    writer: W,
    /// The names of what was written.
    written: BTreeSet<String>,
    saved: Vec<Saved>,
}

impl<W: Write> Archive<W> {
    fn new(writer: W) -> Self {
        Self {
            writer,
            written: BTreeSet::new(),
            saved: Vec::new(),
        }
    }

    fn put_image(
        &mut self,
        blobs: &Blobs,
        image: &Image,
        tags: &[String],
        leave_out: &dyn Fn(&Digest) -> bool,
    ) -> Result<(), Error> {
        let config = format!("{}.json", image.config_digest().hex());
        let mut names = Vec::with_capacity(image.layers().len());
        let mut leaving_out = true;
        for (layer, diff_id) in image.layers().iter().zip(image.diff_ids()) {
            let name = format!("{}.tar.gz", layer.digest.hex());
            leaving_out = leaving_out && leave_out(&diff_id);
            if !leaving_out && self.written.insert(name.clone()) {
                let size = blobs.size(&layer.digest)?;
                self.put(&name, size, blobs.open_read(&layer.digest)?)?;
            }
            names.push(name);
        }
        if self.written.insert(config.clone()) {
            let content = blobs.read(&image.config_digest())?;
            self.put(&config, content.len() as u64, content.as_slice())?;
        }
        self.saved.push(Saved {
            config,
            repo_tags: Some(tags.to_vec()),
            layers: names,
        });
        Ok(())
    }

    fn put(&mut self, name: &str, size: u64, mut content: impl Read) -> Result<(), Error> {
        let mut header = tar::Header::new_ustar();
        header
            .set_path(name)
            .map_err(Error::stream("write", name))?;
        header.set_size(size);
        header.set_mode(0o644);
        header.set_mtime(0);
        header.set_uid(0);
        header.set_gid(0);
        header.set_cksum();
        let mut write = || -> io::Result<u64> {
            self.writer.write_all(header.as_bytes())?;
            let written = io::copy(&mut (&mut content).take(size), &mut self.writer)?;
            let padding = size.next_multiple_of(512) - size;
            self.writer.write_all(&[0; 512][..padding as usize])?;
            Ok(written)
        };
        match write().map_err(Error::stream("write", "the archive"))? {
            written if written == size => Ok(()),
            _ => Err(Error::Changed {
                path: name.into(),
                expected: size,
            }),
        }
    }

    fn finish(mut self) -> Result<(), Error> {
        let manifest = serde_json::to_vec(&self.saved)
            .map_err(|error| Error::malformed("manifest.json", error))?;
        self.put("manifest.json", manifest.len() as u64, manifest.as_slice())?;
        self.writer
            .write_all(&[0; 1024])
            .and_then(|()| self.writer.flush())
            .map_err(Error::stream("write", "the archive"))
    }
}

/// Takes an image out of an archive, old form or new, as a stream.
///
/// Layers are compressed anew by our encoder, so that the digest of the image depends on its
/// content only; its configuration is kept byte for byte. Where the archive holds several images,
/// `wanted` says which.
pub fn read(reader: impl Read, wanted: Option<&Reference>, blobs: &Blobs) -> Result<Image, Error> {
    let contents = Contents::read(reader, blobs)?;
    let saved: Vec<Saved> = contents.document("manifest.json")?;
    let chosen = choose(saved, wanted)?;
    let config = contents.bytes(&chosen.config)?;
    let parsed: Configuration = serde_json::from_slice(config)
        .map_err(|error| Error::malformed(chosen.config.as_str(), error))?;
    if parsed.rootfs.diff_ids.len() != chosen.layers.len() {
        return Err(Error::malformed(
            "the archive",
            "manifest.json and the configuration differ in the number of layers",
        ));
    }
    let mut descriptors = Vec::with_capacity(chosen.layers.len());
    for (name, diff_id) in chosen.layers.iter().zip(&parsed.rootfs.diff_ids) {
        let layer = contents.layer(name)?;
        if layer.diff_id != *diff_id {
            return Err(Error::malformed(
                format!("the layer {name}"),
                format!(
                    "its content has the digest {}, and the configuration says {diff_id}",
                    layer.diff_id
                ),
            ));
        }
        descriptors.push(Descriptor::new(&layer.media_type, layer.digest, layer.size));
    }
    Image::store(
        config,
        descriptors,
        std::collections::BTreeMap::new(),
        blobs,
    )
}

fn choose(mut saved: Vec<Saved>, wanted: Option<&Reference>) -> Result<Saved, Error> {
    let means = |image: &Saved, wanted: &Reference| {
        image
            .repo_tags
            .iter()
            .flatten()
            .any(|tag| tag.parse::<Reference>().is_ok_and(|tag| tag == *wanted))
    };
    let held = saved
        .iter()
        .flat_map(|image| image.repo_tags.clone().unwrap_or_default())
        .collect();
    let what = "the archive".to_owned();
    let position =
        match wanted.and_then(|wanted| saved.iter().position(|image| means(image, wanted))) {
            Some(position) => position,
            // One that has no other name than the one we give it.
            None if saved.len() == 1 => 0,
            None => {
                return Err(match wanted {
                    Some(wanted) => Error::NoSuchImage {
                        what,
                        wanted: wanted.familiar(),
                        held,
                    },
                    None => Error::WhichImage { what, held },
                });
            }
        };
    Ok(saved.swap_remove(position))
}

/// What stood in an archive, by name.
#[derive(Default)]
struct Contents {
    documents: HashMap<String, Vec<u8>>,
    layers: HashMap<String, Layer>,
    links: HashMap<String, String>,
    /// Bytes of what is kept, as [`Contents::count`] counts them.
    kept: u64,
}

impl Contents {
    fn read(reader: impl Read, blobs: &Blobs) -> Result<Self, Error> {
        let mut contents = Self::default();
        each_entry(decompress(reader)?, "the archive", |entry| {
            contents.take(entry, blobs)
        })?;
        Ok(contents)
    }

    fn take(&mut self, entry: &mut tar::Entry<'_, impl Read>, blobs: &Blobs) -> Result<(), Error> {
        let name = String::from_utf8_lossy(&entry.path_bytes())
            .trim_start_matches("./")
            .to_owned();
        let kind = entry.header().entry_type();
        if kind.is_symlink() || kind.is_hard_link() {
            let target = entry.link_name_bytes().unwrap_or_default();
            let target = String::from_utf8_lossy(&target).into_owned();
            self.count(name.len() + target.len())?;
            let folder = if kind.is_symlink() { parent(&name) } else { "" };
            let target = resolve(folder, &target);
            self.links.insert(name, target);
        } else if kind.is_file() && entry.size() > 0 {
            self.keep(name, entry, blobs)?;
        }
        Ok(())
    }

    /// Counts what is kept of an entry.
    fn count(&mut self, bytes: usize) -> Result<(), Error> {
        self.kept += ENTRY + bytes as u64;
        if self.kept <= MOST_KEPT {
            return Ok(());
        }
        Err(Error::malformed(
            "the archive",
            format!("its names and documents have more than {MOST_KEPT} bytes"),
        ))
    }

    fn keep(
        &mut self,
        name: String,
        entry: &mut tar::Entry<'_, impl Read>,
        blobs: &Blobs,
    ) -> Result<(), Error> {
        let size = entry.size();
        let mut start = [0];
        entry
            .read_exact(&mut start)
            .map_err(Error::stream("read", &*name))?;
        let mut content = start.as_slice().chain(entry);
        // A tar starts with a file name or magic bytes; that a name starts like JSON does not happen.
        if !matches!(start[0], b'{' | b'[') {
            if name != "repositories" && !name.ends_with("VERSION") {
                self.count(name.len())?;
                let layer = recompress(content, &name, blobs)?;
                self.layers.insert(name, layer);
            }
        } else if size <= LARGEST_DOCUMENT {
            self.count(name.len() + size as usize)?;
            let mut document = Vec::with_capacity(size as usize);
            content
                .read_to_end(&mut document)
                .map_err(Error::stream("read", &*name))?;
            self.documents.insert(name, document);
        } else {
            return Err(Error::malformed(
                name,
                format!("a document of {size} bytes is too large"),
            ));
        }
        Ok(())
    }

    fn document<T: serde::de::DeserializeOwned>(&self, name: &str) -> Result<T, Error> {
        serde_json::from_slice(self.bytes(name)?).map_err(|error| Error::malformed(name, error))
    }

    fn bytes(&self, name: &str) -> Result<&[u8], Error> {
        self.find(&self.documents, name).map(Vec::as_slice)
    }

    fn layer(&self, name: &str) -> Result<&Layer, Error> {
        self.find(&self.layers, name)
    }

    fn find<'a, T>(&'a self, among: &'a HashMap<String, T>, name: &str) -> Result<&'a T, Error> {
        let target = self.links.get(name).map_or(name, String::as_str);
        among
            .get(target)
            .ok_or_else(|| Error::malformed("the archive", format!("it holds no {name}")))
    }
}

fn recompress(content: impl Read, name: &str, blobs: &Blobs) -> Result<Layer, Error> {
    let mut tar = decompress(content)?;
    let mut writer = LayerWriter::new(blobs)?;
    let mut buffer = vec![0; 128 * 1024];
    loop {
        match tar.read(&mut buffer) {
            Ok(0) => return writer.finish(),
            Ok(read) => writer.put(&buffer[..read])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Error::stream("read", name)(error)),
        }
    }
}

fn parent(name: &str) -> &str {
    name.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Where a link in `folder` points, as a name in the archive.
fn resolve(folder: &str, target: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            name => parts.push(name),
        }
    }
    parts.join("/")
}
