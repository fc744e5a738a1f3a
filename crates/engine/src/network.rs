//! Networks that containers share.

use bollard::models::NetworkCreateRequest;
use bollard::query_parameters::InspectNetworkOptions;

use crate::{Engine, EngineError, name};

impl Engine {
    /// Makes sure there is a network of that name, and returns its id.
    pub async fn ensure_network(&self, name: &str) -> Result<String, EngineError> {
        let name = name::container(name)
            .map_err(|_| EngineError::Invalid(format!("`{name}` cannot be a network's name")))?;
        if let Some(id) = self.network_id(name).await? {
            return Ok(id);
        }
        let request = NetworkCreateRequest {
            name: name.to_owned(),
            driver: Some("bridge".to_owned()),
            ..Default::default()
        };
        match self
            .client()
            .create_network(request)
            .await
            .map_err(|error| self.wrong(error))
        {
            Ok(created) => Ok(created.id),
            // Somebody else was quicker.
            Err(EngineError::Conflict(reason)) => self
                .network_id(name)
                .await?
                .ok_or(EngineError::Conflict(reason)),
            Err(error) => Err(error),
        }
    }

    /// Removes a network; containers must have left it.
    pub async fn remove_network(&self, name: &str) -> Result<(), EngineError> {
        let removed = self.client().remove_network(name::container(name)?).await;
        removed.map_err(|error| self.wrong(error))
    }

    async fn network_id(&self, name: &str) -> Result<Option<String>, EngineError> {
        let inspected = self
            .client()
            .inspect_network(name, None::<InspectNetworkOptions>)
            .await;
        match inspected.map_err(|error| self.wrong(error)) {
            Ok(network) => Ok(network.id),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }
}
