//! The source trees the stack knows, and the 🐳 button.

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};

use crate::api::{
    AddProject, GeneratedDockerfile, Job, List, Project, SaveDockerfile, SavedDockerfile,
};
use crate::authorize::{Action, Principal};
use crate::http::extract::{Body, Name};
use crate::http::guard::decide_also;
use crate::http::problem::Failure;
use crate::http::recorded::Recording;
use crate::projects::Projects;
use crate::stack::Stack;

/// Every project, by name.
#[utoipa::path(get, path = "/api/v1/projects", operation_id = "list_projects", tag = "projects",
    responses((status = 200, body = List<Project>)))]
pub async fn list(State(stack): State<Stack>) -> Result<Json<List<Project>>, Failure> {
    Ok(Json(List {
        items: stack.projects().list().await?,
    }))
}

/// Add a folder or a git repository.
#[utoipa::path(post, path = "/api/v1/projects", operation_id = "add_project", tag = "projects",
    request_body = AddProject,
    responses((status = 201, body = Project)))]
pub async fn add(
    State(stack): State<Stack>,
    Extension(principal): Extension<Principal>,
    Extension(recording): Extension<Recording>,
    Body(body): Body<AddProject>,
) -> Result<(StatusCode, Json<Project>), Failure> {
    // A repository is everybody's to bring; a folder is the machine's.
    if Projects::is_folder(&body.location)? {
        let folder = Some(body.location.clone());
        decide_also(&stack, &principal, &recording, Action::UseFolder, folder)?;
    }
    Ok((StatusCode::CREATED, Json(stack.projects().add(body).await?)))
}

/// One project.
#[utoipa::path(get, path = "/api/v1/projects/{id}", operation_id = "project", tag = "projects",
    params(("id" = String, Path, description = "Its id or its name.")),
    responses((status = 200, body = Project)))]
pub async fn read(State(stack): State<Stack>, Name(id): Name) -> Result<Json<Project>, Failure> {
    Ok(Json(stack.projects().read(&id).await?))
}

/// Forget a project; its folder is left as it is.
#[utoipa::path(delete, path = "/api/v1/projects/{id}", operation_id = "remove_project", tag = "projects",
    params(("id" = String, Path, description = "Its id or its name.")),
    responses((status = 204)))]
pub async fn remove(State(stack): State<Stack>, Name(id): Name) -> Result<StatusCode, Failure> {
    stack.projects().remove(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Analyse the project and generate its Dockerfile. Writes nothing.
#[utoipa::path(post, path = "/api/projects/{id}/docker/generate", operation_id = "generate_dockerfile", tag = "docker",
    params(("id" = String, Path, description = "Its id or its name.")),
    responses((status = 200, body = GeneratedDockerfile)))]
pub async fn generate(
    State(stack): State<Stack>,
    Name(id): Name,
) -> Result<Json<GeneratedDockerfile>, Failure> {
    Ok(Json(stack.projects().generate(&id).await?))
}

/// Write `Dockerfile` and `.dockerignore` into the project; 409 where a file differs and `overwrite` is not set.
#[utoipa::path(post, path = "/api/projects/{id}/docker/save", operation_id = "save_dockerfile", tag = "docker",
    params(("id" = String, Path, description = "Its id or its name.")),
    request_body = SaveDockerfile,
    responses((status = 200, body = SavedDockerfile)))]
pub async fn save(
    State(stack): State<Stack>,
    Name(id): Name,
    Body(body): Body<SaveDockerfile>,
) -> Result<Json<SavedDockerfile>, Failure> {
    Ok(Json(stack.projects().save(&id, &body).await?))
}

/// Send the project to Ergon: write its manifest, build its images, start its containers.
#[utoipa::path(post, path = "/api/projects/{id}/docker/handoff", operation_id = "hand_off_project", tag = "docker",
    params(("id" = String, Path, description = "Its id or its name.")),
    responses((status = 202, body = Job)))]
pub async fn hand_off(
    State(stack): State<Stack>,
    Name(id): Name,
) -> Result<(StatusCode, Json<Job>), Failure> {
    let project = stack.projects().find(&id).await?;
    Ok((
        StatusCode::ACCEPTED,
        Json(stack.jobs().hand_off(&project).await?),
    ))
}
