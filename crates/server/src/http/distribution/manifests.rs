//! Manifests, asked for, pushed and taken away.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, StatusCode, header};
use axum::response::Response;
use ergon_oci::registry::{Code, NameError, Refusal, RepositoryName, Tag, TagOrDigest};
use http_body_util::{BodyExt as _, Limited};
use tokio::time::timeout;

use super::{Asked, Failure, answer};
use crate::distribution::{Found, LARGEST_MANIFEST, StoredManifest};

/// A manifest is waited for no longer than this.
const PATIENCE: Duration = Duration::from_mins(1);
/// So many tags are given by one push.
const MOST_TAGS: usize = 64;

/// `/v2/<name>/manifests/<tag-or-digest>`
pub async fn handle(
    asked: &Asked,
    body: Body,
    name: &RepositoryName,
    reference: &TagOrDigest,
) -> Result<Response, Failure> {
    match asked.parts.method {
        Method::PUT => push(asked, body, name, reference).await,
        Method::DELETE => remove(asked, name, reference).await,
        _ => read(asked, name, reference).await,
    }
}

async fn read(
    asked: &Asked,
    name: &RepositoryName,
    reference: &TagOrDigest,
) -> Result<Response, Failure> {
    let found = asked.stack.distribution().find_manifest(name, reference);
    let Found { manifest, stale } = found.await?;
    let Some(manifest) = manifest else {
        return Err(unknown(name, reference).into());
    };
    if !is_acceptable(asked, &manifest) {
        return Err(Refusal::new(
            404,
            Code::ManifestUnknown,
            format!(
                "`{reference}` of `{name}` is of the type {}, which the request does not accept",
                manifest.media_type
            ),
        )
        .into());
    }
    let etag = format!("\"{}\"", manifest.digest);
    let mut response = if asked.has(&etag) {
        answer::status(StatusCode::NOT_MODIFIED)
    } else if asked.parts.method == Method::HEAD {
        let mut response = answer::status(StatusCode::OK);
        let length = manifest.content.len().to_string();
        answer::set(&mut response, header::CONTENT_LENGTH, length);
        response
    } else {
        answer::with_body(StatusCode::OK, Body::from(manifest.content.clone()))
    };
    answer::set(&mut response, header::CONTENT_TYPE, &manifest.media_type);
    answer::set(
        &mut response,
        answer::CONTENT_DIGEST,
        manifest.digest.to_string(),
    );
    answer::set(&mut response, header::ETAG, etag);
    if let Some(stale) = stale {
        answer::set(&mut response, header::WARNING, stale.warning());
    }
    Ok(response)
}

/// Whether the request takes a manifest of this type. One that names no type of manifest takes any: programs that
/// know nothing of manifests send `*/*`, and so do old ones that send what they happen to.
fn is_acceptable(asked: &Asked, manifest: &StoredManifest) -> bool {
    let mut names_any = false;
    for value in asked.parts.headers.get_all(header::ACCEPT) {
        let Ok(value) = value.to_str() else { continue };
        for kind in value.split(',') {
            let kind = kind.split(';').next().unwrap_or(kind).trim();
            if kind.eq_ignore_ascii_case(&manifest.media_type)
                || matches!(kind, "*/*" | "application/*")
            {
                return true;
            }
            names_any |= !kind.is_empty();
        }
    }
    !names_any
}

async fn push(
    asked: &Asked,
    body: Body,
    name: &RepositoryName,
    reference: &TagOrDigest,
) -> Result<Response, Failure> {
    let tags = asked.query("tag");
    if tags.len() > MOST_TAGS {
        return Err(Refusal::new(
            414,
            Code::Unsupported,
            format!(
                "{} tags are given at once, and {MOST_TAGS} can be",
                tags.len()
            ),
        )
        .into());
    }
    if !tags.is_empty() && matches!(reference, TagOrDigest::Tag(_)) {
        return Err(Refusal::new(
            400,
            Code::Unsupported,
            "tags can be given beside a digest only",
        )
        .into());
    }
    let tags: Vec<Tag> = tags
        .iter()
        .map(|tag| tag.parse())
        .collect::<Result<_, NameError>>()
        .map_err(|error| Refusal::new(400, Code::ManifestInvalid, error.to_string()))?;
    let content_type = asked.header(header::CONTENT_TYPE).map(str::to_owned);
    let announced: Option<u64> = asked
        .header(header::CONTENT_LENGTH)
        .and_then(|length| length.parse().ok());
    if announced.is_some_and(|length| length > LARGEST_MANIFEST) {
        return Err(too_large().into());
    }
    let most = usize::try_from(LARGEST_MANIFEST).unwrap_or(usize::MAX);
    let collected = timeout(PATIENCE, Limited::new(body, most).collect());
    let Ok(collected) = collected.await else {
        return Err(Refusal::new(
            408,
            Code::SizeInvalid,
            "the manifest did not come whole within a minute",
        )
        .into());
    };
    let content = match collected {
        Ok(content) => content.to_bytes(),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => {
            return Err(too_large().into());
        }
        Err(error) => {
            return Err(Refusal::new(
                400,
                Code::SizeInvalid,
                format!("the body broke off: {error}"),
            )
            .into());
        }
    };
    let by = asked.principal.name();
    let accepted = asked
        .stack
        .distribution()
        .push_manifest(
            name,
            reference,
            tags.clone(),
            content_type.as_deref(),
            content,
            &by,
        )
        .await?;
    let mut response = answer::status(StatusCode::CREATED);
    answer::set(
        &mut response,
        header::LOCATION,
        format!("/v2/{name}/manifests/{}", accepted.digest),
    );
    answer::set(
        &mut response,
        answer::CONTENT_DIGEST,
        accepted.digest.to_string(),
    );
    if let Some(subject) = accepted.subject {
        answer::set(&mut response, answer::SUBJECT, subject.to_string());
    }
    if !tags.is_empty() {
        let tags: Vec<_> = tags.iter().map(Tag::as_str).collect();
        answer::set(&mut response, answer::TAG, tags.join(", "));
    }
    Ok(response)
}

async fn remove(
    asked: &Asked,
    name: &RepositoryName,
    reference: &TagOrDigest,
) -> Result<Response, Failure> {
    let by = asked.principal.name();
    let distribution = asked.stack.distribution();
    if distribution.remove_manifest(name, reference, &by).await? {
        Ok(answer::status(StatusCode::ACCEPTED))
    } else {
        Err(unknown(name, reference).into())
    }
}

fn unknown(name: &RepositoryName, reference: &TagOrDigest) -> Refusal {
    Refusal::new(
        404,
        Code::ManifestUnknown,
        format!("the repository `{name}` has no manifest `{reference}`"),
    )
    .about([reference.to_string()])
}

fn too_large() -> Refusal {
    Refusal::new(
        413,
        Code::SizeInvalid,
        format!("a manifest has at most {LARGEST_MANIFEST} bytes"),
    )
}
