//! Images on their way out.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read, Write};
use std::pin::Pin;

use axum::body::Bytes;
use ergon_manifest::canonical_json;
use ergon_oci::model::REF_NAME;
use ergon_oci::registry::{Code, PushedManifest, Refusal, RepositoryName, TagOrDigest};
use ergon_oci::{Algorithm, ContentDigest, Hasher};
use futures_util::stream;
use tokio::sync::mpsc;

use super::{ATTACHED, DEEPEST, Entry, Listing, MOST, REPOSITORY, Selected};
use crate::distribution::contents::Contents;
use crate::distribution::{Distribution, DistributionError};

/// So many pieces wait to be sent.
const WAITING: usize = 8;
/// A piece, in bytes.
const PIECE: usize = 256 << 10;

/// Everything that goes into an archive.
#[derive(Debug)]
pub struct Archive {
    contents: Contents,
    index: Vec<u8>,
    /// What no repository has: the list of what is attached.
    documents: BTreeMap<ContentDigest, Vec<u8>>,
    /// Manifests and blobs, with their sizes.
    parts: BTreeMap<ContentDigest, u64>,
}

/// What was gathered so far.
#[derive(Default)]
struct Gathered {
    parts: BTreeMap<ContentDigest, u64>,
    attached: Vec<Entry>,
    seen: BTreeSet<(String, ContentDigest)>,
}

impl Distribution {
    /// Gathers images with all that they are made of and all that is attached to them.
    pub async fn archive(&self, wanted: &[Selected]) -> Result<Archive, DistributionError> {
        let (mut gathered, mut listed) = (Gathered::default(), Vec::new());
        for image in wanted {
            let found = self
                .gather(&image.repository, &image.digest, &mut gathered)
                .await?;
            let names: Vec<String> = match image.tags.as_slice() {
                [] => vec![image.repository.to_string()],
                tags => tags
                    .iter()
                    .map(|tag| format!("{}:{tag}", image.repository))
                    .collect(),
            };
            for name in names {
                let mut entry = found.clone();
                entry.annotations.insert(REF_NAME.to_owned(), name);
                listed.push(entry);
            }
        }
        let mut index = Listing::new(listed);
        let mut documents = BTreeMap::new();
        // In whatever order they came to be: the same selection is the same archive.
        gathered
            .attached
            .sort_by_key(|entry| (entry.digest, entry.annotations.get(REPOSITORY).cloned()));
        if !gathered.attached.is_empty() {
            let list = json(&Listing::new(gathered.attached))?;
            let digest = ContentDigest::of(Algorithm::Sha256, &list);
            index
                .annotations
                .insert(ATTACHED.to_owned(), digest.to_string());
            documents.insert(digest, list);
        }
        Ok(Archive {
            contents: self.contents.clone(),
            index: json(&index)?,
            documents,
            parts: gathered.parts,
        })
    }

    /// Gathers a manifest, what it is made of, and what is attached to it; its own entry.
    async fn gather(
        &self,
        repository: &RepositoryName,
        digest: &ContentDigest,
        gathered: &mut Gathered,
    ) -> Result<Entry, DistributionError> {
        let mut own = None;
        let mut next = vec![(*digest, 0_usize, false)];
        while let Some((digest, depth, is_attached)) = next.pop() {
            let reference = TagOrDigest::Digest(digest);
            let Some(manifest) = self.manifest(repository, &reference).await? else {
                return Err(missing(repository, &digest));
            };
            let pushed = PushedManifest::parse(&manifest.content, Some(&manifest.media_type))?;
            let mut entry = Entry {
                media_type: manifest.media_type.clone(),
                digest,
                size: manifest.content.len() as u64,
                artifact_type: None,
                annotations: BTreeMap::from([(REPOSITORY.to_owned(), repository.to_string())]),
            };
            if is_attached {
                entry.artifact_type.clone_from(&pushed.artifact_type);
                entry.annotations.extend(pushed.annotations.clone());
            }
            let is_new = gathered.seen.insert((repository.to_string(), digest));
            if own.is_none() {
                own = Some(entry.clone());
            }
            if !is_new {
                continue;
            }
            if depth > DEEPEST || gathered.seen.len() > MOST {
                return Err(too_much());
            }
            gathered.parts.insert(digest, entry.size);
            if is_attached {
                gathered.attached.push(entry);
            }
            for part in &pushed.needs {
                if part.is_manifest {
                    next.push((part.digest, depth + 1, false));
                } else {
                    gathered.parts.insert(part.digest, part.size);
                }
            }
            for referrer in self.referrers(repository, &digest, None).await? {
                if let Ok(digest) = referrer.digest.parse() {
                    next.push((digest, depth + 1, true));
                }
            }
        }
        own.ok_or_else(|| missing(repository, digest))
    }
}

impl Archive {
    /// The archive as it is written. A blob that is not what its name says breaks it off.
    pub fn stream(self) -> Pin<Box<dyn futures_util::Stream<Item = io::Result<Bytes>> + Send>> {
        let (sender, receiver) = mpsc::channel(WAITING);
        tokio::task::spawn_blocking(move || {
            let mut pipe = Pipe {
                sender: sender.clone(),
                piece: Vec::with_capacity(PIECE),
            };
            let written = self.write(&mut pipe).and_then(|()| pipe.flush());
            if let Err(error) = written {
                tracing::error!(%error, "an archive of images was broken off");
                // Whoever reads may be gone.
                let _ = sender.blocking_send(Err(error));
            }
        });
        Box::pin(stream::unfold(receiver, async |mut receiver| {
            let piece = receiver.recv().await?;
            Some((piece, receiver))
        }))
    }

    fn write(&self, to: &mut Pipe) -> io::Result<()> {
        let mut tar = tar::Builder::new(to);
        let marker = br#"{"imageLayoutVersion":"1.0.0"}"#;
        append(
            &mut tar,
            "oci-layout",
            marker.len() as u64,
            marker.as_slice(),
        )?;
        let index = self.index.as_slice();
        append(&mut tar, "index.json", index.len() as u64, index)?;
        for (digest, document) in &self.documents {
            append(
                &mut tar,
                &path(digest),
                document.len() as u64,
                document.as_slice(),
            )?;
        }
        for (digest, size) in &self.parts {
            let mut checked = Checked {
                file: File::open(self.contents.path(digest))?,
                hasher: Hasher::new(digest.algorithm()),
            };
            append(&mut tar, &path(digest), *size, (&mut checked).take(*size))?;
            if checked.hasher.finish() != *digest {
                let what = format!("{digest} is damaged on the disk");
                return Err(io::Error::new(io::ErrorKind::InvalidData, what));
            }
        }
        tar.into_inner().map(drop)
    }
}

fn path(digest: &ContentDigest) -> String {
    format!("blobs/{}/{}", digest.algorithm().name(), digest.hex())
}

/// The same archive for the same selection: no time, no owner.
fn append(
    tar: &mut tar::Builder<&mut Pipe>,
    path: &str,
    size: u64,
    content: impl Read,
) -> io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_size(size);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_entry_type(tar::EntryType::Regular);
    tar.append_data(&mut header, path, content)
}

struct Checked {
    file: File,
    hasher: Hasher,
}

impl Read for Checked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.hasher.update(&buffer[..read]);
        Ok(read)
    }
}

/// From who writes and waits to who asks.
struct Pipe {
    sender: mpsc::Sender<io::Result<Bytes>>,
    piece: Vec<u8>,
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.piece.extend_from_slice(bytes);
        if self.piece.len() >= PIECE {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let piece = std::mem::replace(&mut self.piece, Vec::with_capacity(PIECE));
        let sent = self.sender.blocking_send(Ok(piece.into()));
        sent.map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

fn json(listing: &Listing) -> Result<Vec<u8>, DistributionError> {
    canonical_json(listing).map_err(|error| {
        Refusal::new(
            400,
            Code::ManifestInvalid,
            format!("what is listed cannot be written: {error}"),
        )
        .into()
    })
}

fn missing(repository: &RepositoryName, digest: &ContentDigest) -> DistributionError {
    let what = format!("the repository `{repository}` has no whole manifest {digest}");
    Refusal::new(404, Code::ManifestUnknown, what).into()
}

fn too_much() -> DistributionError {
    let what = "the selection has too many manifests, or they stand too deep in one another";
    Refusal::new(400, Code::ManifestInvalid, what).into()
}
