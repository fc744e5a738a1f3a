//! The story of what clients pushed: where it is, since when, and what is attached to it. How it was made, nobody said.

use std::collections::BTreeMap;

use super::names::SHORTEST_PREFIX;
use super::{Registry, RegistryError};
use crate::api;
use crate::words::rfc3339;

/// So many digests or repositories a text may mean before it is only said that they are many.
const CANDIDATES: i64 = 20;

impl Registry<'_> {
    /// What of the registry a reference names that no build leads to: `name:tag`, `name@digest`, a tag, a digest of a
    /// manifest or a blob, or a unique beginning of one.
    pub(super) async fn pushed(
        &self,
        reference: &str,
    ) -> Result<Option<api::RegistryEntry>, RegistryError> {
        let Some(digest) = self.pushed_digest(reference).await? else {
            return Ok(None);
        };
        let places = self.stack.store().registry_places(&digest).await?;
        let Some((first, _)) = places.first().cloned() else {
            return self.pushed_blob(digest).await;
        };
        let mut attached = BTreeMap::new();
        for (row, _) in &places {
            let referrers = self
                .stack
                .store()
                .registry_referrers(&row.repository, &digest)
                .await?;
            attached.extend(
                referrers
                    .into_iter()
                    .map(|row| (row.digest, row.artifact_type)),
            );
        }
        let place =
            |(row, tags): (ergon_store::RegistryManifestRow, Vec<String>)| api::PushedPlace {
                repository: row.repository,
                tags,
                pushed_at: rfc3339(row.pushed_at),
            };
        Ok(Some(api::RegistryEntry::Pushed(api::PushedImage {
            digest,
            media_type: first.media_type,
            artifact_type: first.artifact_type,
            subject: first.subject,
            places: places.into_iter().map(place).collect(),
            attached: attached
                .into_iter()
                .map(|(digest, artifact_type)| api::PushedReferrer {
                    digest,
                    artifact_type,
                })
                .collect(),
        })))
    }

    async fn pushed_blob(
        &self,
        digest: String,
    ) -> Result<Option<api::RegistryEntry>, RegistryError> {
        let store = self.stack.store();
        let repositories = store.repositories_with_blob(&digest).await?;
        let Some(first) = repositories.first() else {
            return Ok(None);
        };
        let size = store.linked_blob(first, &digest).await?.unwrap_or_default();
        Ok(Some(api::RegistryEntry::Blob(api::PushedBlob {
            digest,
            size: u64::try_from(size).unwrap_or_default(),
            repositories,
        })))
    }

    async fn pushed_digest(&self, reference: &str) -> Result<Option<String>, RegistryError> {
        let store = self.stack.store();
        if let Some((_, digest)) = reference.split_once('@') {
            return Ok(Some(digest.to_owned()));
        }
        let hex = reference.rsplit(':').next().unwrap_or(reference);
        let mut named: BTreeMap<String, String> = BTreeMap::new();
        if hex.len() >= SHORTEST_PREFIX && hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            let digests = store
                .registry_digests_beginning(reference, CANDIDATES)
                .await?;
            named.extend(digests.into_iter().map(|digest| (digest.clone(), digest)));
        }
        if let Some((repository, tag)) = reference.rsplit_once(':') {
            let meant = store.tagged_manifest(repository, tag).await?;
            named.extend(meant.map(|row| (row.digest, reference.to_owned())));
        } else {
            let meant = store.registry_tagged(reference, CANDIDATES).await?;
            let called = |repository| format!("{repository}:{reference}");
            let meant = meant.into_iter();
            named.extend(meant.map(|(repository, digest)| (digest, called(repository))));
        }
        if named.len() > 1 {
            return Err(RegistryError::Ambiguous {
                reference: reference.to_owned(),
                candidates: named.into_values().collect(),
            });
        }
        Ok(named.into_keys().next())
    }
}
