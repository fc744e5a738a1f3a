//! Repositories of the image registry: which there are, and how they are kept.

use axum::Json;
use axum::extract::State;
use ergon_store::RepositoryRow;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::api::{ChangeRepository, List, Repository};
use crate::http::extract::{Body, Name, Parameters};
use crate::http::problem::Failure;
use crate::stack::Stack;
use crate::words::rfc3339;

/// Where a list goes on.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct After {
    /// The last name of the page before; absent: from the beginning.
    #[serde(default)]
    after: String,
}

/// Repositories by name, a thousand at a time.
#[utoipa::path(get, path = "/api/v1/repositories", operation_id = "list_repositories", tag = "registry",
    params(After),
    responses((status = 200, body = List<Repository>)))]
pub async fn list(
    State(stack): State<Stack>,
    Parameters(page): Parameters<After>,
) -> Result<Json<List<Repository>>, Failure> {
    let repositories = stack.repositories().list(&page.after).await?;
    Ok(Json(List {
        items: repositories.into_iter().map(view).collect(),
    }))
}

/// One repository.
#[utoipa::path(get, path = "/api/v1/repositories/{name}", operation_id = "repository", tag = "registry",
    params(("name" = String, Path, description = "Its whole name; `/` is written `%2F`.")),
    responses((status = 200, body = Repository)))]
pub async fn read(
    State(stack): State<Stack>,
    Name(name): Name,
) -> Result<Json<Repository>, Failure> {
    Ok(Json(view(stack.repositories().get(&name).await?)))
}

/// Keep a repository otherwise. Where there is none of the name it is made, so that it can be kept so from its first image on.
#[utoipa::path(patch, path = "/api/v1/repositories/{name}", operation_id = "change_repository", tag = "registry",
    params(("name" = String, Path, description = "Its whole name; `/` is written `%2F`.")),
    request_body = ChangeRepository,
    responses((status = 200, body = Repository)))]
pub async fn change(
    State(stack): State<Stack>,
    Name(name): Name,
    Body(body): Body<ChangeRepository>,
) -> Result<Json<Repository>, Failure> {
    let repositories = stack.repositories();
    let changed = repositories.change(&name, body.anonymous_pull, body.immutable_tags);
    Ok(Json(view(changed.await?)))
}

fn view(row: RepositoryRow) -> Repository {
    Repository {
        name: row.name,
        anonymous_pull: row.anonymous_pull,
        immutable_tags: row.immutable_tags,
        created_at: rfc3339(row.created_at),
    }
}
