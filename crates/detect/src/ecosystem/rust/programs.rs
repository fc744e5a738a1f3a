//! Which program of a package or a workspace is meant.

use serde_json::Value;

use super::package::{Package, Workspace};
use super::{FRAMEWORKS, source};
use crate::ecosystem::Report;
use crate::sources::{Sources, Text};

/// Packages of a workspace that are there for its developers.
const HELPERS: [&str; 6] = ["xtask", "tools", "tool", "scripts", "benches", "fuzz"];

/// Programs that are there beside the one that is meant, by a word of their names.
const BESIDE: [&str; 12] = [
    "migrate",
    "migrator",
    "migration",
    "migrations",
    "seed",
    "seeder",
    "cli",
    "ctl",
    "tool",
    "client",
    "example",
    "bench",
];
/// What the one that is meant is called, the most telling first.
const NAMES: [&str; 6] = ["server", "api", "web", "app", "main", "httpd"];

/// What runs beside a program that answers, for itself.
const WORKERS: [&str; 10] = [
    "worker",
    "workers",
    "consumer",
    "scheduler",
    "cron",
    "jobs",
    "queue",
    "processor",
    "bot",
    "daemon",
];

fn words(name: &str) -> impl Iterator<Item = &str> {
    name.split(['-', '_'])
}

fn is_beside(program: &Program) -> bool {
    words(&program.name).any(|word| BESIDE.contains(&word))
}

/// A program that cargo builds.
#[derive(Clone)]
pub(super) struct Program {
    pub name: String,
    /// Its main file, seen from the program's folder.
    pub file: String,
    pub from: String,
    /// What it is built with beside the package's default.
    pub features: Vec<String>,
}

/// What is to be built of the folder.
pub(super) enum Choice {
    Nothing,
    /// A program of one of the packages.
    One(Program, Box<Package>),
    /// Each package is a program of its own.
    Each,
}

/// The programs of one package.
pub(super) fn of_package(sources: &Sources<'_>, package: &Package) -> Vec<Program> {
    let mut programs: Vec<Program> = Vec::new();
    let mut add = |name: &str, file: String, from: String, features: Vec<String>| {
        // The name goes into a shell line.
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        let fits = !name.is_empty() && !name.starts_with('-') && name.chars().all(plain);
        if fits && !programs.iter().any(|known| known.name == name) {
            programs.push(Program {
                name: name.to_owned(),
                file,
                from,
                features,
            });
        }
    };
    let Some(name) = package.name() else {
        return programs;
    };
    let cargo = &package.manifest;
    let listed = cargo.get(&["bin"]).and_then(Value::as_array);
    let mut taken = Vec::new();
    for (index, bin) in listed.into_iter().flatten().enumerate() {
        let index = index.to_string();
        let Some(bin_name) = cargo.text(&["bin", &index, "name"]) else {
            continue;
        };
        let usual = [
            cargo.text(&["bin", &index, "path"]).map(str::to_owned),
            Some(format!("src/bin/{bin_name}.rs")),
            Some(format!("src/bin/{bin_name}/main.rs")),
            (bin_name == name || bin.get("path").is_none()).then(|| "src/main.rs".to_owned()),
        ];
        let there = usual
            .into_iter()
            .flatten()
            .map(|path| package.path(&path))
            .find(|path| sources.has(path));
        if let Some(file) = there {
            taken.push(file.clone());
            let from = cargo.from(&["bin", &index, "name"]);
            add(bin_name, file, from, features(package, bin));
        }
    }
    if cargo.get(&["package", "autobins"]) == Some(&Value::Bool(false)) {
        return programs;
    }
    let main = package.path("src/main.rs");
    if sources.has(&main) && !taken.contains(&main) {
        add(name, main.clone(), main, Vec::new());
    }
    let folder = package.path("src/bin/");
    for path in sources.program_files(&["rs"]) {
        let Some(rest) = path.strip_prefix(folder.as_str()) else {
            continue;
        };
        let name = rest
            .strip_suffix("/main.rs")
            .or_else(|| rest.strip_suffix(".rs"))
            .filter(|name| !name.contains('/'));
        if let Some(name) = name.filter(|_| !taken.iter().any(|taken| taken == path)) {
            add(name, path.to_owned(), path.to_owned(), Vec::new());
        }
    }
    programs
}

/// What a program needs that its package does not have on by itself.
fn features(package: &Package, bin: &Value) -> Vec<String> {
    let default = package.manifest.get(&["features", "default"]);
    let texts = |list: Option<&Value>| -> Vec<String> {
        let list = list.and_then(Value::as_array).into_iter().flatten();
        list.filter_map(|one| Some(one.as_str()?.to_owned()))
            .collect()
    };
    let default = texts(default);
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_+./".contains(c);
    texts(bin.get("required-features"))
        .into_iter()
        .filter(|feature| !default.contains(feature) && feature.chars().all(plain))
        .collect()
}

/// The program that is meant.
pub(super) fn choose(
    sources: &Sources<'_>,
    root: Package,
    workspace: Option<&Workspace>,
    texts: &[Text<'_>],
    report: &mut Report,
) -> Choice {
    let own = of_package(sources, &root);
    // Where each package stands for itself, those for developers and by hand do not.
    let below = workspace.is_some_and(|workspace| !workspace.up.is_empty());
    let folder = sources.folder().rsplit('/').next().unwrap_or("");
    if below && (HELPERS.contains(&folder) || !own.is_empty() && own.iter().all(is_beside)) {
        return Choice::Nothing;
    }
    if let Some(program) = of_several(own, &root, texts, report) {
        return Choice::One(program, Box::new(root));
    }
    let Some(workspace) = workspace.filter(|workspace| workspace.up.is_empty()) else {
        return Choice::Nothing;
    };
    let is_helper = |folder: &str| {
        let name = folder.trim_end_matches('/').rsplit('/').next();
        name.is_some_and(|name| HELPERS.contains(&name))
    };
    let mut members: Vec<(Package, Vec<Program>)> = workspace
        .members(sources)
        .iter()
        .filter(|folder| !is_helper(folder))
        .filter_map(|folder| Package::read(sources, folder))
        .map(|package| {
            let programs = of_package(sources, &package);
            (package, programs)
        })
        .filter(|(_, programs)| !programs.is_empty())
        .collect();
    if members.len() > 1 {
        let serving: Vec<_> = members
            .iter()
            .map(|(package, _)| serves(package, workspace, texts))
            .collect();
        match serving.iter().filter(|serves| **serves).count() {
            0 => {
                let names: Vec<_> = members
                    .iter()
                    .map(|(_, programs)| programs[0].name.as_str())
                    .collect();
                which(
                    &names,
                    &format!(
                        "add default-members = [\"{}\"] to [workspace] in Cargo.toml",
                        members[0].0.folder.trim_end_matches('/')
                    ),
                    report,
                );
            }
            1 => {
                let runs_beside = |(package, programs): &(Package, Vec<Program>)| {
                    let name = package.name().unwrap_or("");
                    words(name).any(|word| WORKERS.contains(&word)) && !programs.is_empty()
                };
                let at = serving.iter().position(|serves| *serves).unwrap_or(0);
                members.swap(0, at);
                if members[1..].iter().any(runs_beside) {
                    return Choice::Each;
                }
                let others: Vec<_> = members[1..]
                    .iter()
                    .map(|(_, programs)| &programs[0])
                    .filter(|program| !is_beside(program))
                    .map(|program| program.name.as_str())
                    .collect();
                if !others.is_empty() {
                    let taken = members[0].1[0].name.as_str();
                    let mut names = vec![taken];
                    names.extend(others);
                    let remedy = format!(
                        "add default-members = [\"{}\"] to [workspace] in Cargo.toml",
                        members[0].0.folder.trim_end_matches('/')
                    );
                    which(&names, &remedy, report);
                }
            }
            _ => return Choice::Each,
        }
    }
    if members.is_empty() {
        return Choice::Nothing;
    }
    let (package, programs) = members.swap_remove(0);
    match of_several(programs, &package, texts, report) {
        Some(program) => Choice::One(program, Box::new(package)),
        None => Choice::Nothing,
    }
}

/// Whether a package answers to anybody.
fn serves(package: &Package, workspace: &Workspace, texts: &[Text<'_>]) -> bool {
    let dependencies = package.dependencies(Some(workspace));
    let by_framework = FRAMEWORKS.iter().any(|framework| {
        dependencies
            .iter()
            .any(|dependency| dependency.runs && dependency.name == framework.name)
    });
    by_framework
        || texts
            .iter()
            .any(|(path, text)| path.starts_with(&package.folder) && source::listens(text))
}

/// Of a package's programs the one that `default-run` names, else that of its name, else the only one that
/// answers to anybody, else the one that is called so.
fn of_several(
    mut programs: Vec<Program>,
    package: &Package,
    texts: &[Text<'_>],
    report: &mut Report,
) -> Option<Program> {
    if programs.len() < 2 {
        return programs.pop();
    }
    let default = package.manifest.text(&["package", "default-run"]);
    let named = default
        .or(package.name())
        .and_then(|name| programs.iter().position(|program| program.name == name));
    let serving = || {
        let mut serving = programs.iter().enumerate().filter(|(_, program)| {
            texts
                .iter()
                .any(|(path, text)| *path == program.file && source::listens(text))
        });
        let (at, _) = serving.next()?;
        serving.next().is_none().then_some(at)
    };
    let meant = || {
        let mut meant = programs.iter().filter(|program| !is_beside(program));
        let only = meant.next().filter(|_| meant.next().is_none())?;
        programs
            .iter()
            .position(|program| program.name == only.name)
    };
    let answers = programs.iter().any(|program| {
        texts
            .iter()
            .any(|(path, text)| *path == program.file && source::listens(text))
    });
    let called = || {
        NAMES.iter().find_map(|name| {
            let mut programs = programs.iter();
            programs.position(|program| words(&program.name).any(|word| word == *name))
        })
    };
    let chosen = named
        .or_else(meant)
        .or_else(serving)
        .or_else(|| called().filter(|_| !answers));
    if chosen.is_none() {
        let names: Vec<_> = programs
            .iter()
            .map(|program| program.name.as_str())
            .collect();
        let remedy = format!(
            "add default-run = \"{}\" to [package] in {}",
            names[0],
            package.path("Cargo.toml")
        );
        which(&names, &remedy, report);
    }
    Some(programs.swap_remove(chosen.unwrap_or(0)))
}

fn which(names: &[&str], remedy: &str, report: &mut Report) {
    report.ask(
        format!(
            "Which program? {} are programs; {} taken.",
            names.join(", "),
            names[0]
        ),
        remedy,
    );
}
