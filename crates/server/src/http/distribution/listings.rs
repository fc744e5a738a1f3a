//! Content discovery: which repositories, tags and referrers there are.

use axum::http::{StatusCode, header};
use axum::response::Response;
use ergon_oci::ContentDigest;
use ergon_oci::model::INDEX;
use ergon_oci::registry::{Code, Refusal, RepositoryName};
use ergon_store::RegistryManifestRow;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::{Asked, Failure, answer};

/// So many names are listed where nothing else is asked for, and at most.
const PAGE: u64 = 1000;
/// So many bytes of descriptors are listed at a time: less than what clients take as an index.
const LARGEST_LISTING: usize = 3 << 20;

/// `/v2/_catalog`
pub async fn catalog(asked: &Asked) -> Result<Response, Failure> {
    let page = Page::asked(asked)?;
    let distribution = asked.stack.distribution();
    let names = distribution.catalog(&page.after, page.limit()).await?;
    let (names, link) = page.cut(names, "/v2/_catalog");
    Ok(listing(&json!({ "repositories": names }), link))
}

/// `/v2/<name>/tags/list`
pub async fn tags(asked: &Asked, name: &RepositoryName) -> Result<Response, Failure> {
    let page = Page::asked(asked)?;
    let distribution = asked.stack.distribution();
    let found = distribution.find_tags(name, &page.after, page.limit());
    let tags = found.await?;
    let Some(tags) = tags else {
        return Err(unknown(name).into());
    };
    let (tags, link) = page.cut(tags, &format!("/v2/{name}/tags/list"));
    Ok(listing(
        &json!({ "name": name.as_str(), "tags": tags }),
        link,
    ))
}

/// There is no such repository.
pub fn unknown(name: &RepositoryName) -> Refusal {
    Refusal::new(
        404,
        Code::NameUnknown,
        format!("there is no repository `{name}`"),
    )
}

fn listing(body: &Value, link: Option<String>) -> Response {
    let mut response = answer::json(body.to_string().into_bytes());
    if let Some(link) = link {
        answer::set(&mut response, header::LINK, link);
    }
    response
}

/// Which part of a list is asked for.
struct Page {
    after: String,
    /// At most so many; no more than [`PAGE`].
    count: u64,
}

impl Page {
    fn asked(asked: &Asked) -> Result<Self, Refusal> {
        let count = match asked.first("n") {
            None => PAGE,
            Some(text) if text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty() => {
                // More digits than a number has is still a number, and more than is given.
                text.parse().unwrap_or(PAGE).min(PAGE)
            }
            Some(text) => {
                let shown: String = text.chars().take(20).collect();
                return Err(Refusal::new(
                    400,
                    Code::Unsupported,
                    format!("n is a number, and `{shown}` is none"),
                ));
            }
        };
        Ok(Self {
            after: asked.first("last").unwrap_or_default(),
            count,
        })
    }

    /// One more than is given, to know whether there are more.
    fn limit(&self) -> i64 {
        i64::try_from(self.count + 1).unwrap_or(i64::MAX)
    }

    fn cut(&self, mut names: Vec<String>, path: &str) -> (Vec<String>, Option<String>) {
        let count = usize::try_from(self.count).unwrap_or(usize::MAX);
        let more = names.len() > count;
        names.truncate(count);
        let link = names.last().filter(|_| more).map(|last| {
            let last = utf8_percent_encode(last, NON_ALPHANUMERIC);
            format!("<{path}?n={count}&last={last}>; rel=\"next\"")
        });
        (names, link)
    }
}

/// `/v2/<name>/referrers/<digest>`
pub async fn referrers(
    asked: &Asked,
    name: &RepositoryName,
    subject: &ContentDigest,
) -> Result<Response, Failure> {
    let wanted = asked.first("artifactType").filter(|kind| !kind.is_empty());
    let distribution = asked.stack.distribution();
    if let Some(index) = distribution.upstream_referrers(name, subject).await {
        let mut response = answer::with_body(StatusCode::OK, index);
        answer::set(&mut response, header::CONTENT_TYPE, INDEX);
        return Ok(response);
    }
    let rows = distribution
        .referrers(name, subject, wanted.as_deref())
        .await?;
    let after = asked.first("last");
    let start = match &after {
        None => 0,
        Some(last) => rows
            .iter()
            .position(|row| row.digest == *last)
            .map_or(rows.len(), |found| found + 1),
    };
    let mut size = 0;
    let mut listed: Vec<Value> = Vec::new();
    let mut link = None;
    for row in &rows[start..] {
        let descriptor = descriptor(row);
        size += descriptor.to_string().len();
        if size > LARGEST_LISTING && !listed.is_empty() {
            let last = listed.last().and_then(|last| last["digest"].as_str());
            let filter = wanted.as_ref().map_or_else(String::new, |kind| {
                format!(
                    "&artifactType={}",
                    utf8_percent_encode(kind, NON_ALPHANUMERIC)
                )
            });
            link = last.map(|last| {
                format!("</v2/{name}/referrers/{subject}?last={last}{filter}>; rel=\"next\"")
            });
            break;
        }
        listed.push(descriptor);
    }
    let body = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": listed });
    let mut response = answer::with_body(StatusCode::OK, body.to_string());
    answer::set(&mut response, header::CONTENT_TYPE, INDEX);
    if wanted.is_some() {
        answer::set(&mut response, answer::FILTERS, "artifactType");
    }
    if let Some(link) = link {
        answer::set(&mut response, header::LINK, link);
    }
    Ok(response)
}

fn descriptor(row: &RegistryManifestRow) -> Value {
    let mut descriptor =
        json!({ "mediaType": row.media_type, "digest": row.digest, "size": row.size });
    if let Some(kind) = &row.artifact_type {
        descriptor["artifactType"] = json!(kind);
    }
    if !row.annotations.is_empty() {
        descriptor["annotations"] = json!(row.annotations);
    }
    descriptor
}
