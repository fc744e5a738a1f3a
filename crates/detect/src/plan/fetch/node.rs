//! npm, pnpm and Yarn: their caches are filled by installing, with no package's own scripts, where nothing is kept.

use super::{Manager, Part, copied, line};
use crate::plan::installer::Place;

pub(super) fn npm(words: &[&str], verb: &str, arguments: &[&str], place: &Place<'_>) -> Part {
    let folder = Manager::Npm.folder();
    // A lock says nothing of a package that the command names.
    let named = !matches!(verb, "ci" | "clean-install")
        && arguments.iter().any(|word| !word.starts_with('-'))
        || arguments
            .iter()
            .any(|word| matches!(*word, "-g" | "--global"));
    let locks: &[_] = if named {
        &[]
    } else {
        &["package-lock.json", "npm-shrinkwrap.json"]
    };
    Part {
        manager: Manager::Npm,
        command: without_scripts(words),
        env: vec![("npm_config_cache", folder.clone())],
        // It writes there.
        before: Some(copied(&folder, "$npm_config_cache")),
        step_env: Vec::new(),
        offline_env: vec![("npm_config_offline", "true".to_owned())],
        locks: place.there(locks),
    }
}

pub(super) fn pnpm(words: &[&str], place: &Place<'_>) -> Part {
    let folder = Manager::Pnpm.folder();
    Part {
        manager: Manager::Pnpm,
        command: without_scripts(words),
        env: vec![
            ("npm_config_store_dir", folder.clone()),
            // It is a program of the project's.
            ("npm_config_ignore_pnpmfile", "true".to_owned()),
        ],
        before: Some(copied(&folder, "$npm_config_store_dir")),
        step_env: Vec::new(),
        offline_env: vec![("npm_config_offline", "true".to_owned())],
        locks: place.there(&["pnpm-lock.yaml"]),
    }
}

/// Yarn 1; later ones may run the program out of their cache.
pub(super) fn yarn(words: &[&str], place: &Place<'_>) -> Option<Part> {
    if place.has(".yarnrc.yml") || !place.text("yarn.lock").contains("# yarn lockfile v1") {
        return None;
    }
    let folder = Manager::Yarn.folder();
    let cache = "/tmp/.yarn-cache";
    Some(Part {
        manager: Manager::Yarn,
        command: without_scripts(words),
        env: vec![
            ("YARN_CACHE_FOLDER", folder.clone()),
            // A Yarn of the project's own would be a program of the project's.
            ("YARN_IGNORE_PATH", "1".to_owned()),
        ],
        before: Some(copied(&folder, cache)),
        step_env: vec![("YARN_CACHE_FOLDER", cache.to_owned())],
        offline_env: vec![("npm_config_offline", "true".to_owned())],
        locks: place.there(&["yarn.lock"]),
    })
}

/// The command, with no package's scripts, whatever it says of them itself.
fn without_scripts(words: &[&str]) -> String {
    let about_scripts = |word: &str| {
        let name = word.trim_start_matches("--").trim_start_matches("no-");
        word.starts_with("--") && name.split('=').next() == Some("ignore-scripts")
    };
    let rest: Vec<_> = words
        .iter()
        .copied()
        .filter(|word| !about_scripts(word))
        .collect();
    format!("{} --ignore-scripts", line(&rest))
}
