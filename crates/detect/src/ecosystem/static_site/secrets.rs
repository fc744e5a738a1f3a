//! What lies beside a site's pages and is nobody's business: settings with passwords have no place in its image.

use crate::analysis::Topic;
use crate::ecosystem::Report;
use crate::plan::shell_quoted;
use crate::sources::Sources;
use crate::web_server;

/// More than these are not named one by one.
const MOST: usize = 100;

/// What the image takes, where something must not go into it; nothing where all may.
pub(super) fn without(sources: &Sources<'_>, folder: &str, report: &mut Report) -> Vec<String> {
    let secrets: Vec<&str> = sources
        .everything()
        .filter(|path| is_secret(path))
        .collect();
    let Some(first) = secrets.first() else {
        return Vec::new();
    };
    let inside = match folder {
        "." => String::new(),
        folder => format!("{folder}/"),
    };
    let among_pages = |path: &&&str| {
        path.strip_prefix(inside.as_str())
            .is_some_and(|rest| !rest.contains('/'))
    };
    let mut taken: Vec<String> = Vec::new();
    if folder != "." && !secrets.iter().any(|path| among_pages(&path)) {
        taken.push(folder.to_owned());
    } else {
        for path in sources.everything() {
            let Some(rest) = path.strip_prefix(inside.as_str()) else {
                continue;
            };
            let name = rest.split('/').next().unwrap_or(rest);
            let child = format!("{inside}{name}");
            if !is_secret(&child) && !taken.contains(&child) {
                taken.push(child);
            }
            if taken.len() > MOST {
                ask(sources, first, report);
                return Vec::new();
            }
        }
    }
    let is_taken = |path: &&&str| {
        taken.iter().any(|child| {
            path.strip_prefix(child.as_str())
                .is_some_and(|rest| rest.starts_with('/'))
        })
    };
    if let Some(path) = secrets.iter().find(|path| is_taken(path)) {
        ask(sources, path, report);
    }
    let left: Vec<_> = secrets
        .iter()
        .filter(|path| !is_taken(path))
        .copied()
        .collect();
    let started = |fact: &&mut crate::analysis::Fact| fact.topic == Topic::RunCommand;
    if let Some(fact) = report.facts.iter_mut().find(started)
        && !left.is_empty()
    {
        let note = fact.note.take().unwrap_or_default();
        fact.note(format!(
            "{note}; {} stays out of the image",
            left.join(", ")
        ));
    }
    if !taken.iter().any(|child| child == web_server::CONFIG_FILE) {
        taken.push(web_server::CONFIG_FILE.to_owned());
    }
    taken
}

fn ask(sources: &Sources<'_>, path: &str, report: &mut Report) {
    let path = sources.place(path);
    report.ask(
        format!("Does {path} hold secrets? It lies among the pages, and would be in the image with them."),
        format!("echo {} >> .dockerignore", shell_quoted(&path)),
    );
}

/// `.env`, `.env.production`, but no example of them.
fn is_secret(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let is_example = [".example", ".sample", ".template", ".dist"]
        .iter()
        .any(|end| name.ends_with(end));
    name == ".env" || (name.starts_with(".env.") && !is_example)
}
