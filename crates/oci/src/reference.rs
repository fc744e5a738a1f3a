//! What people call an image: `python:3.11-slim`, `registry.example/team/app@sha256:…`.

use std::fmt;
use std::str::FromStr;

use ergon_manifest::Digest;
use serde::{Deserialize, Serialize};

/// The registry of names that do not say one.
pub const DOCKER_HUB: &str = "docker.io";
const OFFICIAL: &str = "library/";
pub(crate) const LONGEST_REPOSITORY: usize = 255;
const LONGEST_TAG: usize = 128;

/// A name of an image, by the grammar that Docker and the registries share.
///
/// A name without tag and digest means the tag `latest`, and says so. Two texts that mean the
/// same image parse to equal values; [`Display`](fmt::Display) writes the familiar form.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Reference {
    registry: String,
    repository: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

/// A text names no image.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an image reference: {reason}")]
pub struct ParseReferenceError {
    text: String,
    reason: &'static str,
}

impl Reference {
    /// `docker.io`, `localhost:5000`.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// `library/python`.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// The one full form: `docker.io/library/python:3.11-slim`.
    pub fn canonical(&self) -> String {
        format!("{}/{}{}", self.registry, self.repository, self.suffix())
    }

    /// As short as it can be: `python:3.11-slim`.
    pub fn familiar(&self) -> String {
        format!("{}{}", self.familiar_name(), self.suffix())
    }

    /// The name alone, as short as it can be: `python`.
    pub fn familiar_name(&self) -> String {
        if self.registry != DOCKER_HUB {
            return format!("{}/{}", self.registry, self.repository);
        }
        match self.repository.strip_prefix(OFFICIAL) {
            Some(name) if !name.contains('/') => name.to_owned(),
            _ if looks_like_registry(first_component(&self.repository)) => {
                format!("{DOCKER_HUB}/{}", self.repository)
            }
            _ => self.repository.clone(),
        }
    }

    /// The same repository, at a digest.
    #[must_use]
    pub fn at_digest(&self, digest: Digest) -> Self {
        Self {
            tag: None,
            digest: Some(digest),
            ..self.clone()
        }
    }

    fn suffix(&self) -> String {
        let tag = self
            .tag
            .as_ref()
            .map(|tag| format!(":{tag}"))
            .unwrap_or_default();
        let digest = self
            .digest
            .map(|digest| format!("@{digest}"))
            .unwrap_or_default();
        format!("{tag}{digest}")
    }
}

impl FromStr for Reference {
    type Err = ParseReferenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).map_err(|reason| ParseReferenceError {
            text: text.to_owned(),
            reason,
        })
    }
}

fn parse(text: &str) -> Result<Reference, &'static str> {
    let (rest, digest) = match text.split_once('@') {
        Some((rest, digest)) => (
            rest,
            Some(
                digest
                    .parse()
                    .map_err(|_| "after @ stands sha256: and 64 lower-case hex digits")?,
            ),
        ),
        None => (text, None),
    };
    // A colon before the last slash belongs to a port.
    let (name, tag) = match rest.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
        _ => (rest, None),
    };
    if tag.is_some_and(|tag| !is_tag(tag)) {
        return Err(
            "a tag is letters, digits, `_`, `.` and `-`, at most 128, and starts with none of the last two",
        );
    }
    let (registry, repository) = match name.split_once('/') {
        Some((first, rest)) if looks_like_registry(first) => (first, rest.to_owned()),
        _ => (DOCKER_HUB, name.to_owned()),
    };
    let registry = if registry == "index.docker.io" {
        DOCKER_HUB
    } else {
        registry
    };
    if !is_registry(registry) {
        return Err("the registry is not a host name with an optional port");
    }
    let repository =
        if registry == DOCKER_HUB && !repository.contains('/') && !repository.is_empty() {
            format!("{OFFICIAL}{repository}")
        } else {
            repository
        };
    if repository.is_empty() {
        return Err("it has no name");
    }
    if name.len() == 64 && name.bytes().all(is_hex) {
        return Err("64 hex digits would be taken for an image id");
    }
    if repository.len() > LONGEST_REPOSITORY {
        return Err("the name is longer than 255 characters");
    }
    if !repository.split('/').all(is_component) {
        return Err(
            "names are lower-case letters and digits, with `.`, `_`, `__` or `-` between them and `/` between parts",
        );
    }
    let tag = match (tag, digest) {
        (None, None) => Some("latest".to_owned()),
        (tag, _) => tag.map(str::to_owned),
    };
    Ok(Reference {
        registry: registry.to_owned(),
        repository,
        tag,
        digest,
    })
}

fn first_component(name: &str) -> &str {
    name.split('/').next().unwrap_or(name)
}

fn is_hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

/// What makes the first part of a name a registry and not a user of Docker Hub.
fn looks_like_registry(part: &str) -> bool {
    part == "localhost"
        || part.contains(['.', ':'])
        || part.bytes().any(|byte| byte.is_ascii_uppercase())
}

fn is_registry(registry: &str) -> bool {
    let (host, port) = match registry
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'))
    {
        Some((address, rest)) => {
            if address.parse::<std::net::Ipv6Addr>().is_err() {
                return false;
            }
            match rest.strip_prefix(':') {
                Some(port) => return is_port(port),
                None => return rest.is_empty(),
            }
        }
        None => match registry.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (registry, None),
        },
    };
    port.is_none_or(is_port)
        && host.split('.').all(|label| {
            !label.is_empty()
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        })
}

fn is_port(port: &str) -> bool {
    !port.is_empty()
        && port.bytes().all(|byte| byte.is_ascii_digit())
        && port.parse::<u16>().is_ok()
}

pub(crate) fn is_tag(tag: &str) -> bool {
    tag.len() <= LONGEST_TAG
        && tag
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
        && !tag.is_empty()
        && !tag.starts_with(['.', '-'])
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`
pub(crate) fn is_component(component: &str) -> bool {
    let is_word = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9');
    let bytes = component.as_bytes();
    if !bytes.first().is_some_and(|byte| is_word(*byte))
        || !bytes.last().is_some_and(|byte| is_word(*byte))
    {
        return false;
    }
    component
        .split(|character: char| character.is_ascii_lowercase() || character.is_ascii_digit())
        .all(|between| {
            matches!(between, "" | "." | "_" | "__") || between.bytes().all(|byte| byte == b'-')
        })
}

impl TryFrom<String> for Reference {
    type Error = ParseReferenceError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Reference> for String {
    fn from(reference: Reference) -> Self {
        reference.canonical()
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.familiar())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn texts_have_a_familiar_and_a_canonical_form() {
        let digest = Digest::of(b"");
        let shown: String = [
            "python",
            "python:3.11-slim",
            "docker.io/python",
            "index.docker.io/library/python",
            "company/x:tag",
            "docker.io/company/x:tag",
            "localhost/a",
            "localhost:5000/a/b",
            "[::1]:5000/a",
            "registry.example/a__b/c-d.e:V1",
            "Host/a",
            &format!("localhost:5000/a/b@{digest}"),
            &format!("python:3@{digest}"),
            "library/nested/name",
        ]
        .iter()
        .map(|text| {
            let reference: Reference = text.parse().unwrap();
            format!("{text} = {reference} = {}\n", reference.canonical())
                .replace(&digest.hex(), "…")
        })
        .collect();
        insta::assert_snapshot!(shown, @r"
        python = python:latest = docker.io/library/python:latest
        python:3.11-slim = python:3.11-slim = docker.io/library/python:3.11-slim
        docker.io/python = python:latest = docker.io/library/python:latest
        index.docker.io/library/python = python:latest = docker.io/library/python:latest
        company/x:tag = company/x:tag = docker.io/company/x:tag
        docker.io/company/x:tag = company/x:tag = docker.io/company/x:tag
        localhost/a = localhost/a:latest = localhost/a:latest
        localhost:5000/a/b = localhost:5000/a/b:latest = localhost:5000/a/b:latest
        [::1]:5000/a = [::1]:5000/a:latest = [::1]:5000/a:latest
        registry.example/a__b/c-d.e:V1 = registry.example/a__b/c-d.e:V1 = registry.example/a__b/c-d.e:V1
        Host/a = Host/a:latest = Host/a:latest
        localhost:5000/a/b@sha256:… = localhost:5000/a/b@sha256:… = localhost:5000/a/b@sha256:…
        python:3@sha256:… = python:3@sha256:… = docker.io/library/python:3@sha256:…
        library/nested/name = library/nested/name:latest = docker.io/library/nested/name:latest
        ");
    }

    #[test]
    fn what_is_not_a_reference_is_refused_with_a_reason() {
        let shown: String = [
            "",
            "/a",
            "a/",
            "a//b",
            "A",
            "a:",
            "a:-x",
            "a..b",
            "a___b",
            "-a",
            "a b",
            "localhost:port/a",
            "localhost:99999/a",
            "a.b-/c",
            "[x]:1/a",
            "a@sha256:12",
            "a@md5:d41d8cd98f00b204e9800998ecf8427e",
            "../etc/passwd",
            "x/../y",
            "https://docker.io/a",
            &"a".repeat(64),
        ]
        .iter()
        .map(|text| text.parse::<Reference>().unwrap_err().to_string() + "\n")
        .collect();
        insta::assert_snapshot!(shown, @r"
        `` is not an image reference: it has no name
        `/a` is not an image reference: names are lower-case letters and digits, with `.`, `_`, `__` or `-` between them and `/` between parts
        `a/` is not an image reference: names are lower-case letters and digits, with `.`, `_`, `__` or `-` between them and `/` between parts
        `a//b` is not an image reference: names are lower-case letters and digits, with `.`, `_`, `__` or `-` between them and `/` between parts
        `A` is not an image reference: names are lower-case letters and digits, with `.`, `_`, `__` or `-` between them and `/` between parts
        `a:` is not an image reference: a tag is letters, digits, `_`, `.` and `-`, at most 128, and starts with none of the last two
        `a:-x` is not an image reference: a tag is letters, digits, `_`, `.` and `-`, at most 128, and starts with none of the last two
        `a..b` is not an image reference: names are lower-case letters and digits, with `.`, `_`, `__` or `-` between them and `/` between parts
        `a___b` is not an image reference: names are lower-case letters and digits, with `.`, `_`, `__` or `-` between them and `/` between parts
        `-a` is not an image reference: names are lower-case letters and digits, with `.`, `_`, `__` or `-` between them and `/` between parts
        `a b` is not an image reference: names are lower-case letters and digits, with `.`, `_`, `__` or `-` between them and `/` between parts
        `localhost:port/a` is not an image reference: the registry is not a host name with an optional port
        `localhost:99999/a` is not an image reference: the registry is not a host name with an optional port
        `a.b-/c` is not an image reference: the registry is not a host name with an optional port
        `[x]:1/a` is not an image reference: the registry is not a host name with an optional port
        `a@sha256:12` is not an image reference: after @ stands sha256: and 64 lower-case hex digits
        `a@md5:d41d8cd98f00b204e9800998ecf8427e` is not an image reference: after @ stands sha256: and 64 lower-case hex digits
        `../etc/passwd` is not an image reference: the registry is not a host name with an optional port
        `x/../y` is not an image reference: names are lower-case letters and digits, with `.`, `_`, `__` or `-` between them and `/` between parts
        `https://docker.io/a` is not an image reference: the registry is not a host name with an optional port
        `aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa` is not an image reference: 64 hex digits would be taken for an image id
        ");
    }

    #[test]
    fn a_name_may_have_255_characters() {
        assert!(
            format!("a/{}", "x".repeat(253))
                .parse::<Reference>()
                .is_ok()
        );
        assert!(
            format!("a/{}", "x".repeat(254))
                .parse::<Reference>()
                .is_err()
        );
    }

    proptest! {
        #[test]
        fn both_forms_parse_back(
            registry in prop::option::of("(localhost|[a-z]{1,5}\\.[a-z]{2,3})(:[1-9][0-9]{0,3})?"),
            // A dot in the first part would make it a registry.
            path in "[a-z0-9]{1,6}((_|__|-{1,3})[a-z0-9]{1,4}){0,2}(/[a-z0-9]{1,6}(\\.[a-z0-9]{1,3})?){0,3}",
            tag in prop::option::of("[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}"),
            digest in prop::option::of(any::<[u8; 32]>().prop_map(Digest::from_bytes)),
        ) {
            let mut text = registry.map_or_else(|| path.clone(), |registry| format!("{registry}/{path}"));
            text.extend(tag.map(|tag| format!(":{tag}")));
            text.extend(digest.map(|digest| format!("@{digest}")));
            let reference: Reference = text.parse().unwrap();
            prop_assert_eq!(&reference.canonical().parse::<Reference>().unwrap(), &reference);
            prop_assert_eq!(&reference.familiar().parse::<Reference>().unwrap(), &reference);
        }

        #[test]
        fn no_text_panics(text in ".{0,80}") {
            let _ = text.parse::<Reference>();
        }
    }
}
