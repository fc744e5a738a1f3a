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
        command: line(words),
        env: vec![("npm_config_cache", folder.clone()), without_scripts()],
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
        command: line(words),
        env: vec![("npm_config_store_dir", folder.clone()), without_scripts()],
        before: Some(copied(&folder, PNPM_STORE)),
        step_env: vec![("npm_config_store_dir", PNPM_STORE.to_owned())],
        offline_env: vec![("npm_config_offline", "true".to_owned())],
        locks: place.there(&["pnpm-lock.yaml"]),
    }
}

/// In scratch space: pnpm's own choice, where that is another file system than the project's, is a folder beside
/// the project.
const PNPM_STORE: &str = "/tmp/.pnpm-store";

/// Yarn 1; later ones may run the program out of their cache.
pub(super) fn yarn(words: &[&str], place: &Place<'_>) -> Option<Part> {
    if place.has(".yarnrc.yml") || !place.text("yarn.lock").contains("# yarn lockfile v1") {
        return None;
    }
    let folder = Manager::Yarn.folder();
    let cache = "/tmp/.yarn-cache";
    Some(Part {
        manager: Manager::Yarn,
        command: line(words),
        env: vec![("YARN_CACHE_FOLDER", folder.clone()), without_scripts()],
        before: Some(copied(&folder, cache)),
        step_env: vec![("YARN_CACHE_FOLDER", cache.to_owned())],
        offline_env: vec![("npm_config_offline", "true".to_owned())],
        locks: place.there(&["yarn.lock"]),
    })
}

fn without_scripts() -> (&'static str, String) {
    ("npm_config_ignore_scripts", "true".to_owned())
}
