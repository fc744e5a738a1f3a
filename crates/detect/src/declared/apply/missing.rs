//! What a declared start names, and is nowhere.

use super::super::{Start, Weight};
use super::{Declared, Found, installs};
use crate::sources::Sources;

/// What runs a file that is named next.
const INTERPRETERS: [&str; 12] = [
    "node", "nodejs", "tsx", "ts-node", "bun", "python", "python3", "ruby", "php", "perl", "bash",
    "sh",
];
/// Ends of the names of files that are started so.
const ENDS: [&str; 12] = [
    ".js", ".mjs", ".cjs", ".ts", ".mts", ".cts", ".py", ".rb", ".php", ".pl", ".sh", ".bash",
];
/// Folders of an image that are no project's.
const OF_IMAGES: [&str; 5] = ["/bin/", "/sbin/", "/usr/bin/", "/usr/sbin/", "/lib/"];

/// The file that is started, where it is not in the project and nothing that is known makes it.
pub(super) fn of_start<'s>(
    sources: &Sources<'_>,
    start: &'s Start,
    declared: &Declared,
    found: &Found,
) -> Option<&'s str> {
    let mut builds = found.application.build_commands.iter();
    if !declared.builds.is_empty() || builds.any(|command| !installs(command)) {
        return None;
    }
    let commands = start.command.split(['&', ';', '|']).map(str::trim);
    let commands: Vec<_> = commands.filter(|command| !command.is_empty()).collect();
    if commands.iter().any(|command| command.starts_with("cd ")) {
        return None;
    }
    let first = start.command.split(' ').next()?;
    // An image's own place, to which nothing of the project is put.
    if start.weight == Weight::Evidence
        && first.starts_with('/')
        && !OF_IMAGES.iter().any(|folder| first.starts_with(folder))
        && commands.len() == 1
    {
        return Some(first);
    }
    let files = commands.iter().filter_map(|command| {
        let mut words = command
            .split_whitespace()
            .skip_while(|word| word.contains('=') || *word == "exec");
        INTERPRETERS.contains(&words.next()?).then_some(())?;
        words.next()
    });
    let mut missing = files.filter(|file| {
        let own = file.trim_start_matches("./");
        let is_plain = ENDS.iter().any(|end| own.ends_with(end))
            && !own.starts_with(['-', '/'])
            && !own.starts_with("../")
            && !own.contains(['$', '*', '"', '\'', '`', '\\', '{'])
            && !own.starts_with("node_modules/");
        let ending = format!("/{own}");
        // Where the image is started is not followed everywhere.
        let is_elsewhere = || sources.files().iter().any(|path| path.ends_with(&ending));
        is_plain && !sources.is_there(own) && !is_elsewhere()
    });
    missing.next()
}
