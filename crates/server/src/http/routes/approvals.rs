//! Proposals, and saying yes or no to them.

use axum::extract::Path;
use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::api::{
    ApprovalRule, ApproveProposal, List, Override, OverrideProposal, Proposal, PutApprovalRule,
    ReviewOverride,
};
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

/// Approve a proposal, once. Where it needs several people it stays `open` until as many have approved it. It is carried out if its container is still as it was, and looked at afterwards; the answer
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

/// Approve a proposal without waiting for whoever else should have, for a reason. It is carried out at once, and somebody
/// else has to look at it afterwards.
#[utoipa::path(post, path = "/api/v1/proposals/{code}/override", operation_id = "override_proposal", tag = "approvals",
    params(("code" = String, Path, description = "In any case.")),
    request_body = OverrideProposal,
    responses((status = 200, body = Proposal)))]
pub async fn override_waiting(
    State(stack): State<Stack>,
    Extension(principal): Extension<Principal>,
    Name(code): Name,
    Body(body): Body<OverrideProposal>,
) -> Result<Json<Proposal>, Failure> {
    let by = principal.name();
    let approvals = stack.approvals();
    Ok(Json(approvals.override_waiting(&code, &body, &by).await?))
}

/// What was done without waiting, and who looked at it; the newest first.
#[utoipa::path(get, path = "/api/v1/overrides", operation_id = "list_overrides", tag = "approvals",
    responses((status = 200, body = List<Override>)))]
pub async fn overrides(State(stack): State<Stack>) -> Result<Json<List<Override>>, Failure> {
    Ok(Json(List {
        items: stack.approvals().overrides().await?,
    }))
}

/// Say what one saw of something that another did without waiting, once.
#[utoipa::path(post, path = "/api/v1/overrides/{code}/review", operation_id = "review_override", tag = "approvals",
    params(("code" = String, Path, description = "In any case.")),
    request_body = ReviewOverride,
    responses((status = 200, body = Override)))]
pub async fn review(
    State(stack): State<Stack>,
    Extension(principal): Extension<Principal>,
    Name(code): Name,
    Body(body): Body<ReviewOverride>,
) -> Result<Json<Override>, Failure> {
    let by = principal.name();
    let approvals = stack.approvals();
    Ok(Json(approvals.review(&code, &body.review, &by).await?))
}

/// How many people have to approve what.
#[utoipa::path(get, path = "/api/v1/approval-rules", operation_id = "list_approval_rules", tag = "approvals",
    responses((status = 200, body = List<ApprovalRule>)))]
pub async fn rules(State(stack): State<Stack>) -> Result<Json<List<ApprovalRule>>, Failure> {
    Ok(Json(List {
        items: stack.approvals().approval_rules().await?,
    }))
}

/// Say how many people have to approve what; it holds for what is open, too.
#[utoipa::path(put, path = "/api/v1/approval-rules", operation_id = "put_approval_rule", tag = "approvals",
    request_body = PutApprovalRule,
    responses((status = 200, body = ApprovalRule)))]
pub async fn put_rule(
    State(stack): State<Stack>,
    Extension(principal): Extension<Principal>,
    Body(body): Body<PutApprovalRule>,
) -> Result<Json<ApprovalRule>, Failure> {
    let by = principal.name();
    let approvals = stack.approvals();
    Ok(Json(approvals.put_approval_rule(&body, &by).await?))
}

/// Forget a rule.
#[utoipa::path(delete, path = "/api/v1/approval-rules/{class}/{container}", operation_id = "remove_approval_rule", tag = "approvals",
    params(("class" = String, Path), ("container" = String, Path)),
    responses((status = 204)))]
pub async fn remove_rule(
    State(stack): State<Stack>,
    Extension(principal): Extension<Principal>,
    Path((class, container)): Path<(String, String)>,
) -> Result<StatusCode, Failure> {
    let by = principal.name();
    let approvals = stack.approvals();
    approvals
        .remove_approval_rule(&class, &container, &by)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
