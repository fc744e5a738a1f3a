//! Names that may stand in a request's path.
//!
//! A name from outside with a slash or a question mark in it would ask the engine for something
//! else, so a name that cannot exist is answered here: there is no such thing.

use crate::EngineError;

/// Passes a container's name or id.
pub(crate) fn container(name: &str) -> Result<&str, EngineError> {
    let name = name.strip_prefix('/').unwrap_or(name);
    let plain = name
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b));
    if plain
        && name
            .bytes()
            .next()
            .is_some_and(|b| b.is_ascii_alphanumeric())
    {
        Ok(name)
    } else {
        Err(EngineError::NotFound {
            kind: "container",
            name: name.to_owned(),
        })
    }
}

/// Passes an image's reference or id.
pub(crate) fn image(reference: &str) -> Result<&str, EngineError> {
    let plain = reference
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"_.-:/@".contains(&b));
    let walks = reference
        .split('/')
        .any(|part| part.is_empty() || part == "." || part == "..");
    if plain && !walks {
        Ok(reference)
    } else {
        Err(EngineError::NotFound {
            kind: "image",
            name: reference.to_owned(),
        })
    }
}

/// Splits `registry:5000/name:tag` where a tag may stand.
pub(crate) fn split_tag(reference: &str) -> (&str, &str) {
    match reference.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        _ => (reference, "latest"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_would_change_the_request_does_not_exist() {
        for name in ["", "a/b", "a?force=1", "../x", "a b", "é", "-x"] {
            assert!(
                container(name).is_err_and(|error| error.is_not_found()),
                "{name}"
            );
        }
        for name in ["", "a//b", "../x", "x?y", "x#y", "a b"] {
            assert!(
                image(name).is_err_and(|error| error.is_not_found()),
                "{name}"
            );
        }
        assert_eq!(container("/web").ok(), Some("web"));
        assert_eq!(
            image("localhost:5000/a/b:1").ok(),
            Some("localhost:5000/a/b:1")
        );
    }

    #[test]
    fn a_registrys_port_is_no_tag() {
        assert_eq!(
            split_tag("localhost:5000/a"),
            ("localhost:5000/a", "latest")
        );
        assert_eq!(split_tag("localhost:5000/a:1"), ("localhost:5000/a", "1"));
        assert_eq!(split_tag("a"), ("a", "latest"));
    }
}
