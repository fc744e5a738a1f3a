//! A `.dockerignore` with which `docker build` takes the files that count as source.

use std::collections::{BTreeMap, BTreeSet};

use ergon_manifest::Manifest;

use crate::dockerignore::{DockerIgnore, Matched, literal};
use crate::ecosystem;
use crate::sources::READ_LIMIT;
use crate::tree::{EntryKind, FileTree, OWN_FILES};

const HEADER: &str =
    "# Written by Ergon: what docker build must not see, because it is not source.";
/// What any project may have beside its sources.
const DROPPINGS: [&str; 3] = ["**/.DS_Store", "**/.env", "**/*.swp"];

/// A `.dockerignore` for a project.
///
/// It begins with what the project's own says, adds what `.gitignore` files say and what tools leave
/// behind, and leaves out nothing that is source now: saving it does not change the source digest.
pub fn ignore_file(manifest: &Manifest, tree: &dyn FileTree) -> String {
    let own = tree
        .own_file(".dockerignore")
        .ok()
        .flatten()
        .unwrap_or_default();
    let own = String::from_utf8_lossy(&own).into_owned();
    let mut text = own.clone();
    let present: BTreeSet<&str> = own.lines().map(str::trim).collect();
    let is_empty = own.trim().is_empty();
    let mut sections = vec![vec!["**/.git".to_owned()]];
    sections.extend(git_sections(tree));
    sections.push(droppings(manifest, tree));
    sections.push(OWN_FILES.map(str::to_owned).to_vec());

    let mut begun = !is_empty && own.lines().any(|line| line == HEADER);
    for section in sections {
        let missing: Vec<_> = section
            .into_iter()
            .filter(|line| !present.contains(line.as_str()))
            .collect();
        if missing.is_empty() {
            continue;
        }
        let block = missing.join("\n") + "\n";
        // The project's own rules may read ours differently, as by a `!` before them.
        if leaves_out_source(&format!("{text}\n{block}"), tree) {
            continue;
        }
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        if !std::mem::replace(&mut begun, true) {
            text.push_str(HEADER);
            text.push('\n');
        }
        text.push_str(&block);
    }
    text
}

/// What the languages' tools leave behind, as far as none of it is source here.
fn droppings(manifest: &Manifest, tree: &dyn FileTree) -> Vec<String> {
    let languages = manifest
        .applications
        .values()
        .filter_map(|application| ecosystem::of_language(&application.language));
    let patterns: BTreeSet<_> = languages
        .flat_map(|ecosystem| ecosystem.droppings)
        .chain(&DROPPINGS)
        .copied()
        .collect();
    patterns
        .into_iter()
        .filter(|pattern| !leaves_out_source(pattern, tree))
        .map(str::to_owned)
        .collect()
}

/// The rules of every `.gitignore`, outermost first, each file a section.
fn git_sections(tree: &dyn FileTree) -> Vec<Vec<String>> {
    let mut files: Vec<&str> = tree
        .entries()
        .iter()
        .filter(|(_, kind)| matches!(kind, EntryKind::File))
        .filter_map(|(path, _)| {
            path.strip_suffix(".gitignore")
                .filter(|folder| folder.is_empty() || folder.ends_with('/'))
        })
        .collect();
    files.sort_by_key(|folder| (folder.matches('/').count(), *folder));
    let sections = files.into_iter().filter_map(|folder| {
        let content = tree
            .read_head(&format!("{folder}.gitignore"), READ_LIMIT)
            .ok()?;
        let text = String::from_utf8_lossy(&content);
        // Docker has no patterns for folders alone: first as if there were no difference, then with what is in
        // the folders only.
        ["", "/**"].iter().find_map(|folders| {
            let rules: Vec<_> = text
                .lines()
                .filter_map(|line| translated(folder, line, folders))
                .collect();
            (!rules.is_empty() && !leaves_out_source(&rules.join("\n"), tree)).then_some(rules)
        })
    });
    sections.collect()
}

/// A line of the `.gitignore` in `folder`, in Docker's language.
fn translated(folder: &str, line: &str, folders: &str) -> Option<String> {
    let line = line.trim_end();
    if line.starts_with('#') {
        return None;
    }
    let (exception, pattern) = match line.strip_prefix('!') {
        Some(pattern) => ("!", pattern),
        None => (
            "",
            line.strip_prefix('\\')
                .filter(|rest| rest.starts_with(['#', '!']))
                .unwrap_or(line),
        ),
    };
    let (pattern, only_folders) = match pattern.strip_suffix('/') {
        Some(pattern) => (pattern, folders),
        None => (pattern, ""),
    };
    if pattern.is_empty() {
        return None;
    }
    let anchored = pattern.contains('/');
    let pattern = pattern.trim_start_matches('/').replace("[!", "[^");
    let anywhere = if anchored || pattern.starts_with("**/") {
        ""
    } else {
        "**/"
    };
    let folder = literal(folder);
    let rule = format!("{exception}{folder}{anywhere}{pattern}{only_folders}");
    // What would be a comment.
    Some(if rule.starts_with('#') {
        format!("./{rule}")
    } else {
        rule
    })
}

/// Whether rules leave out a file that counts as source.
fn leaves_out_source(rules: &str, tree: &dyn FileTree) -> bool {
    let (rules, wrong) = DockerIgnore::parse(rules);
    if !wrong.is_empty() {
        return true;
    }
    let mut folders: BTreeMap<&str, Matched> = BTreeMap::new();
    tree.entries().keys().any(|path| {
        let mut above = rules.root();
        for (end, _) in path.match_indices('/') {
            let folder = &path[..end];
            above = folders
                .entry(folder)
                .or_insert_with(|| rules.enter(&above, folder))
                .clone();
        }
        rules.leaves_out(&rules.enter(&above, path))
    })
}
