//! Make: which program a Makefile makes.

use std::collections::BTreeMap;

use super::Build;
use crate::plan::shell_quoted;
use crate::sources::Sources;

/// What people call the variable that names the program.
const NAMES: [&str; 9] = [
    "TARGET",
    "PROGRAM",
    "EXECUTABLE",
    "EXEC",
    "BIN",
    "NAME",
    "TARGET_EXEC",
    "PROG",
    "OUT",
];
/// What rules are called that make no file of their name.
const GATHERS: [&str; 10] = [
    "all", "default", "build", "compile", "run", "clean", "help", "install", "test", "dirs",
];

pub(super) fn read(sources: &Sources<'_>) -> Option<Build> {
    let file = ["Makefile", "makefile", "GNUmakefile"]
        .into_iter()
        .find(|file| sources.has(file))?;
    sources.program_files(&["c", "cpp", "cc", "cxx"]).first()?;
    let text = sources.text(file)?;
    let program = program(&text);
    Some(Build {
        file: file.to_owned(),
        manager: Some("make"),
        name: program
            .as_deref()
            .map(|name| name.rsplit('/').next().unwrap_or(name).to_owned()),
        commands: vec!["make".to_owned()],
        program: program.map(|name| format!("./{}", shell_quoted(&name))),
        packages: Vec::new(),
    })
}

fn program(text: &str) -> Option<String> {
    let mut variables: BTreeMap<&str, String> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('\t')) {
        let Some((name, value)) = line.split_once('=') else {
            continue;
        };
        let name = name.trim_end_matches([':', '?']).trim();
        let value = value.split('#').next().unwrap_or("").trim();
        if !name.contains([' ', ':', '+', '$']) && !value.is_empty() {
            variables.insert(name, value.to_owned());
        }
    }
    let target = |text: &str| {
        let name = expanded(text.trim(), &variables);
        let name = name.trim_start_matches("./").to_owned();
        let fits = !name.is_empty()
            && !name.contains("..")
            && name
                .chars()
                .all(|one| one.is_ascii_alphanumeric() || "._-/+".contains(one));
        (fits && !name.starts_with(['/', '.'])).then_some(name)
    };
    // Each rule: what it makes, and of what.
    let rules: Vec<(String, Vec<String>)> = text
        .lines()
        .filter_map(|line| {
            let (left, needs) = line.split_once(':')?;
            let is_rule =
                !line.starts_with(['\t', ' ', '#', '.']) && !needs.starts_with([':', '=']);
            let needs = needs.split_whitespace().filter_map(target);
            is_rule.then(|| Some((target(left)?, needs.collect())))?
        })
        .collect();
    let is_made = |name: &String| {
        rules
            .iter()
            .any(|(made, needs)| made == name || needs.contains(name))
    };
    let named = || {
        let known = NAMES.iter().filter_map(|name| variables.get(name));
        known
            .filter_map(|name| target(name))
            .find(|name| is_made(name))
    };
    // The first rule is what `make` makes; where that only gathers others, its first is the program.
    let first = || {
        let (made, needs) = rules.first()?;
        let is_file = |name: &&String| !GATHERS.contains(&name.as_str()) && !name.ends_with(".o");
        let mut names = if GATHERS.contains(&made.as_str()) {
            needs.iter()
        } else {
            std::slice::from_ref(made).iter()
        };
        names.find(is_file).cloned()
    };
    // What the compiler is told to write.
    let written = || {
        let recipes = text.lines().filter(|line| line.starts_with('\t'));
        recipes
            .filter_map(|line| line.split_once(" -o ")?.1.split_whitespace().next())
            .find_map(|word| target(word).filter(|name| !name.ends_with(".o")))
    };
    named().or_else(first).or_else(written)
}

/// A text with what its variables say, as far as they say it.
fn expanded(text: &str, variables: &BTreeMap<&str, String>) -> String {
    let mut text = text.to_owned();
    // A variable may name another; one that names itself ends here.
    for _ in 0..5 {
        if !text.contains('$') {
            break;
        }
        for (name, value) in variables {
            text = text
                .replace(&format!("$({name})"), value)
                .replace(&format!("${{{name}}}"), value);
        }
        if text.len() > 1000 {
            break;
        }
    }
    text
}
