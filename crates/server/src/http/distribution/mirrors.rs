//! Which repository is meant where a client takes this registry for another one's mirror.

use axum::http::header;
use axum::http::request::Parts;
use ergon_oci::registry::{Code, Endpoint, Refusal};

use crate::stack::Stack;

/// What an endpoint is here. Clients that were told to ask here instead of a registry name that in `ns`: its
/// repository is then the mirror's. Of a registry that there is no mirror of nothing is served, whatever repository
/// of ours has the same name.
///
/// <https://github.com/opencontainers/distribution-spec/blob/main/spec.md#registry-proxying>
pub fn meant(stack: &Stack, parts: &Parts, endpoint: Endpoint) -> Result<Endpoint, Refusal> {
    let query = parts.uri.query().unwrap_or_default();
    let registry = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "ns");
    let (Some((_, registry)), Some(repository)) = (registry, endpoint.repository()) else {
        return Ok(endpoint);
    };
    let host = parts.headers.get(header::HOST);
    if registry.is_empty() || host.is_some_and(|host| host.as_bytes() == registry.as_bytes()) {
        return Ok(endpoint);
    }
    let mirrors = stack.distribution().mirrors();
    if let Some(name) = mirrors.standing_for(&registry, repository) {
        return Ok(endpoint.in_repository(name?));
    }
    let shown: String = registry.chars().take(100).collect();
    Err(Refusal::new(
        404,
        Code::NameUnknown,
        format!("there is no mirror of `{shown}` here: ergon registry upstream add"),
    ))
}
