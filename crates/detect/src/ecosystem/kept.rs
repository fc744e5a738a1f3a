//! What an image keeps beside a compiled program: the files of the project that it reads while it runs.

use std::collections::{BTreeMap, BTreeSet};

use crate::scan::Scan;
use crate::sources::{Sources, Text};

/// More than these are not worth a line each.
const MOST: usize = 24;
/// Longer texts are no paths.
const LONGEST: usize = 200;

/// How the code of a language names what it reads.
pub(super) struct Reading {
    pub comments: &'static [&'static str],
    /// What begins a function.
    pub function: &'static str,
    /// What takes a path, and which of its arguments that is.
    pub calls: &'static [(&'static str, usize)],
    /// What puts a path together from others, or only stands around one.
    pub around: &'static [&'static str],
    /// What follows a place that only the machine it runs on knows.
    pub nobody_knows: &'static [&'static str],
    /// What makes a file part of the program, in the lines where that is said.
    pub embeds: &'static [&'static str],
    /// Whether a file is only there to be compiled.
    pub is_source: fn(&str) -> bool,
}

/// What the last stage takes: `program`, and what of the project is read, also by libraries that are not told what
/// is `usual`. Nothing, which stands for all but sources, where that cannot be told.
pub(super) fn artifacts(
    sources: &Sources<'_>,
    texts: &[Text<'_>],
    program: &str,
    reading: &Reading,
    usual: &[&str],
) -> Vec<String> {
    let tree = Data::of(sources, reading);
    let mut kept = BTreeSet::new();
    if tree.is_worth_asking {
        let told = texts
            .iter()
            .all(|(_, text)| !is_computed(text, texts, reading));
        if !told {
            return Vec::new();
        }
    }
    let embedded: Vec<String> = texts
        .iter()
        .flat_map(|(path, text)| embedded(path, text, reading))
        .collect();
    for (_, text) in texts {
        for line in text.lines() {
            let said = line.trim_start();
            if reading.comments.iter().any(|mark| said.starts_with(mark))
                || reading.embeds.iter().any(|word| said.contains(word))
            {
                continue;
            }
            let reads = reading.calls.iter().any(|(call, _)| line.contains(call));
            for piece in line.split(['"', '`']).skip(1) {
                let Some(path) = plain(piece) else {
                    continue;
                };
                let is_inside = embedded.iter().any(|inside| is_at_or_below(&path, inside));
                if reads || !is_inside {
                    tree.add(&path, &mut kept);
                }
            }
        }
    }
    for usual in usual {
        tree.add(usual, &mut kept);
    }
    let mut artifacts = vec![program.to_owned()];
    for path in kept {
        if !artifacts.iter().any(|known| is_at_or_below(path, known)) {
            artifacts.push(path.to_owned());
        }
    }
    if artifacts.len() > MOST {
        return Vec::new();
    }
    artifacts
}

fn is_at_or_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A text as the path that it would be, up to its first sign that is none: `./views/*.html`, `file://migrations`.
fn plain(piece: &str) -> Option<String> {
    if piece.is_empty() || piece.len() > LONGEST || piece.contains([' ', '\\', ':']) {
        let path = piece.strip_prefix("file://")?;
        return (!path.is_empty()).then(|| plain(path))?;
    }
    let (path, is_cut) = match piece.find(['*', '?', '[', '{', '%', '$', '#']) {
        Some(at) => (&piece[..at], true),
        None => (piece, false),
    };
    let path = if is_cut {
        path.rsplit_once('/')?.0
    } else {
        path
    };
    let path = path.strip_prefix("/app/").unwrap_or(path);
    let elements = path
        .split('/')
        .filter(|element| !matches!(*element, "" | "."));
    let elements: Vec<_> = elements.collect();
    (!elements.is_empty() && !elements.contains(&"..")).then(|| elements.join("/"))
}

/// What the project has beside its sources.
struct Data<'a> {
    /// Folders and files that can be meant, each with what of it is kept.
    named: BTreeMap<&'a str, Vec<&'a str>>,
    /// There is something that a program could want.
    is_worth_asking: bool,
}

impl<'a> Data<'a> {
    fn of(sources: &Sources<'a>, reading: &Reading) -> Self {
        let mut mixed: BTreeSet<&str> = BTreeSet::new();
        let mut files = Vec::new();
        for path in sources.all_files().filter(|path| !is_never_read(path)) {
            if (reading.is_source)(path) {
                mixed.extend(folders(path));
            } else {
                files.push(path);
            }
        }
        let mut named: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for path in &files {
            // The outermost folder without sources.
            let whole = folders(path).find(|folder| !mixed.contains(folder));
            let kept = whole.unwrap_or(path);
            for folder in folders(path) {
                let of_folder = named.entry(folder).or_default();
                let kept = if is_at_or_below(folder, kept) {
                    folder
                } else {
                    kept
                };
                if of_folder.last() != Some(&kept) {
                    of_folder.push(kept);
                }
            }
            // A file seldom stays alone in its folder.
            let inside = folders(path)
                .last()
                .filter(|folder| !mixed.contains(folder));
            named.insert(path, vec![inside.unwrap_or(path)]);
        }
        Self {
            named,
            is_worth_asking: files.iter().any(|path| !is_beside(path)),
        }
    }

    /// Adds what a path means: the file or the folder, else settings of that name, else the folder that it is in.
    fn add(&self, path: &str, kept: &mut BTreeSet<&'a str>) {
        const SETTINGS: [&str; 7] = ["yaml", "yml", "json", "toml", "env", "ini", "properties"];
        if self.named.is_empty() {
            return;
        }
        let mut at = path;
        let mut found = false;
        loop {
            if at == path {
                for ending in SETTINGS {
                    if let Some(meant) = self.named.get(format!("{at}.{ending}").as_str()) {
                        kept.extend(meant);
                        found = true;
                    }
                }
            }
            if let Some(meant) = self.named.get(at) {
                kept.extend(meant);
                return;
            }
            match at.rsplit_once('/') {
                Some((folder, _)) if !found => at = folder,
                _ => return,
            }
        }
    }
}

/// The folders that a path is in, the outermost first.
fn folders(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(end, _)| &path[..end])
}

/// Whether a file is of tools or of other people's code, whatever names it.
fn is_never_read(path: &str) -> bool {
    let mut folders = path.split('/').rev().skip(1);
    let is_of_tools = |folder: &str| matches!(folder, "node_modules" | ".git" | "__pycache__");
    path.starts_with("vendor/") || path.starts_with("target/") || folders.any(is_of_tools)
}

/// Whether a file is there for people and their tools, so that no program asks for it unless it says its name.
fn is_beside(path: &str) -> bool {
    const NAMES: [&str; 26] = [
        "app.json",
        "authors",
        "buf.gen.yaml",
        "buf.yaml",
        "changelog",
        "cloudbuild.yaml",
        "codecov.yml",
        "compose.yaml",
        "compose.yml",
        "containerfile",
        "contributing",
        "copying",
        "fly.toml",
        "heroku.yml",
        "jenkinsfile",
        "justfile",
        "makefile",
        "nixpacks.toml",
        "procfile",
        "project.toml",
        "railpack.json",
        "railway.json",
        "railway.toml",
        "render.yaml",
        "skaffold.yaml",
        "sqlc.yaml",
    ];
    const BEGINNINGS: [&str; 6] = [
        "readme",
        "license",
        "licence",
        "dockerfile",
        "docker-compose",
        "taskfile",
    ];
    const FOLDERS: [&str; 9] = [
        "docs", "doc", "test", "tests", "testdata", "examples", "fixtures", "benches", "scripts",
    ];
    let mut elements: Vec<_> = path.split('/').collect();
    let name = elements.pop().unwrap_or("").to_ascii_lowercase();
    elements
        .iter()
        .any(|folder| folder.starts_with('.') || FOLDERS.contains(folder))
        || name.starts_with('.')
        || [".md", ".sh", ".nix", ".proto"]
            .iter()
            .any(|end| name.ends_with(end))
        || NAMES.contains(&name.as_str())
        || BEGINNINGS.iter().any(|begin| name.starts_with(begin))
}

/// What a file says that is made part of the program: `//go:embed views/*`.
fn embedded(path: &str, text: &str, reading: &Reading) -> Vec<String> {
    let folder = path
        .rsplit_once('/')
        .map_or(String::new(), |(folder, _)| format!("{folder}/"));
    let lines = text.lines().filter_map(|line| {
        let mut words = reading.embeds.iter();
        words.find_map(|word| line.trim_start().strip_prefix(word))
    });
    let patterns = lines.flat_map(str::split_whitespace).filter_map(|pattern| {
        let pattern = pattern.trim_matches(['"', '`']);
        plain(pattern.strip_prefix("all:").unwrap_or(pattern))
    });
    patterns
        .map(|pattern| format!("{folder}{pattern}"))
        .collect()
}

/// Whether a text reads from a place that it does not say.
fn is_computed(text: &str, texts: &[Text<'_>], reading: &Reading) -> bool {
    let Reading {
        comments,
        calls,
        nobody_knows,
        ..
    } = reading;
    let is_said = |word: &str| Scan::behind(text, word, comments).next().is_some();
    nobody_knows.iter().any(|word| is_said(word))
        || calls.iter().any(|(call, argument)| {
            Scan::behind(text, call, comments).any(|mut scan| {
                scan.eat("(")
                    && !past(&mut scan, *argument).is_some_and(|()| is_told(scan, texts, reading))
            })
        })
}

/// Goes past some arguments of a call.
fn past(scan: &mut Scan<'_>, arguments: usize) -> Option<()> {
    for _ in 0..arguments {
        let line = scan.rest().lines().next()?;
        scan.skip(line.find(',')? + 1);
    }
    Some(())
}

/// Whether what follows is a path that can be read here, or a name for one.
fn is_told(mut scan: Scan<'_>, texts: &[Text<'_>], reading: &Reading) -> bool {
    scan.eat("&");
    while reading.around.iter().any(|call| scan.eat(call)) {
        scan.eat("&");
    }
    if scan.eat("\"") || scan.eat("`") {
        let end = scan.rest().find(['"', '`', '\n']).unwrap_or(0);
        let said = &scan.rest()[..end];
        return !matches!(said, "" | "." | "./" | "/" | "..") && !said.starts_with('*');
    }
    let Some(name) = scan.word() else {
        return false;
    };
    if scan.rest().starts_with(['.', ':', '(', '[']) || name.starts_with(|c: char| c.is_numeric()) {
        return false;
    }
    texts.iter().any(|(_, text)| {
        let text: &str = text;
        Scan::behind(text, name, reading.comments).any(|mut scan| {
            let sets = {
                scan.eat(": &str");
                scan.eat(": &'static str");
                scan.eat("string");
                scan.eat(":=") || scan.eat("=")
            };
            let line = scan.rest().lines().next().unwrap_or("");
            sets && !scan.rest().starts_with('=') && line.contains(['"', '`'])
        })
    }) || is_given(name, texts, reading)
}

/// Whether a name is what a function is given, and everybody gives it a path that is written down.
fn is_given(name: &str, texts: &[Text<'_>], reading: &Reading) -> bool {
    let takers = texts.iter().flat_map(|(_, text)| {
        text.lines().filter_map(|line| {
            let (_, behind) = line.split_once(reading.function)?;
            let (function, parameters) = behind.split_once('(')?;
            let takes = parameters
                .split([',', '(', ')'])
                .any(|one| one.split([' ', ':']).find(|word| !word.is_empty()) == Some(name));
            let is_name = !function.is_empty()
                && function
                    .chars()
                    .all(|one| one == '_' || one.is_alphanumeric());
            (takes && is_name).then_some(function)
        })
    });
    let takers: BTreeSet<&str> = takers.collect();
    let mut called = false;
    let all_say = takers.iter().all(|function| {
        texts.iter().all(|(_, text)| {
            let text: &str = text;
            Scan::behind(text, function, reading.comments).all(|mut scan| {
                let before = scan.line_before().trim_end_matches(*function);
                if before.trim_end().ends_with(reading.function.trim()) || !scan.eat("(") {
                    return true;
                }
                called = true;
                let line = scan.rest().lines().next().unwrap_or("");
                line.contains(['"', '`'])
            })
        })
    });
    called && all_say
}
