//! What a path asks for.

use super::names::{RepositoryName, Tag};
use super::refusal::{Code, Refusal};
use crate::content_digest::ContentDigest;

/// What a path under `/v2/` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// `/v2/`
    Base,
    /// `/v2/_catalog`
    Catalog,
    /// `/v2/<name>/tags/list`
    Tags(RepositoryName),
    /// `/v2/<name>/manifests/<tag-or-digest>`
    Manifest(RepositoryName, TagOrDigest),
    /// `/v2/<name>/blobs/<digest>`
    Blob(RepositoryName, ContentDigest),
    /// `/v2/<name>/blobs/uploads/`
    Uploads(RepositoryName),
    /// `/v2/<name>/blobs/uploads/<id>`; the id as it came.
    Upload(RepositoryName, String),
    /// `/v2/<name>/referrers/<digest>`
    Referrers(RepositoryName, ContentDigest),
}

/// How a manifest is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TagOrDigest {
    Tag(Tag),
    Digest(ContentDigest),
}

impl std::fmt::Display for TagOrDigest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tag(tag) => tag.fmt(f),
            Self::Digest(digest) => digest.fmt(f),
        }
    }
}

impl Endpoint {
    /// Reads a whole path, percent-decoded once. What follows the repository's name decides, since a name may
    /// have parts that are called as the endpoints are.
    pub fn parse(path: &str) -> Result<Self, Refusal> {
        let Some(rest) = path.strip_prefix("/v2") else {
            return Err(nothing_there(path));
        };
        let rest = match rest.strip_prefix('/') {
            None if rest.is_empty() => "",
            None => return Err(nothing_there(path)),
            Some(rest) => rest,
        };
        if rest.is_empty() {
            return Ok(Self::Base);
        }
        if rest == "_catalog" {
            return Ok(Self::Catalog);
        }
        let (before, last) = rest.rsplit_once('/').ok_or_else(|| nothing_there(path))?;
        let (name, kind) = before.rsplit_once('/').ok_or_else(|| nothing_there(path))?;
        match (kind, last) {
            ("uploads", id) if let Some(name) = name.strip_suffix("/blobs") => {
                let name = repository(name)?;
                Ok(if id.is_empty() {
                    Self::Uploads(name)
                } else {
                    Self::Upload(name, id.to_owned())
                })
            }
            ("blobs", "uploads") => Ok(Self::Uploads(repository(name)?)),
            ("blobs", text) => Ok(Self::Blob(repository(name)?, digest(text)?)),
            ("referrers", text) => Ok(Self::Referrers(repository(name)?, digest(text)?)),
            ("manifests", text) => Ok(Self::Manifest(repository(name)?, tag_or_digest(text)?)),
            ("tags", "list") => Ok(Self::Tags(repository(name)?)),
            _ => Err(nothing_there(path)),
        }
    }

    /// The repository that it is about.
    pub fn repository(&self) -> Option<&RepositoryName> {
        match self {
            Self::Base | Self::Catalog => None,
            Self::Tags(name)
            | Self::Manifest(name, _)
            | Self::Blob(name, _)
            | Self::Uploads(name)
            | Self::Upload(name, _)
            | Self::Referrers(name, _) => Some(name),
        }
    }

    /// The same of another repository.
    #[must_use]
    pub fn in_repository(self, name: RepositoryName) -> Self {
        match self {
            Self::Base | Self::Catalog => self,
            Self::Tags(_) => Self::Tags(name),
            Self::Manifest(_, reference) => Self::Manifest(name, reference),
            Self::Blob(_, digest) => Self::Blob(name, digest),
            Self::Uploads(_) => Self::Uploads(name),
            Self::Upload(_, id) => Self::Upload(name, id),
            Self::Referrers(_, subject) => Self::Referrers(name, subject),
        }
    }
}

fn nothing_there(path: &str) -> Refusal {
    let shown: String = path.chars().take(200).collect();
    Refusal::new(
        404,
        Code::Unsupported,
        format!("`{shown}` is no path of the Distribution protocol"),
    )
}

fn repository(text: &str) -> Result<RepositoryName, Refusal> {
    text.parse()
        .map_err(|error: super::NameError| Refusal::new(400, Code::NameInvalid, error.to_string()))
}

fn digest(text: &str) -> Result<ContentDigest, Refusal> {
    text.parse()
        .map_err(|error: crate::content_digest::ParseContentDigestError| {
            Refusal::new(400, Code::DigestInvalid, error.to_string())
        })
}

fn tag_or_digest(text: &str) -> Result<TagOrDigest, Refusal> {
    // No tag has a colon.
    if text.contains(':') {
        return digest(text).map(TagOrDigest::Digest);
    }
    text.parse()
        .map(TagOrDigest::Tag)
        .map_err(|error: super::NameError| {
            Refusal::new(400, Code::ManifestInvalid, error.to_string())
        })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn parsed(path: &str) -> Endpoint {
        Endpoint::parse(path).unwrap()
    }

    fn name(text: &str) -> RepositoryName {
        text.parse().unwrap()
    }

    #[test]
    fn a_path_names_what_it_is_about() {
        let digest: ContentDigest = DIGEST.parse().unwrap();
        assert_eq!(parsed("/v2"), Endpoint::Base);
        assert_eq!(parsed("/v2/"), Endpoint::Base);
        assert_eq!(parsed("/v2/_catalog"), Endpoint::Catalog);
        assert_eq!(parsed("/v2/a/b/tags/list"), Endpoint::Tags(name("a/b")));
        assert_eq!(
            parsed("/v2/a/manifests/1.0"),
            Endpoint::Manifest(name("a"), TagOrDigest::Tag("1.0".parse().unwrap()))
        );
        assert_eq!(
            parsed(&format!("/v2/a/manifests/{DIGEST}")),
            Endpoint::Manifest(name("a"), TagOrDigest::Digest(digest))
        );
        assert_eq!(
            parsed(&format!("/v2/a/b/c/blobs/{DIGEST}")),
            Endpoint::Blob(name("a/b/c"), digest)
        );
        assert_eq!(parsed("/v2/a/blobs/uploads/"), Endpoint::Uploads(name("a")));
        assert_eq!(parsed("/v2/a/blobs/uploads"), Endpoint::Uploads(name("a")));
        assert_eq!(
            parsed("/v2/a/blobs/uploads/7"),
            Endpoint::Upload(name("a"), "7".to_owned())
        );
        assert_eq!(
            parsed(&format!("/v2/a/referrers/{DIGEST}")),
            Endpoint::Referrers(name("a"), digest)
        );
    }

    #[test]
    fn a_repository_may_be_called_as_endpoints_are() {
        assert_eq!(
            parsed("/v2/tags/list/manifests/x"),
            Endpoint::Manifest(name("tags/list"), TagOrDigest::Tag("x".parse().unwrap()))
        );
        assert_eq!(
            parsed("/v2/blobs/uploads/tags/list"),
            Endpoint::Tags(name("blobs/uploads"))
        );
        assert_eq!(
            parsed("/v2/blobs/uploads/blobs/uploads/"),
            Endpoint::Uploads(name("blobs/uploads"))
        );
    }

    #[test]
    fn what_is_wrong_is_said_with_its_code() {
        let code = |path: &str| Endpoint::parse(path).unwrap_err().code;
        assert_eq!(code("/v2/A/manifests/x"), Code::NameInvalid);
        assert_eq!(code("/v2/../manifests/x"), Code::NameInvalid);
        assert_eq!(code("/v2/a/../../b/blobs/uploads/"), Code::NameInvalid);
        assert_eq!(code("/v2/a/blobs/sha256:x"), Code::DigestInvalid);
        assert_eq!(code("/v2/a/blobs/.."), Code::DigestInvalid);
        assert_eq!(code("/v2/a/manifests/sha256:x"), Code::DigestInvalid);
        assert_eq!(code("/v2/a/manifests/.x"), Code::ManifestInvalid);
        assert_eq!(code("/v2/a/referrers/x"), Code::DigestInvalid);
        for path in [
            "/",
            "/v3/",
            "/v2x",
            "/v2/a",
            "/v2/a/b",
            "/v2/a/tags/other",
            "/v2//",
        ] {
            assert_eq!(code(path), Code::Unsupported, "{path}");
        }
    }

    proptest! {
        #[test]
        fn no_path_panics(path in "(/v2/)?[a-z./:%]{0,30}(/blobs|/manifests|/uploads|/tags|/list|/referrers){0,3}.{0,20}") {
            let _ = Endpoint::parse(&path);
        }
    }
}
