//! Solutions: what was finished and may be used by others.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::api::{AddSolution, ImportProject, List, Solution};
use crate::http::extract::{Body, Name, Parameters};
use crate::http::problem::Failure;
use crate::solutions::Search;
use crate::stack::Stack;

/// Which solutions.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SolutionFilter {
    /// Words that all have to be in its name, description, keywords or source.
    pub words: Option<String>,
    /// `container`, `tool` or `configuration`.
    pub kind: Option<String>,
    /// Only those that meet every standard.
    #[serde(default)]
    pub meets_standards: bool,
}

/// The highest version of each solution, in the order of their names.
#[utoipa::path(get, path = "/api/v1/solutions", operation_id = "list_solutions", tag = "solutions",
    params(SolutionFilter),
    responses((status = 200, body = List<Solution>)))]
pub async fn list(
    State(stack): State<Stack>,
    Parameters(filter): Parameters<SolutionFilter>,
) -> Result<Json<List<Solution>>, Failure> {
    let search = Search {
        words: filter.words.unwrap_or_default(),
        kind: filter.kind,
        meets_standards: filter.meets_standards,
    };
    let items = stack.solutions().search(&search).await?;
    Ok(Json(List { items }))
}

/// Keep a solution; 409 where the version is kept already: nothing is ever modified.
#[utoipa::path(post, path = "/api/v1/solutions", operation_id = "add_solution", tag = "solutions",
    request_body = AddSolution,
    responses((status = 201, body = Solution)))]
pub async fn add(
    State(stack): State<Stack>,
    Body(body): Body<AddSolution>,
) -> Result<(StatusCode, Json<Solution>), Failure> {
    let solution = stack.solutions().add(&body).await?;
    Ok((StatusCode::CREATED, Json(solution)))
}

/// Keep a finished project as a solution: its newest build that succeeded.
#[utoipa::path(post, path = "/api/v1/projects/{id}/solutions", operation_id = "import_project", tag = "solutions",
    params(("id" = String, Path, description = "Its id or its name.")),
    request_body = ImportProject,
    responses((status = 201, body = Solution)))]
pub async fn import(
    State(stack): State<Stack>,
    Name(id): Name,
    Body(body): Body<ImportProject>,
) -> Result<(StatusCode, Json<Solution>), Failure> {
    let solution = stack.solutions().import(&id, &body).await?;
    Ok((StatusCode::CREATED, Json(solution)))
}

/// A solution: the version that is named, else the highest.
#[utoipa::path(get, path = "/api/v1/solutions/{reference}", operation_id = "solution", tag = "solutions",
    params(("reference" = String, Path, description = "Its name, or `name@version`.")),
    responses((status = 200, body = Solution)))]
pub async fn read(
    State(stack): State<Stack>,
    Name(reference): Name,
) -> Result<Json<Solution>, Failure> {
    Ok(Json(stack.solutions().read(&reference).await?))
}

/// Remove a version; 409 while something depends on it, and the problem says what.
#[utoipa::path(delete, path = "/api/v1/solutions/{reference}", operation_id = "remove_solution", tag = "solutions",
    params(("reference" = String, Path, description = "`name@version`.")),
    responses((status = 204)))]
pub async fn remove(
    State(stack): State<Stack>,
    Name(reference): Name,
) -> Result<StatusCode, Failure> {
    stack.solutions().remove(&reference).await?;
    Ok(StatusCode::NO_CONTENT)
}
