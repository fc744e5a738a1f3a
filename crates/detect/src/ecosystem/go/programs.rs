//! Which of a module's main packages is the program.

use std::collections::HashSet;

use serde_json::Value;

use super::module::Module;
use super::{FRAMEWORKS, source};
use crate::document::Document;
use crate::ecosystem::Report;
use crate::scan::Scan;
use crate::sources::{Sources, Text};

/// Programs that are there beside the one that is meant, by a word of their folders.
const BESIDE: [&str; 18] = [
    "migrate",
    "migrator",
    "migration",
    "migrations",
    "seed",
    "seeder",
    "cli",
    "ctl",
    "tool",
    "tools",
    "gen",
    "generate",
    "codegen",
    "client",
    "example",
    "examples",
    "scripts",
    "bench",
];
/// What the one that is meant is called, the most telling first.
const NAMES: [&str; 6] = ["server", "api", "web", "app", "main", "httpd"];

/// A main package.
#[derive(Clone)]
pub(super) struct Main {
    /// As `go build` takes it: `.`, `./cmd/web`.
    pub package: String,
    /// Empty for the module's own.
    folder: String,
    pub file: String,
    /// Where its `main` is.
    pub from: String,
    /// What else says that it is the one.
    pub because: Option<String>,
}

impl Main {
    /// Whether it is there for another one.
    pub fn is_beside(&self) -> bool {
        self.folder
            .split('/')
            .flat_map(words)
            .any(|word| BESIDE.contains(&word))
    }

    /// Whether it lies in a folder, however deep.
    pub fn is_in(&self, folder: &str) -> bool {
        let rest = self.folder.strip_prefix(folder);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// Every main package, outermost first.
pub(super) fn mains(texts: &[Text<'_>]) -> Vec<Main> {
    let mut mains: Vec<Main> = Vec::new();
    for (path, text) in texts {
        let clause = text.lines().any(|line| {
            let line = line.split("//").next().unwrap_or("");
            line.trim() == "package main"
        });
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        if !clause || is_ignored(text) || mains.iter().any(|main| main.folder == folder) {
            continue;
        }
        let scan = Scan::behind(text, "func main", source::COMMENT)
            .find(|scan| scan.rest().starts_with('('));
        if let Some(scan) = scan {
            let package = match folder {
                "" => ".".to_owned(),
                folder => format!("./{folder}"),
            };
            mains.push(Main {
                package,
                folder: folder.to_owned(),
                file: (*path).to_owned(),
                from: format!("{path}:{}", scan.line()),
                because: None,
            });
        }
    }
    mains
}

/// Whether a file is only run by itself.
fn is_ignored(text: &str) -> bool {
    text.lines()
        .take_while(|line| !line.starts_with("package "))
        .any(|line| matches!(line.trim(), "//go:build ignore" | "// +build ignore"))
}

/// The main package that becomes the program: what a file says, else the one that answers to anybody, else by
/// its name.
pub(super) fn choose(
    sources: &Sources<'_>,
    mains: &[Main],
    texts: &[Text<'_>],
    module: &Module,
    report: &mut Report,
) -> Option<Main> {
    if mains.len() < 2 {
        return mains.first().cloned();
    }
    if let Some((main, because)) = declared(sources, mains, module) {
        let because = Some(because);
        return Some(Main {
            because,
            ..main.clone()
        });
    }
    let meant: Vec<&Main> = mains.iter().filter(|main| !main.is_beside()).collect();
    let meant = if meant.is_empty() {
        mains.iter().collect()
    } else {
        meant
    };
    let weights: Vec<u8> = meant
        .iter()
        .map(|main| weight(main, texts, module))
        .collect();
    let most = weights.iter().copied().max().unwrap_or(0).min(LISTENS);
    let serving: Vec<&Main> = meant
        .iter()
        .zip(&weights)
        .filter(|(_, weight)| **weight >= most)
        .map(|(main, _)| *main)
        .collect();
    if let [only] = serving[..] {
        return Some(only.clone());
    }
    let module_name = module.name();
    let own = |main: &&&Main| main.folder.is_empty() || Some(last(main)) == module_name.as_deref();
    if let Some(own) = serving.iter().find(own) {
        return Some((*own).clone());
    }
    let by_name = NAMES.iter().find_map(|name| {
        let named = |wanted: &str| serving.iter().find(|main| last(main) == wanted);
        named(name).or_else(|| {
            serving
                .iter()
                .find(|main| words(last(main)).any(|word| word == *name))
        })
    });
    let taken = by_name.or(serving.first())?;
    if most > 0 || by_name.is_none() {
        let packages: Vec<_> = serving.iter().map(|main| main.package.as_str()).collect();
        report.ask(
            format!(
                "Which program? {} are main packages; {} taken.",
                packages.join(", "),
                taken.package
            ),
            "write the one that is meant into build_commands of ergon.json",
        );
    }
    Some((*taken).clone())
}

fn last(main: &Main) -> &str {
    main.folder.rsplit('/').next().unwrap_or("")
}

fn words(name: &str) -> impl Iterator<Item = &str> {
    name.split(['-', '_', '.'])
}

/// From here on, a package listens.
const LISTENS: u8 = 2;

/// How much a main package answers to anybody, by itself or by what it imports.
fn weight(main: &Main, texts: &[Text<'_>], module: &Module) -> u8 {
    let reached = reached(main, texts, module);
    let parts = || {
        texts
            .iter()
            .filter(|(path, _)| reached.contains(folder_of(path)))
            .map(|(_, text)| text)
    };
    if parts().any(|text| listens(text)) {
        LISTENS
    } else {
        u8::from(
            parts().any(|text| {
                text.contains("Getenv(\"PORT\")") || text.contains("LookupEnv(\"PORT\")")
            }),
        )
    }
}

fn listens(text: &str) -> bool {
    let calls = |call: &str| {
        Scan::behind(text, call, source::COMMENT).any(|scan| scan.rest().starts_with('('))
    };
    let by_itself = [
        "ListenAndServe",
        "ListenAndServeTLS",
        "http.Serve",
        "net.Listen",
    ];
    let of_framework = [".Run", ".RunTLS", ".Start", ".StartServer", ".Listen"];
    by_itself.into_iter().any(calls)
        || FRAMEWORKS
            .iter()
            .any(|framework| text.contains(framework.module))
            && of_framework.into_iter().any(calls)
}

fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The folders of the packages of this module that a main package is made of.
fn reached<'t>(main: &'t Main, texts: &'t [Text<'_>], module: &Module) -> HashSet<&'t str> {
    let mut reached = HashSet::from([main.folder.as_str()]);
    let Some(path) = &module.path else {
        return reached;
    };
    let begin = format!("\"{path}/");
    let mut open = vec![main.folder.as_str()];
    while let Some(folder) = open.pop() {
        for (_, text) in texts.iter().filter(|(path, _)| folder_of(path) == folder) {
            for (at, _) in text.match_indices(begin.as_str()) {
                let rest = &text[at + begin.len()..];
                let imported = rest.split(['"', '\n']).next().unwrap_or("");
                if !imported.is_empty() && reached.insert(imported) {
                    open.push(imported);
                }
            }
        }
    }
    reached
}

/// The texts that are not only those of another main package.
pub(super) fn parts<'a>(
    texts: Vec<Text<'a>>,
    main: &Main,
    mains: &[Main],
    module: &Module,
) -> Vec<Text<'a>> {
    if mains.len() < 2 {
        return texts;
    }
    let kept: Vec<bool> = {
        let reached = reached(main, &texts, module);
        let is_part = |folder: &str| {
            let mut others = mains.iter().filter(|other| other.folder != main.folder);
            let of_another = others.any(|other| {
                folder == other.folder
                    || !other.folder.is_empty()
                        && folder
                            .strip_prefix(&other.folder)
                            .is_some_and(|rest| rest.starts_with('/'))
            });
            reached.contains(folder) || !of_another
        };
        texts
            .iter()
            .map(|(path, _)| is_part(folder_of(path)))
            .collect()
    };
    let texts = texts.into_iter().zip(kept);
    texts
        .filter(|(_, kept)| *kept)
        .map(|(text, _)| text)
        .collect()
}

/// What a file says of which one is built.
fn declared<'m>(
    sources: &Sources<'_>,
    mains: &'m [Main],
    module: &Module,
) -> Option<(&'m Main, String)> {
    let named = |word: &str| {
        let word = word.trim_matches(['"', '\'']);
        let own = module
            .path
            .as_deref()
            .and_then(|path| word.strip_prefix(path));
        let word = own.unwrap_or(word).trim_start_matches("./");
        let word = word.trim_matches('/');
        let folder = match word.rsplit_once('/') {
            _ if word == "." => "",
            Some((folder, file)) if file.ends_with(".go") => folder,
            None if word.ends_with(".go") => "",
            _ => word,
        };
        mains.iter().find(|main| main.folder == folder)
    };
    for keys in [&["io", "buildpacks", "build", "env"][..], &["build", "env"]] {
        let Some(document) = sources.document("project.toml") else {
            break;
        };
        let list = document.get(keys).and_then(Value::as_array);
        for (index, entry) in list.into_iter().flatten().enumerate() {
            let text = |key: &str| entry.get(key).and_then(Value::as_str);
            if text("name") == Some("BP_GO_TARGETS")
                && let Some(first) = text("value").and_then(|value| value.split(':').next())
                && let Some(main) = named(first)
            {
                let index = index.to_string();
                let place: Vec<&str> = keys.iter().copied().chain([index.as_str()]).collect();
                return Some((main, document.from(&place)));
            }
        }
    }
    let dockerfile = if sources.folder().is_empty() {
        sources.own_file("Dockerfile")
    } else {
        sources.text("Dockerfile").map(|text| text.to_string())
    };
    let file = |name| sources.has(name).then(|| sources.text(name)).flatten();
    dockerfile
        .and_then(|text| built(&text, "Dockerfile", &named))
        .or_else(|| {
            ["Makefile", "makefile"]
                .into_iter()
                .find_map(|name| built(&file(name)?, name, &named))
        })
        .or_else(|| {
            [".goreleaser.yaml", ".goreleaser.yml"]
                .into_iter()
                .find_map(|name| {
                    released(
                        &sources.document(name).filter(|_| sources.has(name))?,
                        &named,
                    )
                })
        })
}

/// What is released first: `builds: [{main: ./cmd/shop}]`.
fn released<'m>(
    document: &Document,
    named: &dyn Fn(&str) -> Option<&'m Main>,
) -> Option<(&'m Main, String)> {
    let builds = document.get(&["builds"])?.as_array()?;
    let main = named(builds.first()?.get("main")?.as_str()?)?;
    Some((main, document.from(&["builds", "0", "main"])))
}

/// The one package that the lines of a file build.
fn built<'m>(
    text: &str,
    name: &str,
    named: &dyn Fn(&str) -> Option<&'m Main>,
) -> Option<(&'m Main, String)> {
    let mut found: Vec<(&Main, String)> = Vec::new();
    let mut command = String::new();
    for (index, line) in text.lines().enumerate() {
        let whole = line.trim_end().strip_suffix('\\');
        command.push_str(whole.unwrap_or(line));
        command.push(' ');
        if whole.is_some() {
            continue;
        }
        for part in command.split(['&', ';', '|']) {
            let Some(arguments) = ["go build ", "go install "]
                .iter()
                .find_map(|call| Some(part.split_once(call)?.1))
            else {
                continue;
            };
            let mut is_value = false;
            for word in arguments.split_whitespace() {
                let is_option = word.starts_with('-') || std::mem::replace(&mut is_value, false);
                is_value = word == "-o";
                if is_option {
                    continue;
                }
                if let Some(main) = named(word).filter(|_| !word.is_empty())
                    && !found.iter().any(|(known, _)| known.folder == main.folder)
                {
                    found.push((main, format!("{name}:{}", index + 1)));
                }
            }
        }
        command.clear();
    }
    let only = found.pop()?;
    found.is_empty().then_some(only)
}
