//! uv, Composer, Go, Cargo and Debian's apt.

use super::{Manager, Part, copied, line};
use crate::plan::installer::Place;

pub(super) fn uv(words: &[&str], locks: Vec<String>) -> Part {
    let folder = Manager::Uv.folder();
    let cache = "/tmp/.uv-cache";
    Part {
        manager: Manager::Uv,
        command: line(words),
        env: vec![("UV_CACHE_DIR", folder.clone())],
        before: Some(copied(&folder, cache)),
        step_env: vec![("UV_CACHE_DIR", cache.to_owned())],
        offline_env: vec![("UV_OFFLINE", "1".to_owned())],
        locks,
    }
}

pub(super) fn composer(words: &[&str], place: &Place<'_>) -> Part {
    let folder = Manager::Composer.folder();
    let cache = "/tmp/.composer-cache";
    Part {
        manager: Manager::Composer,
        command: format!(
            "mkdir -p {folder} && {} --no-scripts --no-plugins",
            line(words)
        ),
        env: vec![("COMPOSER_CACHE_DIR", folder.clone())],
        before: Some(copied(&folder, cache)),
        step_env: vec![("COMPOSER_CACHE_DIR", cache.to_owned())],
        offline_env: vec![("COMPOSER_DISABLE_NETWORK", "1".to_owned())],
        locks: place.there(&["composer.lock"]),
    }
}

/// Modules come through Go's own proxy protocol, from a folder.
pub(super) fn go(rest: &[&str], place: &Place<'_>) -> Option<Part> {
    let command = match rest {
        ["mod", "download", ..] => line(&[&["go"], rest].concat()),
        [
            "build" | "install" | "test" | "vet" | "run" | "generate",
            arguments @ ..,
        ] if !arguments.iter().any(|word| word.contains('@')) => "go mod download".to_owned(),
        _ => return None,
    };
    let folder = Manager::Go.folder();
    Some(Part {
        manager: Manager::Go,
        command,
        env: vec![
            ("GOMODCACHE", folder.clone()),
            // Otherwise nobody but root could remove what it unpacks.
            ("GOFLAGS", "-modcacherw".to_owned()),
        ],
        before: None,
        step_env: Vec::new(),
        offline_env: vec![
            ("GOPROXY", format!("file://{folder}/cache/download")),
            ("GONOPROXY", "none".to_owned()),
            // It was asked when the modules were fetched.
            ("GOSUMDB", "off".to_owned()),
        ],
        locks: place.there(&["go.sum"]),
    })
}

pub(super) fn cargo(verb: &str, place: &Place<'_>) -> Option<Part> {
    if !matches!(
        verb,
        "fetch" | "build" | "b" | "run" | "r" | "test" | "check"
    ) {
        return None;
    }
    let folder = Manager::Cargo.folder();
    let locks = place.there(&["Cargo.lock"]);
    let locked = if locks.is_empty() { "" } else { " --locked" };
    Some(Part {
        manager: Manager::Cargo,
        command: format!("cargo fetch{locked}"),
        env: vec![("CARGO_HOME", folder.clone())],
        before: Some(copied(&folder, "$CARGO_HOME")),
        step_env: Vec::new(),
        offline_env: vec![("CARGO_NET_OFFLINE", "true".to_owned())],
        locks,
    })
}

/// Lists, which their signatures vouch for, and the packages that the lists name.
pub(super) fn apt(words: &[&str]) -> Part {
    let folder = Manager::Apt.folder();
    let settings = |place: &str, more: &str| {
        format!(
            r#"printf '%s\n' 'Dir::State::lists "{place}/lists";' 'Dir::Cache::archives "{place}/archives";' {more} > "$APT_CONFIG""#
        )
    };
    // It takes locks and writes there.
    let copy = "/tmp/.apt";
    Part {
        manager: Manager::Apt,
        command: format!(
            "mkdir -p {folder}/lists/partial {folder}/archives/partial && {} && {}",
            settings(
                &folder,
                r#"'APT::Get::Download-Only "true";' 'APT::Keep-Downloaded-Packages "true";'"#
            ),
            line(words)
        ),
        env: vec![("APT_CONFIG", format!("{folder}/apt.conf"))],
        step_env: Vec::new(),
        before: Some(format!(
            "{} && {}",
            copied(&folder, copy),
            settings(
                copy,
                r#"'Acquire::Retries "0";' 'APT::Keep-Downloaded-Packages "true";'"#
            )
        )),
        offline_env: vec![("APT_CONFIG", format!("{copy}/apt.conf"))],
        locks: Vec::new(),
    }
}
