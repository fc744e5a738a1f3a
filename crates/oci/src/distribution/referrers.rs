//! What is attached to an image, at registries with a referrers API and without one.

use std::sync::Arc;

use ergon_manifest::{Digest, canonical_json};
use oci_client::RegistryOperation;

use super::{OnProgress, Registry, blocking, some_at_once};
use crate::blobs::Blobs;
use crate::error::Error;
use crate::image::{Image, parse};
use crate::model::{Descriptor, INDEX, ImageIndex, ImageManifest, MANIFEST};
use crate::reference::Reference;
use crate::referrers::{
    BUNDLE, LARGEST, MOST, artifact_manifest, cosign_form, cosign_tag, describe, fallback_tag,
    sigstore_form,
};

/// Sends what is attached to an image to where the image was sent.
///
/// A registry that has no referrers API keeps the list under a tag made of the image's digest
/// (distribution-spec 1.1, "Referrers Tag Schema"). Signed statements are also put where cosign
/// looks for them: as bundles beside them, and under a tag of their own where its versions before 2.5 do.
pub async fn push_referrers(
    blobs: &Blobs,
    image: &Image,
    referrers: &[Descriptor],
    reference: &Reference,
) -> Result<(), Error> {
    if referrers.is_empty() {
        return Ok(());
    }
    let bundles = sigstore_form(blobs, image, referrers)?;
    let every: Vec<Descriptor> = referrers.iter().cloned().chain(bundles).collect();
    let registry = Registry::connect(reference, "push", RegistryOperation::Push).await?;
    let silent: OnProgress = Arc::new(|_| {});
    for referrer in &every {
        let manifest = artifact_manifest(blobs, referrer)?;
        registry
            .send(&manifest, &referrer.digest, None, blobs, &silent)
            .await?;
    }
    let listed = registry.listed(&image.digest).await?;
    let missing = every
        .iter()
        .filter(|ours| listed.iter().all(|known| known.digest != ours.digest));
    let missing: Vec<Descriptor> = missing.cloned().collect();
    if !missing.is_empty() {
        let index = ImageIndex::new(listed.into_iter().chain(missing).collect());
        let tag = registry.name(&fallback_tag(&image.digest));
        registry
            .put_manifest(&tag, canonical_json(&index)?, INDEX)
            .await?;
    }
    let tag = cosign_tag(&image.digest);
    let others = registry.layers_at(&tag).await;
    if let Some((digest, manifest)) = cosign_form(blobs, referrers, others)? {
        registry
            .send(&manifest, &digest, Some(&tag), blobs, &silent)
            .await?;
    }
    Ok(())
}

/// Brings what is attached to an image here, as far as it is at `reference`.
pub async fn pull_referrers(
    reference: &Reference,
    subject: &Digest,
    blobs: &Blobs,
) -> Result<Vec<Descriptor>, Error> {
    let registry = Registry::connect(reference, "pull", RegistryOperation::Pull).await?;
    let mut found = registry.listed(subject).await?;
    // The same as the envelopes beside them, where they are ours; nobody here reads others'.
    found.retain(|referrer| referrer.artifact_type.as_deref() != Some(BUNDLE));
    found.truncate(MOST);
    let mut pulled = Vec::new();
    for referrer in found {
        let (content, _) = registry
            .client
            .pull_manifest_raw(
                &registry.name_at(&referrer.digest),
                &registry.auth,
                &[MANIFEST],
            )
            .await
            .map_err(|error| registry.explain(error))?;
        let digest = Digest::of(&content);
        if digest != referrer.digest {
            return Err(registry.failed("a referrer has another digest than the list says"));
        }
        let manifest: ImageManifest = parse(&content, "the artifact", &digest)?;
        let is_about = manifest.subject.as_ref().map(|about| about.digest) == Some(*subject);
        let is_small = manifest.layers.iter().all(|layer| layer.size <= LARGEST);
        if !is_about || !is_small {
            tracing::debug!(%digest, "a referrer is passed over");
            continue;
        }
        registry.download_all(&manifest, blobs).await?;
        let (blobs, size) = (blobs.clone(), content.len() as u64);
        blocking(move || blobs.put(&content)).await?;
        pulled.push(describe(&manifest, digest, size));
    }
    Ok(pulled)
}

impl Registry {
    /// The list of an image's referrers, by the API or by the tag that stands in for it.
    async fn listed(&self, subject: &Digest) -> Result<Vec<Descriptor>, Error> {
        let at = self.name_at(subject);
        self.client
            .auth(&at, &self.auth, RegistryOperation::Pull)
            .await
            .map_err(|error| self.explain(error))?;
        let index = self
            .client
            .pull_referrers(&at, None)
            .await
            .map_err(|error| self.explain(error))?;
        let malformed = |error| Error::malformed(format!("the referrers of {subject}"), error);
        let index = serde_json::to_value(index).map_err(malformed)?;
        let index: ImageIndex = serde_json::from_value(index).map_err(malformed)?;
        Ok(index.manifests)
    }

    /// The layers of what stands under a tag; none where nothing does.
    async fn layers_at(&self, tag: &str) -> Vec<Descriptor> {
        let found = self
            .client
            .pull_manifest_raw(&self.name(tag), &self.auth, &[MANIFEST])
            .await;
        let manifest = found
            .ok()
            .and_then(|(content, _)| serde_json::from_slice::<ImageManifest>(&content).ok());
        manifest.map(|manifest| manifest.layers).unwrap_or_default()
    }

    /// Sends the parts of a manifest that are held here, then the manifest itself.
    async fn send(
        &self,
        manifest: &ImageManifest,
        digest: &Digest,
        tag: Option<&str>,
        blobs: &Blobs,
        progress: &OnProgress,
    ) -> Result<(), Error> {
        let parts = std::iter::once(&manifest.config).chain(&manifest.layers);
        let held = parts.filter(|part| blobs.contains(&part.digest));
        some_at_once(held.map(|part| self.upload(part, blobs, progress))).await?;
        let name = tag.map_or_else(|| self.name_at(digest), |tag| self.name(tag));
        self.put_manifest(&name, blobs.read(digest)?, MANIFEST)
            .await
    }

    pub(super) async fn put_manifest(
        &self,
        name: &oci_client::Reference,
        content: Vec<u8>,
        media_type: &str,
    ) -> Result<(), Error> {
        let media_type = media_type
            .parse()
            .map_err(|_| self.failed("its media type is not one"))?;
        self.client
            .push_manifest_raw(name, content, media_type)
            .await
            .map_err(|error| self.explain(error))?;
        Ok(())
    }
}
