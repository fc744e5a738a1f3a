//! Upstreams: registries elsewhere that the registry here is a mirror of.
//!
//! A password is kept in a file that only this user may read, and nowhere else: not in the store, no event, no answer.

use std::fs;
use std::io;
use std::path::PathBuf;

use ergon_oci::distribution::Mirror;
use ergon_oci::distribution::upstream::{
    Upstream, UpstreamLogin, UpstreamUrlError, registry_of, upstream_url,
};
use ergon_oci::registry::RepositoryName;
use ergon_store::{NewEvent, StoreError, UpstreamRow, now};
use serde_json::json;

use crate::api;
use crate::data_folder::replace;
use crate::stack::Stack;
use crate::words::rfc3339;

/// For so many seconds a tag is not asked for again, where nothing else is wanted.
const FRESH: u64 = 300;

/// Why an upstream is not added or removed.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamsError {
    #[error(
        "`{name}` is no name of an upstream: it is the first part of repositories' names, as `hub` or `ghcr.io`"
    )]
    Name { name: String },
    #[error("`{url}` cannot be an upstream: {reason}")]
    Url {
        url: String,
        reason: UpstreamUrlError,
    },
    #[error("a user and a password belong together")]
    Login,
    #[error("there is no upstream `{name}`")]
    NotFound { name: String },
    #[error("there are repositories under `{name}/` that are no mirror's: `{repository}`")]
    Taken { name: String, repository: String },
    #[error("`{registry}` has a mirror already: `{name}`")]
    Mirrored { registry: String, name: String },
    #[error("the password cannot be kept: {0}")]
    Secret(io::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("a task ended without an answer: {0}")]
    Task(#[from] tokio::task::JoinError),
}

impl UpstreamsError {
    /// What a person can do about it.
    pub fn remedy(&self) -> Option<String> {
        let text = match self {
            Self::Taken { .. } => "choose another name",
            Self::NotFound { .. } | Self::Mirrored { .. } => {
                "ergon registry upstream list says which there are"
            }
            Self::Url {
                reason: UpstreamUrlError::Credentials | UpstreamUrlError::Plain(_),
                ..
            } => "name an https:// URL, with --user and --password-stdin",
            _ => return None,
        };
        Some(text.to_owned())
    }
}

/// The stack's upstreams.
pub struct Upstreams<'a> {
    stack: &'a Stack,
}

impl<'a> Upstreams<'a> {
    pub fn new(stack: &'a Stack) -> Self {
        Self { stack }
    }

    /// Takes those up that the store knows.
    pub async fn open(&self) -> Result<(), StoreError> {
        for row in self.stack.store().upstreams().await? {
            let login = row.user.clone().and_then(|user| {
                let password = fs::read_to_string(self.secret(&row.name));
                let password = password.inspect_err(|error| {
                    tracing::error!(%error, upstream = row.name, "the password for an upstream cannot be read; it is asked without");
                });
                Some(UpstreamLogin { user, password: password.ok()? })
            });
            match upstream_url(&row.url, login.is_some()) {
                Ok(url) => {
                    let mirrors = self.stack.distribution().mirrors();
                    mirrors.add(row, Upstream::new(url, login));
                }
                Err(error) => {
                    tracing::error!(%error, upstream = row.name, "an upstream is not asked");
                }
            }
        }
        Ok(())
    }

    /// The mirrors as builds on this machine pull through them.
    pub fn for_builds(&self) -> Vec<Mirror> {
        let rows = self.stack.distribution().mirrors().rows();
        let mirror = |row: UpstreamRow| Mirror {
            registry: row.registry,
            name: row.name,
            at: self.stack.authority(),
            has_tls: self.stack.tls().is_some(),
            authority: self.stack.endpoint_authority().map(str::to_owned),
            token: self.stack.token().reveal().to_owned(),
        };
        rows.into_iter().map(mirror).collect()
    }

    /// Every upstream, in the order of their names, and how much is held of each.
    pub async fn list(&self) -> Result<Vec<api::Upstream>, UpstreamsError> {
        let mut listed = Vec::new();
        for row in self.stack.store().upstreams().await? {
            listed.push(self.view(row).await?);
        }
        Ok(listed)
    }

    /// Makes the registry here a mirror of another one.
    pub async fn add(&self, wanted: api::AddUpstream) -> Result<api::Upstream, UpstreamsError> {
        let name = wanted.name;
        let is_name = !name.contains('/') && name.parse::<RepositoryName>().is_ok();
        if !is_name {
            return Err(UpstreamsError::Name {
                name: name.chars().take(80).collect(),
            });
        }
        let login = match (wanted.user, wanted.password) {
            (None, None) => None,
            (Some(user), Some(password)) if !user.is_empty() && !password.is_empty() => {
                Some(UpstreamLogin { user, password })
            }
            _ => return Err(UpstreamsError::Login),
        };
        let url = upstream_url(&wanted.url, login.is_some());
        let url = url.map_err(|reason| UpstreamsError::Url {
            // What is wrong with it may be the password in it.
            url: match reason {
                UpstreamUrlError::Credentials => "https://…@…".to_owned(),
                _ => wanted.url.chars().take(200).collect(),
            },
            reason,
        })?;
        let registry = wanted.registry.unwrap_or_else(|| registry_of(&url));
        let store = self.stack.store();
        let known = store.upstreams().await?;
        if let Some(other) = known
            .iter()
            .find(|row| row.registry == registry && row.name != name)
        {
            return Err(UpstreamsError::Mirrored {
                registry,
                name: other.name.clone(),
            });
        }
        if known.iter().all(|row| row.name != name) {
            let prefix = format!("{name}/");
            let next = store.repositories(&prefix, 1).await?;
            if let Some(own) = next.iter().find(|row| row.name.starts_with(&prefix)) {
                let repository = own.name.clone();
                return Err(UpstreamsError::Taken { name, repository });
            }
        }
        let row = UpstreamRow {
            name: name.clone(),
            url: url.to_string().trim_end_matches('/').to_owned(),
            registry,
            user: login.as_ref().map(|login| login.user.clone()),
            fresh_seconds: i64::try_from(wanted.fresh_seconds.unwrap_or(FRESH)).unwrap_or(i64::MAX),
            created_at: now(),
        };
        let data = json!({ "name": name, "url": row.url, "registry": row.registry });
        let told = NewEvent::new(
            "dev.ergon.registry.upstream_added",
            format!("upstream/{name}"),
            data,
        );
        let mut change = store.change(told).await?;
        change.add_upstream(&row).await?;
        if let Some(login) = login.clone() {
            let path = self.secret(&name);
            let kept = tokio::task::spawn_blocking(move || replace(&path, &login.password));
            kept.await?.map_err(UpstreamsError::Secret)?;
        }
        change.commit().await?;
        let mirrors = self.stack.distribution().mirrors();
        mirrors.add(row.clone(), Upstream::new(url, login));
        self.view(row).await
    }

    /// Ends a mirror, with everything that it held.
    pub async fn remove(&self, name: &str) -> Result<(), UpstreamsError> {
        let told = NewEvent::new(
            "dev.ergon.registry.upstream_removed",
            format!("upstream/{name}"),
            json!({ "name": name }),
        );
        let mut change = self.stack.store().change(told).await?;
        if !change.remove_upstream(name).await? {
            return Err(UpstreamsError::NotFound {
                name: name.chars().take(80).collect(),
            });
        }
        let distribution = self.stack.distribution();
        distribution.mirrors().remove(name);
        change.commit().await?;
        distribution.forget_all();
        match fs::remove_file(self.secret(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(UpstreamsError::Secret(error))
            }
            _ => Ok(()),
        }
    }

    /// The name is a part of a repository's: nothing else than a file in this folder.
    fn secret(&self, name: &str) -> PathBuf {
        self.stack.data().upstreams().join(name)
    }

    async fn view(&self, row: UpstreamRow) -> Result<api::Upstream, UpstreamsError> {
        let held = self.stack.store().held_under(&row.name).await?;
        let count = |count: i64| u64::try_from(count).unwrap_or_default();
        Ok(api::Upstream {
            name: row.name,
            url: row.url,
            registry: row.registry,
            user: row.user,
            fresh_seconds: count(row.fresh_seconds),
            created_at: rfc3339(row.created_at),
            repositories: count(held.repositories),
            tags: count(held.tags),
            bytes: count(held.bytes),
            asked_at: held.checked_at.map(rfc3339),
        })
    }
}
