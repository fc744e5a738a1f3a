//! `go.sum`: whether it holds the hashes of what the module requires.

use std::collections::HashSet;

use super::module::Module;
use crate::analysis::Topic;
use crate::ecosystem::{LockState, Report};
use crate::sources::{READ_LIMIT, Sources};

/// Whether the modules are pinned, reported.
pub(super) fn report(sources: &Sources<'_>, module: &Module, report: &mut Report) {
    let mut pinned = |value: &str, from: &str, note: &str, state: LockState, file: &str| {
        report.lock(state, file, note);
        report.certain(Topic::Pinned, value, from).note(note);
    };
    if module.requires.is_empty() {
        let note = "nothing but the standard library is used";
        return pinned("yes", "go.mod", note, LockState::Locked, "go.mod");
    }
    if !sources.has("go.sum") {
        let note = "there is no go.sum";
        pinned("no", "go.mod", note, LockState::Missing, "go.sum");
        return ask(report, "there is no go.sum");
    }
    let Some(lacking) = lacking(sources, module) else {
        let note = "it holds the hash of every module";
        report.lock(LockState::Locked, "go.sum", note);
        report
            .certain(Topic::Pinned, "yes", "go.sum")
            .note("go.sum holds the hash of every module");
        return;
    };
    pinned("no", "go.sum", &lacking, LockState::Stale, "go.sum");
    ask(report, &format!("go.sum was written for others: {lacking}"));
}

fn ask(report: &mut Report, why: &str) {
    report.ask(
        format!("Which modules exactly? {why}."),
        "go mod tidy, and commit go.sum",
    );
}

/// The first of what is required that has no hash, as said.
fn lacking(sources: &Sources<'_>, module: &Module) -> Option<String> {
    // Those that a workspace is built of are hashed together.
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
    let workspace = sources.nearest(&["go.work"]);
    let (path, version, line) = module.requires.iter().find(|(path, version, _)| {
        let replaced = module
            .replaces
            .iter()
            .find(|replaced| replaced.fits(path, version));
        match replaced.map(|replaced| &replaced.by) {
            // Of the project itself, nothing is hashed.
            Some(None) => false,
            Some(Some((path, version))) => !hashed.contains(&(path.as_str(), version.as_str())),
            None => {
                let own = workspace.is_some() && version == "v0.0.0";
                !own && !hashed.contains(&(path.as_str(), version.as_str()))
            }
        }
    })?;
    Some(format!("{path} {version} of go.mod:{line} is not in it"))
}
