//! Which folders of a project hold a program.

use crate::ecosystem::{self, Ecosystem, Found, Strength};
use crate::sources::Sources;

/// How many folders deep a program may lie.
const DEEPEST: usize = 4;
/// How many folders are looked into; a project with more programs names them itself.
const MOST_FOLDERS: usize = 200;

/// A program of a project.
pub struct Member<'a> {
    /// Its folder.
    pub sources: Sources<'a>,
    pub found: Found,
    /// Languages of which there are signs as well.
    pub others: Vec<&'static str>,
}

/// The programs of a project: the one at its root, else those in its folders.
pub fn of<'a>(root: &Sources<'a>) -> Vec<Member<'a>> {
    let at_root = strongest(root.same());
    if at_root.as_ref().is_some_and(starts) {
        return at_root.into_iter().collect();
    }
    let mut below: Vec<Member<'a>> = Vec::new();
    for folder in folders(root) {
        let nested = below.iter().any(|member| {
            folder
                .strip_prefix(member.sources.folder())
                .is_some_and(|rest| rest.starts_with('/'))
        });
        if nested {
            continue;
        }
        below.extend(strongest(root.below(&folder)).filter(starts));
    }
    if below.is_empty() {
        return at_root.into_iter().collect();
    }
    below
}

/// Whether a program can be started by itself.
fn starts(member: &Member<'_>) -> bool {
    member.found.strength >= Strength::Program && !member.found.delegates
}

/// What every language makes of a folder; the strongest answer is taken.
fn strongest(sources: Sources<'_>) -> Option<Member<'_>> {
    let mut found: Vec<(&Ecosystem, Found)> = ecosystem::ALL
        .iter()
        .filter_map(|ecosystem| Some((*ecosystem, (ecosystem.detect)(&sources)?)))
        .collect();
    // A stable sort: between equals, the one that stands first.
    found.sort_by_key(|(_, found)| std::cmp::Reverse(found.strength));
    let mut found = found.into_iter();
    let (_, taken) = found.next()?;
    // Beside a framework, a `package.json` that only builds a site's looks is no second program.
    let least = match taken.strength {
        Strength::Framework => Strength::Program,
        _ => Strength::Sources,
    };
    let others = found
        .filter(|(_, found)| found.strength >= least)
        .map(|(ecosystem, _)| ecosystem.name)
        .collect();
    Some(Member {
        sources,
        found: taken,
        others,
    })
}

/// The folders in which something shows a program, outermost first.
fn folders(root: &Sources<'_>) -> Vec<String> {
    let mut folders: Vec<String> = Vec::new();
    for path in root.files() {
        let Some((folder, name)) = path.rsplit_once('/') else {
            continue;
        };
        let marks = ecosystem::ALL.iter().any(|ecosystem| {
            ecosystem
                .markers
                .iter()
                .any(|marker| is_marked(name, marker))
        });
        let deep = folder.split('/').count() > DEEPEST;
        if marks && !deep && !folders.iter().any(|known| known == folder) {
            folders.push(folder.to_owned());
        }
        if folders.len() == MOST_FOLDERS {
            break;
        }
    }
    folders
}

/// Whether a file's name is the marker, where `*` stands for its beginning.
pub(crate) fn is_marked(name: &str, marker: &str) -> bool {
    match marker.strip_prefix('*') {
        Some(ending) => name.ends_with(ending),
        None => name == marker,
    }
}
