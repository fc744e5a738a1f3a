//! How repositories of the image registry are kept: who may pull, and whether tags stay what they are.

use ergon_oci::registry::{NameError, RepositoryName};
use ergon_store::{NewEvent, RepositoryRow, Store, StoreError, now};
use serde_json::json;

/// So many are listed at a time.
pub const LISTED: i64 = 1000;

/// Why a repository's settings are not read or changed.
#[derive(Debug, thiserror::Error)]
pub enum RepositoryError {
    #[error("there is no repository `{name}`")]
    NotFound { name: String },
    #[error(transparent)]
    Name(#[from] NameError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl RepositoryError {
    /// What a person can do about it.
    pub fn remedy(&self) -> Option<String> {
        match self {
            Self::NotFound { .. } => Some(
                "ergon registry repository list says which there are; pushing an image, or setting how it is kept, makes one"
                    .to_owned(),
            ),
            Self::Name(_) => None,
            Self::Store(error) => error.remedy(),
        }
    }
}

/// How repositories are kept.
pub struct Repositories<'a> {
    store: &'a Store,
}

impl<'a> Repositories<'a> {
    pub fn new(store: &'a Store) -> Self {
        Self { store }
    }

    /// Those after a name, in the order of their names.
    pub async fn list(&self, after: &str) -> Result<Vec<RepositoryRow>, RepositoryError> {
        Ok(self.store.repositories(after, LISTED).await?)
    }

    pub async fn get(&self, name: &str) -> Result<RepositoryRow, RepositoryError> {
        let found = self.store.repository(name).await?;
        found.ok_or_else(|| RepositoryError::NotFound {
            name: name.to_owned(),
        })
    }

    /// Whether anybody may pull from it. Nothing is said of one that is not there.
    pub async fn is_public(&self, name: &RepositoryName) -> Result<bool, StoreError> {
        let found = self.store.repository(name.as_str()).await?;
        Ok(found.is_some_and(|repository| repository.anonymous_pull))
    }

    /// Keeps a repository otherwise; makes it where there is none, so that it can be kept so from the first image on.
    pub async fn change(
        &self,
        name: &str,
        anonymous_pull: Option<bool>,
        immutable_tags: Option<bool>,
    ) -> Result<RepositoryRow, RepositoryError> {
        let name: RepositoryName = name.parse()?;
        let data = json!({ "repository": name.as_str(), "anonymous_pull": anonymous_pull, "immutable_tags": immutable_tags });
        let told = NewEvent::new(
            "dev.ergon.repository.changed",
            format!("repository/{name}"),
            data,
        );
        let mut change = self.store.change(told).await?;
        change.add_repository(name.as_str(), now()).await?;
        if let Some(wanted) = anonymous_pull {
            change.set_anonymous_pull(name.as_str(), wanted).await?;
        }
        if let Some(wanted) = immutable_tags {
            change.set_immutable_tags(name.as_str(), wanted).await?;
        }
        change.commit().await?;
        self.get(name.as_str()).await
    }
}
