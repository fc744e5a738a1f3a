//! Blobs, asked for and pushed.

use axum::body::Body;
use axum::http::{Method, StatusCode, header};
use axum::response::Response;
use ergon_oci::registry::{Code, Refusal, RepositoryName, chunk_range, requested_range};
use ergon_oci::{Algorithm, ContentDigest, ParseContentDigestError};

use super::{Asked, Failure, access, answer};
use crate::authorize::Decision;
use crate::distribution::{Announced, FoundBlob, Upload, Wanted};

/// `/v2/<name>/blobs/<digest>`
pub async fn handle(
    asked: &Asked,
    name: &RepositoryName,
    digest: &ContentDigest,
) -> Result<Response, Failure> {
    if asked.parts.method == Method::DELETE {
        let distribution = asked.stack.distribution();
        return if distribution.remove_blob(name, digest).await? {
            Ok(answer::status(StatusCode::ACCEPTED))
        } else {
            Err(unknown(name, digest).into())
        };
    }
    read(asked, name, digest).await
}

async fn read(
    asked: &Asked,
    name: &RepositoryName,
    digest: &ContentDigest,
) -> Result<Response, Failure> {
    let distribution = asked.stack.distribution();
    let is_head = asked.parts.method == Method::HEAD;
    let wanted = match asked.header(header::RANGE) {
        _ if is_head => Wanted::Size,
        // A part of what is not checked yet could be of anything.
        Some(_) => Wanted::Whole,
        None => Wanted::AsItComes,
    };
    let Some(found) = distribution.find_blob(name, digest, wanted).await? else {
        return Err(unknown(name, digest).into());
    };
    let (FoundBlob::Held(size) | FoundBlob::There(size) | FoundBlob::Coming(size, _)) = found;
    let etag = format!("\"{digest}\"");
    if asked.has(&etag) {
        let mut response = answer::status(StatusCode::NOT_MODIFIED);
        answer::set(&mut response, header::ETAG, etag);
        return Ok(response);
    }
    // A range of what is not the blob that is meant is none, and only GET knows ranges.
    let is_other = asked
        .header(header::IF_RANGE)
        .is_some_and(|meant| meant.trim() != etag);
    let wanted = asked
        .header(header::RANGE)
        .filter(|_| !is_other && asked.parts.method == Method::GET);
    let Ok(range) = requested_range(wanted, size) else {
        let refusal = Refusal::new(
            416,
            Code::SizeInvalid,
            format!(
                "the blob has {size} bytes, and the range cannot be given of it: one range of bytes can be"
            ),
        );
        let mut response = answer::refused(refusal.into(), asked.parts.method == Method::HEAD);
        answer::set(
            &mut response,
            header::CONTENT_RANGE,
            format!("bytes */{size}"),
        );
        return Ok(response);
    };
    let (status, part) = match &range {
        Some(range) => (StatusCode::PARTIAL_CONTENT, range.clone()),
        None => (StatusCode::OK, 0..size),
    };
    let body = match found {
        FoundBlob::There(_) => Body::empty(),
        FoundBlob::Held(_) if is_head => {
            if distribution.contents().size(digest).await? != Some(size) {
                return Err(unknown(name, digest).into());
            }
            Body::empty()
        }
        FoundBlob::Coming(_, coming) => Body::from_stream(coming.stream(size)),
        FoundBlob::Held(_) => match distribution.contents().stream(digest, part.clone()).await? {
            Some(stream) => Body::from_stream(stream),
            None => return Err(unknown(name, digest).into()),
        },
    };
    let mut response = answer::with_body(status, body);
    let length = (part.end - part.start).to_string();
    answer::set(&mut response, header::CONTENT_LENGTH, length);
    answer::set(
        &mut response,
        header::CONTENT_TYPE,
        "application/octet-stream",
    );
    answer::set(&mut response, answer::CONTENT_DIGEST, digest.to_string());
    answer::set(&mut response, header::ACCEPT_RANGES, "bytes");
    answer::set(&mut response, header::ETAG, etag);
    if range.is_some() {
        let last = part.end.saturating_sub(1);
        answer::set(
            &mut response,
            header::CONTENT_RANGE,
            format!("bytes {}-{last}/{size}", part.start),
        );
    }
    Ok(response)
}

/// `POST /v2/<name>/blobs/uploads/`: begins an upload, or is one, or takes a blob from another repository.
pub async fn begin(asked: &Asked, body: Body, name: &RepositoryName) -> Result<Response, Failure> {
    if let Some(wanted) = asked.first("mount") {
        let digest = parse_digest(&wanted)?;
        if mount(asked, name, &digest).await? {
            return Ok(created(name, &digest));
        }
    }
    let algorithm = match asked.first("digest-algorithm") {
        None => None,
        Some(text) => Some(text.parse::<Algorithm>().map_err(|_| {
            let shown: String = text.chars().take(40).collect();
            Refusal::new(
                400,
                Code::DigestInvalid,
                format!("`{shown}` is no algorithm of digests here: sha256 and sha512 are"),
            )
        })?),
    };
    let digest = match asked.first("digest") {
        None => None,
        Some(text) => Some(parse_digest(&text)?),
    };
    let algorithm = algorithm
        .or(digest.map(|digest| digest.algorithm()))
        .unwrap_or(Algorithm::Sha256);
    let uploads = asked.stack.distribution().uploads();
    let upload = uploads.begin(name, algorithm).await?;
    let Some(digest) = digest else {
        let id = upload.id().to_owned();
        uploads.keep(upload).await?;
        return Ok(underway(StatusCode::ACCEPTED, name, &id, 0));
    };
    receive_and_finish(asked, body, name, upload, &digest).await
}

/// Takes a blob from a repository that has it and whose images may be pulled by who asks.
async fn mount(
    asked: &Asked,
    name: &RepositoryName,
    digest: &ContentDigest,
) -> Result<bool, Failure> {
    let distribution = asked.stack.distribution();
    if let Some(from) = asked.first("from") {
        let Ok(from) = from.parse::<RepositoryName>() else {
            return Ok(false);
        };
        return match asked.pulls_from(&from).await? {
            Decision::Allow if distribution.blob(&from, digest).await?.is_some() => {
                Ok(distribution.mount(name, digest).await?)
            }
            Decision::Allow | Decision::Deny => Ok(false),
            Decision::Identify => Err(Failure::Unauthorized {
                challenge: access::mount_challenge(&asked.parts, name, &from),
                message: access::LOGIN,
            }),
        };
    }
    // No token can be asked for that names repositories nobody knows: what its holder may decides.
    for holder in distribution.holders(digest).await? {
        if let Ok(holder) = holder.parse()
            && asked.could_pull_from(&holder).await?
        {
            return Ok(distribution.mount(name, digest).await?);
        }
    }
    Ok(false)
}

/// `/v2/<name>/blobs/uploads/<id>`
pub async fn upload(
    asked: &Asked,
    body: Body,
    name: &RepositoryName,
    id: &str,
) -> Result<Response, Failure> {
    let uploads = asked.stack.distribution().uploads();
    match asked.parts.method {
        Method::PATCH => {
            let upload = uploads.open(name, id).await?;
            let announced = match announced(asked) {
                Ok(announced) => announced,
                Err(refusal) => {
                    return Ok(not_there(refusal, name, id, uploads.keep(upload).await?));
                }
            };
            match uploads.receive(upload, &announced, body).await {
                Ok(upload) => {
                    let length = uploads.keep(upload).await?;
                    Ok(underway(StatusCode::ACCEPTED, name, id, length))
                }
                Err(error) => refused(asked, name, id, error.into_refusal()).await,
            }
        }
        Method::PUT => {
            let Some(text) = asked.first("digest") else {
                return Err(Refusal::new(
                    400,
                    Code::DigestInvalid,
                    "an upload is finished with ?digest=, the digest of the whole blob",
                )
                .into());
            };
            let digest = parse_digest(&text)?;
            let upload = uploads.open(name, id).await?;
            receive_and_finish(asked, body, name, upload, &digest).await
        }
        Method::DELETE => {
            let upload = uploads.open(name, id).await?;
            uploads.cancel(upload).await?;
            Ok(answer::status(StatusCode::NO_CONTENT))
        }
        _ => {
            let upload = uploads.open(name, id).await?;
            let length = uploads.keep(upload).await?;
            Ok(underway(StatusCode::NO_CONTENT, name, id, length))
        }
    }
}

/// Takes the last of a blob, and makes it one.
async fn receive_and_finish(
    asked: &Asked,
    body: Body,
    name: &RepositoryName,
    upload: Upload,
    digest: &ContentDigest,
) -> Result<Response, Failure> {
    let distribution = asked.stack.distribution();
    let id = upload.id().to_owned();
    let announced = match announced(asked) {
        Ok(announced) => announced,
        Err(refusal) => {
            let length = distribution.uploads().keep(upload).await?;
            return Ok(not_there(refusal, name, &id, length));
        }
    };
    match distribution
        .uploads()
        .receive(upload, &announced, body)
        .await
    {
        Ok(upload) => {
            distribution.finish_upload(name, upload, digest).await?;
            Ok(created(name, digest))
        }
        Err(error) => refused(asked, name, &id, error.into_refusal()).await,
    }
}

/// What the request says of its body.
fn announced(asked: &Asked) -> Result<Announced, Refusal> {
    let range = match asked.parts.headers.get(header::CONTENT_RANGE) {
        None => None,
        Some(value) => {
            let range = value.to_str().ok().and_then(|text| chunk_range(text).ok());
            Some(range.ok_or_else(|| {
                Refusal::new(
                    416,
                    Code::BlobUploadInvalid,
                    "a Content-Range is the first byte and the last one, `0-99`",
                )
            })?)
        }
    };
    let length = asked
        .header(header::CONTENT_LENGTH)
        .and_then(|length| length.parse().ok());
    Ok(Announced { range, length })
}

/// A refusal that says how far the upload is, where the next chunk is expected elsewhere.
async fn refused(
    asked: &Asked,
    name: &RepositoryName,
    id: &str,
    refusal: Refusal,
) -> Result<Response, Failure> {
    if refusal.status != 416 {
        return Err(refusal.into());
    }
    let uploads = asked.stack.distribution().uploads();
    let upload = uploads.open(name, id).await?;
    let length = uploads.keep(upload).await?;
    Ok(not_there(refusal, name, id, length))
}

fn not_there(refusal: Refusal, name: &RepositoryName, id: &str, length: u64) -> Response {
    let mut response = answer::refused(refusal.into(), false);
    say_how_far(&mut response, name, id, length);
    response
}

fn underway(status: StatusCode, name: &RepositoryName, id: &str, length: u64) -> Response {
    let mut response = answer::status(status);
    say_how_far(&mut response, name, id, length);
    answer::set(&mut response, answer::UPLOAD_ID, id);
    response
}

fn say_how_far(response: &mut Response, name: &RepositoryName, id: &str, length: u64) {
    answer::set(
        response,
        header::LOCATION,
        format!("/v2/{name}/blobs/uploads/{id}"),
    );
    // Nothing cannot be written as a range; `0-0` is what registries say.
    let last = length.saturating_sub(1);
    answer::set(response, header::RANGE, format!("0-{last}"));
}

fn created(name: &RepositoryName, digest: &ContentDigest) -> Response {
    let mut response = answer::status(StatusCode::CREATED);
    answer::set(
        &mut response,
        header::LOCATION,
        format!("/v2/{name}/blobs/{digest}"),
    );
    answer::set(&mut response, answer::CONTENT_DIGEST, digest.to_string());
    response
}

fn parse_digest(text: &str) -> Result<ContentDigest, Refusal> {
    text.parse().map_err(|error: ParseContentDigestError| {
        Refusal::new(400, Code::DigestInvalid, error.to_string())
    })
}

fn unknown(name: &RepositoryName, digest: &ContentDigest) -> Refusal {
    Refusal::new(
        404,
        Code::BlobUnknown,
        format!("the repository `{name}` has no blob {digest}"),
    )
    .about([digest.to_string()])
}
