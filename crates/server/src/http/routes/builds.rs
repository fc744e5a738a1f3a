//! The registry's index: builds, images, manifests and how they hang together.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use serde::Deserialize;
use utoipa::IntoParams;

use crate::api::{Build, BuildChanges, BuildSummary, Job, List, RecordBuild, RegistryEntry};
use crate::http::extract::{Body, Name, Parameters};
use crate::http::problem::Failure;
use crate::stack::Stack;

/// Builds, newest first.
#[utoipa::path(get, path = "/api/v1/builds", operation_id = "list_builds", tag = "registry",
    responses((status = 200, body = List<BuildSummary>)))]
pub async fn list(State(stack): State<Stack>) -> Result<Json<List<BuildSummary>>, Failure> {
    Ok(Json(List {
        items: stack.registry().builds().await?,
    }))
}

/// Remember a build that was made outside the stack, with the shared cache.
#[utoipa::path(post, path = "/api/v1/builds", operation_id = "record_build", tag = "registry",
    request_body = RecordBuild,
    responses((status = 201, body = Build)))]
pub async fn record(
    State(stack): State<Stack>,
    Body(body): Body<RecordBuild>,
) -> Result<(StatusCode, Json<Build>), Failure> {
    Ok((
        StatusCode::CREATED,
        Json(stack.registry().record_from_cache(&body).await?),
    ))
}

/// One build, by its hash or the beginning of it.
#[utoipa::path(get, path = "/api/v1/builds/{hash}", operation_id = "build", tag = "registry",
    params(("hash" = String, Path, description = "The build hash, with or without `sha256:`, or a unique beginning of it.")),
    responses((status = 200, body = Build)))]
pub async fn read(State(stack): State<Stack>, Name(hash): Name) -> Result<Json<Build>, Failure> {
    Ok(Json(stack.registry().build(&hash).await?))
}

/// Build it a second time under other conditions and compare; 409 where its folder is not known or it has not succeeded.
/// The job fails where the folder has changed since, and where the bits are not the same: `verification` of the build says
/// in what.
#[utoipa::path(post, path = "/api/v1/builds/{hash}/verify", operation_id = "verify_build", tag = "registry",
    params(("hash" = String, Path, description = "The build hash, with or without `sha256:`, or a unique beginning of it.")),
    responses((status = 202, body = Job)))]
pub async fn verify(
    State(stack): State<Stack>,
    Name(hash): Name,
) -> Result<(StatusCode, Json<Job>), Failure> {
    let build = stack.registry().stored(&hash).await?;
    Ok((
        StatusCode::ACCEPTED,
        Json(stack.jobs().verify(&build).await?),
    ))
}

/// Which build to compare with.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Since {
    /// The earlier build's hash, or a unique beginning of it.
    since: String,
}

/// What changed since another build: inputs, fields of the manifest, layers.
#[utoipa::path(get, path = "/api/v1/builds/{hash}/changes", operation_id = "build_changes", tag = "registry",
    params(("hash" = String, Path, description = "The later build's hash, or a unique beginning of it."), Since),
    responses((status = 200, body = BuildChanges)))]
pub async fn changes(
    State(stack): State<Stack>,
    Name(hash): Name,
    Parameters(Since { since }): Parameters<Since>,
) -> Result<Json<BuildChanges>, Failure> {
    Ok(Json(stack.registry().changes(&since, &hash).await?))
}

/// What a reference names: a build hash, a commit, a tag, a base's name, the digest of an image, its
/// configuration, a layer, a base, a manifest or a source; or a unique beginning of it, four characters or more.
#[utoipa::path(get, path = "/api/v1/registry/{reference}", operation_id = "registry_entry", tag = "registry",
    params(("reference" = String, Path)),
    responses((status = 200, body = RegistryEntry)))]
pub async fn find(
    State(stack): State<Stack>,
    Name(reference): Name,
) -> Result<Json<RegistryEntry>, Failure> {
    Ok(Json(stack.registry().find(&reference).await?))
}
