//! Blobs of mirrors: fetched once, checked, kept, and given to whoever asks as they come.

use std::sync::{Arc, PoisonError};

use ergon_oci::ContentDigest;
use ergon_oci::distribution::upstream::{BlobBody, UpstreamError};
use ergon_oci::registry::{Code, Refusal, RepositoryName};
use tokio::sync::watch;

use super::super::uploads::Upload;
use super::super::{Distribution, DistributionError};
use super::coming::{Coming, Progress};
use super::manifests::gone;
use super::{Mirror, Mirrored};

/// No blob of which nobody said how long it is is taken beyond so many bytes: 32 GiB.
const LONGEST: u64 = 32 << 30;
/// So many bytes are gathered before they are written.
const GATHERED: u64 = 256 << 10;
/// What is no longer than this is not given before it is whole: a refusal then says what was wrong.
const SHORT: u64 = 1 << 20;

/// Where a blob is.
#[derive(Debug)]
pub enum FoundBlob {
    /// Here; so many bytes.
    Held(u64),
    /// At the upstream; so many bytes.
    There(u64),
    /// On its way; so many bytes.
    Coming(u64, Arc<Coming>),
}

impl Distribution {
    /// Finds a blob, of which an upstream may have to be asked. It is brought here where it is wanted whole; with
    /// `now` before this returns.
    pub async fn find_blob(
        self: &Arc<Self>,
        repository: &RepositoryName,
        digest: &ContentDigest,
        wanted: Wanted,
    ) -> Result<Option<FoundBlob>, DistributionError> {
        let linked = match wanted {
            // Who asks whether it is there may push the manifest next.
            Wanted::Size => self.blob_for_push(repository, digest).await?,
            Wanted::AsItComes | Wanted::Whole => self.blob(repository, digest).await?,
        };
        let Some(mirrored) = self.mirrors.of(repository) else {
            return Ok(linked.map(FoundBlob::Held));
        };
        if let Some(size) = self.held_here(repository, digest).await? {
            return Ok(Some(FoundBlob::Held(size)));
        }
        let unknown = |error: UpstreamError| match error {
            UpstreamError::Unknown { .. } => Ok(None),
            error => Err(mirrored.mirror.refusal(&error, || gone(repository)).into()),
        };
        if wanted == Wanted::Size {
            let question = mirrored.mirror.upstream.blob_size(&mirrored.there, digest);
            return match mirrored.mirror.ask(question).await {
                Ok(Some(size)) => Ok(Some(FoundBlob::There(size))),
                Ok(None) => Err(mirrored.mirror.wrong("a blob without its length").into()),
                Err(error) => unknown(error),
            };
        }
        let coming = match self.bring_blob(&mirrored, repository, digest).await? {
            Ok(Some(coming)) => coming,
            Ok(None) => {
                let size = self.held_here(repository, digest).await?;
                return Ok(size.map(FoundBlob::Held));
            }
            Err(error) => return unknown(error),
        };
        match coming.size {
            Some(size) if size > SHORT && wanted == Wanted::AsItComes => {
                Ok(Some(FoundBlob::Coming(size, coming)))
            }
            _ => coming.held().await.map(|size| Some(FoundBlob::Held(size))),
        }
    }

    /// How long a blob is that a repository has, and that is there indeed.
    async fn held_here(
        &self,
        repository: &RepositoryName,
        digest: &ContentDigest,
    ) -> Result<Option<u64>, DistributionError> {
        let linked = self.blob(repository, digest).await?;
        match linked {
            Some(size) if self.contents.size(digest).await? == Some(size) => Ok(Some(size)),
            _ => Ok(None),
        }
    }

    /// Begins to bring a blob here, or finds that somebody did. `None` where it is held by now.
    async fn bring_blob(
        self: &Arc<Self>,
        mirrored: &Mirrored,
        repository: &RepositoryName,
        digest: &ContentDigest,
    ) -> Result<Result<Option<Arc<Coming>>, UpstreamError>, DistributionError> {
        let key = self.part_key(repository, digest);
        let _turn = self.mirrors.turns.turn(key.clone()).await;
        if let Some(coming) = self.coming().get(&key) {
            return Ok(Ok(Some(Arc::clone(coming))));
        }
        if self.held_here(repository, digest).await?.is_some() {
            return Ok(Ok(None));
        }
        let mirror = &mirrored.mirror;
        let question = mirror.upstream.blob(&mirrored.there, digest);
        let body = match mirror.ask(question).await {
            Ok(body) => body,
            Err(error) => return Ok(Err(error)),
        };
        let expected = self.mirrors.sizes.get(&key);
        let size = match (expected, body.length()) {
            (Some(expected), Some(said)) if expected != said => {
                return Err(mirror
                    .wrong(&format!(
                        "{said} bytes for the blob {digest}, which has {expected}"
                    ))
                    .into());
            }
            (expected, said) => expected.or(said),
        };
        let upload = self.uploads.begin(repository, digest.algorithm()).await?;
        let file = upload.open_to_read()?;
        let (sender, receiver) = watch::channel(Progress::Written(0));
        let coming = Arc::new(Coming::new(file, size, receiver));
        self.coming().insert(key.clone(), Arc::clone(&coming));
        let transfer = Transfer {
            distribution: Arc::clone(self),
            mirror: Arc::clone(mirror),
            repository: repository.clone(),
            digest: *digest,
            most: size,
        };
        tokio::spawn(async move {
            let distribution = Arc::clone(&transfer.distribution);
            let ended = match transfer.run(body, upload, &sender).await {
                Ok(size) => Progress::Held(size),
                Err(error) => Progress::Failed(error.into_refusal()),
            };
            // First, so that whoever comes later finds it held, or begins anew.
            distribution.coming().remove(&key);
            sender.send_replace(ended);
        });
        Ok(Ok(Some(coming)))
    }

    fn coming(&self) -> std::sync::MutexGuard<'_, std::collections::HashMap<String, Arc<Coming>>> {
        let coming = self.mirrors.coming.lock();
        coming.unwrap_or_else(PoisonError::into_inner)
    }

    #[allow(clippy::unused_self, reason = "it reads like the others")]
    pub(super) fn part_key(&self, repository: &RepositoryName, digest: &ContentDigest) -> String {
        format!("{repository}@{digest}")
    }
}

/// For what a blob is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// To say how long it is.
    Size,
    /// To be sent on while it comes.
    AsItComes,
    /// To be sent once it is here.
    Whole,
}

/// One blob from an upstream into the content store.
struct Transfer {
    distribution: Arc<Distribution>,
    mirror: Arc<Mirror>,
    repository: RepositoryName,
    digest: ContentDigest,
    /// How long it is, where that is known.
    most: Option<u64>,
}

impl Transfer {
    async fn run(
        &self,
        body: BlobBody,
        upload: Upload,
        progress: &watch::Sender<Progress>,
    ) -> Result<u64, DistributionError> {
        let uploads = &self.distribution.uploads;
        let Ok(_permit) = self.mirror.transfers.acquire().await else {
            return Err(gone(&self.repository).into());
        };
        let (upload, ended) = self.receive(body, upload, progress).await?;
        if let Err(refusal) = ended {
            uploads.cancel(upload).await?;
            return Err(refusal.into());
        }
        let length = upload.length();
        if !self.distribution.mirrors.still_has(&self.mirror) {
            uploads.cancel(upload).await?;
            return Err(gone(&self.repository).into());
        }
        let finished = self
            .distribution
            .finish_upload(&self.repository, upload, &self.digest);
        match finished.await {
            Ok(()) => Ok(length),
            // The upload's words are for who pushes; it was the upstream that sent it.
            Err(DistributionError::Refused(refusal)) if refusal.code == Code::DigestInvalid => {
                Err(self.mirror.wrong(&refusal.message).into())
            }
            Err(error) => Err(error),
        }
    }

    async fn receive(
        &self,
        mut body: BlobBody,
        mut upload: Upload,
        progress: &watch::Sender<Progress>,
    ) -> Result<(Upload, Result<(), Refusal>), DistributionError> {
        let (mut came, mut gathered) = (0_u64, 0_u64);
        let ended = loop {
            let piece = match body.next().await {
                Ok(Some(piece)) => piece,
                Ok(None) => break Ok(()),
                Err(error) => break Err(self.mirror.refusal(&error, || gone(&self.repository))),
            };
            came += piece.len() as u64;
            if came > self.most.unwrap_or(LONGEST) {
                let said = format!("more than {} bytes for {}", came - 1, self.digest);
                break Err(self.mirror.wrong(&said));
            }
            gathered += piece.len() as u64;
            upload.take(piece);
            if gathered >= GATHERED {
                upload = upload.write().await?;
                progress.send_replace(Progress::Written(upload.length()));
                gathered = 0;
            }
        };
        let ended = ended.and_then(|()| match self.most {
            Some(size) if came < size => {
                let said = format!("{came} bytes for {}, which has {size}", self.digest);
                Err(self.mirror.wrong(&said))
            }
            _ => Ok(()),
        });
        Ok((upload, ended))
    }
}
