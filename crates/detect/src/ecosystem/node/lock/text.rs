//! Lock files other than npm's, compared with `package.json` as far as they repeat it.
//!
//! What cannot be told of one counts as agreeing: the manager itself will say.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read as _};

use super::super::package::Package;
use crate::sources::{READ_LIMIT, Sources};

const FIELDS: [&str; 3] = ["dependencies", "devDependencies", "optionalDependencies"];
/// How long the part of a lock file may be that repeats `package.json`.
const MOST_LINES: usize = 20_000;
/// How much of any lock file is read.
const MOST_BYTES: u64 = 1 << 26;

/// What `package.json` asks for: each package's range, as far as that is a plain text.
fn wanted(package: &Package) -> BTreeMap<&str, &str> {
    let fields = FIELDS.iter().rev();
    let all = fields.flat_map(|field| package.document.table(&[*field]).collect::<Vec<_>>());
    all.filter_map(|(name, range)| Some((name, range.as_str()?)))
        .collect()
}

/// The lines of a file, however long that is.
fn lines<'s>(sources: &'s Sources<'_>, file: &str) -> Option<impl Iterator<Item = String> + 's> {
    let stream = sources.stream(file)?.take(MOST_BYTES);
    Some(BufReader::new(stream).lines().map_while(Result::ok))
}

/// `pnpm-lock.yaml`
pub(super) fn pnpm_agrees(sources: &Sources<'_>, file: &str, package: &Package) -> bool {
    // What is written otherwise than the project says it.
    let overridden = [["pnpm", "overrides"], ["pnpm", "patchedDependencies"]]
        .iter()
        .any(|keys| package.document.get(keys).is_some())
        || sources.has("pnpm-workspace.yaml");
    let Some(lines) = lines(sources, file) else {
        return true;
    };
    let mut locked: BTreeMap<String, String> = BTreeMap::new();
    let mut path: Vec<(usize, String)> = Vec::new();
    let mut is_empty = true;
    for line in lines.take(MOST_LINES) {
        let text = line.trim_start();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        is_empty = false;
        let Some((key, value)) = key_and_value(text) else {
            continue;
        };
        let indent = line.len() - text.len();
        path.retain(|(above, _)| *above < indent);
        if indent == 0 && matches!(key, "packages" | "snapshots") {
            break;
        }
        let names: Vec<_> = path.iter().map(|(_, name)| name.as_str()).collect();
        let name = match *names.as_slice() {
            // The fifth format has all ranges in one table, the sixth each beside its version.
            ["specifiers"] | ["importers", ".", "specifiers"] => Some(key),
            [field, name] | ["importers", ".", field, name]
                if key == "specifier" && FIELDS.contains(&field) =>
            {
                Some(name)
            }
            _ => None,
        };
        if let Some(name) = name {
            locked.insert(name.to_owned(), value.to_owned());
        }
        path.push((indent, key.to_owned()));
    }
    let wanted = wanted(package);
    if is_empty {
        return wanted.is_empty();
    }
    overridden
        || locked.is_empty()
        || (wanted.len() == locked.len()
            && wanted
                .iter()
                .all(|(name, range)| locked.get(*name).is_some_and(|said| said == range)))
}

/// `'@acme/ui': 1.2.3` as what it says.
fn key_and_value(text: &str) -> Option<(&str, &str)> {
    let (key, value) = match text.chars().next().filter(|first| "'\"".contains(*first)) {
        Some(quote) => {
            let (key, rest) = text[1..].split_once(quote)?;
            (key, rest.strip_prefix(':')?)
        }
        None => text
            .split_once(": ")
            .or_else(|| Some((text.strip_suffix(':')?, "")))?,
    };
    Some((key, value.trim().trim_matches(['\'', '"'])))
}

/// `yarn.lock`, of any version: each range that is asked for heads an entry.
pub(super) fn yarn_agrees(sources: &Sources<'_>, file: &str, package: &Package) -> bool {
    let is_plain = |range: &&str| !range.is_empty() && !range.contains([':', '/']);
    let mut missing: BTreeSet<String> = wanted(package)
        .into_iter()
        .filter(|(_, range)| is_plain(range))
        .map(|(name, range)| format!("{name}@{range}"))
        .collect();
    let overridden = ["resolutions", "workspaces"]
        .iter()
        .any(|field| package.document.get(&[*field]).is_some());
    let Some(lines) = lines(sources, file).filter(|_| !overridden) else {
        return true;
    };
    for line in lines {
        if missing.is_empty() {
            break;
        }
        if let Some(entry) = line
            .strip_suffix(':')
            .filter(|entry| !entry.starts_with([' ', '#']))
        {
            for one in entry.split(", ") {
                let one = one.trim_matches('"');
                missing.remove(one);
                // From the second version on, it says where from.
                missing.remove(&one.replacen("@npm:", "@", 1));
            }
        }
    }
    missing.is_empty()
}

/// `bun.lock`; its older form is no text.
pub(super) fn bun_agrees(sources: &Sources<'_>, file: &str, package: &Package) -> bool {
    let text = sources.text(file).unwrap_or_default();
    if !file.ends_with(".lock") || text.len() as u64 >= READ_LIMIT {
        return true;
    }
    if text.trim().is_empty() {
        return wanted(package).is_empty();
    }
    let Some(document) = sources.document(file) else {
        return false;
    };
    if document.get(&["workspaces", ""]).is_none() {
        return true;
    }
    let locked: BTreeMap<_, _> = FIELDS
        .iter()
        .flat_map(|field| {
            document
                .table(&["workspaces", "", field])
                .collect::<Vec<_>>()
        })
        .filter_map(|(name, range)| Some((name, range.as_str()?)))
        .collect();
    wanted(package) == locked
}
