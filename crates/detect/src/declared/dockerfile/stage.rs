//! The stages of a Dockerfile.

use std::collections::BTreeMap;

use super::reader::{Instruction, expanded, instructions};
use crate::scan;

/// What is known of an image when its stage ends.
#[derive(Clone, Default)]
pub(super) struct Stage {
    pub name: Option<String>,
    /// What it starts from in the end, through the stages it starts from.
    pub image: String,
    pub line: usize,
    pub workdir: String,
    /// Where the project's files were put.
    pub copied_to: Vec<String>,
    /// Each file of the project that is put somewhere, and where.
    pub copies: Vec<(Vec<String>, String, usize)>,
    /// The first line that runs something.
    pub ran: Option<usize>,
    pub ports: Vec<(u16, usize)>,
    pub volumes: Vec<(String, usize)>,
    pub env: Vec<(String, String, usize)>,
    pub health: Option<(String, usize)>,
    entrypoint: Option<(Command, usize)>,
    cmd: Option<(Command, usize)>,
}

#[derive(Clone)]
pub(super) enum Command {
    Words(Vec<String>),
    Line(String),
}

impl Stage {
    /// What is started, and the line that says so.
    pub fn command(&self) -> Option<(Command, usize)> {
        match (&self.entrypoint, &self.cmd) {
            (None, cmd) => cmd.clone(),
            (Some((Command::Words(first), _)), Some((Command::Words(more), line))) => {
                let words = first.iter().chain(more).cloned().collect();
                Some((Command::Words(words), *line))
            }
            // A script that goes on with what it is given; that was a shell's line.
            (Some((Command::Words(first), _)), Some((Command::Line(rest), line)))
                if first.last().is_some_and(|last| last == "--")
                    || first.len() == 1 && first[0].ends_with("tini") =>
            {
                Some((Command::Line(rest.clone()), *line))
            }
            (entrypoint, _) => entrypoint.clone(),
        }
    }

    fn take(&mut self, instruction: &Instruction, arguments: &BTreeMap<String, String>) {
        let value = |name: &str| {
            let set = self.env.iter().rev().find(|(known, ..)| known == name);
            set.map(|(_, value, _)| value.clone())
                .or_else(|| arguments.get(name).cloned())
        };
        let line = instruction.line;
        let rest = instruction.rest.as_str();
        match instruction.name.as_str() {
            "WORKDIR" => {
                let folder = expanded(rest, &value);
                let folder = folder.trim_matches(['"', '\'']);
                self.workdir = if folder.starts_with('/') {
                    folder.to_owned()
                } else {
                    format!("{}/{folder}", self.workdir.trim_end_matches('/'))
                };
            }
            "COPY" | "ADD" => {
                let words: Vec<_> = rest.split_whitespace().collect();
                let own = !words.iter().any(|word| word.starts_with("--from"));
                if let (true, Some(to)) = (own, words.last())
                    && to.starts_with('/')
                {
                    self.copied_to.push(expanded(to, &value));
                }
                let copied = own.then(|| copied(rest, &self.workdir, &value)).flatten();
                let copied = copied.map(|(files, to)| (files, to, line));
                self.copies.extend(copied);
            }
            "RUN" => self.ran = self.ran.or(Some(line)),
            "EXPOSE" => {
                let expanded = expanded(rest, &value);
                for port in expanded.split_whitespace() {
                    let number = port.split(['/', '-']).next().and_then(scan::port);
                    if let Some(number) = number.filter(|_| !port.ends_with("/udp")) {
                        self.ports.push((number, line));
                    }
                }
            }
            "VOLUME" => {
                let paths = match words(rest) {
                    Some(paths) => paths,
                    None => rest.split_whitespace().map(str::to_owned).collect(),
                };
                let paths = paths.iter().map(|path| expanded(path, &value));
                self.volumes.extend(paths.map(|path| (path, line)));
            }
            "ENV" => {
                let pairs: Vec<_> = pairs(rest)
                    .into_iter()
                    .map(|(name, set)| (name, expanded(&set, &value), line))
                    .collect();
                self.env.extend(pairs);
            }
            "HEALTHCHECK" => {
                self.health = health_path(rest).map(|path| (path, line));
            }
            "CMD" => self.cmd = started(rest).map(|command| (command, line)),
            "ENTRYPOINT" => self.entrypoint = started(rest).map(|command| (command, line)),
            _ => {}
        }
    }
}

/// What `COPY` puts where.
fn copied(
    rest: &str,
    workdir: &str,
    value: &dyn Fn(&str) -> Option<String>,
) -> Option<(Vec<String>, String)> {
    let plain = || {
        let words = rest.split_whitespace();
        let words = words.filter(|word| !word.starts_with("--"));
        words.map(str::to_owned).collect()
    };
    let mut files: Vec<String> = words(rest).unwrap_or_else(plain);
    let to = expanded(&files.pop()?, value);
    let to = if to.starts_with('/') {
        to
    } else {
        let inner = to.trim_start_matches("./").trim_start_matches('.');
        format!("{}/{inner}", workdir.trim_end_matches('/'))
    };
    Some((files, to))
}

/// All stages; each begins with what the one it starts from has left.
pub(super) fn stages(text: &str) -> Vec<Stage> {
    let mut stages: Vec<Stage> = Vec::new();
    let mut global = BTreeMap::new();
    let mut arguments = BTreeMap::new();
    for instruction in instructions(text) {
        match instruction.name.as_str() {
            "FROM" => {
                let known = |name: &str| global.get(name).cloned();
                let words: Vec<_> = instruction
                    .rest
                    .split_whitespace()
                    .filter(|word| !word.starts_with("--"))
                    .collect();
                let Some(image) = words.first().map(|image| expanded(image, &known)) else {
                    continue;
                };
                let is_named = words
                    .get(1)
                    .is_some_and(|word| word.eq_ignore_ascii_case("as"));
                let name = words
                    .get(2)
                    .filter(|_| is_named)
                    .map(|name| (*name).to_owned());
                let earlier = stages
                    .iter()
                    .rfind(|stage| stage.name.as_deref() == Some(image.as_str()));
                let stage = match earlier {
                    Some(earlier) => Stage {
                        name,
                        ..earlier.clone()
                    },
                    None => Stage {
                        name,
                        image,
                        line: instruction.line,
                        ..Stage::default()
                    },
                };
                arguments.clear();
                stages.push(stage);
            }
            "ARG" => {
                for (name, value) in pairs(&instruction.rest) {
                    if stages.is_empty() {
                        let known = |name: &str| global.get(name).cloned();
                        let value = expanded(&value, &known);
                        global.insert(name, value);
                    } else {
                        arguments.insert(name, value);
                    }
                }
                // Without a value it is the one from before the first stage.
                let name = instruction.rest.trim();
                if let (false, Some(value)) = (stages.is_empty(), global.get(name)) {
                    arguments.insert(name.to_owned(), value.clone());
                }
            }
            _ => {
                if let Some(stage) = stages.last_mut() {
                    stage.take(&instruction, &arguments);
                }
            }
        }
    }
    stages
}

fn started(rest: &str) -> Option<Command> {
    if let Some(words) = words(rest) {
        return (!words.is_empty()).then_some(Command::Words(words));
    }
    let line = rest.strip_prefix("exec ").unwrap_or(rest).trim();
    (!line.is_empty()).then(|| Command::Line(line.to_owned()))
}

/// The words of the form that no shell reads.
fn words(rest: &str) -> Option<Vec<String>> {
    rest.starts_with('[')
        .then(|| serde_json::from_str(rest).ok())?
}

/// `NAME=value OTHER="a b"`, or `NAME value`.
fn pairs(rest: &str) -> Vec<(String, String)> {
    let words = shlex::split(rest).unwrap_or_default();
    match words.first() {
        Some(first) if first.contains('=') => words
            .iter()
            .filter_map(|word| word.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        Some(name) if words.len() > 1 => vec![(name.clone(), words[1..].join(" "))],
        _ => Vec::new(),
    }
}

/// The path that is asked for: `curl -f http://localhost:8000/health || exit 1`.
pub(in crate::declared) fn health_path(line: &str) -> Option<String> {
    let (_, address) = line
        .split_once("http://localhost")
        .or_else(|| line.split_once("http://127.0.0.1"))
        .or_else(|| line.split_once("http://0.0.0.0"))?;
    let address = address
        .split([' ', '"', '\'', '`', ')', ',', '|', ';'])
        .next()
        .unwrap_or("");
    let path = match address.find('/') {
        Some(at) => &address[at..],
        None => "/",
    };
    let plain = path
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'$' && byte != b'\\');
    plain.then(|| path.to_owned())
}
