//! The package managers of Node and Bun.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Place, only_options};

/// Of a workspace with more packages than this, all files are taken at once.
const MOST_PACKAGES: usize = 32;

const NPM: [&str; 4] = [
    "package.json",
    "package-lock.json",
    "npm-shrinkwrap.json",
    ".npmrc",
];
const PNPM: [&str; 4] = [
    "package.json",
    "pnpm-lock.yaml",
    "pnpm-workspace.yaml",
    ".npmrc",
];
const YARN: [&str; 4] = ["package.json", "yarn.lock", ".yarnrc", ".yarnrc.yml"];
const BUN: [&str; 5] = [
    "package.json",
    "bun.lock",
    "bun.lockb",
    "bunfig.toml",
    ".npmrc",
];

/// What a package manager reads to install; none where that may be anything.
pub(super) fn files(
    program: &str,
    arguments: &[&str],
    place: &Place<'_>,
) -> Option<BTreeSet<String>> {
    let (verb, options) = match arguments {
        [] if program == "yarn" => ("install", arguments),
        [verb, options @ ..] => (*verb, options),
        [] => return None,
    };
    let installs = match program {
        "npm" => matches!(verb, "ci" | "clean-install" | "install" | "i"),
        "yarn" => verb == "install",
        _ => matches!(verb, "install" | "i"),
    };
    if !installs {
        return None;
    }
    if !only_options(options) {
        return (program == "npm" && installs_tools(options)).then(BTreeSet::new);
    }
    match program {
        "npm" => listed(&NPM, options, place),
        "pnpm" => listed(&PNPM, options, place).filter(|_| !place.has(".pnpmfile.cjs")),
        "bun" => listed(&BUN, options, place),
        _ => {
            let mut files = listed(&YARN, options, place)?;
            if place.has(".yarnrc.yml") {
                let below = place.path(".yarn/")?;
                let entries = place.tree.entries().keys();
                files.extend(entries.filter(|path| path.starts_with(&below)).cloned());
            }
            Some(files)
        }
    }
}

/// Programs by their names, for the image.
fn installs_tools(words: &[&str]) -> bool {
    let global = words.iter().any(|word| matches!(*word, "-g" | "--global"));
    let local = words
        .iter()
        .any(|word| word.contains("file:") || word.starts_with(['.', '/']));
    global && !local
}

/// The known files, and what lists the dependencies of a workspace's packages, unless scripts or folders may need
/// others.
fn listed(known: &[&str], options: &[&str], place: &Place<'_>) -> Option<BTreeSet<String>> {
    let runs_scripts = !options.contains(&"--ignore-scripts");
    let package = read(&place.text("package.json"))?;
    let workspace_file = place.text("pnpm-workspace.yaml");
    let is_workspace = package.get("workspaces").is_some()
        || (known.contains(&"pnpm-workspace.yaml") && workspace_file.contains("packages:"));
    let is_patched = package["pnpm"].get("patchedDependencies").is_some()
        || workspace_file.contains("patchedDependencies");
    // Without a script of its own, npm builds a package that has this file.
    let is_built = runs_scripts && place.has("binding.gyp");
    if is_patched || is_built || needs_more(&package, runs_scripts, is_workspace) {
        return None;
    }
    let mut files = place.files(known)?;
    if is_workspace {
        files.extend(of_packages(runs_scripts, place)?);
    }
    Some(files)
}

/// The files that list the dependencies of a workspace's packages; none where one of these wants more than that.
fn of_packages(runs_scripts: bool, place: &Place<'_>) -> Option<BTreeSet<String>> {
    let root = place.path("./")?;
    let below = root.trim_start_matches('/');
    let entries = place.tree.entries().keys();
    let packages: BTreeSet<String> = entries
        .filter_map(|path| path.strip_prefix(below))
        .filter(|path| path.ends_with("/package.json") && !path.contains("node_modules/"))
        .map(str::to_owned)
        .collect();
    if packages.len() > MOST_PACKAGES {
        return None;
    }
    let names: Vec<&str> = packages.iter().map(String::as_str).collect();
    let plain = names.iter().all(|name| {
        let folder = name.trim_end_matches("package.json");
        let package = read(&place.text(name));
        let is_built = runs_scripts && place.has(&format!("{folder}binding.gyp"));
        // A program of one package that others call is linked when it is there.
        !is_built
            && package.is_some_and(|package| {
                package.get("bin").is_none() && !needs_more(&package, runs_scripts, true)
            })
    });
    plain.then(|| place.files(&names)).flatten()
}

fn read(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok()
}

/// Whether a package's scripts or dependencies may want other files than those that list dependencies.
fn needs_more(package: &Value, runs_scripts: bool, is_workspace: bool) -> bool {
    const SCRIPTS: [&str; 7] = [
        "preinstall",
        "install",
        "postinstall",
        "prepublish",
        "preprepare",
        "prepare",
        "postprepare",
    ];
    const FIELDS: [&str; 5] = [
        "dependencies",
        "devDependencies",
        "optionalDependencies",
        "peerDependencies",
        "overrides",
    ];
    const LOCAL: [&str; 7] = ["file:", "link:", "portal:", "./", "../", "/", "~/"];
    let is_local = |value: &Value| {
        value.as_str().is_some_and(|spec| {
            let of_workspace = spec.starts_with("workspace:") && !is_workspace;
            of_workspace || LOCAL.iter().any(|prefix| spec.starts_with(prefix))
        })
    };
    let mut dependencies = FIELDS
        .iter()
        .filter_map(|field| package[*field].as_object())
        .flat_map(serde_json::Map::values);
    let scripts = &package["scripts"];
    (runs_scripts && SCRIPTS.iter().any(|name| scripts.get(*name).is_some()))
        || dependencies.any(is_local)
}
