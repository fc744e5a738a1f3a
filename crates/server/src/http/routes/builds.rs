//! The registry's index: builds, images, manifests and how they hang together.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use crate::api::{Build, BuildSummary, Job, List, RecordBuild, RegistryEntry};
use crate::http::extract::{Body, Name};
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

/// What a reference names: a unique beginning of a build hash or of an image, manifest or source digest, or a tag.
#[utoipa::path(get, path = "/api/v1/registry/{reference}", operation_id = "registry_entry", tag = "registry",
    params(("reference" = String, Path)),
    responses((status = 200, body = RegistryEntry)))]
pub async fn find(
    State(stack): State<Stack>,
    Name(reference): Name,
) -> Result<Json<RegistryEntry>, Failure> {
    Ok(Json(stack.registry().find(&reference).await?))
}
