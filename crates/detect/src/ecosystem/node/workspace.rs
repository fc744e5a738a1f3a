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

/// The folders of the packages that one depends on and that have to be built, each after those that it needs.
fn collect(sources: &Sources<'_>, document: &Document, root: &str, folders: &mut Vec<String>) {
    let names = ["dependencies", "devDependencies"]
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
        .map(|(name, _)| name.to_owned());
    for name in names.collect::<Vec<_>>() {
        let short = name.rsplit('/').next().unwrap_or(&name);
        let found = FOLDERS.iter().find_map(|folder| {
            let folder = format!("{root}/{folder}/{short}");
            let file = format!("{folder}/package.json");
            let document = sources.has(&file).then(|| sources.document(&file))??;
            (document.text(&["name"]) == Some(name.as_str())).then_some((folder, document))
        });
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
