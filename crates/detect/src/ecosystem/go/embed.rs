//! Files that are made part of the program: `//go:embed dist/*`.

use crate::ecosystem::Report;
use crate::sources::{Sources, Text};

const DIRECTIVE: &str = "//go:embed ";

/// Asks for what is embedded and not there: another build has to make it first.
pub(super) fn ask(sources: &Sources<'_>, texts: &[Text<'_>], report: &mut Report) {
    let missing = texts.iter().find_map(|(path, text)| {
        let folder = path
            .rsplit_once('/')
            .map_or(String::new(), |(folder, _)| format!("{folder}/"));
        text.lines().enumerate().find_map(|(index, line)| {
            let patterns = line.strip_prefix(DIRECTIVE)?.split_whitespace();
            let mut patterns = patterns.map(|pattern| pattern.trim_matches(['"', '`']));
            let pattern = patterns.find(|pattern| !is_there(sources, &folder, pattern))?;
            Some((pattern.to_owned(), format!("{path}:{}", index + 1)))
        })
    });
    if let Some((pattern, from)) = missing {
        let from = sources.place(&from);
        report.ask(
            format!("What makes {pattern}? {from} embeds it, and it is not there."),
            "put the command that makes it before `go build` in the build_commands of ergon.json",
        );
    }
}

/// Whether a pattern names a file or a folder, or what comes before its first sign is there.
fn is_there(sources: &Sources<'_>, folder: &str, pattern: &str) -> bool {
    let pattern = pattern.strip_prefix("all:").unwrap_or(pattern);
    let path = match pattern.find(['*', '?', '[', '\\']) {
        Some(at) => pattern[..at].rsplit_once('/').map(|(before, _)| before),
        None => Some(pattern),
    };
    // A pattern that begins with a sign is of the folder itself.
    path.is_none_or(|path| {
        let path = format!("{folder}{}", path.trim_end_matches('/'));
        sources.has(&path) || sources.has_folder(&path)
    })
}
