//! Images as one archive, for machines without a network.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::TryStreamExt as _;
use serde::Deserialize;
use tokio_util::io::{StreamReader, SyncIoBridge};
use utoipa::IntoParams;

use crate::api::{ImportedImage, List};
use crate::http::extract::Parameters;
use crate::http::problem::Failure;
use crate::stack::Stack;

/// Which images.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Selection {
    /// References, with a comma between them: a repository, `name:tag`, `name@digest`, a solution as `name@version`, or anything
    /// that names a build.
    pub references: String,
}

/// Where to.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Destination {
    /// The repository of images that do not say which they are of.
    pub repository: Option<String>,
}

/// Images with all their blobs and everything attached to them, as a tar of an OCI image layout.
#[utoipa::path(get, path = "/api/v1/archive", operation_id = "export_images", tag = "registry",
    params(Selection),
    responses((status = 200, content_type = "application/x-tar", body = Vec<u8>)))]
pub async fn export(
    State(stack): State<Stack>,
    Parameters(selection): Parameters<Selection>,
) -> Result<Response, Failure> {
    let references = selection.references.split(',').map(str::trim);
    let references: Vec<String> = references
        .filter(|reference| !reference.is_empty())
        .map(str::to_owned)
        .collect();
    if references.is_empty() {
        return Err(Failure::bad_request("no reference says what is wanted"));
    }
    let archive = stack.registry().archive(&references).await?;
    let kind = [(header::CONTENT_TYPE, "application/x-tar")];
    Ok((kind, Body::from_stream(archive.stream())).into_response())
}

/// Take in a tar of an OCI image layout. Every blob is checked, and nothing is kept where one is damaged or missing.
#[utoipa::path(post, path = "/api/v1/archive", operation_id = "import_images", tag = "registry",
    params(Destination),
    request_body(content = Vec<u8>, content_type = "application/x-tar"),
    responses((status = 201, body = List<ImportedImage>)))]
pub async fn import(
    State(stack): State<Stack>,
    Parameters(destination): Parameters<Destination>,
    body: Body,
) -> Result<(StatusCode, Json<List<ImportedImage>>), Failure> {
    let repository = destination.repository.map(|name| name.parse());
    let repository = repository
        .transpose()
        .map_err(|_| Failure::bad_request("this can be no repository's name"))?;
    let stream = body.into_data_stream().map_err(std::io::Error::other);
    let reader = SyncIoBridge::new(StreamReader::new(Box::pin(stream)));
    let unpacked = stack.distribution().unpack(reader).await?;
    let taken = stack
        .distribution()
        .take_in(unpacked, repository.as_ref())
        .await?;
    let image = |image: crate::distribution::Selected| ImportedImage {
        repository: image.repository.to_string(),
        digest: image.digest.to_string(),
        tags: image.tags.iter().map(ToString::to_string).collect(),
    };
    let items = taken.into_iter().map(image).collect();
    Ok((StatusCode::CREATED, Json(List { items })))
}
