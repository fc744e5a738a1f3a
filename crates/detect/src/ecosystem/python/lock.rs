//! Lock files, and whether they were written for the dependencies that are listed.

use std::collections::BTreeSet;

use serde_json::Value;

use super::content_hash;
use super::dependencies::Dependency;
use super::manager::Manager;
use super::metadata::Metadata;
use super::requirements::normalised;
use crate::analysis::Topic;
use crate::document::Document;
use crate::ecosystem::{LockState, Report};
use crate::sources::{self, READ_LIMIT, Sources};

/// What a lock file says.
#[derive(Debug)]
pub(super) struct Lock {
    pub state: LockState,
    pub file: String,
    /// The version of the package manager that wrote it.
    pub written_by: Option<String>,
    /// The file that it was made from, where that is not the one that lists the dependencies.
    input: Option<String>,
    note: String,
    /// Nothing stands in it.
    pub is_blank: bool,
}

/// The lock file that decides, and whose it is.
pub(super) fn find(sources: &Sources<'_>, metadata: &Metadata) -> Option<(Manager, String)> {
    if metadata.pyproject.is_some() {
        for manager in [Manager::Uv, Manager::Poetry, Manager::Pdm] {
            let file = manager.lock_file()?;
            if sources.has(file) {
                return Some((manager, file.to_owned()));
            }
        }
        // The lock file of a workspace lies at its root.
        let outer = sources.nearest(&["uv.lock"])?;
        let root = outer.strip_suffix("uv.lock")?;
        let workspace = sources.document(&format!("{root}pyproject.toml"))?;
        return workspace
            .get(&["tool", "uv", "workspace"])
            .map(|_| (Manager::Uv, outer));
    }
    (metadata.pipfile.is_some() && sources.has("Pipfile.lock"))
        .then(|| (Manager::Pipenv, "Pipfile.lock".to_owned()))
}

/// Every lock file that goes with a project, and whose it is, in the order in which they decide.
const ALL: [(Manager, &str); 4] = [
    (Manager::Uv, "uv.lock"),
    (Manager::Poetry, "poetry.lock"),
    (Manager::Pdm, "pdm.lock"),
    (Manager::Pipenv, "Pipfile.lock"),
];

/// Asks which manager is meant where there are lock files of several, unless the project has settings for the one
/// that is taken alone.
pub(super) fn ask_which(
    taken: (Manager, &str),
    sources: &Sources<'_>,
    metadata: &Metadata,
    report: &mut Report,
) {
    let (manager, file) = taken;
    let others: Vec<_> = ALL
        .iter()
        .filter(|(other, file)| *other != manager && sources.has(file))
        .collect();
    let Some((other, _)) = others.first() else {
        return;
    };
    let has_settings = |manager: Manager| metadata.has_tool(manager.name());
    if has_settings(manager) && !others.iter().any(|(other, _)| has_settings(*other)) {
        return;
    }
    let others: Vec<_> = others.iter().map(|(_, file)| *file).collect();
    report.ask(
        format!(
            "Which package manager? {file} lies beside {}; {} was taken, whose lock file goes first.",
            others.join(" and "),
            manager.name()
        ),
        format!(
            "rm {}, or where {} is meant: rm {file}",
            others.join(" "),
            other.name()
        ),
    );
}

/// There is none.
pub(super) fn missing(file: &str) -> Lock {
    Lock {
        state: LockState::Missing,
        file: file.to_owned(),
        written_by: None,
        input: None,
        note: format!("there is no {file}"),
        is_blank: false,
    }
}

/// What a lock file says of the dependencies that are listed.
pub(super) fn state(
    manager: Manager,
    file: &str,
    sources: &Sources<'_>,
    metadata: &Metadata,
    listed: &[Dependency],
) -> Lock {
    let text = sources.text(file).unwrap_or_default();
    // What lies behind the part that is read cannot be missed in it.
    let whole = text.len() < READ_LIMIT as usize;
    let same = match manager {
        Manager::Poetry => content_hash::poetry(&text, metadata),
        Manager::Pdm => content_hash::pdm(&text, metadata),
        Manager::Pipenv => content_hash::pipenv(&text, metadata),
        _ => None,
    };
    let name = file.rsplit('/').next().unwrap_or(file);
    let absent = || {
        let names: BTreeSet<_> = text.lines().filter_map(package_name).collect();
        let locks_names = matches!(manager, Manager::Uv | Manager::Pdm) && whole;
        listed
            .iter()
            .find(|dependency| locks_names && !names.contains(&dependency.requirement.name))
    };
    let is_blank = sources::is_blank(&text);
    let (state, note) = match same {
        _ if is_blank => (
            LockState::Stale,
            format!("{name} cannot be read: nothing stands in it"),
        ),
        Some(true) => (
            LockState::Locked,
            format!("{name} has the hash of what is listed"),
        ),
        Some(false) => (
            LockState::Stale,
            format!("{name} was written for other dependencies: its hash is another one"),
        ),
        None => match absent() {
            Some(dependency) => (
                LockState::Stale,
                format!(
                    "{} in {} is not in {name}",
                    dependency.requirement.name,
                    dependency.from()
                ),
            ),
            None if manager == Manager::Uv && whole => uv(&text, name, metadata, listed),
            None => (LockState::Locked, format!("{name} is there")),
        },
    };
    let written_by = text
        .lines()
        .next()
        .and_then(|line| line.split_once("generated by Poetry "))
        .and_then(|(_, rest)| rest.split_whitespace().next())
        .filter(|version| {
            version
                .chars()
                .all(|one| one.is_ascii_digit() || one == '.')
        })
        .map(str::to_owned);
    Lock {
        state,
        file: file.to_owned(),
        written_by,
        input: None,
        note,
        is_blank,
    }
}

/// A requirements file that a tool made of another one.
pub(super) fn compiled(sources: &Sources<'_>, file: &str, listed: &[Dependency]) -> Option<Lock> {
    let input = format!("{}.in", file.strip_suffix(".txt")?);
    let asked = sources
        .has(&input)
        .then(|| sources.text(&input))
        .flatten()?;
    let asked = super::requirements::parse(&asked);
    let absent = asked.requirements.iter().find(|requirement| {
        !listed
            .iter()
            .any(|dependency| dependency.requirement.name == requirement.name)
    });
    let (state, note) = match absent {
        Some(requirement) => (
            LockState::Stale,
            format!(
                "{} in {input}:{} is not in it",
                requirement.name, requirement.line
            ),
        ),
        None => (LockState::Locked, format!("made from {input}")),
    };
    Some(Lock {
        state,
        file: file.to_owned(),
        written_by: None,
        input: Some(input),
        note,
        is_blank: false,
    })
}

impl Lock {
    pub fn report(&self, manager: Manager, count: usize, listed_in: &str, report: &mut Report) {
        report.lock(self.state, &self.file, &self.note);
        let file = &self.file;
        let name = file.rsplit('/').next().unwrap_or(file);
        let listed_in = self.input.as_deref().unwrap_or(listed_in);
        let relock = manager.relock();
        match self.state {
            LockState::Locked => {
                report
                    .certain(Topic::Pinned, "yes", file)
                    .note(format!("{name} pins every package"));
            }
            LockState::Stale if self.is_blank => {
                report.certain(Topic::Pinned, "no", file).note(&self.note);
                report.ask(
                    format!("Which packages? {}.", self.note),
                    format!("rm {file} && {relock}, and commit {name}"),
                );
            }
            LockState::Stale => {
                report
                    .certain(Topic::Pinned, "no", file)
                    .note(format!("{name} was written for other dependencies"));
                report.ask(
                    format!("Which packages? {listed_in} has changed since {name} was written."),
                    format!("{relock}, and commit {name}"),
                );
            }
            LockState::Missing if count == 0 => {
                report
                    .certain(Topic::Pinned, "yes", listed_in)
                    .note("nothing is depended on");
            }
            LockState::Missing => {
                report
                    .certain(Topic::Pinned, "no", listed_in)
                    .note(format!("there is no {name}"));
                report.ask(
                    format!("Which versions? there is no {name}."),
                    format!("{relock}, and commit {name}"),
                );
            }
        }
    }
}

/// The package that a line of a lock file in TOML names.
fn package_name(line: &str) -> Option<String> {
    let name = line.strip_prefix("name = \"")?.strip_suffix('"')?;
    Some(normalised(name))
}

/// Compares what uv wrote down of the project with what the project lists.
fn uv(text: &str, file: &str, metadata: &Metadata, listed: &[Dependency]) -> (LockState, String) {
    let there = (LockState::Locked, format!("{file} is there"));
    let dynamic = metadata
        .pyproject
        .as_ref()
        .and_then(|project| project.get(&["project", "dynamic"])?.as_array())
        .is_some_and(|keys| keys.iter().any(|key| key == "dependencies"));
    let Some(name) = metadata
        .name()
        .map(|name| normalised(&name))
        .filter(|_| !dynamic)
    else {
        return there;
    };
    let own = text.split("[[package]]").find(|block| {
        let named = block.trim_start().strip_prefix("name = \"");
        named
            .and_then(|rest| rest.split_once('"'))
            .is_some_and(|(known, _)| known == name)
            && (block.contains("source = { virtual") || block.contains("source = { editable"))
    });
    let Some(document) = own.and_then(|block| Document::parse("uv.toml", block).ok()) else {
        return there;
    };
    let wanted = document
        .get(&["package", "metadata", "requires-dist"])
        .and_then(Value::as_array);
    // What only extras or groups ask for is not among what is listed here.
    let locked: Vec<_> = wanted
        .into_iter()
        .flatten()
        .filter(|one| {
            let marker = one.get("marker").and_then(Value::as_str);
            !marker.is_some_and(|marker| marker.contains("extra =="))
        })
        .filter_map(|one| {
            let specifier = one.get("specifier").and_then(Value::as_str).unwrap_or("");
            Some((one.get("name")?.as_str()?, clauses(specifier)))
        })
        .collect();
    let changed = listed.iter().find(|dependency| {
        let requirement = &dependency.requirement;
        let by_url = requirement.specifier.starts_with('@');
        !by_url
            && !locked.iter().any(|(name, specifier)| {
                *name == requirement.name && *specifier == clauses(&requirement.specifier)
            })
    });
    let gone = locked.iter().find(|(name, _)| {
        !listed
            .iter()
            .any(|dependency| dependency.requirement.name == *name)
    });
    match (changed, gone) {
        (Some(dependency), _) => (
            LockState::Stale,
            format!(
                "{} in {} is not what {file} was written for",
                dependency.requirement.name,
                dependency.from()
            ),
        ),
        (None, Some((name, _))) => (
            LockState::Stale,
            format!("{file} was written when {name} was listed too"),
        ),
        (None, None) => (LockState::Locked, format!("{file} has what is listed")),
    }
}

/// The comparisons of a specifier, in an order of their own.
fn clauses(specifier: &str) -> Vec<String> {
    let mut clauses: Vec<_> = specifier
        .split(',')
        .map(|clause| clause.replace(' ', ""))
        .filter(|clause| !clause.is_empty())
        .collect();
    clauses.sort();
    clauses
}
