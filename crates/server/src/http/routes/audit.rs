//! What was denied and what was changed, by whom.

use axum::body::Body as Sent;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use ergon_store::{AUDIT_BUNDLE, AuditEntry};
use futures_util::stream;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::api::{
    AuditCheckpoint, AuditPage, AuditReport, ForgetAuditEntries, ForgottenAuditEntries, VerifyAudit,
};
use crate::audit::{Wanted, ocsf_event};
use crate::authorize::Principal;
use crate::http::extract::{Body, Parameters};
use crate::http::problem::Failure;
use crate::stack::Stack;

/// So many requests are listed at a time, at most.
const LISTED: usize = 1000;

/// Which requests are wanted; absent: all.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AuditFilter {
    /// Only what came before this entry: the `next` of the page before.
    pub before: Option<u64>,
    /// So many, 1 to 1000; absent: 100.
    pub limit: Option<usize>,
    /// As `owner` or `robot:ci`.
    pub principal: Option<String>,
    /// As `AddProject`.
    pub action: Option<String>,
    /// `allow`, `deny`, `identify`.
    pub decision: Option<String>,
    /// `http`, `mcp`, `registry`, `socket`, `stack`.
    pub channel: Option<String>,
    /// The `X-Request-Id` of an answer.
    pub request: Option<String>,
    /// Words in who, what, or what it was done to.
    pub text: Option<String>,
}

/// In which form entries go out.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AuditFormat {
    /// `jsonl`: entries as they are kept and hashed; `ocsf`: events of the Open Cybersecurity Schema Framework. Absent: `jsonl`.
    pub format: Option<String>,
    /// Only from this entry on.
    pub from: Option<u64>,
}

/// Requests that were denied or changed something, the newest first.
#[utoipa::path(get, path = "/api/v1/audit", operation_id = "list_audit", tag = "audit",
    params(AuditFilter),
    responses((status = 200, body = AuditPage)))]
pub async fn list(
    State(stack): State<Stack>,
    Parameters(filter): Parameters<AuditFilter>,
) -> Result<Json<AuditPage>, Failure> {
    let limit = filter.limit.unwrap_or(100);
    if !(1..=LISTED).contains(&limit) {
        return Err(Failure::bad_request("`limit` is 1 to 1000"));
    }
    let wanted = Wanted {
        principal: filter.principal,
        action: filter.action,
        decision: filter.decision,
        channel: filter.channel,
        request: filter.request,
        text: filter.text,
    };
    Ok(Json(
        stack.audit().list(filter.before, limit, wanted).await?,
    ))
}

/// Check the whole log: that no entry was changed, dropped or moved.
#[utoipa::path(post, path = "/api/v1/audit/verification", operation_id = "verify_audit", tag = "audit",
    request_body = VerifyAudit,
    responses((status = 200, body = AuditReport)))]
pub async fn verify(
    State(stack): State<Stack>,
    Body(body): Body<VerifyAudit>,
) -> Result<Json<AuditReport>, Failure> {
    Ok(Json(stack.audit().verify(&body.checkpoints).await?))
}

/// What the log says of itself, signed.
#[utoipa::path(get, path = "/api/v1/audit/checkpoint", operation_id = "audit_checkpoint", tag = "audit",
    responses((status = 200, body = AuditCheckpoint)))]
pub async fn checkpoint(State(stack): State<Stack>) -> Result<Json<AuditCheckpoint>, Failure> {
    Ok(Json(stack.audit().checkpoint().await?))
}

/// All entries, the oldest first, one JSON object on a line.
#[utoipa::path(get, path = "/api/v1/audit/export", operation_id = "export_audit", tag = "audit",
    params(AuditFormat),
    responses((status = 200, body = String, content_type = "application/x-ndjson")))]
pub async fn export(
    State(stack): State<Stack>,
    Parameters(wanted): Parameters<AuditFormat>,
) -> Result<Response, Failure> {
    let is_ocsf = match wanted.format.as_deref() {
        None | Some("jsonl") => false,
        Some("ocsf") => true,
        Some(_) => return Err(Failure::bad_request("`format` is `jsonl` or `ocsf`")),
    };
    let from = wanted.from.unwrap_or(0);
    // What is written meanwhile, by this request among others, is no part of it.
    let size = stack.audit().size();
    let lines = stream::try_unfold(from / AUDIT_BUNDLE, move |number| {
        let stack = stack.clone();
        async move {
            if number * AUDIT_BUNDLE >= size {
                return Ok::<_, std::io::Error>(None);
            }
            let entries = stack.audit().bundle(number).await;
            let entries = entries.map_err(std::io::Error::other)?.unwrap_or_default();
            let mut lines = Vec::new();
            for (sequence, bytes) in (number * AUDIT_BUNDLE..size).zip(entries) {
                if sequence < from {
                    continue;
                }
                match AuditEntry::read(&bytes).filter(|_| is_ocsf) {
                    Some(entry) => lines.extend(ocsf_event(&entry).to_string().into_bytes()),
                    None => lines.extend(bytes),
                }
                lines.push(b'\n');
            }
            Ok(Some((lines, number + 1)))
        }
    });
    let kind = [(header::CONTENT_TYPE, "application/x-ndjson")];
    Ok((kind, Sent::from_stream(lines)).into_response())
}

/// Remove old entries. Their hashes stay, so that the rest can still be checked, and the log says what went.
#[utoipa::path(post, path = "/api/v1/audit/forget", operation_id = "forget_audit_entries", tag = "audit",
    request_body = ForgetAuditEntries,
    responses((status = 200, body = ForgottenAuditEntries)))]
pub async fn forget(
    State(stack): State<Stack>,
    Extension(principal): Extension<Principal>,
    Body(body): Body<ForgetAuditEntries>,
) -> Result<Json<ForgottenAuditEntries>, Failure> {
    let age = SignedDuration::from_hours(24 * i64::from(body.older_than_days));
    let before = Timestamp::now()
        .checked_sub(age)
        .map_err(|_| Failure::bad_request("so many days ago there was no time"))?;
    let first = stack.audit().forget(before, &principal).await?;
    Ok(Json(ForgottenAuditEntries { first }))
}
