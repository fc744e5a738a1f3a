//! What the registry serves: repositories of manifests and blobs, pushed by clients or built here.
//!
//! Content lies in [`Contents`] by its digest, once whatever repositories share it; the store knows which
//! repository has what. A push is acknowledged once its content is durable and the store has said so:
//! a crash before leaves content that nobody refers to, never a reference to content that is not there.

mod archive;
mod cache;
mod collect;
mod contents;
mod error;
mod fixed;
mod held;
mod journal;
mod keep;
mod links;
mod manifests;
mod mirrors;
mod publish;
mod receive;
mod scrub;
mod uploads;

use std::path::{Path, PathBuf};

use ergon_oci::ContentDigest;
use ergon_oci::registry::RepositoryName;
use ergon_store::{BlobLink, RepositoryRow, Store};
use tokio::sync::RwLockReadGuard;

pub use archive::{Archive, Selected};
use cache::ManifestCache;
pub use collect::{GRACE, Needed, Rule};
pub use contents::Contents;
pub use error::DistributionError;
use journal::Journal;
use links::Links;
pub use manifests::{LARGEST_MANIFEST, StoredManifest};
pub use mirrors::{Found, FoundBlob, Mirrors, Wanted, not_pushed_to};
pub use receive::Announced;
pub use uploads::{Upload, Uploads};

use crate::entropy::Entropy;

/// The registry's store of images. One for each stack.
#[derive(Debug)]
pub struct Distribution {
    store: Store,
    contents: Contents,
    uploads: Uploads,
    manifests: ManifestCache,
    links: Links,
    mirrors: Mirrors,
    /// Held shared while content is linked, alone while content that nobody refers to is removed.
    sweeping: tokio::sync::RwLock<()>,
    journal: Journal,
    /// Held by whoever tidies up.
    tidying: tokio::sync::Mutex<()>,
    /// Where damaged content is put.
    quarantine: PathBuf,
}

/// While this lives nothing is removed of what is brought in.
#[derive(Debug)]
pub struct Bringing<'d> {
    journal: &'d Journal,
    _shared: RwLockReadGuard<'d, ()>,
}

impl Bringing<'_> {
    /// Says that content is needed from now on, as the store says too by now.
    pub fn needed(&self, digests: impl Iterator<Item = ContentDigest>) {
        self.journal.used_content(digests);
    }
}

impl Distribution {
    /// Over the content in `blobs` and the half-done uploads in `uploads`; damaged content goes to `quarantine`.
    pub fn new(
        store: Store,
        entropy: Entropy,
        blobs: &Path,
        uploads: &Path,
        quarantine: PathBuf,
    ) -> Self {
        Self {
            contents: Contents::folder(blobs),
            uploads: Uploads::new(uploads, entropy),
            manifests: ManifestCache::default(),
            links: Links::new(store.clone()),
            mirrors: Mirrors::default(),
            sweeping: tokio::sync::RwLock::default(),
            journal: Journal::default(),
            tidying: tokio::sync::Mutex::default(),
            quarantine,
            store,
        }
    }

    /// Makes the folders, and removes uploads that nobody went on with.
    pub fn prepare(&self) -> std::io::Result<()> {
        self.contents.prepare()?;
        archive::remove_unfinished(self.contents.root())?;
        let forgotten = self.uploads.prepare()?;
        if forgotten > 0 {
            tracing::info!(forgotten, "uploads that nobody went on with were removed");
        }
        Ok(())
    }

    pub fn contents(&self) -> &Contents {
        &self.contents
    }

    pub fn uploads(&self) -> &Uploads {
        &self.uploads
    }

    pub fn mirrors(&self) -> &Mirrors {
        &self.mirrors
    }

    /// Forgets what is remembered of repositories that were removed from the store at once.
    pub fn forget_all(&self) {
        self.manifests.forget_all();
        self.links.forget_all();
    }

    /// A repository, where there is one of the name.
    pub async fn repository(
        &self,
        name: &RepositoryName,
    ) -> Result<Option<RepositoryRow>, DistributionError> {
        Ok(self.store.repository(name.as_str()).await?)
    }

    /// Names of repositories after one; at most so many.
    pub async fn catalog(&self, after: &str, limit: i64) -> Result<Vec<String>, DistributionError> {
        let rows = self.store.repositories(after, limit).await?;
        Ok(rows.into_iter().map(|row| row.name).collect())
    }

    /// Tags of a repository after one, in the order of their bytes; `None` where there is no such repository.
    pub async fn tags(
        &self,
        name: &RepositoryName,
        after: &str,
        limit: i64,
    ) -> Result<Option<Vec<String>>, DistributionError> {
        let rows = self
            .store
            .registry_tags(name.as_str(), after, limit)
            .await?;
        if rows.is_empty() && self.repository(name).await?.is_none() {
            return Ok(None);
        }
        Ok(Some(rows.into_iter().map(|row| row.tag).collect()))
    }

    /// The size of a repository's blob in bytes; `None` where it has none of that digest.
    pub async fn blob(
        &self,
        name: &RepositoryName,
        digest: &ContentDigest,
    ) -> Result<Option<u64>, DistributionError> {
        let text = digest.to_string();
        if let Some(size) = self.links.size(name.as_str(), &text) {
            return Ok(Some(size));
        }
        let size = self.store.linked_blob(name.as_str(), &text).await?;
        Ok(size.and_then(|size| u64::try_from(size).ok()))
    }

    /// The same for a client that asks whether it has to push the blob. What it is told is there stays there
    /// until it has pushed the manifest.
    pub async fn blob_for_push(
        &self,
        name: &RepositoryName,
        digest: &ContentDigest,
    ) -> Result<Option<u64>, DistributionError> {
        let _kept = self.sweeping.read().await;
        self.journal.wanted(name.as_str(), digest);
        self.blob(name, digest).await
    }

    /// For whoever brings in content that no repository has: it is not removed before the store says who needs it.
    pub async fn bringing(&self) -> Bringing<'_> {
        Bringing {
            journal: &self.journal,
            _shared: self.sweeping.read().await,
        }
    }

    /// Repositories that have a blob.
    pub async fn holders(&self, digest: &ContentDigest) -> Result<Vec<String>, DistributionError> {
        Ok(self
            .store
            .repositories_with_blob(&digest.to_string())
            .await?)
    }

    /// Gives a repository a blob that another one has. `false` where the content is not there.
    pub async fn mount(
        &self,
        name: &RepositoryName,
        digest: &ContentDigest,
    ) -> Result<bool, DistributionError> {
        let _kept = self.sweeping.read().await;
        let Some(size) = self.contents.size(digest).await? else {
            return Ok(false);
        };
        self.link(name, digest, size).await?;
        Ok(true)
    }

    /// Makes a finished upload a blob of its repository.
    pub async fn finish_upload(
        &self,
        name: &RepositoryName,
        upload: Upload,
        digest: &ContentDigest,
    ) -> Result<(), DistributionError> {
        let _kept = self.sweeping.read().await;
        let size = self.uploads.finish(upload, digest, &self.contents).await?;
        self.link(name, digest, size).await
    }

    async fn link(
        &self,
        name: &RepositoryName,
        digest: &ContentDigest,
        size: u64,
    ) -> Result<(), DistributionError> {
        let link = BlobLink {
            repository: name.as_str().to_owned(),
            digest: digest.to_string(),
            size: i64::try_from(size).unwrap_or(i64::MAX),
        };
        self.links.add(link).await?;
        self.journal.used(name.as_str(), std::iter::once(*digest));
        Ok(())
    }

    /// Takes a blob from a repository. Its content stays until it is collected. `false` where it had none.
    pub async fn remove_blob(
        &self,
        name: &RepositoryName,
        digest: &ContentDigest,
    ) -> Result<bool, DistributionError> {
        let row = self.repository(name).await?;
        if row.is_some_and(|row| row.immutable_tags) {
            return Err(fixed::part_kept(name.as_str(), digest).into());
        }
        Ok(self
            .links
            .remove(name.as_str(), &digest.to_string())
            .await?)
    }
}
