//! A start script whose file is not there, and that nothing makes.

use super::package::Package;
use super::runner::Runner;
use super::server::{self, Start};
use super::{nx, package, scripts};
use crate::sources::Sources;

/// Scripts that may make a file before the program is started.
const MAKING: [&str; 13] = [
    "preinstall",
    "install",
    "postinstall",
    "prepare",
    "prebuild",
    "build",
    "postbuild",
    "heroku-prebuild",
    "heroku-postbuild",
    "gcp-build",
    "vercel-build",
    "prestart",
    "compile",
];
/// What platforms are told to build is as good.
const PLATFORMS: [&str; 7] = [
    "nixpacks.toml",
    "railpack.json",
    "railway.json",
    "railway.toml",
    "render.yaml",
    "apprunner.yaml",
    "heroku.yml",
];

/// The start of a package whose script starts what is not there: another one where there is one, else the script with
/// the question.
pub(super) fn instead(
    sources: &Sources<'_>,
    package: &Package,
    runner: Runner,
    start: Start,
    last: &str,
) -> Start {
    let Some(file) = of_script(last).filter(|file| !may_be_there(sources, package, file)) else {
        return start;
    };
    let from = sources.place(&start.from);
    let question = (
        format!(
            "Where is {file}? {from} starts it, but it is not in the project, and nothing makes it."
        ),
        format!("add {file}, or correct scripts.start in package.json"),
    );
    match server::file(sources, package, runner) {
        Some(other) if other.build.is_some() && names(&other.command, file) => Start {
            build: other.build,
            guessed: true,
            note: format!("{}; the compiler makes {file}", start.note),
            ..start
        },
        Some(other) => Start {
            note: other.entrypoint.as_ref().map_or_else(
                || format!("{from} starts {file}, which is not there"),
                |entry| format!("{from} starts {file}, which is not there; {entry} is"),
            ),
            question: Some(question),
            ..other
        },
        None => Start {
            question: Some(question),
            ..start
        },
    }
}

/// Whether a command has the file among its words.
fn names(command: &str, file: &str) -> bool {
    command.split(' ').any(|word| word == file)
}

/// The one file that a script starts, where it does nothing before that.
fn of_script(script: &str) -> Option<&str> {
    let mut commands = scripts::commands(script);
    let only = commands.next().filter(|_| commands.next().is_none())?;
    let mut words = only
        .split_whitespace()
        .skip_while(|word| word.contains('=') || matches!(*word, "cross-env" | "npx" | "exec"));
    matches!(words.next()?, "node" | "nodejs" | "tsx" | "ts-node").then_some(())?;
    let first = words.next()?;
    // What an option takes is no file.
    if first.starts_with('-') || first.contains(['$', '*', '{', '"', '\'', '`', '%']) {
        return None;
    }
    let file = first.trim_start_matches("./");
    let ending = file.rsplit_once('.').map_or("", |(_, ending)| ending);
    super::EXTENSIONS.contains(&ending).then_some(file)
}

/// Whether a file is there, or may be when the program is started.
fn may_be_there(sources: &Sources<'_>, package: &Package, file: &str) -> bool {
    let of_others =
        file.starts_with("../") || file.starts_with('/') || file.starts_with("node_modules");
    let makes = |name: &&str| {
        package
            .script(name)
            .is_some_and(|script| !script.starts_with("husky"))
    };
    of_others
        || sources.is_there(file)
        || MAKING.iter().any(makes)
        || package::is_workspace(sources, "", &package.document)
        || nx::is_root_of_several(sources)
        || sources.first_of(&PLATFORMS).is_some()
}
