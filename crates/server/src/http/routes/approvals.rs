//! Proposals, and saying yes or no to them.

use axum::extract::State;
use axum::{Extension, Json};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::api::{ApproveProposal, List, Proposal};
use crate::authorize::Principal;
use crate::http::extract::{Body, Name, Parameters};
use crate::http::problem::Failure;
use crate::stack::Stack;

/// Which proposals.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ProposalFilter {
    /// Also those that are over.
    #[serde(default)]
    pub all: bool,
}

/// What companions would do to their containers if somebody approves, newest first.
#[utoipa::path(get, path = "/api/v1/proposals", operation_id = "list_proposals", tag = "approvals",
    params(ProposalFilter),
    responses((status = 200, body = List<Proposal>)))]
pub async fn list(
    State(stack): State<Stack>,
    Parameters(filter): Parameters<ProposalFilter>,
) -> Result<Json<List<Proposal>>, Failure> {
    Ok(Json(List {
        items: stack.approvals().list(!filter.all).await?,
    }))
}

/// One proposal with its exact content, and what became of it.
#[utoipa::path(get, path = "/api/v1/proposals/{code}", operation_id = "proposal", tag = "approvals",
    params(("code" = String, Path, description = "In any case.")),
    responses((status = 200, body = Proposal)))]
pub async fn read(State(stack): State<Stack>, Name(code): Name) -> Result<Json<Proposal>, Failure> {
    Ok(Json(stack.approvals().read(&code).await?))
}

/// Approve a proposal, once. It is carried out if its container is still as it was, and looked at afterwards; the answer
/// is the proposal as it ended: `done`, `withdrawn` (the container is not as it was, and nothing was done), `failed`,
/// `undone` or `escalated` (it did not help).
#[utoipa::path(post, path = "/api/v1/proposals/{code}/approve", operation_id = "approve_proposal", tag = "approvals",
    params(("code" = String, Path, description = "In any case.")),
    request_body = ApproveProposal,
    responses((status = 200, body = Proposal)))]
pub async fn approve(
    State(stack): State<Stack>,
    Extension(principal): Extension<Principal>,
    Name(code): Name,
    Body(body): Body<ApproveProposal>,
) -> Result<Json<Proposal>, Failure> {
    let by = principal.name();
    Ok(Json(stack.approvals().approve(&code, &body, &by).await?))
}

/// Deny a proposal. It is not brought up again unasked while its container stays as it is.
#[utoipa::path(post, path = "/api/v1/proposals/{code}/deny", operation_id = "deny_proposal", tag = "approvals",
    params(("code" = String, Path, description = "In any case.")),
    responses((status = 200, body = Proposal)))]
pub async fn deny(
    State(stack): State<Stack>,
    Extension(principal): Extension<Principal>,
    Name(code): Name,
) -> Result<Json<Proposal>, Failure> {
    let by = principal.name();
    Ok(Json(stack.approvals().deny(&code, &by).await?))
}
