//! Images and registries, by the grammar of the Distribution specification.

use crate::diagnostic::{code, quoted};
use crate::grammar::{Fit, is, misfit};

/// An image as a Dockerfile's FROM names it: `[host[:port]/]path[:tag][@digest]`.
pub(crate) fn image(text: &str) -> Fit {
    image_parts(text).or_else(|why| {
        misfit(
            code::IMAGE,
            format!("{}, which is not an image: {why}", is(text)),
            "name:tag, as after a Dockerfile's FROM: python:3.11-slim",
        )
    })
}

fn image_parts(text: &str) -> Result<(), &'static str> {
    let (rest, digest) = match text.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest)),
        None => (text, None),
    };
    let (name, tag) = match rest.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
        _ => (rest, None),
    };
    image_name(name)?;
    if tag.is_some_and(|tag| !is_tag(tag)) {
        return Err("the tag is letters, digits, `_`, `.` and `-`, at most 128");
    }
    if digest.is_some_and(|digest| !is_image_digest(digest)) {
        return Err("the digest is sha256: and 64 hex digits");
    }
    Ok(())
}

/// Where images are pushed: `host[:port][/path]` or a Docker Hub name.
pub(crate) fn registry(text: &str) -> Fit {
    let example = "a host and a path without scheme or tag: docker.io/company";
    if let Some((_, rest)) = text.split_once("://") {
        return misfit(
            code::REGISTRY,
            format!("{}, which has a scheme", is(text)),
            format!("write {}", quoted(rest)),
        );
    }
    let fits = match text.split_once('/') {
        None => is_host(text) || is_path_component(text),
        Some(_) => image_name(text).is_ok(),
    };
    if fits {
        Ok(())
    } else {
        misfit(
            code::REGISTRY,
            format!("{}, which is not a registry", is(text)),
            example,
        )
    }
}

fn image_name(name: &str) -> Result<(), &'static str> {
    if name.len() > 255 {
        return Err("the name has more than 255 characters");
    }
    let path = match name.split_once('/') {
        Some((host, path)) if host.contains(['.', ':']) || host == "localhost" => {
            if !is_host(host) {
                return Err("the part before the first `/` is not a host");
            }
            path
        }
        _ => name,
    };
    if path.split('/').all(is_path_component) {
        Ok(())
    } else {
        Err("the name is lowercase letters and digits, with `-`, `_` or `.` between them")
    }
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`, as the Distribution specification has it.
pub(crate) fn is_path_component(text: &str) -> bool {
    let alphanumeric = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let ends = |byte: Option<u8>| byte.is_some_and(alphanumeric);
    ends(text.bytes().next())
        && ends(text.bytes().last())
        && text
            .split(|character: char| character.is_ascii_lowercase() || character.is_ascii_digit())
            .all(|separator| {
                matches!(separator, "" | "." | "_" | "__")
                    || separator.bytes().all(|byte| byte == b'-')
            })
}

fn is_host(text: &str) -> bool {
    let (host, port) = text
        .rsplit_once(':')
        .map_or((text, None), |(host, port)| (host, Some(port)));
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte == b'-' || byte.is_ascii_alphanumeric())
    };
    let address = || {
        host.strip_prefix('[')?
            .strip_suffix(']')?
            .parse::<std::net::Ipv6Addr>()
            .ok()
    };
    let port_fits = port.is_none_or(|port| {
        port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok()
    });
    port_fits && (host.split('.').all(label) || address().is_some())
}

fn is_tag(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && !text.starts_with(['.', '-'])
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}

fn is_image_digest(text: &str) -> bool {
    text.parse::<crate::Digest>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grammar::tests::{accepted, refused};

    #[test]
    fn images_are_what_docker_takes() {
        let digest = format!("python@sha256:{}", "a".repeat(64));
        accepted(
            image,
            &[
                "python:3.11-slim",
                "scratch",
                "ghcr.io/a/b:1",
                "localhost:5000/x",
                "localhost/x",
                "a/b/c",
                "[::1]:5000/x",
                &digest,
            ],
        );
        refused(
            image,
            &[
                "",
                " ",
                "-rm",
                "--help",
                "a b",
                "a\nRUN x",
                "Python",
                "a:",
                "a:b c",
                "a@sha256:12",
                "a//b",
                "/a",
                "a/",
                "http://x/y",
                "a:tag:tag",
                "a\0",
            ],
        );
    }

    #[test]
    fn registries_are_hosts_with_a_path() {
        accepted(
            registry,
            &["docker.io/company", "localhost:5000", "ghcr.io", "company"],
        );
        refused(
            registry,
            &[
                "",
                "https://ghcr.io/x",
                "a b",
                "-x",
                "ghcr.io/x:tag",
                "ghcr.io/",
            ],
        );
    }
}
