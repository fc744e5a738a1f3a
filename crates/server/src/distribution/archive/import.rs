//! Images on their way in.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::PathBuf;

use ergon_oci::model::REF_NAME;
use ergon_oci::registry::{Code, PushedManifest, Refusal, RepositoryName, Tag};
use ergon_oci::{Algorithm, ContentDigest, Hasher};

use super::{ATTACHED, DEEPEST, Entry, Listing, MOST, REPOSITORY, Selected};
use crate::distribution::contents::Contents;
use crate::distribution::{Distribution, DistributionError, LARGEST_MANIFEST, not_pushed_to};

/// Who pushed what came in an archive.
const BY: &str = "import";
/// How folders of archives that are being unpacked begin.
pub const UNFINISHED: &str = ".import-";

/// An archive whose every blob is what its name says, in a folder that goes with it.
#[derive(Debug)]
pub struct Unpacked {
    folder: tempfile::TempDir,
    index: Listing,
    blobs: BTreeMap<ContentDigest, u64>,
}

/// One manifest that is to be taken in, once what it is made of is.
struct Step {
    repository: RepositoryName,
    digest: ContentDigest,
    tags: Vec<Tag>,
    pushed: PushedManifest,
}

impl Distribution {
    /// Unpacks an archive beside the content, and checks every blob of it. Nothing is kept yet.
    pub async fn unpack(
        &self,
        archive: impl Read + Send + 'static,
    ) -> Result<Unpacked, DistributionError> {
        let contents = self.contents.clone();
        tokio::task::spawn_blocking(move || unpack(&contents, archive)).await?
    }

    /// Takes in what an unpacked archive has: everything that is named has to be there, before anything is kept.
    ///
    /// `repository` is for images that do not say where they were.
    pub async fn take_in(
        &self,
        unpacked: Unpacked,
        repository: Option<&RepositoryName>,
    ) -> Result<Vec<Selected>, DistributionError> {
        let (wanted, attached) = unpacked.listed(repository)?;
        let mut steps = Vec::new();
        let mut seen = BTreeSet::new();
        for image in wanted.iter().chain(&attached) {
            if let Some(mirrored) = self.mirrors.of(&image.repository) {
                return Err(not_pushed_to(&image.repository, &mirrored).into());
            }
            unpacked.plan(image, 0, &mut seen, &mut steps)?;
        }
        let _kept = self.sweeping.read().await;
        for step in steps {
            for part in step.pushed.needs.iter().filter(|part| !part.is_manifest) {
                self.take_blob(&unpacked, &part.digest).await?;
                self.link(&step.repository, &part.digest, part.size).await?;
            }
            let content = unpacked.document(&step.digest)?;
            let size = content.len();
            self.contents.put(step.digest, content.into()).await?;
            let (repository, digest) = (&step.repository, &step.digest);
            self.record_manifest(repository, digest, size, step.pushed, &step.tags, BY)
                .await?;
        }
        Ok(wanted)
    }

    async fn take_blob(
        &self,
        unpacked: &Unpacked,
        digest: &ContentDigest,
    ) -> Result<(), DistributionError> {
        let (contents, file, digest) = (self.contents.clone(), unpacked.path(digest), *digest);
        let adopted = tokio::task::spawn_blocking(move || {
            // What is here and was not checked may be damaged; what came was checked just now. Several images may
            // have it, of which the first brought it.
            if contents.is_checked(&digest) || !file.exists() {
                return Ok(());
            }
            let opened = File::open(&file)?;
            contents.adopt(&file, &digest)?;
            contents.note_checked(&digest, &opened);
            Ok(())
        });
        adopted
            .await?
            .map_err(DistributionError::io("write", &self.contents.path(&digest)))
    }
}

impl Unpacked {
    fn path(&self, digest: &ContentDigest) -> PathBuf {
        self.folder.path().join(digest.to_string())
    }

    /// What has to be taken in for an image, the parts before the whole.
    fn plan(
        &self,
        image: &Selected,
        depth: usize,
        seen: &mut BTreeSet<(String, ContentDigest)>,
        steps: &mut Vec<Step>,
    ) -> Result<(), DistributionError> {
        if depth > DEEPEST || steps.len() > MOST {
            return Err(wrong(
                "it has too many manifests, or they stand too deep in one another",
            ));
        }
        let is_new = seen.insert((image.repository.to_string(), image.digest));
        if !is_new {
            let known = |step: &&mut Step| {
                step.digest == image.digest && step.repository == image.repository
            };
            if let Some(step) = steps.iter_mut().find(known) {
                step.tags.extend(image.tags.iter().cloned());
            }
            return Ok(());
        }
        let content = self.document(&image.digest)?;
        let pushed = PushedManifest::parse(&content, None).or_else(|_| {
            // Docker's manifests may leave it to the entry that names them.
            PushedManifest::parse(&content, Some(ergon_oci::model::MANIFEST))
        })?;
        for part in &pushed.needs {
            if part.is_manifest {
                let part = Selected {
                    repository: image.repository.clone(),
                    digest: part.digest,
                    tags: Vec::new(),
                };
                self.plan(&part, depth + 1, seen, steps)?;
            } else {
                match self.blobs.get(&part.digest) {
                    Some(size) if *size == part.size => {}
                    Some(size) => {
                        return Err(wrong(format!(
                            "{} says that {} has {} bytes, and it has {size}",
                            image.digest, part.digest, part.size
                        )));
                    }
                    None => {
                        return Err(wrong(format!(
                            "{} needs {}, which is not in it",
                            image.digest, part.digest
                        )));
                    }
                }
            }
        }
        steps.push(Step {
            repository: image.repository.clone(),
            digest: image.digest,
            tags: image.tags.clone(),
            pushed,
        });
        Ok(())
    }

    /// A manifest or an index.
    fn document(&self, digest: &ContentDigest) -> Result<Vec<u8>, DistributionError> {
        match self.blobs.get(digest) {
            Some(size) if *size <= LARGEST_MANIFEST => {
                let path = self.path(digest);
                fs::read(&path).map_err(DistributionError::io("read", &path))
            }
            Some(_) => Err(wrong(format!("{digest} is too large for a manifest"))),
            None => Err(wrong(format!("{digest} is named, and not in it"))),
        }
    }

    /// Which images it has, and what is attached to them.
    fn listed(
        &self,
        repository: Option<&RepositoryName>,
    ) -> Result<(Vec<Selected>, Vec<Selected>), DistributionError> {
        let mut images: Vec<Selected> = Vec::new();
        for entry in &self.index.manifests {
            images.push(of_entry(entry, repository)?);
        }
        let mut attached = Vec::new();
        if let Some(list) = self.index.annotations.get(ATTACHED) {
            let digest = list.parse().map_err(|error| wrong(format!("{error}")))?;
            let list: Listing = serde_json::from_slice(&self.document(&digest)?)
                .map_err(|error| wrong(format!("its list of what is attached: {error}")))?;
            for entry in &list.manifests {
                let fallback = images.first().map(|image| &image.repository);
                attached.push(of_entry(entry, repository.or(fallback))?);
            }
        }
        if images.is_empty() {
            return Err(wrong("it has no images"));
        }
        Ok((images, attached))
    }
}

/// What an entry of an index means: its repository, and its tag where it has one.
fn of_entry(
    entry: &Entry,
    fallback: Option<&RepositoryName>,
) -> Result<Selected, DistributionError> {
    let said = entry.annotations.get(REPOSITORY);
    let name = entry.annotations.get(REF_NAME).map(String::as_str);
    let (before, tag) = match name.and_then(|name| name.rsplit_once(':')) {
        Some((before, tag)) if !tag.contains('/') => (Some(before), Some(tag)),
        _ => match (said, name) {
            // Elsewhere it is the tag alone.
            (None, Some(tag)) => (None, Some(tag)),
            _ => (None, None),
        },
    };
    let repository = said.map(String::as_str).or(before);
    let repository = match (repository, fallback) {
        (Some(name), _) => name
            .parse()
            .map_err(|_| wrong(format!("`{name}` can be no repository's name")))?,
        (None, Some(fallback)) => fallback.clone(),
        (None, None) => {
            return Err(wrong(format!(
                "{} does not say which repository it is of: name one with --repository",
                entry.digest
            )));
        }
    };
    Ok(Selected {
        repository,
        digest: entry.digest,
        tags: tag.and_then(|tag| tag.parse().ok()).into_iter().collect(),
    })
}

fn unpack(contents: &Contents, archive: impl Read) -> Result<Unpacked, DistributionError> {
    let beside = contents.root();
    let folder = tempfile::Builder::new()
        .prefix(UNFINISHED)
        .tempdir_in(beside)
        .map_err(DistributionError::io("make a folder in", beside))?;
    let (mut index, mut blobs) = (None, BTreeMap::new());
    let mut tar = tar::Archive::new(archive);
    let broken = |error: io::Error| match error.kind() {
        io::ErrorKind::StorageFull => DistributionError::NoSpace {
            path: contents.root().to_owned(),
        },
        _ => wrong(format!("it cannot be read as a tar: {error}")),
    };
    for entry in tar.entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let path = path.trim_start_matches("./").trim_end_matches('/');
        if entry.header().entry_type().is_dir() {
            continue;
        }
        let parts: Vec<&str> = path.split('/').collect();
        match parts.as_slice() {
            _ if !entry.header().entry_type().is_file() => {
                return Err(wrong(format!("`{path}` in it is no regular file")));
            }
            ["oci-layout"] => {}
            ["index.json"] => {
                let mut text = Vec::new();
                let mut entry = entry.take(LARGEST_MANIFEST);
                entry.read_to_end(&mut text).map_err(broken)?;
                let read = serde_json::from_slice(&text);
                index = Some(read.map_err(|error| wrong(format!("its index.json: {error}")))?);
            }
            ["blobs", algorithm, hex] => {
                let digest: ContentDigest = format!("{algorithm}:{hex}")
                    .parse()
                    .map_err(|error| wrong(format!("{error}")))?;
                let target = folder.path().join(digest.to_string());
                let size = keep(&mut entry, &target, digest.algorithm());
                let (actual, size) = size.map_err(broken)?;
                if actual != digest {
                    return Err(Refusal::new(
                        400,
                        Code::DigestInvalid,
                        format!("the archive is damaged: {path} has the digest {actual}"),
                    )
                    .into());
                }
                blobs.insert(digest, size);
            }
            _ => return Err(wrong(format!("`{path}` has no place in an image layout"))),
        }
    }
    Ok(Unpacked {
        folder,
        index: index.ok_or_else(|| wrong("it has no index.json"))?,
        blobs,
    })
}

/// Writes a blob durably; its digest and its size.
fn keep(
    from: &mut impl Read,
    to: &std::path::Path,
    algorithm: Algorithm,
) -> io::Result<(ContentDigest, u64)> {
    let mut file = File::create(to)?;
    let mut hasher = Hasher::new(algorithm);
    let (mut buffer, mut size) = (vec![0; 256 << 10], 0);
    loop {
        let read = from.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        hasher.update(&buffer[..read]);
        file.write_all(&buffer[..read])?;
        size += read as u64;
    }
    file.sync_all()?;
    Ok((hasher.finish(), size))
}

fn wrong(what: impl std::fmt::Display) -> DistributionError {
    Refusal::new(
        400,
        Code::ManifestInvalid,
        format!("the archive cannot be taken in: {what}"),
    )
    .into()
}
