//! Certificates: the stack's authority, what it gives to companions, and taking that back.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use ergon_store::CertificateRow;

use crate::api::{Authority, GivenCertificate, IssuedCertificate, List, RequestCertificate};
use crate::authorize::{Action, Principal};
use crate::http::extract::{Body, Name};
use crate::http::guard;
use crate::http::problem::Failure;
use crate::http::recorded::Recording;
use crate::identity::{CertificateError, Issued, TrustDomain};
use crate::stack::Stack;
use crate::words::rfc3339;

/// The certificate of the stack's authority, as PEM. Whoever trusts the stack has it from somebody they trust already.
#[utoipa::path(get, path = "/api/v1/ca", operation_id = "authority", tag = "certificates",
    responses((status = 200, body = String, content_type = "application/pem-certificate-chain")))]
pub async fn authority(State(stack): State<Stack>) -> Response {
    let pem = stack.certificates().authority().root_pem().to_owned();
    (
        [(header::CONTENT_TYPE, "application/pem-certificate-chain")],
        pem,
    )
        .into_response()
}

/// For how long the stack's authority is good, and whether its root's key is kept elsewhere.
#[utoipa::path(get, path = "/api/v1/ca/state", operation_id = "authority_state", tag = "certificates",
    responses((status = 200, body = Authority)))]
pub async fn state(State(stack): State<Stack>) -> Result<Json<Authority>, Failure> {
    let authority = stack.certificates().authority();
    let state = authority
        .state(ergon_store::now() / 1000)
        .map_err(CertificateError::from)?;
    Ok(Json(Authority {
        trust_domain: authority.trust_domain().root(),
        fingerprint: state.fingerprint,
        root_expires_at: rfc3339(state.root.until * 1000),
        issuing_expires_at: rfc3339(state.issuing.until * 1000),
        has_root_key: state.has_root_key,
    }))
}

/// Give a companion a certificate, good for an hour. Whoever registered it asks for the first; with that, it asks for the
/// next ones itself.
#[utoipa::path(post, path = "/api/v1/certificates", operation_id = "request_certificate", tag = "certificates",
    request_body = RequestCertificate,
    responses((status = 201, body = IssuedCertificate)))]
pub async fn request(
    State(stack): State<Stack>,
    Extension(principal): Extension<Principal>,
    Extension(recording): Extension<Recording>,
    Body(body): Body<RequestCertificate>,
) -> Result<(StatusCode, Json<IssuedCertificate>), Failure> {
    // Now that it is known whom it is about.
    let name = Some(body.name.clone());
    let action = Action::IssueCertificate;
    guard::decide_also(&stack, &principal, &recording, action, name)?;
    let there = stack.directory().find(&body.name);
    let by = there.as_ref().and_then(|there| there.registered_by());
    let Some(by) = by else {
        return Err(CertificateError::NobodyThere(body.name.chars().take(80).collect()).into());
    };
    let asks = principal.name();
    let is_companion = matches!(principal, Principal::Companion { .. });
    let may = principal.is_owner() || is_companion || by == asks;
    if !may {
        return Err(CertificateError::NotTheirs {
            name: body.name,
            by: by.to_owned(),
        }
        .into());
    }
    let issued = stack
        .certificates()
        .give(&body.name, &body.request, &asks)
        .await?;
    let authority = stack.certificates().authority();
    let identity = identity(authority.trust_domain(), &body.name);
    Ok((
        StatusCode::CREATED,
        Json(view_issued(issued, identity, authority.root_pem())),
    ))
}

/// Every certificate that was given and could still be shown, or could until a week ago; the newest first.
#[utoipa::path(get, path = "/api/v1/certificates", operation_id = "list_certificates", tag = "certificates",
    responses((status = 200, body = List<GivenCertificate>)))]
pub async fn list(State(stack): State<Stack>) -> Result<Json<List<GivenCertificate>>, Failure> {
    let rows = stack.certificates().list().await?;
    let now = ergon_store::now();
    Ok(Json(List {
        items: rows.into_iter().map(|row| view(row, now)).collect(),
    }))
}

/// Have a certificate refused from now on, also on connections that are open.
#[utoipa::path(delete, path = "/api/v1/certificates/{serial}", operation_id = "revoke_certificate", tag = "certificates",
    params(("serial" = String, Path, description = "In hexadecimal digits.")),
    responses((status = 204)))]
pub async fn revoke(
    State(stack): State<Stack>,
    Extension(principal): Extension<Principal>,
    Name(serial): Name,
) -> Result<StatusCode, Failure> {
    let because = format!("{} revoked it", principal.name());
    stack.certificates().refuse(&serial, &because).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn identity(stack: &TrustDomain, name: &str) -> String {
    format!("{}/ci/{}", stack.root(), name.to_ascii_lowercase())
}

fn view_issued(issued: Issued, identity: String, authority: &str) -> IssuedCertificate {
    let lasts = issued.validity.until - issued.validity.from;
    let half = issued.validity.from + lasts / 2;
    IssuedCertificate {
        identity,
        serial: issued.serial,
        certificate: issued.pem,
        authority: authority.to_owned(),
        not_before: rfc3339(issued.validity.from * 1000),
        not_after: rfc3339(issued.validity.until * 1000),
        renew_in: (half - ergon_store::now() / 1000).max(1),
    }
}

fn view(row: CertificateRow, now: i64) -> GivenCertificate {
    let state = match row.refused_at {
        Some(_) => "revoked",
        None if row.expires_at <= now => "expired",
        None => "good",
    };
    GivenCertificate {
        serial: row.serial,
        identity: row.identity,
        issued_to: row.issued_to,
        issued_at: rfc3339(row.issued_at),
        expires_at: rfc3339(row.expires_at),
        state: state.to_owned(),
        reason: row.refused_because,
    }
}
