//! How what a command gets from elsewhere is fetched before it runs, so that it can run without a network.
//!
//! A package manager first fills a folder of its own, in a sandbox of which nothing else is kept; then the command
//! itself runs with that folder at hand and no network.

mod node;
mod pip;
mod system;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::installer::{Place, as_strs, fetches};
use super::shell;
use super::shell::quoted;

/// Where a step finds what was fetched for it, a folder for each manager. In `/dev`, a mount leaves no trace in the
/// layer.
pub const FETCHED: &str = "/dev/fetched";

/// What is fetched for a command, and how the command finds it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fetch {
    /// Who fetches, in the order of the line.
    pub managers: Vec<Manager>,
    /// A shell line that leaves what it fetches below [`FETCHED`].
    pub command: String,
    /// What it sees beside the step's environment.
    pub env: BTreeMap<String, String>,
    /// Shell lines before the command itself, where it needs what was fetched in another place.
    pub before: Vec<String>,
    /// What the command itself sees beside the step's environment, with a network or without: places for caches
    /// outside of the image.
    pub step_env: BTreeMap<String, String>,
    /// What it sees beside that where it has no network.
    pub offline_env: BTreeMap<String, String>,
    /// The project's files that name digests of what may be fetched.
    pub locks: Vec<String>,
}

/// A package manager that can fetch without installing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Manager {
    Apt,
    Cargo,
    Composer,
    Go,
    Npm,
    Pip,
    Pnpm,
    Uv,
    Yarn,
}

impl Manager {
    /// As people call it, and as its folder below [`FETCHED`] is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Apt => "apt",
            Self::Cargo => "cargo",
            Self::Composer => "composer",
            Self::Go => "go",
            Self::Npm => "npm",
            Self::Pip => "pip",
            Self::Pnpm => "pnpm",
            Self::Uv => "uv",
            Self::Yarn => "yarn",
        }
    }

    /// Its folder.
    fn folder(self) -> String {
        format!("{FETCHED}/{}", self.name())
    }
}

/// What one command of a line needs.
struct Part {
    manager: Manager,
    command: String,
    env: Vec<(&'static str, String)>,
    before: Option<String>,
    step_env: Vec<(&'static str, String)>,
    offline_env: Vec<(&'static str, String)>,
    locks: Vec<String>,
}

/// How to fetch for a line that needs the network; none where that is not known of one of its commands.
pub(super) fn fetch(line: &str, place: &Place<'_>) -> Option<Fetch> {
    let commands = shell::commands(line);
    let commands: Vec<_> = commands.iter().map(|words| as_strs(words)).collect();
    // What is set before a command, as a cache's folder, would be missing when it is fetched for.
    let assigned = line.split_whitespace().any(is_setting);
    // Who changes the folder fetches for another one.
    let moves = commands
        .iter()
        .any(|words| matches!(words[0], "cd" | "pushd"));
    if assigned || moves {
        return None;
    }
    let mut all = Fetch::default();
    let mut lines = Vec::new();
    let mut all_locked = true;
    for words in commands.iter().filter(|words| fetches(words, place)) {
        // What the shell makes of such a word is not known here.
        if words.iter().any(|word| {
            // A star in an option stands for names of packages, not of files.
            word.contains(['$', '`'])
                || (word.contains('*') && !word.starts_with("--"))
                || is_redirection(word)
        }) {
            return None;
        }
        let part = part(words, place)?;
        if !all.managers.contains(&part.manager) {
            all.managers.push(part.manager);
            all.before.extend(part.before);
        }
        lines.push(part.command);
        all.env.extend(owned(part.env));
        all.step_env.extend(owned(part.step_env));
        all.offline_env.extend(owned(part.offline_env));
        all_locked &= !part.locks.is_empty();
        all.locks.extend(part.locks);
    }
    // What one lock names is no measure for what goes without.
    if !all_locked {
        all.locks.clear();
    }
    all.locks.sort();
    all.locks.dedup();
    all.command = lines.join(" && ");
    (!all.managers.is_empty()).then_some(all)
}

fn part(words: &[&str], place: &Place<'_>) -> Option<Part> {
    let program = words[0].rsplit('/').next()?;
    match [&[program], &words[1..]].concat().as_slice() {
        ["python" | "python3", "-m", "pip", "install", arguments @ ..]
        | ["pip" | "pip3", "install", arguments @ ..]
        | ["pip" | "pip3", "--python", _, "install", arguments @ ..] => pip::part(arguments, place),
        [
            "npm",
            verb @ ("ci" | "clean-install" | "install" | "i"),
            arguments @ ..,
        ] => Some(node::npm(words, verb, arguments, place)),
        ["pnpm", "install" | "i", ..] => Some(node::pnpm(words, place)),
        ["yarn"] | ["yarn", "install", ..] => node::yarn(words, place),
        ["uv", "sync", ..] => Some(system::uv(words, place.there(&["uv.lock"]))),
        ["uv", "pip", "install" | "sync", arguments @ ..] => {
            Some(system::uv(words, pip::locks(arguments, place)))
        }
        ["composer", "install", ..] => Some(system::composer(words, place)),
        ["go", rest @ ..] => system::go(rest, place),
        ["cargo", verb, ..] => system::cargo(verb, place),
        ["apt-get" | "apt", "update" | "install", ..] => Some(system::apt(words)),
        _ => None,
    }
}

/// Copies a manager's folder to where it may be written, if anything was fetched into it.
fn copied(folder: &str, to: &str) -> String {
    format!(r#"if [ -d {folder} ]; then mkdir -p "{to}" && cp -R {folder}/. "{to}/"; fi"#)
}

/// The line that these words are.
fn line(words: &[&str]) -> String {
    let words = words.iter().map(|word| {
        let is_option = word.starts_with("--") && quoted(&word.replace('=', "")).starts_with('-');
        if is_option {
            (*word).to_owned()
        } else {
            quoted(word)
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

fn owned(pairs: Vec<(&'static str, String)>) -> impl Iterator<Item = (String, String)> {
    let pairs = pairs.into_iter();
    pairs.map(|(name, value)| (name.to_owned(), value))
}

/// `NAME=value`, as a shell sets it for one command.
fn is_setting(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, value)| {
        !name.is_empty()
            && !value.starts_with('=')
            && name.chars().all(|letter| {
                letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_'
            })
    })
}

fn is_redirection(word: &str) -> bool {
    let word = word.trim_start_matches(|letter: char| letter.is_ascii_digit() || letter == '&');
    word.starts_with(['<', '>'])
}

impl Place<'_> {
    /// Those of these files of the application that are there, relative to the project.
    fn there(&self, names: &[&str]) -> Vec<String> {
        let names = names.iter().filter(|name| self.has(name));
        names.filter_map(|name| self.path(name)).collect()
    }
}
