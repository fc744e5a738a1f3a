//! Policies: what says who may do what.

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};

use crate::api::{
    CheckedPolicy, List, PolicyAnswer, PolicyQuestion, PolicySchema, PolicyText, PolicyTrial,
    PolicyTrialResult, PutPolicy,
};
use crate::authorize::{Principal, check, schema_text};
use crate::http::extract::{Body, Name};
use crate::http::problem::Failure;
use crate::policies::fault;
use crate::stack::Stack;

/// Every text of policies: what comes with Ergon, then the stack's own by name.
#[utoipa::path(get, path = "/api/v1/policies", operation_id = "list_policies", tag = "policies",
    responses((status = 200, body = List<PolicyText>)))]
pub async fn list(State(stack): State<Stack>) -> Result<Json<List<PolicyText>>, Failure> {
    let items = stack.policies().list().await?;
    Ok(Json(List { items }))
}

/// One of them.
#[utoipa::path(get, path = "/api/v1/policies/{name}", operation_id = "policy", tag = "policies",
    params(("name" = String, Path)),
    responses((status = 200, body = PolicyText)))]
pub async fn read(
    State(stack): State<Stack>,
    Name(name): Name,
) -> Result<Json<PolicyText>, Failure> {
    Ok(Json(stack.policies().read(&name).await?))
}

/// Keep a text of policies and decide by it from now on. One with a fault is not kept (422), and nothing changes.
#[utoipa::path(put, path = "/api/v1/policies/{name}", operation_id = "put_policy", tag = "policies",
    params(("name" = String, Path)),
    request_body = PutPolicy,
    responses((status = 200, body = PolicyText)))]
pub async fn put(
    State(stack): State<Stack>,
    Extension(principal): Extension<Principal>,
    Name(name): Name,
    Body(body): Body<PutPolicy>,
) -> Result<Json<PolicyText>, Failure> {
    let by = principal.name();
    Ok(Json(stack.policies().put(&name, body.text, &by).await?))
}

/// Forget a text of the stack's own.
#[utoipa::path(delete, path = "/api/v1/policies/{name}", operation_id = "remove_policy", tag = "policies",
    params(("name" = String, Path)),
    responses((status = 204)))]
pub async fn remove(State(stack): State<Stack>, Name(name): Name) -> Result<StatusCode, Failure> {
    stack.policies().remove(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What policies can speak of, as a Cedar schema.
#[utoipa::path(get, path = "/api/v1/policy-schema", operation_id = "policy_schema", tag = "policies",
    responses((status = 200, body = PolicySchema)))]
pub async fn schema() -> Json<PolicySchema> {
    Json(PolicySchema {
        schema: schema_text(),
    })
}

/// What is wrong with a text. It is not kept.
#[utoipa::path(post, path = "/api/v1/policy-checks", operation_id = "check_policy", tag = "policies",
    request_body = PutPolicy,
    responses((status = 200, body = CheckedPolicy)))]
pub async fn check_text(Body(body): Body<PutPolicy>) -> Json<CheckedPolicy> {
    let faults = check(&body.text).err().unwrap_or_default();
    Json(CheckedPolicy {
        faults: faults.into_iter().map(fault).collect(),
    })
}

/// Whether somebody may, and which policies say so.
#[utoipa::path(post, path = "/api/v1/policy-questions", operation_id = "explain_policy", tag = "policies",
    request_body = PolicyQuestion,
    responses((status = 200, body = PolicyAnswer)))]
pub async fn explain(
    State(stack): State<Stack>,
    Body(body): Body<PolicyQuestion>,
) -> Result<Json<PolicyAnswer>, Failure> {
    Ok(Json(stack.policies().explain(body).await?))
}

/// What would be decided of many cases, by the policies there are or by others. Nothing is kept.
#[utoipa::path(post, path = "/api/v1/policy-trials", operation_id = "test_policies", tag = "policies",
    request_body = PolicyTrial,
    responses((status = 200, body = PolicyTrialResult)))]
pub async fn test(
    State(stack): State<Stack>,
    Body(body): Body<PolicyTrial>,
) -> Result<Json<PolicyTrialResult>, Failure> {
    Ok(Json(stack.policies().try_out(body).await?))
}
