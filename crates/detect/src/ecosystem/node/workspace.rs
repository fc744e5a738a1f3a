//! What a package needs of the others in its workspace, and what the workspace's tools say of it.

use super::package::Package;
use super::runner::Runner;
use super::server::Start;
use crate::document::Document;
use crate::plan::shell_quoted;
use crate::sources::Sources;

/// Folders in which workspaces keep packages.
const FOLDERS: [&str; 9] = [
    "packages", "libs", "lib", "shared", "modules", "internal", "apps", "services", "tooling",
];

/// How many packages are built before one.
const MOST: usize = 50;

/// The commands that build a package of a workspace, those that it depends on first; none where it needs no others.
pub(super) fn build(
    sources: &Sources<'_>,
    package: &Package,
    root: &str,
    runner: Runner,
) -> Option<Vec<String>> {
    let mut folders = Vec::new();
    collect(sources, &package.document, root, &mut folders);
    if folders.is_empty() {
        return None;
    }
    let of_root = sources.document(&format!("{root}/package.json"));
    let has_turbo = of_root.is_some_and(|root| {
        ["dependencies", "devDependencies"]
            .iter()
            .any(|field| root.get(&[*field, "turbo"]).is_some())
    });
    let own = package.script("build").is_some();
    if own
        && has_turbo
        && sources.has(&format!("{root}/turbo.json"))
        && let Some(name) = package.name()
    {
        let tool = runner.tool(&format!("turbo run build --filter={}", shell_quoted(name)));
        return Some(vec![format!("cd {root} && {tool}")]);
    }
    let build = runner.script("build");
    let others = folders
        .iter()
        .map(|folder| format!("cd {} && {build}", shell_quoted(folder)));
    Some(others.chain(own.then(|| build.clone())).collect())
}

/// The names of what may be packages of the same workspace among the dependencies.
fn local_names(document: &Document) -> Vec<String> {
    ["dependencies", "devDependencies"]
        .iter()
        .flat_map(|field| document.table(&[field]).collect::<Vec<_>>())
        // Others come from elsewhere.
        .filter(|(_, range)| {
            let range = range.as_str().unwrap_or("");
            ["workspace:", "*", "file:", "link:"]
                .iter()
                .any(|local| range.starts_with(local))
                || range.starts_with(|first: char| first.is_ascii_digit() || first == '^')
        })
        .map(|(name, _)| name.to_owned())
        .collect()
}

/// The folder of a workspace's package, and what it says of itself.
fn of_name(sources: &Sources<'_>, name: &str, root: &str) -> Option<(String, Document)> {
    let short = name.rsplit('/').next().unwrap_or(name);
    FOLDERS.iter().find_map(|folder| {
        let folder = format!("{root}/{folder}/{short}");
        let document = Package::at(sources, &folder)?.document;
        (document.text(&["name"]) == Some(name)).then_some((folder, document))
    })
}

/// The folders of the packages that one depends on and that have to be built, each after those that it needs.
fn collect(sources: &Sources<'_>, document: &Document, root: &str, folders: &mut Vec<String>) {
    for name in local_names(document) {
        let found = of_name(sources, &name, root);
        let Some((folder, document)) = found else {
            continue;
        };
        let builds = document.text(&["scripts", "build"]).is_some();
        if builds && !folders.contains(&folder) && folders.len() < MOST {
            // Its place is taken first, so that packages that need each other end.
            folders.push(folder.clone());
            let own = folders.len() - 1;
            collect(sources, &document, root, folders);
            let folder = folders.remove(own);
            folders.push(folder);
        }
    }
}

/// A package of the workspace, by its folder or the name that it likely has there.
pub(super) fn member(sources: &Sources<'_>, named: &str) -> Option<Package> {
    let named = named.trim_start_matches("./").trim_end_matches('/');
    let short = named.rsplit('/').next().filter(|short| !short.is_empty())?;
    let folders = FOLDERS.iter().map(|folder| format!("{folder}/{short}"));
    std::iter::once(named.to_owned())
        .chain(folders)
        .find_map(|folder| Package::at(sources, &folder))
}

/// Whether a package of the workspace that one depends on writes among the packages that are installed.
pub(super) fn writes(sources: &Sources<'_>, package: &Package, root: &str) -> bool {
    let generators = ["@prisma/client", "prisma", "patch-package"];
    let is_one = |document: &Document| {
        ["dependencies", "devDependencies"].iter().any(|field| {
            generators
                .iter()
                .any(|name| document.get(&[*field, *name]).is_some())
        })
    };
    let mut names = local_names(&package.document);
    let mut at = 0;
    while let Some(name) = names.get(at).filter(|_| at < MOST) {
        at += 1;
        let Some((_, document)) = of_name(sources, name, root) else {
            continue;
        };
        if is_one(&document) {
            return true;
        }
        for name in local_names(&document) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    false
}

/// The task with which moon starts a package that has no script for it.
pub(super) fn of_moon(sources: &Sources<'_>, package: &Package, runner: Runner) -> Option<Start> {
    let file = "moon.yml";
    let tasks = sources.has(file).then(|| sources.document(file))??;
    let command = command_of(&tasks, "start")?;
    let run = |command: String| match command.split_whitespace().next() {
        Some("node" | "npm" | "npx" | "pnpm" | "yarn" | "bun" | "bunx") => command,
        _ => runner.tool(&command),
    };
    let build = ["build", "compile"]
        .iter()
        .find_map(|task| command_of(&tasks, task))
        .filter(|_| package.script("build").is_none());
    Some(Start {
        command: run(command),
        entrypoint: None,
        from: tasks.from(&["tasks", "start"]),
        note: "moon starts it so".to_owned(),
        guessed: true,
        question: None,
        build: build.map(|build| vec![run(build)]),
    })
}

/// The command of one of moon's tasks, and its arguments.
fn command_of(tasks: &Document, task: &str) -> Option<String> {
    let words = |name: &str| {
        let value = tasks.get(&["tasks", task, name])?;
        match value.as_array() {
            Some(words) => words
                .iter()
                .map(|word| word.as_str().map(shell_quoted))
                .collect::<Option<Vec<_>>>()
                .map(|words| words.join(" ")),
            None => value.as_str().map(str::to_owned),
        }
    };
    let command = words("command")?;
    Some(match words("args") {
        Some(arguments) => format!("{command} {arguments}"),
        None => command,
    })
}
