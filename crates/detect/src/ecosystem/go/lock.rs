//! `go.sum`: whether it holds the hashes of what the module requires.

use std::collections::HashSet;

use super::module::Module;
use crate::analysis::Topic;
use crate::ecosystem::{LockState, Report};
use crate::sources::{READ_LIMIT, Sources};

/// Whether the modules are pinned, reported.
pub(super) fn report(sources: &Sources<'_>, module: &Module, report: &mut Report) -> LockState {
    let mut pinned = |value: &str, from: &str, note: &str, state: LockState, file: &str| {
        report.lock(state, file, note);
        report.certain(Topic::Pinned, value, from).note(note);
    };
    let own = of_workspace(sources);
    let others = module.requires.iter().filter(|(path, version, _)| {
        let replaced = module.replaced(path, version);
        !own.contains(path) && replaced.is_none_or(|replaced| replaced.by.is_some())
    });
    let others: Vec<_> = others.collect();
    if others.is_empty() {
        let note = if module.requires.is_empty() {
            "nothing but the standard library is used"
        } else {
            "nothing but the project's own modules is used"
        };
        pinned("yes", "go.mod", note, LockState::Locked, "go.mod");
        return LockState::Locked;
    }
    if !sources.has("go.sum") {
        let note = "there is no go.sum";
        pinned("no", "go.mod", note, LockState::Missing, "go.sum");
        ask(report, "there is no go.sum");
        return LockState::Missing;
    }
    let Some(lacking) = lacking(sources, module, &others) else {
        let note = "it holds the hash of every module";
        report.lock(LockState::Locked, "go.sum", note);
        report
            .certain(Topic::Pinned, "yes", "go.sum")
            .note("go.sum holds the hash of every module");
        return LockState::Locked;
    };
    pinned("no", "go.sum", &lacking, LockState::Stale, "go.sum");
    ask(report, &format!("go.sum was written for others: {lacking}"));
    LockState::Stale
}

fn ask(report: &mut Report, why: &str) {
    report.ask(
        format!("Which modules exactly? {why}."),
        "go mod tidy, and commit go.sum",
    );
}

/// The first of what is required that has no hash, as said.
fn lacking(
    sources: &Sources<'_>,
    module: &Module,
    required: &[&(String, String, usize)],
) -> Option<String> {
    // What only a workspace as a whole wants is hashed there.
    let of_workspace = sources.nearest(&["go.work.sum"]);
    let files = ["go.sum".to_owned()].into_iter().chain(of_workspace);
    let texts: Vec<_> = files.filter_map(|file| sources.text(&file)).collect();
    if texts.iter().any(|text| text.len() as u64 >= READ_LIMIT) {
        return None;
    }
    let hashed: HashSet<(&str, &str)> = texts
        .iter()
        .flat_map(|text| text.lines())
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let (path, version) = (words.next()?, words.next()?);
            words.next()?;
            Some((path, version.strip_suffix("/go.mod")?))
        })
        .collect();
    let (path, version, line) = required.iter().find(|(path, version, _)| {
        let replaced = module.replaced(path, version);
        let (path, version) = replaced
            .and_then(|replaced| replaced.by.as_ref())
            .map_or((path, version), |(path, version)| (path, version));
        !hashed.contains(&(path.as_str(), version.as_str()))
    })?;
    Some(format!("{path} {version} of go.mod:{line} is not in it"))
}

/// The modules of the workspace that the folder lies in; what is built is theirs, never what is fetched.
fn of_workspace(sources: &Sources<'_>) -> HashSet<String> {
    let Some(file) = sources.nearest(&["go.work"]) else {
        return HashSet::new();
    };
    let up = file.strip_suffix("go.work").unwrap_or("");
    let workspace = sources.text(&file).map(|text| Module::parse(&text));
    let folders = workspace
        .map(|workspace| workspace.uses)
        .unwrap_or_default();
    folders
        .iter()
        .filter_map(|folder| {
            let slash = if folder.is_empty() { "" } else { "/" };
            let text = sources.text(&format!("{up}{folder}{slash}go.mod"))?;
            Module::parse(&text).path
        })
        .collect()
}
