//! Which images are meant by what people say, for archives of them.

use ergon_oci::ContentDigest;
use ergon_oci::registry::{RepositoryName, Tag, TagOrDigest};

use super::{Registry, RegistryError};
use crate::api;
use crate::distribution::{Archive, DistributionError, Selected};

/// So many tags of one repository are exported.
const MOST_TAGS: i64 = 10_000;

impl Registry<'_> {
    /// An archive of images, with everything attached to them: each reference is a repository, an image in one
    /// (`name:tag`, `name@digest`), a solution (`name@version`), or anything that names a build.
    pub async fn archive(&self, references: &[String]) -> Result<Archive, RegistryError> {
        let mut wanted = Vec::new();
        for reference in references {
            wanted.extend(self.selected(reference).await?);
        }
        Ok(self.stack.distribution().archive(&wanted).await?)
    }

    async fn selected(&self, reference: &str) -> Result<Vec<Selected>, RegistryError> {
        if let Some(found) = self.in_repository(reference).await? {
            return Ok(found);
        }
        let images = match self.stack.solutions().read(reference).await {
            Ok(solution) => solution.images,
            Err(_) => match self.find(reference).await? {
                api::RegistryEntry::Build(build) => build.summary.images,
                api::RegistryEntry::Manifest { builds, .. } => images_of(builds),
                api::RegistryEntry::Source(lineage)
                | api::RegistryEntry::Commit(lineage)
                | api::RegistryEntry::Base(lineage)
                | api::RegistryEntry::Layer(lineage) => images_of(lineage.builds),
                api::RegistryEntry::Pushed(image) => return Ok(places(&image)),
                api::RegistryEntry::Blob(_) => Vec::new(),
            },
        };
        let wanted: Vec<Selected> = images.iter().filter_map(named).collect();
        if wanted.is_empty() {
            return Err(RegistryError::NotFound {
                reference: reference.to_owned(),
            });
        }
        Ok(wanted)
    }

    /// A repository, or an image in one.
    async fn in_repository(&self, reference: &str) -> Result<Option<Vec<Selected>>, RegistryError> {
        let distribution = self.stack.distribution();
        let (name, part) = match reference.split_once('@') {
            Some((name, digest)) => (name, Some(digest)),
            None => match reference.rsplit_once(':') {
                Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
                _ => (reference, None),
            },
        };
        let Ok(repository) = name.parse::<RepositoryName>() else {
            return Ok(None);
        };
        if distribution.repository(&repository).await?.is_none() {
            return Ok(None);
        }
        let tags = match part {
            None => distribution.tags(&repository, "", MOST_TAGS).await?,
            Some(part) => Some(vec![part.to_owned()]),
        };
        let mut wanted = Vec::new();
        for text in tags.unwrap_or_default() {
            let (asked, tags) = match (text.parse::<ContentDigest>(), text.parse::<Tag>()) {
                (Ok(digest), _) => (TagOrDigest::Digest(digest), Vec::new()),
                (_, Ok(tag)) => (TagOrDigest::Tag(tag.clone()), vec![tag]),
                _ => continue,
            };
            if let Some(manifest) = distribution.manifest(&repository, &asked).await? {
                wanted.push(Selected {
                    repository: repository.clone(),
                    digest: manifest.digest,
                    tags,
                });
            }
        }
        Ok((!wanted.is_empty()).then_some(wanted))
    }
}

fn images_of(builds: Vec<api::BuildSummary>) -> Vec<api::BuiltImage> {
    builds.into_iter().flat_map(|build| build.images).collect()
}

/// Where an image that was built here is served.
fn named(image: &api::BuiltImage) -> Option<Selected> {
    let tags = image.tags.iter();
    let tags: Vec<Tag> = tags
        .filter_map(|tag| tag.rsplit_once(':')?.1.parse().ok())
        .collect();
    let repository = image.tags.first()?.rsplit_once(':')?.0;
    Some(Selected {
        repository: repository.parse().ok()?,
        digest: image.image_digest.parse().ok()?,
        tags,
    })
}

impl From<DistributionError> for RegistryError {
    fn from(error: DistributionError) -> Self {
        match error {
            DistributionError::Store(error) => Self::Store(error),
            error => Self::Distribution(error),
        }
    }
}

/// Where an image that a client pushed is.
fn places(image: &api::PushedImage) -> Vec<Selected> {
    let selected = |place: &api::PushedPlace| {
        Some(Selected {
            repository: place.repository.parse().ok()?,
            digest: image.digest.parse().ok()?,
            tags: place
                .tags
                .iter()
                .filter_map(|tag| tag.parse().ok())
                .collect(),
        })
    };
    image.places.iter().filter_map(selected).collect()
}
