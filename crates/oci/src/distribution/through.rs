//! Pulls through a mirror: a registry that fetches and holds what another one has.

use oci_client::RegistryOperation;
use oci_client::client::ClientProtocol;
use oci_client::secrets::RegistryAuth;

use super::{Registry, Way};
use crate::blobs::Blobs;
use crate::credentials::Login;
use crate::error::Error;
use crate::image::Image;
use crate::reference::Reference;

/// A mirror of a registry, which a stack is.
#[derive(Clone)]
pub struct Mirror {
    /// The registry whose images it has, as it stands in their names.
    pub registry: String,
    /// The first part of the names that its repositories have there.
    pub name: String,
    /// `host` or `host:port`.
    pub at: String,
    pub has_tls: bool,
    /// An authority that vouches for it beside those that the machine knows, as PEM.
    pub authority: Option<String>,
    /// What opens it.
    pub token: String,
}

impl std::fmt::Debug for Mirror {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Mirror({} at {}/{})", self.registry, self.at, self.name)
    }
}

impl Mirror {
    /// What a reference is called there.
    fn name_of(&self, reference: &Reference) -> Result<Reference, Error> {
        let (at, name, repository) = (&self.at, &self.name, reference.repository());
        let mut text = format!("{at}/{name}/{repository}");
        if let Some(tag) = reference.tag() {
            text = format!("{text}:{tag}");
        }
        if let Some(digest) = reference.digest() {
            text = format!("{text}@{digest}");
        }
        Ok(text.parse()?)
    }
}

/// Brings an image here as `pull` does, through a mirror of its registry.
pub async fn pull_through(
    reference: &Reference,
    platform: &str,
    blobs: &Blobs,
    mirror: &Mirror,
) -> Result<Image, Error> {
    let there = mirror.name_of(reference)?;
    let protocol = if mirror.has_tls {
        ClientProtocol::Https
    } else {
        ClientProtocol::Http
    };
    let login = RegistryAuth::Basic("ergon".to_owned(), mirror.token.clone());
    let (action, operation) = ("pull", RegistryOperation::Pull);
    let way = Way {
        protocol,
        authority: mirror.authority.clone(),
    };
    let login = Login::Direct(login);
    let registry = Registry::connect_as(&there, action, operation, way, login).await?;
    registry.pull(platform, blobs).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_called_there_by_the_mirrors_name_first() {
        let mirror = Mirror {
            registry: "docker.io".to_owned(),
            name: "hub".to_owned(),
            at: "127.0.0.1:7411".to_owned(),
            has_tls: false,
            authority: None,
            token: "hidden".to_owned(),
        };
        let named = |text: &str| mirror.name_of(&text.parse().unwrap()).unwrap().to_string();
        assert_eq!(
            named("python:3.11-slim"),
            "127.0.0.1:7411/hub/library/python:3.11-slim"
        );
        assert!(!format!("{mirror:?}").contains("hidden"));
    }
}
